//! Balancers.

use insta::assert_json_snapshot;
use libcloud_aws::elbv2::{AlbCreateBalancer, BalancerExtra};
use libcloud_common::ErrorKind;
use libcloud_loadbalancer::{Algorithm, CreateBalancer, LoadBalancerDriverExt as _, Member, State};

use crate::*;

const HEALTH: &str = "HealthCheckPort=traffic-port&HealthCheckIntervalSeconds=30&HealthCheckTimeoutSeconds=5\
    &HealthyThresholdCount=5&UnhealthyThresholdCount=2";

fn create(rest: &str) -> String {
    format!("CreateLoadBalancer&Name=web&{rest}")
}

#[tokio::test]
async fn list_balancers() {
    let server = Mock::start();
    expect(&server, "DescribeLoadBalancers");
    details(&server);
    let balancers = driver(&server).list_balancers().await.unwrap();
    assert_json_snapshot!(balancers);
}

#[tokio::test]
async fn get_balancer_by_arn_or_name() {
    let server = Mock::start();
    let driver = driver(&server);
    let arn = balancer_arn();
    expect(&server, &format!("DescribeLoadBalancers&LoadBalancerArns.member.1={}", sent(&arn)));
    details(&server);
    let balancer = driver.get_balancer(&arn).await.unwrap();
    assert_eq!((balancer.state, balancer.port), (State::Running, Some(443)));
    expect(&server, "DescribeLoadBalancers&Names.member.1=web");
    details(&server);
    assert_eq!(driver.get_balancer("web").await.unwrap().id, arn);

    refuse(&server, "DescribeLoadBalancers&Names.member.1=gone", "no-balancer");
    answer(&server, "DescribeLoadBalancers&Names.member.1=gone", 200, "DescribeLoadBalancers.empty");
    for _ in 0..2 {
        let error = driver.get_balancer("gone").await.unwrap_err();
        assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("balancer", "gone"))));
    }
}

#[tokio::test]
async fn create_balancer_with_group_members_and_listener() {
    let server = Mock::start();
    let (balancer, group) = (sent(&balancer_arn()), sent(&group_arn()));
    expect(
        &server,
        &create(
            "Subnets.member.1=subnet-1&Subnets.member.2=subnet-2&IpAddressType=ipv4&Scheme=internal\
             &SecurityGroups.member.1=sg-1&Tags.member.1.Key=stage&Tags.member.1.Value=live",
        ),
    );
    expect(
        &server,
        &format!(
            "CreateTargetGroup&Name=web-tg&Protocol=HTTPS&Port=443&VpcId=vpc-1&HealthCheckProtocol=HTTPS\
             &HealthCheckPath=%2F&{HEALTH}&Matcher.HttpCode=200"
        ),
    );
    expect(
        &server,
        &format!(
            "ModifyTargetGroupAttributes&TargetGroupArn={group}&Attributes.member.1.Key=load_balancing.algorithm.type\
             &Attributes.member.1.Value=least_outstanding_requests"
        ),
    );
    expect(
        &server,
        &format!(
            "RegisterTargets&TargetGroupArn={group}&Targets.member.1.Id=i-1&Targets.member.1.Port=8443\
             &Targets.member.2.Id=i-2"
        ),
    );
    expect(
        &server,
        &format!(
            "CreateListener&LoadBalancerArn={balancer}&Protocol=HTTPS&Port=443&DefaultActions.member.1.Type=forward\
             &DefaultActions.member.1.TargetGroupArn={group}&Certificates.member.1.CertificateArn=arn%3A1"
        ),
    );
    details(&server);
    let mut ex = AlbCreateBalancer::default();
    ex.ex_scheme = Some("internal".into());
    ex.ex_subnets = vec!["subnet-1".into(), "subnet-2".into()];
    ex.ex_security_groups = vec!["sg-1".into()];
    ex.ex_tags.insert("stage".into(), "live".into());
    ex.ex_ssl_cert_arn = Some("arn:1".into());
    let members = [Member::new("i-1", "10.0.0.5", 8443), Member::from_id("i-2")];
    let options =
        CreateBalancer::new("web", 443, "https").algorithm(Algorithm::LeastConnections).members(members);
    let made = driver(&server).create_balancer(options.ex(&ex)).await.unwrap();
    assert_eq!((made.id, made.state, made.port), (balancer_arn(), State::Pending, Some(443)));
    let extra: BalancerExtra = made.extra.read().unwrap();
    assert_eq!(extra.listener.unwrap().id, listener_arn());
}

#[tokio::test]
async fn create_network_balancer_in_the_subnets_of_the_driver() {
    let server = Mock::start();
    let (balancer, group) = (sent(&balancer_arn()), sent(&group_arn()));
    expect(
        &server,
        &create(
            "Type=network&Subnets.member.1=subnet-9&IpAddressType=ipv4&Scheme=internet-facing&SecurityGroups.member.1=sg-9",
        ),
    );
    expect(
        &server,
        &format!(
            "CreateTargetGroup&Name=web-tg&Protocol=TCP&Port=25&VpcId=vpc-1&HealthCheckProtocol=TCP&{HEALTH}"
        ),
    );
    expect(
        &server,
        &format!(
            "CreateListener&LoadBalancerArn={balancer}&Protocol=TCP&Port=25&DefaultActions.member.1.Type=forward\
             &DefaultActions.member.1.TargetGroupArn={group}"
        ),
    );
    details(&server);
    let config = config(server.url().as_str())
        .option("subnets", json!(["subnet-9"]))
        .option("security_groups", json!(["sg-9"]));
    AlbDriver::new(config).unwrap().create_balancer(CreateBalancer::new("web", 25, "tcp")).await.unwrap();
}

#[tokio::test]
async fn what_was_made_goes_when_a_later_step_fails() {
    let server = Mock::start();
    let driver = driver(&server);
    let (balancer, group) = (sent(&balancer_arn()), sent(&group_arn()));
    let made = create("IpAddressType=ipv4&Scheme=internet-facing");
    let make_group = format!(
        "CreateTargetGroup&Name=web-tg&Protocol=HTTPS&Port=443&VpcId=vpc-1&HealthCheckProtocol=HTTPS\
         &HealthCheckPath=%2F&{HEALTH}&Matcher.HttpCode=200"
    );
    expect(&server, &made);
    expect(&server, &make_group);
    refuse(
        &server,
        &format!(
            "CreateListener&LoadBalancerArn={balancer}&Protocol=HTTPS&Port=443&DefaultActions.member.1.Type=forward\
             &DefaultActions.member.1.TargetGroupArn={group}"
        ),
        "no-certificate",
    );
    expect(&server, &format!("DeleteLoadBalancer&LoadBalancerArn={balancer}"));
    refuse(&server, &format!("DeleteTargetGroup&TargetGroupArn={group}"), "in-use");
    let error = driver.create_balancer(CreateBalancer::new("web", 443, "https")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let text = error.to_string();
    assert!(text.contains("A certificate must be specified"), "{text}");
    assert!(text.contains(&format!("the target group {} is still there (", group_arn())), "{text}");
    assert!(!text.contains("the balancer"), "{text}");

    expect(&server, &made);
    refuse(&server, &make_group, "no-group");
    expect(&server, &format!("DeleteLoadBalancer&LoadBalancerArn={balancer}"));
    driver.create_balancer(CreateBalancer::new("web", 443, "https")).await.unwrap_err();

    refuse(&server, &made, "duplicate");
    let error = driver.create_balancer(CreateBalancer::new("web", 443, "https")).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::AlreadyExists, Some(("balancer", "web"))));
}

#[tokio::test]
async fn what_there_is_not_is_refused_before_anything_is_sent() {
    let server = Mock::start();
    for (options, kind) in [
        (CreateBalancer::new("web", 80, "carrier-pigeon"), ErrorKind::InvalidArgument),
        (CreateBalancer::new("web", 80, "http").algorithm(Algorithm::Random), ErrorKind::NotSupported),
        (
            CreateBalancer::new("web", 25, "tcp").algorithm(Algorithm::LeastConnections),
            ErrorKind::NotSupported,
        ),
    ] {
        assert_eq!(driver(&server).create_balancer(options).await.unwrap_err().kind(), kind);
    }
}

#[tokio::test]
async fn ex_create_balancer_and_destroy() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(
        &server,
        &create(
            "Subnets.member.1=subnet-1&IpAddressType=dualstack&Scheme=internal&SecurityGroups.member.1=sg-1",
        ),
    );
    details(&server);
    let groups = Some(vec!["sg-1".to_owned()]);
    let subnets = Some(vec!["subnet-1".to_owned()]);
    let made = driver
        .ex_create_balancer("web", Some("dualstack"), Some("internal"), groups, subnets, None)
        .await
        .unwrap();
    assert_eq!(made.name, "web");

    expect(&server, &format!("DeleteLoadBalancer&LoadBalancerArn={}", sent(&balancer_arn())));
    driver.destroy_balancer(&made).await.unwrap();
}
