//! What is true of every method: names, configuration, time limits.

use std::time::Duration;

use libcloud_common::{Config, Driver as _, ErrorKind, Options, json};
use libcloud_compute::ComputeDriverExt as _;
use libcloud_openstack::{OpenStackNodeDriver, compute as registration};
use libcloud_testkit::Mock;

use crate::*;

#[tokio::test]
async fn methods_are_called_by_name() {
    let server = Mock::start();
    server.expect(login(password(), TOKEN));
    let driver = (registration().factory)(config(&server)).unwrap();
    server.expect(answered(get("servers/detail?all_tenants=1"), "compute/ListServers.page3"));
    let nodes = driver.call("list_nodes", json!({"ex_all_tenants": true})).await.unwrap();
    assert_eq!(nodes[0]["state"], "stopped");

    // The name that the argument has in Apache Libcloud, and networks whole or by id.
    let body = json!({"server": {
        "name": "web", "imageRef": "i-1", "flavorRef": "1", "metadata": {}, "networks": [{"uuid": "n-1"}, {"uuid": "n-2"}],
    }});
    server.expect(answered(post("servers", body), "compute/CreateServer"));
    server.expect(answered(get("servers/s-1"), "compute/ShowServer"));
    let arguments = json!({
        "name": "web", "size": "1", "image": {"id": "i-1"}, "ex_networks": ["n-1", {"id": "n-2", "name": "lan"}],
    });
    let node = driver.call("create_node", arguments).await.unwrap();
    assert_eq!(node["extra"]["password"], "canary-password");

    let put = compute(Exchange::put("/v2.1/servers/s-1/metadata"));
    server.expect(answered(put.body_json(json!({"metadata": {"stage": "test"}})), "compute/ListMetadata"));
    let arguments = json!({"node": "s-1", "metadata": {"stage": "test"}});
    assert_eq!(driver.call("ex_set_metadata", arguments).await.unwrap(), json!({"stage": "test"}));
    let known: Vec<_> = driver
        .methods()
        .into_iter()
        .map(|method| method.name)
        .filter(|name| name.starts_with("ex_"))
        .collect();
    assert_eq!(
        known,
        [
            "ex_get_image",
            "ex_get_metadata",
            "ex_get_node_details",
            "ex_get_size",
            "ex_hard_reboot_node",
            "ex_list_networks",
            "ex_set_metadata",
            "ex_soft_reboot_node",
            "ex_start_node",
            "ex_stop_node",
        ]
    );
}

#[tokio::test]
async fn the_configuration_is_checked_without_a_request() {
    let given = || {
        let mut config = Config::new("demo", "canary-secret");
        config.auth_url = Some("https://identity.cloud.example/v3".parse().unwrap());
        config
    };
    let mut without_url = given();
    without_url.auth_url = None;
    let mut without_secret = given();
    without_secret.secret = None;
    let mut two_ways = given().endpoint("http://127.0.0.1:1".parse().unwrap());
    two_ways.host = Some("other.example".into());
    for (config, kind, text) in [
        (given().option("auth_version", "1.1"), ErrorKind::NotSupported, "the auth_version `1.1` yet"),
        (given().option("auth_version", "9"), ErrorKind::InvalidArgument, "there are `3.x_password`"),
        (given().api_version("1.0"), ErrorKind::NotSupported, "version 1.0"),
        (given().api_version("3"), ErrorKind::InvalidArgument, "`3` is not a version"),
        (given().option("interface", "privat"), ErrorKind::InvalidArgument, "is not an interface"),
        (given().option("ex_token_scope", "all"), ErrorKind::InvalidArgument, "is not an ex_token_scope"),
        (
            given().option("ex_token_scope", "project"),
            ErrorKind::InvalidCredentials,
            "the project is missing",
        ),
        (given().option("ex_tenant_nam", "x"), ErrorKind::InvalidArgument, "did you mean `ex_tenant_name`"),
        (given().option("ex_force_auth_token", "canary"), ErrorKind::InvalidArgument, "give one of `key`"),
        (given().option("cloud", "x"), ErrorKind::InvalidArgument, "and the `cloud` whose"),
        (given().option("ex_force_base_url", "nova"), ErrorKind::InvalidArgument, "`nova` is not a URL"),
        (
            given().option("ex_force_auth_url", "https://b.example"),
            ErrorKind::InvalidArgument,
            "give one of them",
        ),
        (
            given().region("a").option("ex_force_service_region", "b"),
            ErrorKind::InvalidArgument,
            "give one of them",
        ),
        (without_url, ErrorKind::InvalidArgument, "give `auth_url`"),
        (without_secret, ErrorKind::InvalidCredentials, "the password is missing in the configuration"),
        (two_ways, ErrorKind::InvalidArgument, "not both"),
    ] {
        let error = OpenStackNodeDriver::new(config).map(drop).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[tokio::test]
async fn a_time_limit_reaches_the_call_and_its_login() {
    // It accepts nothing, so that only the limit ends the call.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = Config::new("demo", "canary-secret");
    config.endpoint = Some(format!("http://{}", silent.local_addr().unwrap()).parse().unwrap());
    let driver = OpenStackNodeDriver::new(config).unwrap();
    let error = driver.list_nodes_with(Options::new().timeout(Duration::from_millis(20))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn another_microversion_is_asked_for() {
    let server = Mock::start();
    server.expect(login(password(), TOKEN));
    let request = Exchange::get("/v2.1/servers/detail").header("openstack-api-version", "compute 2.47");
    server.expect(answered(request, "compute/ListServers.empty"));
    let driver = OpenStackNodeDriver::new(config(&server).option("ex_force_microversion", "2.47")).unwrap();
    assert_eq!(driver.descriptor().type_, "openstack");
    driver.list_nodes().await.unwrap();

    let request = Exchange::get("/v2.1/servers/detail").answers(406);
    server.expect(
        request.json(&json!({"computeFault": {"message": "Version 2.47 is not supported by the API."}})),
    );
    let error = driver.list_nodes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
}

#[tokio::test]
async fn the_token_tells_whose_it_is() {
    let (_server, driver) = start();
    let identity = driver.identity().await.unwrap();
    assert_eq!((identity.user.as_deref(), identity.account.as_deref()), (Some("demo"), Some("demo")));

    // Nothing is known of a token of the user's, so it is tried.
    let server = Mock::start();
    let mut config = config(&server)
        .option("ex_force_auth_token", "canary-given")
        .option("ex_force_base_url", "https://compute.cloud.example/v2.1");
    (config.key, config.secret) = (None, None);
    let driver = OpenStackNodeDriver::new(config).unwrap();
    let request = || Exchange::get("/v2.1/servers?limit=1").secret_header("x-auth-token", "canary-given");
    server.expect(answered(request(), "compute/ListServers.empty"));
    assert_eq!(driver.identity().await.unwrap().user, None);
    server.expect(request().answers(401).body_file(fixture("identity/Error.unauthorized")));
    assert_eq!(driver.identity().await.unwrap_err().kind(), ErrorKind::InvalidCredentials);
}
