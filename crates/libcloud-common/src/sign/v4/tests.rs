//! Vectors: AWS's signing test suite (in `suite`), the examples of the IAM and S3 documentation, and a signature recorded
//! from another client.

use proptest::prelude::*;

use super::*;
use crate::ErrorKind;

mod suite;

const TIMESTAMP: &str = "20150830T123600Z";
const SUITE_SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const S3_TIMESTAMP: &str = "20130524T000000Z";
const S3_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const S3_HOST: (&str, &str) = ("Host", "examplebucket.s3.amazonaws.com");

fn suite_key() -> Key {
    Key::derive(SUITE_SECRET, TIMESTAMP, "us-east-1", "service").unwrap()
}

fn s3_key() -> Key {
    Key::derive(S3_SECRET, S3_TIMESTAMP, "us-east-1", "s3").unwrap()
}

fn s3_signer(key: &Key) -> Signer<'_> {
    Signer::new("AKIAIOSFODNN7EXAMPLE", key, S3_TIMESTAMP, PathStyle::S3).unwrap()
}

// The walk-through of the documentation: IAM ListUsers.
#[test]
fn documented_steps_of_list_users() {
    assert_eq!(
        encode::hex(derive(SUITE_SECRET, "20150830", "us-east-1", "iam")),
        "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
    );
    let key = Key::derive(SUITE_SECRET, "20150830", "us-east-1", "iam").unwrap();
    let signer = Signer::new("AKIDEXAMPLE", &key, TIMESTAMP, PathStyle::Normalized).unwrap();
    let request = Request {
        method: "GET",
        path: "/",
        query: &[("Action", "ListUsers"), ("Version", "2010-05-08")],
        headers: &[
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("Host", "iam.amazonaws.com"),
            ("X-Amz-Date", TIMESTAMP),
        ],
        payload_hash: EMPTY_PAYLOAD,
    };
    let canonical = signer.canonical_request(&request);
    assert_eq!(
        canonical,
        "GET\n/\nAction=ListUsers&Version=2010-05-08\n\
         content-type:application/x-www-form-urlencoded; charset=utf-8\nhost:iam.amazonaws.com\n\
         x-amz-date:20150830T123600Z\n\ncontent-type;host;x-amz-date\n\
         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(
        signer.string_to_sign(&canonical),
        "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n\
         f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
    );
    assert_eq!(
        signer.authorization(&request).unwrap(),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, \
         Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    );
}

// The examples of S3's documentation: GET with Range, PUT, lifecycle of a bucket, listing.
#[test]
fn documented_s3_examples() {
    let key = s3_key();
    let signer = s3_signer(&key);
    let hash = digest::sha256_hex("Welcome to Amazon S3.");
    let empty = ("x-amz-content-sha256", EMPTY_PAYLOAD);
    let date = ("x-amz-date", S3_TIMESTAMP);
    let get = Request {
        method: "GET",
        path: "/test.txt",
        query: &[],
        headers: &[S3_HOST, ("Range", "bytes=0-9"), empty, date],
        payload_hash: EMPTY_PAYLOAD,
    };
    assert_eq!(signer.signature(&get), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    let put = Request {
        method: "PUT",
        path: "/test%24file.text",
        query: &[],
        headers: &[
            S3_HOST,
            ("Date", "Fri, 24 May 2013 00:00:00 GMT"),
            date,
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", &hash),
        ],
        payload_hash: &hash,
    };
    assert_eq!(signer.signature(&put), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    let lifecycle =
        Request { path: "/", query: &[("lifecycle", "")], headers: &[S3_HOST, empty, date], ..get };
    assert_eq!(
        signer.signature(&lifecycle),
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    );
    let list = Request { query: &[("max-keys", "2"), ("prefix", "J")], ..lifecycle };
    assert_eq!(signer.signature(&list), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

// The example of S3's documentation for query authentication.
#[test]
fn documented_s3_presigned_url() {
    let key = s3_key();
    let request = Request {
        method: "GET",
        path: "/test.txt",
        query: &[],
        headers: &[S3_HOST],
        payload_hash: UNSIGNED_PAYLOAD,
    };
    assert_eq!(
        s3_signer(&key).presign(&request, Duration::from_secs(86400), None).unwrap(),
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F\
         aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&\
         X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

// What another client computes for the same input.
#[test]
fn recorded_signature_with_folded_user_agent() {
    let key = Key::derive("my_secret", "20150304", "my_region", "my_service").unwrap();
    let request = Request {
        method: "GET",
        path: "/my_action/",
        query: &[("Action", "DescribeInstances"), ("Version", "2013-10-15")],
        headers: &[
            ("Host", "ec2.eu-west-1.amazonaws.com"),
            ("Accept-Encoding", "gzip,deflate"),
            ("X-AMZ-Date", "20150304T173452Z"),
            ("User-Agent", "libcloud/0.17.0 (Amazon EC2 (eu-central-1)) "),
        ],
        payload_hash: EMPTY_PAYLOAD,
    };
    let signer = Signer::new("my_key", &key, "20150304T173452Z", PathStyle::Normalized).unwrap();
    assert_eq!(
        signer.authorization(&request).unwrap(),
        "AWS4-HMAC-SHA256 Credential=my_key/20150304/my_region/my_service/aws4_request, \
         SignedHeaders=accept-encoding;host;user-agent;x-amz-date, \
         Signature=f9868f8414b3c3f856c7955019cc1691265541f5162b9b772d26044280d39bd3"
    );
}

#[test]
fn an_encoded_path_is_encoded_once_more_except_for_s3() {
    assert_eq!(canonical_path("/a%20b/c+d", PathStyle::Normalized), "/a%2520b/c%2Bd");
    for path in ["/a%20b//../c+d", "/", "//"] {
        assert_eq!(canonical_path(path, PathStyle::S3), path);
    }
    assert_eq!(canonical_path("", PathStyle::S3), "/");
    assert_eq!(canonical_path("", PathStyle::Normalized), "/");
}

#[test]
fn dot_segments_at_the_end_leave_a_slash() {
    let cases = [
        ("/a/.", "/a/"),
        ("/a/b/..", "/a/"),
        ("/..", "/"),
        ("/../../a", "/a"),
        ("/a/...", "/a/..."),
        ("a", "/a"),
    ];
    for (path, expected) in cases {
        assert_eq!(normalize(path), expected, "{path}");
    }
}

#[test]
fn repeated_parameters_sort_by_value() {
    assert_eq!(canonical_query(&[("a", "2"), ("a-", ""), ("a", "10"), ("a", "")]), "a=&a=10&a=2&a-=");
}

#[test]
fn wrong_dates_and_times_are_refused() {
    let invalid = |error: Error, part: &str| {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(part), "{error}");
    };
    for date in ["", "2015083", "2015-08-30", "2015083ü"] {
        invalid(Key::derive("canary", date, "r", "s").unwrap_err(), "no date like 20150830");
    }
    let key = suite_key();
    for timestamp in ["20150830", "2015-08-30T12:36:00Z", "20150830T1236000", "20150830 123600Z", ""] {
        let error = Signer::new("id", &key, timestamp, PathStyle::S3).unwrap_err();
        invalid(error, "no timestamp like 20150830T123600Z");
    }
    invalid(
        Signer::new("id", &key, "20150831T000000Z", PathStyle::S3).unwrap_err(),
        "the signing key for `20150830/us-east-1/service/aws4_request` cannot sign a request of 20150831T000000Z",
    );
}

#[test]
fn a_request_without_host_or_with_a_wrong_life_time_is_refused() {
    let key = s3_key();
    let signer = s3_signer(&key);
    let request =
        Request { method: "GET", path: "/", query: &[], headers: &[], payload_hash: UNSIGNED_PAYLOAD };
    let expires = Duration::from_secs(60);
    for error in [signer.authorization(&request), signer.presign(&request, expires, None)] {
        assert_eq!(error.unwrap_err().to_string(), "the header `host` must be among the signed headers");
    }
    let request = Request { headers: &[S3_HOST], ..request };
    for wrong in [Duration::ZERO, Duration::from_millis(999), MAX_EXPIRES + Duration::from_nanos(1)] {
        let error = signer.presign(&request, wrong, None).unwrap_err();
        assert!(error.to_string().ends_with("choose between 1 second and 7 days"), "{error}");
    }
    assert!(signer.presign(&request, MAX_EXPIRES, None).unwrap().contains("X-Amz-Expires=604800&"));
}

#[test]
fn debug_shows_no_credential() {
    let key = Key::derive("canary", TIMESTAMP, "r", "s").unwrap();
    let signer = Signer::new("canary", &key, TIMESTAMP, PathStyle::S3).unwrap();
    let request = Request {
        method: "GET",
        path: "/",
        query: &[("token", "canary")],
        headers: &[("x-amz-security-token", "canary")],
        payload_hash: "canary",
    };
    let shown = format!("{key:?} {signer:?} {request:?}");
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains("x-amz-security-token") && shown.contains("20150830/r/s"), "{shown}");
}

/// Paths with more slashes, dots and odd characters than chance would bring.
fn odd_path() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            Just("/".to_owned()),
            Just("/.".to_owned()),
            Just("/..".to_owned()),
            Just("/%2F".to_owned()),
            Just("/ü ~+".to_owned()),
            any::<String>()
        ],
        0..8,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn normalising_is_idempotent_and_leaves_no_dots(path in odd_path()) {
        let once = normalize(&path);
        prop_assert_eq!(normalize(&once), once.clone());
        prop_assert!(once.starts_with('/') && !once.contains("//"));
        prop_assert!(once.split('/').all(|segment| segment != "." && segment != ".."));
    }

    #[test]
    fn the_order_of_pairs_and_headers_does_not_matter(
        (pairs, shuffled) in prop::collection::vec(("[a-c%ü +-]{0,3}", "[a-c%ü =&]{0,3}"), 0..8)
            .prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle())),
        (headers, reordered) in prop::collection::btree_map("[a-z-]{1,8}", "[ -~]{0,12}", 0..6)
            .prop_map(|headers| headers.into_iter().collect::<Vec<_>>())
            .prop_flat_map(|headers| (Just(headers.clone()), Just(headers).prop_shuffle())),
        path in odd_path(),
    ) {
        fn borrow(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
        }
        let key = suite_key();
        let signer = Signer::new("id", &key, TIMESTAMP, PathStyle::Normalized).unwrap();
        let canonical = |pairs: &[(String, String)], headers: &[(String, String)]| {
            let (query, headers) = (borrow(pairs), borrow(headers));
            signer.canonical_request(&Request {
                method: "GET", path: &path, query: &query, headers: &headers, payload_hash: EMPTY_PAYLOAD,
            })
        };
        prop_assert_eq!(canonical(&pairs, &headers), canonical(&shuffled, &reordered));

        // What was signed decodes to what was given.
        let query = canonical_query(&borrow(&pairs));
        let mut decoded: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut given = pairs;
        decoded.sort();
        given.sort();
        prop_assert_eq!(decoded, given);
    }
}
