//! What is said where libcloud's own SSH client is not compiled in.
#![cfg(not(feature = "ssh"))]

use libcloud_common::ErrorKind;
use libcloud_compute::{CreateNode, Node, NodeImage, NodeSize};
use libcloud_deploy::{DeployExt as _, DeployNode, DeployTo, ScriptDeployment, SshConfig, deploy_to};
use libcloud_dummy::DummyCloud;

#[tokio::test]
async fn the_feature_is_named_before_anything_is_done() {
    let cloud = DummyCloud::new();
    let create = CreateNode::new("web", &NodeSize::from_id("1"), &NodeImage::from_id("1"));
    let mut step = ScriptDeployment::new("");
    let made = cloud.compute().deploy_node(DeployNode::new(create), &mut step).await.unwrap_err();
    let to = DeployTo::new(SshConfig::new("web"));
    let reached = deploy_to(&Node::from_id("1"), &to, &mut step).await.unwrap_err();
    for error in [made, reached] {
        assert_eq!(error.kind(), ErrorKind::NotSupported);
        assert!(error.to_string().contains("enable the feature `ssh`"), "{error}");
    }
    assert!(cloud.calls().is_empty());
}
