//! What is true of every method: names, configuration, repetition, pages.

use libcloud_common::{Driver as _, ErrorKind};
use libcloud_loadbalancer::{Algorithm, LoadBalancerDriverExt as _};
use libcloud_testkit::{Listing, canary, capabilities, sent_once, time_limits};

use crate::*;

#[tokio::test]
async fn methods_are_called_by_name() {
    let server = Mock::start();
    let driver: Arc<dyn LoadBalancerDriver> = (alb().factory)(config(server.url().as_str())).unwrap();
    let (group, listener) = (group_arn(), listener_arn());
    expect(
        &server,
        &format!(
            "CreateRule&ListenerArn={}&Priority=10&Actions.member.1.Type=forward\
             &Actions.member.1.TargetGroupArn={}&Conditions.member.1.Field=path-pattern\
             &Conditions.member.1.Values.member.1=%2Fimg%2F%2A",
            sent(&listener),
            sent(&group)
        ),
    );
    let arguments = json!({
        "listener": {"id": listener, "port": 443}, "priority": 10, "target_group": group,
        "condition_field": "path-pattern", "condition_value": "/img/*",
    });
    let rule = driver.call("ex_create_listener_rule", arguments).await.unwrap();
    assert_eq!(rule["conditions"], json!({"path-pattern": ["/img/*"], "host-header": ["*.example.com"]}));

    let error = driver.call("ex_get_rul", json!({})).await.unwrap_err();
    assert!(error.to_string().contains("did you mean `ex_get_rule`?"), "{error}");
}

#[tokio::test]
async fn capabilities_are_true() {
    assert_eq!(capabilities(&subject()).await, ["update_balancer"]);
}

#[tokio::test]
async fn credentials_stay_inside() {
    canary(&subject()).await;
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
            "balancer_attach_compute_node",
            "balancer_attach_member",
            "balancer_detach_member",
            "create_balancer",
            "destroy_balancer",
            "ex_create_balancer",
            "ex_create_listener",
            "ex_create_listener_rule",
            "ex_create_target_group",
            "ex_delete_listener",
            "ex_delete_rule",
            "ex_delete_target_group",
            "ex_deregister_targets",
            "ex_register_targets",
        ]
    );
    assert!(sent.again.contains(&"balancer_list_members"), "{sent:?}");
}

#[tokio::test]
async fn every_page_of_balancers_is_read() {
    // What is asked of each balancer besides is no page.
    let subject = subject().prelude(|request| {
        let action = request.param("Action")?;
        ["DescribeListeners", "DescribeTags"].contains(&action.as_str()).then(|| {
            let name = if action == "DescribeTags" { "DescribeTags" } else { "DescribeListeners.empty" };
            Answer::new(200).body_file(&format!("fixtures/aws/alb/{name}.xml"))
        })
    });
    let page = |page: &libcloud_testkit::ListingPage| {
        let balancer = |id: &String| {
            format!(
                "<member><LoadBalancerArn>{id}</LoadBalancerArn><LoadBalancerName>a</LoadBalancerName></member>"
            )
        };
        let balancers: String = page.ids.iter().map(balancer).collect();
        let next = page.next.map(|page| format!("<NextMarker>page+{page}</NextMarker>")).unwrap_or_default();
        Answer::new(200).body(format!(
            "<R><DescribeLoadBalancersResult><LoadBalancers>{balancers}</LoadBalancers>{next}\
             </DescribeLoadBalancersResult></R>"
        ))
    };
    Listing::new(|driver: &dyn LoadBalancerDriver| driver.iterate_balancers(), page)
        .asks(|page| format!("Marker=page%2B{page}"))
        .prove(&subject)
        .await;
}

#[tokio::test]
async fn the_configuration_is_checked_without_a_request() {
    let given = || Config::new("AKIDEXAMPLE", "canary-secret");
    for (config, text) in [
        (given().region("us east"), "`us east` is not the name of a region"),
        (given().option("subnet", "subnet-1"), "did you mean `subnets`?"),
    ] {
        let error = AlbDriver::new(config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(text), "{error}");
    }
    assert_eq!(AlbDriver::new(given().region("eu-west-1")).unwrap().region(), "eu-west-1");
    let names: Vec<_> = alb().options.iter().map(|option| option.name).collect();
    assert_eq!(names, ["token", "profile", "subnets", "security_groups"]);
    let server = Mock::start();
    let driver = driver(&server);
    assert_eq!(driver.list_protocols().await.unwrap(), ["http", "https", "tcp", "tls", "udp", "tcp_udp"]);
    assert_eq!(driver.list_supported_algorithms(), [Algorithm::RoundRobin, Algorithm::LeastConnections]);
}

#[tokio::test]
async fn who_one_is_is_asked_of_the_token_service() {
    let server = Mock::start();
    server.expect(
        Exchange::post("/")
            .body("Action=GetCallerIdentity&Version=2011-06-15")
            .answers(200)
            .body("<R><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></R>"),
    );
    assert_eq!(driver(&server).identity().await.unwrap().account.as_deref(), Some("1"));
}
