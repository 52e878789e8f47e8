//! The S3 side: listings over synthetic keys, objects named `size-<bytes>`, uploads that are counted.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bench_content::{hex, md5_of};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response};
use md5::{Digest, Md5};

use crate::body::Body;
use crate::{Reply, State, error, xml};

const NS: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
const DATE: &str = "2026-01-02T03:04:05.000Z";
const HTTP_DATE: &str = "Fri, 02 Jan 2026 03:04:05 GMT";
/// Bodies up to this size are hashed for a true ETag.
const HASH_LIMIT: u64 = 1 << 20;

pub(crate) struct Store {
    /// What was uploaded: name, size and ETag.
    put: Mutex<HashMap<String, (u64, String)>>,
    md5_of_size: Mutex<HashMap<u64, String>>,
    uploads: AtomicU64,
    parts: Mutex<HashMap<String, u64>>,
}

impl Store {
    pub(crate) fn new() -> Self {
        Store {
            put: Mutex::default(),
            md5_of_size: Mutex::default(),
            uploads: AtomicU64::new(1),
            parts: Mutex::default(),
        }
    }

    /// The true MD5 of `size` bytes of the pattern; computed once.
    fn md5(&self, size: u64) -> String {
        let mut map = self.md5_of_size.lock().unwrap();
        map.entry(size).or_insert_with(|| md5_of(size)).clone()
    }
}

/// The value of a query parameter, percent-decoded.
pub(crate) fn param(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|kv| {
        let (k, v) = kv.split_once('=').unwrap_or((kv, ""));
        (k == name).then(|| decode(v))
    })
}

pub(crate) fn decode(v: &str) -> String {
    let mut out = Vec::with_capacity(v.len());
    let mut it = v.bytes();
    while let Some(b) = it.next() {
        match b {
            b'%' => {
                let mut digit = || it.next().and_then(|c| (c as char).to_digit(16)).unwrap_or(0) as u8;
                out.push(digit() << 4 | digit());
            }
            b'+' => out.push(b' '),
            _ => out.push(b),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

pub(crate) async fn handle(state: &State, req: Request<Incoming>) -> Reply {
    let path = decode(req.uri().path());
    let query = req.uri().query().unwrap_or("").to_owned();
    let rest = path.trim_start_matches('/');
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    let has = |name: &str| query.split('&').any(|kv| kv == name || kv.starts_with(&format!("{name}=")));
    match (req.method().as_str(), bucket, key) {
        ("GET", "", _) => {
            state.op("ListBuckets");
            xml(format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListAllMyBucketsResult xmlns=\"{NS}\"><Owner><ID>bench</ID><DisplayName>bench</DisplayName></Owner><Buckets><Bucket><Name>bench</Name><CreationDate>{DATE}</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>"
            ))
        }
        ("GET", _, "") if has("location") => {
            state.op("GetBucketLocation");
            xml(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint xmlns=\"{NS}\"/>"))
        }
        ("GET", _, "") if has("versioning") || has("policy") || has("object-lock") => {
            error(404, "NoSuchConfiguration")
        }
        ("GET", b, "") => list(state, b, &query),
        ("HEAD" | "PUT", _, "") => {
            state.op("Bucket");
            let _ = drain(state, req).await;
            Response::builder().header("x-amz-bucket-region", "us-east-1").body(Body::empty()).unwrap()
        }
        ("POST", b, k) if has("uploads") => {
            state.op("CreateMultipartUpload");
            let id = format!("upload-{}", state.s3.uploads.fetch_add(1, Relaxed));
            xml(format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<InitiateMultipartUploadResult xmlns=\"{NS}\"><Bucket>{b}</Bucket><Key>{k}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            ))
        }
        ("PUT", _, _) if has("partNumber") => {
            state.op("UploadPart");
            let id = param(&query, "uploadId").unwrap_or_default();
            let (size, etag) = drain(state, req).await;
            *state.s3.parts.lock().unwrap().entry(id).or_default() += size;
            Response::builder().header("etag", format!("\"{etag}\"")).body(Body::empty()).unwrap()
        }
        ("POST", b, k) if has("uploadId") => {
            state.op("CompleteMultipartUpload");
            let id = param(&query, "uploadId").unwrap_or_default();
            let _ = drain(state, req).await;
            let size = state.s3.parts.lock().unwrap().remove(&id).unwrap_or(0);
            let etag = format!("{}-9", state.s3.md5(0));
            state.s3.put.lock().unwrap().insert(k.to_owned(), (size, etag.clone()));
            xml(format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CompleteMultipartUploadResult xmlns=\"{NS}\"><Location>/{b}/{k}</Location><Bucket>{b}</Bucket><Key>{k}</Key><ETag>\"{etag}\"</ETag></CompleteMultipartUploadResult>"
            ))
        }
        ("DELETE", _, _) => {
            state.op(if has("uploadId") { "AbortMultipartUpload" } else { "Delete" });
            state.s3.put.lock().unwrap().remove(key);
            Response::builder().status(204).body(Body::empty()).unwrap()
        }
        ("PUT", _, k) => {
            state.op("PutObject");
            let k = k.to_owned();
            let (size, etag) = drain(state, req).await;
            let reply =
                Response::builder().header("etag", format!("\"{etag}\"")).body(Body::empty()).unwrap();
            state.s3.put.lock().unwrap().insert(k, (size, etag));
            reply
        }
        ("GET" | "HEAD", _, k) => get(state, &req, k),
        _ => error(405, "MethodNotAllowed"),
    }
}

fn get(state: &State, req: &Request<Incoming>, key: &str) -> Reply {
    let head = req.method() == "HEAD";
    state.op(if head { "HeadObject" } else { "GetObject" });
    let stored = state.s3.put.lock().unwrap().get(key).cloned();
    let name = key.rsplit('/').next().unwrap_or(key);
    let synthetic = name
        .strip_prefix("size-")
        .and_then(|n| n.parse().ok())
        .or_else(|| key.strip_prefix("small/").map(|_| 4096))
        .or_else(|| key.strip_prefix("object-").map(|_| 4096));
    let (size, etag) = match (stored, synthetic) {
        (Some(found), _) => found,
        (None, Some(size)) => (size, state.s3.md5(size)),
        (None, None) => return error(404, "NoSuchKey"),
    };
    let range = req.headers().get("range").and_then(|v| v.to_str().ok()).and_then(|v| {
        let (from, to) = v.strip_prefix("bytes=")?.split_once('-')?;
        let from: u64 = from.parse().ok()?;
        let to = to.parse().unwrap_or(size - 1).min(size - 1);
        (from <= to).then_some((from, to))
    });
    let mut r = Response::builder()
        .header("etag", format!("\"{etag}\""))
        .header("last-modified", HTTP_DATE)
        .header("accept-ranges", "bytes")
        .header("content-type", "application/octet-stream")
        .header("x-amz-request-id", "BENCHREQUEST0001");
    let (at, len) = match range {
        Some((from, to)) => {
            r = r.status(206).header("content-range", format!("bytes {from}-{to}/{size}"));
            (from, to - from + 1)
        }
        None => (0, size),
    };
    r.body(Body::repeat(at, len)).unwrap()
}

/// Reads a request body to its end; its (decoded) size and ETag.
async fn drain(state: &State, req: Request<Incoming>) -> (u64, String) {
    let len = |name: &str| req.headers().get(name).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    let chunked = len("x-amz-decoded-content-length");
    let promised = chunked.or(len("content-length"));
    let mut hash = (chunked.is_none() && promised.is_some_and(|n| n <= HASH_LIMIT)).then(Md5::new);
    let mut size = 0;
    let mut body = req.into_body();
    while let Some(Ok(frame)) = body.frame().await {
        if let Some(data) = frame.data_ref() {
            size += data.len() as u64;
            if let Some(h) = &mut hash {
                h.update(data);
            }
        }
    }
    state.count.bytes_in.fetch_add(size, Relaxed);
    let size = chunked.unwrap_or(size);
    let etag = match (hash, state.opts.known.get(&size)) {
        (Some(h), _) => hex(&h.finalize()),
        (None, Some(known)) => known.clone(),
        (None, None) => "0123456789abcdef0123456789abcdef-1".to_owned(),
    };
    (size, etag)
}

/// `object-000000000.bin` … in the bucket's root, `small/000000.bin` … below `small/`, nothing elsewhere.
/// A bucket named `keys-<n>` has n keys in its root, any other what `--keys` said.
fn list(state: &State, bucket: &str, query: &str) -> Reply {
    state.op("ListObjects");
    let v2 = param(query, "list-type").as_deref() == Some("2");
    let max: u64 = param(query, "max-keys").and_then(|v| v.parse().ok()).unwrap_or(1000).min(1000);
    let prefix = param(query, "prefix").unwrap_or_default();
    let (stem, total, width) = if prefix.is_empty() || "object-".starts_with(&prefix) {
        let keys = bucket.strip_prefix("keys-").and_then(|n| n.parse().ok()).unwrap_or(state.opts.keys);
        ("object-", keys, 9)
    } else if prefix.starts_with("small") {
        ("small/", state.opts.small, 6)
    } else {
        ("none", 0, 0)
    };
    let after = param(query, "continuation-token")
        .or_else(|| param(query, "start-after"))
        .or_else(|| param(query, "marker"))
        .and_then(|k| k.strip_prefix(stem)?.strip_suffix(".bin")?.parse::<u64>().ok());
    let from = after.map_or(0, |n| n + 1).min(total);
    let to = (from + max).min(total);
    let more = to < total;
    let mut s = String::with_capacity(400 * (to - from) as usize + 600);
    let _ = write!(
        s,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"{NS}\"><Name>{bucket}</Name><Prefix>{prefix}</Prefix><MaxKeys>{max}</MaxKeys><IsTruncated>{more}</IsTruncated>"
    );
    if v2 {
        let _ = write!(s, "<KeyCount>{}</KeyCount>", to - from);
    }
    if more {
        let tag = if v2 { "NextContinuationToken" } else { "NextMarker" };
        let _ = write!(s, "<{tag}>{stem}{:0width$}.bin</{tag}>", to - 1);
    }
    let owner = if v2 {
        ""
    } else {
        "<Owner><ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID><DisplayName>bench</DisplayName></Owner>"
    };
    for i in from..to {
        let _ = write!(
            s,
            "<Contents><Key>{stem}{i:0width$}.bin</Key><LastModified>{DATE}</LastModified><ETag>&quot;{i:016x}9a0364b9e99bb480&quot;</ETag><Size>4096</Size>{owner}<StorageClass>STANDARD</StorageClass></Contents>"
        );
    }
    s.push_str("</ListBucketResult>");
    xml(Bytes::from(s))
}
