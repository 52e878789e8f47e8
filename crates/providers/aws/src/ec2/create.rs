//! How instances are made.

use std::collections::BTreeMap;
use std::time::Duration;

use libcloud_common::{
    Driver as _, Error, Map, Price, Result, Value, arguments, encode, extensions, unique_token,
};
use libcloud_compute::{CreateNode, Node, NodeAuth};

use super::arguments::one_or_more;
use super::tags::with_name;
use super::{Ec2Driver, instances};

/// Extension arguments of `create_node`.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html>
#[arguments(drivers = ["ec2"])]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Ec2CreateNode {
    /// The name of the key pair that gets in.
    pub ex_keyname: Option<String>,
    /// Names of security groups, of the default VPC.
    #[renamed("ex_securitygroup")]
    #[serde(deserialize_with = "one_or_more")]
    pub ex_security_groups: Vec<String>,
    /// Ids of security groups.
    #[serde(deserialize_with = "one_or_more")]
    pub ex_security_group_ids: Vec<String>,
    /// What the node finds in its user data: a script, a cloud-init file. Not base64.
    pub ex_userdata: Option<String>,
    /// The token by which EC2 knows a repeated call; one is made up without.
    pub ex_clienttoken: Option<String>,
    /// Make fewer nodes rather than none, but not less than this (1); with `ex_create_nodes`.
    pub ex_mincount: Option<u32>,
    /// Make so many nodes (1); with `ex_create_nodes`.
    pub ex_maxcount: Option<u32>,
    /// The name or ARN of an IAM instance profile.
    pub ex_iamprofile: Option<String>,
    /// Volumes, as EC2 names their fields: `[{"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 8}}]`.
    pub ex_blockdevicemappings: Vec<Map<String, Value>>,
    /// The subnet.
    #[renamed("ex_subnet")]
    pub ex_subnet_id: Option<String>,
    /// Tags. The node's name becomes the tag `Name`.
    pub ex_metadata: BTreeMap<String, String>,
    /// A network of its own to its volumes.
    pub ex_ebs_optimized: Option<bool>,
    /// The placement group.
    pub ex_placement_group: Option<String>,
    /// Give it a public address, on an interface that is deleted with it.
    pub ex_assign_public_ip: Option<bool>,
    /// Terminate it when it is shut down from within, instead of stopping it.
    pub ex_terminate_on_shutdown: Option<bool>,
    /// Ask for spare capacity at the price of the hour, which may be taken away again.
    pub ex_spot: Option<bool>,
    /// What an hour may cost at most, in US dollars; with `ex_spot`.
    pub ex_spot_max_price: Option<Price>,
}

#[extensions(CREATE)]
impl Ec2Driver {
    /// Makes several nodes at once: `create_node` with `ex_mincount` and `ex_maxcount`. All have the same name.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html>
    pub async fn ex_create_nodes(&self, options: CreateNode) -> Result<Vec<Node>> {
        let ex = options.ex.clone().decode("ex_create_nodes")?;
        self.run_instances(options, ex).await
    }
}

impl Ec2Driver {
    pub(super) async fn run_instance(&self, options: CreateNode) -> Result<Node> {
        let ex: Ec2CreateNode = options.ex.clone().decode("create_node")?;
        if (ex.ex_mincount.unwrap_or(1), ex.ex_maxcount.unwrap_or(1)) != (1, 1) {
            return Err(Error::invalid_argument(
                "create_node makes one node and gives it back: for `ex_mincount` and `ex_maxcount` use `ex_create_nodes`",
            )
            .with_resource("argument", "ex_maxcount"));
        }
        let nodes = self.run_instances(options, ex).await?;
        nodes.into_iter().next().ok_or_else(|| {
            Error::malformed("RunInstancesResponse/instancesSet", "it has no instance")
                .in_operation(self.dialect.descriptor.id, "RunInstances")
        })
    }

    async fn run_instances(&self, options: CreateNode, ex: Ec2CreateNode) -> Result<Vec<Node>> {
        let key_name = self.key_name(options.auth, ex.ex_keyname, options.timeout).await?;
        let (arn, profile) = match ex.ex_iamprofile {
            Some(arn) if arn.starts_with("arn:") => (Some(arn), None),
            name => (None, name),
        };
        let token = ex.ex_clienttoken.map_or_else(unique_token, Ok)?;
        let tags = with_name(ex.ex_metadata, Some(&options.name));
        // A public address is a matter of an interface, and the subnet and the groups become matters of it, too.
        let assigns = ex.ex_assign_public_ip.unwrap_or_default();
        let on_interface = |name: &str| {
            if assigns { format!("NetworkInterface.1.{name}") } else { name.to_owned() }
        };
        let yes = |flag: Option<bool>| flag.unwrap_or_default().then_some(true);
        let mut action = self
            .conn
            .action("RunInstances")
            .param("ImageId", options.image.id)
            .param("InstanceType", options.size.id)
            .param("MinCount", ex.ex_mincount.unwrap_or(1))
            .param("MaxCount", ex.ex_maxcount.or(ex.ex_mincount).unwrap_or(1))
            .param("ClientToken", token)
            .opt("KeyName", key_name)
            .opt("Placement.AvailabilityZone", options.location.map(|location| location.id))
            .opt("Placement.GroupName", ex.ex_placement_group)
            .opt("NetworkInterface.1.DeviceIndex", assigns.then_some(0))
            .opt("NetworkInterface.1.AssociatePublicIpAddress", assigns.then_some(true))
            .opt("NetworkInterface.1.DeleteOnTermination", assigns.then_some(true))
            .opt(on_interface("SubnetId"), ex.ex_subnet_id)
            .list("SecurityGroup", ex.ex_security_groups)
            .list(&on_interface("SecurityGroupId"), ex.ex_security_group_ids)
            .opt("IamInstanceProfile.Arn", arn)
            .opt("IamInstanceProfile.Name", profile)
            .opt("EbsOptimized", ex.ex_ebs_optimized)
            .opt("InstanceInitiatedShutdownBehavior", yes(ex.ex_terminate_on_shutdown).map(|_| "terminate"))
            .opt("InstanceMarketOptions.MarketType", yes(ex.ex_spot).map(|_| "spot"))
            .opt("InstanceMarketOptions.SpotOptions.MaxPrice", ex.ex_spot_max_price)
            .nested("BlockDeviceMapping", &ex.ex_blockdevicemappings.into());
        action = self.with_tags(action, "instance", &tags);
        if let Some(data) = ex.ex_userdata {
            action = action.secret("UserData", encode::base64(data));
        }
        // The token makes it safe.
        let made = action.repeatable().timeout(options.timeout).read(instances::instances).await?;
        let mut nodes = Vec::with_capacity(made.len());
        for node in made {
            nodes.push(self.tag(node, &tags).await?);
        }
        Ok(nodes)
    }

    /// The key pair that gets in, imported if it is given as a public key.
    async fn key_name(
        &self,
        auth: Option<NodeAuth>,
        name: Option<String>,
        timeout: Option<Duration>,
    ) -> Result<Option<String>> {
        match (NodeAuth::resolve(auth, &self.capabilities())?, name) {
            (Some(_), Some(_)) => Err(Error::invalid_argument(
                "create_node: give either `auth` or `ex_keyname`: an instance has one key pair",
            )
            .with_resource("argument", "ex_keyname")),
            (Some(NodeAuth::SshKey(key)), None) => {
                let key_pair = self.find_or_import_key_pair(&key.pubkey, timeout).await?;
                Ok(Some(key_pair.name))
            }
            (_, name) => Ok(name),
        }
    }
}
