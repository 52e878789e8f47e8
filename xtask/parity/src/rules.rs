//! The differences that are meant, each by a rule with its reason. A rule tells a kind of difference by what it is; it
//! never names a test, and never covers a parameter or key that the original has and ours lacks for no reason.

use libcloud_testkit::cassette::{Call, Exchange};
use libcloud_testkit::replay::Received;
use serde_json::Value;

use crate::compare::{Difference, Place, same_time};

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
    drivers: &'static [&'static str],
    /// Why this is right.
    pub(crate) reason: &'static str,
    applies: fn(&Context<'_>, &Difference) -> bool,
}

/// The rule that covers a difference.
pub(crate) fn explain(context: &Context<'_>, difference: &Difference) -> Option<&'static Rule> {
    let name = format!("{}/{}", context.api, context.driver);
    RULES.iter().find(|rule| {
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

const AWS_QUERY: &[&str] =
    &["compute/ec2", "compute/eucalyptus", "compute/nimbus", "loadbalancer/elb", "dns/route53"];
const AWS: &[&str] =
    &["compute/ec2", "compute/eucalyptus", "compute/nimbus", "loadbalancer/elb", "dns/route53", "storage/s3"];

const RULES: &[Rule] = &[
    Rule {
        id: "aws-signature-version",
        drivers: AWS,
        reason: "signed by version 4, in headers; the recording by version 2 or older, in parameters, which new \
                 regions do not take",
        applies: |context, difference| {
            let is_v4 = |name: &str| {
                context
                    .received(difference)
                    .and_then(|received| received.header(name))
                    .is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256 "))
            };
            let theirs_is_v4 = context.exchange(difference).is_some_and(|exchange| {
                exchange.request.headers.values().any(|value| value.starts_with("AWS4-HMAC-SHA256 "))
            });
            if theirs_is_v4 || !is_v4("authorization") {
                return false;
            }
            match &difference.place {
                Place::Param(name) => {
                    difference.ours.is_none()
                        && [
                            "AWSAccessKeyId",
                            "Expires",
                            "Signature",
                            "SignatureMethod",
                            "SignatureVersion",
                            "Timestamp",
                        ]
                        .contains(&name.as_str())
                }
                Place::Header(name) => match name.as_str() {
                    "authorization" | "x-amz-date" | "x-amz-content-sha256" => true,
                    "date" | "x-amzn-authorization" => difference.ours.is_none(),
                    _ => false,
                },
                _ => false,
            }
        },
    },
    Rule {
        id: "aws-query-post",
        drivers: AWS_QUERY,
        reason: "parameters go in the body of a POST, where they have no limit of length and stay out of logs",
        applies: |_, difference| {
            difference.place == Place::Method
                && text(&difference.recorded) == "GET"
                && text(&difference.ours) == "POST"
        },
    },
    Rule {
        id: "aws-signed-headers",
        drivers: AWS,
        reason: "the signature covers headers that name the program; scope and key are the same",
        applies: |_, difference| {
            let credential = |value: &Option<Value>| {
                text(value)
                    .split(", ")
                    .next()
                    .filter(|first| first.contains("Credential="))
                    .map(str::to_owned)
            };
            let theirs = credential(&difference.recorded);
            difference.place == Place::Header("authorization".into())
                && theirs.is_some()
                && theirs == credential(&difference.ours)
        },
    },
    Rule {
        id: "ec2-api-version",
        drivers: &["compute/ec2"],
        reason: "API version 2016-11-15, the current one, for 2010-08-31",
        applies: |_, difference| {
            difference.place == Place::Param("Version".into())
                && text(&difference.recorded) == "2010-08-31"
                && text(&difference.ours) == "2016-11-15"
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
                Place::Result(path) => path.ends_with(".hash") || path.ends_with(".etag"),
                _ => false,
            };
            context.made_content && of_content
        },
    },
];

fn text(value: &Option<Value>) -> &str {
    value.as_ref().and_then(Value::as_str).unwrap_or_default()
}

/// All rules.
pub(crate) fn all() -> &'static [Rule] {
    RULES
}
