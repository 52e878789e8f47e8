//! What holds for every driver: nothing is done twice, no credential gets out, no page is left out.

use libcloud_common::{Config, Options, Value, json};
use libcloud_compute::{ComputeDriver, ComputeDriverExt as _, ListSizes};
use libcloud_openstack::{OpenStackNodeDriver, compute};
use libcloud_testkit::{
    Answer, Listing, ListingPage, Received, Subject, canary, capabilities, fixture_path, sent_once,
    time_limits,
};

use crate::*;

fn prelude(request: &Received) -> Option<Answer> {
    let answer = Answer::new(201).header("x-subject-token", TOKEN);
    (request.path == "/v3/auth/tokens").then(|| answer.body_file(&fixture("identity/Authenticate")))
}

fn subject() -> Subject<dyn ComputeDriver> {
    let config =
        Config::new("canary-user", "canary-secret").region("RegionOne").option("ex_tenant_name", "demo");
    // With a key there is no token to plant.
    of(config.option("ex_force_auth_token", Value::Null))
}

fn of(config: Config) -> Subject<dyn ComputeDriver> {
    let key = json!({"name": "ops", "key_file_path": fixture_path("fixtures/openstack/compute/key.pub")});
    // Not a secret, whatever its name sounds like.
    Subject::new(compute(), config.option("ex_token_scope", Value::Null))
        .prelude(prelude)
        .debug(|config| format!("{:?}", OpenStackNodeDriver::new(config)))
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
    assert_eq!(
        sent.once,
        [
            "create_key_pair",
            "create_node",
            "ex_hard_reboot_node",
            "ex_soft_reboot_node",
            "ex_start_node",
            "ex_stop_node",
            "import_key_pair_from_file",
            "import_key_pair_from_string",
            "reboot_node",
            "start_node",
            "stop_node",
        ]
    );
    assert!(sent.again.contains(&"destroy_node") && sent.again.contains(&"list_nodes"), "{sent:?}");
    assert_eq!(sent.nothing, ["list_locations"]);
}

#[tokio::test]
async fn credentials_stay_inside() {
    canary(&subject()).await;
    let token = Config::anonymous().region("RegionOne").option("ex_force_auth_token", "canary-given");
    // One after the other: both write to one log.
    canary(&of(token)).await;
}

#[tokio::test]
async fn capabilities_are_true() {
    assert_eq!(capabilities(&subject()).await.len(), 11);
}

/// A page as Nova writes it, whose link leads to where the service itself is.
fn nova(collection: &'static str, item: fn(&str) -> Value) -> impl Fn(&ListingPage) -> Answer {
    move |page| {
        let items: Vec<_> = page.ids.iter().map(|id| item(id)).collect();
        let link = |next| {
            let href = format!("http://10.0.0.2:8774/v2.1/{collection}?limit=2&marker=page%20{next}");
            json!({"rel": "next", "href": href})
        };
        let links: Vec<_> = page.next.map(link).into_iter().collect();
        Answer::new(200).json(&json!({collection: items, format!("{collection}_links"): links}))
    }
}

fn marker(page: u32) -> String {
    format!("marker=page%20{page}")
}

#[tokio::test]
async fn every_page_is_read() {
    let servers = nova("servers", |id| json!({"id": id, "status": "ACTIVE"}));
    Listing::new(|driver: &dyn ComputeDriver| driver.iterate_nodes(), servers)
        .asks(marker)
        .prove(&subject())
        .await;
    let flavors = nova("flavors", |id| json!({"id": id, "name": id, "ram": 1, "disk": 1}));
    Listing::new(|driver: &dyn ComputeDriver| driver.iterate_sizes_with(ListSizes::new()), flavors)
        .asks(marker)
        .prove(&subject())
        .await;
    let keypairs = nova("keypairs", |id| json!({"keypair": {"name": id}}));
    Listing::new(|driver: &dyn ComputeDriver| driver.iterate_key_pairs_with(Options::new()), keypairs)
        .asks(marker)
        .key("name")
        .prove(&subject())
        .await;
}

#[tokio::test]
async fn every_page_of_images_is_read() {
    let glance = |page: &ListingPage| {
        let images: Vec<_> = page.ids.iter().map(|id| json!({"id": id, "status": "active"})).collect();
        let next = page.next.map(|next| format!("/v2/images?limit=2&marker=page%20{next}"));
        Answer::new(200).json(&json!({"images": images, "next": next}))
    };
    Listing::new(|driver: &dyn ComputeDriver| driver.iterate_images(), glance)
        .asks(marker)
        .prove(&subject())
        .await;
    // Those of the compute service, which is all that a given place leads to.
    let config = Config::anonymous()
        .option("ex_force_auth_token", "canary-given")
        .option("ex_force_base_url", "https://compute.cloud.example/v2.1");
    let images = nova("images", |id| json!({"id": id, "status": "ACTIVE"}));
    Listing::new(|driver: &dyn ComputeDriver| driver.iterate_images(), images)
        .asks(marker)
        .prove(&of(config))
        .await;
}
