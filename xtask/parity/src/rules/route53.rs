//! Rules for Route 53.

use libcloud_testkit::cassette::{Body, Reply};
use serde_json::Value;

use super::{Context, Rule};
use crate::compare::Place;

const ROUTE53: &[&str] = &["dns/route53"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "route53-api-version",
        drivers: ROUTE53,
        reason: "API version 2013-04-01, the current one, for 2012-02-29: in the path, and in the namespace of the body",
        applies: |_, difference| {
            let newer = |text: &str| text.replace("2012-02-29", "2013-04-01");
            matches!(&difference.place, Place::Path | Place::Body(_))
                && difference.recorded_text().contains("2012-02-29")
                && newer(difference.recorded_text()) == difference.our_text()
        },
    },
    Rule {
        id: "route53-token",
        drivers: ROUTE53,
        reason: "the token by which a repetition is known is made up anew each time",
        applies: |context, difference| {
            let is_token = |text: &str| {
                text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
            };
            context.call.call == "create_zone"
                && matches!(difference.place, Place::Body(_))
                && difference.key() == Some("text")
                && is_token(difference.recorded_text())
                && is_token(difference.our_text())
        },
    },
    Rule {
        id: "route53-foreign-names",
        drivers: ROUTE53,
        reason: "a name that is not within its zone stays whole; the original cuts as many letters off it as the zone's has",
        applies: |context, difference| {
            let zone = context.call.args.get("zone").and_then(|zone| zone.get("domain"));
            let within = format!(".{}", zone.and_then(Value::as_str).unwrap_or_default());
            let (theirs, ours) = (difference.recorded_text(), difference.our_text());
            let ours = ours.split('?').next().unwrap_or_default();
            matches!(difference.place, Place::Result(_))
                && matches!(difference.key(), Some("id" | "name"))
                && zone.is_some()
                && !ours.ends_with(&within)
                && ours.starts_with(theirs)
                // Some end in a dot, which is cut off, too.
                && [0, 1].map(|dot| ours.len() + dot).contains(&(theirs.len() + within.len()))
        },
    },
    Rule {
        id: "route53-time-to-live",
        drivers: ROUTE53,
        reason: "a new record that tells no time to live is kept for 300 s, as Amazon's console has it, and one that is changed \
                 keeps its own; the original sends 0 in both cases, which keeps resolvers from keeping it",
        applies: |context, difference| {
            let told = context.call.args.get("extra").is_some_and(|extra| extra.get("ttl").is_some());
            let made = ["create_record", "update_record", "ex_create_multi_value_record"];
            !told
                && made.contains(&context.call.call.as_str())
                && match &difference.place {
                    Place::Body(_) => difference.key() == Some("text") && difference.recorded_text() == "0",
                    Place::Result(_) => {
                        difference.key() == Some("ttl") && difference.recorded == Some(Value::Null)
                    }
                    _ => false,
                }
        },
    },
    Rule {
        id: "route53-text",
        drivers: ROUTE53,
        reason: "the data of a text record is the text; quotes are put around it, and in it escaped, where it is sent. The \
                 original gives what it sent, and sends quotes within the text as they are, which Route 53 refuses",
        applies: |context, difference| {
            let is_text = ["TXT", "SPF"]
                .iter()
                .any(|type_| context.call.args.get("type") == Some(&Value::from(*type_)));
            let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\\\""));
            let asked = context.call.args.get("data").and_then(Value::as_str).unwrap_or_default();
            is_text
                && match &difference.place {
                    Place::Result(path) => {
                        path == ".data"
                            && difference.recorded_text() == format!("\"{}\"", difference.our_text())
                    }
                    Place::Body(_) => {
                        difference.recorded_text() == format!("\"{asked}\"")
                            && difference.our_text() == quoted(asked)
                    }
                    _ => false,
                }
        },
    },
    Rule {
        id: "route53-change-sentence",
        drivers: ROUTE53,
        reason: "what is wrong with a batch of changes is told by Route 53's sentence (it was not found, it already exists …); \
                 the recorded one says nothing, and the original takes every one for a missing record",
        applies: |context, difference| {
            difference.place == Place::Outcome
                && difference.recorded_text() == "RecordDoesNotExistError"
                && difference.our_text().starts_with("provider: ")
                && says(context, "<Code>InvalidChangeBatch</Code>")
                && says(context, "<Message>Invalid change</Message>")
        },
    },
    Rule {
        id: "route53-unknown-extra",
        drivers: ROUTE53,
        reason: "a key of `extra` that nobody knows is refused before anything is sent; the original drops it without a word",
        applies: |context, difference| {
            let extra = context.call.args.get("extra").and_then(Value::as_object);
            let refused = context.differences.iter().any(|other| {
                let told = other.our_text();
                other.place == Place::Outcome
                    && extra.is_some_and(|extra| {
                        extra.keys().any(|key| told.contains(&format!("has no argument `{key}`")))
                    })
            });
            refused
                && context.received.is_empty()
                && matches!(difference.place, Place::Outcome | Place::Missing)
        },
    },
    Rule {
        id: "route53-ids",
        drivers: ROUTE53,
        reason: "each value of a set is a record with an id of its own; the original gives all of them the same",
        applies: |_, difference| {
            matches!(difference.place, Place::Result(_))
                && difference.key() == Some("id")
                && difference
                    .our_text()
                    .strip_prefix(difference.recorded_text())
                    .is_some_and(|rest| rest.starts_with('?'))
        },
    },
    Rule {
        id: "route53-later-types",
        drivers: ROUTE53,
        reason: "all types of the current version, of which the original's are some",
        applies: |context, difference| {
            context.call.call == "list_record_types"
                && difference.place == Place::Result(".length".into())
                && difference.recorded_number() < difference.our_number()
        },
    },
];

/// Whether an answer says this.
fn says(context: &Context<'_>, text: &str) -> bool {
    context.exchanges.iter().any(|exchange| match &exchange.response {
        Some(Reply::Answer(answer)) => {
            matches!(&answer.body, Some(Body::Text(body)) if body.contains(text))
        }
        _ => false,
    })
}
