//! `deploy_node` from end to end: the dummy cloud's new nodes, at 127.0.0.3 and on, are this server.

use std::sync::{Arc, Mutex};

use libcloud_common::ErrorKind;
use libcloud_compute::{ComputeDriverExt as _, CreateNode, NodeAuth, NodeImage, NodeSize};
use libcloud_deploy::{
    DeployEvent, DeployExt as _, DeployNode, DeployObserver, DeploymentError, FileDeployment, HostKeys,
    MultiStepDeployment, SSHKeyDeployment, ScriptDeployment, SshAuth, SshImplementation, deployment_fn,
};
use libcloud_dummy::DummyCloud;

use crate::{Log, assert_no_secret, folder, key, told};

fn web(number: usize) -> DeployNode {
    let create = CreateNode::new(format!("web-{number}"), &NodeSize::from_id("1"), &NodeImage::from_id("1"));
    DeployNode::new(create)
        .ssh_port(told("SSH_PORT").parse().unwrap())
        .ssh_username(told("SSH_USER"))
        .host_keys(HostKeys::accept_new().without_files())
}

#[tokio::test]
async fn a_node_gets_a_key_a_file_and_a_script() {
    let _alone = crate::DOT_SSH.lock().await;
    let cloud = DummyCloud::new();
    let log = Log::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&heard);
    let local = tempfile::tempdir().unwrap();
    std::fs::write(local.path().join("app.conf"), "listen 80\n").unwrap();
    let line = std::fs::read_to_string(key("not_authorized.pub")).unwrap();
    let folder = folder("deploy");
    let home = folder.clone();
    let mut steps = MultiStepDeployment::new()
        .add(SSHKeyDeployment::new(line))
        .add(FileDeployment::new(local.path().join("app.conf"), format!("{folder}/app.conf")))
        .add(
            ScriptDeployment::new("#!/bin/sh\ncat \"$1/app.conf\"; echo \"token of ${#TOKEN} letters\"\n")
                .args([&folder])
                .secret_env("TOKEN", "canary")
                .must_succeed()
                .delete(),
        )
        .add(deployment_fn("clean up", move |node, client| {
            let line = format!("rm -r {home} .ssh; echo {} is ready", node.name);
            Box::pin(async move {
                let output = client.run(&line).await?;
                assert_eq!(output.exit_status, 0, "{output:?}");
                Ok(())
            })
        }));
    let mut options =
        web(1).auth(NodeAuth::password(told("SSH_PASSWORD"))).observer(DeployObserver::new(move |event| {
            match event {
                DeployEvent::Step(step) => {
                    ears.lock().unwrap().push(format!("{}/{}", step.number, step.count));
                }
                DeployEvent::Output { bytes, .. } => {
                    ears.lock().unwrap().push(String::from_utf8_lossy(bytes).into_owned());
                }
                _ => {}
            }
        }));
    options.to.ssh.debug_log = Some(log.log());
    let node = cloud.compute().deploy_node(options, &mut steps).await.unwrap();
    assert_eq!(node.public_ips, ["127.0.0.3"]);
    assert_eq!(node.extra.get("password").unwrap(), told("SSH_PASSWORD").as_str());
    let heard = heard.lock().unwrap().concat();
    assert_eq!(heard, "1/42/43/4listen 80\ntoken of 6 letters\n4/4web-1 is ready\n");
    assert_no_secret(&format!("{node:?} {} {steps:?}", log.text()));
}

#[tokio::test]
async fn a_node_is_reached_by_the_users_key_as_another_user_and_by_the_systems_ssh() {
    let cloud = DummyCloud::new();
    for (number, implementation) in
        [SshImplementation::Native, SshImplementation::System].into_iter().enumerate()
    {
        let options = web(number)
            .auth(NodeAuth::ssh_key(std::fs::read_to_string(key("ed25519.pub")).unwrap()))
            .ssh_key(SshAuth::key_file(key("not_authorized")))
            .ssh_key(SshAuth::key_file(key("ed25519")))
            .ssh_username("nobody-here")
            .ssh_alternate_usernames([told("SSH_USER")])
            .implementation(implementation);
        let mut script = ScriptDeployment::new("#!/bin/sh\nid -un\n").delete();
        let node = cloud.compute().deploy_node(options, &mut script).await.unwrap();
        assert_eq!(script.stdout(), Some(format!("{}\n", told("SSH_USER")).as_str()));
        assert_eq!(node.name, format!("web-{number}"));
    }
}

#[tokio::test]
async fn a_script_that_fails_leaves_the_node_and_says_why() {
    let cloud = DummyCloud::new();
    let options = web(1).auth(NodeAuth::password(told("SSH_PASSWORD")));
    let mut steps = MultiStepDeployment::new().add(
        ScriptDeployment::new("#!/bin/sh\necho no such package >&2; exit 100\n").must_succeed().delete(),
    );
    let error = cloud.compute().deploy_node(options, &mut steps).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deployment);
    let text = error.to_string();
    assert!(text.contains("node `3` (web-1) failed: step 1 of 1"), "{text}");
    assert!(text.ends_with("the script ended with the exit status 100; it wrote: no such package"), "{text}");
    let failed = DeploymentError::of(&error).unwrap();
    assert_eq!(failed.attempts[0].times, 1);
    assert_eq!(cloud.compute().get_node(&failed.node.id).await.unwrap().name, "web-1");
}

#[tokio::test]
async fn several_nodes_are_deployed_at_once() {
    let cloud = DummyCloud::new();
    let nodes = (0..6).map(|number| web(number).auth(NodeAuth::password(told("SSH_PASSWORD"))));
    let steps = |options: &DeployNode| {
        ScriptDeployment::new("#!/bin/sh\necho $1\n").args([options.create.name.as_str()]).delete()
    };
    let done = cloud.compute().deploy_nodes(nodes.collect(), 3, steps).await;
    for (number, one) in done.into_iter().enumerate() {
        one.result.unwrap();
        assert_eq!(one.steps.stdout(), Some(format!("web-{number}\n").as_str()));
    }
}
