//! Where the services are: the catalogue, and what goes before it.

use libcloud_common::{Config, ErrorKind, json};
use libcloud_compute::ComputeDriverExt as _;
use libcloud_openstack::OpenStackNodeDriver;
use libcloud_testkit::{Exchange, Mock};

use crate::*;

fn empty(request: libcloud_testkit::ExpectedRequest) -> Exchange {
    answered(request, "compute/ListServers.empty")
}

/// All connections go to the mock, and URLs and hosts stay what they are.
fn direct(server: &Mock) -> Config {
    let mut direct = config(server);
    direct.endpoint = None;
    direct.auth_url = Some("http://identity.cloud.example:5000/v3".parse().unwrap());
    let transport = direct.transport.clone().connect_to(server.address());
    direct.transport(transport)
}

#[tokio::test]
async fn each_service_is_where_the_catalogue_says() {
    let server = Mock::start();
    let login = Exchange::post("/v3/auth/tokens").header("host", "identity.cloud.example:5000");
    let login = login.body_json(password()).answers(201).header("x-subject-token", TOKEN);
    server.expect(login.body_file(fixture("identity/Authenticate")));
    server.expect(empty(get("servers/detail").header("host", "compute.cloud.example")));
    let images = Exchange::get("/v2/images").header("host", "image.cloud.example");
    server.expect(answered(images.no_header("openstack-api-version"), "image/ListImages.empty"));
    let networks = Exchange::get("/v2.0/networks").header("host", "network.cloud.example:9696");
    server.expect(answered(networks.secret_header("x-auth-token", TOKEN), "network/ListNetworks"));

    let driver = OpenStackNodeDriver::new(direct(&server)).unwrap();
    driver.list_nodes().await.unwrap();
    driver.list_images().await.unwrap();
    driver.ex_list_networks().await.unwrap();
}

#[tokio::test]
async fn region_and_interface_choose() {
    for (change, host, path) in [
        (("region", "RegionTwo"), "compute.two.cloud.example", "/v2.1/6d3b7a1e9c5f4e2d/servers/detail"),
        (("interface", "internal"), "10.0.0.2:8774", "/v2.1/servers/detail"),
    ] {
        let server = Mock::start();
        server.expect(login(password(), TOKEN));
        server.expect(empty(Exchange::get(path).header("host", host)));
        let config = match change {
            ("region", region) => direct(&server).region(region),
            (name, value) => direct(&server).option(name, value),
        };
        OpenStackNodeDriver::new(config).unwrap().list_nodes().await.unwrap();
    }
}

#[tokio::test]
async fn host_and_port_are_those_of_the_main_service() {
    let server = Mock::start();
    server.expect(login(password(), TOKEN));
    server.expect(empty(get("servers/detail").header("host", "gateway.example:8774")));
    let mut config = direct(&server);
    (config.host, config.port, config.secure) = (Some("gateway.example".into()), Some(8774), Some(false));
    OpenStackNodeDriver::new(config).unwrap().list_nodes().await.unwrap();
}

#[tokio::test]
async fn forced_urls_go_before_the_catalogue() {
    let server = Mock::start();
    server.expect(login(password(), TOKEN));
    server.expect(empty(Exchange::get("/v2.1/tenant/servers/detail").header("host", "n.example")));
    let images = Exchange::get("/glance/v2/images").header("host", "i.example");
    server.expect(answered(images, "image/ListImages.empty"));
    let networks = Exchange::get("/v2.0/networks").header("host", "q.example");
    server.expect(answered(networks, "network/ListNetworks"));
    let config = direct(&server)
        .option("ex_force_base_url", "http://n.example/v2.1/tenant")
        .option("ex_force_image_url", "http://i.example/glance")
        .option("ex_force_network_url", "http://q.example/v2.0");
    let driver = OpenStackNodeDriver::new(config).unwrap();
    driver.list_nodes().await.unwrap();
    driver.list_images().await.unwrap();
    driver.ex_list_networks().await.unwrap();
}

#[tokio::test]
async fn what_the_catalogue_does_not_have_is_told() {
    for (name, value, kind, text) in [
        (
            "ex_force_service_region",
            "RegionNine",
            ErrorKind::InvalidArgument,
            "with the regions `RegionOne`, `RegionTwo`",
        ),
        ("ex_force_service_name", "nova2", ErrorKind::InvalidArgument, "and the name `nova2`"),
        (
            "ex_force_service_type",
            "computing",
            ErrorKind::NotSupported,
            "it has `compute`, `identity`, `image`, `network`",
        ),
    ] {
        let server = Mock::start();
        server.expect(login(password(), TOKEN));
        let mut config = config(&server).option(name, value);
        if name == "ex_force_service_region" {
            config.region = None;
        }
        let error = OpenStackNodeDriver::new(config).unwrap().list_nodes().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[tokio::test]
async fn several_regions_want_a_choice_and_no_project_has_no_catalogue() {
    let server = Mock::start();
    let mut config = config(&server);
    config.region = None;
    // Without a choice `RegionOne` is meant, where there is one.
    server.expect(login(password(), TOKEN));
    server.expect(empty(get("servers/detail")));
    assert_eq!(OpenStackNodeDriver::new(config.clone()).unwrap().list_nodes().await.unwrap(), []);

    let catalogue = libcloud_testkit::fixture(fixture("identity/Authenticate"));
    let catalogue = String::from_utf8_lossy(&catalogue).replace("RegionOne", "RegionThree");
    server.expect(login(password(), TOKEN).body(catalogue));
    let error = OpenStackNodeDriver::new(config.clone()).unwrap().list_nodes().await.unwrap_err();
    assert!(error.to_string().contains("choose one of `RegionThree`, `RegionTwo` as `region`"), "{error}");

    config.options.remove("ex_tenant_name");
    let mut body = password();
    body["auth"].as_object_mut().unwrap().remove("scope");
    let unscoped = Exchange::post("/v3/auth/tokens").body_json(body).answers(201);
    server.expect(
        unscoped.header("x-subject-token", TOKEN).body_file(fixture("identity/Authenticate.unscoped")),
    );
    let error = OpenStackNodeDriver::new(config).unwrap().list_nodes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("give the project (`ex_tenant_name`)"), "{error}");
}

#[tokio::test]
async fn a_login_without_its_header_or_of_a_wrong_shape_is_malformed() {
    let server = Mock::start();
    let driver = OpenStackNodeDriver::new(config(&server)).unwrap();
    server.expect(
        Exchange::post("/v3/auth/tokens").body_json(password()).answers(201).json(&json!({"token": {}})),
    );
    let error = driver.list_nodes().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (
            ErrorKind::MalformedResponse,
            "openstack Authenticate: unexpected answer at `X-Subject-Token`: the header is missing"
        )
    );
    let answer = json!({"token": {"catalog": [{"type": "compute", "endpoints": [{"interface": "public"}]}]}});
    let login = Exchange::post("/v3/auth/tokens").body_json(password()).answers(201);
    server.expect(login.header("x-subject-token", TOKEN).json(&answer));
    let error = driver.list_nodes().await.unwrap_err();
    assert!(error.to_string().contains("`token.catalog[0].endpoints[0]`"), "{error}");
}
