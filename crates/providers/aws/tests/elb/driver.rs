//! What is true of every method: names, configuration, signatures, repetition, pages.

use libcloud_common::{Driver as _, ErrorKind, Retry};
use libcloud_loadbalancer::LoadBalancerDriverExt as _;
use libcloud_testkit::{Listing, canary, capabilities, sent_once, time_limits};

use crate::*;

#[tokio::test]
async fn methods_are_called_by_name() {
    let server = Mock::start();
    let driver = dynamic(&server);
    expect(&server, "DescribeLoadBalancers&LoadBalancerNames.member.1=web");
    expect(&server, "DescribeTags&LoadBalancerNames.member.1=web&LoadBalancerNames.member.2=mail");
    let arguments = json!({"balancer_id": "web", "ex_fetch_tags": true});
    let balancer = driver.call("get_balancer", arguments).await.unwrap();
    assert_eq!(
        (&balancer["state"], &balancer["extra"]["tags"]),
        (&json!("running"), &json!({"stage": "live", "empty": ""}))
    );

    expect(
        &server,
        "CreateLoadBalancerListeners&LoadBalancerName=web\
         &Listeners.member.1.LoadBalancerPort=1024&Listeners.member.1.InstancePort=65533&Listeners.member.1.Protocol=HTTPS\
         &Listeners.member.1.SSLCertificateId=arn%3Aaws%3Aiam%3A%3A1%3Aserver-certificate%2Fx\
         &Listeners.member.2.LoadBalancerPort=25&Listeners.member.2.InstancePort=25&Listeners.member.2.Protocol=TCP\
         &Listeners.member.2.InstanceProtocol=TCP",
    );
    let listeners = json!([
        [1024, 65533, "HTTPS", "arn:aws:iam::1:server-certificate/x"],
        {"port": 25, "instance_port": 25, "protocol": "TCP", "instance_protocol": "TCP"},
    ]);
    let done = driver
        .call("ex_create_balancer_listeners", json!({"name": "web", "listeners": listeners}))
        .await
        .unwrap();
    assert_eq!(done, json!(true));
}

#[tokio::test]
async fn wrong_calls_by_name_say_what_is_wrong() {
    let server = Mock::start();
    let driver = dynamic(&server);
    for (method, arguments, text) in [
        ("list_balancer", json!({}), "did you mean `list_balancers`?"),
        ("list_balancers", json!({"ex_fetch_tag": true}), "did you mean `ex_fetch_tags`?"),
        ("destroy_balancer", json!({"balancer": "web", "ex_force": true}), "has no argument `ex_force`"),
        (
            "ex_create_balancer_listeners",
            json!({"name": "web", "listeners": [[80]]}),
            "expected a listener, as [80, 8080, \"HTTP\"]",
        ),
        (
            "ex_create_balancer_listeners",
            json!({"name": "web", "listeners": [{"ports": 1}]}),
            "unknown field `ports`",
        ),
        ("ex_create_balancer_listeners", json!({"name": "web", "listeners": [80]}), "expected a listener"),
    ] {
        let error = driver.call(method, arguments).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
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
            "ex_configure_health_check",
            "ex_create_balancer_listeners",
            "ex_create_balancer_policy",
            "ex_delete_balancer_listeners",
            "ex_delete_balancer_policy",
            "ex_set_balancer_policies_backend_server",
            "ex_set_balancer_policies_listener",
        ]
    );
    assert!(sent.again.contains(&"balancer_list_members"), "{sent:?}");
}

#[tokio::test]
async fn every_page_of_balancers_is_read() {
    let page = |page: &libcloud_testkit::ListingPage| {
        let balancer = |id: &String| format!("<member><LoadBalancerName>{id}</LoadBalancerName></member>");
        let balancers: String = page.ids.iter().map(balancer).collect();
        let next = page.next.map(|page| format!("<NextMarker>page+{page}</NextMarker>")).unwrap_or_default();
        Answer::new(200).body(format!(
            "<R><DescribeLoadBalancersResult><LoadBalancerDescriptions>{balancers}</LoadBalancerDescriptions>{next}\
             </DescribeLoadBalancersResult></R>"
        ))
    };
    Listing::new(|driver: &dyn LoadBalancerDriver| driver.iterate_balancers(), page)
        .asks(|page| format!("Marker=page%2B{page}"))
        .prove(&subject())
        .await;
}

#[tokio::test]
async fn the_configuration_is_checked_without_a_request() {
    let given = || Config::new("AKIDEXAMPLE", "canary-secret");
    for (config, text) in [
        (given().region("us east"), "`us east` is not the name of a region"),
        (given().option("signature_version", "3"), "`signature_version` is `2` or `4`, not `3`"),
        (given().option("tokn", "canary"), "did you mean `token`?"),
    ] {
        let error = ElbDriver::new(config).unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
    }
    assert_eq!(ElbDriver::new(given().region("eu-west-1")).unwrap().region(), "eu-west-1");
    let names: Vec<_> = elb().options.iter().map(|option| option.name).collect();
    assert_eq!(names, ["token", "profile", "signature_version"]);
}

#[tokio::test]
async fn signature_version_2_is_sent_in_the_query() {
    let server = Mock::start();
    server.expect(
        Exchange::get("/")
            .query(matching(
                "Action=DeleteLoadBalancer&Version=2012-06-01&LoadBalancerName=web&AWSAccessKeyId=AKIDEXAMPLE\
                 &SignatureVersion=2&SignatureMethod=HmacSHA256&Timestamp=2024-05-01T08%3A30%3A00Z\
                 &Signature=[A-Za-z0-9%]+",
            ))
            .no_header("authorization")
            .answers(200)
            .body_file("fixtures/aws/elb/DeleteLoadBalancer.xml"),
    );
    let config = config(server.url().as_str()).option("signature_version", 2);
    ElbDriver::new(config).unwrap().destroy_balancer(&web()).await.unwrap();
}

#[tokio::test]
async fn a_throttled_call_is_repeated_whatever_it_does() {
    let server = Mock::start();
    for _ in 0..3 {
        refuse(&server, "DeleteLoadBalancer&LoadBalancerName=web", 400, "throttled");
    }
    let error = driver(&server).destroy_balancer(&web()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::Exhausted));
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
