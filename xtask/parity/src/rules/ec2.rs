//! Rules for EC2 and its clones, beside those of all of Amazon's services.

use serde_json::Value;

use super::Rule;
use super::aws::asked_tags;
use crate::compare::{Place, received_params};

pub(super) const EC2: &[&str] = &["compute/ec2", "compute/eucalyptus", "compute/nimbus"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "ec2-sizes-asked",
        drivers: EC2,
        reason: "sizes are asked for (DescribeInstanceTypes), so that those of today are there; the original has a table. The \
                 recording then has no answer",
        applies: |context, difference| {
            let asks = |text: &str| text.contains("DescribeInstanceTypes");
            context.call.call == "list_sizes"
                && match difference.place {
                    Place::Extra => asks(difference.our_text()),
                    Place::Outcome => {
                        asks(difference.our_text()) && difference.our_text().contains("answered 599")
                    }
                    _ => false,
                }
        },
    },
    Rule {
        id: "ec2-tagged-when-made",
        drivers: EC2,
        reason: "a name is set in the step that makes a thing; 0.14 gives snapshots none",
        applies: |context, difference| {
            let Some(received) = context.received(difference) else { return false };
            let (params, _) = received_params(received);
            let tag = |field: &str| {
                let name = format!("TagSpecification.1.Tag.1.{field}");
                params.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
            };
            let sent: Vec<String> = ["Key", "Value"].into_iter().filter_map(tag).collect();
            matches!(&difference.place, Place::Param(name) if name.starts_with("TagSpecification."))
                && difference.recorded.is_none()
                && context.call.call.contains("create_")
                && asked_tags(context.call).contains(&sent)
        },
    },
    Rule {
        id: "ec2-truth",
        drivers: EC2,
        reason: "`true`, `false` and nothing, as the API writes them; the original writes Python's words",
        applies: |_, difference| {
            let (theirs, ours) = (difference.recorded_text(), difference.our_text());
            let none = theirs == "None" && difference.ours.is_none();
            matches!(difference.place, Place::Param(_))
                && (none
                    || ["true", "false"].contains(&ours)
                        && (theirs.eq_ignore_ascii_case(ours) || (theirs, ours) == ("1", "true")))
        },
    },
    Rule {
        id: "ec2-objects",
        drivers: EC2,
        reason: "key pairs, new security groups, addresses and associations are objects with fields of the usual names; the \
                 original has dictionaries, texts or `True` for them",
        applies: |context, difference| {
            let call = context.call.call.as_str();
            match &difference.place {
                Place::Spelling(_) => call.contains("keypair") || call == "ex_create_security_group",
                Place::Result(_) => {
                    let done = difference.recorded == Some(Value::Bool(true))
                        && difference.ours == Some(Value::Null)
                        && call.starts_with("ex_associate_address");
                    let ip = difference.ours.as_ref().and_then(|ours| ours.get("ip"));
                    done || ip.is_some() && ip == difference.recorded.as_ref()
                }
                _ => false,
            }
        },
    },
    Rule {
        id: "ec2-more-told",
        drivers: EC2,
        reason: "what the answer has is told; the original looks for it under another name and finds nothing",
        applies: |_, difference| {
            difference.recorded == Some(Value::Null)
                && matches!(difference.key(), Some("private_dns_name" | "private_ip"))
                && difference.ours.as_ref().is_some_and(Value::is_string)
        },
    },
    Rule {
        id: "ec2-name-asked-for",
        drivers: EC2,
        reason: "the answer to a creation may have the id alone; the name is the one that was asked for, and the state is not known",
        applies: |context, difference| {
            let asked = context.call.args.get("name");
            difference.recorded == Some(Value::Null)
                && match difference.key() {
                    Some("name") => asked.is_some() && difference.ours.as_ref() == asked,
                    Some("state") => difference.our_text() == "unknown",
                    _ => false,
                }
        },
    },
    Rule {
        id: "ec2-unnamed-volumes",
        drivers: EC2,
        reason: "a volume without a name goes by its id, as in 3.9 and as a node does",
        applies: |context, difference| {
            context.call.call == "list_volumes"
                && difference.key() == Some("name")
                && difference.recorded_text().is_empty()
                && difference.our_text().starts_with("vol-")
        },
    },
    Rule {
        id: "ec2-default-type",
        drivers: EC2,
        reason: "a volume is of the type that the account has as its default; 3.9 asks for the slowest one",
        applies: |_, difference| {
            difference.place == Place::Param("VolumeType".into())
                && difference.recorded_text() == "standard"
                && difference.ours.is_none()
        },
    },
    Rule {
        id: "ec2-end-of-line",
        drivers: EC2,
        reason: "the end of the line in the file of a key is not sent with the key",
        applies: |_, difference| {
            let decoded = |text: &str| libcloud::common::encode::decode_base64(text).unwrap_or_default();
            difference.place == Place::Param("PublicKeyMaterial".into())
                && !difference.our_text().is_empty()
                && decoded(difference.recorded_text()).trim_ascii_end() == decoded(difference.our_text())
        },
    },
];
