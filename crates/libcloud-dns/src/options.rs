//! The optional arguments of DNS methods.

use std::time::Duration;

use libcloud_common::{Ex, optional_arguments};

use crate::types::{RecordType, ZoneType};

optional_arguments! {
    /// Arguments of [`create_zone_with`](crate::DnsDriver::create_zone_with).
    CreateZone("create_zone") {
        /// Whether it is edited here or copied from another server; a master without.
        type_: ZoneType = "master or slave (master)", type_(ZoneType) std::convert::identity;
        /// For how many seconds its records may be kept; the provider's default without.
        ttl: u32 = "for how many seconds its records may be kept", ttl(u32) std::convert::identity;
    }
}

optional_arguments! {
    /// Arguments of [`update_zone_with`](crate::DnsDriver::update_zone_with). What is not given stays as it is.
    UpdateZone("update_zone") {
        /// The new domain.
        domain: String = "the new domain", domain(&str) str::to_owned;
        /// Whether it is edited here or copied from another server.
        type_: ZoneType = "master or slave", type_(ZoneType) std::convert::identity;
        /// For how many seconds its records may be kept.
        ttl: u32 = "for how many seconds its records may be kept", ttl(u32) std::convert::identity;
    }
}

optional_arguments! {
    /// Arguments of [`create_record_with`](crate::DnsDriver::create_record_with).
    ///
    /// ```
    /// use libcloud_dns::CreateRecord;
    ///
    /// let options = CreateRecord::new().ttl(300).priority(10).weight(5).port(5060);
    /// assert_eq!(options.port, Some(5060));
    /// ```
    CreateRecord("create_record") {
        /// For how many seconds it may be kept; the zone's or the provider's default without.
        ttl: u32 = "for how many seconds it may be kept", ttl(u32) std::convert::identity;
        /// Of MX and SRV records: which server is to be tried first; the lowest.
        priority: u16 = "priority of an MX or SRV record", priority(u16) std::convert::identity;
        /// Of SRV records: the share of this server among those of the same priority.
        weight: u16 = "weight of an SRV record", weight(u16) std::convert::identity;
        /// Of SRV records: the port.
        port: u16 = "port of an SRV record", port(u16) std::convert::identity;
    }
}

optional_arguments! {
    /// Arguments of [`update_record_with`](crate::DnsDriver::update_record_with). What is not given stays as it is.
    UpdateRecord("update_record") {
        /// The new name within the zone; empty for the zone's own.
        name: String = "the new name within the zone", name(&str) str::to_owned;
        /// What it is to tell.
        type_: RecordType = "what it is to tell", type_(RecordType) std::convert::identity;
        /// The new data.
        data: String = "the new data", data(&str) str::to_owned;
        /// For how many seconds it may be kept.
        ttl: u32 = "for how many seconds it may be kept", ttl(u32) std::convert::identity;
        /// Of MX and SRV records: which server is to be tried first; the lowest.
        priority: u16 = "priority of an MX or SRV record", priority(u16) std::convert::identity;
        /// Of SRV records: the share of this server among those of the same priority.
        weight: u16 = "weight of an SRV record", weight(u16) std::convert::identity;
        /// Of SRV records: the port.
        port: u16 = "port of an SRV record", port(u16) std::convert::identity;
    }
}
