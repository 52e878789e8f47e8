//! The driver over HTTP: that it is OpenStack's with another login, another place, and nothing that Rackspace does not
//! know.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use libcloud_common::{Config, Driver as _, ErrorKind, ManualClock, TransportConfig, Value, json};
use libcloud_compute::{
    ComputeDriver, ComputeDriverExt as _, CreateNode, NodeImage, NodeSize, NodeState, uuid,
};
use libcloud_openstack::OpenStackNodeDriver;
use libcloud_openstack::compute::OpenStackCreateNode;
use libcloud_rackspace::{RackspaceNodeDriver, compute};
use libcloud_testkit::{
    Answer, Exchange, ExpectedRequest, Mock, Subject, canary, fixture_path, sent_once, time_limits,
};

const TOKEN: &str = "canary-token";

fn fixture(name: &str) -> String {
    format!("fixtures/rackspace/{name}.json")
}

/// All connections go to the mock, and URLs and hosts stay what they are.
fn config(server: &Mock) -> Config {
    let mut transport = TransportConfig::default().connect_to(server.address());
    transport.retries = 0;
    Config::new("me", "canary-key")
        .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()))
        .transport(transport)
}

fn driver(config: Config) -> Arc<dyn ComputeDriver> {
    (compute().factory)(config).unwrap()
}

fn login(host: &str) -> Exchange {
    let key = json!({"RAX-KSKEY:apiKeyCredentials": {"username": "me", "apiKey": "canary-key"}});
    Exchange::post("/v2.0/tokens")
        .header("host", host)
        .no_header("x-auth-token")
        .body_json(json!({"auth": key}))
        .answers(200)
        .body_file(fixture("identity/Authenticate"))
}

/// What every call has.
fn call(request: ExpectedRequest) -> ExpectedRequest {
    request
        .header("host", "dfw.servers.api.rackspacecloud.com")
        .no_header("openstack-api-version")
        .secret_header("x-auth-token", TOKEN)
}

fn get(path: &str) -> ExpectedRequest {
    call(Exchange::get(format!("/v2/1337/{path}")))
}

fn start() -> (Mock, Arc<dyn ComputeDriver>) {
    let server = Mock::start();
    server.expect(login("identity.api.rackspacecloud.com"));
    let driver = driver(config(&server));
    (server, driver)
}

#[tokio::test]
async fn the_next_generation_is_found_in_the_catalogue() {
    let (server, driver) = start();
    server.expect(get("servers/detail").answers(200).body_file(fixture("compute/ListServers")));
    let nodes = driver.list_nodes().await.unwrap();
    assert_eq!((nodes[0].name.as_str(), &nodes[0].state), ("web", &NodeState::Running));
    assert_eq!(nodes[0].public_ips, ["50.57.94.35"]);
    assert_eq!(nodes[0].private_ips, ["10.182.64.34"]);
    assert_eq!(nodes[0].extra["service_name"], "cloudServersOpenStack");
    assert_eq!(driver.node(nodes[0].clone()).uuid(), uuid("s-1", "rackspace"));
}

#[tokio::test]
async fn each_region_has_its_place_and_its_identity_service() {
    for (region, identity, servers) in [
        ("lon", "lon.identity.api.rackspacecloud.com", "lon.servers.api.rackspacecloud.com"),
        ("ORD", "identity.api.rackspacecloud.com", "ord.servers.api.rackspacecloud.com"),
    ] {
        let server = Mock::start();
        server.expect(login(identity));
        let request = Exchange::get("/v2/1337/servers/detail").header("host", servers);
        server.expect(request.answers(200).json(&json!({"servers": []})));
        let driver = driver(config(&server).region(region));
        assert_eq!(driver.list_nodes().await.unwrap(), []);
        assert_eq!(driver.list_locations().await.unwrap()[0].name, region.to_uppercase());
    }
}

#[tokio::test]
async fn the_endpoint_holds_for_all_hosts() {
    let server = Mock::start();
    let host = format!("127.0.0.1:{}", server.address().port());
    server.expect(login(&host));
    let request = Exchange::get("/v2/1337/servers/detail").header("host", host.as_str());
    server.expect(request.answers(200).json(&json!({"servers": []})));
    let config = Config::new("me", "canary-key")
        .endpoint(server.url())
        .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()));
    driver(config).list_nodes().await.unwrap();
}

#[tokio::test]
async fn images_and_networks_are_those_of_the_compute_service() {
    let (server, driver) = start();
    let images = json!({"images": [{"id": "i-1", "name": "Debian", "status": "ACTIVE", "progress": 100}]});
    server.expect(get("images/detail").answers(200).json(&images));
    assert_eq!(driver.list_images().await.unwrap()[0].name, "Debian");
    let networks = json!({"networks": [{"id": "n-1", "label": "private", "cidr": "10.0.0.0/24"}]});
    server.expect(get("os-networksv2").answers(200).json(&networks));
    // By name, through the wrapped driver's table.
    let networks = driver.call("ex_list_networks", json!({})).await.unwrap();
    assert_eq!(networks[0]["cidr"], "10.0.0.0/24");
}

#[tokio::test]
async fn sizes_have_the_prices_of_their_region() {
    let table = prices("performance1-1", "0.04");
    libcloud_pricing::set_pricing("compute", "rackspacenovaus", table);
    let (server, driver) = start();
    let flavors = json!({"flavors": [
        {"id": "performance1-1", "name": "1 GB Performance", "ram": 1024, "disk": 20},
        {"id": "2", "name": "512MB Standard", "ram": 512, "disk": 20},
    ]});
    server.expect(get("flavors/detail").answers(200).json(&flavors));
    let sizes = driver.list_sizes().await.unwrap();
    assert_eq!(sizes[0].price.map(|price| price.to_string()).as_deref(), Some("0.04"));
    assert_eq!(sizes[1].price, None);
}

fn prices(size: &str, price: &str) -> libcloud_pricing::PriceTable {
    [(size.to_owned(), price.parse().unwrap())].into_iter().collect()
}

#[tokio::test]
async fn what_is_typed_for_openstack_is_taken() {
    let (server, driver) = start();
    let body = json!({"server": {
        "name": "web", "imageRef": "i-1", "flavorRef": "2", "metadata": {}, "OS-DCF:diskConfig": "MANUAL",
    }});
    let create = call(Exchange::post("/v2/1337/servers")).body_json(body);
    server
        .expect(create.answers(202).json(&json!({"server": {"id": "s-1", "adminPass": "canary-password"}})));
    let show = json!({"server": {"id": "s-1", "name": "web", "status": "BUILD"}});
    server.expect(get("servers/s-1").answers(200).json(&show));
    let mut arguments = OpenStackCreateNode::default();
    arguments.ex_disk_config = Some("MANUAL".into());
    let options = CreateNode::new("web", &NodeSize::from_id("2"), &NodeImage::from_id("i-1")).ex(&arguments);
    let node = driver.create_node(options).await.unwrap();
    assert_eq!(node.extra["password"], "canary-password");

    let typed = driver.downcast_ref::<RackspaceNodeDriver>().unwrap();
    server.expect(get("servers/s-1/metadata").answers(200).json(&json!({"metadata": {"a": "b"}})));
    assert_eq!(typed.ex_get_metadata(&node).await.unwrap()["a"], "b");
    assert!(driver.downcast_ref::<OpenStackNodeDriver>().is_none());
    assert_eq!(typed.capabilities(), driver.capabilities());
}

#[tokio::test]
async fn errors_are_of_rackspace() {
    let server = Mock::start();
    let key = json!({"RAX-KSKEY:apiKeyCredentials": {"username": "me", "apiKey": "canary-key"}});
    let request = Exchange::post("/v2.0/tokens").body_json(json!({"auth": key})).answers(401);
    let answer = json!({"unauthorized": {"code": 401, "message": "Username or api key is invalid."}});
    server.expect(request.json(&answer));
    let driver = driver(config(&server));
    let error = driver.list_nodes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    assert_eq!(error.to_string(), "rackspace Authenticate: Username or api key is invalid. (unauthorized)");
    assert!(!format!("{error:#?}").contains("canary"));
}

#[tokio::test]
async fn a_password_works_as_well() {
    let server = Mock::start();
    let password = json!({"passwordCredentials": {"username": "me", "password": "canary-key"}});
    let request = Exchange::post("/v2.0/tokens").body_json(json!({"auth": password})).answers(200);
    server.expect(request.body_file(fixture("identity/Authenticate")));
    server.expect(get("servers/detail").answers(200).json(&json!({"servers": []})));
    driver(config(&server).option("auth_version", "2.0_password")).list_nodes().await.unwrap();
}

#[tokio::test]
async fn the_configuration_is_checked_without_a_request() {
    for (config, kind, text) in [
        (Config::new("me", "canary").region("ams"), ErrorKind::InvalidArgument, "`dfw`, `ord`"),
        (
            Config::new("me", "canary").option("regon", "x"),
            ErrorKind::InvalidArgument,
            "the configuration of `rackspace`",
        ),
        (
            Config::with_key("me"),
            ErrorKind::InvalidCredentials,
            "the API key is missing: give it in the configuration",
        ),
    ] {
        let error = RackspaceNodeDriver::new(config).map(drop).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(!format!("{error:?}").contains("canary"));
    }
}

/// For the tests that hold for every driver.
fn subject() -> Subject<dyn ComputeDriver> {
    let key = json!({"name": "ops", "key_file_path": fixture_path("fixtures/openstack/compute/key.pub")});
    // With a key there is no token to plant; the other is no secret, whatever its name sounds like.
    let config = Config::new("canary-user", "canary-key")
        .option("ex_force_auth_token", Value::Null)
        .option("ex_token_scope", Value::Null);
    Subject::new(compute(), config)
        .prelude(|request| {
            let answer = || Answer::new(200).body_file(&fixture("identity/Authenticate"));
            (request.path == "/v2.0/tokens").then(answer)
        })
        .debug(|config| format!("{:?}", RackspaceNodeDriver::new(config)))
        .sends_nothing(&["list_locations"])
        .args("create_node", json!({"location": "0"}))
        .args("wait_until_running", json!({"nodes": ["s-1"]}))
        .args("import_key_pair_from_file", key)
}

#[tokio::test]
async fn a_time_limit_ends_every_call() {
    time_limits(&subject()).await;
}

#[tokio::test]
async fn what_changes_something_is_sent_once() {
    let sent = sent_once(&subject()).await;
    assert!(sent.once.contains(&"create_node") && sent.once.contains(&"ex_soft_reboot_node"), "{sent:?}");
}

#[tokio::test]
async fn credentials_stay_inside() {
    canary(&subject()).await;
}
