//! A server in memory that speaks enough of S3 for the behaviour suite, and is strict about it: no credentials, a digest
//! that is another, or a request that it does not know, are refused.

use std::collections::BTreeMap;

use libcloud_common::{digest, encode};
use libcloud_testkit::{Answer, Breaking, Fault, Received};

/// How many objects a page of a listing has.
pub(crate) const PAGE: usize = 20;

#[derive(Default)]
struct Stored {
    body: bytes::Bytes,
    headers: Vec<(String, String)>,
    etag: String,
}

/// An upload in parts.
struct Upload {
    key: String,
    headers: Vec<(String, String)>,
    parts: BTreeMap<u32, bytes::Bytes>,
}

#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Stored>,
    uploads: BTreeMap<String, Upload>,
}

#[derive(Default)]
struct State {
    buckets: BTreeMap<String, Bucket>,
    /// How many uploads in parts there ever were.
    uploads: usize,
}

/// The server; it holds nothing at first.
pub(crate) fn start() -> Breaking {
    let mut state = State::default();
    Breaking::reacting(|_| None, move |request| Fault::Answer(state.answer(request)))
}

fn error(status: u16, code: &str) -> Answer {
    Answer::new(status)
        .header("content-type", "application/xml")
        .body(format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"))
}

fn document(root: &str, content: &str) -> Answer {
    Answer::new(200).header("content-type", "application/xml").body(format!("<{root}>{content}</{root}>"))
}

fn decoded(text: &str) -> String {
    // A plus in a path is a plus.
    encode::decode_form(&text.replace('+', "%2B")).unwrap()
}

impl State {
    fn answer(&mut self, request: &Received) -> Answer {
        let signature = request.header("authorization").unwrap_or_default();
        if !signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") {
            return error(403, "InvalidAccessKeyId");
        }
        let digest = request.header("x-amz-content-sha256").unwrap_or_default();
        if digest != "UNSIGNED-PAYLOAD" && digest != digest::sha256_hex(&request.body) {
            return error(400, "XAmzContentSHA256Mismatch");
        }
        let path = request.path.trim_start_matches('/');
        let (bucket, key) = match path.split_once('/') {
            Some((bucket, key)) => (decoded(bucket), decoded(key)),
            None => (decoded(path), String::new()),
        };
        match (request.method.as_str(), bucket.is_empty(), key.is_empty()) {
            ("GET", true, true) => self.list_buckets(),
            ("PUT", false, true) => {
                if self.buckets.contains_key(&bucket) {
                    return error(409, "BucketAlreadyOwnedByYou");
                }
                self.buckets.insert(bucket, Bucket::default());
                Answer::new(200)
            }
            (method, false, _) => {
                let Some(Bucket { objects, uploads }) = self.buckets.get_mut(&bucket) else {
                    return error(404, "NoSuchBucket");
                };
                if method == "POST" && request.param("uploads").is_some() {
                    self.uploads += 1;
                    let id = format!("upload-{}", self.uploads);
                    uploads
                        .insert(id.clone(), Upload { key, headers: kept(request), parts: BTreeMap::new() });
                    return document("InitiateMultipartUploadResult", &format!("<UploadId>{id}</UploadId>"));
                }
                if let Some(id) = request.param("uploadId") {
                    return in_parts(objects, uploads, &id, &key, request);
                }
                match (method, key.is_empty()) {
                    ("HEAD", true) => Answer::new(200),
                    ("GET", true) => list(objects, request),
                    ("DELETE", true) if !objects.is_empty() => error(409, "BucketNotEmpty"),
                    ("DELETE", true) => {
                        self.buckets.remove(&bucket);
                        Answer::new(204)
                    }
                    ("PUT", false) => put(objects, key, request),
                    ("GET" | "HEAD", false) => get(objects, &key, request),
                    ("DELETE", false) => {
                        objects.remove(&key);
                        Answer::new(204)
                    }
                    _ => Answer::new(418),
                }
            }
            _ => Answer::new(418),
        }
    }

    fn list_buckets(&self) -> Answer {
        let bucket = |name: &String| {
            format!(
                "<Bucket><Name>{name}</Name><CreationDate>2024-05-01T08:00:00.000Z</CreationDate></Bucket>"
            )
        };
        let buckets: String = self.buckets.keys().map(bucket).collect();
        document("ListAllMyBucketsResult", &format!("<Buckets>{buckets}</Buckets>"))
    }
}

fn list(objects: &BTreeMap<String, Stored>, request: &Received) -> Answer {
    if request.param("list-type").as_deref() != Some("2")
        || request.param("encoding-type").as_deref() != Some("url")
    {
        return Answer::new(418);
    }
    let prefix = request.param("prefix").unwrap_or_default();
    let token = request.param("continuation-token");
    let after = token.map(|token| String::from_utf8(encode::decode_base64(&token).unwrap()).unwrap());
    let mut left = objects
        .iter()
        .filter(|(key, _)| key.starts_with(&prefix) && after.as_ref().is_none_or(|after| *key > after));
    let page: Vec<_> = left.by_ref().take(PAGE).collect();
    let next = if left.next().is_some() { page.last().map(|(key, _)| (*key).clone()) } else { None };
    let contents: Vec<String> = page
        .into_iter()
        .map(|(key, stored)| {
            format!(
                "<Contents><Key>{}</Key><Size>{}</Size><ETag>\"{}\"</ETag>\
                 <LastModified>2024-05-01T08:00:00.000Z</LastModified></Contents>",
                encode::key(key),
                stored.body.len(),
                stored.etag
            )
        })
        .collect();
    let truncated = next.is_some();
    let token = next.map_or_else(String::new, |next| {
        format!("<NextContinuationToken>{}</NextContinuationToken>", encode::base64(next))
    });
    document(
        "ListBucketResult",
        &format!(
            "<EncodingType>url</EncodingType><IsTruncated>{truncated}</IsTruncated>{token}{}",
            contents.concat()
        ),
    )
}

fn put(objects: &mut BTreeMap<String, Stored>, key: String, request: &Received) -> Answer {
    if request.header("if-none-match") == Some("*") && objects.contains_key(&key) {
        return error(412, "PreconditionFailed");
    }
    let etag = digest::md5_hex(&request.body);
    let answer = Answer::new(200).header("etag", format!("\"{etag}\""));
    objects.insert(key, Stored { body: request.body.clone(), headers: kept(request), etag });
    answer
}

/// The headers that stay with an object.
fn kept(request: &Received) -> Vec<(String, String)> {
    let kept = |name: &str| name == "content-type" || name.starts_with("x-amz-meta-");
    request.headers.iter().filter(|(name, _)| kept(name)).cloned().collect()
}

fn in_parts(
    objects: &mut BTreeMap<String, Stored>,
    uploads: &mut BTreeMap<String, Upload>,
    id: &str,
    key: &str,
    request: &Received,
) -> Answer {
    let Some(upload) = uploads.get_mut(id).filter(|upload| upload.key == key) else {
        return error(404, "NoSuchUpload");
    };
    match (request.method.as_str(), request.param("partNumber")) {
        ("PUT", Some(number)) => {
            let etag = digest::md5_hex(&request.body);
            upload.parts.insert(number.parse().unwrap(), request.body.clone());
            Answer::new(200).header("etag", format!("\"{etag}\""))
        }
        ("DELETE", None) => {
            uploads.remove(id);
            Answer::new(204)
        }
        ("POST", None) => {
            if request.header("if-none-match") == Some("*") && objects.contains_key(key) {
                return error(412, "PreconditionFailed");
            }
            let listed = request.text();
            let digests: Vec<String> = upload.parts.values().map(digest::md5_hex).collect();
            let complete = upload.parts.keys().copied().eq(1..=u32::try_from(digests.len()).unwrap())
                && digests.iter().all(|digest| listed.contains(digest));
            if !complete {
                return error(400, "InvalidPart");
            }
            let bytes: Vec<u8> =
                digests.iter().flat_map(|digest| encode::decode_hex(digest).unwrap()).collect();
            let etag = format!("{}-{}", digest::md5_hex(bytes), digests.len());
            let answer = document("CompleteMultipartUploadResult", &format!("<ETag>\"{etag}\"</ETag>"));
            let Upload { headers, parts, .. } = uploads.remove(id).unwrap();
            let body = parts.into_values().collect::<Vec<_>>().concat().into();
            objects.insert(key.to_owned(), Stored { body, headers, etag });
            answer
        }
        _ => Answer::new(418),
    }
}

fn get(objects: &BTreeMap<String, Stored>, key: &str, request: &Received) -> Answer {
    let Some(stored) = objects.get(key) else { return error(404, "NoSuchKey") };
    let size = stored.body.len();
    let etag = format!("\"{}\"", stored.etag);
    if request.header("if-match").is_some_and(|asked| asked != etag) {
        return error(412, "PreconditionFailed");
    }
    let mut answer = Answer::new(200);
    let mut body = stored.body.clone();
    if let Some(range) = request.header("range") {
        let (start, end) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        let start: usize = start.parse().unwrap();
        if start >= size {
            return error(416, "InvalidRange");
        }
        let end = end.parse().map_or(size - 1, |end: usize| end.min(size - 1));
        body = body.slice(start..=end);
        answer = Answer::new(206).header("content-range", format!("bytes {start}-{end}/{size}"));
    }
    for (name, value) in &stored.headers {
        answer = answer.header(name, value);
    }
    answer.header("etag", etag).header("last-modified", "Wed, 01 May 2024 08:00:00 GMT").body(body)
}
