//! What every compute driver does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use libcloud_common::{BoxFuture, ErrorKind, Poller, Progress, Result, Support, encode};
use libcloud_compute::{
    ComputeDriver, ComputeDriverExt as _, CreateNode, KeyPair, Node, NodeAuth, NodeImage, NodeSize,
    NodeState, SshInterface, StorageVolume, StorageVolumeState, VolumeSnapshot, VolumeSnapshotState,
    WaitUntilRunning,
};

use super::{
    Check, Context, Expectations, Problem, Report, Verdict, about, checks, done_or_missing, ensure, missing,
    refused, refused_as, same, unique_name,
};

/// A compute driver that joins the suite.
///
/// ```no_run
/// use libcloud_testkit::suite::{Compute, Expectations};
/// # use std::sync::Arc;
/// # use libcloud_compute::ComputeDriver;
/// # async fn join(driver: Arc<dyn ComputeDriver>, wrong: Arc<dyn ComputeDriver>) {
///
/// let report = Compute::new(driver)
///     .size("m1.small")
///     .unknown("node", "i-00000000000000000")
///     .wrong_credentials(wrong)
///     .run(Expectations::new())
///     .await;
/// assert!(report.denied.contains(&"volumes/create, list, destroy, gone"));
/// # }
/// ```
pub struct Compute {
    driver: Arc<dyn ComputeDriver>,
    wrong: Option<Vec<Arc<dyn ComputeDriver>>>,
    size: Option<NodeSize>,
    image: Option<NodeImage>,
    unknown: BTreeMap<&'static str, String>,
    wait: WaitUntilRunning,
    ex: BTreeMap<&'static str, libcloud_common::Value>,
    made: Mutex<Made>,
}

/// What is to be cleaned up.
#[derive(Default)]
struct Made {
    nodes: Vec<Node>,
    volumes: Vec<StorageVolume>,
    snapshots: Vec<VolumeSnapshot>,
    images: Vec<NodeImage>,
    key_pairs: Vec<KeyPair>,
}

impl Compute {
    /// This driver joins. Nodes are of its first size and first image, unless others are given.
    pub fn new(driver: Arc<dyn ComputeDriver>) -> Self {
        Self {
            driver,
            wrong: None,
            size: None,
            image: None,
            unknown: BTreeMap::new(),
            wait: WaitUntilRunning::new().wait_period(Duration::from_millis(200)),
            ex: BTreeMap::new(),
            made: Mutex::default(),
        }
    }

    /// The same driver with credentials that the server must refuse. May be given again.
    pub fn wrong_credentials(mut self, driver: Arc<dyn ComputeDriver>) -> Self {
        self.wrong.get_or_insert_default().push(driver);
        self
    }

    /// The driver has no credentials that could be wrong.
    pub fn without_credentials(mut self) -> Self {
        self.wrong = Some(Vec::new());
        self
    }

    /// The id of the size of nodes.
    pub fn size(mut self, id: &str) -> Self {
        self.size = Some(NodeSize::from_id(id));
        self
    }

    /// The id of the image of nodes.
    pub fn image(mut self, id: &str) -> Self {
        self.image = Some(NodeImage::from_id(id));
        self
    }

    /// An id in the provider's form that no resource of this kind (`node`, `volume`, `image`, `size` …) has.
    pub fn unknown(mut self, resource: &'static str, id: &str) -> Self {
        self.unknown.insert(resource, id.to_owned());
        self
    }

    /// An extension argument that every node needs here.
    pub fn create_node_ex(mut self, name: &'static str, value: impl Into<libcloud_common::Value>) -> Self {
        self.ex.insert(name, value.into());
        self
    }

    /// Nodes have private addresses alone.
    pub fn private_ips(mut self) -> Self {
        self.wait = self.wait.ssh_interface(SshInterface::PrivateIps);
        self
    }

    /// Runs the suite.
    ///
    /// # Panics
    /// With every check that failed, and every one that was expected to and did not.
    pub async fn run(self, expectations: Expectations) -> Report {
        super::run(&self, &checks(), &expectations).await
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unknown_id(&self, resource: &str) -> &str {
        self.unknown.get(resource).map_or("libcloud-no-such-id", String::as_str)
    }

    fn has(&self, method: &str) -> bool {
        self.driver.capabilities().of(method) == Support::Supported
    }

    async fn options(&self, name: &str) -> Result<CreateNode, Problem> {
        let size = match &self.size {
            Some(size) => Some(size.clone()),
            None => self.driver.list_sizes().await?.into_iter().next(),
        };
        let image = match &self.image {
            Some(image) => Some(image.clone()),
            None => self.driver.list_images().await?.into_iter().next(),
        };
        let (Some(size), Some(image)) = (size, image) else {
            return Err(Problem::Wrong("there is no size, or no image, to make a node of".into()));
        };
        let options = CreateNode::new(name, &size, &image);
        Ok(self.ex.iter().fold(options, |options, (name, value)| options.ex_arg(*name, value.clone())))
    }

    async fn create(&self, options: CreateNode) -> Result<Node, Problem> {
        let node = self.driver.create_node(options).await?;
        self.made().nodes.push(node.clone());
        Ok(node)
    }

    /// A node that runs.
    async fn node(&self) -> Result<Node, Problem> {
        let node = self.create(self.options(&unique_name()?).await?).await?;
        let id = node.id.clone();
        let running = self.driver.wait_until_running(&[node], self.wait).await?;
        running
            .into_iter()
            .map(|(node, _)| node)
            .find(|node| node.id == id)
            .ok_or_else(|| Problem::Wrong(format!("wait_until_running gave another node than {id}")))
    }

    /// Waits until the node is so.
    async fn node_is(&self, id: &str, state: NodeState) -> Verdict {
        let (driver, state) = (&self.driver, &state);
        let looks = self.until(format!("node {id} to be {state}"), |_| async move {
            let node = driver.get_node(id).await?;
            Ok(if node.state == *state { Progress::Done(()) } else { Progress::Pending(None) })
        });
        Ok(looks.await?)
    }

    async fn volume_is(&self, id: &str, state: StorageVolumeState) -> Verdict {
        let (driver, state) = (&self.driver, &state);
        let looks = self.until(format!("volume {id} to be {state}"), |_| async move {
            let listed = driver.list_volumes().await?;
            let there = listed.iter().any(|volume| volume.id == id && volume.state == *state);
            Ok(if there { Progress::Done(()) } else { Progress::Pending(None) })
        });
        Ok(looks.await?)
    }

    async fn volume(&self) -> Result<StorageVolume, Problem> {
        let volume = self.driver.create_volume(1, &unique_name()?).await?;
        self.made().volumes.push(volume.clone());
        self.volume_is(&volume.id, StorageVolumeState::Available).await?;
        Ok(volume)
    }

    /// Looks until it is done, by the driver's clock.
    async fn until<T, Fut>(&self, job: String, look: impl FnMut(Duration) -> Fut) -> Result<T>
    where
        Fut: Future<Output = Result<Progress<T>>>,
    {
        let (first, most) = (Duration::from_millis(200), Duration::from_secs(2));
        let poller = Poller::new(self.driver.clock(), job).interval(first, most);
        poller.timeout(Duration::from_secs(150)).run(look).await
    }
}

impl std::fmt::Debug for Compute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compute").field("driver", &self.driver.descriptor().id).finish_non_exhaustive()
    }
}

impl Context for Compute {
    type Driver = dyn ComputeDriver;

    fn driver(&self) -> &Arc<dyn ComputeDriver> {
        &self.driver
    }

    fn clean(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let made = std::mem::take(&mut *self.made());
            for snapshot in &made.snapshots {
                done_or_missing(self.driver.destroy_volume_snapshot(snapshot).await)?;
            }
            for node in &made.nodes {
                done_or_missing(self.driver.destroy_node(node).await)?;
            }
            for volume in &made.volumes {
                let destroyed = self.until(format!("volume {} to go", volume.id), |_| async {
                    match self.driver.destroy_volume(volume).await {
                        // Until its node is gone, and its snapshots are, it is in use.
                        Err(error) if error.kind() == ErrorKind::InvalidState => Ok(Progress::Pending(None)),
                        destroyed => done_or_missing(destroyed).map(Progress::Done),
                    }
                });
                destroyed.await?;
            }
            for image in &made.images {
                done_or_missing(self.driver.delete_image(image).await)?;
            }
            for key_pair in &made.key_pairs {
                done_or_missing(self.driver.delete_key_pair(key_pair).await)?;
            }
            Ok(())
        })
    }
}

fn checks() -> Vec<Check<Compute>> {
    checks![Compute;
        "sizes/list" [list_sizes] => sizes,
        "images/list and get" [list_images get_image] => images,
        "locations/list" [list_locations] => locations,
        "nodes/create, list, get, destroy, gone" [create_node list_nodes get_node destroy_node] => nodes,
        "nodes/reboot" [create_node reboot_node get_node destroy_node] => reboot,
        "nodes/stop and start" [create_node stop_node start_node get_node destroy_node] => stop_and_start,
        "nodes/unicode names" [create_node get_node destroy_node] => unicode,
        "nodes/what is not there is not found" [get_node destroy_node] => no_node,
        "nodes/an unknown size is refused" [create_node] => unknown_size,
        "nodes/an unknown image is refused" [create_node] => unknown_image,
        "nodes/with an SSH key" [create_node destroy_node] => ssh_key,
        "images/create, get, delete, gone" [create_node create_image get_image delete_image] => own_image,
        "volumes/create, list, destroy, gone" [create_volume list_volumes destroy_volume] => volumes,
        "volumes/attach and detach"
            [create_volume create_node attach_volume detach_volume list_volumes] => attach,
        "volumes/what is not there is not found" [destroy_volume] => no_volume,
        "snapshots/create, list, destroy, gone"
            [create_volume create_volume_snapshot list_volume_snapshots destroy_volume_snapshot] => snapshots,
        "key pairs/create, list, get, delete, gone"
            [create_key_pair list_key_pairs get_key_pair delete_key_pair] => key_pairs,
        "key pairs/import" [import_key_pair_from_string get_key_pair delete_key_pair] => import,
        "key pairs/a duplicate exists already" [create_key_pair delete_key_pair] => duplicate_key_pair,
        "key pairs/what is not there is not found" [get_key_pair] => no_key_pair,
        "credentials/wrong ones are refused" [list_nodes] => credentials,
    ]
}

/// There are some, each with an id of its own and a name.
fn plain<'a>(what: &str, all: impl IntoIterator<Item = (&'a str, &'a str)>) -> Verdict {
    let mut seen = BTreeSet::new();
    for (id, name) in all {
        ensure!(!id.is_empty(), "one of the {what} has no id: {name}");
        ensure!(seen.insert(id), "two of the {what} have the id {id}");
    }
    ensure!(!seen.is_empty(), "there are no {what}");
    Ok(())
}

async fn sizes(cx: &Compute) -> Verdict {
    let sizes = cx.driver.list_sizes().await?;
    plain("sizes", sizes.iter().map(|size| (size.id.as_str(), size.name.as_str())))?;
    ensure!(sizes.iter().any(|size| size.ram.is_some_and(|ram| ram > 0)), "no size has memory: {sizes:?}");
    if let Some(size) = &cx.size {
        ensure!(sizes.iter().any(|other| other.id == size.id), "{} is not listed", size.id);
    }
    Ok(())
}

async fn images(cx: &Compute) -> Verdict {
    let images = cx.driver.list_images().await?;
    plain("images", images.iter().map(|image| (image.id.as_str(), image.name.as_str())))?;
    let Some(first) = images.first() else { return Err(Problem::Wrong("there are no images".into())) };
    let found = cx.driver.get_image(&first.id).await?;
    same("get_image", (&found.id, &found.name), (&first.id, &first.name))?;
    let id = cx.unknown_id("image");
    missing("get_image", cx.driver.get_image(id).await, "image", id)
}

async fn locations(cx: &Compute) -> Verdict {
    let locations = cx.driver.list_locations().await?;
    plain("locations", locations.iter().map(|location| (location.id.as_str(), location.name.as_str())))
}

async fn nodes(cx: &Compute) -> Verdict {
    let name = unique_name()?;
    let before = cx.driver.list_nodes().await?;
    let made = cx.create(cx.options(&name).await?).await?;
    same("the name", &made.name, &name)?;
    ensure!(
        before.iter().all(|node| node.id != made.id),
        "the new node has the id of an older one: {}",
        made.id
    );
    let running = cx.driver.wait_until_running(std::slice::from_ref(&made), cx.wait).await?;
    let [(node, addresses)] = running.as_slice() else {
        return Err(Problem::Wrong(format!("waiting for one node gave {running:?}")));
    };
    same("what was waited for", (&node.id, &node.state), (&made.id, &NodeState::Running))?;
    ensure!(!addresses.is_empty(), "a running node has no address: {node:?}");
    let found = cx.driver.get_node(&made.id).await?;
    same("get_node", (&found.id, &found.name, &found.state), (&made.id, &name, &NodeState::Running))?;
    same("its addresses", (&found.public_ips, &found.private_ips), (&node.public_ips, &node.private_ips))?;
    let listed = cx.driver.list_nodes().await?;
    same("times listed", listed.iter().filter(|node| node.id == made.id && node.name == name).count(), 1)?;
    same("nodes more than before", listed.iter().filter(|node| node.name == name).count(), 1)?;
    cx.driver.destroy_node(&made).await?;
    gone(cx, &made.id).await
}

/// Waits until a node is gone: not there, or there only to say so.
async fn gone(cx: &Compute, id: &str) -> Verdict {
    let driver = &cx.driver;
    let looks = cx.until(format!("node {id} to be gone"), |_| async move {
        match driver.get_node(id).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Progress::Done(Some(error))),
            Err(error) => Err(error),
            Ok(node) if node.state == NodeState::Terminated => Ok(Progress::Done(None)),
            Ok(_) => Ok(Progress::Pending(None)),
        }
    });
    if let Some(error) = looks.await? {
        same("the resource of the error", error.resource(), Some(("node", id)))?;
    }
    let listed = driver.list_nodes().await?;
    let alive = listed.iter().find(|node| node.id == id && node.state != NodeState::Terminated);
    ensure!(alive.is_none(), "a destroyed node is listed: {alive:?}");
    Ok(())
}

async fn reboot(cx: &Compute) -> Verdict {
    let node = cx.node().await?;
    cx.driver.reboot_node(&node).await?;
    let again = cx.driver.wait_until_running(std::slice::from_ref(&node), cx.wait).await?;
    same("nodes that run again", again.len(), 1)
}

async fn stop_and_start(cx: &Compute) -> Verdict {
    let node = cx.node().await?;
    cx.driver.stop_node(&node).await?;
    cx.node_is(&node.id, NodeState::Stopped).await?;
    cx.driver.start_node(&node).await?;
    cx.node_is(&node.id, NodeState::Running).await
}

async fn unicode(cx: &Compute) -> Verdict {
    let name = format!("libcloud + ü 日本 & <{}>", unique_name()?);
    let made = cx.create(cx.options(&name).await?).await?;
    same("the name", &made.name, &name)?;
    same("the name found", cx.driver.get_node(&made.id).await?.name, name)
}

async fn no_node(cx: &Compute) -> Verdict {
    let id = cx.unknown_id("node");
    let (driver, node) = (&cx.driver, Node::from_id(id));
    missing("get_node", driver.get_node(id).await, "node", id)?;
    missing("destroy_node", driver.destroy_node(&node).await, "node", id)?;
    if cx.has("reboot_node") {
        missing("reboot_node", driver.reboot_node(&node).await, "node", id)?;
    }
    if cx.has("stop_node") {
        missing("stop_node", driver.stop_node(&node).await, "node", id)?;
    }
    if cx.has("start_node") {
        missing("start_node", driver.start_node(&node).await, "node", id)?;
    }
    Ok(())
}

/// Creates a node that cannot be, and cleans up the one that came of it all the same.
async fn cannot_be(cx: &Compute, what: &str, options: CreateNode) -> Verdict {
    let made = cx.driver.create_node(options).await;
    if let Ok(node) = &made {
        cx.made().nodes.push(node.clone());
    }
    refused_as(what, made, &[ErrorKind::NotFound, ErrorKind::InvalidArgument]).map(drop)
}

async fn unknown_size(cx: &Compute) -> Verdict {
    let mut options = cx.options(&unique_name()?).await?;
    options.size = NodeSize::from_id(cx.unknown_id("size"));
    cannot_be(cx, "a node of an unknown size", options).await
}

async fn unknown_image(cx: &Compute) -> Verdict {
    let mut options = cx.options(&unique_name()?).await?;
    options.image = NodeImage::from_id(cx.unknown_id("image"));
    cannot_be(cx, "a node of an unknown image", options).await
}

/// An Ed25519 key as OpenSSH writes it, which nobody has the private half of.
fn public_key(comment: &str) -> String {
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    blob.extend((0..32).map(|at| comment.as_bytes().get(at).copied().unwrap_or_default()));
    format!("ssh-ed25519 {} {comment}", encode::base64(blob))
}

async fn ssh_key(cx: &Compute) -> Verdict {
    let name = unique_name()?;
    let key = public_key(name.trim_start_matches("libcloud-"));
    let options = cx.options(&name).await?.auth(NodeAuth::ssh_key(key));
    let before: BTreeSet<String> = key_pair_names(cx).await?;
    if cx.driver.capabilities().has_feature("create_node", "ssh_key") {
        cx.create(options).await?;
        // Some have to give the provider the key first; it is not left behind here.
        let new = key_pair_names(cx).await?.into_iter().filter(|name| !before.contains(name));
        cx.made().key_pairs.extend(new.map(KeyPair::new));
        return Ok(());
    }
    let made = cx.driver.create_node(options).await;
    if let Ok(node) = &made {
        cx.made().nodes.push(node.clone());
    }
    refused("a key, which is not among the features", made, ErrorKind::NotSupported)
}

async fn key_pair_names(cx: &Compute) -> Result<BTreeSet<String>> {
    if !cx.has("list_key_pairs") {
        return Ok(BTreeSet::new());
    }
    Ok(cx.driver.list_key_pairs().await?.into_iter().map(|pair| pair.name).collect())
}

async fn own_image(cx: &Compute) -> Verdict {
    let node = cx.node().await?;
    let name = unique_name()?;
    let image = cx.driver.create_image(&node, &name).await?;
    cx.made().images.push(image.clone());
    same("the name", &image.name, &name)?;
    same("get_image", &cx.driver.get_image(&image.id).await?.name, &name)?;
    cx.driver.delete_image(&image).await?;
    missing("get_image of a deleted one", cx.driver.get_image(&image.id).await, "image", &image.id)
}

async fn volumes(cx: &Compute) -> Verdict {
    let volume = cx.volume().await?;
    let listed = cx.driver.list_volumes().await?;
    let found: Vec<_> = listed.iter().filter(|other| other.id == volume.id).collect();
    let [found] = found.as_slice() else {
        return Err(Problem::Wrong(format!("the volume is listed {} times", found.len())));
    };
    same("the listed volume", (&found.name, found.size), (&volume.name, Some(1)))?;
    cx.driver.destroy_volume(&volume).await?;
    let driver = &cx.driver;
    let id = volume.id.as_str();
    let looks = cx.until(format!("volume {id} to go"), |_| async move {
        let left = driver.list_volumes().await?;
        let there = left.iter().any(|other| other.id == id && other.state != StorageVolumeState::Deleted);
        Ok(if there { Progress::Pending(None) } else { Progress::Done(()) })
    });
    Ok(looks.await?)
}

async fn attach(cx: &Compute) -> Verdict {
    let (node, volume) = (cx.node().await?, cx.volume().await?);
    cx.driver.attach_volume(&node, &volume).await?;
    cx.volume_is(&volume.id, StorageVolumeState::InUse).await?;
    cx.driver.detach_volume(&volume).await?;
    cx.volume_is(&volume.id, StorageVolumeState::Available).await
}

async fn no_volume(cx: &Compute) -> Verdict {
    let id = cx.unknown_id("volume");
    let volume = StorageVolume::from_id(id);
    missing("destroy_volume", cx.driver.destroy_volume(&volume).await, "volume", id)
}

async fn snapshots(cx: &Compute) -> Verdict {
    let volume = cx.volume().await?;
    let made = cx.driver.create_volume_snapshot(&volume, &unique_name()?).await?;
    cx.made().snapshots.push(made.clone());
    let (driver, volume, id) = (&cx.driver, &volume, made.id.as_str());
    let looks = cx.until(format!("snapshot {id} to be available"), |_| async move {
        let listed = driver.list_volume_snapshots(volume).await?;
        let done = listed.iter().any(|other| other.id == id && other.state == VolumeSnapshotState::Available);
        Ok(if done { Progress::Done(()) } else { Progress::Pending(None) })
    });
    looks.await?;
    driver.destroy_volume_snapshot(&made).await?;
    let looks = cx.until(format!("snapshot {id} to go"), |_| async move {
        let listed = driver.list_volume_snapshots(volume).await?;
        let there = listed.iter().any(|other| other.id == id);
        Ok(if there { Progress::Pending(None) } else { Progress::Done(()) })
    });
    Ok(looks.await?)
}

async fn key_pairs(cx: &Compute) -> Verdict {
    let name = unique_name()?;
    let made = cx.driver.create_key_pair(&name).await?;
    cx.made().key_pairs.push(made.clone());
    same("the name", &made.name, &name)?;
    let secret = made.private_key.as_ref().is_some_and(|key| key.expose().contains("PRIVATE KEY"));
    ensure!(secret, "the answer has no private key");
    let found = cx.driver.get_key_pair(&name).await?;
    same("get_key_pair", (&found.name, &found.fingerprint), (&name, &made.fingerprint))?;
    ensure!(found.private_key.is_none(), "get_key_pair has a private key");
    let listed = cx.driver.list_key_pairs().await?;
    same("times listed", listed.iter().filter(|pair| pair.name == name).count(), 1)?;
    cx.driver.delete_key_pair(&found).await?;
    missing("get_key_pair of a deleted one", cx.driver.get_key_pair(&name).await, "key pair", &name)
}

async fn import(cx: &Compute) -> Verdict {
    let name = unique_name()?;
    let key = public_key(name.trim_start_matches("libcloud-"));
    let made = cx.driver.import_key_pair_from_string(&name, &key).await?;
    cx.made().key_pairs.push(made.clone());
    same("the name", &made.name, &name)?;
    let found = cx.driver.get_key_pair(&name).await?;
    same("the fingerprint", &found.fingerprint, &made.fingerprint)?;
    ensure!(found.fingerprint.is_some(), "an imported key has no fingerprint");
    Ok(())
}

async fn duplicate_key_pair(cx: &Compute) -> Verdict {
    let name = unique_name()?;
    let made = cx.driver.create_key_pair(&name).await?;
    cx.made().key_pairs.push(made);
    let again = cx.driver.create_key_pair(&name).await;
    about("create_key_pair again", again, ErrorKind::AlreadyExists, "key pair", &name)
}

async fn no_key_pair(cx: &Compute) -> Verdict {
    let name = unique_name()?;
    missing("get_key_pair", cx.driver.get_key_pair(&name).await, "key pair", &name)
}

async fn credentials(cx: &Compute) -> Verdict {
    let Some(wrong) = &cx.wrong else {
        return Err(Problem::Wrong("neither wrong_credentials nor without_credentials was said".into()));
    };
    if wrong.is_empty() {
        return Err(Problem::Denied);
    }
    let name = unique_name()?;
    let options = cx.options(&name).await?;
    for wrong in wrong {
        let kind = ErrorKind::InvalidCredentials;
        refused("list_nodes", wrong.list_nodes().await, kind)?;
        refused("create_node", wrong.create_node(options.clone()).await, kind)?;
    }
    let listed = cx.driver.list_nodes().await?;
    ensure!(listed.iter().all(|node| node.name != name), "a node was made with wrong credentials");
    Ok(())
}
