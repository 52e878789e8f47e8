//! What OpenStack's services send, under their names.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use libcloud_common::json::{in_order, opt_string_or_number, string_or_number};
use libcloud_common::{Map, Secret, Timestamp, Value};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::compute::{NodeAddress, NodeFlavor, NodeVolume};

/// `{"rel": "next", "href": "…"}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Link {
    /// To what: `self`, `bookmark`, `next` …
    pub rel: String,
    /// A URL.
    pub href: String,
}

/// The link to the next page, of Nova's `servers_links` and the like.
pub(crate) fn next(links: &[Link]) -> Option<&str> {
    links.iter().find(|link| link.rel == "next").map(|link| link.href.as_str())
}

/// <https://docs.openstack.org/api-ref/compute/#list-servers-detailed>
#[derive(Deserialize)]
pub(crate) struct Servers {
    pub(crate) servers: Vec<Server>,
    #[serde(default)]
    pub(crate) servers_links: Vec<Link>,
}

/// `{"server": …}`
#[derive(Serialize, Deserialize)]
pub(crate) struct OneServer<T> {
    pub(crate) server: T,
}

/// <https://docs.openstack.org/api-ref/compute/#create-server>
#[derive(Serialize)]
pub(crate) struct NewServer<'a> {
    pub(crate) name: &'a str,
    #[serde(rename = "imageRef")]
    pub(crate) image_ref: &'a str,
    #[serde(rename = "flavorRef")]
    pub(crate) flavor_ref: &'a str,
    pub(crate) metadata: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_name: Option<&'a str>,
    /// In base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_data: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) security_groups: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) networks: Vec<Value>,
    #[serde(rename = "OS-DCF:diskConfig", skip_serializing_if = "Option::is_none")]
    pub(crate) disk_config: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) config_drive: Option<bool>,
    #[serde(rename = "adminPass", skip_serializing_if = "Option::is_none")]
    pub(crate) admin_pass: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) availability_zone: Option<&'a str>,
}

/// What the creation of a server answers.
#[derive(Deserialize)]
pub(crate) struct CreatedServer {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    #[serde(rename = "adminPass")]
    pub(crate) admin_pass: Option<Secret>,
}

#[derive(Deserialize)]
pub(crate) struct Server {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) status: String,
    /// In the service's order, which is the order of the node's addresses.
    #[serde(default, deserialize_with = "in_order")]
    pub(crate) addresses: Vec<(String, Vec<NodeAddress>)>,
    #[serde(rename = "hostId")]
    pub(crate) host_id: Option<String>,
    #[serde(rename = "accessIPv4")]
    pub(crate) access_ipv4: Option<String>,
    #[serde(rename = "accessIPv6")]
    pub(crate) access_ipv6: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) user_id: Option<String>,
    #[serde(rename = "image", default, deserialize_with = "image_id")]
    pub(crate) image_id: Option<String>,
    pub(crate) flavor: Option<NodeFlavor>,
    #[serde(rename = "links", default, deserialize_with = "link_to_itself")]
    pub(crate) uri: Option<String>,
    /// Pair by pair, like the addresses: a map takes more memory, and there is one page of many servers.
    #[serde(default, deserialize_with = "in_order")]
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) updated: Option<Timestamp>,
    pub(crate) key_name: Option<String>,
    #[serde(rename = "OS-DCF:diskConfig")]
    pub(crate) disk_config: Option<String>,
    pub(crate) config_drive: Option<Value>,
    #[serde(rename = "OS-EXT-AZ:availability_zone")]
    pub(crate) availability_zone: Option<String>,
    #[serde(rename = "os-extended-volumes:volumes_attached", default)]
    pub(crate) volumes_attached: Option<Vec<NodeVolume>>,
    #[serde(rename = "OS-EXT-STS:task_state")]
    pub(crate) task_state: Option<String>,
    #[serde(rename = "OS-EXT-STS:vm_state")]
    pub(crate) vm_state: Option<String>,
    #[serde(rename = "OS-EXT-STS:power_state")]
    pub(crate) power_state: Option<i64>,
    pub(crate) progress: Option<u64>,
    pub(crate) fault: Option<Map<String, Value>>,
    #[serde(rename = "OS-EXT-SRV-ATTR:hypervisor_hostname")]
    pub(crate) hypervisor_hostname: Option<String>,
}

/// The id of an image, which is all that is needed of it; an empty string for a server that was made from a volume.
fn image_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Identified {
        #[serde(default, deserialize_with = "opt_string_or_number")]
        id: Option<String>,
    }

    struct Image;

    impl<'de> Visitor<'de> for Image {
        type Value = Option<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an image or an empty string")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            Identified::deserialize(MapAccessDeserializer::new(map)).map(|image| image.id)
        }
    }

    deserializer.deserialize_any(Image)
}

/// The URL of a server's own, which is all that is needed of its links.
fn link_to_itself<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Link<'a> {
        #[serde(borrow)]
        rel: Cow<'a, str>,
        #[serde(borrow)]
        href: Cow<'a, str>,
    }

    let links = Vec::<Link<'_>>::deserialize(deserializer)?;
    let itself = links.into_iter().find(|link| link.rel == "self");
    Ok(itself.map(|link| link.href.into_owned()))
}

/// <https://docs.openstack.org/api-ref/compute/#list-flavors-with-details>
#[derive(Deserialize)]
pub(crate) struct Flavors {
    pub(crate) flavors: Vec<Flavor>,
    #[serde(default)]
    pub(crate) flavors_links: Vec<Link>,
}

/// `{"flavor": …}`
#[derive(Deserialize)]
pub(crate) struct OneFlavor {
    pub(crate) flavor: Flavor,
}

#[derive(Deserialize)]
pub(crate) struct Flavor {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    pub(crate) name: String,
    /// MiB
    pub(crate) ram: u64,
    /// GB
    pub(crate) disk: u64,
    pub(crate) vcpus: Option<u64>,
    /// MiB; an empty string for none.
    #[serde(default, deserialize_with = "number_or_text")]
    pub(crate) swap: Option<u64>,
    #[serde(rename = "OS-FLV-EXT-DATA:ephemeral")]
    pub(crate) ephemeral: Option<u64>,
    #[serde(rename = "OS-FLV-DISABLED:disabled")]
    pub(crate) disabled: Option<bool>,
    #[serde(rename = "os-flavor-access:is_public")]
    pub(crate) is_public: Option<bool>,
    /// Rackspace tells the class and more of a flavor here.
    #[serde(rename = "OS-FLV-WITH-EXT-SPECS:extra_specs", default)]
    pub(crate) extra_specs: BTreeMap<String, Value>,
}

/// Nothing is written as an empty text, and Rackspace writes some numbers as texts.
fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) if text.is_empty() => Ok(Some(0)),
        Value::String(text) => text.parse().map(Some).map_err(serde::de::Error::custom),
        value => Option::deserialize(value).map_err(serde::de::Error::custom),
    }
}

/// <https://docs.openstack.org/api-ref/image/v2/#list-images>
#[derive(Deserialize)]
pub(crate) struct Images {
    pub(crate) images: Vec<Image>,
    /// The path of the next page.
    pub(crate) next: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Image {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) visibility: Option<String>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) updated_at: Option<Timestamp>,
    pub(crate) min_disk: Option<u64>,
    pub(crate) min_ram: Option<u64>,
    pub(crate) os_type: Option<String>,
    pub(crate) os_distro: Option<String>,
    pub(crate) os_version: Option<String>,
    /// The server whose disk it was made from.
    pub(crate) instance_uuid: Option<String>,
}

/// <https://docs.openstack.org/api-ref/compute/#list-images-with-details>
#[derive(Deserialize)]
pub(crate) struct NovaImages {
    pub(crate) images: Vec<NovaImage>,
    #[serde(default)]
    pub(crate) images_links: Vec<Link>,
}

/// `{"image": …}`
#[derive(Deserialize)]
pub(crate) struct OneNovaImage {
    pub(crate) image: NovaImage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NovaImage {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) updated: Option<Timestamp>,
    pub(crate) progress: Option<u64>,
    pub(crate) metadata: Option<BTreeMap<String, String>>,
    pub(crate) server: Option<Reference>,
    #[serde(default, deserialize_with = "number_or_text")]
    pub(crate) min_disk: Option<u64>,
    #[serde(default, deserialize_with = "number_or_text")]
    pub(crate) min_ram: Option<u64>,
}

/// A resource by its id.
#[derive(Deserialize)]
pub(crate) struct Reference {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
}

/// <https://docs.openstack.org/api-ref/compute/#list-keypairs>
#[derive(Deserialize)]
pub(crate) struct Keypairs {
    pub(crate) keypairs: Vec<OneKeypair>,
    #[serde(default)]
    pub(crate) keypairs_links: Vec<Link>,
}

/// `{"keypair": …}`
#[derive(Deserialize)]
pub(crate) struct OneKeypair {
    pub(crate) keypair: Keypair,
}

#[derive(Deserialize)]
pub(crate) struct Keypair {
    pub(crate) name: String,
    pub(crate) fingerprint: Option<String>,
    pub(crate) public_key: Option<String>,
    /// Only in the answer that made the pair.
    pub(crate) private_key: Option<Secret>,
}

/// `{"metadata": …}`
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) metadata: BTreeMap<String, String>,
}

/// <https://docs.openstack.org/api-ref/network/v2/#list-networks>
#[derive(Deserialize)]
pub(crate) struct Networks {
    pub(crate) networks: Vec<Network>,
    #[serde(default)]
    pub(crate) networks_links: Vec<Link>,
}

/// A network, as Neutron and as Nova tell of it.
#[derive(Deserialize)]
pub(crate) struct Network {
    #[serde(deserialize_with = "string_or_number")]
    pub(crate) id: String,
    #[serde(alias = "label")]
    pub(crate) name: Option<String>,
    pub(crate) cidr: Option<String>,
    pub(crate) status: Option<String>,
    #[serde(rename = "router:external")]
    pub(crate) external: Option<bool>,
    #[serde(default)]
    pub(crate) subnets: Vec<String>,
}
