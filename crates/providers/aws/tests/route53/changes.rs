//! Changes of records: each one batch, of which either all or nothing happens.

use libcloud_aws::route53::{RecordExtra, Route53Record};
use libcloud_common::{Error, ErrorKind, Map, Value};
use libcloud_dns::{CreateRecord, DnsDriverExt as _, UpdateRecord};

use crate::*;

const DONE: &str = "ChangeResourceRecordSets";

fn looked_up(server: &Mock, name: &str) {
    get(server, &format!("hostedzone/{ID}/rrset?name=www.example.com&type=A&maxitems=1"), name);
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn is(error: &Error, kind: ErrorKind, id: &str) {
    assert_eq!((error.kind(), error.resource()), (kind, Some(("record", id))), "{error}");
}

#[tokio::test]
async fn create_record_of_each_kind() {
    let server = Mock::start();
    let driver = driver(&server);
    let mx = CreateRecord::new().priority(10).ttl(60);
    let srv = CreateRecord::new().priority(1).weight(5).port(5060);
    for (name, type_, data, options, full, ttl, value, id) in [
        (
            "www",
            RecordType::A,
            "192.0.2.1",
            CreateRecord::new(),
            "www.example.com",
            300,
            "192.0.2.1",
            "A:www",
        ),
        ("", RecordType::Mx, "mx.example.com", mx, "example.com", 60, "10 mx.example.com", "MX:"),
        (
            "_sip._udp",
            RecordType::Srv,
            "sip",
            srv,
            "_sip._udp.example.com",
            300,
            "1 5 5060 sip",
            "SRV:_sip._udp",
        ),
        (
            "*",
            RecordType::Txt,
            "a \"b\" <c>",
            CreateRecord::new(),
            "*.example.com",
            300,
            "\"a \\\"b\\\" &lt;c&gt;\"",
            "TXT:*",
        ),
    ] {
        changed(&server, &change("CREATE", full, type_.as_str(), &values(ttl, &[value])), 200, DONE);
        let made =
            driver.create_record_with(name, &zone(), type_.clone(), data, options.clone()).await.unwrap();
        assert_eq!((made.id.as_str(), made.name.as_str(), made.data.as_str()), (id, name, data));
        assert_eq!((&made.type_, made.ttl, made.priority()), (&type_, Some(ttl), options.priority));
        assert_eq!((made.weight(), made.port()), (options.weight, options.port));
    }
    // The zone's own time, where it has one.
    changed(&server, &change("CREATE", "www.example.com", "A", &values(900, &["192.0.2.1"])), 200, DONE);
    driver.create_record("www", &zone().with_ttl(900), RecordType::A, "192.0.2.1").await.unwrap();

    let error = driver.create_record("", &zone(), RecordType::Mx, "mx.example.com").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.resource()),
        (ErrorKind::InvalidArgument, Some(("argument", "priority")))
    );
}

#[tokio::test]
async fn create_record_in_a_set_that_is_chosen_among_several() {
    let server = Mock::start();
    let driver = driver(&server);
    let set = "<SetIdentifier>eu</SetIdentifier><Weight>3</Weight><Region>eu-west-1</Region><GeoLocation>\
        <CountryCode>DE</CountryCode></GeoLocation><Failover>PRIMARY</Failover><MultiValueAnswer>true</MultiValueAnswer>";
    let rest = format!("{set}{}<HealthCheckId>abc</HealthCheckId>", values(300, &["192.0.2.1"]));
    changed(&server, &change("CREATE", "www.example.com", "A", &rest), 200, DONE);
    let mut ex = Route53Record::default();
    ex.ex_set_identifier = Some("eu".into());
    ex.ex_weight = Some(3);
    ex.ex_region = Some("eu-west-1".into());
    ex.ex_failover = Some("PRIMARY".into());
    ex.ex_geo_location = Some(map(json!({"CountryCode": "DE"})));
    ex.ex_health_check_id = Some("abc".into());
    ex.ex_multi_value_answer = Some(true);
    let options = CreateRecord::new().ex(&ex);
    let made = driver.create_record_with("www", &zone(), RecordType::A, "192.0.2.1", options).await.unwrap();
    assert_eq!(made.id, "A:www?set=eu");
    let extra: RecordExtra = made.extra_as().unwrap();
    assert_eq!(
        (extra.set_weight, extra.failover.as_deref(), extra.multi_value_answer),
        (Some(3), Some("PRIMARY"), Some(true))
    );

    // What was told of it is told when it goes.
    changed(&server, &change("DELETE", "www.example.com", "A", &rest), 200, DONE);
    driver.delete_record(&made).await.unwrap();
}

#[tokio::test]
async fn create_update_and_delete_an_alias() {
    let server = Mock::start();
    let driver = driver(&server);
    let alias = |name: &str, health: bool| {
        format!(
            "<AliasTarget><HostedZoneId>Z2</HostedZoneId><DNSName>{name}</DNSName><EvaluateTargetHealth>{health}\
             </EvaluateTargetHealth></AliasTarget>"
        )
    };
    let first = alias("d1.cloudfront.net", false);
    changed(&server, &change("CREATE", "example.com", "A", &first), 200, DONE);
    let options = CreateRecord::new().ex_arg("ex_alias_target", json!({"HostedZoneId": "Z2"}));
    let made =
        driver.create_record_with("", &zone(), RecordType::A, "d1.cloudfront.net", options).await.unwrap();
    assert_eq!((made.id.as_str(), made.data.as_str(), made.ttl), ("A:", "d1.cloudfront.net", None));

    let second = alias("d2.cloudfront.net", false);
    let both = change("DELETE", "example.com", "A", &first) + &change("CREATE", "example.com", "A", &second);
    changed(&server, &both, 200, DONE);
    let updated =
        driver.update_record_with(&made, UpdateRecord::new().data("d2.cloudfront.net")).await.unwrap();
    assert_eq!(updated.data, "d2.cloudfront.net");
    assert_eq!(
        updated.extra_as::<RecordExtra>().unwrap().alias_target.unwrap().dns_name,
        "d2.cloudfront.net"
    );

    changed(&server, &change("DELETE", "example.com", "A", &second), 200, DONE);
    driver.delete_record(&updated).await.unwrap();
}

#[tokio::test]
async fn create_record_beside_others_of_its_name() {
    let server = Mock::start();
    let driver = driver(&server);
    let create = change("CREATE", "www.example.com", "A", &values(300, &["192.0.2.2"]));
    changed(&server, &create, 400, "Error.record-exists");
    looked_up(&server, "ListResourceRecordSets.one");
    let both = change("DELETE", "www.example.com.", "A", &values(60, &["192.0.2.1"]))
        + &change("CREATE", "www.example.com.", "A", &values(60, &["192.0.2.1", "192.0.2.2"]));
    changed(&server, &both, 200, DONE);
    let made = driver.create_record("www", &zone(), RecordType::A, "192.0.2.2").await.unwrap();
    assert_eq!(
        (made.id.as_str(), made.data.as_str(), made.ttl),
        ("A:www?value=192.0.2.2", "192.0.2.2", Some(60))
    );

    // It is there already.
    changed(&server, &create, 400, "Error.record-exists");
    looked_up(&server, "ListResourceRecordSets.two");
    let error = driver.create_record("www", &zone(), RecordType::A, "192.0.2.2").await.unwrap_err();
    is(&error, ErrorKind::AlreadyExists, "A:www");
    // To an alias nothing can be added.
    changed(&server, &create, 400, "Error.record-exists");
    looked_up(&server, "ListResourceRecordSets.alias");
    let error = driver.create_record("www", &zone(), RecordType::A, "192.0.2.2").await.unwrap_err();
    is(&error, ErrorKind::AlreadyExists, "A:www");
    // Nor to a CNAME.
    let create = change("CREATE", "www.example.com", "CNAME", &values(300, &["a.example"]));
    changed(&server, &create, 400, "Error.record-exists");
    let error = driver.create_record("www", &zone(), RecordType::Cname, "a.example").await.unwrap_err();
    is(&error, ErrorKind::AlreadyExists, "CNAME:www");
}

#[tokio::test]
async fn what_is_wrong_with_a_batch_is_told_by_its_sentence() {
    let server = Mock::start();
    let driver = driver(&server);
    let create = change("CREATE", "www.example.com", "A", &values(300, &["192.0.2.2"]));
    changed(&server, &create, 400, "Error.not-in-zone");
    let error = driver.create_record("www", &zone(), RecordType::A, "192.0.2.2").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::InvalidName, Some("InvalidChangeBatch")));
    assert!(error.to_string().contains("is not permitted in zone example.com."), "{error}");
    assert_eq!(error.request_id(), Some("b25f48e8-84fd-11e6-80d9-574e0c4664cb"));

    changed(&server, &create, 404, "Error.no-zone");
    let error = driver.create_record("www", &zone(), RecordType::A, "192.0.2.2").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("zone", ID))));
}

#[tokio::test]
async fn update_record_in_one_batch() {
    let server = Mock::start();
    let driver = driver(&server);
    let old = change("DELETE", "www.example.com", "A", &values(60, &["192.0.2.1"]));
    for (options, name, type_, new, id) in [
        (UpdateRecord::new().data("192.0.2.9"), "www", "A", values(60, &["192.0.2.9"]), "A:www"),
        (UpdateRecord::new().ttl(5), "www", "A", values(5, &["192.0.2.1"]), "A:www"),
        (UpdateRecord::new().name("api"), "api", "A", values(60, &["192.0.2.1"]), "A:api"),
        (
            UpdateRecord::new().type_(RecordType::Aaaa).data("::1"),
            "www",
            "AAAA",
            values(60, &["::1"]),
            "AAAA:www",
        ),
        (
            UpdateRecord::new().ex_arg("ex_health_check_id", "abc"),
            "www",
            "A",
            values(60, &["192.0.2.1"]) + "<HealthCheckId>abc</HealthCheckId>",
            "A:www",
        ),
    ] {
        let both = old.clone() + &change("CREATE", &format!("{name}.example.com"), type_, &new);
        changed(&server, &both, 200, DONE);
        let updated = driver.update_record_with(&www(), options).await.unwrap();
        assert_eq!((updated.id.as_str(), updated.name.as_str()), (id, name));
    }

    let both = old + &change("CREATE", "www.example.com", "A", &values(60, &["192.0.2.9"]));
    changed(&server, &both, 400, "Error.no-record");
    let error = driver.update_record_with(&www(), UpdateRecord::new().data("192.0.2.9")).await.unwrap_err();
    is(&error, ErrorKind::NotFound, "A:www");
}

#[tokio::test]
async fn the_priority_of_an_mx_record_stays_when_its_data_changes() {
    let server = Mock::start();
    let mx = Record::new("MX:", "", RecordType::Mx, "mx1", &Arc::new(zone())).with_ttl(60).with_priority(10);
    for (options, value) in [
        (UpdateRecord::new().data("mx2"), "10 mx2"),
        (UpdateRecord::new().priority(20), "20 mx1"),
        (UpdateRecord::new().data("30 mx3"), "30 mx3"),
    ] {
        let both = change("DELETE", "example.com", "MX", &values(60, &["10 mx1"]))
            + &change("CREATE", "example.com", "MX", &values(60, &[value]));
        changed(&server, &both, 200, DONE);
        driver(&server).update_record_with(&mx, options).await.unwrap();
    }
}

#[tokio::test]
async fn other_values_of_the_set_stay() {
    let server = Mock::start();
    let driver = driver(&server);
    // The record does not know of another value that has come.
    let alone = change("DELETE", "www.example.com", "A", &values(60, &["192.0.2.1"]));
    let set = change("DELETE", "www.example.com.", "A", &values(60, &["192.0.2.1", "192.0.2.2"]));
    let first = alone.clone() + &change("CREATE", "www.example.com", "A", &values(60, &["192.0.2.9"]));
    changed(&server, &first, 400, "Error.other-values");
    looked_up(&server, "ListResourceRecordSets.two");
    let new = change("CREATE", "www.example.com.", "A", &values(60, &["192.0.2.9", "192.0.2.2"]));
    changed(&server, &(set.clone() + &new), 200, DONE);
    let updated = driver.update_record_with(&www(), UpdateRecord::new().data("192.0.2.9")).await.unwrap();
    assert_eq!((updated.id.as_str(), updated.data.as_str()), ("A:www?value=192.0.2.9", "192.0.2.9"));

    changed(&server, &alone, 400, "Error.other-values");
    looked_up(&server, "ListResourceRecordSets.two");
    let rest = change("CREATE", "www.example.com.", "A", &values(60, &["192.0.2.2"]));
    changed(&server, &(set.clone() + &rest), 200, DONE);
    driver.delete_record(&www()).await.unwrap();

    // A record that knows of it looks first. One that moves leaves the others.
    let several = Record::new("A:www?value=192.0.2.2", "www", RecordType::A, "192.0.2.2", &Arc::new(zone()))
        .with_ttl(60)
        .with_extra([("_multi_value", true)].into_iter().collect());
    looked_up(&server, "ListResourceRecordSets.two");
    let moved = set
        + &change("CREATE", "www.example.com.", "A", &values(60, &["192.0.2.1"]))
        + &change("CREATE", "api.example.com", "A", &values(60, &["192.0.2.2"]));
    changed(&server, &moved, 200, DONE);
    let updated = driver.update_record_with(&several, UpdateRecord::new().name("api")).await.unwrap();
    assert_eq!(updated.id, "A:api");

    // It is gone, the other is not.
    looked_up(&server, "ListResourceRecordSets.one");
    is(&driver.delete_record(&several).await.unwrap_err(), ErrorKind::NotFound, "A:www?value=192.0.2.2");
}

#[tokio::test]
async fn delete_record() {
    let server = Mock::start();
    let driver = driver(&server);
    let delete = change("DELETE", "www.example.com", "A", &values(60, &["192.0.2.1"]));
    changed(&server, &delete, 200, DONE);
    driver.delete_record(&www()).await.unwrap();
    changed(&server, &delete, 400, "Error.no-record");
    is(&driver.delete_record(&www()).await.unwrap_err(), ErrorKind::NotFound, "A:www");
}

#[tokio::test]
async fn delete_record_of_which_only_the_id_is_known() {
    let server = Mock::start();
    let driver = driver(&server);
    get(&server, &format!("hostedzone/{ID}"), "GetHostedZone");
    looked_up(&server, "ListResourceRecordSets.one");
    changed(&server, &change("DELETE", "www.example.com.", "A", &values(60, &["192.0.2.1"])), 200, DONE);
    driver.delete_record(&Record::from_id(ID, "A:www")).await.unwrap();

    // Which of both?
    get(&server, &format!("hostedzone/{ID}"), "GetHostedZone");
    looked_up(&server, "ListResourceRecordSets.two");
    let error = driver.delete_record(&Record::from_id(ID, "A:www")).await.unwrap_err();
    is(&error, ErrorKind::InvalidArgument, "A:www");
    get(&server, &format!("hostedzone/{ID}"), "GetHostedZone");
    looked_up(&server, "ListResourceRecordSets.two");
    let both = change("DELETE", "www.example.com.", "A", &values(60, &["192.0.2.1", "192.0.2.2"]))
        + &change("CREATE", "www.example.com.", "A", &values(60, &["192.0.2.1"]));
    changed(&server, &both, 200, DONE);
    driver.delete_record(&Record::from_id(ID, "A:www?value=192.0.2.2")).await.unwrap();

    get(&server, &format!("hostedzone/{ID}"), "GetHostedZone");
    looked_up(&server, "ListResourceRecordSets.empty");
    is(&driver.delete_record(&Record::from_id(ID, "A:www")).await.unwrap_err(), ErrorKind::NotFound, "A:www");
}

#[tokio::test]
async fn ex_create_multi_value_record() {
    let server = Mock::start();
    let driver = driver(&server);
    let rest = format!("<SetIdentifier>a</SetIdentifier>{}", values(0, &["127.0.0.1", "127.0.0.2"]));
    changed(&server, &change("CREATE", "balancer.example.com", "A", &rest), 200, DONE);
    let data = ["127.0.0.1".to_owned(), "127.0.0.2".to_owned()];
    let extra = Some(map(json!({"ttl": 0, "SetIdentifier": "a"})));
    let made =
        driver.ex_create_multi_value_record("balancer", &zone(), RecordType::A, &data, extra).await.unwrap();
    let ids: Vec<_> = made.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["A:balancer?set=a&value=127.0.0.1", "A:balancer?set=a&value=127.0.0.2"]);

    let error =
        driver.ex_create_multi_value_record("balancer", &zone(), RecordType::A, &[], None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn ex_delete_all_records() {
    let server = Mock::start();
    let path = format!("hostedzone/{ID}/rrset");
    get(&server, &path, "ListResourceRecordSets.page1");
    get(&server, &format!("{path}?name=%5C052.example.com.&type=CNAME"), "ListResourceRecordSets.page2");
    get(
        &server,
        &format!("{path}?name=www.example.com.&type=A&identifier=eu"),
        "ListResourceRecordSets.page3",
    );
    let alias = "<AliasTarget><HostedZoneId>Z2FDTNDATAQYW2</HostedZoneId><DNSName>d111111abcdef8.cloudfront.net.\
        </DNSName><EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>";
    let eu = "<SetIdentifier>eu</SetIdentifier><Weight>3</Weight>".to_owned()
        + &values(60, &["192.0.2.1"])
        + "<HealthCheckId>abcdef11-2222-3333-4444-555555fedcba</HealthCheckId>";
    let us = "<SetIdentifier>us</SetIdentifier><GeoLocation><CountryCode>US</CountryCode><SubdivisionCode>CA\
        </SubdivisionCode></GeoLocation>"
        .to_owned()
        + &values(60, &["192.0.2.2", "192.0.2.3"]);
    let changes = [
        change("DELETE", "example.com.", "A", alias),
        change(
            "DELETE",
            "example.com.",
            "MX",
            &values(3600, &["10 mx1.example.com.", "20 mx2.example.com."]),
        ),
        change("DELETE", "example.com.", "TXT", &values(300, &["\"v=spf1 include:example.net -all\""])),
        change("DELETE", "\\052.example.com.", "CNAME", &values(60, &["www.example.com"])),
        change("DELETE", "_sip._udp.example.com.", "SRV", &values(60, &["1 5 5060 sip.example.com."])),
        change("DELETE", "www.example.com.", "A", &eu),
        change("DELETE", "www.example.com.", "A", &us),
    ];
    changed(&server, &changes.concat(), 200, DONE);
    driver(&server).ex_delete_all_records(&zone()).await.unwrap();

    get(&server, &path, "ListResourceRecordSets.empty");
    driver(&server).ex_delete_all_records(&zone()).await.unwrap();
}

#[tokio::test]
async fn what_is_too_much_for_one_batch_goes_in_several() {
    let server = Mock::start();
    let names: Vec<String> = (0..1001).map(|n| format!("h{n}.example.com.")).collect();
    let set = |name: &String| {
        let body = values(1, &["192.0.2.1"]);
        format!("<ResourceRecordSet><Name>{name}</Name><Type>A</Type>{body}</ResourceRecordSet>")
    };
    let sets: String = names.iter().map(set).collect();
    server.expect(
        Exchange::get(format!("/2013-04-01/hostedzone/{ID}/rrset"))
            .answers(200)
            .body(format!("<R><ResourceRecordSets>{sets}</ResourceRecordSets></R>")),
    );
    let changes = |names: &[String]| -> String {
        names.iter().map(|name| change("DELETE", name, "A", &values(1, &["192.0.2.1"]))).collect()
    };
    changed(&server, &changes(&names[..1000]), 200, DONE);
    changed(&server, &changes(&names[1000..]), 200, DONE);
    driver(&server).ex_delete_all_records(&zone()).await.unwrap();
}

#[tokio::test]
async fn ex_get_change_and_wait_for_it() {
    let server = Mock::start();
    let driver = driver(&server);
    let path = "change/C2682N5HXP0BZ4";
    get(&server, path, "GetChange.pending");
    let change = driver.ex_get_change("C2682N5HXP0BZ4").await.unwrap();
    assert_eq!((change.id.as_str(), change.is_in_sync()), ("C2682N5HXP0BZ4", false));

    get(&server, path, "GetChange.pending");
    get(&server, path, "GetChange.insync");
    let change = driver.ex_wait_for_change("/change/C2682N5HXP0BZ4", None).await.unwrap();
    assert_eq!((change.status.as_str(), change.is_in_sync()), ("INSYNC", true));

    server.expect(answered(Exchange::get("/2013-04-01/change/C404"), 404, "Error.no-change"));
    let error = driver.ex_get_change("C404").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some("NoSuchChange")));
}
