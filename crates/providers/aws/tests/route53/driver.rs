//! What is true of every method: names, configuration, signatures, repetition, pages.

use libcloud_common::{Driver as _, ErrorKind, Retry};
use libcloud_dns::DnsDriverExt as _;
use libcloud_testkit::{Listing, canary, capabilities};

use crate::*;

#[tokio::test]
async fn methods_are_called_by_name() {
    let server = Mock::start();
    let driver = dynamic(&server);
    get(&server, "hostedzone", "ListHostedZones.page2");
    let zones = driver.call("list_zones", json!({})).await.unwrap();
    assert_eq!(zones[0]["domain"], "corp.example.");

    let body = values(300, &["192.0.2.1"]);
    changed(&server, &change("CREATE", "www.example.com", "A", &body), 200, "ChangeResourceRecordSets");
    let zone = json!({"id": ID, "domain": "example.com."});
    let arguments = json!({"name": "www", "zone": zone, "type": "A", "data": "192.0.2.1"});
    let record = driver.call("create_record", arguments).await.unwrap();
    assert_eq!(record["id"], "A:www");
    assert_eq!(record["extra"]["change_id"], "C2682N5HXP0BZ4");

    changed(
        &server,
        &change("CREATE", "www.example.com", "A", &values(30, &["192.0.2.1", "192.0.2.2"])),
        200,
        "ChangeResourceRecordSets",
    );
    let arguments = json!({
        "name": "www", "zone": zone, "type": "A", "data": "192.0.2.1\n192.0.2.2", "extra": {"ttl": "30"},
    });
    let records = driver.call("ex_create_multi_value_record", arguments).await.unwrap();
    assert_eq!(records[1]["data"], "192.0.2.2");
}

#[tokio::test]
async fn wrong_calls_by_name_say_what_is_wrong() {
    let server = Mock::start();
    let driver = dynamic(&server);
    for (method, arguments, text) in [
        ("list_zone", json!({}), "did you mean `list_zones`?"),
        ("list_zones", json!({"ex_all": true}), "list_zones has no argument `ex_all`"),
        ("delete_zone", json!({"zone": "Z1", "ex_delete_record": true}), "did you mean `ex_delete_records`?"),
        ("create_zone", json!({"domain": "a.example", "ex_commment": ""}), "did you mean `ex_comment`?"),
        ("delete_record", json!({"record": "A:www"}), "expected a record, or its id and its zone's"),
    ] {
        let error = driver.call(method, arguments).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[tokio::test]
async fn capabilities_are_true() {
    assert_eq!(capabilities(&subject()).await, ["update_zone"]);
}

#[tokio::test]
async fn credentials_stay_inside() {
    canary(&subject()).await;
}

#[tokio::test]
async fn the_configuration_is_checked_without_a_request() {
    let given = || Config::new("AKIDEXAMPLE", "canary-secret");
    for (config, text) in [
        (given().option("signature_version", "2"), "`signature_version` is `3` or `4`, not `2`"),
        (given().option("tokn", "canary"), "did you mean `token`?"),
    ] {
        let error = Route53Driver::new(config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(text), "{error}");
    }
    let names: Vec<_> = route53().options.iter().map(|option| option.name).collect();
    assert_eq!(names, ["token", "profile", "signature_version"]);
}

#[tokio::test]
async fn a_token_is_sent_and_signed() {
    let server = Mock::start();
    server.expect(
        Exchange::get("/2013-04-01/hostedzone")
            .secret_header("x-amz-security-token", "canary-token")
            .header("authorization", matching(".*SignedHeaders=host;x-amz-date;x-amz-security-token,.*"))
            .answers(200)
            .body_file(fixture("ListHostedZones.page2")),
    );
    let config = config(server.url().as_str()).option("token", "canary-token");
    Route53Driver::new(config).unwrap().list_zones().await.unwrap();
}

#[tokio::test]
async fn the_signature_is_of_the_region_of_the_partition() {
    for (region, signed) in
        [("eu-west-1", "us-east-1"), ("cn-north-1", "cn-northwest-1"), ("us-gov-east-1", "us-gov-west-1")]
    {
        let server = Mock::start();
        server.expect(
            Exchange::get("/2013-04-01/hostedzone")
                .header("authorization", matching(&format!(".*/20240501/{signed}/route53/aws4_request,.*")))
                .answers(200)
                .body_file(fixture("ListHostedZones.page2")),
        );
        let config = config(server.url().as_str()).region(region);
        Route53Driver::new(config).unwrap().list_zones().await.unwrap();
    }
}

#[tokio::test]
async fn the_old_version_signs_the_date() {
    for (version, signature) in [("2012-02-29", None), ("2013-04-01", Some(3))] {
        let server = Mock::start();
        server.expect(
            Exchange::get(format!("/{version}/hostedzone"))
                .header("date", "Wed, 01 May 2024 08:30:00 GMT")
                .header(
                    "x-amzn-authorization",
                    // Computed by OpenSSL.
                    "AWS3-HTTPS AWSAccessKeyId=AKIDEXAMPLE,Signature=6Moon5pW9qIx2Txy1kLZibFuxXQ=,Algorithm=HmacSHA1",
                )
                .secret_header("x-amz-security-token", "canary-token")
                .no_header("authorization")
                .answers(200)
                .body_file(fixture("ListHostedZones.page2")),
        );
        let mut config =
            config(server.url().as_str()).api_version(version).option("session_token", "canary-token");
        if let Some(signature) = signature {
            config = config.option("signature_version", signature);
        }
        Route53Driver::new(config).unwrap().list_zones().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_refused_while_another_change_is_under_way_is_sent_again() {
    let server = Mock::start();
    let delete = change("DELETE", "www.example.com", "A", &values(60, &["192.0.2.1"]));
    changed(&server, &delete, 400, "Error.prior-request");
    changed(&server, &delete, 200, "ChangeResourceRecordSets");
    driver(&server).delete_record(&www()).await.unwrap();

    for _ in 0..3 {
        changed(&server, &delete, 400, "Error.prior-request");
    }
    let error = driver(&server).delete_record(&www()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::Exhausted));
}

#[tokio::test]
async fn every_page_of_zones_is_read() {
    let zones = |driver: &dyn DnsDriver| driver.iterate_zones();
    let page = |page: &libcloud_testkit::ListingPage| {
        let zone = |id: &String| {
            format!("<HostedZone><Id>/hostedzone/{id}</Id><Name>{id}.example.</Name></HostedZone>")
        };
        let zones: String = page.ids.iter().map(zone).collect();
        let next = page.next.map(|page| format!("<NextMarker>page+{page}</NextMarker>")).unwrap_or_default();
        Answer::new(200).body(format!(
            "<ListHostedZonesResponse><HostedZones>{zones}</HostedZones><IsTruncated>{}</IsTruncated>{next}\
             </ListHostedZonesResponse>",
            page.next.is_some()
        ))
    };
    Listing::new(zones, page).asks(|page| format!("marker=page%2B{page}")).prove(&subject()).await;
}

#[tokio::test]
async fn every_page_of_records_is_read() {
    let records = |driver: &dyn DnsDriver| driver.iterate_records(&zone());
    let page = |page: &libcloud_testkit::ListingPage| {
        let set = |id: &String| {
            format!(
                "<ResourceRecordSet><Name>{id}.example.com.</Name><Type>A</Type><TTL>1</TTL><ResourceRecords>\
                 <ResourceRecord><Value>192.0.2.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>"
            )
        };
        let sets: String = page.ids.iter().map(set).collect();
        let next = page.next.map(|page| {
            format!(
                "<NextRecordName>page{page}.example.com.</NextRecordName><NextRecordType>A</NextRecordType>\
                 <NextRecordIdentifier>eu</NextRecordIdentifier>"
            )
        });
        Answer::new(200).body(format!(
            "<ListResourceRecordSetsResponse><ResourceRecordSets>{sets}</ResourceRecordSets><IsTruncated>{}\
             </IsTruncated>{}</ListResourceRecordSetsResponse>",
            next.is_some(),
            next.unwrap_or_default()
        ))
    };
    Listing::new(records, page)
        .key("name")
        .asks(|page| format!("rrset?name=page{page}.example.com.&type=A&identifier=eu"))
        .prove(&subject())
        .await;
}

#[tokio::test]
async fn an_answer_that_is_not_as_documented_names_the_place() {
    let server = Mock::start();
    for (body, text) in [
        (
            "<ListResourceRecordSetsResponse><IsTruncated>true</IsTruncated></ListResourceRecordSetsResponse>",
            "`ListResourceRecordSetsResponse/NextRecordName`: it is missing",
        ),
        (
            "<R><ResourceRecordSets><ResourceRecordSet><Name>a.</Name></ResourceRecordSet></ResourceRecordSets></R>",
            "`R/ResourceRecordSets/ResourceRecordSet/Type`: it is missing",
        ),
        (
            "<R><ResourceRecordSets><ResourceRecordSet><TTL>soon</TTL></ResourceRecordSet></ResourceRecordSets></R>",
            "/TTL`: `soon`",
        ),
        ("not XML", "not XML"),
    ] {
        server.expect(Exchange::get(format!("/2013-04-01/hostedzone/{ID}/rrset")).answers(200).body(body));
        let error = driver(&server).list_records(&zone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse, "{error}");
        assert_eq!(error.operation(), Some("ListResourceRecordSets"));
        assert!(error.to_string().contains(text), "{error}");
    }
    // What a proxy answers is no error of Route 53's.
    server.expect(Exchange::get("/2013-04-01/hostedzone").answers(502).body("<html>").times(3));
    let error = driver(&server).list_zones().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Provider, None));
}

#[tokio::test]
async fn who_one_is_is_asked_of_the_token_service() {
    let server = Mock::start();
    server.expect(
        Exchange::post("/")
            .header("authorization", matching(".*/us-east-1/sts/aws4_request,.*"))
            .body("Action=GetCallerIdentity&Version=2011-06-15")
            .answers(200)
            .body(
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult>\
                 </GetCallerIdentityResponse>",
            ),
    );
    let config = config(server.url().as_str()).api_version("2012-02-29");
    assert_eq!(Route53Driver::new(config).unwrap().identity().await.unwrap().account.as_deref(), Some("1"));
}
