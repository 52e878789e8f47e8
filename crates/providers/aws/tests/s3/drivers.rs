//! Other services that speak the protocol: DigitalOcean Spaces, MinIO, and any by its dialect.

use libcloud_aws::s3::{ListVersion, S3Dialect, S3Signature};
use libcloud_aws::{digitalocean_spaces, minio};
use libcloud_common::{Descriptor, Driver as _, ErrorKind, Support};
use libcloud_storage::StorageDriverExt as _;
use libcloud_testkit::{canary, capabilities, sent_once};

use crate::*;

fn given() -> Config {
    Config::new("AKIDEXAMPLE", "canary-secret")
        .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()))
}

#[tokio::test]
async fn what_holds_for_every_driver_holds_for_these() {
    for registration in [digitalocean_spaces, minio] {
        let missing = capabilities(&subject_of(registration())).await;
        assert_eq!(missing, ["get_container_cdn_url", "enable_container_cdn", "enable_object_cdn"]);
        let can = (registration().capabilities)();
        for method in missing {
            assert!(matches!(can.of(method), Support::ProviderCannot { .. }), "{method}");
        }
        sent_once(&subject_of(registration())).await;
        canary(&subject_of(registration())).await;
    }
}

#[tokio::test]
async fn spaces_are_hosts_of_a_region() {
    let place = |config: Config| async {
        let driver = S3Driver::digitalocean_spaces(config).unwrap();
        let url = driver.get_object_cdn_url(&cat()).await.unwrap();
        (driver.region().to_owned(), url.split('?').next().unwrap().to_owned())
    };
    for (config, region, url) in [
        (given(), "nyc3", "https://photos.nyc3.digitaloceanspaces.com/cat.jpg"),
        (given().region("sgp1"), "sgp1", "https://photos.sgp1.digitaloceanspaces.com/cat.jpg"),
        (
            given().region("ams3").option("path_style", true),
            "ams3",
            "https://ams3.digitaloceanspaces.com/photos/cat.jpg",
        ),
    ] {
        assert_eq!(place(config).await, (region.to_owned(), url.to_owned()));
    }
    let driver = S3Driver::digitalocean_spaces(given()).unwrap();
    assert_eq!(driver.descriptor().id, "digitalocean_spaces");
    assert!(driver.ex_list_regions().unwrap().contains(&"fra1"));
    let old = S3Driver::digitalocean_spaces(given().option("signature_version", 2)).unwrap();
    let url = old.get_object_cdn_url(&cat()).await.unwrap();
    assert!(url.contains("?AWSAccessKeyId=AKIDEXAMPLE&Expires="), "{url}");
}

#[tokio::test]
async fn a_space_is_made_where_its_host_is() {
    let server = Mock::start();
    let put = Exchange::put("/photos").header("content-length", "0");
    server.expect(put.header("authorization", matching(".*/sgp1/s3/aws4_request.*")).answers(200));
    let config = config(server.url().as_str()).region("sgp1").option("path_style", true);
    S3Driver::digitalocean_spaces(config).unwrap().create_container("photos").await.unwrap();
}

#[tokio::test]
async fn minio_is_where_the_configuration_says() {
    let server = Mock::start();
    let driver = S3Driver::minio(config(server.url().as_str())).unwrap();
    server.expect(Exchange::head("/photos").answers(404));
    let error = driver.get_container("photos").await.unwrap_err();
    assert_eq!(error.to_string(), "minio HeadBucket: container `photos` does not exist");
    assert_eq!(driver.ex_list_regions().unwrap(), [""; 0]);
    let error = driver.identity().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);

    let mut by_host = given();
    by_host.host = Some("localhost".into());
    let url = S3Driver::minio(by_host).unwrap().get_object_cdn_url(&cat()).await.unwrap();
    assert!(url.starts_with("https://localhost/photos/cat.jpg?"), "{url}");
}

#[tokio::test]
async fn the_configuration_is_checked_without_a_request() {
    for (made, kind, text) in [
        (S3Driver::minio(given()), ErrorKind::InvalidArgument, "give `endpoint`, or `host`"),
        (
            S3Driver::digitalocean_spaces(given().region("atlantis")),
            ErrorKind::InvalidArgument,
            "`atlantis` is not the name of a region",
        ),
        (
            S3Driver::digitalocean_spaces(given().option("dialect", "minio")),
            ErrorKind::InvalidArgument,
            "this one speaks `spaces`",
        ),
        // The keys of Amazon are not looked for.
        (S3Driver::digitalocean_spaces(Config::anonymous()), ErrorKind::InvalidCredentials, "access key"),
    ] {
        let error = made.map(drop).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

/// What another family does.
static ATTIC: S3Dialect = S3Dialect {
    name: "attic",
    signature: S3Signature::V2,
    listing: ListVersion::V1,
    ..S3Dialect::COMPATIBLE
};

#[tokio::test]
async fn a_dialect_of_ones_own_is_spoken() {
    let server = Mock::start();
    let descriptor = Descriptor::new("attic", "Attic", "https://attic.example/");
    let driver = S3Driver::with_dialect(descriptor, config(server.url().as_str()), &ATTIC).unwrap();
    assert_eq!(driver.descriptor(), descriptor);
    server.expect(
        Exchange::get("/photos?encoding-type=url")
            .header("authorization", matching("AWS AKIDEXAMPLE:.*"))
            .answers(404)
            .body_file(fixture("Error.no-bucket")),
    );
    let error = driver.list_container_objects(&photos()).await.unwrap_err();
    assert_eq!((error.provider(), error.operation()), (Some("attic"), Some("ListObjects")));
}
