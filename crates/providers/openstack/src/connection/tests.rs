use http::HeaderMap;

use super::*;

fn refused(status: u16, body: &str) -> Error {
    let status = StatusCode::from_u16(status).unwrap();
    check(&Response::new(status, HeaderMap::new(), body.to_owned())).unwrap_err()
}

#[test]
fn every_service_is_understood_in_its_own_words() {
    for (status, body, kind, code, message) in [
        (
            404,
            r#"{"itemNotFound": {"code": 404, "message": "gone"}}"#,
            ErrorKind::NotFound,
            Some("itemNotFound"),
            "gone",
        ),
        (
            401,
            r#"{"error": {"code": 401, "title": "Unauthorized", "message": "who?"}}"#,
            ErrorKind::InvalidCredentials,
            Some("Unauthorized"),
            "who?",
        ),
        (
            404,
            r#"{"NeutronError": {"type": "NetworkNotFound", "message": "none", "detail": ""}}"#,
            ErrorKind::NotFound,
            Some("NetworkNotFound"),
            "none",
        ),
        (
            409,
            r#"{"NeutronError": {"type": "OverQuota", "message": "Quota exceeded for resources: ['port']."}}"#,
            ErrorKind::QuotaExceeded,
            Some("OverQuota"),
            "Quota exceeded for resources: ['port'].",
        ),
        // Old installations count calls and machines with one status.
        (
            413,
            r#"{"overLimit": {"code": 413, "message": "Quota exceeded for ram"}}"#,
            ErrorKind::QuotaExceeded,
            Some("overLimit"),
            "Quota exceeded for ram",
        ),
        (
            413,
            r#"{"overLimit": {"code": 413, "message": "too fast"}}"#,
            ErrorKind::RateLimited,
            Some("overLimit"),
            "too fast",
        ),
        (429, "", ErrorKind::RateLimited, None, "answered 429 Too Many Requests"),
        (
            400,
            r#"{"badRequest": "just words"}"#,
            ErrorKind::InvalidArgument,
            Some("badRequest"),
            "just words",
        ),
        (
            300,
            r#"{"versions": {"values": []}}"#,
            ErrorKind::Provider,
            Some("versions"),
            r#"answered 300 Multiple Choices: {"versions": {"values": []}}"#,
        ),
        (502, "<html>", ErrorKind::Provider, None, "answered 502 Bad Gateway"),
        (503, "[]", ErrorKind::Provider, None, "answered 503 Service Unavailable: []"),
    ] {
        let error = refused(status, body);
        assert_eq!((error.kind(), error.code(), error.message()), (kind, code, message));
    }
    assert!(!refused(413, r#"{"overLimit": {"message": "Quota exceeded"}}"#).is_retryable());
    assert!(refused(413, r#"{"overLimit": {"message": "too fast"}}"#).is_retryable());
}

#[test]
fn only_the_marker_of_a_link_counts() {
    assert_eq!(marker(Some("http://10.0.0.1/v2.1/servers?limit=2&marker=a%2Fb")), Some("a/b".to_owned()));
    assert_eq!(marker(Some("/v2/images?marker=x")), Some("x".to_owned()));
    assert_eq!(marker(Some("http://10.0.0.1/v2.1/servers?limit=2")), None);
    assert_eq!(marker(None), None);
}

#[test]
fn a_version_is_added_where_it_is_missing() {
    for (url, version, expected) in [
        ("https://image.example", Some("v2"), "https://image.example/v2"),
        ("https://image.example/v2/", Some("v2"), "https://image.example/v2/"),
        ("https://image.example/v2.0", Some("v2"), "https://image.example/v2.0"),
        ("https://example/image", Some("v2"), "https://example/image/v2"),
        ("https://example/vault", Some("v2"), "https://example/vault/v2"),
        ("https://example/compute", None, "https://example/compute"),
    ] {
        assert_eq!(with_version(url.parse().unwrap(), version).as_str(), expected);
    }
}
