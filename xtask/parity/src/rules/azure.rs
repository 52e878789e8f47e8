//! Rules for Azure Blob Storage.

use libcloud_testkit::replay::Received;
use serde_json::Value;

use super::{Context, Rule};
use crate::compare::Place;

const AZURE: &[&str] = &["storage/azure_blobs"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "azure-version",
        drivers: AZURE,
        reason: "a version of the service that is not being retired; `api_version` selects another",
        applies: |_, difference| {
            difference.place == Place::Header("x-ms-version".into())
                && difference.recorded_text() < difference.our_text()
        },
    },
    Rule {
        id: "azure-signature",
        drivers: AZURE,
        reason: "the signature is made over the request, which differs in another place",
        applies: |context, difference| {
            let signed = |text: &str| text.starts_with("SharedKey account:");
            let elsewhere = context.differences.iter().any(|other| {
                other.request == difference.request
                    && other.place != difference.place
                    && matches!(other.place, Place::Header(_) | Place::Param(_) | Place::Body(_))
            });
            difference.place == Place::Header("authorization".into())
                && signed(difference.recorded_text())
                && signed(difference.our_text())
                && elsewhere
        },
    },
    Rule {
        id: "azure-pages",
        drivers: AZURE,
        reason: "a page has as many entries as the service gives, and one where the question is whether there is any",
        applies: |context, difference| {
            let ours = if context.call.call == "delete_container" { "1" } else { "" };
            difference.place == Place::Param("maxresults".into())
                && difference.recorded_text() == "100"
                && difference.our_text() == ours
        },
    },
    Rule {
        id: "azure-no-lookup",
        drivers: AZURE,
        reason: "a blob is asked for at once, and the code of the answer tells whether the container is missing; the original \
                 asks for the container first. The recording then has no answer",
        applies: |context, difference| {
            context.call.call == "get_object"
                && match &difference.place {
                    Place::Missing => {
                        let request = difference.recorded_text();
                        request.starts_with("HEAD /") && request.ends_with("?restype=container")
                    }
                    Place::Extra => difference.our_text().starts_with("HEAD /"),
                    Place::Outcome => difference.our_text().contains("answered 599"),
                    _ => false,
                }
        },
    },
    Rule {
        id: "azure-url",
        drivers: AZURE,
        reason: "the URL is where the driver itself goes: 0.14 writes `http` whatever is spoken, 3.9 leaves out the port, and \
                 in listings the URL",
        applies: |_, difference| {
            let place = |url: &str| {
                let rest = url.split_once("://")?.1.to_owned();
                let (host, path) = rest.split_once('/')?;
                Some((host.split(':').next()?.to_owned(), path.to_owned()))
            };
            difference.key() == Some("url")
                && (difference.recorded == Some(Value::Null)
                    || place(difference.recorded_text()) == place(difference.our_text()))
                && place(difference.our_text()).is_some()
        },
    },
    Rule {
        id: "azure-signed-url",
        drivers: AZURE,
        reason: "the port that the scheme has anyway is left out; `https,http` is how the protocols are documented. The signature \
                 covers that, and the version",
        applies: |context, difference| {
            let parts = |url: &str| {
                let (place, query) = url.split_once('?')?;
                let documented = query.replace("spr=http%2Chttps", "spr=https%2Chttp");
                let (signed, signature) = documented.split_once("&sig=")?;
                let (times, version) = signed.split_once("&sv=")?;
                let place = place.replace(".net:443/", ".net/");
                Some((place, times.to_owned(), version.to_owned(), signature.to_owned(), documented == query))
            };
            let (theirs, ours) = (parts(difference.recorded_text()), parts(difference.our_text()));
            context.call.call == "get_object_cdn_url"
                && theirs.zip(ours).is_some_and(|(theirs, ours)| {
                    let same_text = theirs.2 == ours.2 && theirs.4;
                    (&theirs.0, &theirs.1) == (&ours.0, &ours.1) && (!same_text || theirs.3 == ours.3)
                })
        },
    },
    Rule {
        id: "azure-etag",
        drivers: AZURE,
        reason: "an entity tag is told without quotes, here as in get_object",
        applies: |_, difference| {
            matches!(difference.key(), Some("etag" | "hash"))
                && difference.recorded_text().len() > 2
                && difference.recorded_text().trim_matches('"') == difference.our_text()
        },
    },
    Rule {
        id: "azure-told-times",
        drivers: AZURE,
        reason: "a listing of containers tells when each was changed; the original reads it from the wrong place",
        applies: |context, difference| {
            context.call.call == "list_containers"
                && difference.key() == Some("last_modified")
                && difference.recorded == Some(Value::Null)
                && !difference.our_text().is_empty()
        },
    },
    Rule {
        id: "azure-range",
        drivers: AZURE,
        reason: "`Range` is HTTP's own header, which Azure takes as it does `x-ms-range`",
        applies: |context, difference| {
            let value = |name: &str| {
                let place = Place::Header(name.into());
                let found = context
                    .differences
                    .iter()
                    .find(|other| other.place == place && other.request == difference.request)?;
                found.recorded.as_ref().or(found.ours.as_ref())
            };
            let is_range =
                matches!(&difference.place, Place::Header(name) if name == "range" || name == "x-ms-range");
            is_range && value("range").is_some() && value("range") == value("x-ms-range")
        },
    },
    Rule {
        id: "azure-key-is-base64",
        drivers: AZURE,
        reason: "a key that is not Base64 is refused when the driver is made; the original finds out when it signs, or decodes \
                 part of it",
        applies: |_, difference| {
            difference.place == Place::Outcome
                && difference.our_text().starts_with("invalid_credentials: ")
                && difference.our_text().contains("not base64")
        },
    },
    Rule {
        id: "azure-block-ids",
        drivers: AZURE,
        reason: "ids of blocks begin with random digits, so that two uploads to one name do not mix",
        applies: |_, difference| {
            difference.place == Place::Param("blockid".into())
                && difference.recorded_text().starts_with("ICAgICAg")
                && difference.our_text().len() == 32
        },
    },
    Rule {
        id: "azure-single-put",
        drivers: AZURE,
        reason: "what has no more than a block goes in one request; the original sends every stream in blocks",
        applies: |context, difference| {
            let in_blocks = context
                .exchanges
                .iter()
                .any(|exchange| exchange.request.query.as_deref() == Some("comp=blocklist"));
            // Beside the lock on it.
            let content =
                context.received.iter().filter(|received| received.query.as_deref() != Some("comp=lease"));
            let whole = matches!(content.collect::<Vec<_>>().as_slice(), [one] if one.method == "PUT" && one.query.is_none());
            in_blocks
                && whole
                && match &difference.place {
                    Place::Missing => {
                        let request = difference.recorded_text();
                        request.contains("?comp=block") || request.ends_with("?comp=lease")
                    }
                    Place::Param(name) => difference.ours.is_none() && (name == "blockid" || name == "comp"),
                    Place::Header(name) if name == "x-ms-lease-action" => {
                        difference.recorded_text() == "renew" && difference.our_text() != "acquire"
                    }
                    Place::Header(name) => {
                        (name == "x-ms-blob-type" || name == "content-type") && difference.recorded.is_none()
                    }
                    Place::Result(path) => path == ".size" && context.made_content,
                    _ => false,
                }
        },
    },
    Rule {
        id: "azure-whole-pages",
        drivers: AZURE,
        reason: "pages are sent as many at a time as a request holds; the original sends each piece of a stream by itself, of \
                 whatever size, and Azure takes none but multiples of 512 bytes",
        applies: |context, difference| {
            let one_byte = context.exchanges.iter().any(|exchange| {
                exchange.request.headers.get("x-ms-range").is_some_and(|range| range == "bytes=0-0")
            });
            let ours =
                context.received.iter().filter(|received| received.query.as_deref() == Some("comp=page"));
            one_byte
                && ours.count() == 1
                && match &difference.place {
                    Place::Missing => {
                        let request = difference.recorded_text();
                        request.ends_with("?comp=page") || request.ends_with("?comp=lease")
                    }
                    Place::Header(name) if name == "x-ms-lease-action" => {
                        difference.recorded_text() == "renew" && difference.our_text() == "release"
                    }
                    Place::Header(name) => name == "x-ms-range" && difference.recorded_text() == "bytes=0-0",
                    _ => false,
                }
        },
    },
    Rule {
        id: "azure-lease-duration",
        drivers: AZURE,
        reason: "how long a lock lasts is told when it is acquired, which is the only place for it",
        applies: |_, difference| {
            difference.place == Place::Header("x-ms-lease-duration".into()) && difference.ours.is_none()
        },
    },
    Rule {
        id: "azure-made-at-the-end",
        drivers: AZURE,
        reason: "a blob in blocks is made by their list, with its type and metadata; 0.14 makes an empty one first, which \
                 replaces what was there and stays when the upload fails",
        applies: |context, difference| {
            let is_list = |received: &Received| received.query.as_deref() == Some("comp=blocklist");
            context.call.release.is_none()
                && context.received.iter().any(is_list)
                && match &difference.place {
                    Place::Missing => difference.recorded_text() == format!("PUT {}", path_of(context)),
                    Place::Header(name) => {
                        difference.recorded.is_none()
                            && (name == "x-ms-blob-content-type" || name.starts_with("x-ms-meta-"))
                            && context.received(difference).is_some_and(is_list)
                    }
                    _ => false,
                }
        },
    },
    Rule {
        id: "azure-latest",
        drivers: AZURE,
        reason: "`Latest` finds a block when the list is sent again, too; a checksum of the list is told nobody",
        applies: |context, difference| {
            let is_list = context
                .received(difference)
                .is_some_and(|received| received.query.as_deref() == Some("comp=blocklist"));
            is_list
                && match &difference.place {
                    Place::Body(_) => context
                        .received
                        .iter()
                        .any(|received| String::from_utf8_lossy(&received.body).contains("<Latest>")),
                    Place::Header(name) => name == "content-md5" && difference.ours.is_none(),
                    _ => false,
                }
        },
    },
    Rule {
        id: "azure-file-first",
        drivers: AZURE,
        reason: "whether a file may be written is found out before anything is asked for",
        applies: |context, difference| {
            let refused = context.differences.iter().any(|other| {
                other.place == Place::Outcome && other.our_text().starts_with("already_exists: ")
            });
            context.call.call.starts_with("download_object")
                && context.received.is_empty()
                && (difference.place == Place::Missing
                    && (refused
                        || context
                            .call
                            .raises
                            .as_ref()
                            .is_some_and(|raised| raised.class == "LibcloudError")))
        },
    },
];

/// The path of what the call sent.
fn path_of<'a>(context: &'a Context<'_>) -> &'a str {
    context.received.first().map_or("", |received| received.path.as_str())
}
