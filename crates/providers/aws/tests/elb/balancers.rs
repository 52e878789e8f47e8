//! Balancers and their members.

use insta::assert_json_snapshot;
use libcloud_aws::elb::{BalancerExtra, ElbCreateBalancer, ElbListBalancers, MemberExtra};
use libcloud_common::{ErrorKind, Options};
use libcloud_compute::Node;
use libcloud_loadbalancer::{Algorithm, CreateBalancer, LoadBalancerDriverExt as _, Member, State};

use crate::*;

const LISTENER: &str = "Listeners.member.1.InstancePort=80&Listeners.member.1.InstanceProtocol=HTTP\
    &Listeners.member.1.LoadBalancerPort=80&Listeners.member.1.Protocol=HTTP";

#[tokio::test]
async fn list_balancers() {
    let server = Mock::start();
    expect(&server, "DescribeLoadBalancers");
    let balancers = driver(&server).list_balancers().await.unwrap();
    assert_json_snapshot!(balancers);
}

#[tokio::test]
async fn list_balancers_with_tags() {
    let server = Mock::start();
    expect(&server, "DescribeLoadBalancers");
    expect(&server, "DescribeTags&LoadBalancerNames.member.1=web&LoadBalancerNames.member.2=mail");
    let mut ex = ElbListBalancers::default();
    ex.ex_fetch_tags = Some(true);
    let balancers = driver(&server).list_balancers_with(Options::new().ex(&ex)).await.unwrap();
    let tags: Vec<_> =
        balancers.iter().map(|one| one.extra_as::<BalancerExtra>().unwrap().tags.unwrap().len()).collect();
    assert_eq!(tags, [2, 0]);

    answer(&server, "DescribeLoadBalancers", 200, "DescribeLoadBalancers.empty");
    assert_eq!(driver(&server).list_balancers_with(Options::new().ex(&ex)).await.unwrap(), []);
}

#[tokio::test]
async fn get_balancer() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(&server, "DescribeLoadBalancers&LoadBalancerNames.member.1=web");
    let balancer = driver.get_balancer("web").await.unwrap();
    assert_eq!((balancer.state, balancer.port), (State::Running, Some(80)));

    refuse(&server, "DescribeLoadBalancers&LoadBalancerNames.member.1=gone", 400, "no-balancer");
    answer(
        &server,
        "DescribeLoadBalancers&LoadBalancerNames.member.1=gone",
        200,
        "DescribeLoadBalancers.empty",
    );
    for _ in 0..2 {
        let error = driver.get_balancer("gone").await.unwrap_err();
        assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("balancer", "gone"))));
    }
}

#[tokio::test]
async fn create_balancer() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(
        &server,
        &format!("CreateLoadBalancer&LoadBalancerName=web&{LISTENER}&AvailabilityZones.member.1=us-east-1a"),
    );
    let made = driver.create_balancer(CreateBalancer::new("web", 80, "http")).await.unwrap();
    assert_eq!((made.id.as_str(), made.state, made.port), ("web", State::Pending, Some(80)));
    assert_eq!(made.ip.as_deref(), Some("web-123456789.us-east-1.elb.amazonaws.com"));

    expect(
        &server,
        "CreateLoadBalancer&LoadBalancerName=web&Listeners.member.1.InstancePort=8080\
         &Listeners.member.1.InstanceProtocol=HTTP&Listeners.member.1.LoadBalancerPort=443\
         &Listeners.member.1.Protocol=HTTPS&Listeners.member.1.SSLCertificateId=arn%3A1\
         &Subnets.member.1=subnet-1&SecurityGroups.member.1=sg-1&Scheme=internal\
         &Tags.member.1.Key=stage&Tags.member.1.Value=test",
    );
    expect(
        &server,
        "RegisterInstancesWithLoadBalancer&LoadBalancerName=web&Instances.member.1.InstanceId=i-1\
         &Instances.member.2.InstanceId=i-2",
    );
    let mut ex = ElbCreateBalancer::default();
    ex.ex_subnets = vec!["subnet-1".into()];
    ex.ex_security_groups = vec!["sg-1".into()];
    ex.ex_scheme = Some("internal".into());
    ex.ex_instance_protocol = Some("http".into());
    ex.ex_ssl_certificate_id = Some("arn:1".into());
    ex.ex_tags.insert("stage".into(), "test".into());
    let members = ["i-1", "i-2"].map(|id| Member::new(id, "10.0.0.5", 8080));
    let options = CreateBalancer::new("web", 443, "https").algorithm(Algorithm::RoundRobin).members(members);
    driver.create_balancer(options.ex(&ex)).await.unwrap();
}

#[tokio::test]
async fn create_balancer_that_is_refused() {
    let server = Mock::start();
    let driver = driver(&server);
    let create =
        format!("CreateLoadBalancer&LoadBalancerName=web&{LISTENER}&AvailabilityZones.member.1=us-east-1a");
    for (name, kind) in [
        ("duplicate", ErrorKind::AlreadyExists),
        ("too-many", ErrorKind::QuotaExceeded),
        ("validation", ErrorKind::InvalidArgument),
    ] {
        refuse(&server, &create, 400, name);
        let error = driver.create_balancer(CreateBalancer::new("web", 80, "http")).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }

    // What is there then is told.
    expect(&server, &create);
    let register = "RegisterInstancesWithLoadBalancer&LoadBalancerName=web&Instances.member.1.InstanceId=i-9";
    refuse(&server, register, 400, "no-instance");
    let options = CreateBalancer::new("web", 80, "http").members([Member::from_id("i-9")]);
    let error = driver.create_balancer(options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("the balancer `web` was made, its members were not"), "{error}");
}

#[tokio::test]
async fn what_classic_balancers_do_not_have_is_refused_before_anything_is_sent() {
    let server = Mock::start();
    let web = || CreateBalancer::new("web", 80, "http");
    for (options, kind) in [
        (CreateBalancer::new("web", 80, "carrier-pigeon"), ErrorKind::InvalidArgument),
        (web().algorithm(Algorithm::Random), ErrorKind::NotSupported),
        (web().members([Member::at("10.0.0.5", 80)]), ErrorKind::InvalidArgument),
        (web().members([Member::new("i-1", "", 80), Member::new("i-2", "", 81)]), ErrorKind::InvalidArgument),
    ] {
        assert_eq!(driver(&server).create_balancer(options).await.unwrap_err().kind(), kind);
    }
    let algorithms = driver(&server).list_supported_algorithms();
    assert_eq!(algorithms, [Algorithm::RoundRobin]);
    assert_eq!(driver(&server).list_protocols().await.unwrap(), ["tcp", "ssl", "http", "https"]);
}

#[tokio::test]
async fn destroy_balancer() {
    let server = Mock::start();
    expect(&server, "DeleteLoadBalancer&LoadBalancerName=web");
    driver(&server).destroy_balancer(&web()).await.unwrap();
}

#[tokio::test]
async fn members() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(&server, "DescribeInstanceHealth&LoadBalancerName=web");
    let members = driver.balancer_list_members(&web()).await.unwrap();
    assert_eq!(members.iter().map(|member| member.id.as_str()).collect::<Vec<_>>(), ["i-1", "i-2"]);
    assert_eq!(members[0].balancer.as_ref().unwrap().id, "web");
    let states: Vec<MemberExtra> = members.iter().map(|member| member.extra_as().unwrap()).collect();
    assert_eq!((states[0].state.as_deref(), states[0].reason_code.as_deref()), (Some("InService"), None));
    assert_eq!(
        (states[1].state.as_deref(), states[1].reason_code.as_deref()),
        (Some("OutOfService"), Some("Instance"))
    );

    let register = "RegisterInstancesWithLoadBalancer&LoadBalancerName=web&Instances.member.1.InstanceId=i-3";
    expect(&server, register);
    let member = driver.balancer_attach_compute_node(&web(), &Node::from_id("i-3")).await.unwrap();
    assert_eq!((member.id.as_str(), member.balancer.unwrap().id.as_str()), ("i-3", "web"));
    expect(&server, register);
    assert_eq!(driver.balancer_attach_member(&web(), &Member::from_id("i-3")).await.unwrap().id, "i-3");

    let deregister =
        "DeregisterInstancesFromLoadBalancer&LoadBalancerName=web&Instances.member.1.InstanceId=i-3";
    expect(&server, deregister);
    driver.balancer_detach_member(&web(), &member_of("i-3")).await.unwrap();
    refuse(&server, deregister, 400, "no-instance");
    let error = driver.balancer_detach_member(&web(), &member_of("i-3")).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("member", "i-3"))));

    let error = driver.balancer_attach_member(&web(), &Member::at("10.0.0.5", 80)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);

    let gone = LoadBalancer::from_id("gone");
    refuse(&server, "DescribeInstanceHealth&LoadBalancerName=gone", 400, "no-balancer");
    refuse(
        &server,
        "RegisterInstancesWithLoadBalancer&LoadBalancerName=gone&Instances.member.1.InstanceId=i-3",
        400,
        "no-balancer",
    );
    for error in [
        driver.balancer_list_members(&gone).await.unwrap_err(),
        driver.balancer_attach_member(&gone, &member_of("i-3")).await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("balancer", "gone"))));
    }
}

fn member_of(id: &str) -> Member {
    Member::from_id(id)
}
