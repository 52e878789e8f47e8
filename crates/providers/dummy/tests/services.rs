//! The dummy cloud's zones, balancers and objects, and the file that keeps it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::sync::Arc;

use libcloud_common::{Config, ErrorKind, ManualClock, json};
use libcloud_compute::ComputeDriverExt as _;
use libcloud_dns::{
    CreateRecord, CreateZone, DnsDriverExt as _, RecordType, UpdateRecord, UpdateZone, Zone, ZoneType,
};
use libcloud_dummy::DummyCloud;
use libcloud_loadbalancer::{
    Algorithm, CreateBalancer, LoadBalancerDriverExt as _, Member, State, UpdateBalancer,
};
use libcloud_storage::{ListObjects, Object, StorageDriverExt as _, UploadBody, UploadObject};

fn cloud() -> DummyCloud {
    DummyCloud::with_clock(Arc::new(ManualClock::at("2013-11-13T12:00:00Z".parse().unwrap())))
}

#[tokio::test]
async fn zones_and_records() {
    let driver = cloud().dns();
    let options = CreateZone::new().type_(ZoneType::Master).ttl(100);
    let zone = driver.create_zone_with("apache.org", options).await.unwrap();
    assert_eq!(
        serde_json::to_value(&zone).unwrap(),
        json!({
            "id": "id-apache.org", "domain": "apache.org", "type": "master", "ttl": 100, "extra": {},
        })
    );
    let again = driver.create_zone("apache.org").await.unwrap_err();
    assert_eq!((again.kind(), again.resource()), (ErrorKind::AlreadyExists, Some(("zone", "apache.org"))));

    let record = driver.create_record("libcloud", &zone, RecordType::A, "127.0.0.1").await.unwrap();
    assert_eq!(record.id, "id-libcloud");
    let again = driver.create_record("libcloud", &zone, RecordType::A, "127.0.0.1").await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    let mail = CreateRecord::new().ttl(60).priority(10);
    let mail =
        driver.create_record_with("libcloud", &zone, RecordType::Mx, "mx.apache.org", mail).await.unwrap();
    assert_eq!((mail.id.as_str(), mail.ttl, mail.priority()), ("id-libcloud-2", Some(60), Some(10)));

    let changed = UpdateRecord::new().data("127.0.0.2").ttl(30);
    let changed = driver.update_record_with(&record, changed).await.unwrap();
    assert_eq!((changed.data.as_str(), changed.ttl), ("127.0.0.2", Some(30)));
    assert_eq!(driver.get_record(&zone.id, &record.id).await.unwrap(), changed);
    let zone = driver.update_zone_with(&zone, UpdateZone::new().ttl(200)).await.unwrap();
    assert_eq!(driver.list_records(&zone).await.unwrap()[0].zone.ttl, Some(200));

    let text = driver.export_zone_to_bind_format(&zone).await.unwrap();
    assert!(text.contains("2013-11-13") && text.contains("mx.apache.org."), "{text}");

    driver.delete_record(&changed).await.unwrap();
    assert_eq!(driver.delete_record(&changed).await.unwrap_err().resource(), Some(("record", "id-libcloud")));
    driver.delete_zone(&zone).await.unwrap();
    assert_eq!(driver.delete_zone(&zone).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(
        driver.list_records(&Zone::from_id("nope")).await.unwrap_err().resource(),
        Some(("zone", "nope"))
    );
    assert!(driver.list_zones().await.unwrap().is_empty());
}

#[tokio::test]
async fn balancers_and_members() {
    let cloud = cloud();
    let driver = cloud.loadbalancer();
    let options = CreateBalancer::new("web", 80, "http")
        .algorithm(Algorithm::LeastConnections)
        .members([Member::at("10.0.0.5", 8080)]);
    let made = driver.create_balancer(options).await.unwrap();
    assert_eq!((made.id.as_str(), &made.state, made.port), ("lb-1", &State::Running, Some(80)));
    let balancer = driver.get_balancer("lb-1").await.unwrap();
    assert_eq!(balancer, made);

    let node = cloud.compute().get_node("1").await.unwrap();
    let member = driver.balancer_attach_compute_node(&balancer, &node).await.unwrap();
    assert_eq!((member.ip.as_deref(), member.port), (Some("127.0.0.1"), Some(80)));
    let twice = driver.balancer_attach_compute_node(&balancer, &node).await.unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::AlreadyExists);
    let members = driver.balancer_list_members(&balancer).await.unwrap();
    assert_eq!(members.iter().map(|member| member.id.as_str()).collect::<Vec<_>>(), ["10.0.0.5:8080", "1"]);
    assert_eq!(members[0].balancer.as_ref().map(|balancer| balancer.id.as_str()), Some("lb-1"));
    driver.balancer_detach_member(&balancer, &member).await.unwrap();
    assert_eq!(
        driver.balancer_detach_member(&balancer, &member).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );

    let changed =
        driver.update_balancer_with(&balancer, UpdateBalancer::new().name("api").port(8080)).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.port), ("api", Some(8080)));
    let wrong = driver.create_balancer(CreateBalancer::new("x", 80, "gopher")).await.unwrap_err();
    assert_eq!(wrong.to_string(), "`protocol` is `gopher`; there are http, https, tcp, udp");
    driver.destroy_balancer(&balancer).await.unwrap();
    assert_eq!(driver.destroy_balancer(&balancer).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(driver.list_balancers().await.unwrap().is_empty());
}

#[tokio::test]
async fn containers_and_objects() {
    let driver = cloud().storage();
    let container = driver.create_container("test container").await.unwrap();
    assert_eq!(container.extra["object_count"], 0);
    let options = UploadObject::new().meta_data("author", "Ada");
    let object = driver
        .upload_object_via_stream_with(UploadBody::from("abc"), &container, "a/ü.txt", options)
        .await
        .unwrap();
    assert_eq!((object.size, object.hash.as_deref()), (3, Some("900150983cd24fb0d6963f7d28e17f72")));
    assert_eq!(
        (object.content_type.as_deref(), object.meta_data["author"].as_str()),
        (Some("text/plain"), "Ada")
    );
    assert_eq!(driver.get_object("test container", "a/ü.txt").await.unwrap(), object);

    let whole = driver.download_object_as_stream(&object).await.unwrap().read_all(10).await.unwrap();
    assert_eq!(&whole[..], b"abc");
    let part =
        driver.download_object_range_as_stream(&object, 1, None).await.unwrap().read_all(10).await.unwrap();
    assert_eq!(&part[..], b"bc");
    let beyond = driver.download_object_range_as_stream(&object, 3, None).await.unwrap_err();
    assert_eq!(beyond.kind(), ErrorKind::InvalidArgument);

    let exists = UploadObject::new().only_if_absent();
    let exists =
        driver.upload_object_via_stream_with("x".into(), &container, "a/ü.txt", exists).await.unwrap_err();
    assert_eq!(exists.kind(), ErrorKind::AlreadyExists);
    driver.upload_object_via_stream("".into(), &container, "b").await.unwrap();
    let listed = driver.iterate_container_objects_with(&container, ListObjects::new().prefix("a/"));
    let listed: Vec<Object> = futures_util::TryStreamExt::try_collect(listed).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&object));

    assert_eq!(
        driver.get_object_cdn_url(&object).await.unwrap(),
        "https://cdn.example.com/test%20container/a/%C3%BC.txt"
    );
    driver.enable_container_cdn(&container).await.unwrap();
    assert_eq!(driver.delete_container(&container).await.unwrap_err().kind(), ErrorKind::NotEmpty);
    let used = driver.call("ex_get_meta_data", json!({})).await.unwrap();
    assert_eq!(used, json!({"container_count": 1, "object_count": 2, "bytes_used": 3}));
    for object in driver.list_container_objects(&container).await.unwrap() {
        driver.delete_object(&object).await.unwrap();
    }
    assert_eq!(driver.delete_object(&object).await.unwrap_err().resource(), Some(("object", "a/ü.txt")));
    driver.delete_container(&container).await.unwrap();
    assert_eq!(driver.get_container("test container").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_broken_upload_leaves_nothing() {
    let driver = cloud().storage();
    let container = driver.create_container("c").await.unwrap();
    let broken = futures_util::stream::iter([
        Ok("half".into()),
        Err(libcloud_common::Error::new(ErrorKind::Transport, "cut")),
    ]);
    let error = driver.upload_object_via_stream(UploadBody::new(broken), &container, "o").await.unwrap_err();
    assert_eq!(error.to_string(), "cut");
    assert_eq!(driver.get_object("c", "o").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_file_keeps_the_cloud() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/cloud.json");
    let config = || Config::anonymous().option("state_file", file.display().to_string());
    let open = || DummyCloud::from_config(&config()).unwrap();
    open().compute().destroy_node(&libcloud_compute::Node::from_id("1")).await.unwrap();
    let container = open().storage().create_container("c").await.unwrap();
    open().storage().upload_object_via_stream(UploadBody::from(vec![0, 255]), &container, "o").await.unwrap();
    let zone = open().dns().create_zone("example.com").await.unwrap();
    open().dns().create_record("www", &zone, RecordType::A, "192.0.2.1").await.unwrap();

    assert_eq!(open().compute().list_nodes().await.unwrap().len(), 1);
    let object = open().storage().get_object("c", "o").await.unwrap();
    let content =
        open().storage().download_object_as_stream(&object).await.unwrap().read_all(10).await.unwrap();
    assert_eq!(&content[..], [0, 255]);
    assert_eq!(open().dns().list_records(&zone).await.unwrap()[0].data, "192.0.2.1");

    // A call that fails changes nothing, and a damaged file is not overwritten.
    let before = std::fs::read(&file).unwrap();
    assert!(open().storage().delete_container(&container).await.is_err());
    assert_eq!(std::fs::read(&file).unwrap(), before);
    std::fs::write(&file, "{\"compute\": 7}").unwrap();
    let error = open().compute().list_nodes().await.unwrap_err();
    assert!(error.to_string().contains("cloud.json") && error.to_string().contains("`compute`"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), b"{\"compute\": 7}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_of_one_file_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cloud.json").display().to_string();
    let writers = (0..4).map(|writer| {
        let config = Config::anonymous().option("state_file", file.as_str());
        tokio::spawn(async move {
            let driver = DummyCloud::from_config(&config).unwrap().dns();
            for n in 0..8 {
                driver.create_zone(&format!("z{n}-{writer}.example")).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let config = Config::anonymous().option("state_file", file.as_str());
    assert_eq!(DummyCloud::from_config(&config).unwrap().dns().list_zones().await.unwrap().len(), 32);
}
