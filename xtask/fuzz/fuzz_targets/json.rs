//! JSON into the resources of all services, and back.
#![no_main]

use libcloud::common::{Extra, json};
use libcloud::{compute, dns, loadbalancer, storage};
use libfuzzer_sys::fuzz_target;

macro_rules! read {
    ($data:expr, $($ty:ty),* $(,)?) => { $(
        if let Ok(value) = json::decode::<$ty>($data) {
            let written = serde_json::to_vec(&value).expect("what was read can be written");
            let again = json::decode::<$ty>(&written).expect("what was written can be read");
            assert_eq!(serde_json::to_vec(&again).expect("and written again"), written);
            let _ = format!("{value:?}");
        }
    )* };
}

fuzz_target!(|data: &[u8]| {
    read!(
        data,
        compute::Node,
        compute::NodeSize,
        compute::NodeImage,
        compute::NodeLocation,
        compute::KeyPair,
        compute::StorageVolume,
        compute::VolumeSnapshot,
        storage::Container,
        storage::Object,
        loadbalancer::LoadBalancer,
        loadbalancer::Member,
        dns::Zone,
        dns::Record,
        Extra,
    );
});
