//! Rules for OpenStack and those who speak its protocol.

use serde_json::Value;

use super::{Context, Rule};
use crate::compare::Place;

const BOTH: &[&str] = &["compute/openstack", "compute/rackspace"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "nova-microversion",
        drivers: &["compute/openstack"],
        reason: "the version that is spoken is said, so that a newer default of the service changes nothing",
        applies: |_, difference| {
            difference.place == Place::Header("openstack-api-version".into())
                && difference.recorded.is_none()
                && difference.our_text() == "compute 2.1"
        },
    },
    Rule {
        id: "nova-images",
        drivers: &["compute/openstack"],
        reason: "images are asked for of the image service where the catalogue has one: the compute service's proxy for them ends \
                 with version 2.36; the recording has no answer of it",
        applies: |context, difference| {
            let of_images = |text: &str| text.contains("/v2/images");
            let asked = context
                .differences
                .iter()
                .any(|difference| difference.place == Place::Extra && of_images(difference.our_text()));
            asked
                && match difference.place {
                    Place::Extra => of_images(difference.our_text()),
                    Place::Missing => difference.recorded_text().contains("/images"),
                    Place::Outcome => difference.our_text().contains("no answer was recorded"),
                    _ => false,
                }
        },
    },
    Rule {
        id: "nova-addresses",
        drivers: BOTH,
        reason: "as in 3.9, an address that the Internet reaches is public, whatever its network is called",
        applies: |context, difference| {
            let is_address = |place: &Place| matches!(place, Place::Result(path) if path.contains("public_ips") || path.contains("private_ips"));
            context.call.release.is_none() && is_address(&difference.place) && none_is_lost(context)
        },
    },
    Rule {
        id: "nova-free-price",
        drivers: &["compute/openstack"],
        reason: "a cloud of one's own has no price list: its sizes have no price, not one of nothing",
        applies: |_, difference| {
            difference.key() == Some("price")
                && difference.recorded_number() == Some(0.0)
                && difference.ours.as_ref().is_none_or(Value::is_null)
        },
    },
    Rule {
        id: "nova-no-files",
        drivers: BOTH,
        reason: "a list of files without any is left out",
        applies: |_, difference| {
            matches!(&difference.place, Place::Body(path) if path.ends_with(".personality"))
                && difference.recorded == Some(Value::Array(Vec::new()))
                && difference.ours.is_none()
        },
    },
    Rule {
        id: "nova-truth-values",
        drivers: BOTH,
        reason: "truth values are sent as such, as the service documents; the original sends Python's word",
        applies: |_, difference| {
            matches!(&difference.place, Place::Body(_))
                && matches!(&difference.ours, Some(Value::Bool(ours))
                    if difference.recorded_text().eq_ignore_ascii_case(&ours.to_string()))
        },
    },
];

/// Whether all addresses are there, though some are with the others.
fn none_is_lost(context: &Context<'_>) -> bool {
    let count = |list: &dyn Fn(&crate::compare::Difference) -> Option<f64>| -> f64 {
        let lengths = context.differences.iter().filter(
            |difference| matches!(&difference.place, Place::Result(path) if path.ends_with("_ips.length")),
        );
        lengths.filter_map(list).sum()
    };
    let (theirs, ours) =
        (count(&|difference| difference.recorded_number()), count(&|difference| difference.our_number()));
    (theirs - ours).abs() < f64::EPSILON
}
