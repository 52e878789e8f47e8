//! Records: listed, looked up, exported.

use insta::{assert_json_snapshot, assert_snapshot};
use libcloud_aws::route53::RecordExtra;
use libcloud_common::ErrorKind;
use libcloud_dns::DnsDriverExt as _;

use crate::*;

fn listed(server: &Mock) {
    let path = format!("hostedzone/{ID}/rrset");
    get(server, &path, "ListResourceRecordSets.page1");
    get(server, &format!("{path}?name=%5C052.example.com.&type=CNAME"), "ListResourceRecordSets.page2");
    get(
        server,
        &format!("{path}?name=www.example.com.&type=A&identifier=eu"),
        "ListResourceRecordSets.page3",
    );
}

fn asked(server: &Mock, query: &str, name: &str) {
    get(server, &format!("hostedzone/{ID}"), "GetHostedZone");
    get(server, &format!("hostedzone/{ID}/rrset?{query}&maxitems=1"), name);
}

#[tokio::test]
async fn list_records() {
    let server = Mock::start();
    listed(&server);
    let records = driver(&server).list_records(&zone()).await.unwrap();
    assert!(records.iter().all(|record| *record.zone == zone()));
    let told: Vec<_> = records
        .iter()
        .map(|record| json!([record.id, record.name, record.type_, record.data, record.ttl, record.extra]))
        .collect();
    assert_json_snapshot!(told);
    let first: RecordExtra = records[0].extra_as().unwrap();
    assert_eq!(first.alias_target.unwrap().hosted_zone_id, "Z2FDTNDATAQYW2");
}

#[tokio::test]
async fn a_zone_of_which_only_the_id_is_known_is_asked_for() {
    let server = Mock::start();
    get(&server, &format!("hostedzone/{ID}"), "GetHostedZone");
    get(&server, &format!("hostedzone/{ID}/rrset"), "ListResourceRecordSets.one");
    let records = driver(&server).list_records(&Zone::from_id(ID)).await.unwrap();
    assert_eq!((records[0].name.as_str(), records[0].zone.domain.as_str()), ("www", "example.com."));
}

#[tokio::test]
async fn list_records_of_no_zone() {
    let server = Mock::start();
    let path = format!("/2013-04-01/hostedzone/{ID}/rrset");
    server.expect(answered(Exchange::get(&path), 404, "Error.no-zone"));
    let error = driver(&server).list_records(&zone()).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("zone", ID))));
}

#[tokio::test]
async fn get_record_by_the_ids_that_listings_have() {
    let server = Mock::start();
    let driver = driver(&server);
    let www = "name=www.example.com&type=A";
    asked(&server, www, "ListResourceRecordSets.one");
    let record = driver.get_record(ID, "A:www").await.unwrap();
    assert_eq!((record.id.as_str(), record.data.as_str(), record.ttl), ("A:www", "192.0.2.1", Some(60)));

    // Of several values, the first; or the one that is named.
    for (id, found) in [("A:www", "192.0.2.1"), ("A:www?value=192.0.2.2", "192.0.2.2")] {
        asked(&server, www, "ListResourceRecordSets.two");
        let record = driver.get_record(ID, id).await.unwrap();
        assert_eq!(record.data, found);
        assert_eq!(record.id, format!("A:www?value={found}"));
        assert_eq!(record.extra_as::<RecordExtra>().unwrap().multi_value, Some(true));
    }
    asked(&server, "name=www.example.com&type=A&identifier=eu", "ListResourceRecordSets.page3");
    let record = driver.get_record(ID, "A:www?set=eu").await.unwrap();
    assert_eq!(record.extra_as::<RecordExtra>().unwrap().set_weight, Some(3));
    asked(&server, "name=%2A.example.com&type=CNAME", "ListResourceRecordSets.page2");
    assert_eq!(driver.get_record(ID, "CNAME:*").await.unwrap().data, "www.example.com");
    asked(&server, "name=example.com&type=A", "ListResourceRecordSets.page1");
    assert_eq!(driver.get_record(ID, "A:").await.unwrap().data, "d111111abcdef8.cloudfront.net.");
}

#[tokio::test]
async fn get_record_that_is_not_there() {
    let server = Mock::start();
    let driver = driver(&server);
    let not_found = |error: libcloud_common::Error, id: &str| {
        assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("record", id))));
    };
    // The answer begins with what would come after it.
    asked(&server, "name=vvv.example.com&type=A", "ListResourceRecordSets.one");
    not_found(driver.get_record(ID, "A:vvv").await.unwrap_err(), "A:vvv");
    asked(&server, "name=www.example.com&type=AAAA", "ListResourceRecordSets.empty");
    not_found(driver.get_record(ID, "AAAA:www").await.unwrap_err(), "AAAA:www");
    asked(&server, "name=www.example.com&type=A", "ListResourceRecordSets.two");
    let id = "A:www?value=192.0.2.9";
    not_found(driver.get_record(ID, id).await.unwrap_err(), id);
    // No id of Route 53's.
    get(&server, &format!("hostedzone/{ID}"), "GetHostedZone");
    not_found(driver.get_record(ID, "28536").await.unwrap_err(), "28536");

    server.expect(answered(Exchange::get("/2013-04-01/hostedzone/Z404"), 404, "Error.no-zone"));
    let error = driver.get_record("Z404", "A:www").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("zone", "Z404"))));
}

#[tokio::test]
async fn export_to_bind() {
    let server = Mock::start();
    listed(&server);
    let text = driver(&server).export_zone_to_bind_format(&zone()).await.unwrap();
    let lines: Vec<_> = text.lines().skip(1).collect();
    assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn types() {
    let server = Mock::start();
    let types = driver(&server).list_record_types();
    assert!(types.contains(&RecordType::Caa) && types.len() == 17, "{types:?}");
}
