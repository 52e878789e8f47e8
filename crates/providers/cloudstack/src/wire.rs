//! What CloudStack sends, under its names. Ids were numbers in version 2 and are UUIDs now.
//!
//! <https://cloudstack.apache.org/api/apidocs-4.20/>

use libcloud_common::json::{opt_string_or_number, string_or_number};
use libcloud_common::{Map, Secret, Value};
use serde::Deserialize;

/// `listVirtualMachines`
#[derive(Debug, Deserialize)]
pub(crate) struct VirtualMachine {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) displayname: Option<String>,
    #[serde(default)]
    pub(crate) state: String,
    pub(crate) created: Option<String>,
    pub(crate) haenable: Option<bool>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) zoneid: Option<String>,
    pub(crate) zonename: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) templateid: Option<String>,
    pub(crate) templatename: Option<String>,
    pub(crate) templatedisplaytext: Option<String>,
    pub(crate) passwordenabled: Option<bool>,
    pub(crate) password: Option<Secret>,
    pub(crate) keypair: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) serviceofferingid: Option<String>,
    pub(crate) serviceofferingname: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) rootdeviceid: Option<String>,
    pub(crate) rootdevicetype: Option<String>,
    pub(crate) hypervisor: Option<String>,
    pub(crate) project: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) projectid: Option<String>,
    #[serde(default)]
    pub(crate) nic: Vec<Map<String, Value>>,
    #[serde(default)]
    pub(crate) securitygroup: Vec<Named>,
    #[serde(default)]
    pub(crate) affinitygroup: Vec<Named>,
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
}

/// Something with an id and a name.
#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Tag {
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) value: String,
}

/// The result of a job that did something to a node.
#[derive(Debug, Deserialize)]
pub(crate) struct VirtualMachineResult {
    pub(crate) virtualmachine: VirtualMachine,
}

/// `listServiceOfferings`
#[derive(Debug, Deserialize)]
pub(crate) struct ServiceOffering {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) memory: Option<u64>,
    pub(crate) cpunumber: Option<u64>,
}

/// `listTemplates`
#[derive(Debug, Deserialize)]
pub(crate) struct Template {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) displaytext: Option<String>,
    pub(crate) hypervisor: Option<String>,
    pub(crate) format: Option<String>,
    pub(crate) ostypename: Option<String>,
    pub(crate) size: Option<u64>,
}

/// `listPublicIpAddresses`
#[derive(Debug, Deserialize)]
pub(crate) struct IpAddress {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    pub(crate) ipaddress: String,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) associatednetworkid: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) vpcid: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) virtualmachineid: Option<String>,
    #[serde(default)]
    pub(crate) isstaticnat: bool,
}

/// The result of the job of `associateIpAddress`.
#[derive(Debug, Deserialize)]
pub(crate) struct IpAddressResult {
    pub(crate) ipaddress: IpAddress,
}

/// `listPortForwardingRules` and `listIpForwardingRules`; ports are numbers or text.
#[derive(Debug, Deserialize)]
pub(crate) struct ForwardingRule {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) protocol: String,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) virtualmachineid: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) ipaddressid: Option<String>,
    pub(crate) ipaddress: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) privateport: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) privateendport: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) publicport: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) publicendport: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) startport: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) endport: Option<String>,
}

/// `listNetworks`
#[derive(Debug, Deserialize)]
pub(crate) struct Network {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) displaytext: String,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) networkofferingid: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) zoneid: Option<String>,
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

/// `listSSHKeyPairs`, `createSSHKeyPair`, `registerSSHKeyPair`
#[derive(Debug, Deserialize)]
pub(crate) struct SshKeyPair {
    pub(crate) name: String,
    pub(crate) fingerprint: Option<String>,
    pub(crate) privatekey: Option<Secret>,
}

/// What `createSSHKeyPair` and `registerSSHKeyPair` answer.
#[derive(Debug, Deserialize)]
pub(crate) struct SshKeyPairResult {
    pub(crate) keypair: SshKeyPair,
}

/// `listDiskOfferings`
#[derive(Debug, Deserialize)]
pub(crate) struct DiskOffering {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    /// In GB.
    #[serde(default)]
    pub(crate) disksize: u64,
    #[serde(default)]
    pub(crate) iscustomized: bool,
}

/// `listVolumes`
#[derive(Debug, Deserialize)]
pub(crate) struct Volume {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    /// In bytes.
    pub(crate) size: Option<u64>,
    #[serde(default)]
    pub(crate) state: String,
    pub(crate) created: Option<String>,
    pub(crate) deviceid: Option<u64>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) virtualmachineid: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) serviceofferingid: Option<String>,
    #[serde(rename = "type")]
    pub(crate) volume_type: Option<String>,
    #[serde(default, deserialize_with = "opt_string_or_number")]
    pub(crate) zoneid: Option<String>,
    pub(crate) zonename: Option<String>,
}

/// The result of the job of `createVolume`.
#[derive(Debug, Deserialize)]
pub(crate) struct VolumeResult {
    pub(crate) volume: Volume,
}

/// `listResourceLimits`
#[derive(Debug, Deserialize)]
pub(crate) struct ResourceLimit {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) resourcetype: String,
    /// -1 is no limit.
    pub(crate) max: i64,
}
