//! The attribute `#[extensions]`.
