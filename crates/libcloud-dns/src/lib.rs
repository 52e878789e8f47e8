//! Domain names of any cloud: zones, records, the driver trait and export to BIND.
