//! One API for the compute, storage, load balancer and DNS services of many clouds.

pub mod catalogue;
