//! Who is trusted, and what is told when nobody can be.

use libcloud_common::{Connection, ErrorKind, TransportConfig};

use crate::{clock, config};

async fn refusal(transport: TransportConfig) -> String {
    let config = config(&clock()).transport(transport.retries(0));
    let connection = Connection::builder("example", "https://127.0.0.1:1".parse().unwrap(), &config).build();
    let error = connection.get("GetThing", ["x"]).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, empty, key) =
        (folder.path().join("missing.pem"), folder.path().join("empty.pem"), folder.path().join("key.pem"));
    std::fs::write(&empty, "# nobody\n").unwrap();
    std::fs::write(&key, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();

    let error = refusal(TransportConfig::new().ca_file(&missing)).await;
    assert!(error.contains(&format!("CA file {}: ", missing.display())), "{error}");
    let error = refusal(TransportConfig::new().ca_file(&empty)).await;
    assert!(error.ends_with(&format!("CA file {}: it holds no certificate", empty.display())), "{error}");
    let error = refusal(TransportConfig::new().ca_file(&key)).await;
    assert!(error.contains(&format!("CA file {}: ", key.display())), "{error}");

    let mut transport = TransportConfig::new();
    transport.verify_certificates = false;
    transport.client_certificate = Some(missing.clone());
    let error = refusal(transport).await;
    assert!(error.contains(&format!("client key {}: ", missing.display())), "{error}");
}

/// The environment is that of a process, so this asks one of its own.
#[test]
fn the_file_that_the_environment_names_is_the_only_one() {
    let own = std::env::current_exe().unwrap();
    let arguments = ["--ignored", "--exact", "authorities::says_whom_it_trusts", "--nocapture"];
    let missing = "/nonexistent/authorities.pem";
    let output =
        std::process::Command::new(own).args(arguments).env("SSL_CERT_FILE", missing).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(&format!("CA file {missing}: ")), "{text}");
}

/// The child of the test above.
#[test]
#[ignore = "a part of another test, which starts it"]
fn says_whom_it_trusts() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("{}", runtime.block_on(refusal(TransportConfig::new())));
}
