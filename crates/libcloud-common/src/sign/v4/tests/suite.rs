//! Cases of AWS's signing test suite, as published with [aws-c-auth](https://github.com/awslabs/aws-c-auth): the input of
//! each, and its signature as a header and in a presigned query.

use super::*;

/// One case of the test suite: headers besides `host` and `x-amz-date`, and the two expected signatures.
struct Case<'a> {
    name: &'a str,
    method: &'a str,
    path: &'a str,
    style: PathStyle,
    query: &'a [(&'a str, &'a str)],
    headers: &'a [(&'a str, &'a str)],
    token: Option<&'a str>,
    header_signature: &'a str,
    query_signature: &'a str,
}

const VANILLA: Case<'static> = Case {
    name: "get-vanilla",
    method: "GET",
    path: "/",
    style: PathStyle::Normalized,
    query: &[],
    headers: &[],
    token: None,
    header_signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    query_signature: "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d",
};

const UNRESERVED: &str = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const SUITE: &[Case<'static>] = &[
    VANILLA,
    Case { name: "get-relative-relative-normalized", path: "/example1/example2/../..", ..VANILLA },
    Case {
        name: "get-vanilla-query-order-key-case",
        query: &[("Param2", "value2"), ("Param1", "value1")],
        header_signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        query_signature: "86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5",
        ..VANILLA
    },
    Case {
        name: "get-vanilla-query-order-encoded",
        query: &[("Param-3", "Value3"), ("Param", "Value2"), ("\u{1234}", "Value1")],
        header_signature: "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
        query_signature: "c5f1848ceec943ac2ca68ee720460c23aaae30a2300586597ada94c4a65e4787",
        ..VANILLA
    },
    Case {
        name: "get-vanilla-utf8-query",
        query: &[("\u{1234}", "bar")],
        header_signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        query_signature: "0bdd809b1519ac4f0c1dc3540e2cc46bd0c7f778eda408b2ebf3b913d21ff600",
        ..VANILLA
    },
    Case {
        name: "get-vanilla-query-unreserved",
        query: &[(UNRESERVED, UNRESERVED)],
        header_signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        query_signature: "8e76a88a7433637b12778d5592799b29ad21ecd6cf6325051c21d86f0acda2bf",
        ..VANILLA
    },
    Case {
        name: "get-unreserved",
        path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        header_signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        query_signature: "95968482db1b9e0fadef6efc1bd24689f77c77d9ef56919c96a28cc92e0d6005",
        ..VANILLA
    },
    // The suite's requests have these two paths unencoded, so that encoding "once more" is encoding once.
    Case {
        name: "get-utf8",
        path: "/\u{1234}",
        header_signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        query_signature: "10eae3f14a260bd3911cc6d008d3c576d143b05b62f09782a7a4b37f52178e44",
        ..VANILLA
    },
    Case {
        name: "get-space-normalized",
        path: "/example space/",
        header_signature: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
        query_signature: "7a1f416954786484c9824d93c1f26ef64acb9b1b6c9154d08c9f07d0e394abf6",
        ..VANILLA
    },
    Case {
        name: "get-slashes-normalized",
        path: "//example//",
        header_signature: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
        query_signature: "c1834e8fb0307243711f0f907f6ab7311ed300d87f13792d7ee4da89ab93e082",
        ..VANILLA
    },
    Case {
        name: "get-slash-pointless-dot-normalized",
        path: "/./example",
        header_signature: "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
        query_signature: "35034b1a0bdd969f346975386daf8aedfd4976573b8348cf4f67eaa41c5857de",
        ..VANILLA
    },
    Case {
        name: "get-slashes-unnormalized",
        path: "//example//",
        style: PathStyle::S3,
        header_signature: "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5",
        query_signature: "822a5a9ba28072c5ab2bb4a6307d0c88276d40e49fec6b724c03fb4d4ba60fc2",
        ..VANILLA
    },
    Case {
        name: "get-relative-unnormalized",
        path: "/example/..",
        style: PathStyle::S3,
        header_signature: "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282",
        query_signature: "cbcb213b928a077e43275df47b500f1dfaa864ab3f5a18f6b95f4ff0938167ee",
        ..VANILLA
    },
    Case {
        name: "get-header-key-duplicate",
        headers: &[("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")],
        header_signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        query_signature: "3349ee0b81b4b589da0ff28a395c3591e04de515651dd74f298fa992d1507a97",
        ..VANILLA
    },
    Case {
        name: "get-header-value-order",
        headers: &[
            ("My-Header1", "value4"),
            ("My-Header1", "value1"),
            ("My-Header1", "value3"),
            ("My-Header1", "value2"),
        ],
        header_signature: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
        query_signature: "313720e71ca6202fdcfa9b20f88de01a4eb0638a83c833b1c184359a4eda864e",
        ..VANILLA
    },
    Case {
        name: "get-header-value-trim",
        headers: &[("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
        header_signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        query_signature: "e7bb0fd515e125e1aec2ecc4c0c17484fb06f6846b927c35e46005dd3df3acd4",
        ..VANILLA
    },
    Case {
        name: "get-header-value-multiline",
        headers: &[("My-Header1", "value1\n  value2\n     value3")],
        header_signature: "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd",
        query_signature: "e6f5def831211aca02987a44b96826706278c7bc078112ae0263659c5b2f2d56",
        ..VANILLA
    },
    Case {
        name: "post-header-key-sort",
        method: "POST",
        headers: &[("My-Header1", "value1")],
        header_signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        query_signature: "c09d07e0d55871f10f2a6d350d994acf6825a3cae70673d7def55616e6119dd7",
        ..VANILLA
    },
    Case {
        name: "post-vanilla-empty-query-value",
        method: "POST",
        query: &[("Param1", "value1")],
        header_signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        query_signature: "a9ef26247f293bffe40eeff86a0480ba8c14d31503b2e0c3399e3a16bf1a3682",
        ..VANILLA
    },
    Case {
        name: "get-vanilla-with-session-token",
        token: Some("6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"),
        header_signature: "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        query_signature: "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c",
        ..VANILLA
    },
];

#[test]
fn test_suite_headers() {
    let key = suite_key();
    for case in SUITE {
        let signer = Signer::new("AKIDEXAMPLE", &key, TIMESTAMP, case.style).unwrap();
        let mut headers = vec![("X-Amz-Date", TIMESTAMP), ("Host", "example.amazonaws.com")];
        headers.extend(case.headers);
        headers.extend(case.token.map(|token| ("X-Amz-Security-Token", token)));
        let request = Request {
            method: case.method,
            path: case.path,
            query: case.query,
            headers: &headers,
            payload_hash: EMPTY_PAYLOAD,
        };
        assert_eq!(
            signer.signature(&request),
            case.header_signature,
            "{}:\n{}",
            case.name,
            signer.canonical_request(&request)
        );
    }
}

#[test]
fn test_suite_queries() {
    let key = suite_key();
    for case in SUITE {
        let signer = Signer::new("AKIDEXAMPLE", &key, TIMESTAMP, case.style).unwrap();
        let mut headers = vec![("Host", "example.amazonaws.com")];
        headers.extend(case.headers);
        let request = Request {
            method: case.method,
            path: case.path,
            query: case.query,
            headers: &headers,
            payload_hash: EMPTY_PAYLOAD,
        };
        let query = signer.presign(&request, Duration::from_secs(3600), case.token).unwrap();
        let (_, signature) = query.split_once("&X-Amz-Signature=").unwrap();
        assert_eq!(signature, case.query_signature, "{}: {query}", case.name);
    }
}

#[test]
fn test_suite_signed_body() {
    let hash = digest::sha256_hex("Param1=value1");
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Host", "example.amazonaws.com"),
        ("Content-Length", "13"),
        ("x-amz-content-sha256", hash.as_str()),
        ("x-amz-date", TIMESTAMP),
    ];
    let request = Request { method: "POST", path: "/", query: &[], headers: &headers, payload_hash: &hash };
    let key = suite_key();
    let signer = Signer::new("AKIDEXAMPLE", &key, TIMESTAMP, PathStyle::Normalized).unwrap();
    assert_eq!(
        signer.authorization(&request).unwrap(),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
         SignedHeaders=content-length;content-type;host;x-amz-content-sha256;x-amz-date, \
         Signature=d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"
    );
}
