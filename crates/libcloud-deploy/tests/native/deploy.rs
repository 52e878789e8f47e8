//! Deployment on one server: patience, users, tries, refusals.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use libcloud_common::{Clock, Error, ErrorKind};
use libcloud_compute::{ComputeDriverExt as _, CreateNode, Node, NodeAuth, NodeImage, NodeSize};
use libcloud_deploy::{
    DeployEvent, DeployExt as _, DeployNode, DeployObserver, DeployTo, DeploymentError, FileDeployment,
    HostKeys, ScriptDeployment, ScriptFileDeployment, SshAuth, SshImplementation, deploy_to, deployment_fn,
};
use libcloud_dummy::DummyCloud;

use crate::server::{Behaviour, Server, key_text};
use crate::{PausesClock, config};

fn to(server: &Server, clock: &PausesClock) -> DeployTo {
    DeployTo::new(config(server).clock(Arc::new(clock.clone())))
}

fn script() -> ScriptDeployment {
    ScriptDeployment::new("#!/bin/sh\n").name("setup.sh")
}

pub(crate) fn create(name: &str) -> CreateNode {
    CreateNode::new(name, &NodeSize::from_id("1"), &NodeImage::from_id("1"))
}

/// Writes down what it hears.
pub(crate) fn ears() -> (DeployObserver, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&heard);
    let observer = DeployObserver::new(move |event| {
        let line = match event {
            DeployEvent::Created(node) => format!("created {}", node.name),
            DeployEvent::Running(node) => format!("running {}", node.name),
            DeployEvent::Connecting { attempt, .. } => format!("connecting {attempt}"),
            DeployEvent::Failed(_) => "failed".to_owned(),
            DeployEvent::Done => "done".to_owned(),
            DeployEvent::Step(step) => format!("step {}/{} {}", step.number, step.count, step.name),
            DeployEvent::Output { bytes, .. } => format!("output {}", String::from_utf8_lossy(bytes).trim()),
            DeployEvent::Abandoned(node) => format!("abandoned {}", node.name),
            DeployEvent::AbandonedCreation(name) => format!("abandoned the creation of {name}"),
            _ => "something new".to_owned(),
        };
        ears.lock().unwrap().push(line);
    });
    (observer, heard)
}

#[tokio::test]
async fn a_port_that_opens_after_ten_seconds_is_waited_for() {
    /// Opens the port when the time has come.
    #[derive(Clone, Debug)]
    struct Opening(PausesClock, Arc<tokio::sync::Notify>);
    impl Clock for Opening {
        fn now(&self) -> libcloud_common::Timestamp {
            self.0.now()
        }
        fn elapsed(&self) -> Duration {
            self.0.elapsed()
        }
        fn sleep(&self, duration: Duration) -> libcloud_common::BoxFuture<'static, ()> {
            let (clock, open) = (self.0.clone(), Arc::clone(&self.1));
            Box::pin(async move {
                clock.sleep(duration).await;
                if clock.passed() >= Duration::from_secs(10) {
                    open.notify_one();
                    // The one that opens it has its turn.
                    for _ in 0..50 {
                        tokio::task::yield_now().await;
                    }
                }
            })
        }
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let clock = Opening(PausesClock::default(), Arc::default());
    let opened = Arc::clone(&clock.1);
    let server = tokio::spawn(async move {
        opened.notified().await;
        Server::start_at(Behaviour::default(), 1, free).await
    });
    let ssh = libcloud_deploy::SshConfig::new("127.0.0.1")
        .port(free)
        .auth(SshAuth::password("x"))
        .host_keys(HostKeys::accept_new().without_files())
        .clock(Arc::new(clock.clone()));
    let to = DeployTo::new(ssh).patience(Duration::from_secs(60));
    deploy_to(&Node::from_id("1"), &to, &mut script()).await.unwrap();
    assert!((10..=12).contains(&clock.0.passed().as_secs()), "{:?}", clock.0.passed());
    server.await.unwrap();

    // Without patience, one attempt is made.
    let clock = PausesClock::default();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut to = to;
    (to.ssh.port, to.ssh.clock, to.patience) = (closed, Arc::new(clock.clone()), Duration::ZERO);
    let error = deploy_to(&Node::from_id("1"), &to, &mut script()).await.unwrap_err();
    let failed = DeploymentError::of(&error).unwrap();
    assert_eq!((failed.attempts.len(), failed.attempts[0].times, clock.passed()), (1, 1, Duration::ZERO));

    // And with some, as many as fit in.
    to.patience = Duration::from_secs(10);
    let error = deploy_to(&Node::from_id("1"), &to, &mut script()).await.unwrap_err();
    let failed = DeploymentError::of(&error).unwrap();
    assert_eq!((failed.attempts.len(), failed.attempts[0].times), (1, 7));
    let text = error.to_string();
    assert!(text.contains("node `1` failed after 7 tries") && text.contains("refused"), "{text}");
}

#[tokio::test]
async fn a_new_server_that_has_no_keys_yet_is_asked_again() {
    let clock = PausesClock::default();
    let server = Server::start(Behaviour { refuses: 3.into(), ..Behaviour::default() }).await;
    let patient = to(&server, &clock).auth_patience(Duration::from_secs(60));
    deploy_to(&Node::from_id("1"), &patient, &mut script()).await.unwrap();
    assert_eq!(clock.passed(), Duration::from_millis(4500));

    let server = Server::start(Behaviour { refuses: 3.into(), ..Behaviour::default() }).await;
    let error = deploy_to(&Node::from_id("1"), &to(&server, &clock), &mut script()).await.unwrap_err();
    let failed = DeploymentError::of(&error).unwrap();
    assert_eq!(failed.cause().unwrap().kind(), ErrorKind::InvalidCredentials);
    assert!(!format!("{error:?} {error:#} {failed:?}").contains("canary"));
}

#[tokio::test]
async fn the_next_user_is_tried_where_the_first_is_not_let_in() {
    let behaviour = Behaviour { forced: Some("root"), ..Behaviour::default() };
    let server = Server::start(behaviour).await;
    let to = to(&server, &PausesClock::default()).alternate_usernames(["admin", "ubuntu"]);
    let mut step = script();
    deploy_to(&Node::from_id("1"), &to, &mut step).await.unwrap();
    assert_eq!(step.stdout(), Some("admin ran /home/me/setup.sh\n"));

    let behaviour = Behaviour { password: Some("another"), ..Behaviour::default() };
    let server = Server::start(behaviour).await;
    let mut to = to.clone();
    (to.ssh.port, to.ssh.host_keys) = (server.port, HostKeys::accept_new().without_files());
    let error = deploy_to(&Node::from_id("1"), &to, &mut step).await.unwrap_err();
    let users =
        DeploymentError::of(&error).unwrap().attempts.iter().map(|attempt| attempt.username.clone().unwrap());
    assert_eq!(users.collect::<Vec<_>>(), ["root", "admin", "ubuntu"]);
}

#[tokio::test]
async fn steps_are_run_again_when_the_connection_breaks() {
    let clock = PausesClock::default();
    let behaviour = Behaviour { cuts_files: 1.into(), cuts_commands: 1.into(), ..Behaviour::default() };
    let server = Server::start(behaviour).await;
    deploy_to(&Node::from_id("1"), &to(&server, &clock), &mut script()).await.unwrap();
    assert_eq!(server.seen.commands.lock().unwrap().len(), 2);

    let server = Server::start(Behaviour { cuts_commands: 9.into(), ..Behaviour::default() }).await;
    let error = deploy_to(&Node::from_id("7"), &to(&server, &clock), &mut script()).await.unwrap_err();
    let failed = DeploymentError::of(&error).unwrap();
    assert_eq!(error.kind(), ErrorKind::Deployment);
    assert_eq!(error.resource(), Some(("node", "7")));
    assert_eq!((failed.attempts.len(), failed.attempts[0].times), (1, 3));
    assert_eq!(server.seen.commands.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn what_will_fail_again_is_not_run_again() {
    let server = Server::start(Behaviour::default()).await;
    let to = to(&server, &PausesClock::default());
    for (kind, runs) in [
        (ErrorKind::Deployment, 1),
        (ErrorKind::InvalidArgument, 1),
        (ErrorKind::Io, 1),
        (ErrorKind::Timeout, 1),
        (ErrorKind::Provider, 3),
    ] {
        let ran = Arc::new(Mutex::new(0));
        let counter = Arc::clone(&ran);
        let mut step = deployment_fn("fails", move |_, _| {
            *counter.lock().unwrap() += 1;
            Box::pin(async move { Err(Error::new(kind, "foo")) })
        });
        let error = deploy_to(&Node::from_id("1"), &to, &mut step).await.unwrap_err();
        assert_eq!(*ran.lock().unwrap(), runs, "{kind}");
        assert!(error.to_string().ends_with(": foo"), "{error}");
    }
}

#[tokio::test]
async fn a_host_key_must_stay_the_same_for_the_whole_deployment() {
    let behaviour = Behaviour { changes_key: true, cuts_commands: 1.into(), ..Behaviour::default() };
    let server = Server::start(behaviour).await;
    let error = deploy_to(&Node::from_id("1"), &to(&server, &PausesClock::default()), &mut script())
        .await
        .unwrap_err();
    let failed = DeploymentError::of(&error).unwrap();
    assert_eq!(failed.cause().unwrap().kind(), ErrorKind::Tls, "{error}");
    assert!(error.to_string().contains("has changed since this deployment began"), "{error}");
}

#[tokio::test]
async fn a_node_is_made_and_its_password_used() {
    let clock = PausesClock::default();
    let server = Server::start_at(Behaviour::default(), 3, 0).await;
    let cloud = DummyCloud::with_clock(Arc::new(clock.clone()));
    let (observer, heard) = ears();
    let create = create("web").ex_arg("ex_boot_polls", 2);
    let options = DeployNode::new(create)
        .ssh_port(server.port)
        .host_keys(HostKeys::accept_new().without_files())
        .observer(observer);
    let mut step = script().args(["x"]);
    let node = cloud.compute().deploy_node(options, &mut step).await.unwrap();
    let password = node.extra.get("password").and_then(|password| password.as_str()).unwrap();
    assert!(password.len() > 20 && !format!("{node:?}").contains(password));
    assert_eq!((node.name.as_str(), node.public_ips[0].as_str()), ("web", "127.0.0.3"));
    assert_eq!(step.stdout(), Some("root ran /home/me/setup.sh x\n"));
    let heard = heard.lock().unwrap();
    let output = "output root ran /home/me/setup.sh x";
    assert_eq!(*heard, ["created web", "running web", "connecting 1", output, "done"]);
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_a_node_is_made() {
    let cloud = DummyCloud::new();
    let driver = cloud.compute();
    let folder = tempfile::tempdir().unwrap();
    let (no_key, key) = (folder.path().join("no-key"), folder.path().join("key"));
    std::fs::write(&no_key, "canary").unwrap();
    std::fs::write(&key, key_text()).unwrap();
    let missing = folder.path().join("missing");
    let with_key = || DeployNode::new(create("web")).ssh_key(SshAuth::key_file(&key));
    let refused = [
        (with_key().max_tries(0), "max_tries is 0"),
        (with_key().ssh_port(0), "port 0"),
        (with_key().ssh_username(""), "no name of a user"),
        (with_key().ssh_alternate_usernames(["-oProxyCommand=id"]), "no name of a user"),
        (with_key().ssh_key(SshAuth::key_file(&missing)), "missing"),
        (with_key().ssh_key(SshAuth::key_file(&no_key)), "is no private key"),
        (with_key().host_keys(HostKeys::strict().file(&missing)), "known hosts"),
        (
            DeployNode::new(create("web"))
                .ssh_key(SshAuth::password("canary"))
                .implementation(SshImplementation::System),
            "takes key files without a passphrase",
        ),
    ];
    for (options, problem) in refused {
        let error = driver.deploy_node(options, &mut script()).await.unwrap_err();
        assert!(error.to_string().contains(problem) && !error.to_string().contains("canary"), "{error}");
        assert!(DeploymentError::of(&error).is_none());
    }
    let error = driver.deploy_node(with_key(), &mut FileDeployment::new(&missing, "/x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    let error = driver.deploy_node(with_key(), &mut ScriptFileDeployment::new(&missing)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(driver.list_nodes().await.unwrap().len(), 2);
    assert!(cloud.calls().iter().all(|call| call.method != "create_node"));
}

#[tokio::test]
async fn a_node_that_will_not_run_is_told_with_its_error() {
    let clock = PausesClock::default();
    let cloud = DummyCloud::with_clock(Arc::new(clock));
    let options =
        DeployNode::new(create("web").ex_arg("ex_boot_polls", 1000)).timeout(Duration::from_secs(20));
    let error = cloud.compute().deploy_node(options, &mut script()).await.unwrap_err();
    let failed = DeploymentError::of(&error).unwrap();
    assert_eq!((failed.node.name.as_str(), failed.attempts[0].username.as_deref()), ("web", None));
    assert_eq!(failed.cause().unwrap().kind(), ErrorKind::Timeout);
    assert_eq!(cloud.compute().list_nodes().await.unwrap().len(), 3);

    // Where none was made, the error is the provider's.
    cloud.fail("create_node", ErrorKind::QuotaExceeded, "no more", 1);
    let error = cloud.compute().deploy_node(DeployNode::new(create("b")), &mut script()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
}

#[tokio::test]
async fn dropping_a_deployment_tells_which_node_exists() {
    let server = Server::start_at(Behaviour { is_mute: true, ..Behaviour::default() }, 3, 0).await;
    let cloud = DummyCloud::new();
    let (observer, heard) = ears();
    let options = DeployNode::new(create("web"))
        .auth(NodeAuth::password("canary"))
        .ssh_port(server.port)
        .host_keys(HostKeys::accept_new().without_files())
        .observer(observer);
    let driver = cloud.compute();
    let mut step = script();
    {
        let deployment = std::pin::pin!(driver.deploy_node(options, &mut step));
        let begun = async {
            while !heard.lock().unwrap().iter().any(|line| line.starts_with("output")) {
                tokio::task::yield_now().await;
            }
        };
        let begun = std::pin::pin!(begun);
        match futures_util::future::select(deployment, begun).await {
            futures_util::future::Either::Left((ended, _)) => panic!("it ended: {ended:?}"),
            futures_util::future::Either::Right(_) => {}
        }
    }
    assert_eq!(heard.lock().unwrap().last().unwrap(), "abandoned web");
    assert!(!format!("{:?}", heard.lock().unwrap()).contains("canary"));
}
