//! Commands: what they write, how they end, how long they may take.

use std::sync::Arc;
use std::time::Duration;

use libcloud_common::{BoxFuture, Clock, ErrorKind, Timestamp};
use libcloud_compute::Node;
use libcloud_deploy::{
    Deployment as _, OutputStream, RemoteCommand, ScriptDeployment, ScriptFileDeployment, SshClient as _,
};
use tokio::sync::Notify;

use crate::{Log, assert_no_secret, by_key, connected, folder, told};

#[tokio::test]
async fn output_statuses_and_signals_come_back() {
    let mut client = connected(by_key()).await;
    let output = client.run("echo grüße; echo fehler >&2; exit 3").await.unwrap();
    assert_eq!(
        (output.stdout.as_str(), output.stderr.as_str(), output.exit_status),
        ("grüße\n", "fehler\n", 3)
    );
    let output = client.run("kill -KILL $$").await.unwrap();
    assert_eq!((output.exit_status, output.signal.as_deref()), (137, Some("KILL")));
    // Nothing is on its standard input, and it does not wait for any.
    assert_eq!(client.run("cat; pwd").await.unwrap().stdout, format!("{}\n", told("SSH_HOME")));
    assert_eq!(client.run("no-such-command-here").await.unwrap().exit_status, 127);
}

#[tokio::test]
async fn two_hundred_megabytes_are_heard_in_little_memory() {
    let mut client = connected(by_key()).await;
    let command = RemoteCommand::shell("head -c 200000000 /dev/zero; echo end >&2");
    let (mut heard, mut errors, mut largest) = (0_u64, Vec::new(), 0);
    let before = peak();
    let status = client
        .run_with(&command, &mut |stream, bytes| match stream {
            OutputStream::Stdout => {
                heard += bytes.len() as u64;
                largest = largest.max(bytes.len());
            }
            OutputStream::Stderr => errors.extend_from_slice(bytes),
        })
        .await
        .unwrap();
    assert!(status.success());
    assert_eq!((heard, errors.as_slice()), (200_000_000, &b"end\n"[..]));
    assert!(largest <= 64 << 10, "{largest}");
    let grown = peak().saturating_sub(before);
    assert!(grown < 64 << 10, "200 MB took {grown} KiB more memory");
    eprintln!("200 MB of output took {grown} KiB more memory at most");

    // What is kept of it is its end.
    let mut script =
        ScriptDeployment::new("#!/bin/sh\nhead -c 200000000 /dev/zero | tr '\\0' x; echo end\n").delete();
    script.run(&Node::from_id("1"), &mut client).await.unwrap();
    assert_eq!(script.stdout().unwrap().len(), 1 << 20);
    assert!(script.stdout().unwrap().ends_with("xend\n"));
    assert_eq!(script.output().unwrap().dropped, 200_000_004 - (1 << 20));
}

/// The most memory that this process had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_script_gets_arguments_environment_and_secrets_unharmed() {
    let log = Log::new();
    let mut client = connected(by_key().debug_log(log.log())).await;
    let mut script = ScriptDeployment::new(
        "#!/bin/bash\nprintf '<%s>' \"$@\" \"$PLAIN\" \"$TOKEN\"\npwd\necho $0 >&2\nexit 5\n",
    )
    .name(format!("{}/a b.sh", folder("script")))
    .args(["a b", "$(id)", "it's", "", "ü*"])
    .secret_arg("canary $1")
    .env("PLAIN", "x y")
    .secret_env("TOKEN", "canary'2")
    .delete();
    script.run(&Node::from_id("1"), &mut client).await.unwrap();
    let home = told("SSH_HOME");
    assert_eq!(
        script.stdout().unwrap(),
        format!("<a b><$(id)><it's><><ü*><canary $1><x y><canary'2>{home}\n")
    );
    assert_eq!(script.stderr().unwrap(), format!("{home}/{}/a b.sh\n", folder("script")));
    assert_eq!(script.exit_status(), Some(5));
    assert!(client.read(&format!("{}/a b.sh", folder("script"))).await.is_err());
    let text = log.text();
    assert!(text.contains("exec env PLAIN='x y' TOKEN=•••") && text.contains("exit status 5"), "{text}");
    assert_no_secret(&format!("{text} {script:?}"));
    client.run(&format!("rm -r {}", folder("script"))).await.unwrap();
}

#[tokio::test]
async fn scripts_are_named_by_themselves_by_a_path_or_below_home() {
    let local = tempfile::tempdir().unwrap();
    let file = local.path().join("who.sh");
    std::fs::write(&file, "#!/bin/sh\necho $0\n").unwrap();
    let mut client = connected(by_key()).await;
    let home = told("SSH_HOME");
    let absolute = format!("/tmp/{}.sh", folder("absolute"));
    let relative = format!("{}.sh", folder("relative"));
    for (name, expected) in [
        (absolute.clone(), absolute),
        (relative.clone(), format!("{home}/{relative}")),
        (format!("~/{relative}"), format!("{home}/{relative}")),
    ] {
        let mut script = ScriptFileDeployment::new(&file).name(name).delete();
        script.run(&Node::from_id("1"), &mut client).await.unwrap();
        assert_eq!(script.script().stdout().unwrap(), format!("{expected}\n"));
    }
    let mut script = ScriptFileDeployment::new(&file).delete();
    script.run(&Node::from_id("1"), &mut client).await.unwrap();
    let path = script.script().stdout().unwrap().to_owned();
    assert!(path.starts_with(&format!("{home}/libcloud_deployment_")) && path.ends_with(".sh\n"), "{path}");
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_told_to_end() {
    let minute = Arc::new(Notify::new());
    let mut client = connected(by_key().clock(Arc::new(HeldClock(Arc::clone(&minute))))).await;
    let marker = folder("timeout");
    let slow = RemoteCommand::shell(format!("echo begun; exec tail -f /dev/null --pid=$$ -- {marker}"));
    let slow = slow.timeout(Duration::from_secs(60));
    let error = client.run_with(&slow, &mut |_, _| minute.notify_one()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(!error.is_retryable() && error.to_string().contains("did not end within 60 s"), "{error}");
    // The connection serves on, and the command hears it.
    let look = format!("pgrep -f '[t]ail.*{marker}'");
    for _ in 0..300 {
        if client.run(&look).await.unwrap().exit_status == 1 {
            return;
        }
    }
    panic!("it still runs");
}

/// A minute passes when the test says so, and no shorter time ever.
#[derive(Debug)]
struct HeldClock(Arc<Notify>);

impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(0).unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let minute = Arc::clone(&self.0);
        Box::pin(async move {
            if duration < Duration::from_secs(60) {
                std::future::pending::<()>().await;
            }
            minute.notified().await;
        })
    }
}
