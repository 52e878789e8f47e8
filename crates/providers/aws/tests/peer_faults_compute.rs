//! The doors of the faults peer in front of a server that makes nodes, which must be running: `FAULTS_PASS` and the others
//! tell where, `MOTO_ENDPOINT` what is behind them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod doors;

use std::sync::Arc;

use libcloud_aws::ec2;
use libcloud_common::{Config, unique_token};
use libcloud_compute::{ComputeDriver, ComputeDriverExt as _, CreateNode, NodeImage, NodeSize};

use doors::{DOORS, Expected, config, direct};

fn compute(config: Config) -> Arc<dyn ComputeDriver> {
    (ec2().factory)(config).unwrap()
}

/// A node through each door: one if it is said to be there, and never two.
#[tokio::test]
async fn no_node_is_made_twice() {
    let direct = compute(direct());
    // The server makes its images when it is first asked, and takes longer for it than a call through a door may.
    direct.list_images().await.unwrap();
    let mut wrong = Vec::new();
    for Expected { door, kinds, .. } in DOORS {
        let name = format!("libcloud-{}", unique_token().unwrap());
        let options =
            CreateNode::new(&name, &NodeSize::from_id("m1.small"), &NodeImage::from_id("ami-12c6146b"));
        let made = compute(config(door)).create_node(options).await;
        let mut there = direct.list_nodes().await.unwrap();
        there.retain(|node| node.name == name);
        match &made {
            Ok(node) if there.len() == 1 && there.iter().all(|other| other.id == node.id) => {}
            Err(error) if there.len() <= 1 && kinds.contains(&error.kind()) => {}
            _ => wrong.push(format!("{door}: {made:?}, and there are {}", there.len())),
        }
        for node in there {
            direct.destroy_node(&node).await.unwrap();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
