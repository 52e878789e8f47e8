//! Rules for Amazon's services, and for those that speak their protocols.

use std::collections::BTreeMap;

use libcloud_testkit::cassette::{Body, Call, Exchange, Reply};
use serde_json::Value;

use super::Rule;
use super::ec2::EC2;
use crate::compare::{Difference, Place, received_params, recorded_params};

const AWS_QUERY: &[&str] = &[
    "compute/ec2",
    "compute/eucalyptus",
    "compute/nimbus",
    "loadbalancer/alb",
    "loadbalancer/elb",
    "dns/route53",
];
const AWS: &[&str] = &[
    "compute/ec2",
    "compute/eucalyptus",
    "compute/nimbus",
    "loadbalancer/alb",
    "loadbalancer/elb",
    "dns/route53",
    "storage/s3",
];

pub(super) const RULES: &[Rule] = &[
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
                && difference.recorded_text() == "GET"
                && difference.our_text() == "POST"
        },
    },
    Rule {
        id: "aws-signed-headers",
        drivers: AWS,
        reason: "the signature covers headers that name the program; scope and key are the same",
        applies: |_, difference| {
            let credential = |text: &str| {
                text.split(", ").next().filter(|first| first.contains("Credential=")).map(str::to_owned)
            };
            let theirs = credential(difference.recorded_text());
            difference.place == Place::Header("authorization".into())
                && theirs.is_some()
                && theirs == credential(difference.our_text())
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
        drivers: EC2,
        reason: "API version 2016-11-15, the current one, for 2010-08-31",
        applies: |_, difference| {
            difference.place == Place::Param("Version".into())
                && difference.recorded_text() == "2010-08-31"
                && difference.our_text() == "2016-11-15"
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
        drivers: EC2,
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
        drivers: EC2,
        reason: "a token of its own goes with each creation, so that one that got no answer can be sent again",
        applies: |context, difference| {
            difference.place == Place::Param("ClientToken".into())
                && difference.recorded.is_none()
                && ["copy_image", "ex_create_network_interface", "ex_import_snapshot"]
                    .into_iter()
                    .chain(["create_node", "create_volume"])
                    .any(|call| call == context.call.call)
        },
    },
    Rule {
        id: "ec2-tags-at-once",
        drivers: EC2,
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
                Place::Missing => difference.recorded_text().contains("Action=CreateTags&"),
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
        drivers: EC2,
        reason: "listings come in pages of a size; the original asks for everything at once, which the API cuts off",
        applies: |_, difference| {
            difference.place == Place::Param("MaxResults".into()) && difference.recorded.is_none()
        },
    },
    Rule {
        id: "ec2-elastic-addresses",
        drivers: EC2,
        reason: "an elastic address that is associated is among the instance's public addresses already; the original asks \
                 for all addresses again and adds them",
        applies: |context, difference| match &difference.place {
            Place::Missing => difference.recorded_text().contains("Action=DescribeAddresses&"),
            Place::Result(path) => {
                let numbers = (difference.recorded_number(), difference.our_number());
                context.call.call == "list_nodes"
                    && path.ends_with(".public_ips.length")
                    && matches!(numbers, (Some(theirs), Some(ours)) if (theirs - ours - 1.0).abs() < f64::EPSILON)
            }
            _ => false,
        },
    },
    Rule {
        id: "ec2-zone-names",
        drivers: EC2,
        reason: "a zone's id is its name, which calls take; the original numbers the zones of an answer",
        applies: |context, difference| match &difference.place {
            Place::Result(path) => {
                context.call.call == "list_locations"
                    && path.ends_with("].id")
                    && difference.recorded_text().bytes().all(|byte| byte.is_ascii_digit())
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
                && difference.recorded_text() == "ValueError"
        },
    },
    Rule {
        id: "ec2-country",
        drivers: EC2,
        reason: "one country has one name; the original has both `US` and `USA`",
        applies: |_, difference| {
            matches!(&difference.place, Place::Result(path) if path.ends_with(".country"))
                && difference.recorded_text() == "US"
                && difference.our_text() == "USA"
        },
    },
    Rule {
        id: "newer-prices",
        drivers: EC2,
        reason: "the table of prices is a later one",
        applies: |context, difference| {
            context.call.call == "list_sizes"
                && difference.key() == Some("price")
                && difference.recorded_number().is_some()
                && difference.ours.as_ref().is_some_and(|ours| !ours.is_null())
        },
    },
    Rule {
        id: "later-extra",
        drivers: EC2,
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
        drivers: EC2,
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
        drivers: EC2,
        reason: "all private addresses of an instance's interfaces, not only the first",
        applies: |_, difference| {
            matches!(&difference.place, Place::Result(path) if path.ends_with(".private_ips.length"))
                && difference.recorded_number() < difference.our_number()
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
                    Place::Missing => difference.recorded_text().contains("marker="),
                    Place::Outcome => difference
                        .our_text()
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
                        let request = difference.recorded_text();
                        let path = request.split([' ', '?']).nth(1).unwrap_or_default();
                        request.starts_with("GET /?")
                            || request == "GET /"
                            || request.starts_with("HEAD /") && path.matches('/').count() == 1
                    }
                    Place::Extra => difference.our_text().starts_with("HEAD /"),
                    Place::Outcome => difference.our_text().contains("answered 599"),
                    _ => false,
                }
        },
    },
    Rule {
        id: "s3-size-of-answer",
        drivers: &["storage/azure_blobs", "storage/s3"],
        reason: "a download is complete when all that the answer promises has arrived; the size that the caller has may be of an \
                 older version of the object",
        applies: |context, difference| {
            let size_of_caller = context.call.args.get("obj").and_then(|object| object.get("size"));
            let arrived = context.exchanges.iter().rev().find_map(|exchange| match &exchange.response {
                Some(Reply::Answer(answer)) => {
                    Some(answer.body.as_ref().map_or(Some(0), |body| body.bytes().map(|bytes| bytes.len())))
                }
                _ => None,
            });
            context.call.call == "download_object"
                && matches!(difference.place, Place::Result(_))
                && difference.recorded == Some(Value::Bool(false))
                && difference.ours == Some(Value::Bool(true))
                && arrived.flatten().is_some_and(|length| size_of_caller != Some(&length.into()))
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
                    Place::Missing => difference.recorded_text().contains("upload"),
                    Place::Extra => difference.our_text().starts_with("PUT /"),
                    Place::Outcome => difference.our_text().contains("answered 599"),
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
                && difference.our_text().starts_with("invalid_state: ")
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
                && difference.recorded_text() == "ObjectHashMismatchError"
                && context.exchanges.iter().filter_map(tag).all(|tag| !is_md5(tag))
        },
    },
    Rule {
        id: "s3-default-class",
        drivers: &["storage/s3"],
        reason: "the class that objects have anyway is not sent",
        applies: |_, difference| {
            difference.place == Place::Header("x-amz-storage-class".into())
                && difference.recorded_text() == "STANDARD"
                && difference.ours.is_none()
        },
    },
    Rule {
        id: "s3-region-name",
        drivers: &["storage/s3"],
        reason: "the region by its name; `EU` is what it was called first",
        applies: |_, difference| {
            matches!(&difference.place, Place::Body(_))
                && difference.recorded_text() == "EU"
                && difference.our_text() == "eu-west-1"
        },
    },
    Rule {
        id: "s3-regional-host",
        drivers: &["storage/s3"],
        reason: "each region by the host that is named after it; the original has the older names, and one for all of them",
        applies: |_, difference| {
            let (theirs, ours) = (difference.recorded_text(), difference.our_text());
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
                    Place::Missing => difference.recorded_text().starts_with("PUT /"),
                    Place::Outcome => difference.our_text().starts_with("invalid_name: "),
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
                && difference.recorded_text() == "2006-03-01"
                && difference.ours.is_none()
        },
    },
    Rule {
        id: "s3-signed-payload",
        drivers: &["storage/s3"],
        reason: "the body's digest is signed wherever it is known",
        applies: |_, difference| {
            difference.place == Place::Header("x-amz-content-sha256".into())
                && difference.recorded_text() == "UNSIGNED-PAYLOAD"
                && difference.our_text().len() == 64
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

/// Name and tags as the caller of a creation gave them.
pub(super) fn asked_tags(call: &Call) -> Vec<Vec<String>> {
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
        let at = usize::from(list == "TagSpecification.Tag");
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
