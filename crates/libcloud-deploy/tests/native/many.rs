//! Many at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use libcloud_common::SystemClock;
use libcloud_compute::Node;
use libcloud_deploy::{
    DeployExt as _, DeployNode, DeployTo, Deployed, DeploymentError, HostKeys, ScriptDeployment,
    deploy_to_many,
};
use libcloud_dummy::DummyCloud;

use crate::deploy::create;
use crate::server::{Behaviour, Server, loopback};
use crate::{PausesClock, config};

const NODES: u8 = 50;

#[cfg(target_os = "linux")]
#[tokio::test]
async fn fifty_nodes_are_deployed_so_many_at_once() {
    // The dummy cloud has two nodes, at 127.0.0.1 and 127.0.0.2; the new ones follow.
    let server = Server::start_at(Behaviour::default(), NODES + 2, 0).await;
    let cloud = DummyCloud::new();
    let driver = cloud.compute();
    let nodes = (0..NODES).map(|number| {
        DeployNode::new(create(&format!("web-{number}")))
            .ssh_port(server.port)
            .host_keys(HostKeys::accept_new().without_files())
    });
    let clock = SystemClock::shared();
    let steps = |options: &DeployNode| ScriptDeployment::new("").args([options.create.name.as_str()]);
    let done = driver.deploy_nodes(nodes.collect(), 10, steps).await;
    eprintln!("{NODES} new nodes, 10 at once: {:?}", clock.elapsed());
    check(&server, 10, done, |node| &node.name);

    let servers = (0..NODES).map(|number| {
        let mut to = DeployTo::new(config(&server));
        to.ssh.hostname = loopback(number + 3).to_string();
        (Node::from_id(format!("web-{number}")), to)
    });
    let clock = SystemClock::shared();
    let steps = |node: &Node| ScriptDeployment::new("").args([node.id.as_str()]);
    let done = deploy_to_many(servers.collect(), 50, steps).await;
    eprintln!("{NODES} servers, all at once: {:?}", clock.elapsed());
    check(&server, 50, done, |node| &node.id);
}

/// A result for each, in their order, and no more at once than was said, but about as many.
fn check(
    server: &Server,
    at_once: usize,
    done: Vec<Deployed<ScriptDeployment>>,
    name: impl Fn(&Node) -> &String,
) {
    assert_eq!(done.len(), usize::from(NODES));
    for (number, one) in done.into_iter().enumerate() {
        assert_eq!(*name(&one.result.unwrap()), format!("web-{number}"));
        let stdout = one.steps.stdout().unwrap();
        assert!(stdout.ends_with(&format!(" web-{number}\n")), "{stdout}");
    }
    // The server sees the end of a connection a little after the client.
    let most = server.seen.most_open.swap(0, Ordering::SeqCst);
    assert!((at_once / 2..=at_once * 2).contains(&most), "{most} connections at once");
}

#[tokio::test]
async fn one_that_fails_does_not_keep_the_others() {
    let good = Server::start(Behaviour::default()).await;
    let bad = Server::start(Behaviour { password: Some("another"), ..Behaviour::default() }).await;
    let servers = [&good, &bad, &good].into_iter().enumerate().map(|(number, server)| {
        let ssh = config(server).clock(Arc::new(PausesClock::default()));
        (Node::from_id(number.to_string()), DeployTo::new(ssh))
    });
    let done = deploy_to_many(servers.collect(), 2, |_| ScriptDeployment::new("")).await;
    let results: Vec<bool> = done.iter().map(|one| one.result.is_ok()).collect();
    assert_eq!(results, [true, false, true]);
    let failed = DeploymentError::of(done[1].result.as_ref().unwrap_err()).unwrap();
    assert_eq!(failed.node.id, "1");
}
