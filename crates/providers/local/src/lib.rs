//! Object storage in a folder of this machine.
