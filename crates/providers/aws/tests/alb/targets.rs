//! Target groups, and the members in them.

use insta::assert_json_snapshot;
use libcloud_aws::elbv2::{AlbMembers, MemberExtra};
use libcloud_common::{ErrorKind, Options};
use libcloud_compute::Node;
use libcloud_loadbalancer::{LoadBalancerDriverExt as _, Member};

use crate::*;

fn groups(server: &Mock, name: &str) {
    let params = format!("DescribeTargetGroups&LoadBalancerArn={}", sent(&balancer_arn()));
    answer(server, &params, 200, name);
}

fn group() -> TargetGroup {
    TargetGroup::from_id(group_arn())
}

#[tokio::test]
async fn target_groups() {
    let server = Mock::start();
    let driver = driver(&server);
    let arn = sent(&group_arn());
    expect(&server, &format!("DescribeTargetGroups&TargetGroupArns.member.1={arn}"));
    assert_json_snapshot!(driver.ex_get_target_group(&group_arn()).await.unwrap());
    refuse(&server, "DescribeTargetGroups&TargetGroupArns.member.1=gone", "no-group");
    answer(&server, "DescribeTargetGroups&TargetGroupArns.member.1=gone", 200, "DescribeTargetGroups.empty");
    for _ in 0..2 {
        let error = driver.ex_get_target_group("gone").await.unwrap_err();
        assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("target group", "gone"))));
    }
    expect(&server, "DescribeTargetGroups");
    assert_eq!(driver.ex_list_target_groups(None).await.unwrap().len(), 1);

    expect(
        &server,
        "CreateTargetGroup&Name=api&Protocol=HTTP&Port=8080&VpcId=vpc-1&HealthCheckProtocol=HTTPS\
         &HealthCheckPath=%2Fping&HealthCheckPort=8081&HealthCheckIntervalSeconds=10&HealthCheckTimeoutSeconds=2\
         &HealthyThresholdCount=3&UnhealthyThresholdCount=4&Matcher.HttpCode=200-299",
    );
    let made = driver
        .ex_create_target_group(
            "api",
            8080,
            "http",
            "vpc-1",
            Some(10),
            Some("/ping"),
            Some("8081"),
            Some("https"),
            Some(2),
            Some("200-299"),
            Some(3),
            Some(4),
        )
        .await
        .unwrap();
    assert_eq!(made.id, group_arn());

    let delete = format!("DeleteTargetGroup&TargetGroupArn={arn}");
    expect(&server, &delete);
    driver.ex_delete_target_group(&group()).await.unwrap();
    refuse(&server, &delete, "in-use");
    assert_eq!(driver.ex_delete_target_group(&group()).await.unwrap_err().kind(), ErrorKind::InvalidState);
}

#[tokio::test]
async fn targets() {
    let server = Mock::start();
    let driver = driver(&server);
    let arn = sent(&group_arn());
    let targets = format!(
        "TargetGroupArn={arn}&Targets.member.1.Id=i-1&Targets.member.1.Port=443&Targets.member.2.Id=10.0.0.6"
    );
    let members = [Member::new("i-1", "10.0.0.5", 443), Member::new("", "10.0.0.6", None)];
    expect(&server, &format!("RegisterTargets&{targets}"));
    driver.ex_register_targets(&group(), Some(members.to_vec())).await.unwrap();
    expect(&server, &format!("DeregisterTargets&{targets}"));
    driver.ex_deregister_targets(&group(), &members).await.unwrap();
    let error = driver.ex_deregister_targets(&group(), &[Member::from_id("")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);

    expect(&server, &format!("DescribeTargetHealth&TargetGroupArn={arn}"));
    let found = driver.ex_list_target_group_members(&group()).await.unwrap();
    let extra: MemberExtra = found[0].extra_as().unwrap();
    assert_eq!((found[0].id.as_str(), found[0].port), ("i-1", Some(8443)));
    assert_eq!(
        (extra.state.as_deref(), extra.reason.as_deref()),
        (Some("unhealthy"), Some("Target.Timeout"))
    );
}

#[tokio::test]
async fn members_are_those_of_the_one_target_group() {
    let server = Mock::start();
    let driver = driver(&server);
    let arn = sent(&group_arn());
    groups(&server, "DescribeTargetGroups");
    expect(&server, &format!("DescribeTargetHealth&TargetGroupArn={arn}"));
    let members = driver.balancer_list_members(&web()).await.unwrap();
    assert_eq!((members.len(), members[0].balancer.as_ref().unwrap().id.clone()), (1, balancer_arn()));

    groups(&server, "DescribeTargetGroups");
    expect(
        &server,
        &format!("RegisterTargets&TargetGroupArn={arn}&Targets.member.1.Id=i-3&Targets.member.1.Port=8080"),
    );
    let member = driver.balancer_attach_member(&web(), &Member::new("i-3", "", 8080)).await.unwrap();
    assert_eq!((member.id.as_str(), member.port), ("i-3", Some(8080)));
    groups(&server, "DescribeTargetGroups");
    expect(&server, &format!("RegisterTargets&TargetGroupArn={arn}&Targets.member.1.Id=i-4"));
    let member = driver.balancer_attach_compute_node(&web(), &Node::from_id("i-4")).await.unwrap();
    assert_eq!((member.id.as_str(), member.port), ("i-4", Some(443)));

    let deregister = format!("DeregisterTargets&TargetGroupArn={arn}&Targets.member.1.Id=i-9");
    groups(&server, "DescribeTargetGroups");
    expect(&server, &deregister);
    driver.balancer_detach_member(&web(), &Member::from_id("i-9")).await.unwrap();
    groups(&server, "DescribeTargetGroups");
    refuse(&server, &deregister, "no-target");
    let error = driver.balancer_detach_member(&web(), &Member::from_id("i-9")).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("member", "i-9"))));

    let gone = LoadBalancer::from_id("gone");
    refuse(&server, "DescribeTargetGroups&LoadBalancerArn=gone", "no-balancer");
    let error = driver.balancer_list_members(&gone).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("balancer", "gone"))));
}

#[tokio::test]
async fn where_there_are_several_target_groups_one_is_named() {
    let server = Mock::start();
    let driver = driver(&server);
    groups(&server, "DescribeTargetGroups.two");
    let error = driver.balancer_attach_member(&web(), &Member::from_id("i-3")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.resource()),
        (ErrorKind::InvalidArgument, Some(("argument", "ex_target_group")))
    );
    groups(&server, "DescribeTargetGroups.empty");
    let error = driver.balancer_attach_member(&web(), &Member::from_id("i-3")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidState);

    let mut ex = AlbMembers::default();
    ex.ex_target_group = Some("tg".into());
    expect(&server, "RegisterTargets&TargetGroupArn=tg&Targets.member.1.Id=i-3");
    let options = Options::new().ex(&ex);
    driver.balancer_attach_member_with(&web(), &Member::from_id("i-3"), options.clone()).await.unwrap();
    expect(&server, "DescribeTargetHealth&TargetGroupArn=tg");
    assert_eq!(driver.balancer_list_members_with(&web(), options).await.unwrap().len(), 1);

    // All members are those of all groups.
    groups(&server, "DescribeTargetGroups.two");
    let arn = sent(&group_arn());
    expect(&server, &format!("DescribeTargetHealth&TargetGroupArn={arn}"));
    expect(&server, &format!("DescribeTargetHealth&TargetGroupArn={arn}9"));
    assert_eq!(driver.balancer_list_members(&web()).await.unwrap().len(), 2);
}
