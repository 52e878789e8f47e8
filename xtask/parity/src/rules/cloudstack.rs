//! Rules for CloudStack.

use serde_json::Value;

use super::Rule;
use crate::compare::{Difference, Place, received_params, recorded_params};

const CLOUDSTACK: &[&str] = &["compute/cloudstack"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "cloudstack-paging",
        drivers: CLOUDSTACK,
        reason: "listings are read page by page; the original reads what the service gives at once, which is not all",
        applies: |_, difference| {
            matches!(&difference.place, Place::Param(name) if name == "page" || name == "pagesize")
                && difference.recorded.is_none()
        },
    },
    Rule {
        id: "cloudstack-parameter-case",
        drivers: CLOUDSTACK,
        reason: "parameters are spelled as the reference has them, in lower case; the service takes either",
        applies: |context, difference| {
            let (Some(exchange), Some(received), Place::Param(name)) =
                (context.exchange(difference), context.received(difference), &difference.place)
            else {
                return false;
            };
            let of = |params: Vec<(String, String)>| {
                params.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
            };
            let theirs = of(recorded_params(&exchange.request).0);
            theirs.is_some() && theirs == of(received_params(received).0)
        },
    },
    Rule {
        id: "cloudstack-post",
        drivers: CLOUDSTACK,
        reason: "what may be long (user data, a key) goes in the body of a POST, where there is no limit of length",
        applies: |context, difference| {
            let is_long = context.received(difference).is_some_and(|received| {
                let command = received_params(received).0.into_iter().find(|(name, _)| name == "command");
                command.is_some_and(|(_, command)| {
                    command == "deployVirtualMachine" || command == "registerSSHKeyPair"
                })
            });
            is_long && difference.place == Place::Method && difference.our_text() == "POST"
        },
    },
    Rule {
        id: "cloudstack-signature-follows",
        drivers: CLOUDSTACK,
        reason: "the signature is of what was sent, of which something else differs",
        applies: |context, difference| {
            let covered = |other: &Difference| {
                other.request == difference.request
                    && other.place != difference.place
                    && matches!(other.place, Place::Param(_))
            };
            difference.place == Place::Param("signature".into())
                && difference.ours.is_some()
                && context.differences.iter().any(covered)
        },
    },
    Rule {
        id: "cloudstack-display-name",
        drivers: CLOUDSTACK,
        reason: "without a name of its own for people, a node's name is that; 3.9 does not repeat it either",
        applies: |context, difference| {
            let named = context.call.args.get("name");
            difference.place == Place::Param("displayname".into())
                && difference.recorded.as_ref() == named
                && difference.ours.is_none()
        },
    },
    Rule {
        id: "cloudstack-starts",
        drivers: CLOUDSTACK,
        reason: "a new node is started unless one says otherwise, as in 0.14; 3.9 leaves it stopped unless one says otherwise",
        applies: |context, difference| {
            difference.place == Place::Param("startvm".into())
                && difference.recorded_text() == "False"
                && difference.ours.is_none()
                && context.call.args.get("ex_start_vm").is_none()
        },
    },
    Rule {
        id: "cloudstack-truth",
        drivers: CLOUDSTACK,
        reason: "truth values are `true` and `false`, as the reference has them",
        applies: |_, difference| {
            matches!(difference.place, Place::Param(_))
                && ["true", "false"].contains(&difference.our_text())
                && difference.recorded_text().eq_ignore_ascii_case(difference.our_text())
        },
    },
    Rule {
        id: "cloudstack-zone-of-list",
        drivers: CLOUDSTACK,
        reason: "a location restricts every listing that can be restricted to one",
        applies: |context, difference| {
            difference.place == Place::Param("zoneid".into())
                && difference.recorded.is_none()
                && context.call.args.contains_key("location")
                && context.call.call.starts_with("list_")
        },
    },
    Rule {
        id: "cloudstack-listed-once",
        drivers: CLOUDSTACK,
        reason: "addresses and rules are listed once for all nodes, where there can be any: the rules of static NAT, only if some \
                 address has it; addresses are those of the whole account",
        applies: |context, difference| {
            if context.call.call != "list_nodes" {
                return false;
            }
            let listed = ["listPublicIpAddresses", "listPortForwardingRules", "listIpForwardingRules"]
                .map(Value::from);
            let is_listing = context.exchange(difference).is_some_and(|exchange| {
                let params = recorded_params(&exchange.request).0;
                params
                    .iter()
                    .any(|(name, value)| name == "command" && listed.contains(&value.as_str().into()))
            });
            match &difference.place {
                Place::Missing | Place::Param(_) => is_listing,
                Place::Result(path) => {
                    path.ends_with(".extra.ip_forwarding_rules.length")
                        && difference.our_number() == Some(0.0)
                        || path.contains(".extra.ip_addresses")
                }
                _ => false,
            }
        },
    },
    Rule {
        id: "cloudstack-rules-by-id",
        drivers: CLOUDSTACK,
        reason: "a rule names its node by the id; the original has the node itself, with its rules in it",
        applies: |_, difference| {
            matches!(&difference.place, Place::Result(_))
                && difference.key() == Some("node")
                && difference.recorded.as_ref().is_some_and(|node| {
                    node.is_object() || node.as_str().is_some_and(|text| text.starts_with("<CloudStackNode"))
                })
                && difference.ours.as_ref().is_some_and(Value::is_string)
        },
    },
    Rule {
        id: "cloudstack-address-of-rule",
        drivers: CLOUDSTACK,
        reason: "a rule has the address that the rule itself tells; the original lists all addresses to look for one like it",
        applies: |context, difference| match &difference.place {
            Place::Result(path) => path.contains(".address.") && !path.ends_with(".address.address"),
            Place::Missing => {
                context.call.call.ends_with("_forwarding_rules") && !context.received.is_empty()
            }
            _ => false,
        },
    },
    Rule {
        id: "cloudstack-protocols",
        drivers: CLOUDSTACK,
        reason: "protocols are in capitals everywhere; the original has them so in nodes alone",
        applies: |_, difference| {
            difference.key() == Some("protocol")
                && difference.recorded_text().to_uppercase() == difference.our_text()
        },
    },
    Rule {
        id: "cloudstack-answered",
        drivers: CLOUDSTACK,
        reason: "name and zone of what was made are those that the service tells; the original repeats what it was given",
        applies: |context, difference| {
            let given = |name: &str, pointer: &str| context.call.args.get(name)?.pointer(pointer).cloned();
            match &difference.place {
                Place::Result(path) if path == ".name" => difference.recorded == given("name", ""),
                Place::Result(path) if path == ".extra.zoneid" => {
                    difference.recorded == given("location", "/id")
                }
                _ => false,
            }
        },
    },
    Rule {
        id: "cloudstack-refusal",
        drivers: CLOUDSTACK,
        reason: "a refusal with the status of a success is the service's error; the original fails on what the answer lacks",
        applies: |_, difference| {
            difference.place == Place::Outcome
                && difference.recorded_text() == "KeyError"
                && difference.our_text().ends_with("(431)")
        },
    },
    Rule {
        id: "cloudstack-set-path",
        drivers: CLOUDSTACK,
        reason: "the test sets the path of a driver that is made, which is not in the recording",
        applies: |_, difference| {
            let below = difference.recorded_text().strip_prefix(difference.our_text());
            difference.place == Place::Path && below.is_some_and(|below| below.starts_with('/'))
        },
    },
    Rule {
        id: "cloudstack-addresses-first",
        drivers: CLOUDSTACK,
        reason: "addresses are asked for before nodes, so that is what is refused with wrong credentials; the recording has no \
                 answer to it",
        applies: |context, difference| {
            let refused =
                context.call.raises.as_ref().is_some_and(|raised| raised.class == "InvalidCredsError");
            refused
                && context.call.call == "list_nodes"
                && matches!(difference.place, Place::Outcome | Place::Extra | Place::Missing)
        },
    },
    Rule {
        id: "cloudstack-project",
        drivers: CLOUDSTACK,
        reason: "a node is made in the project that is given; the original does not send it",
        applies: |context, difference| {
            difference.place == Place::Param("projectid".into())
                && difference.recorded.is_none()
                && context.call.args.contains_key("project")
        },
    },
    Rule {
        id: "cloudstack-country",
        drivers: CLOUDSTACK,
        reason: "CloudStack does not tell in which country a zone is; the original says one all the same",
        applies: |_, difference| {
            difference.key() == Some("country")
                && ["AU", "Unknown"].contains(&difference.recorded_text())
                && difference.our_text().is_empty()
        },
    },
    Rule {
        id: "cloudstack-not-told",
        drivers: CLOUDSTACK,
        reason: "what a size costs and how large its disk is CloudStack does not tell, which is not 0",
        applies: |context, difference| {
            context.call.call == "list_sizes"
                && matches!(difference.key(), Some("disk" | "bandwidth" | "price"))
                && difference.recorded_number() == Some(0.0)
                && difference.ours == Some(Value::Null)
        },
    },
    Rule {
        id: "cloudstack-states",
        drivers: CLOUDSTACK,
        reason: "states have their own words: what is starting is not rebooting, and what is stopped can be started",
        applies: |_, difference| {
            difference.key() == Some("state")
                && matches!(
                    (difference.recorded_text(), difference.our_text()),
                    ("rebooting", "starting") | ("terminated", "stopped" | "stopping" | "error")
                )
        },
    },
    Rule {
        id: "cloudstack-private-by-address",
        drivers: CLOUDSTACK,
        reason: "an address is public or private by what it is, as in 3.9; 0.14 lists those of all interfaces as private",
        applies: |context, difference| {
            context.call.release.is_none()
                && matches!(&difference.place, Place::Result(path) if path.ends_with(".private_ips.length"))
                && difference.our_number() == Some(0.0)
        },
    },
    Rule {
        id: "cloudstack-gigabytes",
        drivers: CLOUDSTACK,
        reason: "sizes of volumes are in GB, as the base API says; the original passes on the bytes, or the number it was given",
        applies: |context, difference| {
            let Some(recorded) = difference.recorded_number() else { return false };
            difference.key() == Some("size")
                && context.call.call.contains("volume")
                && difference.our_number() == Some((recorded / f64::from(1 << 30)).floor())
        },
    },
    Rule {
        id: "cloudstack-told-more",
        drivers: CLOUDSTACK,
        reason: "what CloudStack tells is passed on; the original leaves it out",
        applies: |_, difference| {
            let told = |path: &str| {
                let key = path.rsplit('.').next().unwrap_or_default();
                key == "extra"
                    || key == "state"
                    || path.contains(".extra.")
                    || path.ends_with("_id")
                    || path.ends_with("_at")
            };
            matches!(&difference.place, Place::Result(path) if told(path))
                && difference.recorded == Some(Value::Null)
                && difference.ours.is_some()
        },
    },
    Rule {
        id: "cloudstack-other-resource",
        drivers: CLOUDSTACK,
        reason: "a resource of another kind is refused; the original takes the id of anything",
        applies: |context, difference| {
            let kind = |name: &str| context.call.args.get(name)?.get("_type")?.as_str();
            let is_other = kind("node").is_some_and(|kind| kind != "CloudStackNode")
                || context
                    .call
                    .args
                    .get("size")
                    .is_some_and(|size| context.call.call == "create_volume" && !size.is_number());
            is_other
                && context.received.is_empty()
                && matches!(difference.place, Place::Missing | Place::Outcome)
        },
    },
];
