//! The differences that are meant, each by a rule with its reason. A rule tells a kind of difference by what it is; it
//! never names a test, and never covers a parameter or key that the original has and ours lacks for no reason.

use std::collections::BTreeMap;

use libcloud_testkit::cassette::{Body, Call, Exchange, Reply};
use libcloud_testkit::replay::Received;
use serde_json::Value;

use crate::compare::{Difference, Place, received_params, recorded_params, same_time};

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
        id: "signature-follows",
        drivers: AWS_QUERY,
        reason: "the signature is of what was sent, of which something else differs",
        applies: |context, difference| {
            let covered = |other: &Difference| {
                other.request == difference.request
                    && other.place != difference.place
                    && matches!(other.place, Place::Method | Place::Host | Place::Path | Place::Param(_))
            };
            difference.place == Place::Param("Signature".into())
                && difference.ours.is_some()
                && context.differences.iter().any(covered)
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
        id: "ec2-indexes",
        drivers: AWS_QUERY,
        reason: "lists of parameters count from 1, as the API wants it; the original begins some with 0, and leaves the \
                 number out of others",
        applies: |context, difference| {
            let (Some(exchange), Some(received), Place::Param(name)) =
                (context.exchange(difference), context.received(difference), &difference.place)
            else {
                return false;
            };
            let (theirs, _) = recorded_params(&exchange.request);
            let (ours, _) = received_params(received);
            let list = list_name(name);
            let values = |params: &[(String, String)]| members(params, &list);
            let has_number = |params: &[(String, String)]| {
                params.iter().any(|(name, _)| list_name(name) == list && *name != list)
            };
            has_number(&ours) && values(&theirs) == values(&ours)
        },
    },
    Rule {
        id: "ec2-tag-filters",
        drivers: &["compute/ec2"],
        reason: "an id says of what type its resource is; the filter for the type goes without saying (3.9 dropped it, too)",
        applies: |context, difference| {
            let (Some(exchange), Some(received), Place::Param(name)) =
                (context.exchange(difference), context.received(difference), &difference.place)
            else {
                return false;
            };
            let mut theirs = members(&recorded_params(&exchange.request).0, "Filter");
            theirs.retain(|filter| filter.first().map(String::as_str) != Some("resource-type"));
            name.starts_with("Filter.") && theirs == members(&received_params(received).0, "Filter")
        },
    },
    Rule {
        id: "ec2-client-token",
        drivers: &["compute/ec2"],
        reason: "a token of its own goes with each creation, so that one that got no answer can be sent again",
        applies: |context, difference| {
            difference.place == Place::Param("ClientToken".into())
                && difference.recorded.is_none()
                && context.call.call == "create_node"
        },
    },
    Rule {
        id: "ec2-tags-at-once",
        drivers: &["compute/ec2"],
        reason: "name and tags go with RunInstances, in one step that cannot fail half-way, instead of a CreateTags after it",
        applies: |context, difference| {
            let sent_with = |list: &str| {
                context
                    .received
                    .iter()
                    .map(|received| members(&received_params(received).0, list))
                    .find(|tags| !tags.is_empty())
            };
            let recorded_after = context.exchanges.iter().find_map(|exchange| {
                let params = recorded_params(&exchange.request).0;
                params.contains(&("Action".into(), "CreateTags".into())).then(|| members(&params, "Tag"))
            });
            // Where RunInstances failed there was nothing to tag.
            let asked = context.call.raises.is_some().then(|| asked_tags(context.call));
            let same =
                recorded_after.or(asked).is_some_and(|tags| sent_with("TagSpecification.Tag") == Some(tags));
            same && match &difference.place {
                Place::Param(name) => name.starts_with("TagSpecification.") && difference.recorded.is_none(),
                Place::Missing => text(&difference.recorded).contains("Action=CreateTags&"),
                // There the recorded CreateTags got no answer, and the node no name.
                Place::Result(path) => {
                    path == ".name"
                        && difference.ours.is_some()
                        && difference.ours.as_ref() == context.call.args.get("name")
                }
                _ => false,
            }
        },
    },
    Rule {
        id: "ec2-page-size",
        drivers: &["compute/ec2"],
        reason: "listings come in pages of a size; the original asks for everything at once, which the API cuts off",
        applies: |_, difference| {
            difference.place == Place::Param("MaxResults".into()) && difference.recorded.is_none()
        },
    },
    Rule {
        id: "ec2-elastic-addresses",
        drivers: &["compute/ec2"],
        reason: "an elastic address that is associated is among the instance's public addresses already; the original asks \
                 for all addresses again and adds them",
        applies: |context, difference| match &difference.place {
            Place::Missing => text(&difference.recorded).contains("Action=DescribeAddresses&"),
            Place::Result(path) => {
                let numbers = (number(&difference.recorded), number(&difference.ours));
                context.call.call == "list_nodes"
                    && path.ends_with(".public_ips.length")
                    && matches!(numbers, (Some(theirs), Some(ours)) if theirs == ours + 1.0)
            }
            _ => false,
        },
    },
    Rule {
        id: "ec2-zone-names",
        drivers: &["compute/ec2"],
        reason: "a zone's id is its name, which calls take; the original numbers the zones of an answer",
        applies: |context, difference| match &difference.place {
            Place::Result(path) => {
                context.call.call == "list_locations"
                    && path.ends_with("].id")
                    && text(&difference.recorded).bytes().all(|byte| byte.is_ascii_digit())
            }
            // A location without a zone: its id is then what the caller made up.
            Place::Param(name) => name == "Placement.AvailabilityZone" && difference.recorded.is_none(),
            _ => false,
        },
    },
    Rule {
        id: "ec2-any-region",
        drivers: AWS,
        reason: "a region is any name of one, so that regions newer than a release work",
        applies: |context, difference| {
            context.call.call == "new"
                && context.call.args.contains_key("region")
                && difference.place == Place::Outcome
                && text(&difference.recorded) == "ValueError"
        },
    },
    Rule {
        id: "ec2-country",
        drivers: &["compute/ec2"],
        reason: "one country has one name; the original has both `US` and `USA`",
        applies: |_, difference| {
            matches!(&difference.place, Place::Result(path) if path.ends_with(".country"))
                && text(&difference.recorded) == "US"
                && text(&difference.ours) == "USA"
        },
    },
    Rule {
        id: "newer-prices",
        drivers: &["compute/ec2"],
        reason: "the table of prices is a later one",
        applies: |context, difference| {
            context.call.call == "list_sizes"
                && matches!(&difference.place, Place::Result(path) if path.ends_with(".price"))
                && number(&difference.recorded).is_some()
                && difference.ours.as_ref().is_some_and(|ours| !ours.is_null())
        },
    },
    Rule {
        id: "later-extra",
        drivers: &["compute/ec2"],
        reason: "a key of `extra` that 0.14 does not have; what 3.9 added comes later",
        applies: |context, difference| {
            let Place::Result(path) = &difference.place else { return false };
            let key = path.rsplit('.').next().unwrap_or_default();
            let of_image = key == "block_device_mapping" && context.call.call.contains("image");
            context.call.release.is_some()
                && difference.ours.is_none()
                && (of_image || LATER_KEYS.contains(&key))
        },
    },
    Rule {
        id: "seed-groups",
        drivers: &["compute/ec2"],
        reason: "security groups are listed by name, as in 0.14, and by id in a list of their own; 3.9 has pairs",
        applies: |context, difference| {
            let name = difference.recorded.as_ref().and_then(|group| group.get("group_name"));
            context.call.release.is_some()
                && matches!(&difference.place, Place::Result(path) if path.contains(".extra.groups["))
                && name.is_some()
                && name == difference.ours.as_ref()
        },
    },
    Rule {
        id: "ec2-all-addresses",
        drivers: &["compute/ec2"],
        reason: "all private addresses of an instance's interfaces, not only the first",
        applies: |_, difference| {
            matches!(&difference.place, Place::Result(path) if path.ends_with(".private_ips.length"))
                && number(&difference.recorded) < number(&difference.ours)
        },
    },
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
        id: "s3-list-v2",
        drivers: &["storage/s3"],
        reason: "ListObjectsV2 with encoded names, which takes every name; its answer has no owners, and the recorded one of \
                 version 1 does not have its marks for the next page",
        applies: |context, difference| {
            context.call.call == "list_container_objects"
                && match &difference.place {
                    Place::Param(name) => {
                        difference.recorded.is_none() && (name == "list-type" || name == "encoding-type")
                    }
                    Place::Missing => text(&difference.recorded).contains("marker="),
                    Place::Outcome => text(&difference.ours)
                        .contains("`ListBucketResult/NextContinuationToken`: it is missing"),
                    Place::Result(path) => path.ends_with(".meta_data.owner") && difference.ours.is_none(),
                    _ => false,
                }
        },
    },
    Rule {
        id: "s3-no-lookup",
        drivers: &["storage/s3"],
        reason: "a container or object is asked for at once, by HEAD; the original lists all containers or asks for the \
                 container first. The recording then has no answer",
        applies: |context, difference| {
            ["get_container", "get_object"].contains(&context.call.call.as_str())
                && match &difference.place {
                    Place::Missing => {
                        let request = text(&difference.recorded);
                        let path = request.split([' ', '?']).nth(1).unwrap_or_default();
                        request.starts_with("GET /?")
                            || request == "GET /"
                            || request.starts_with("HEAD /") && path.matches('/').count() == 1
                    }
                    Place::Extra => text(&difference.ours).starts_with("HEAD /"),
                    Place::Outcome => text(&difference.ours).contains("answered 599"),
                    _ => false,
                }
        },
    },
    Rule {
        id: "s3-single-put",
        drivers: &["storage/s3"],
        reason: "what is small or of known length goes in one PUT; the original sends every stream in parts. The recording \
                 then has no answer",
        applies: |context, difference| {
            let in_parts = context.exchanges.iter().any(|exchange| exchange.request.method == "POST");
            let whole = matches!(context.received, [one] if one.method == "PUT" && !one.query.as_deref().unwrap_or_default().contains("uploadId"));
            in_parts
                && whole
                && match &difference.place {
                    Place::Missing => text(&difference.recorded).contains("upload"),
                    Place::Extra => text(&difference.ours).starts_with("PUT /"),
                    Place::Outcome => text(&difference.ours).contains("answered 599"),
                    _ => false,
                }
        },
    },
    Rule {
        id: "s3-codes",
        drivers: &["storage/s3"],
        reason: "the code in the body says what a 409 means (BucketNotEmpty, BucketAlreadyExists); the recorded answer has none",
        applies: |context, difference| {
            let empty = context.exchanges.iter().any(|exchange| {
                matches!(&exchange.response, Some(Reply::Answer(answer)) if answer.status == 409
                    && !matches!(&answer.body, Some(Body::Text(text)) if text.contains("<Code>")))
            });
            empty
                && difference.place == Place::Outcome
                && text(&difference.ours).starts_with("invalid_state: ")
        },
    },
    Rule {
        id: "s3-etag",
        drivers: &["storage/s3"],
        reason: "an entity tag that is no MD5 is no checksum",
        applies: |context, difference| {
            let tag = |exchange: &Exchange| match &exchange.response {
                Some(Reply::Answer(answer)) => answer.headers.get("etag").cloned(),
                _ => None,
            };
            let is_md5 = |tag: String| {
                let tag = tag.trim_matches('"').to_owned();
                tag.len() == 32 && tag.bytes().all(|byte| byte.is_ascii_hexdigit())
            };
            difference.place == Place::Outcome
                && text(&difference.recorded) == "ObjectHashMismatchError"
                && context.exchanges.iter().filter_map(tag).all(|tag| !is_md5(tag))
        },
    },
    Rule {
        id: "s3-default-class",
        drivers: &["storage/s3"],
        reason: "the class that objects have anyway is not sent",
        applies: |_, difference| {
            difference.place == Place::Header("x-amz-storage-class".into())
                && text(&difference.recorded) == "STANDARD"
                && difference.ours.is_none()
        },
    },
    Rule {
        id: "s3-region-name",
        drivers: &["storage/s3"],
        reason: "the region by its name; `EU` is what it was called first",
        applies: |_, difference| {
            matches!(&difference.place, Place::Body(_))
                && text(&difference.recorded) == "EU"
                && text(&difference.ours) == "eu-west-1"
        },
    },
    Rule {
        id: "s3-regional-host",
        drivers: &["storage/s3"],
        reason: "each region by the host that is named after it; the original has the older names, and one for all of them",
        applies: |_, difference| {
            let (theirs, ours) = (text(&difference.recorded), text(&difference.ours));
            let region = theirs.strip_prefix("s3-").and_then(|rest| rest.strip_suffix(".amazonaws.com"));
            match &difference.place {
                Place::Host => match region {
                    Some(region) => ours == format!("s3.{region}.amazonaws.com"),
                    None => theirs == "s3.amazonaws.com" && ours == "s3.us-east-1.amazonaws.com",
                },
                // A presigned URL: the same but for the host, and with it the signature.
                Place::Result(path) => {
                    path.is_empty()
                        && theirs.starts_with("https://s3.amazonaws.com:443/")
                        && ours.starts_with("https://s3.us-east-1.amazonaws.com/")
                        && presigned(theirs).is_some_and(|url| presigned(ours) == Some(url))
                }
                _ => false,
            }
        },
    },
    Rule {
        id: "s3-bucket-names",
        drivers: &["storage/s3"],
        reason: "Amazon takes no underscore in the name of a new bucket any more: it is refused before anything is sent",
        applies: |context, difference| {
            let name = context.call.args.get("container_name").and_then(Value::as_str).unwrap_or_default();
            context.call.call == "create_container"
                && name.contains('_')
                && match &difference.place {
                    Place::Missing => text(&difference.recorded).starts_with("PUT /"),
                    Place::Outcome => text(&difference.ours).starts_with("invalid_name: "),
                    _ => false,
                }
        },
    },
    Rule {
        id: "s3-no-version",
        drivers: &["storage/s3"],
        reason: "S3 has no parameter `Version`; the original's connection adds it",
        applies: |_, difference| {
            difference.place == Place::Param("Version".into())
                && text(&difference.recorded) == "2006-03-01"
                && difference.ours.is_none()
        },
    },
    Rule {
        id: "s3-signed-payload",
        drivers: &["storage/s3"],
        reason: "the body's digest is signed wherever it is known",
        applies: |_, difference| {
            difference.place == Place::Header("x-amz-content-sha256".into())
                && text(&difference.recorded) == "UNSIGNED-PAYLOAD"
                && text(&difference.ours).len() == 64
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
                && text(&difference.recorded).starts_with("text/x-")
                && text(&difference.ours).starts_with("text/")
        },
    },
    Rule {
        id: "container-by-name",
        drivers: &["storage/s3", "storage/dummy"],
        reason: "an object names its container; the container's own attributes are asked for where they are wanted",
        applies: |_, difference| {
            matches!(&difference.place, Place::Result(path) if path.contains(".container.extra."))
                && difference.ours.is_none()
        },
    },
    Rule {
        id: "made-now",
        drivers: &["storage/local"],
        reason: "times are those of the files, which are made when the recording is played",
        applies: |_, difference| {
            matches!(&difference.place, Place::Result(path)
                if ["access_time", "creation_time", "modify_time"].iter().any(|key| path.ends_with(key)))
                && number(&difference.recorded).is_some()
                && number(&difference.ours).is_some()
        },
    },
    Rule {
        id: "local-hash",
        drivers: &["storage/local"],
        reason: "a listing reads no files, so it tells no checksum; the original's is one of name and time",
        applies: |_, difference| {
            matches!(&difference.place, Place::Result(path) if path.ends_with(".hash"))
                && difference.ours == Some(Value::Null)
        },
    },
    Rule {
        id: "local-order",
        drivers: &["storage/local"],
        reason: "a folder's entries come in no order, there and here",
        applies: |_, difference| matches!(&difference.place, Place::Order(path) if path.is_empty()),
    },
    Rule {
        id: "dummy-arguments",
        drivers: &["compute/dummy"],
        reason: "name, size and image are needed of the dummy as of every driver, and size and image have to be there; the \
                 original's makes them up",
        applies: |_, difference| match &difference.place {
            Place::Argument(_) => true,
            Place::Result(path) => path.contains(".size.") || path.contains(".image."),
            _ => false,
        },
    },
    Rule {
        id: "dummy-addresses",
        drivers: &["compute/dummy"],
        reason: "every node has an address of its own; the original gives its first two the same",
        applies: |context, difference| {
            context.call.call == "list_nodes"
                && matches!(&difference.place, Place::Result(path) if path.starts_with("[1].public_ips["))
                && text(&difference.recorded) == "127.0.0.1"
        },
    },
    Rule {
        id: "dummy-cdn",
        drivers: &["storage/dummy"],
        reason: "addresses are of example.com, which nobody owns, and come from `get_object_cdn_url`, not from meta data, which \
                 are the owner's",
        applies: |_, difference| match &difference.place {
            Place::Result(path) => {
                text(&difference.recorded).starts_with("http://www.test.com/")
                    && (path.ends_with(".meta_data.cdn_url") && difference.ours.is_none()
                        || path.is_empty() && text(&difference.ours).starts_with("https://cdn.example.com/"))
            }
            _ => false,
        },
    },
    Rule {
        id: "dummy-counts",
        drivers: &["storage/dummy"],
        reason: "objects are counted and have checksums; the original's dummy keeps neither",
        applies: |_, difference| match &difference.place {
            Place::Result(path) if path.ends_with(".object_count") => {
                number(&difference.recorded) == Some(0.0)
                    && number(&difference.ours).is_some_and(|count| count > 0.0)
            }
            Place::Result(path) => {
                path.ends_with(".hash")
                    && difference.recorded == Some(Value::Null)
                    && difference.ours.is_some()
            }
            _ => false,
        },
    },
    Rule {
        id: "dummy-record-types",
        drivers: &["dns/dummy"],
        reason: "the dummy takes records of all types; the original's tells of A alone",
        applies: |context, difference| {
            context.call.call == "list_record_types"
                && difference.place == Place::Result(".length".into())
                && number(&difference.recorded) < number(&difference.ours)
        },
    },
    Rule {
        id: "unknown-argument",
        drivers: &[],
        reason: "an argument that nobody knows is refused; the original drops it without a word (nothing of it is in what it \
                 sent)",
        applies: |context, difference| {
            let is_ours = context.differences.iter().find_map(|difference| {
                let told = text(&difference.ours).strip_prefix("invalid_argument: ")?;
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
                        && text(&difference.recorded).len() == text(&difference.ours).len()
                }
                // Some tests tell the original a size that the file does not have.
                Place::Result(path) if path == ".size" => context.exchanges.iter().any(|exchange| {
                    let length = exchange.request.headers.get("Content-Length");
                    length.and_then(|length| length.parse().ok()) == number(&difference.ours)
                }),
                Place::Result(path) => path.ends_with(".hash") || path.ends_with(".etag"),
                _ => false,
            };
            context.made_content && of_content
        },
    },
];

/// Keys that 3.9 reads and 0.14 did not.
const LATER_KEYS: &[&str] = &[
    "billing_products",
    "creation_date",
    "description",
    "ebs",
    "ena_support",
    "network_interfaces",
    "owner_alias",
    "root_device_name",
    "root_device_type",
    "sriov_net_support",
];

/// Name and tags as the caller of `create_node` gave them.
fn asked_tags(call: &Call) -> Vec<Vec<String>> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let name = call.args.get("name").map(|name| vec!["Name".to_owned(), text(name)]);
    let more = call.args.get("ex_metadata").and_then(Value::as_object);
    let more = more.into_iter().flatten().map(|(key, value)| vec![key.clone(), text(value)]);
    let mut tags: Vec<_> = name.into_iter().chain(more).collect();
    tags.sort();
    tags
}

/// The query of a presigned URL without its signature, and the URL's path.
fn presigned(url: &str) -> Option<(String, Vec<(String, String)>)> {
    let (front, query) = url.split_once('?')?;
    let path = front.splitn(4, '/').nth(3)?;
    let mut params: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    params.sort();
    Some((path.to_owned(), params))
}

/// The name of a parameter without its numbers: `Filter.1.Value.2` is `Filter.Value`.
fn list_name(name: &str) -> String {
    let words =
        name.split('.').filter(|word| !word.is_empty() && !word.bytes().all(|byte| byte.is_ascii_digit()));
    let name = words.collect::<Vec<_>>().join(".");
    // These belong together by their number.
    match name.strip_prefix("TagSpecification.Tag") {
        Some(_) => "TagSpecification.Tag".into(),
        None if name.starts_with("Filter.") => "Filter".into(),
        None if name.starts_with("Tag.") => "Tag".into(),
        None => name,
    }
}

/// The members of a list of parameters, sorted: of structures the values of each in the order of their names.
fn members(params: &[(String, String)], list: &str) -> Vec<Vec<String>> {
    let mut members: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (name, value) in params.iter().filter(|(name, _)| list_name(name) == list) {
        // The last number but that of a value within a filter tells the member.
        let words: Vec<&str> = name.split('.').collect();
        let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
        let at = if list == "TagSpecification.Tag" { 1 } else { 0 };
        let member = words.iter().filter(|word| is_number(word)).nth(at).copied().unwrap_or_default();
        let field: Vec<&str> = words.into_iter().filter(|word| !is_number(word)).collect();
        members.entry(member.to_owned()).or_default().push((field.join("."), value.clone()));
    }
    let mut members: Vec<Vec<String>> = members
        .into_values()
        .map(|mut fields| {
            fields.sort();
            fields.into_iter().map(|(_, value)| value).collect()
        })
        .collect();
    members.sort();
    members
}

fn number(value: &Option<Value>) -> Option<f64> {
    match value.as_ref()? {
        Value::Number(number) => number.as_f64(),
        _ => None,
    }
}

fn text(value: &Option<Value>) -> &str {
    value.as_ref().and_then(Value::as_str).unwrap_or_default()
}

/// All rules.
pub(crate) fn all() -> &'static [Rule] {
    RULES
}
