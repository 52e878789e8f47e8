//! Rules for Elastic Load Balancing, in both of its versions.

use serde_json::Value;

use super::Rule;
use crate::compare::Place;

const ELB: &[&str] = &["loadbalancer/elb"];
const ALB: &[&str] = &["loadbalancer/alb"];
const BOTH: &[&str] = &["loadbalancer/alb", "loadbalancer/elb"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "elb-version-in-parameter",
        drivers: BOTH,
        reason: "the version of the API is a parameter; the original says it in the path as well",
        applies: |_, difference| {
            difference.place == Place::Path
                && ["/2012-06-01/", "/2015-12-01/"].contains(&difference.recorded_text())
                && difference.our_text() == "/"
        },
    },
    Rule {
        id: "elb-digest-in-signature",
        drivers: BOTH,
        reason: "the digest of the body is part of what is signed; only storage needs it as a header, too",
        applies: |_, difference| {
            difference.place == Place::Header("x-amz-content-sha256".into()) && difference.ours.is_none()
        },
    },
    Rule {
        id: "elb-state",
        drivers: BOTH,
        reason: "a classic balancer that is there runs, and newer ones tell their state; the original says of both that it is \
                 unknown",
        applies: |_, difference| {
            matches!(&difference.place, Place::Result(path) if path.ends_with("state"))
                && difference.recorded_text() == "unknown"
                && ["running", "pending", "error"].contains(&difference.our_text())
        },
    },
    Rule {
        id: "elb-port",
        drivers: ELB,
        reason: "the port of a balancer with one listener is that of the listener; the original tells it of new balancers only",
        applies: |_, difference| {
            matches!(difference.place, Place::Result(_))
                && difference.key() == Some("port")
                && difference.recorded == Some(Value::Null)
                && difference.our_number().is_some()
        },
    },
    Rule {
        id: "elb-members-are-asked-for",
        drivers: ELB,
        reason: "members are asked for, with their health; the original repeats those that were there when the balancer was \
                 looked up. The recording then has no answer",
        applies: |context, difference| {
            context.call.call == "balancer_list_members"
                && context.exchanges.is_empty()
                && match &difference.place {
                    Place::Extra => difference.our_text().contains("Action=DescribeInstanceHealth&"),
                    Place::Outcome => difference.our_text().contains("answered 599"),
                    _ => false,
                }
        },
    },
    Rule {
        id: "elb-members-from-the-start",
        drivers: ELB,
        reason: "the members that a balancer is made with are registered; the original forgets them. The recording then has no \
                 answer",
        applies: |context, difference| {
            let members = context.call.args.get("members").and_then(Value::as_array);
            context.call.call == "create_balancer"
                && members.is_some_and(|members| !members.is_empty())
                && match &difference.place {
                    Place::Extra => {
                        difference.our_text().contains("Action=RegisterInstancesWithLoadBalancer&")
                    }
                    Place::Outcome => difference.our_text().contains("answered 599"),
                    _ => false,
                }
        },
    },
    Rule {
        id: "alb-network-protocols",
        drivers: ALB,
        reason: "network balancers are of this driver, too, which adds their protocols",
        applies: |context, difference| {
            context.call.call == "list_protocols"
                && difference.place == Place::Result(".length".into())
                && difference.recorded_number() < difference.our_number()
        },
    },
];
