//! Zones.

use insta::assert_json_snapshot;
use libcloud_aws::route53::{Route53CreateZone, Route53DeleteZone, ZoneExtra};
use libcloud_common::{ErrorKind, Options};
use libcloud_dns::{CreateZone, DnsDriverExt as _};

use crate::*;

fn deleted(server: &Mock, status: u16, name: &str) {
    server.expect(answered(Exchange::delete(format!("/2013-04-01/hostedzone/{ID}")), status, name));
}

fn posted(server: &Mock, content: libcloud_testkit::Pattern, status: u16, name: &str) {
    let post =
        Exchange::post("/2013-04-01/hostedzone").header("content-type", "application/xml").body(content);
    server.expect(answered(post, status, name));
}

fn create(content: &str) -> libcloud_testkit::Pattern {
    format!("{DECLARATION}<CreateHostedZoneRequest {NAMESPACE}>{content}</CreateHostedZoneRequest>").into()
}

#[tokio::test]
async fn list_zones() {
    let server = Mock::start();
    get(&server, "hostedzone", "ListHostedZones.page1");
    get(&server, "hostedzone?marker=Z222222VVVVVVV", "ListHostedZones.page2");
    let zones = driver(&server).list_zones().await.unwrap();
    assert_json_snapshot!(zones);
}

#[tokio::test]
async fn get_zone() {
    let server = Mock::start();
    let driver = driver(&server);
    get(&server, &format!("hostedzone/{ID}"), "GetHostedZone");
    let zone = driver.get_zone(ID).await.unwrap();
    assert_eq!((zone.id.as_str(), zone.domain.as_str()), (ID, "example.com."));
    let extra: ZoneExtra = zone.extra_as().unwrap();
    assert_eq!(extra.name_servers.unwrap(), ["ns-2048.awsdns-64.com", "ns-2049.awsdns-65.net"]);

    // As some calls write it.
    get(&server, &format!("hostedzone/{ID}"), "GetHostedZone");
    assert_eq!(driver.get_zone(&format!("/hostedzone/{ID}")).await.unwrap().id, ID);

    server.expect(answered(Exchange::get("/2013-04-01/hostedzone/Z404"), 404, "Error.no-zone"));
    let error = driver.get_zone("Z404").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("zone", "Z404"))));
    assert_eq!(error.request_id(), Some("376c64a6-6194-11e1-847f-ddaa49e4c811"));
}

#[tokio::test]
async fn create_zone_with_a_token_of_its_own() {
    let server = Mock::start();
    let body = format!(
        "{}<CreateHostedZoneRequest {NAMESPACE}><Name>example.net</Name><CallerReference>[0-9a-f]{{32}}\
         </CallerReference></CreateHostedZoneRequest>",
        DECLARATION.replace('?', "\\?").replace('.', "\\.")
    );
    posted(&server, matching(&body), 201, "CreateHostedZone");
    let zone = driver(&server).create_zone_with("example.net", CreateZone::new().ttl(900)).await.unwrap();
    assert_json_snapshot!(zone);
}

#[tokio::test]
async fn create_zone_of_a_vpc() {
    let server = Mock::start();
    let content = "<Name>corp.example</Name><VPC><VPCRegion>eu-west-1</VPCRegion><VPCId>vpc-1</VPCId></VPC>\
        <CallerReference>once</CallerReference><HostedZoneConfig><Comment>a &lt;new&gt; one</Comment>\
        <PrivateZone>true</PrivateZone></HostedZoneConfig><DelegationSetId>N1</DelegationSetId>";
    posted(&server, create(content), 201, "CreateHostedZone");
    let mut ex = Route53CreateZone::default();
    ex.ex_comment = Some("a <new> one".into());
    ex.ex_caller_reference = Some("once".into());
    ex.ex_delegation_set_id = Some("N1".into());
    ex.ex_vpc_id = Some("vpc-1".into());
    ex.ex_vpc_region = Some("eu-west-1".into());
    driver(&server).create_zone_with("corp.example", CreateZone::new().ex(&ex)).await.unwrap();
}

#[tokio::test]
async fn a_zone_that_an_attempt_without_answer_made_is_found() {
    let server = Mock::start();
    let content = "<Name>example.net</Name><CallerReference>once</CallerReference>";
    posted(&server, create(content), 503, "Error.prior-request");
    posted(&server, create(content), 409, "Error.zone-exists");
    get(&server, "hostedzonesbyname?dnsname=example.net", "ListHostedZonesByName");
    get(&server, &format!("hostedzone/{ID}"), "GetHostedZone");
    let options = CreateZone::new().ex_arg("ex_caller_reference", "once");
    let driver = driver(&server);
    assert_eq!(driver.create_zone_with("example.net", options).await.unwrap().id, ID);

    // The token was used for another domain.
    let content = "<Name>example.net</Name><CallerReference>other</CallerReference>";
    posted(&server, create(content), 409, "Error.zone-exists");
    get(&server, "hostedzonesbyname?dnsname=example.net", "ListHostedZonesByName");
    let options = CreateZone::new().ex_arg("ex_caller_reference", "other");
    let error = driver.create_zone_with("example.net", options).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::AlreadyExists, Some(("zone", "example.net"))));
}

#[tokio::test]
async fn a_zone_is_not_copied_from_elsewhere() {
    let server = Mock::start();
    let options = CreateZone::new().type_(ZoneType::Slave);
    let error = driver(&server).create_zone_with("example.net", options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
}

#[tokio::test]
async fn delete_zone() {
    let server = Mock::start();
    let driver = driver(&server);
    deleted(&server, 200, "DeleteHostedZone");
    driver.delete_zone(&zone()).await.unwrap();

    deleted(&server, 404, "Error.no-zone");
    let error = driver.delete_zone(&zone()).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("zone", ID))));
}

#[tokio::test]
async fn delete_zone_with_its_records() {
    let server = Mock::start();
    let driver = driver(&server);
    let listing = format!("hostedzone/{ID}/rrset");
    let delete = change("DELETE", "www.example.com.", "A", &values(60, &["192.0.2.1"]));
    deleted(&server, 400, "Error.not-empty");
    get(&server, &listing, "ListResourceRecordSets.one");
    changed(&server, &delete, 200, "ChangeResourceRecordSets");
    deleted(&server, 200, "DeleteHostedZone");
    driver.delete_zone(&zone()).await.unwrap();

    get(&server, &listing, "ListResourceRecordSets.one");
    changed(&server, &delete, 200, "ChangeResourceRecordSets");
    deleted(&server, 200, "DeleteHostedZone");
    let mut ex = Route53DeleteZone::default();
    ex.ex_delete_records = Some(true);
    driver.delete_zone_with(&zone(), Options::new().ex(&ex)).await.unwrap();

    deleted(&server, 400, "Error.not-empty");
    ex.ex_delete_records = Some(false);
    let error = driver.delete_zone_with(&zone(), Options::new().ex(&ex)).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotEmpty, Some(("zone", ID))));
}
