//! Rules for the clones of EC2 that people ran themselves, beside those of EC2. What the original's newest release sends
//! them is what Amazon takes today, without asking whether they ever learned it.

use serde_json::Value;

use super::Rule;
use crate::compare::{Difference, Place, recorded_params};

const CLONES: &[&str] = &["compute/eucalyptus", "compute/nimbus"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "private-country",
        drivers: CLONES,
        reason: "nobody knows in which country a private installation is; the original says `Private`",
        applies: |_, difference| {
            matches!(&difference.place, Place::Result(path) if path.ends_with(".country"))
                && difference.recorded_text() == "Private"
                && difference.our_text().is_empty()
        },
    },
    Rule {
        id: "private-prices",
        drivers: CLONES,
        reason: "what a private installation costs is not known, and not nothing",
        applies: |_, difference| {
            difference.key() == Some("price")
                && difference.recorded_number() == Some(0.0)
                && difference.ours.as_ref().is_none_or(Value::is_null)
        },
    },
    Rule {
        id: "clones-api-version",
        drivers: CLONES,
        reason: "the version of the API that they speak, or that was asked for; 3.9 sends Amazon's of today, whatever is asked",
        applies: |_, difference| {
            difference.place == Place::Param("Version".into())
                && difference.recorded_text() == "2016-11-15"
                && difference.ours.is_some()
        },
    },
    Rule {
        id: "clones-tags",
        drivers: CLONES,
        reason: "that version sets no tags in the step that makes a node: Eucalyptus takes a second step, to which the \
                 recording has no answer, and Nimbus has none",
        applies: |_, difference| match &difference.place {
            Place::Param(name) => name.starts_with("TagSpecification.") && difference.ours.is_none(),
            Place::Extra => difference.our_text().contains("Action=CreateTags&"),
            Place::Outcome => difference.our_text().contains("eucalyptus CreateTags: "),
            _ => false,
        },
    },
    Rule {
        id: "clones-sizes",
        drivers: CLONES,
        reason: "sizes are those that the installation came with, as in 0.14; 3.9 tells what Amazon says of its own today",
        applies: |context, difference| {
            let told_by_amazon = |other: &Difference| matches!(&other.place, Place::Result(path) if path.ends_with(".extra.servicecode"));
            context.call.call == "list_sizes"
                && context.differences.iter().any(told_by_amazon)
                && match &difference.place {
                    Place::Result(path) if path.contains(".extra.") => difference.ours.is_none(),
                    Place::Result(_) => {
                        matches!(difference.key(), Some("name" | "ram" | "disk" | "bandwidth"))
                    }
                    _ => false,
                }
        },
    },
    Rule {
        id: "clones-states",
        drivers: CLONES,
        reason: "what is stopped is told to be; 3.9 has fewer states for them",
        applies: |_, difference| {
            difference.key() == Some("state")
                && difference.recorded_text() == "unknown"
                && difference.our_text() == "stopped"
        },
    },
    Rule {
        id: "clones-signed-bytes",
        drivers: CLONES,
        reason: "the original signs the key as Python writes bytes, `b'…'`, and sends it without that, which no server verifies",
        applies: |context, difference| {
            let has_bytes = |(name, _): &(String, String)| name == "PublicKeyMaterial";
            difference.place == Place::Param("Signature".into())
                && difference.ours.is_some()
                && context
                    .exchange(difference)
                    .is_some_and(|exchange| recorded_params(&exchange.request).0.iter().any(has_bytes))
        },
    },
];
