//! What every load balancing driver gets for nothing, on a driver that keeps its balancers in memory.

#![cfg(test)]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use libcloud_common::{BoxStream, Error, ErrorKind, Options, Result, Value, json, once};
use libcloud_compute::Node;
use libcloud_loadbalancer::{
    Algorithm, CreateBalancer, LOADBALANCER_METHODS, LoadBalancer, LoadBalancerDriver, LoadBalancerDriverExt,
    Member, MemberCondition, State, UpdateBalancer,
};
use libcloud_testkit::{bare_driver, wrapping_driver};

#[derive(Clone, Default)]
struct Memory {
    balancers: Arc<Mutex<Vec<LoadBalancer>>>,
    members: Arc<Mutex<Vec<Member>>>,
}

bare_driver!(Memory, "memory");

#[async_trait]
impl LoadBalancerDriver for Memory {
    async fn list_protocols_with(&self, options: Options) -> Result<Vec<String>> {
        options.plain("list_protocols")?;
        Ok(vec!["http".to_owned(), "tcp".to_owned()])
    }

    fn list_supported_algorithms(&self) -> Vec<Algorithm> {
        vec![Algorithm::RoundRobin, Algorithm::LeastConnections]
    }

    fn iterate_balancers_with(&self, options: Options) -> BoxStream<'static, Result<LoadBalancer>> {
        let driver = self.clone();
        once(async move {
            options.plain("list_balancers")?;
            Ok(driver.balancers.lock().unwrap().clone())
        })
    }

    async fn create_balancer(&self, options: CreateBalancer) -> Result<LoadBalancer> {
        options.ex.none("create_balancer")?;
        let algorithm = options.algorithm.unwrap_or(Algorithm::RoundRobin);
        let mut balancer =
            LoadBalancer::new("1", options.name, State::Pending).with_address("192.0.2.1", options.port);
        balancer.extra.insert("algorithm", algorithm.as_str());
        balancer.extra.insert("protocol", options.protocol);
        self.balancers.lock().unwrap().push(balancer.clone());
        self.members.lock().unwrap().extend(options.members);
        Ok(balancer)
    }

    async fn update_balancer_with(
        &self,
        balancer: &LoadBalancer,
        options: UpdateBalancer,
    ) -> Result<LoadBalancer> {
        let mut balancer = balancer.clone();
        balancer.name = options.name.unwrap_or(balancer.name);
        balancer.port = options.port.or(balancer.port);
        Ok(balancer)
    }

    async fn balancer_attach_member_with(
        &self,
        balancer: &LoadBalancer,
        member: &Member,
        options: Options,
    ) -> Result<Member> {
        options.plain("balancer_attach_member")?;
        let member = member.clone().with_balancer(&Arc::new(balancer.clone()));
        self.members.lock().unwrap().push(member.clone());
        Ok(member)
    }

    async fn balancer_detach_member_with(
        &self,
        _balancer: &LoadBalancer,
        member: &Member,
        options: Options,
    ) -> Result<()> {
        options.plain("balancer_detach_member")?;
        let mut members = self.members.lock().unwrap();
        let place = members.iter().position(|other| other.id == member.id);
        members.remove(place.ok_or_else(|| Error::not_found("member", &member.id))?);
        Ok(())
    }

    async fn balancer_list_members_with(
        &self,
        _balancer: &LoadBalancer,
        options: Options,
    ) -> Result<Vec<Member>> {
        options.plain("balancer_list_members")?;
        Ok(self.members.lock().unwrap().clone())
    }
}

wrapping_driver!(Wrapper(Memory), LoadBalancerDriver);

fn driver() -> Arc<dyn LoadBalancerDriver> {
    Arc::new(Wrapper(Memory::default()))
}

fn node(public: &[&str], private: &[&str]) -> Node {
    let owned = |ips: &[&str]| ips.iter().map(ToString::to_string).collect();
    Node::from_id("i-1").with_ips(owned(public), owned(private))
}

#[tokio::test]
async fn a_handle_does_what_the_driver_does() {
    let driver = driver();
    let options = CreateBalancer::new("web", 80, "http")
        .algorithm(Algorithm::LeastConnections)
        .members([Member::new("m-1", "10.0.0.5", 8080)]);
    let balancer = driver.create_balancer(options).await.unwrap();
    assert_eq!(balancer.extra["algorithm"], "least_connections");
    let mut balancer = driver.balancer(balancer);

    let member = balancer.attach_member(&Member::new("m-2", "10.0.0.6", 8080)).await.unwrap();
    assert_eq!(member.balancer.as_deref(), Some(&*balancer));
    let ids = |members: Vec<Member>| members.into_iter().map(|member| member.id).collect::<Vec<_>>();
    assert_eq!(ids(balancer.list_members().await.unwrap()), ["m-1", "m-2"]);
    balancer.detach_member(&Member::from_id("m-1")).await.unwrap();
    assert_eq!(ids(balancer.list_members().await.unwrap()), ["m-2"]);
    let error = balancer.detach_member(&Member::from_id("m-1")).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("member", "m-1"))));

    balancer.update(UpdateBalancer::new().name("shop").port(443)).await.unwrap();
    assert_eq!((balancer.name.as_str(), balancer.port), ("shop", Some(443)));
    let error = balancer.destroy().await.unwrap_err();
    assert_eq!(error.to_string(), "destroy_balancer is not supported");
}

#[tokio::test]
async fn a_node_is_attached_by_its_first_address_at_the_balancers_port() {
    let driver = driver();
    let balancer = LoadBalancer::from_id("1").with_address("192.0.2.1", 80);
    let balancer = driver.balancer(balancer);
    for (node, ip) in [
        (node(&["192.0.2.7", "192.0.2.8"], &["10.0.0.7"]), Some("192.0.2.7")),
        (node(&[], &["10.0.0.7", "10.0.0.8"]), Some("10.0.0.7")),
        // Providers that balance among nodes need no address.
        (node(&[], &[]), None),
    ] {
        let member = balancer.attach_compute_node(&node).await.unwrap();
        assert_eq!((member.id.as_str(), member.ip.as_deref(), member.port), ("i-1", ip, Some(80)));
    }
}

#[tokio::test]
async fn every_method_is_reached_by_its_name() {
    let driver = driver();
    assert_eq!(driver.call("list_protocols", json!({})).await.unwrap(), json!(["http", "tcp"]));
    let algorithms = driver.call("list_supported_algorithms", Value::Null).await.unwrap();
    assert_eq!(algorithms, json!(["round_robin", "least_connections"]));
    let args = json!({"name": "web", "port": 80, "protocol": "http", "algorithm": "ROUND_ROBIN"});
    let balancer = driver.call("create_balancer", args).await.unwrap();
    assert_eq!(
        balancer,
        json!({
            "id": "1", "name": "web", "state": "pending", "ip": "192.0.2.1", "port": 80,
            "extra": {"algorithm": "round_robin", "protocol": "http"},
        })
    );
    assert_eq!(driver.call("list_balancers", json!({})).await.unwrap(), json!([balancer]));

    let args = json!({"balancer": balancer, "node": {"id": "i-1", "public_ips": ["192.0.2.7"]}});
    let member = driver.call("balancer_attach_compute_node", args).await.unwrap();
    assert_eq!(
        member,
        json!({"id": "i-1", "ip": "192.0.2.7", "port": 80, "balancer": balancer, "extra": {}})
    );
    let members = driver.call("balancer_list_members", json!({"balancer": "1"})).await.unwrap();
    assert_eq!(members, json!([member]));
    let args = json!({"balancer": "1", "member": "i-1"});
    assert_eq!(driver.call("balancer_detach_member", args).await.unwrap(), true);

    let names: Vec<&str> = LOADBALANCER_METHODS.iter().map(|method| method.name).collect();
    assert!(names.contains(&"update_balancer") && !names.contains(&"inner"), "{names:?}");
}

#[tokio::test]
async fn members_of_a_new_balancer_may_be_ids_or_addresses() {
    let driver = driver();
    let args = json!({
        "name": "web", "port": 80, "protocol": "http",
        "members": ["i-1", {"id": null, "ip": "10.0.0.5", "port": 8080}],
    });
    driver.call("create_balancer", args).await.unwrap();
    let members = driver.balancer_list_members(&LoadBalancer::from_id("1")).await.unwrap();
    assert_eq!(members, [Member::from_id("i-1"), Member::at("10.0.0.5", 8080)]);
}

#[tokio::test]
async fn wrong_arguments_say_what_is_right() {
    let driver = driver();
    let web = |key: &str, value: Value| {
        let mut args = json!({"name": "web", "port": 80, "protocol": "http"});
        args[key] = value;
        args
    };
    for (method, args, message) in [
        (
            "create_balancer",
            json!({"name": "web", "protocol": "http"}),
            "create_balancer needs `port` (integer)",
        ),
        ("create_balancer", web("port", json!(70_000)), "`port`: expected integer, found 70000"),
        ("create_balancer", web("members", json!({"ip": 7})), "`members`: this is no member: "),
        ("create_balancer", web("algoritm", json!("random")), "did you mean `algorithm`?"),
        ("create_balancer", web("ex_x", json!(1)), "create_balancer has no argument `ex_x`"),
        ("list_balancer", json!({}), "did you mean `list_balancers`?"),
    ] {
        let error = driver.call(method, args).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn the_seeds_words_are_read_and_unknown_ones_kept() {
    assert_eq!(Algorithm::ALL.len(), 13);
    for algorithm in Algorithm::ALL {
        assert_eq!(&Algorithm::from(algorithm.as_str().to_ascii_uppercase()), algorithm);
    }
    assert_eq!(Algorithm::from("least_ping").as_str(), "least_ping");
    assert_eq!(MemberCondition::from("DRAINING"), MemberCondition::Draining);
    assert_eq!(State::from("RUNNING"), State::Running);
    assert_eq!(State::from("unknown"), State::Unknown(String::new()));
    assert_eq!(State::from("resizing").to_string(), "unknown");
}

#[test]
fn resources_are_read_with_what_providers_leave_out() {
    let balancer = json!({"id": "1", "name": null, "state": null, "ip": null, "port": null, "extra": {}});
    let balancer: LoadBalancer = serde_json::from_value(balancer).unwrap();
    assert_eq!(balancer, LoadBalancer::from_id("1"));
    let member = Member::at("10.0.0.5", 80).with_balancer(&Arc::new(balancer));
    let json = serde_json::to_value(&member).unwrap();
    assert_eq!(json["balancer"]["id"], "1");
    assert_eq!(serde_json::from_value::<Member>(json).unwrap(), member);
}
