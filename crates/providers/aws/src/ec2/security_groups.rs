//! Security groups: which traffic may reach and leave a node.

use std::collections::BTreeMap;
use std::time::Duration;

use libcloud_common::dispatch::Arg;
use libcloud_common::xml::Element;
use libcloud_common::{Error, Ex, Result, Value, extensions, optional_arguments};
use serde::{Deserialize, Serialize};

use super::arguments::{ec2_resource, has_id};
use super::{Ec2Driver, Filters, ResourceId, wire};
use crate::connection::Action;

/// A security group.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroup.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SecurityGroup {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// What may come in.
    pub ingress_rules: Vec<SecurityGroupRule>,
    /// What may go out; only of a group in a VPC.
    pub egress_rules: Vec<SecurityGroupRule>,
    /// What else there is.
    pub extra: SecurityGroupExtra,
}

ec2_resource!(SecurityGroup, "security group");

/// What else a security group has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SecurityGroupExtra {
    /// The owner's words.
    pub description: Option<String>,
    /// The virtual private cloud.
    pub vpc_id: Option<String>,
    /// The account.
    pub owner_id: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Traffic that is let through.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SecurityGroupRule {
    /// `tcp`, `udp`, `icmp`, a number, or `-1` for all.
    pub protocol: String,
    /// The first port, or the type of ICMP; none where all are meant.
    pub from_port: Option<i32>,
    /// The last port, or the code of ICMP.
    pub to_port: Option<i32>,
    /// From or to these networks, IPv4 and IPv6.
    pub cidr_ips: Vec<String>,
    /// From or to what is in these groups.
    pub group_pairs: Vec<GroupPair>,
    /// From or to these lists of networks.
    pub prefix_list_ids: Vec<String>,
}

/// A security group as a rule names it: by id, or in the default VPC by name.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UserIdGroupPair.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct GroupPair {
    /// The id.
    pub group_id: Option<String>,
    /// The name.
    pub group_name: Option<String>,
    /// The account, where it is another.
    pub user_id: Option<String>,
}

impl GroupPair {
    /// The group of this id.
    pub fn by_id(group_id: impl Into<String>) -> Self {
        Self { group_id: Some(group_id.into()), ..Self::default() }
    }
}

impl Arg for GroupPair {
    const TYPE: &'static str = "security group";

    fn from_json(value: Value) -> std::result::Result<Self, String> {
        match value {
            Value::String(id) => Ok(Self::by_id(id)),
            value => Self::deserialize(value).map_err(|_| {
                "expected an id, or a map with `group_id` or `group_name`, and `user_id`".to_owned()
            }),
        }
    }
}

optional_arguments! {
    /// Whose traffic a rule of a security group lets through.
    RulePeers("security group rule") {
        /// From or to these networks, IPv4 and IPv6.
        cidr_ips: Vec<String> = "from or to these networks, IPv4 and IPv6", cidr_ips(&[String]) <[_]>::to_vec;
        /// From or to what is in these groups.
        group_pairs: Vec<GroupPair> = "from or to what is in these groups", group_pairs(&[GroupPair]) <[_]>::to_vec;
        /// `tcp` (without), `udp`, `icmp`, a number, or `-1` for all.
        protocol: String = "`tcp`, `udp`, `icmp`, a number, or `-1` for all", protocol(&str) str::to_owned;
        /// A sentence about each network.
        description: String = "a sentence about each network", description(&str) str::to_owned;
    }
}

#[extensions(SECURITY_GROUPS)]
impl Ec2Driver {
    /// The names of all security groups.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html>
    pub async fn ex_list_security_groups(&self) -> Result<Vec<String>> {
        let names = |root: Element<'_, '_>| {
            wire::items(root, "securityGroupInfo", |item| item.need_text("groupName"))
        };
        self.conn.action("DescribeSecurityGroups").opt("MaxResults", self.page_size()).all(names).await
    }

    /// Security groups with their rules: all, or only those that are asked for.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html>
    pub async fn ex_get_security_groups(
        &self,
        group_ids: Option<Vec<String>>,
        group_names: Option<Vec<String>>,
        filters: Option<Filters>,
    ) -> Result<Vec<SecurityGroup>> {
        self.conn
            .action("DescribeSecurityGroups")
            .list("GroupId", group_ids.unwrap_or_default())
            .list("GroupName", group_names.unwrap_or_default())
            .filters(filters.unwrap_or_default().0)
            .all(|root| wire::items(root, "securityGroupInfo", security_group))
            .await
    }

    /// Makes a security group, in the default VPC without `vpc_id`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>
    pub async fn ex_create_security_group(
        &self,
        name: &str,
        description: &str,
        vpc_id: Option<String>,
    ) -> Result<SecurityGroup> {
        let extra = SecurityGroupExtra {
            description: Some(description.to_owned()),
            vpc_id: vpc_id.clone(),
            ..SecurityGroupExtra::default()
        };
        let id = self
            .conn
            .action("CreateSecurityGroup")
            .param("GroupName", name)
            .param("GroupDescription", description)
            .opt("VpcId", vpc_id)
            .read(|root| match root.opt_text("groupId") {
                // Old clones know a group by its name alone.
                None if self.dialect.old => Ok(name.to_owned()),
                _ => root.need_text("groupId"),
            })
            .await?;
        Ok(SecurityGroup { id, name: name.to_owned(), extra, ..SecurityGroup::default() })
    }

    /// Deletes a security group by its name, which works in the default VPC.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html>
    pub async fn ex_delete_security_group(&self, name: &str) -> Result<()> {
        self.ex_delete_security_group_by_name(name).await
    }

    /// Deletes a security group by its name, which works in the default VPC.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html>
    pub async fn ex_delete_security_group_by_name(&self, group_name: &str) -> Result<()> {
        self.conn.action("DeleteSecurityGroup").param("GroupName", group_name).done().await
    }

    /// Deletes a security group by its id.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html>
    pub async fn ex_delete_security_group_by_id(&self, group_id: &ResourceId) -> Result<()> {
        self.conn.action("DeleteSecurityGroup").param("GroupId", &group_id.0).done().await
    }

    /// Lets traffic from a network in, by the group's name. Succeeds if it is let in already.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html>
    pub async fn ex_authorize_security_group(
        &self,
        name: &str,
        from_port: i64,
        to_port: i64,
        cidr_ip: &str,
        protocol: Option<String>,
    ) -> Result<()> {
        let action = self
            .conn
            .action("AuthorizeSecurityGroupIngress")
            .param("GroupName", name)
            .param("IpProtocol", protocol.as_deref().unwrap_or("tcp"))
            .param("FromPort", from_port)
            .param("ToPort", to_port)
            .param("CidrIp", cidr_ip);
        authorize(action).await
    }

    /// Lets all traffic of TCP, UDP and ICMP in from everywhere, by the group's name. For tests, and behind a firewall.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html>
    pub async fn ex_authorize_security_group_permissive(&self, name: &str) -> Result<()> {
        for (protocol, from_port, to_port) in [("tcp", 0, 65535), ("udp", 0, 65535), ("icmp", -1, -1)] {
            let protocol = Some(protocol.to_owned());
            self.ex_authorize_security_group(name, from_port, to_port, "0.0.0.0/0", protocol).await?;
        }
        Ok(())
    }

    /// Lets traffic in, by the group's id. Succeeds if it is let in already.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html>
    pub async fn ex_authorize_security_group_ingress(
        &self,
        id: &ResourceId,
        from_port: i64,
        to_port: i64,
        peers: RulePeers,
    ) -> Result<()> {
        authorize(self.rule("AuthorizeSecurityGroupIngress", id, (from_port, to_port), peers)?).await
    }

    /// Lets traffic out, by the group's id. Succeeds if it is let out already.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupEgress.html>
    pub async fn ex_authorize_security_group_egress(
        &self,
        id: &ResourceId,
        from_port: i64,
        to_port: i64,
        peers: RulePeers,
    ) -> Result<()> {
        authorize(self.rule("AuthorizeSecurityGroupEgress", id, (from_port, to_port), peers)?).await
    }

    /// Takes back what lets traffic in.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html>
    pub async fn ex_revoke_security_group_ingress(
        &self,
        id: &ResourceId,
        from_port: i64,
        to_port: i64,
        peers: RulePeers,
    ) -> Result<()> {
        self.rule("RevokeSecurityGroupIngress", id, (from_port, to_port), peers)?.done().await
    }

    /// Takes back what lets traffic out.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupEgress.html>
    pub async fn ex_revoke_security_group_egress(
        &self,
        id: &ResourceId,
        from_port: i64,
        to_port: i64,
        peers: RulePeers,
    ) -> Result<()> {
        self.rule("RevokeSecurityGroupEgress", id, (from_port, to_port), peers)?.done().await
    }
}

impl Ec2Driver {
    fn rule(
        &self,
        name: &'static str,
        id: &ResourceId,
        (from_port, to_port): (i64, i64),
        peers: RulePeers,
    ) -> Result<Action> {
        peers.ex.none("the rule of a security group")?;
        let networks = peers.cidr_ips.unwrap_or_default();
        let (v6, v4): (Vec<_>, Vec<_>) = networks.into_iter().partition(|network| network.contains(':'));
        let groups = peers.group_pairs.unwrap_or_default();
        if v4.is_empty() && v6.is_empty() && groups.is_empty() {
            return Err(Error::invalid_argument("a rule needs `cidr_ips` or `group_pairs`")
                .with_resource("argument", "cidr_ips"));
        }
        let mut action = self
            .conn
            .action(name)
            .param("GroupId", &id.0)
            .param("IpPermissions.1.IpProtocol", peers.protocol.as_deref().unwrap_or("tcp"))
            .param("IpPermissions.1.FromPort", from_port)
            .param("IpPermissions.1.ToPort", to_port);
        for (list, field, networks) in [("IpRanges", "CidrIp", v4), ("Ipv6Ranges", "CidrIpv6", v6)] {
            for (n, network) in (1..).zip(networks) {
                action = action
                    .param(format!("IpPermissions.1.{list}.{n}.{field}"), network)
                    .opt(format!("IpPermissions.1.{list}.{n}.Description"), peers.description.as_ref());
            }
        }
        for (n, group) in (1..).zip(groups) {
            action = action
                .opt(format!("IpPermissions.1.Groups.{n}.GroupId"), group.group_id)
                .opt(format!("IpPermissions.1.Groups.{n}.GroupName"), group.group_name)
                .opt(format!("IpPermissions.1.Groups.{n}.UserId"), group.user_id);
        }
        Ok(action.timeout(peers.timeout))
    }
}

/// What is let through already is let through.
async fn authorize(action: Action) -> Result<()> {
    match action.done().await {
        Err(error) if error.code() == Some("InvalidPermission.Duplicate") => Ok(()),
        answer => answer,
    }
}

fn security_group(item: Element<'_, '_>) -> Result<SecurityGroup> {
    let name = item.need_text("groupName")?;
    Ok(SecurityGroup {
        // Old clones know a group by its name alone.
        id: item.opt_text("groupId").unwrap_or_else(|| name.clone()),
        name,
        ingress_rules: wire::items(item, "ipPermissions", rule)?,
        egress_rules: wire::items(item, "ipPermissionsEgress", rule)?,
        extra: SecurityGroupExtra {
            description: item.opt_text("groupDescription"),
            vpc_id: item.opt_text("vpcId"),
            owner_id: item.opt_text("ownerId"),
            tags: wire::tags(item)?,
        },
    })
}

fn rule(item: Element<'_, '_>) -> Result<SecurityGroupRule> {
    let mut cidr_ips = wire::texts(item, "ipRanges", "cidrIp");
    cidr_ips.extend(wire::texts(item, "ipv6Ranges", "cidrIpv6"));
    Ok(SecurityGroupRule {
        protocol: item.need_text("ipProtocol")?,
        from_port: item.parse("fromPort")?,
        to_port: item.parse("toPort")?,
        cidr_ips,
        group_pairs: wire::items(item, "groups", |item| {
            Ok(GroupPair {
                group_id: item.opt_text("groupId"),
                group_name: item.opt_text("groupName"),
                user_id: item.opt_text("userId"),
            })
        })?,
        prefix_list_ids: wire::texts(item, "prefixListIds", "prefixListId"),
    })
}
