use libcloud_common::{Body, Timestamp, Url};

use super::*;
use crate::credentials::Place;

/// The key is `password` in Base64.
fn signer(account: &str, version: &str) -> Signer {
    let grant = Grant::SharedKey("cGFzc3dvcmQ=".into());
    Signer::new(Credentials { account: account.into(), grant, place: Place::Public }, version.to_owned())
}

fn request(method: Method, segments: &[&str], query: &[(&'static str, &str)]) -> Request {
    let mut request = Request::new("Test", method, segments);
    for (name, value) in query {
        request.push_query(*name, value);
    }
    request
}

/// The request with all headers, and the string that was signed.
async fn signed(signer: &Signer, mut request: Request, base: &str, now: &str) -> (Request, String) {
    let base: Url = base.parse().unwrap();
    let target = Target::new(&base, now.parse::<Timestamp>().unwrap());
    signer.authenticate(&mut request, target).await.unwrap();
    let text = signer.string_to_sign(&request, target);
    (request, text)
}

const MINE: &str = "https://myaccount.blob.core.windows.net";
const NOW: &str = "2015-06-26T23:39:12Z";

/// The examples of Microsoft's page on Shared Key.
#[tokio::test]
async fn published_strings_to_sign() {
    let get = request(
        Method::GET,
        &["mycontainer"],
        &[("comp", "metadata"), ("restype", "container"), ("timeout", "20")],
    );
    let (_, text) = signed(&signer("myaccount", "2015-02-21"), get, MINE, NOW).await;
    assert_eq!(
        text,
        "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n\
         /myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20"
    );
    let list = request(
        Method::GET,
        &["mycontainer"],
        &[
            ("restype", "container"),
            ("comp", "list"),
            ("include", "snapshots"),
            ("include", "metadata"),
            ("include", "uncommittedblobs"),
        ],
    );
    let (_, text) = signed(&signer("myaccount", "2015-02-21"), list, MINE, NOW).await;
    let resource =
        "\n/myaccount/mycontainer\ncomp:list\ninclude:metadata,snapshots,uncommittedblobs\nrestype:container";
    assert!(text.ends_with(resource), "{text}");
    // No content has no length since 2015.
    for (version, length) in [("2015-02-21", ""), ("2014-02-14", "0")] {
        let put = request(Method::PUT, &["mycontainer"], &[("restype", "container"), ("timeout", "30")]);
        let (_, text) = signed(&signer("myaccount", version), put, MINE, NOW).await;
        assert_eq!(
            text,
            format!(
                "PUT\n\n\n{length}\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n\
                 x-ms-version:{version}\n/myaccount/mycontainer\nrestype:container\ntimeout:30"
            )
        );
    }
}

#[tokio::test]
async fn all_that_is_sent_is_signed() {
    let mut put = request(Method::PUT, &["c"], &[("comp", "block"), ("blockid", "a/b+c==")]);
    put.push_key("x//../ü +");
    put.set_header("Content-MD5", "md5==", false);
    put.set_header("Content-Type", "text/plain", false);
    put.set_header("If-None-Match", "*", false);
    put.set_header("Range", "bytes=0-1", false);
    put.set_header("x-ms-meta-b", "  two   words ", false);
    put.set_header("X-MS-Blob-Type", "BlockBlob", false);
    put.body = Body::Bytes("hello".into());
    let (request, text) = signed(&signer("a", "2021-12-02"), put, "http://127.0.0.1:10000/a", NOW).await;
    assert_eq!(
        text,
        "PUT\n\n\n5\nmd5==\ntext/plain\n\n\n\n*\n\nbytes=0-1\nx-ms-blob-type:BlockBlob\n\
         x-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-meta-b:two words\nx-ms-version:2021-12-02\n\
         /a/a/c/x//../%C3%BC%20%2B\nblockid:a/b+c==\ncomp:block"
    );
    assert!(request.headers["authorization"].is_sensitive());
}

/// Made by another implementation.
#[tokio::test]
async fn signatures() {
    let list =
        || request(Method::GET, &[""], &[("comp", "list"), ("maxresults", "100"), ("include", "metadata")]);
    let create = request(Method::PUT, &["new-container"], &[("restype", "container")]);
    let azure = "https://account.blob.core.windows.net";
    for (request, base, now, version, signature) in [
        (list(), azure, "2026-11-23T10:37:30Z", "2012-02-12", "Zxl8i4NPlgYdSJTCMdoSsJT9dzwcEmIcjUStFCan6os="),
        (create, azure, "2026-11-23T10:37:30Z", "2012-02-12", "RsVy/kZwDP/DAfGNdSBeiOeIF++ZNc+U9FZt2rZBEFM="),
        (
            list(),
            "http://localhost:10000/account",
            "2026-11-23T11:01:53Z",
            "2018-11-09",
            "CzlBjaOsGpIWaZFdwr0hSrNWVYJr5fzJcXXxHBSzm0A=",
        ),
    ] {
        let (request, text) = signed(&signer("account", version), request, base, now).await;
        let expected = format!("SharedKey account:{signature}");
        assert_eq!(request.headers["authorization"], expected.as_str(), "{text}");
    }
}

#[test]
fn service_sas_of_a_blob() {
    let sas = |version: &str, base: &str, now: &str| {
        let base: Url = base.parse().unwrap();
        let target = Target::new(&base, now.parse().unwrap());
        let day = Duration::from_secs(86400);
        signer("account", version).service_sas("r", "test_container200", "test", target, day).unwrap()
    };
    // Made by another implementation.
    assert_eq!(
        sas("2018-11-09", "https://account.blob.core.windows.net", "2026-11-23T11:01:52Z"),
        "st=2026-11-23T10%3A56%3A52Z&se=2026-11-24T11%3A01%3A52Z&sp=r&spr=https&sv=2018-11-09&sr=b\
         &sig=S3C2uduGrvWLQVe8nMBSin%2FDyyZKbk%2FdaOO7lF8Pj8s%3D"
    );
    let local = sas("2021-12-02", "http://127.0.0.1:10000/account", "2026-11-23T11:01:52Z");
    assert!(local.contains("&spr=https%2Chttp&sv=2021-12-02&"), "{local}");
}

#[tokio::test]
async fn a_shared_access_signature_becomes_part_of_the_query() {
    let grant = Grant::Sas("?sv=2021-12-02&se=2030-01-01T00%3A00%3A00Z&sp=rl&sig=a%2Bb+c%2F%3D".into());
    let credentials = Credentials { account: "a".into(), grant, place: Place::Public };
    let signer = Signer::new(credentials, "2021-12-02".to_owned());
    let (request, _) = signed(&signer, request(Method::GET, &["c"], &[("comp", "list")]), MINE, NOW).await;
    assert_eq!(
        request.encoded_query(),
        "comp=list&sv=2021-12-02&se=2030-01-01T00%3A00%3A00Z&sp=rl&sig=a%2Bb%2Bc%2F%3D"
    );
    assert_eq!(request.headers["x-ms-version"], "2021-12-02");
    assert!(!request.headers.contains_key("authorization"));
    assert!(request.to_string().contains("sp=rl&sig=•••"), "{request}");
    let base: Url = MINE.parse().unwrap();
    let target = Target::new(&base, NOW.parse().unwrap());
    let error = signer.service_sas("r", "c", "b", target, Duration::from_secs(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
}
