//! What came to S3 with parts, checksums and clean-ups.

use super::Rule;
use crate::compare::Place;

const S3: &[&str] = &["storage/s3"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "s3-checksum-mode",
        drivers: S3,
        reason: "S3 tells the checksum of a download to those who ask for it, and what arrives is compared with it",
        applies: |_, difference| {
            difference.place == Place::Header("x-amz-checksum-mode".into())
                && difference.recorded.is_none()
                && difference.our_text() == "ENABLED"
        },
    },
    Rule {
        id: "s3-uploads-listing",
        drivers: S3,
        reason: "uploads in parts are listed with encoded names, which takes every name, and in pages of a thousand",
        applies: |context, difference| {
            context.call.call.ends_with("_multipart_uploads")
                && match &difference.place {
                    Place::Param(name) if name == "encoding-type" => {
                        difference.recorded.is_none() && difference.our_text() == "url"
                    }
                    Place::Param(name) if name == "max-uploads" => difference.ours.is_none(),
                    Place::Path => difference.recorded_text() == format!("{}/", difference.our_text()),
                    _ => false,
                }
        },
    },
    Rule {
        id: "s3-part-size",
        drivers: S3,
        reason: "parts have 8 MiB; the original sends more of 5",
        applies: |context, difference| {
            let first = context.received.first();
            context.call.call.starts_with("upload_object")
                && difference.place == Place::Missing
                && difference.recorded_text().starts_with("PUT /")
                && difference.recorded_text().contains("partNumber=")
                && first.is_some_and(|request| request.method == "POST")
        },
    },
    Rule {
        id: "s3-tagged",
        drivers: S3,
        reason: "S3 tells an entity tag of every object: an answer without one is somebody else's, such as that of a network \
                 that wants a login",
        applies: |_, difference| {
            difference.place == Place::Outcome && difference.our_text().contains("`etag`: it is missing")
        },
    },
];
