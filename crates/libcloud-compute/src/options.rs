//! The optional arguments of compute methods.

use std::time::Duration;

use libcloud_common::dispatch::{Arg, Args};
use libcloud_common::{ArgSpec, Ex, Value, call_options, optional_arguments, options_arg};

use crate::auth::NodeAuth;
use crate::resources::{NodeImage, NodeLocation, NodeSize, VolumeSnapshot};

/// Arguments of [`create_node`](crate::ComputeDriver::create_node).
///
/// ```
/// use libcloud_compute::{CreateNode, NodeAuth, NodeImage, NodeSize};
///
/// let (size, image) = (NodeSize::from_id("t3.micro"), NodeImage::from_id("ami-1"));
/// let options = CreateNode::new("web", &size, &image)
///     .auth(NodeAuth::ssh_key("ssh-ed25519 AAAAC3Nza me@example"))
///     .ex_arg("ex_security_groups", vec!["web"]);
/// assert_eq!(options.name, "web");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreateNode {
    /// The name.
    pub name: String,
    /// The size.
    pub size: NodeSize,
    /// The image.
    pub image: NodeImage,
    /// The place; the provider's default without.
    pub location: Option<NodeLocation>,
    /// How one gets in.
    pub auth: Option<NodeAuth>,
    /// The longest that the whole call may take.
    pub timeout: Option<Duration>,
    /// Extension arguments.
    pub ex: Ex,
}

impl CreateNode {
    /// A node of this name, size and image.
    pub fn new(name: impl Into<String>, size: &NodeSize, image: &NodeImage) -> Self {
        Self {
            name: name.into(),
            size: size.clone(),
            image: image.clone(),
            location: None,
            auth: None,
            timeout: None,
            ex: Ex::default(),
        }
    }

    /// Sets the place.
    pub fn location(mut self, location: &NodeLocation) -> Self {
        self.location = Some(location.clone());
        self
    }

    /// Sets how one gets in.
    pub fn auth(mut self, auth: NodeAuth) -> Self {
        self.auth = Some(auth);
        self
    }
}

call_options!(CreateNode);
options_arg!(CreateNode, "create_node" {
    name: String = "the node's name",
    size: NodeSize = "its size",
    image: NodeImage = "what its disk begins with",
    location: Option<NodeLocation> = "where it is to be",
    auth: Option<NodeAuth> = "how one gets in",
});

optional_arguments! {
    /// Arguments of [`iterate_images_with`](crate::ComputeDriver::iterate_images_with).
    ListImages("list_images") {
        /// Only the images that can be used at this place.
        location: NodeLocation = "only images that can be used there", location(&NodeLocation) Clone::clone;
    }
}

optional_arguments! {
    /// Arguments of [`iterate_sizes_with`](crate::ComputeDriver::iterate_sizes_with).
    ListSizes("list_sizes") {
        /// Only the sizes that can be had at this place.
        location: NodeLocation = "only sizes that can be had there", location(&NodeLocation) Clone::clone;
    }
}

optional_arguments! {
    /// Arguments of [`create_volume_with`](crate::ComputeDriver::create_volume_with).
    CreateVolume("create_volume") {
        /// The place.
        location: NodeLocation = "where it is to be", location(&NodeLocation) Clone::clone;
        /// The snapshot that the volume begins with.
        snapshot: VolumeSnapshot = "what it begins with", snapshot(&VolumeSnapshot) Clone::clone;
    }
}

optional_arguments! {
    /// Arguments of [`attach_volume_with`](crate::ComputeDriver::attach_volume_with).
    AttachVolume("attach_volume") {
        /// What the node is to call it: `/dev/sdb`.
        device: String = "what the node is to call it", device(&str) str::to_owned;
    }
}

optional_arguments! {
    /// Arguments of [`create_volume_snapshot_with`](crate::ComputeDriver::create_volume_snapshot_with).
    CreateVolumeSnapshot("create_volume_snapshot") {
        /// The name.
        name: String = "the snapshot's name", name(&str) str::to_owned;
    }
}

optional_arguments! {
    /// Arguments of [`create_image_with`](crate::ComputeDriver::create_image_with) and
    /// [`copy_image_with`](crate::ComputeDriver::copy_image_with).
    CreateImage("create_image") {
        /// A sentence about it.
        description: String = "a sentence about it", description(&str) str::to_owned;
    }
}

/// Which addresses of a node are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SshInterface {
    /// Those that the Internet reaches.
    #[default]
    PublicIps,
    /// Those within the provider's networks.
    PrivateIps,
}

impl Arg for SshInterface {
    const TYPE: &'static str = "public_ips or private_ips";

    fn from_json(value: Value) -> Result<Self, String> {
        match value.as_str() {
            Some("public_ips") => Ok(Self::PublicIps),
            Some("private_ips") => Ok(Self::PrivateIps),
            _ => Err(format!("expected {}", Self::TYPE)),
        }
    }
}

/// Arguments of [`wait_until_running`](crate::ComputeDriverExt::wait_until_running).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitUntilRunning {
    /// How often to look (5 s).
    pub wait_period: Duration,
    /// How long to wait in all (10 min).
    pub timeout: Duration,
    /// Which addresses the node must have ([`SshInterface::PublicIps`]).
    pub ssh_interface: SshInterface,
    /// Whether an IPv6 address does not count (`true`).
    pub force_ipv4: bool,
}

impl Default for WaitUntilRunning {
    fn default() -> Self {
        Self {
            wait_period: Duration::from_secs(5),
            timeout: Duration::from_secs(600),
            ssh_interface: SshInterface::PublicIps,
            force_ipv4: true,
        }
    }
}

impl WaitUntilRunning {
    /// The seed's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how often to look.
    pub fn wait_period(mut self, period: Duration) -> Self {
        self.wait_period = period;
        self
    }

    /// Sets how long to wait in all.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets which addresses the node must have.
    pub fn ssh_interface(mut self, interface: SshInterface) -> Self {
        self.ssh_interface = interface;
        self
    }

    /// Lets IPv6 addresses count too.
    pub fn accept_ipv6(mut self) -> Self {
        self.force_ipv4 = false;
        self
    }
}

impl Arg for WaitUntilRunning {
    const TYPE: &'static str = "wait_until_running";
    const REQUIRED: bool = false;

    fn from_json(_: Value) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn take(args: &mut Args, _: &'static str) -> libcloud_common::Result<Self> {
        let default = Self::default();
        Ok(Self {
            wait_period: <Option<_> as Arg>::take(args, "wait_period")?.unwrap_or(default.wait_period),
            timeout: <Option<_> as Arg>::take(args, "timeout")?.unwrap_or(default.timeout),
            ssh_interface: <Option<_> as Arg>::take(args, "ssh_interface")?.unwrap_or(default.ssh_interface),
            force_ipv4: <Option<_> as Arg>::take(args, "force_ipv4")?.unwrap_or(default.force_ipv4),
        })
    }

    fn describe(_: &'static str, _: &'static str, specs: &mut Vec<ArgSpec>) {
        Option::<Duration>::describe("wait_period", "how often to look, in seconds (5)", specs);
        Option::<Duration>::describe("timeout", "how long to wait in all, in seconds (600)", specs);
        Option::<SshInterface>::describe("ssh_interface", "which addresses it must have (public_ips)", specs);
        Option::<bool>::describe("force_ipv4", "whether IPv6 addresses do not count (true)", specs);
    }
}
