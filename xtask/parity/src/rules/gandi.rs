//! Rules for Gandi hosting.

use libcloud_testkit::cassette::Body;
use serde_json::Value;

use super::Rule;
use crate::compare::Place;

const GANDI: &[&str] = &["compute/gandi"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "gandi-paging",
        drivers: GANDI,
        reason: "listings are read page by page; the original reads what the service gives at once, which is not all",
        applies: |_, difference| {
            let Place::Body(path) = &difference.place else { return false };
            match path.as_str() {
                ".params[1].page" | ".params[1].items_per_page" => difference.recorded.is_none(),
                ".params" => {
                    let (Some(Value::Array(theirs)), Some(Value::Array(ours))) =
                        (&difference.recorded, &difference.ours)
                    else {
                        return false;
                    };
                    let is_page = |value: &Value| {
                        value.as_object().is_some_and(|map| {
                            map.len() == 2 && map.contains_key("page") && map.contains_key("items_per_page")
                        })
                    };
                    matches!(ours.split_last(), Some((last, rest)) if is_page(last) && rest == theirs.as_slice())
                }
                _ => false,
            }
        },
    },
    Rule {
        id: "gandi-gigabytes",
        drivers: GANDI,
        reason: "disks are in GB, as the base API says; the original passes on Gandi's MB",
        applies: |context, difference| {
            let megabytes = difference.recorded_number();
            matches!(difference.key(), Some("size" | "disk"))
                && matches!(context.call.call.as_str(), "list_volumes" | "list_sizes" | "create_volume")
                && megabytes
                    .is_some_and(|megabytes| difference.our_number() == Some((megabytes / 1024.0).floor()))
        },
    },
    Rule {
        id: "gandi-states",
        drivers: GANDI,
        reason: "what is halted can be started, so it is stopped, not terminated",
        applies: |_, difference| {
            difference.key() == Some("state")
                && difference.recorded_text() == "terminated"
                && difference.our_text() == "stopped"
        },
    },
    Rule {
        id: "gandi-own-states",
        drivers: GANDI,
        reason: "interfaces and addresses have the state in Gandi's own word; the original says `unknown` of all",
        applies: |context, difference| {
            context.call.call == "ex_list_interfaces"
                && difference.key() == Some("state")
                && (difference.recorded_text() == "unknown" || difference.recorded_number() == Some(4.0))
                && !difference.our_text().is_empty()
        },
    },
    Rule {
        id: "gandi-told-more",
        drivers: GANDI,
        reason: "what Gandi tells is passed on: states, times, and the addresses that a node has; the original leaves it out",
        applies: |context, difference| match &difference.place {
            Place::Result(path) if path == ".public_ips.length" => {
                context.call.call == "create_node" && difference.recorded_number() == Some(0.0)
            }
            Place::Result(_) => {
                matches!(difference.key(), Some("created_at" | "state"))
                    && difference.recorded == Some(Value::Null)
                    && difference.ours.is_some()
            }
            _ => false,
        },
    },
    Rule {
        id: "gandi-done-is-done",
        drivers: GANDI,
        reason: "the operation tells that a node was rebooted; the original looks at the node besides",
        applies: |context, difference| {
            let asks_for_node = context.exchange(difference).is_some_and(|exchange| {
                let body = exchange.request.body.as_ref().and_then(Body::bytes).unwrap_or_default();
                String::from_utf8_lossy(&body).contains("<methodName>hosting.vm.info</methodName>")
            });
            context.call.call == "reboot_node" && difference.place == Place::Missing && asks_for_node
        },
    },
    Rule {
        id: "gandi-data-centre-codes",
        drivers: GANDI,
        reason: "a data centre is called by its code, as in 3.9 and Gandi's own tools; 0.14 has the name of the building",
        applies: |context, difference| {
            context.call.release.is_none()
                && context.call.call == "list_locations"
                && difference.key() == Some("name")
        },
    },
    Rule {
        id: "gandi-no-uuid",
        drivers: GANDI,
        reason: "a uuid says no more than id and provider; `compute::uuid` makes it where it is wanted",
        applies: |_, difference| difference.key() == Some("uuid") && difference.ours.is_none(),
    },
    Rule {
        id: "gandi-no-addresses",
        drivers: GANDI,
        reason: "of addresses, none is an empty list; the original has an empty dictionary",
        applies: |_, difference| {
            difference.key() == Some("ips")
                && difference.recorded == Some(Value::Object(serde_json::Map::new()))
                && difference.ours == Some(Value::Array(Vec::new()))
        },
    },
    Rule {
        id: "gandi-names-are-text",
        drivers: GANDI,
        reason: "the name of a key pair is text",
        applies: |_, difference| {
            difference.place == Place::Body(".params[1].name".into())
                && difference
                    .recorded_number()
                    .is_some_and(|number| number.to_string() == difference.our_text())
        },
    },
];
