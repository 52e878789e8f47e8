//! Certificates, versions of TLS and redirects, against nginx, which must be running: `TLS_CA`, `TLS_GOOD` and the others
//! tell where. Every refusal has to say why.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::env::var;

use libcloud_common::auth::Bearer;
use libcloud_common::{Config, Connection, Error, ErrorKind, Response, Result, TransportConfig, Url};

/// A connection that trusts the peer's authority alone and repeats nothing.
fn connection(server: &str, transport: TransportConfig) -> Connection {
    let url: Url = var(server).unwrap().parse().unwrap();
    let config = Config::anonymous().transport(transport.retries(0));
    Connection::builder("example", url, &config).auth(Bearer("canary".into())).build()
}

fn trusting() -> TransportConfig {
    TransportConfig::new().ca_file(var("TLS_CA").unwrap())
}

async fn get(server: &str, transport: TransportConfig) -> Result<Response> {
    let path: [&str; 0] = [];
    connection(server, transport).get("Get", path).send().await
}

async fn answer(server: &str) -> String {
    get(server, trusting()).await.unwrap().text().into_owned()
}

async fn refusal(server: &str) -> Error {
    get(server, trusting()).await.expect_err(server)
}

/// The error is of TLS, is not worth a retry, says all of this, and nothing of the token.
#[track_caller]
fn assert_says(error: &Error, words: &[&str]) {
    let text = format!("{error:#}");
    assert_eq!(error.kind(), ErrorKind::Tls, "{text}");
    assert!(!error.is_retryable(), "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test]
async fn a_good_certificate_is_taken() {
    assert!(answer("TLS_GOOD").await.starts_with("ok TLSv1.3"));
}

#[tokio::test]
async fn http_2_is_spoken_where_the_server_offers_it() {
    assert_eq!(answer("TLS_GOOD").await, "ok TLSv1.3 HTTP/2.0\n");
}

#[tokio::test]
async fn a_certificate_of_an_intermediate_authority_is_taken_with_it() {
    assert!(answer("TLS_CHAIN").await.starts_with("ok TLSv1.3"));
}

#[tokio::test]
async fn tls_1_2_is_spoken() {
    assert!(answer("TLS_TLS12").await.starts_with("ok TLSv1.2"));
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_of_the_client_says_so() {
    let error = refusal("TLS_NEEDS_CLIENT").await;
    let text = format!("{error:#}");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400), "{text}");
    assert!(text.contains("No required SSL certificate was sent"), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    assert_says(&refusal("TLS_EXPIRED").await, &["certificate is refused", "expired"]);
}

#[tokio::test]
async fn a_certificate_of_tomorrow_is_refused() {
    assert_says(&refusal("TLS_NOT_YET_VALID").await, &["certificate is refused", "not valid yet"]);
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    assert_says(&refusal("TLS_WRONG_HOST").await, &["certificate is refused", "another host name"]);
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let words = ["certificate is refused", "signed by nobody trusted", "CA file"];
    assert_says(&refusal("TLS_UNTRUSTED").await, &words);
    assert_says(&refusal("TLS_NO_INTERMEDIATE").await, &words);
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused() {
    assert_says(&refusal("TLS_SELF_SIGNED").await, &["certificate is refused", "self-signed"]);
}

#[tokio::test]
async fn without_its_authority_a_good_certificate_is_refused() {
    // The platform's authorities alone.
    let error = get("TLS_GOOD", TransportConfig::new()).await.unwrap_err();
    assert_says(&error, &["certificate is refused", "signed by nobody trusted"]);
}

#[tokio::test]
async fn old_versions_of_tls_are_refused() {
    assert_says(&refusal("TLS_TLS10").await, &["TLS handshake failed", "rotocol"]);
}

#[tokio::test]
async fn verification_is_off_only_where_it_was_switched_off() {
    for server in ["TLS_EXPIRED", "TLS_NOT_YET_VALID", "TLS_WRONG_HOST", "TLS_UNTRUSTED", "TLS_SELF_SIGNED"] {
        let mut transport = TransportConfig::new();
        transport.verify_certificates = false;
        let text = get(server, transport).await.unwrap().text().into_owned();
        assert!(text.starts_with("ok TLS"), "{server}: {text}");
    }
}

#[tokio::test]
async fn a_ca_file_that_is_none_is_named() {
    let missing = TransportConfig::new().ca_file("/nowhere/ca.pem");
    assert_says(&get("TLS_GOOD", missing).await.unwrap_err(), &["CA file /nowhere/ca.pem"]);
    let key = var("TLS_CLIENT_KEY").unwrap();
    let error = get("TLS_GOOD", TransportConfig::new().ca_file(&key)).await.unwrap_err();
    assert_says(&error, &[&key, "holds no certificate"]);
}

/// Asks for what answers with a redirect. The peer's targets are there: an answer would mean that it was followed.
async fn redirected(path: &str) -> String {
    let error = connection("TLS_REDIRECT", trusting()).get("Get", [path]).send().await.expect_err(path);
    let text = format!("{error:#}");
    assert!(!error.is_retryable(), "{text}");
    assert!(!text.contains("canary"), "{text}");
    text
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_not_followed() {
    for (path, target) in [
        ("to-https", var("TLS_GOOD").unwrap()),
        ("to-http", var("TLS_STATIC").unwrap().replace("127.0.0.1", "localhost")),
        ("elsewhere", var("TLS_STATIC").unwrap()),
    ] {
        let text = redirected(path).await;
        let words = format!("not followed to {target}");
        assert!(text.contains(&words), "{path}: `{words}` is not in: {text}");
    }
}

#[tokio::test]
async fn a_loop_of_redirects_ends() {
    let text = redirected("loop").await;
    assert!(text.contains("redirect"), "{text}");
}
