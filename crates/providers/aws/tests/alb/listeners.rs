//! Listeners and rules.

use insta::assert_json_snapshot;
use libcloud_aws::elbv2::Rule;
use libcloud_common::ErrorKind;

use crate::*;

fn listener() -> Listener {
    Listener::from_id(listener_arn())
}

#[tokio::test]
async fn listeners() {
    let server = Mock::start();
    let driver = driver(&server);
    let arn = sent(&listener_arn());
    expect(&server, &format!("DescribeListeners&ListenerArns.member.1={arn}"));
    assert_json_snapshot!(driver.ex_get_listener(&listener_arn()).await.unwrap());
    refuse(&server, "DescribeListeners&ListenerArns.member.1=gone", "no-listener");
    answer(&server, "DescribeListeners&ListenerArns.member.1=gone", 200, "DescribeListeners.empty");
    for _ in 0..2 {
        let error = driver.ex_get_listener("gone").await.unwrap_err();
        assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("listener", "gone"))));
    }
    let balancer = sent(&balancer_arn());
    expect(&server, &format!("DescribeListeners&LoadBalancerArn={balancer}"));
    assert_eq!(driver.ex_list_listeners(&web()).await.unwrap().len(), 1);

    expect(
        &server,
        &format!(
            "CreateListener&LoadBalancerArn={balancer}&Protocol=HTTPS&Port=443&DefaultActions.member.1.Type=forward\
             &DefaultActions.member.1.TargetGroupArn=tg&Certificates.member.1.CertificateArn=arn%3A1\
             &SslPolicy=ELBSecurityPolicy-2016-08"
        ),
    );
    let group = TargetGroup::from_id("tg");
    let made = driver
        .ex_create_listener(
            &web(),
            443,
            "https",
            &group,
            None,
            Some("arn:1"),
            Some("ELBSecurityPolicy-2016-08"),
        )
        .await
        .unwrap();
    assert_eq!(made.id, listener_arn());

    expect(&server, &format!("DeleteListener&ListenerArn={arn}"));
    driver.ex_delete_listener(&listener()).await.unwrap();
}

#[tokio::test]
async fn rules() {
    let server = Mock::start();
    let driver = driver(&server);
    let (arn, rule) = (sent(&listener_arn()), sent(&rule_arn()));
    expect(&server, &format!("DescribeRules&RuleArns.member.1={rule}"));
    assert_json_snapshot!(driver.ex_get_rule(&rule_arn()).await.unwrap());
    refuse(&server, "DescribeRules&RuleArns.member.1=gone", "no-rule");
    answer(&server, "DescribeRules&RuleArns.member.1=gone", 200, "DescribeRules.empty");
    for _ in 0..2 {
        let error = driver.ex_get_rule("gone").await.unwrap_err();
        assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("rule", "gone"))));
    }
    expect(&server, &format!("DescribeRules&ListenerArn={arn}"));
    assert_eq!(driver.ex_list_listener_rules(&listener()).await.unwrap().len(), 1);

    let create = format!(
        "CreateRule&ListenerArn={arn}&Priority=10&Actions.member.1.Type=forward&Actions.member.1.TargetGroupArn=tg"
    );
    let group = TargetGroup::from_id("tg");
    refuse(
        &server,
        &format!(
            "{create}&Conditions.member.1.Field=host-header&Conditions.member.1.Values.member.1=a\
        &Conditions.member.1.Values.member.2=b"
        ),
        "priority",
    );
    let values = Some(vec!["a".to_owned(), "b".to_owned()]);
    let error = driver
        .ex_create_listener_rule(&listener(), "10", &group, None, Some("host-header"), values)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    expect(&server, &create);
    driver.ex_create_listener_rule(&listener(), "10", &group, None, None, None).await.unwrap();

    expect(&server, &format!("DeleteRule&RuleArn={rule}"));
    driver.ex_delete_rule(&Rule::from_id(rule_arn())).await.unwrap();
}
