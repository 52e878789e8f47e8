//! Rules for the drivers that need no provider.

use serde_json::Value;

use super::Rule;
use crate::compare::Place;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "made-now",
        drivers: &["storage/local"],
        reason: "times are those of the files, which are made when the recording is played",
        applies: |_, difference| {
            matches!(&difference.place, Place::Result(path)
                if ["access_time", "creation_time", "modify_time"].iter().any(|key| path.ends_with(key)))
                && difference.recorded_number().is_some()
                && difference.our_number().is_some()
        },
    },
    Rule {
        id: "local-hash",
        drivers: &["storage/local"],
        reason: "a listing reads no files, so it tells no checksum; the original's is one of name and time",
        applies: |_, difference| difference.key() == Some("hash") && difference.ours == Some(Value::Null),
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
                && difference.recorded_text() == "127.0.0.1"
        },
    },
    Rule {
        id: "dummy-cdn",
        drivers: &["storage/dummy"],
        reason: "addresses are of example.com, which nobody owns, and come from `get_object_cdn_url`, not from meta data, which \
                 are the owner's",
        applies: |_, difference| match &difference.place {
            Place::Result(path) => {
                difference.recorded_text().starts_with("http://www.test.com/")
                    && (path.ends_with(".meta_data.cdn_url") && difference.ours.is_none()
                        || path.is_empty() && difference.our_text().starts_with("https://cdn.example.com/"))
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
                difference.recorded_number() == Some(0.0)
                    && difference.our_number().is_some_and(|count| count > 0.0)
            }
            Place::Result(_) => {
                difference.key() == Some("hash")
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
                && difference.recorded_number() < difference.our_number()
        },
    },
    Rule {
        id: "lost-licences",
        drivers: &["core/pricing"],
        reason: "licences of images that the original's newest table has at 0, since its reader lost them, have no price \
                 here: they cost money",
        applies: |context, difference| {
            let is_lost = difference.recorded_number() == Some(0.0) && difference.ours.is_none();
            let of_image = context.call.call == "get_image_price"
                && context.call.result.as_ref().and_then(Value::as_f64) == Some(0.0)
                && difference.our_text().contains("there is no price of the licence");
            match &difference.place {
                Place::Result(_) => is_lost && difference.key() == Some("price"),
                Place::Outcome => of_image,
                _ => false,
            }
        },
    },
];
