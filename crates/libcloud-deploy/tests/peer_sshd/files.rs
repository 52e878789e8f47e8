//! Files by SFTP.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use libcloud_common::{Error, ErrorKind, digest};
use libcloud_compute::Node;
use libcloud_deploy::{Deployment as _, FileDeployment, SSHKeyDeployment, SshClient as _, WriteMode};

use crate::{by_key, connected, folder, told};

#[tokio::test]
async fn files_are_written_added_to_read_and_deleted() {
    let mut client = connected(by_key()).await;
    let name = format!("{}/deep/er/日本 'x'.txt", folder("files"));
    let path = client.put(&name, b"one\n", Some(0o640), WriteMode::Replace).await.unwrap();
    assert_eq!(path, format!("{}/{name}", told("SSH_HOME")));
    assert_eq!(client.put(&path, b"two\n", None, WriteMode::Append).await.unwrap(), path);
    assert_eq!(client.read(&format!("~/{name}")).await.unwrap(), b"one\ntwo\n");
    let mode = client.run(&format!("stat -c %a {}", libcloud_deploy::quote(&path))).await.unwrap();
    assert_eq!(mode.stdout, "640\n");
    client.put(&path, b"", None, WriteMode::Replace).await.unwrap();
    assert!(client.read(&path).await.unwrap().is_empty());
    client.delete(&path).await.unwrap();
    for error in [client.read(&path).await.unwrap_err(), client.delete(&path).await.unwrap_err()] {
        assert!(error.kind() == ErrorKind::NotFound && error.to_string().contains("日本"), "{error}");
    }
    let error = client.put("/etc/libcloud", b"", None, WriteMode::Replace).await.unwrap_err();
    assert!(error.to_string().contains("the user may not"), "{error}");
    let error = client.put("/etc/passwd/x", b"", None, WriteMode::Replace).await.unwrap_err();
    assert!(error.to_string().contains("is no folder"), "{error}");
    client.run(&format!("rm -r {}", folder("files"))).await.unwrap();
}

#[tokio::test]
async fn a_large_binary_file_streams_and_arrives_whole() {
    const PIECES: u8 = 120;
    let piece = |number: u8| {
        Bytes::from((0..=255).map(|byte: u8| byte.wrapping_mul(number)).collect::<Vec<u8>>().repeat(1000))
    };
    let mut client = connected(by_key()).await;
    let name = format!("{}/large.bin", folder("large"));
    let contents = stream::iter((0..PIECES).map(move |number| Ok(piece(number)))).boxed();
    let path = client.put_stream(&name, contents, Some(0o600), WriteMode::Replace).await.unwrap();
    let whole: Vec<u8> = (0..PIECES).flat_map(piece).collect();
    let sum = client.run(&format!("sha256sum < {path}")).await.unwrap();
    assert_eq!(sum.stdout.split(' ').next(), Some(digest::sha256_hex(&whole).as_str()));
    assert_eq!(client.read(&path).await.unwrap().len(), whole.len());
    client.run(&format!("rm -r {}", folder("large"))).await.unwrap();
}

#[tokio::test]
async fn a_source_that_breaks_off_is_an_error_and_the_next_file_is_written() {
    let mut client = connected(by_key()).await;
    let pieces = vec![Ok(Bytes::from_static(b"half")), Err(Error::new(ErrorKind::Io, "the disk is gone"))];
    let name = format!("{}/half", folder("half"));
    let broken = client.put_stream(&name, stream::iter(pieces).boxed(), None, WriteMode::Replace).await;
    assert_eq!(broken.unwrap_err().message(), "the disk is gone");
    client.put(&name, b"whole", None, WriteMode::Replace).await.unwrap();
    assert_eq!(client.read(&name).await.unwrap(), b"whole");
    client.run(&format!("rm -r {}", folder("half"))).await.unwrap();
}

#[tokio::test]
async fn a_folder_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;

    let local = tempfile::tempdir().unwrap();
    std::fs::create_dir(local.path().join("bin")).unwrap();
    std::fs::write(local.path().join("bin/run"), "#!/bin/sh\necho ran\n").unwrap();
    std::fs::set_permissions(local.path().join("bin/run"), PermissionsExt::from_mode(0o751)).unwrap();
    std::fs::set_permissions(local.path().join("bin"), PermissionsExt::from_mode(0o550)).unwrap();
    let mut client = connected(by_key()).await;
    let target = folder("folder");
    let node = Node::from_id("1");
    FileDeployment::new(local.path(), &target).run(&node, &mut client).await.unwrap();
    let output =
        client.run(&format!("stat -c %a {target}/bin {target}/bin/run && {target}/bin/run")).await.unwrap();
    assert_eq!(output.stdout, "550\n751\nran\n", "{output:?}");
    client.run(&format!("chmod -R u+w {target} && rm -r {target}")).await.unwrap();
}

#[tokio::test]
async fn a_public_key_is_installed_once_with_the_right_permissions() {
    let _alone = crate::DOT_SSH.lock().await;
    let mut client = connected(by_key()).await;
    let line = std::fs::read_to_string(crate::key("not_authorized.pub")).unwrap();
    client.run("rm -rf .ssh").await.unwrap();
    let mut step = SSHKeyDeployment::new(&line);
    for _ in 0..2 {
        step.run(&Node::from_id("1"), &mut client).await.unwrap();
    }
    let output =
        client.run("stat -c '%a %n' .ssh .ssh/authorized_keys && cat .ssh/authorized_keys").await.unwrap();
    assert_eq!(output.stdout, format!("700 .ssh\n600 .ssh/authorized_keys\n{line}"));
    client.run("rm -r .ssh").await.unwrap();
}
