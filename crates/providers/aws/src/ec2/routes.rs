//! Ways out of a virtual private cloud: internet gateways, route tables and their routes.

use std::collections::BTreeMap;

use libcloud_common::xml::Element;
use libcloud_common::{Error, Ex, Result, extensions, optional_arguments};
use libcloud_compute::Node;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::arguments::{ec2_resource, has_id};
use super::tags::{tagged, with_name};
use super::{Ec2Driver, Filters, Network, NetworkInterface, ResourceId, Subnet, wire};
use crate::connection::Action;

/// An internet gateway.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InternetGateway.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct InternetGateway {
    /// The id.
    pub id: String,
    /// The tag `Name`, or the id.
    pub name: String,
    /// The virtual private cloud that it is attached to.
    pub vpc_id: Option<String>,
    /// How far the attachment is; `available` where it is not attached, too.
    pub state: String,
    /// What else there is.
    pub extra: RouteExtra,
}

ec2_resource!(InternetGateway, "internet gateway");
tagged!(InternetGateway);

/// A route table.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RouteTable.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RouteTable {
    /// The id.
    pub id: String,
    /// The tag `Name`, or the id.
    pub name: String,
    /// Its routes.
    pub routes: Vec<Route>,
    /// The subnets that it is for.
    pub subnet_associations: Vec<SubnetAssociation>,
    /// The private gateways that add routes to it.
    pub propagating_gateway_ids: Vec<String>,
    /// What else there is.
    pub extra: RouteExtra,
}

ec2_resource!(RouteTable, "route table");
tagged!(RouteTable);

/// What else an internet gateway or a route table has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RouteExtra {
    /// The virtual private cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A route.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Route {
    /// Where to, IPv4 or IPv6.
    pub cidr: Option<String>,
    /// By way of this gateway; `local` within the cloud itself.
    pub gateway_id: Option<String>,
    /// By way of this node.
    pub instance_id: Option<String>,
    /// The node's account.
    pub owner_id: Option<String>,
    /// By way of this network interface.
    pub interface_id: Option<String>,
    /// `active` or `blackhole`.
    pub state: Option<String>,
    /// How it came about.
    pub origin: Option<String>,
    /// By way of this peering.
    pub vpc_peering_connection_id: Option<String>,
}

/// That a route table is for a subnet.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RouteTableAssociation.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SubnetAssociation {
    /// By which it is known.
    pub id: String,
    /// The route table.
    pub route_table_id: Option<String>,
    /// The subnet; none of the main table.
    pub subnet_id: Option<String>,
    /// Whether the table is for all subnets that have no other.
    pub main: bool,
}

ec2_resource!(SubnetAssociation, "association");

optional_arguments! {
    /// By way of what a route leads: one of these.
    RouteTarget("route") {
        /// This gateway.
        internet_gateway: InternetGateway = "by way of this gateway", internet_gateway(&InternetGateway) Clone::clone;
        /// This node.
        node: Node = "by way of this node", node(&Node) Clone::clone;
        /// This network interface.
        network_interface: NetworkInterface = "by way of this network interface",
            network_interface(&NetworkInterface) Clone::clone;
        /// The peering of this id.
        vpc_peering_connection: ResourceId = "by way of this peering", vpc_peering_connection(&str) |id| id.into();
    }
}

#[extensions(ROUTES)]
impl Ec2Driver {
    /// The internet gateways: all, or only those that are asked for.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInternetGateways.html>
    pub async fn ex_list_internet_gateways(
        &self,
        gateway_ids: Option<Vec<String>>,
        filters: Option<Filters>,
    ) -> Result<Vec<InternetGateway>> {
        self.conn
            .action("DescribeInternetGateways")
            .list("InternetGatewayId", gateway_ids.unwrap_or_default())
            .filters(filters.unwrap_or_default().0)
            .all(|root| wire::items(root, "internetGatewaySet", internet_gateway))
            .await
    }

    /// Makes an internet gateway.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateInternetGateway.html>
    pub async fn ex_create_internet_gateway(&self, name: Option<String>) -> Result<InternetGateway> {
        let tags = with_name(BTreeMap::new(), name.as_deref());
        let read = |root: Element<'_, '_>| internet_gateway(root.need("internetGateway")?);
        self.make(self.conn.action("CreateInternetGateway"), "internet-gateway", &tags, read).await
    }

    /// Deletes an internet gateway; it must be detached.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteInternetGateway.html>
    pub async fn ex_delete_internet_gateway(&self, gateway: &InternetGateway) -> Result<()> {
        self.conn.action("DeleteInternetGateway").param("InternetGatewayId", &gateway.id).done().await
    }

    /// Attaches an internet gateway to a virtual private cloud.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachInternetGateway.html>
    pub async fn ex_attach_internet_gateway(
        &self,
        gateway: &InternetGateway,
        network: &Network,
    ) -> Result<()> {
        self.conn
            .action("AttachInternetGateway")
            .param("InternetGatewayId", &gateway.id)
            .param("VpcId", &network.id)
            .done()
            .await
    }

    /// Detaches an internet gateway from a virtual private cloud.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachInternetGateway.html>
    pub async fn ex_detach_internet_gateway(
        &self,
        gateway: &InternetGateway,
        network: &Network,
    ) -> Result<()> {
        self.conn
            .action("DetachInternetGateway")
            .param("InternetGatewayId", &gateway.id)
            .param("VpcId", &network.id)
            .done()
            .await
    }

    /// The route tables: all, or only those that are asked for.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRouteTables.html>
    pub async fn ex_list_route_tables(
        &self,
        route_table_ids: Option<Vec<String>>,
        filters: Option<Filters>,
    ) -> Result<Vec<RouteTable>> {
        self.conn
            .action("DescribeRouteTables")
            .list("RouteTableId", route_table_ids.unwrap_or_default())
            .filters(filters.unwrap_or_default().0)
            .all(|root| wire::items(root, "routeTableSet", route_table))
            .await
    }

    /// Makes a route table in a virtual private cloud.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRouteTable.html>
    pub async fn ex_create_route_table(&self, network: &Network, name: Option<String>) -> Result<RouteTable> {
        let tags = with_name(BTreeMap::new(), name.as_deref());
        let action = self.conn.action("CreateRouteTable").param("VpcId", &network.id);
        self.make(action, "route-table", &tags, |root| route_table(root.need("routeTable")?)).await
    }

    /// Deletes a route table; no subnet may be associated with it.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteRouteTable.html>
    pub async fn ex_delete_route_table(&self, route_table: &RouteTable) -> Result<()> {
        self.conn.action("DeleteRouteTable").param("RouteTableId", &route_table.id).done().await
    }

    /// Makes a route table that of a subnet; gives the id of the association.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateRouteTable.html>
    pub async fn ex_associate_route_table(
        &self,
        route_table: &RouteTable,
        subnet: &Subnet,
    ) -> Result<String> {
        self.conn
            .action("AssociateRouteTable")
            .param("RouteTableId", &route_table.id)
            .param("SubnetId", &subnet.id)
            .read(|root| root.need_text("associationId"))
            .await
    }

    /// Gives a subnet the main route table again.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisassociateRouteTable.html>
    pub async fn ex_dissociate_route_table(&self, subnet_association: &SubnetAssociation) -> Result<()> {
        self.conn.action("DisassociateRouteTable").param("AssociationId", &subnet_association.id).done().await
    }

    /// Gives a subnet another route table, or the cloud another main one; gives the id of the new association.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceRouteTableAssociation.html>
    pub async fn ex_replace_route_table_association(
        &self,
        subnet_association: &SubnetAssociation,
        route_table: &RouteTable,
    ) -> Result<String> {
        self.conn
            .action("ReplaceRouteTableAssociation")
            .param("AssociationId", &subnet_association.id)
            .param("RouteTableId", &route_table.id)
            .read(|root| root.need_text("newAssociationId"))
            .await
    }

    /// Adds a route to these addresses.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html>
    pub async fn ex_create_route(
        &self,
        route_table: &RouteTable,
        cidr: &str,
        target: RouteTarget,
    ) -> Result<()> {
        self.leads_to("CreateRoute", route_table, cidr, target)?.done().await
    }

    /// Lets the route to these addresses lead elsewhere.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceRoute.html>
    pub async fn ex_replace_route(
        &self,
        route_table: &RouteTable,
        cidr: &str,
        target: RouteTarget,
    ) -> Result<()> {
        self.leads_to("ReplaceRoute", route_table, cidr, target)?.done().await
    }

    /// Deletes the route to these addresses.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteRoute.html>
    pub async fn ex_delete_route(&self, route_table: &RouteTable, cidr: &str) -> Result<()> {
        self.conn
            .action("DeleteRoute")
            .param("RouteTableId", &route_table.id)
            .param(destination(cidr), cidr)
            .done()
            .await
    }
}

impl Ec2Driver {
    fn leads_to(
        &self,
        name: &'static str,
        route_table: &RouteTable,
        cidr: &str,
        target: RouteTarget,
    ) -> Result<Action> {
        target.ex.none(name)?;
        let targets = [
            ("GatewayId", target.internet_gateway.map(|gateway| gateway.id)),
            ("InstanceId", target.node.map(|node| node.id)),
            ("NetworkInterfaceId", target.network_interface.map(|interface| interface.id)),
            ("VpcPeeringConnectionId", target.vpc_peering_connection.map(|peering| peering.0)),
        ];
        if targets.iter().filter(|(_, id)| id.is_some()).count() != 1 {
            return Err(Error::invalid_argument(
                "a route leads by way of one thing: give `internet_gateway`, `node`, `network_interface` or \
                 `vpc_peering_connection`",
            ));
        }
        let action = self
            .conn
            .action(name)
            .param("RouteTableId", &route_table.id)
            .param(destination(cidr), cidr)
            .timeout(target.timeout);
        Ok(targets.into_iter().fold(action, |action, (name, id)| action.opt(name, id)))
    }
}

fn destination(cidr: &str) -> &'static str {
    if cidr.contains(':') { "DestinationIpv6CidrBlock" } else { "DestinationCidrBlock" }
}

fn internet_gateway(item: Element<'_, '_>) -> Result<InternetGateway> {
    let id = item.need_text("internetGatewayId")?;
    let tags = wire::tags(item)?;
    Ok(InternetGateway {
        name: wire::name(&tags, &id),
        id,
        vpc_id: item.opt_text("attachmentSet/item/vpcId"),
        state: item.opt_text("attachmentSet/item/state").unwrap_or_else(|| "available".to_owned()),
        extra: RouteExtra { vpc_id: None, tags },
    })
}

fn route_table(item: Element<'_, '_>) -> Result<RouteTable> {
    let id = item.need_text("routeTableId")?;
    let tags = wire::tags(item)?;
    Ok(RouteTable {
        name: wire::name(&tags, &id),
        id,
        routes: item.items("routeSet", "item").map(route).collect(),
        subnet_associations: wire::items(item, "associationSet", association)?,
        propagating_gateway_ids: wire::texts(item, "propagatingVgwSet", "gatewayId"),
        extra: RouteExtra { vpc_id: item.opt_text("vpcId"), tags },
    })
}

fn route(item: Element<'_, '_>) -> Route {
    Route {
        cidr: item.opt_text("destinationCidrBlock").or_else(|| item.opt_text("destinationIpv6CidrBlock")),
        gateway_id: item.opt_text("gatewayId"),
        instance_id: item.opt_text("instanceId"),
        owner_id: item.opt_text("instanceOwnerId"),
        interface_id: item.opt_text("networkInterfaceId"),
        state: item.opt_text("state"),
        origin: item.opt_text("origin"),
        vpc_peering_connection_id: item.opt_text("vpcPeeringConnectionId"),
    }
}

fn association(item: Element<'_, '_>) -> Result<SubnetAssociation> {
    Ok(SubnetAssociation {
        id: item.need_text("routeTableAssociationId")?,
        route_table_id: item.opt_text("routeTableId"),
        subnet_id: item.opt_text("subnetId"),
        main: item.bool("main")?.unwrap_or_default(),
    })
}
