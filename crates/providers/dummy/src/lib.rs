//! The dummy provider: a cloud in memory, or in a file, for tests and demonstrations.
