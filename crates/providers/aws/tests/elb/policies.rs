//! Listeners, policies and health checks.

use libcloud_aws::elb::NewListener;
use libcloud_common::ErrorKind;

use crate::*;

#[tokio::test]
async fn policies() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(&server, "DescribeLoadBalancerPolicies&LoadBalancerName=web");
    assert_eq!(driver.ex_list_balancer_policies(&web()).await.unwrap(), ["sticky", "proxy"]);
    expect(&server, "DescribeLoadBalancerPolicyTypes");
    assert_eq!(driver.ex_list_balancer_policy_types().await.unwrap().len(), 2);

    let create = "CreateLoadBalancerPolicy&LoadBalancerName=web&PolicyName=proxy&PolicyTypeName=ProxyProtocolPolicyType";
    expect(&server, create);
    driver.ex_create_balancer_policy("web", "proxy", "ProxyProtocolPolicyType", None).await.unwrap();
    expect(
        &server,
        &format!(
            "{create}&PolicyAttributes.member.1.AttributeName=ProxyProtocol&PolicyAttributes.member.1.AttributeValue=true"
        ),
    );
    let attributes = json!({"ProxyProtocol": true}).as_object().cloned();
    driver.ex_create_balancer_policy("web", "proxy", "ProxyProtocolPolicyType", attributes).await.unwrap();

    expect(
        &server,
        "SetLoadBalancerPoliciesOfListener&LoadBalancerName=web&LoadBalancerPort=80&PolicyNames.member.1=sticky",
    );
    driver.ex_set_balancer_policies_listener("web", 80, &["sticky".into()]).await.unwrap();
    expect(
        &server,
        "SetLoadBalancerPoliciesOfListener&LoadBalancerName=web&LoadBalancerPort=80&PolicyNames=",
    );
    driver.ex_set_balancer_policies_listener("web", 80, &[]).await.unwrap();
    expect(
        &server,
        "SetLoadBalancerPoliciesForBackendServer&LoadBalancerName=web&InstancePort=8080&PolicyNames.member.1=proxy",
    );
    driver.ex_set_balancer_policies_backend_server("web", 8080, &["proxy".into()]).await.unwrap();
    expect(&server, "DeleteLoadBalancerPolicy&LoadBalancerName=web&PolicyName=proxy");
    driver.ex_delete_balancer_policy("web", "proxy").await.unwrap();

    refuse(&server, "DeleteLoadBalancerPolicy&LoadBalancerName=gone&PolicyName=proxy", 400, "no-balancer");
    let error = driver.ex_delete_balancer_policy("gone", "proxy").await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("balancer", "gone"))));
}

#[tokio::test]
async fn listeners() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(
        &server,
        "CreateLoadBalancerListeners&LoadBalancerName=web&Listeners.member.1.LoadBalancerPort=443\
         &Listeners.member.1.InstancePort=8080&Listeners.member.1.Protocol=HTTPS\
         &Listeners.member.1.SSLCertificateId=arn%3A1",
    );
    let listener = NewListener::new(443, 8080, "HTTPS").certificate("arn:1");
    driver.ex_create_balancer_listeners("web", &[listener]).await.unwrap();
    expect(
        &server,
        "DeleteLoadBalancerListeners&LoadBalancerName=web&LoadBalancerPorts.member.1=443&LoadBalancerPorts.member.2=80",
    );
    driver.ex_delete_balancer_listeners("web", &[443, 80]).await.unwrap();
}

#[tokio::test]
async fn health_checks() {
    let server = Mock::start();
    expect(
        &server,
        "ConfigureHealthCheck&LoadBalancerName=web&HealthCheck.Target=TCP%3A25&HealthCheck.Interval=30\
         &HealthCheck.Timeout=3&HealthCheck.UnhealthyThreshold=2&HealthCheck.HealthyThreshold=10",
    );
    let check =
        driver(&server).ex_configure_health_check("web", "TCP:25", None, Some(3), None, None).await.unwrap();
    assert_eq!((check.target.as_str(), check.timeout), ("TCP:25", 3));
}
