//! What Gandi sends, under its names. What is not there is absent, `nil`, or an empty text.
//!
//! <http://doc.rpc.gandi.net/hosting/reference.html>

use libcloud_common::Value;
use libcloud_common::json::{opt_string_or_number, string_or_number};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// `operation.info`, and what a method answers that starts one.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Operation {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) step: String,
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
    pub(crate) last_error: Option<String>,
    #[serde(default, deserialize_with = "id")]
    pub(crate) vm_id: Option<String>,
    #[serde(default, deserialize_with = "id")]
    pub(crate) disk_id: Option<String>,
}

/// `hosting.datacenter.list`
#[derive(Debug, Deserialize)]
pub(crate) struct Datacenter {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) dc_code: Option<String>,
    #[serde(default)]
    pub(crate) country: String,
}

/// `hosting.image.list`
#[derive(Debug, Deserialize)]
pub(crate) struct Image {
    /// What a node's disk is copied from.
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) disk_id: String,
    pub(crate) label: String,
    #[serde(default, deserialize_with = "id")]
    pub(crate) datacenter_id: Option<String>,
    pub(crate) os_arch: Option<String>,
}

/// `hosting.account.info`
#[derive(Debug, Deserialize)]
pub(crate) struct Account {
    #[serde(default)]
    pub(crate) rating_enabled: bool,
    pub(crate) share_definition: Option<Share>,
    pub(crate) resources: Resources,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Resources {
    pub(crate) available: Option<Available>,
}

/// What one share of the account is.
#[derive(Debug, Deserialize)]
pub(crate) struct Share {
    /// In MB.
    #[serde(deserialize_with = "amount")]
    pub(crate) memory: u64,
    /// In MB.
    #[serde(deserialize_with = "amount")]
    pub(crate) disk: u64,
    /// In kbit/s.
    #[serde(deserialize_with = "amount")]
    pub(crate) bandwidth: u64,
}

/// What the account has left.
#[derive(Debug, Deserialize)]
pub(crate) struct Available {
    #[serde(default)]
    pub(crate) shares: f64,
    #[serde(default)]
    pub(crate) servers: f64,
    #[serde(default)]
    pub(crate) cores: f64,
    #[serde(default, deserialize_with = "amount")]
    pub(crate) memory: u64,
    #[serde(default, deserialize_with = "amount")]
    pub(crate) disk: u64,
    #[serde(default, deserialize_with = "amount")]
    pub(crate) bandwidth: u64,
}

/// `hosting.vm.list` and `hosting.vm.info`
#[derive(Debug, Deserialize)]
pub(crate) struct Vm {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) hostname: String,
    #[serde(default)]
    pub(crate) state: String,
    pub(crate) description: Option<String>,
    #[serde(default, deserialize_with = "int")]
    pub(crate) datacenter_id: Option<i64>,
    #[serde(default, deserialize_with = "int")]
    pub(crate) ai_active: Option<i64>,
    #[serde(default, deserialize_with = "int")]
    pub(crate) cores: Option<i64>,
    #[serde(default, deserialize_with = "int")]
    pub(crate) memory: Option<i64>,
    pub(crate) date_created: Option<String>,
    #[serde(default)]
    pub(crate) ifaces_id: Vec<i64>,
    /// Only with `hosting.vm.info`.
    #[serde(default)]
    pub(crate) ifaces: Vec<Iface>,
}

/// `hosting.iface.list`
#[derive(Debug, Deserialize)]
pub(crate) struct Iface {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) state: String,
    pub(crate) bandwidth: Option<f64>,
    #[serde(default, deserialize_with = "id")]
    pub(crate) vm_id: Option<String>,
    /// Only within `hosting.vm.info`.
    #[serde(default)]
    pub(crate) ips: Vec<Ip>,
}

/// `hosting.ip.list`
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Ip {
    pub(crate) id: i64,
    pub(crate) ip: String,
    #[serde(default)]
    pub(crate) state: String,
    #[serde(default, deserialize_with = "int")]
    pub(crate) version: Option<i64>,
    pub(crate) reverse: Option<String>,
    #[serde(default, deserialize_with = "int")]
    pub(crate) iface_id: Option<i64>,
}

/// `hosting.disk.list` and `hosting.disk.info`
#[derive(Debug, Deserialize)]
pub(crate) struct Disk {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    /// In MB.
    pub(crate) size: Option<u64>,
    #[serde(default)]
    pub(crate) state: String,
    #[serde(default, deserialize_with = "truth")]
    pub(crate) can_snapshot: Option<bool>,
    #[serde(default, deserialize_with = "truth")]
    pub(crate) is_boot_disk: Option<bool>,
    #[serde(default, deserialize_with = "int")]
    pub(crate) datacenter_id: Option<i64>,
    #[serde(default)]
    pub(crate) vms_id: Vec<i64>,
}

/// `hosting.ssh.list` and `hosting.ssh.create`
#[derive(Debug, Deserialize)]
pub(crate) struct SshKey {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) fingerprint: Option<String>,
    pub(crate) value: Option<String>,
}

/// An id, or an empty text.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(opt_string_or_number(deserializer)?.filter(|id| !id.is_empty()))
}

/// A whole number, or an empty text for none.
fn int<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let told = id(deserializer)?;
    told.map(|text| text.parse().map_err(|_| D::Error::custom(format!("`{text}` is no whole number"))))
        .transpose()
}

/// A whole amount, which Gandi writes as a `double` here and there.
fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = string_or_number(deserializer)?;
    let whole = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
    whole.parse().map_err(|_| D::Error::custom(format!("`{text}` is no amount")))
}

/// A truth value, or an empty text for none.
fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Bool(truth) => Ok(Some(truth)),
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        other => Err(D::Error::custom(format!("expected a truth value, found {other}"))),
    }
}
