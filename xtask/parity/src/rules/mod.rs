//! The differences that are meant, each by a rule with its reason. A rule tells a kind of difference by what it is; it
//! never names a test, and never covers a parameter or key that the original has and ours lacks for no reason.

use libcloud_testkit::cassette::{Call, Exchange};
use libcloud_testkit::replay::Received;
use serde_json::Value;

use crate::compare::{Difference, Place, recorded_params, same_time};

mod aws;
mod azure;
mod clones;
mod cloudstack;
mod ec2;
mod elb;
mod gandi;
mod openstack;
mod own;
mod route53;
mod s3;

/// What a rule may look at.
pub(crate) struct Context<'a> {
    /// compute, storage …
    pub(crate) api: &'a str,
    /// Our driver's id.
    pub(crate) driver: &'a str,
    /// The call.
    pub(crate) call: &'a Call,
    /// The recorded exchanges of it.
    pub(crate) exchanges: &'a [Exchange],
    /// What was sent.
    pub(crate) received: &'a [Received],
    /// Whether the content of a stream or file had to be made up.
    pub(crate) made_content: bool,
    /// All differences of the call.
    pub(crate) differences: &'a [Difference],
}

impl Context<'_> {
    fn exchange(&self, difference: &Difference) -> Option<&Exchange> {
        self.exchanges.get(difference.request?)
    }

    fn received(&self, difference: &Difference) -> Option<&Received> {
        let number = difference.request?;
        self.received.iter().find(|received| received.answered_with == Some(number))
    }
}

/// A kind of difference that is meant.
pub(crate) struct Rule {
    /// Its name in reports.
    pub(crate) id: &'static str,
    /// `api/driver`, for which it holds; none for all.
    pub(crate) drivers: &'static [&'static str],
    /// Why this is right.
    pub(crate) reason: &'static str,
    applies: fn(&Context<'_>, &Difference) -> bool,
}

/// The rule that covers a difference.
pub(crate) fn explain(context: &Context<'_>, difference: &Difference) -> Option<&'static Rule> {
    let name = format!("{}/{}", context.api, context.driver);
    all().find(|rule| {
        (rule.drivers.is_empty() || rule.drivers.contains(&name.as_str()))
            && (rule.applies)(context, difference)
    })
}

/// Why a class's calls are of an API that is shut down and replaced.
pub(crate) fn superseded(api: &str, class: &str, release: Option<&str>) -> Option<&'static str> {
    match (api, class) {
        ("compute", "DigitalOceanNodeDriver") => {
            Some("version 1 of DigitalOcean's API was shut down in 2015")
        }
        ("compute", "LinodeNodeDriver") | ("dns", "LinodeDNSDriver") => {
            Some("version 3 of Linode's API was replaced by version 4")
        }
        ("compute", "CloudSigmaZrhNodeDriver") => Some("version 1.0 of CloudSigma's API was replaced by 2.0"),
        ("compute", "GCENodeDriver") | ("loadbalancer", "GCELBDriver" | "GCENodeDriver")
            if release.is_none() =>
        {
            Some("version v1beta16 of Compute Engine's API was shut down, v1 replaces it")
        }
        ("dns", "GandiDNSDriver") => Some("Gandi's XML-RPC interface was replaced by LiveDNS"),
        _ => None,
    }
}

/// All rules; those of a family come before those that hold for all.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> {
    let families = aws::RULES
        .iter()
        .chain(ec2::RULES)
        .chain(clones::RULES)
        .chain(azure::RULES)
        .chain(cloudstack::RULES)
        .chain(elb::RULES)
        .chain(gandi::RULES)
        .chain(openstack::RULES)
        .chain(route53::RULES)
        .chain(s3::RULES);
    families.chain(own::RULES).chain(RULES)
}

const RULES: &[Rule] = &[
    Rule {
        id: "seed-spelling",
        drivers: &[],
        reason: "keys of `extra` are spelled as in 0.14; 3.9 respelled them",
        applies: |context, difference| {
            context.call.release.is_some()
                && matches!(&difference.place, Place::Spelling(path) if path.contains("extra"))
        },
    },
    Rule {
        id: "told-content-type",
        drivers: &[],
        reason: "a body has its type told",
        applies: |context, difference| {
            let has_body = context.received(difference).is_some_and(|received| !received.body.is_empty());
            difference.place == Place::Header("content-type".into())
                && difference.recorded.is_none()
                && has_body
        },
    },
    Rule {
        id: "mime-table",
        drivers: &[],
        reason: "the type of a source file is guessed by another table",
        applies: |_, difference| {
            difference.place == Place::Header("content-type".into())
                && difference.recorded_text().starts_with("text/x-")
                && difference.our_text().starts_with("text/")
        },
    },
    Rule {
        id: "container-by-name",
        drivers: &["storage/azure_blobs", "storage/s3", "storage/dummy"],
        reason: "an object names its container; the container's own attributes are asked for where they are wanted",
        applies: |_, difference| {
            matches!(&difference.place, Place::Result(path) if path.contains(".container.extra."))
                && difference.ours.is_none()
        },
    },
    Rule {
        id: "unknown-argument",
        drivers: &[],
        reason: "an argument that nobody knows is refused; the original drops it without a word (nothing of it is in what it \
                 sent)",
        applies: |context, difference| {
            let is_ours = context.differences.iter().find_map(|difference| {
                let told = difference.our_text().strip_prefix("invalid_argument: ")?;
                let (_, rest) = told.split_once("has no argument `")?;
                (difference.place == Place::Outcome).then(|| rest.split_once('`')).flatten()
            });
            let value = is_ours.and_then(|(name, _)| context.call.args.get(name)).and_then(Value::as_str);
            let dropped = value.is_some_and(|value| {
                let sent = context.exchanges.iter().flat_map(|exchange| recorded_params(&exchange.request).0);
                let texts =
                    context.exchanges.iter().filter_map(|exchange| exchange.request.body.as_ref()?.bytes());
                !sent.into_iter().any(|(_, sent)| sent.contains(value))
                    && !texts.into_iter().any(|body| String::from_utf8_lossy(&body).contains(value))
            });
            dropped
                && context.received.is_empty()
                && matches!(difference.place, Place::Outcome | Place::Missing)
        },
    },
    Rule {
        id: "empty-is-absent",
        drivers: &[],
        reason: "an empty element tells nothing and is left out",
        applies: |_, difference| {
            matches!(&difference.place, Place::Result(_))
                && difference.recorded == Some(Value::String(String::new()))
                && difference.ours.as_ref().is_none_or(Value::is_null)
        },
    },
    Rule {
        id: "empty-list",
        drivers: &[],
        reason: "of what is a list, none is an empty one or is left out",
        applies: |_, difference| {
            let empty = Value::Array(Vec::new());
            matches!(&difference.place, Place::Result(_))
                && (difference.recorded == Some(Value::Null) && difference.ours.as_ref() == Some(&empty)
                    || difference.recorded.as_ref() == Some(&empty) && difference.ours.is_none())
        },
    },
    Rule {
        id: "absent-not-null",
        drivers: &[],
        reason: "what the provider did not tell is left out of `extra`, not null",
        applies: |_, difference| {
            matches!(&difference.place, Place::Result(_))
                && difference.recorded == Some(Value::Null)
                && difference.ours.is_none()
        },
    },
    Rule {
        id: "typed-values",
        drivers: &[],
        reason: "truth values, numbers and times have their types; the original leaves some as text",
        applies: |_, difference| {
            let (Some(Value::String(theirs)), Some(ours), Place::Result(_)) =
                (&difference.recorded, &difference.ours, &difference.place)
            else {
                return false;
            };
            match ours {
                Value::Bool(ours) => theirs.eq_ignore_ascii_case(&ours.to_string()),
                Value::Number(ours) => *theirs == ours.to_string(),
                Value::String(ours) => same_time(Some(theirs), ours),
                _ => false,
            }
        },
    },
    Rule {
        id: "ids-are-text",
        drivers: &[],
        reason: "an id or a decimal is text, exact and of one type everywhere",
        applies: |_, difference| {
            let (Some(Value::Number(theirs)), Some(Value::String(ours)), Place::Result(_)) =
                (&difference.recorded, &difference.ours, &difference.place)
            else {
                return false;
            };
            theirs.to_string() == *ours || theirs.as_f64() == ours.parse().ok()
        },
    },
    Rule {
        id: "content-not-recorded",
        drivers: &[],
        reason: "the recording does not have the content of the file or stream, so another of that length was sent",
        applies: |context, difference| {
            let of_content = match &difference.place {
                Place::Body(_) => true,
                Place::Header(name) => name == "content-md5" || name == "x-amz-content-sha256",
                Place::Result(path) if path.is_empty() => {
                    context.call.call.starts_with("download_object")
                        && difference.recorded_text().len() == difference.our_text().len()
                }
                // Some tests tell the original a size that the file does not have.
                Place::Result(path) if path == ".size" => context.exchanges.iter().any(|exchange| {
                    let length = exchange.request.headers.get("Content-Length");
                    length.and_then(|length| length.parse().ok()) == difference.our_number()
                }),
                Place::Result(_) => matches!(difference.key(), Some("hash" | "etag")),
                _ => false,
            };
            context.made_content && of_content
        },
    },
];
