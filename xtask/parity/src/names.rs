//! What the classes and arguments of Apache Libcloud are called here.

use libcloud::catalogue::Service;
use serde_json::{Map, Value};

/// Whose calls a file's lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counterpart {
    /// A driver of ours, by id or constant, and the region that the class stands for.
    Driver {
        /// Its id, or an old constant.
        name: &'static str,
        /// The region, where the name does not say it.
        region: Option<&'static str>,
    },
    /// A class that no driver of ours is the counterpart of.
    None(&'static str),
}

/// The service that a file is about: the first word of its name.
pub(crate) fn service(api: &str) -> Option<Service> {
    api.parse().ok()
}

const BASE_CLASS: &str = "the base class, on its own: drivers of ours are complete";
const LATER: &str = "a provider that came after 0.14";
const FIRST_API: &str = "the first API of OpenStack, which ours does not speak yet";
const PARTS: &str = "not a driver but a part of the original's code";

/// The counterpart of a class.
pub(crate) fn counterpart(api: &str, class: &str) -> Counterpart {
    let driver = |name| Counterpart::Driver { name, region: None };
    match (api, class) {
        ("compute", "NodeDriver") | ("dns", "DNSDriver") | ("storage", "StorageDriver") => {
            Counterpart::None(BASE_CLASS)
        }
        ("compute", class) => match class {
            "EC2APNENodeDriver" => driver("EC2_AP_NORTHEAST"),
            "EC2APSENodeDriver" => driver("EC2_AP_SOUTHEAST"),
            "EC2APSESydneyNodeDriver" => driver("EC2_AP_SOUTHEAST2"),
            "EC2EUNodeDriver" => driver("EC2_EU_WEST"),
            "EC2USWestNodeDriver" => driver("EC2_US_WEST"),
            "EC2USWestOregonNodeDriver" => driver("EC2_US_WEST_OREGON"),
            "EC2SAEastNodeDriver" => driver("EC2_SA_EAST"),
            "EucNodeDriver" => driver("eucalyptus"),
            "IBMNodeDriver" => driver("ibm"),
            "CloudSigmaZrhNodeDriver" | "CloudSigma_2_0_NodeDriver" => driver("cloudsigma"),
            "DigitalOcean_v2_NodeDriver" => driver("digitalocean"),
            "LinodeNodeDriverV4" => driver("linode"),
            "RackspaceFirstGenNodeDriver" => driver("rackspace_first_gen"),
            "TerremarkDriver" => driver("terremark"),
            "DimensionDataNodeDriver" | "NttCisNodeDriver" | "OutscaleSASNodeDriver" => {
                Counterpart::None(LATER)
            }
            class if class.ends_with("Deployment") => Counterpart::None(PARTS),
            class if class.starts_with("OpenNebula_") => driver("opennebula"),
            "OpenStack_1_0_NodeDriver" => Counterpart::None(FIRST_API),
            class if class.starts_with("OpenStack_") => driver("openstack"),
            class if class.starts_with("VCloud_") => driver("vcloud"),
            _ => named(Service::Compute, class, "NodeDriver"),
        },
        ("dns", class) => match class {
            "GandiLiveDNSDriver" => driver("gandi"),
            "LinodeDNSDriverV4" => driver("linode"),
            "RackspaceUKDNSDriver" => driver("RACKSPACE_UK"),
            "RackspaceUSDNSDriver" => driver("RACKSPACE_US"),
            "CloudFlareDNSDriver" | "DigitalOceanDNSDriver" | "GoogleDNSDriver" | "PowerDNSDriver" => {
                Counterpart::None(LATER)
            }
            _ => named(Service::Dns, class, "DNSDriver"),
        },
        ("loadbalancer", class) => match class {
            "ApplicationLBDriver" => driver("alb"),
            "ElasticLBDriver" => driver("elb"),
            "RackspaceUKLBDriver" => driver("RACKSPACE_UK"),
            "GCENodeDriver" => Counterpart::None("the compute driver within the load balancer's tests"),
            "DimensionDataLBDriver" | "NttCisLBDriver" => Counterpart::None(LATER),
            _ => named(Service::LoadBalancer, class, "LBDriver"),
        },
        ("storage", class) => match class {
            "AtmosDriver" => driver("atmos"),
            "AzureBlobsStorageDriver" => driver("azure_blobs"),
            "GoogleStorageDriver" => driver("google_storage"),
            "CloudFilesUKStorageDriver" => driver("CLOUDFILES_UK"),
            "CloudFilesUSStorageDriver" => driver("CLOUDFILES_US"),
            "S3APSEStorageDriver" => driver("S3_AP_SOUTHEAST"),
            "S3EUWestStorageDriver" => driver("S3_EU_WEST"),
            "S3USWestStorageDriver" => driver("S3_US_WEST"),
            "DigitalOceanSpacesStorageDriver" => driver("digitalocean_spaces"),
            "MinIOStorageDriver" => driver("minio"),
            _ => named(Service::Storage, class, "StorageDriver"),
        },
        _ => Counterpart::None(PARTS),
    }
}

/// `BrightboxNodeDriver` is `brightbox`.
fn named(service: Service, class: &str, suffix: &str) -> Counterpart {
    let name = class.strip_suffix(suffix).unwrap_or(class);
    libcloud::catalogue::entries(service)
        .iter()
        .find(|entry| entry.id.replace('_', "").eq_ignore_ascii_case(name))
        .map_or(Counterpart::None("a class that has no line in the catalogue"), |entry| Counterpart::Driver {
            name: entry.id,
            region: None,
        })
}

/// The constructor's arguments by name; those that were given by their place are the first of every driver's.
pub(crate) fn constructor_arguments(args: &Map<String, Value>) -> Vec<(String, Value)> {
    const PLACES: [&str; 6] = ["key", "secret", "secure", "host", "port", "api_version"];
    let placed = args.get("*args").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let placed = PLACES.iter().zip(placed).map(|(name, value)| ((*name).to_owned(), value.clone()));
    let named = args.iter().filter(|(name, _)| *name != "*args");
    placed.chain(named.map(|(name, value)| (name.clone(), value.clone()))).collect()
}

/// What the constructor's arguments are called in our configuration.
pub(crate) fn constructor_argument(name: &str) -> &str {
    match name {
        "access_id" | "user_id" | "user_name" | "username" | "api_key" | "client_id" => "key",
        "api_secret" | "password" => "secret",
        "datacenter" | "location" => "region",
        other => other,
    }
}

/// The method of ours that is called for one of the original's.
pub(crate) fn method<'a>(
    driver: &str,
    call: &'a str,
    args: &serde_json::Map<String, serde_json::Value>,
) -> &'a str {
    let count = |name: &str| args.get(name).map(|value| value.to_string().trim_matches('"').to_owned());
    let several =
        ["ex_mincount", "ex_maxcount"].iter().any(|name| count(name).is_some_and(|count| count != "1"));
    match (driver, call) {
        // One that makes a node and gives it back cannot make several.
        ("ec2" | "nimbus", "create_node") if several => "ex_create_nodes",
        ("ec2" | "eucalyptus" | "nimbus", "list_snapshots") => "ex_list_snapshots",
        _ => call,
    }
}

/// What an argument of one driver alone is called here, where the original's name does not say that it is an extension. Resources
/// that are given by it are given here by their ids.
pub(crate) fn extension_argument(driver: &str, method: &str, name: &str) -> Option<&'static str> {
    Some(match (driver, method, name) {
        ("ec2" | "eucalyptus" | "nimbus", method, name) => return ec2_argument(method, name),
        ("cloudstack", "create_node", "networks") => "ex_networks",
        ("cloudstack", "create_node" | "list_nodes", "project") => "ex_project",
        ("cloudstack", "create_node", "diskoffering") => "ex_diskoffering",
        ("cloudstack", "create_node", "ex_affinity_groups") => "ex_affinity_groups",
        ("cloudstack", "list_nodes", "location") => "ex_location",
        ("cloudstack", "list_volumes", "node") | ("gandi", "detach_volume", "node") => "ex_node",
        ("cloudstack", "ex_list_networks", "project") => "project",
        ("gandi", "create_node", "login") => "ex_login",
        ("gandi", "create_node", "inet_family") => "ex_inet_family",
        ("gandi", "create_node", "keypairs") => "ex_keypairs",
        ("route53", "create_zone", "Comment") => "ex_comment",
        _ => return None,
    })
}

fn ec2_argument(method: &str, name: &str) -> Option<&'static str> {
    Some(match (method, name) {
        ("list_volumes", "node") => "ex_node",
        ("copy_image" | "delete_image", "image") => "node_image",
        ("create_image", "reboot") => "ex_reboot",
        ("create_image", "block_device_mapping") => "ex_block_device_mapping",
        ("create_node", "ex_subnet") => "ex_subnet_id",
        ("ex_describe_all_addresses", "only_allocated") => "only_associated",
        // 0.14 knows an address by itself, and a network interface or a network is the same by its id.
        (_, "elastic_ip_address") => "elastic_ip",
        (_, "network_interface") => "network_interface",
        (_, "network") => "network",
        (_, "vpc") => "vpc",
        _ => return None,
    })
}

/// What 0.14 calls a key of `extra` that 3.9 has under another name than case and underscores apart.
pub(crate) fn earlier_key(key: &str) -> &str {
    match key {
        "launch_time" => "launchdatetime",
        // The dictionaries that stood for key pairs and for a new security group.
        "keyName" => "name",
        "keyFingerprint" => "fingerprint",
        "keyMaterial" => "private_key",
        "group_id" => "id",
        other => other,
    }
}

/// Whether the dictionary `extra` of this method is several arguments of ours: ttl, priority, content type, meta data.
pub(crate) fn has_typed_extra(method: &str) -> bool {
    matches!(
        method,
        "upload_object"
            | "upload_object_via_stream"
            | "create_record"
            | "update_record"
            | "create_zone"
            | "update_zone"
    )
}

/// The states of nodes, which 0.14 numbered.
pub(crate) fn node_state(number: u64) -> Option<&'static str> {
    ["running", "rebooting", "terminated", "pending", "unknown", "stopped"]
        .get(usize::try_from(number).ok()?)
        .copied()
}

/// The states of balancers, which the original numbers.
pub(crate) fn balancer_state(number: u64) -> Option<&'static str> {
    ["running", "pending", "unknown", "error", "deleted"].get(usize::try_from(number).ok()?).copied()
}

/// How a balancer chooses, which the original numbers.
pub(crate) fn algorithm(number: u64) -> Option<&'static str> {
    let names =
        ["random", "round_robin", "least_connections", "weighted_round_robin", "weighted_least_connections"];
    names.get(usize::try_from(number).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_counterparts_that_the_catalogue_knows() {
        for (api, class) in [
            ("compute", "EC2NodeDriver"),
            ("compute", "EC2APSESydneyNodeDriver"),
            ("compute", "BrightboxNodeDriver"),
            ("compute", "VPSNetNodeDriver"),
            ("compute", "OpenStack_1_1_NodeDriver"),
            ("dns", "Route53DNSDriver"),
            ("dns", "RackspaceUKDNSDriver"),
            ("loadbalancer", "GCELBDriver"),
            ("storage", "CloudFilesStorageDriver"),
            ("storage", "NinefoldStorageDriver"),
        ] {
            let Counterpart::Driver { name, .. } = counterpart(api, class) else {
                panic!("{class} has no counterpart")
            };
            libcloud::catalogue::find(service(api).unwrap(), name).unwrap();
        }
        assert!(matches!(counterpart("compute", "NodeDriver"), Counterpart::None(_)));
        assert!(matches!(counterpart("common", "AWSRequestSignerAlgorithmV4"), Counterpart::None(_)));
        assert!(matches!(counterpart("storage", "SomethingElseStorageDriver"), Counterpart::None(_)));
    }
}
