//! The token: what is sent for one, how long it is kept, and when there is another.

use std::time::Duration;

use futures_util::future::join_all;
use libcloud_common::{Config, DebugLog, ErrorKind, ManualClock, TransportConfig, Value, json};
use libcloud_compute::ComputeDriverExt as _;
use libcloud_openstack::OpenStackNodeDriver;
use libcloud_testkit::{Exchange, Mock};

use crate::*;

fn no_nodes(token: &str) -> Exchange {
    let request = Exchange::get("/v2.1/servers/detail").secret_header("x-auth-token", token);
    answered(request, "compute/ListServers.empty")
}

#[tokio::test]
async fn calls_that_wait_share_one_login() {
    let (server, driver) = start();
    server.expect(no_nodes(TOKEN).times(50));
    let calls = join_all((0..50).map(|_| driver.list_nodes())).await;
    assert!(calls.into_iter().all(|nodes| nodes.unwrap().is_empty()));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let server = Mock::start();
    let clock = ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap());
    let driver = OpenStackNodeDriver::new(config(&server).clock(clock.clone())).unwrap();
    server.expect(login(password(), "canary-a"));
    server.expect(no_nodes("canary-a").times(2));
    driver.list_nodes().await.unwrap();
    // A minute before its end it is still good, a second later not.
    clock.advance(Duration::from_secs(3600 - 61));
    driver.clone().list_nodes().await.unwrap();
    clock.advance(Duration::from_secs(1));
    let later = libcloud_testkit::fixture(fixture("identity/Authenticate"));
    let later = String::from_utf8(later.to_vec()).unwrap().replace("T09:30", "T10:30");
    server.expect(login(password(), "canary-b").body(later));
    server.expect(no_nodes("canary-b"));
    driver.list_nodes().await.unwrap();
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_call_made_again() {
    let (server, driver) = start();
    let refused = Exchange::delete("/v2.1/servers/s-1").secret_header("x-auth-token", TOKEN).answers(401);
    server.expect(refused.body_file(fixture("identity/Error.unauthorized")));
    server.expect(login(password(), "canary-b"));
    server
        .expect(Exchange::delete("/v2.1/servers/s-1").secret_header("x-auth-token", "canary-b").answers(204));
    driver.destroy_node(&libcloud_compute::Node::from_id("s-1")).await.unwrap();
}

#[tokio::test]
async fn a_new_token_that_is_refused_too_ends_the_call() {
    let (server, driver) = start();
    let refused = |token| {
        let request = Exchange::get("/v2.1/servers/detail").secret_header("x-auth-token", token);
        request.answers(401).body_file(fixture("identity/Error.unauthorized"))
    };
    server.expect(refused(TOKEN));
    server.expect(login(password(), "canary-b"));
    server.expect(refused("canary-b"));
    let error = driver.list_nodes().await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::InvalidCredentials, Some("ListServers")));
}

/// Not with the strict mock: how many of the calls are refused before the first has logged in is not for a test to say.
#[tokio::test]
async fn a_token_that_expires_in_the_middle_of_many_calls_costs_one_login() {
    let mut server = mockito::Server::new_async().await;
    let config = Config::new("demo", "canary-secret")
        .region("RegionOne")
        .option("ex_tenant_name", "demo")
        .endpoint(server.url().parse().unwrap())
        .clock(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap()));
    let driver = OpenStackNodeDriver::new(config).unwrap();
    let body = libcloud_testkit::fixture(fixture("identity/Authenticate"));
    let login = |server: &mut mockito::ServerGuard, token: &str| {
        let mock = server.mock("POST", "/v3/auth/tokens").with_status(201).with_body(&body);
        mock.with_header("x-subject-token", token).expect(1)
    };
    let nodes = |server: &mut mockito::ServerGuard, token: &str, status| {
        server.mock("GET", "/v2.1/servers/detail").match_header("x-auth-token", token).with_status(status)
    };
    let first = login(&mut server, "canary-a").create_async().await;
    let good = nodes(&mut server, "canary-a", 200).with_body(r#"{"servers": []}"#).create_async().await;
    driver.list_nodes().await.unwrap();
    first.assert_async().await;
    first.remove_async().await;
    good.remove_async().await;

    let refused = nodes(&mut server, "canary-a", 401).expect_at_least(2).create_async().await;
    let second = login(&mut server, "canary-b").create_async().await;
    let good = nodes(&mut server, "canary-b", 200).with_body(r#"{"servers": []}"#).expect(200);
    let good = good.create_async().await;
    let calls = join_all((0..200).map(|_| driver.list_nodes())).await;
    assert!(calls.into_iter().all(|nodes| nodes.unwrap().is_empty()));
    for mock in [refused, second, good] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_refused_login_is_told_and_tried_again_by_the_next_call() {
    let server = Mock::start();
    let driver = OpenStackNodeDriver::new(config(&server)).unwrap();
    let request = Exchange::post("/v3/auth/tokens").body_json(password()).answers(401);
    server.expect(
        request.body_file(fixture("identity/Error.unauthorized")).header("x-openstack-request-id", "req-1"),
    );
    let error = driver.list_nodes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    assert_eq!(
        error.to_string(),
        "openstack Authenticate: The request you have made requires authentication. (Unauthorized)"
    );
    assert_eq!(error.request_id(), Some("req-1"));
    assert!(!format!("{error:#} {error:?} {driver:?}").contains("canary"));
    server.expect(login(password(), TOKEN));
    server.expect(no_nodes(TOKEN));
    driver.list_nodes().await.unwrap();
}

#[tokio::test]
async fn a_login_that_broke_is_repeated() {
    let server = Mock::start();
    let driver = OpenStackNodeDriver::new(config(&server)).unwrap();
    server.expect(Exchange::post("/v3/auth/tokens").body_json(password()).answers(503).times(2));
    server.expect(login(password(), TOKEN));
    server.expect(no_nodes(TOKEN));
    driver.list_nodes().await.unwrap();
}

type Change = fn(Config) -> Config;

#[tokio::test]
async fn each_version_has_a_body_of_its_own() {
    let identity = |method: &str, content: Value| json!({"identity": {"methods": [method], method: content}});
    let project = json!({"project": {"name": "demo", "domain": {"id": "default"}}});
    let with_scope = |mut auth: Value, scope: &Value| {
        auth["scope"] = scope.clone();
        auth
    };
    let user = json!({"name": "demo", "domain": {"name": "west"}, "password": "canary-secret"});
    let cases: [(Change, Value); 5] = [
        (
            |config| config.option("auth_version", "3.x_appcred"),
            identity("application_credential", json!({"id": "demo", "secret": "canary-secret"})),
        ),
        (
            |mut config| {
                (config.key, config.secret) = (None, None);
                config.option("ex_force_auth_token", "canary-other")
            },
            with_scope(identity("token", json!({"id": "canary-other"})), &project),
        ),
        (
            |config| config.option("ex_domain_name", "west").option("ex_tenant_domain_id", "d-1"),
            with_scope(
                identity("password", json!({"user": user})),
                &json!({"project": {"name": "demo", "domain": {"id": "d-1"}}}),
            ),
        ),
        (
            |config| config.option("ex_domain_name", "west").option("ex_token_scope", "domain"),
            with_scope(identity("password", json!({"user": user})), &json!({"domain": {"name": "west"}})),
        ),
        (
            |config| config.option("ex_domain_name", "west").option("project_id", "6d3b"),
            with_scope(identity("password", json!({"user": user})), &json!({"project": {"id": "6d3b"}})),
        ),
    ];
    for (change, auth) in cases {
        let server = Mock::start();
        server.expect(login(json!({"auth": auth}), TOKEN));
        server.expect(no_nodes(TOKEN));
        let driver = OpenStackNodeDriver::new(change(config(&server))).unwrap();
        driver.list_nodes().await.unwrap();
    }
}

#[tokio::test]
async fn version_2_has_token_and_catalogue_in_its_body() {
    for (version, auth) in [
        (
            "2.0_password",
            json!({"passwordCredentials": {"username": "demo", "password": "canary-secret"}, "tenantName": "demo"}),
        ),
        (
            "2.0_apikey",
            json!({
                "RAX-KSKEY:apiKeyCredentials": {"username": "demo", "apiKey": "canary-secret"},
                "tenantName": "demo",
            }),
        ),
    ] {
        let server = Mock::start();
        let request = Exchange::post("/v2.0/tokens").body_json(json!({"auth": auth})).answers(200);
        server.expect(request.body_file(fixture("identity/Authenticate.v2")));
        server.expect(no_nodes("canary-token-v2"));
        // The old name of the option works too.
        let config = config(&server).option("ex_force_auth_version", version);
        OpenStackNodeDriver::new(config).unwrap().list_nodes().await.unwrap();
    }
}

#[tokio::test]
async fn a_token_and_a_place_need_no_login() {
    let server = Mock::start();
    let request = Exchange::get("/nova/servers/detail").secret_header("x-auth-token", "canary-given");
    server.expect(answered(request, "compute/ListServers.empty"));
    let mut config = config(&server)
        .option("ex_force_auth_token", "canary-given")
        .option("ex_force_base_url", "https://nova.cloud.example/nova");
    (config.key, config.secret) = (None, None);
    let driver = OpenStackNodeDriver::new(config).unwrap();
    driver.list_nodes().await.unwrap();

    let request = Exchange::get("/nova/servers/detail").secret_header("x-auth-token", "canary-given");
    server.expect(request.answers(401).body_file(fixture("identity/Error.unauthorized")));
    let error = driver.list_nodes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
}

#[tokio::test]
async fn a_debug_log_has_no_secret() {
    let folder = std::env::temp_dir().join(format!("libcloud-openstack-{}", std::process::id()));
    let server = Mock::start();
    server.expect(login(password(), TOKEN));
    server.expect(no_nodes(TOKEN));
    let created = answered(post("os-keypairs", json!({"keypair": {"name": "ops"}})), "compute/CreateKeypair");
    server.expect(created);
    let mut transport = TransportConfig::default().debug_log(DebugLog::new(&folder));
    transport.retries = 0;
    let driver = OpenStackNodeDriver::new(config(&server).transport(transport)).unwrap();
    driver.list_nodes().await.unwrap();
    let pair = driver.create_key_pair("ops").await.unwrap();
    let log = std::fs::read_to_string(&folder).unwrap();
    std::fs::remove_file(&folder).unwrap();
    assert!(log.contains("/v3/auth/tokens") && log.contains("/v2.1/servers/detail"), "{log}");
    assert!(!log.contains("canary"), "{log}");
    assert!(!format!("{driver:?} {pair:?}").contains("canary"));
}
