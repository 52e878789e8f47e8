//! The Route 53 driver against a moto server, which must be running: `MOTO_ENDPOINT`, `MOTO_REGION`, `MOTO_ACCESS_KEY` and
//! `MOTO_SECRET_KEY` tell where. It must not verify signatures: switched on, it refuses to list records however they are
//! signed. What it does wrong is told with each expectation.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env::var;
use std::sync::Arc;

use libcloud_aws::route53;
use libcloud_common::{Config, ErrorKind, json, unique_token};
use libcloud_dns::{CreateRecord, DnsDriver, DnsDriverExt as _, RecordType};
use libcloud_testkit::suite::{Dns, Expectations};

fn driver() -> Arc<dyn DnsDriver> {
    let config = Config::new(var("MOTO_ACCESS_KEY").unwrap(), var("MOTO_SECRET_KEY").unwrap())
        .region(var("MOTO_REGION").unwrap())
        .endpoint(var("MOTO_ENDPOINT").unwrap().parse().unwrap());
    (route53().factory)(config).unwrap()
}

#[tokio::test]
async fn suite() {
    let expectations = Expectations::new()
        .fails(
            "zones/a duplicate exists already",
            "Route 53 makes a second zone of a domain, and moto follows it",
        )
        .fails("records/create, list, get, delete, gone", "moto deletes once more what is gone")
        .fails("records/several of one name", "moto makes a second set of one name and type")
        .fails(
            "export/has every record",
            "moto writes the zone's own SOA record as no name server can read it",
        );
    let report = Dns::new(driver())
        .unknown("Z0000000000000", "A:libcloud-no-such-record")
        .without_credentials()
        .run(expectations)
        .await;
    assert_eq!(report.denied, ["zones/update", "credentials/wrong ones are refused"]);
}

#[tokio::test]
async fn sets_of_several_values_and_of_several_choices() {
    let driver = driver();
    let zone = driver.create_zone(&format!("{}.example.com", unique_token().unwrap())).await.unwrap();
    let several = json!({
        "name": "www", "zone": zone, "type": "A", "data": ["192.0.2.1", "192.0.2.2"], "extra": {"ttl": 60},
    });
    let made = driver.call("ex_create_multi_value_record", several).await.unwrap();
    let change = json!({"change_id": made[0]["extra"]["change_id"]});
    assert_eq!(driver.call("ex_wait_for_change", change).await.unwrap()["status"], "INSYNC");

    let listed: Vec<_> =
        driver.list_records(&zone).await.unwrap().into_iter().filter(|record| record.name == "www").collect();
    let ids: Vec<_> = listed.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["A:www?value=192.0.2.1", "A:www?value=192.0.2.2"]);
    driver.delete_record(&listed[0]).await.unwrap();
    let left = driver.get_record(&zone.id, "A:www").await.unwrap();
    assert_eq!((left.id.as_str(), left.data.as_str()), ("A:www", "192.0.2.2"));
    let gone = driver.get_record(&zone.id, "A:www?value=192.0.2.1").await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);

    let weighted = CreateRecord::new().ex_arg("ex_set_identifier", "eu").ex_arg("ex_weight", 3);
    let eu = driver.create_record_with("api", &zone, RecordType::A, "192.0.2.7", weighted).await.unwrap();
    let listed = driver.list_records(&zone).await.unwrap();
    let found = listed.iter().find(|record| record.id == eu.id).unwrap();
    assert_eq!(
        (found.extra["SetIdentifier"].as_str(), found.extra["Weight"].as_u64()),
        (Some("eu"), Some(3))
    );

    let alias = CreateRecord::new().ex_arg("ex_alias_target", json!({"HostedZoneId": "Z2FDTNDATAQYW2"}));
    let target = "d111111abcdef8.cloudfront.net";
    driver.create_record_with("", &zone, RecordType::A, target, alias).await.unwrap();
    let found = driver.get_record(&zone.id, "A:").await.unwrap();
    assert_eq!(found.extra["AliasTarget"]["HostedZoneId"], "Z2FDTNDATAQYW2");
    assert!(found.data.starts_with(target), "{}", found.data);
    driver.delete_zone(&zone).await.unwrap();
}

#[tokio::test]
async fn a_zone_of_more_than_a_page() {
    let driver = driver();
    let zone = driver.create_zone(&format!("{}.example.com", unique_token().unwrap())).await.unwrap();
    for page in 0..4u8 {
        let data: Vec<String> = (0..90).map(|host| format!("10.0.{page}.{host}")).collect();
        for (host, data) in data.iter().enumerate() {
            let name = format!("h{page}-{host}");
            driver.create_record(&name, &zone, RecordType::A, data).await.unwrap();
        }
    }
    let listed = driver.list_records(&zone).await.unwrap();
    assert_eq!(listed.iter().filter(|record| record.type_ == RecordType::A).count(), 360);
    driver.call("ex_delete_all_records", json!({"zone": zone})).await.unwrap();
    let left = driver.list_records(&zone).await.unwrap();
    assert!(left.iter().all(|record| record.name.is_empty()), "{left:?}");
    driver.delete_zone(&zone).await.unwrap();
}
