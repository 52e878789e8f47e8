//! EC2, Nova (with a minimal Keystone) and Route 53: listings of any length, and a create that always works.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response};

use crate::body::Body;
use crate::s3::{decode, param};
use crate::{Reply, State, error, xml};

/// Pages that were built once; the key says everything a page depends on.
#[derive(Default)]
pub(crate) struct Cache {
    pages: Mutex<HashMap<String, Bytes>>,
    created: AtomicU64,
}

impl Cache {
    fn page(&self, key: String, build: impl FnOnce() -> String) -> Bytes {
        if let Some(hit) = self.pages.lock().unwrap().get(&key) {
            return hit.clone();
        }
        let page = Bytes::from(build());
        self.pages.lock().unwrap().insert(key, page.clone());
        page
    }
}

fn json(status: u16, text: impl Into<Bytes>) -> Reply {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::full(text))
        .unwrap()
}

// ---- EC2 -------------------------------------------------------------------------------------------------

pub(crate) async fn ec2(state: &State, req: Request<Incoming>) -> Reply {
    let query = req.uri().query().unwrap_or("").to_owned();
    let body = match req.into_body().collect().await {
        Ok(b) => String::from_utf8_lossy(&b.to_bytes()).into_owned(),
        Err(_) => return error(400, "IncompleteBody"),
    };
    let form = format!("{query}&{body}");
    let action = param(&form, "Action").unwrap_or_default();
    let version = param(&form, "Version").unwrap_or("2016-11-15".into());
    let ns = format!("http://ec2.amazonaws.com/doc/{version}/");
    match action.as_str() {
        "DescribeInstances" => {
            state.op("DescribeInstances");
            let total = state.opts.instances;
            let max = param(&form, "MaxResults").and_then(|v| v.parse().ok()).unwrap_or(total);
            let from: u64 = param(&form, "NextToken").and_then(|v| v.parse().ok()).unwrap_or(0);
            let to = (from + max).min(total);
            xml(state.apis.page(format!("ec2 {version} {from} {to}"), || {
                let mut s = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeInstancesResponse xmlns=\"{ns}\">\n    <requestId>0b2d5c1e-bench</requestId>\n    <reservationSet>\n"
                );
                for i in from..to {
                    let _ = write!(
                        s,
                        "        <item>\n            <reservationId>r-{i:017x}</reservationId>\n            <ownerId>123456789012</ownerId>\n            <groupSet/>\n            <instancesSet>\n"
                    );
                    instance(&mut s, i, "running", 16);
                    s.push_str("            </instancesSet>\n        </item>\n");
                }
                s.push_str("    </reservationSet>\n");
                if to < total {
                    let _ = writeln!(s, "    <nextToken>{to}</nextToken>");
                }
                s.push_str("</DescribeInstancesResponse>");
                s
            }))
        }
        "RunInstances" => {
            state.op("RunInstances");
            let i = state.apis.created.fetch_add(1, Relaxed);
            let mut s = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<RunInstancesResponse xmlns=\"{ns}\"><requestId>0b2d5c1e-bench</requestId><reservationId>r-{i:017x}</reservationId><ownerId>123456789012</ownerId><groupSet/><instancesSet>"
            );
            instance(&mut s, i, "pending", 0);
            s.push_str("</instancesSet></RunInstancesResponse>");
            xml(s)
        }
        "CreateTags" => {
            state.op("CreateTags");
            xml(format!(
                "<CreateTagsResponse xmlns=\"{ns}\"><requestId>b</requestId><return>true</return></CreateTagsResponse>"
            ))
        }
        "DescribeAddresses" => {
            state.op("DescribeAddresses");
            xml(format!(
                "<DescribeAddressesResponse xmlns=\"{ns}\"><requestId>b</requestId><addressesSet/></DescribeAddressesResponse>"
            ))
        }
        _ => error(400, "InvalidAction"),
    }
}

/// One instance in the shape the API answers today, some sixty fields, an interface, a volume and three tags.
fn instance(s: &mut String, i: u64, status: &str, code: u32) {
    let (b, c) = (i >> 8 & 255, i & 255);
    let _ = write!(
        s,
        r#"                <item>
                    <instanceId>i-{i:017x}</instanceId>
                    <imageId>ami-0abcdef1234567890</imageId>
                    <instanceState><code>{code}</code><name>{status}</name></instanceState>
                    <privateDnsName>ip-10-0-{b}-{c}.ec2.internal</privateDnsName>
                    <dnsName>ec2-54-0-{b}-{c}.compute-1.amazonaws.com</dnsName>
                    <reason/>
                    <keyName>bench-key</keyName>
                    <amiLaunchIndex>0</amiLaunchIndex>
                    <productCodes/>
                    <instanceType>m5.large</instanceType>
                    <launchTime>2026-01-02T03:04:05.000Z</launchTime>
                    <placement><availabilityZone>us-east-1a</availabilityZone><groupName/><tenancy>default</tenancy></placement>
                    <monitoring><state>disabled</state></monitoring>
                    <subnetId>subnet-0123456789abcdef0</subnetId>
                    <vpcId>vpc-0123456789abcdef0</vpcId>
                    <privateIpAddress>10.0.{b}.{c}</privateIpAddress>
                    <ipAddress>54.0.{b}.{c}</ipAddress>
                    <sourceDestCheck>true</sourceDestCheck>
                    <groupSet><item><groupId>sg-0123456789abcdef0</groupId><groupName>bench</groupName></item></groupSet>
                    <architecture>x86_64</architecture>
                    <rootDeviceType>ebs</rootDeviceType>
                    <rootDeviceName>/dev/xvda</rootDeviceName>
                    <blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-{i:017x}</volumeId><status>attached</status><attachTime>2026-01-02T03:04:06.000Z</attachTime><deleteOnTermination>true</deleteOnTermination></ebs></item></blockDeviceMapping>
                    <virtualizationType>hvm</virtualizationType>
                    <clientToken>bench-{i:08}</clientToken>
                    <tagSet><item><key>Name</key><value>node-{i:06}</value></item><item><key>env</key><value>bench</value></item><item><key>team</key><value>storage &amp; compute</value></item></tagSet>
                    <hypervisor>xen</hypervisor>
                    <networkInterfaceSet><item>
                        <networkInterfaceId>eni-{i:017x}</networkInterfaceId><subnetId>subnet-0123456789abcdef0</subnetId><vpcId>vpc-0123456789abcdef0</vpcId>
                        <description/><ownerId>123456789012</ownerId><status>in-use</status><macAddress>0a:00:00:00:00:01</macAddress>
                        <privateIpAddress>10.0.{b}.{c}</privateIpAddress><privateDnsName>ip-10-0-{b}-{c}.ec2.internal</privateDnsName><sourceDestCheck>true</sourceDestCheck>
                        <groupSet><item><groupId>sg-0123456789abcdef0</groupId><groupName>bench</groupName></item></groupSet>
                        <attachment><attachmentId>eni-attach-{i:017x}</attachmentId><deviceIndex>0</deviceIndex><status>attached</status><attachTime>2026-01-02T03:04:05.000Z</attachTime><deleteOnTermination>true</deleteOnTermination></attachment>
                        <association><publicIp>54.0.{b}.{c}</publicIp><publicDnsName>ec2-54-0-{b}-{c}.compute-1.amazonaws.com</publicDnsName><ipOwnerId>amazon</ipOwnerId></association>
                        <privateIpAddressesSet><item><privateIpAddress>10.0.{b}.{c}</privateIpAddress><primary>true</primary></item></privateIpAddressesSet>
                    </item></networkInterfaceSet>
                    <ebsOptimized>false</ebsOptimized>
                    <enaSupport>true</enaSupport>
                    <cpuOptions><coreCount>1</coreCount><threadsPerCore>2</threadsPerCore></cpuOptions>
                    <capacityReservationSpecification><capacityReservationPreference>open</capacityReservationPreference></capacityReservationSpecification>
                    <hibernationOptions><configured>false</configured></hibernationOptions>
                    <enclaveOptions><enabled>false</enabled></enclaveOptions>
                    <metadataOptions><state>applied</state><httpTokens>required</httpTokens><httpPutResponseHopLimit>2</httpPutResponseHopLimit><httpEndpoint>enabled</httpEndpoint></metadataOptions>
                </item>
"#
    );
}

// ---- Keystone, Nova, Route 53: told apart by the path ----------------------------------------------------

pub(crate) async fn handle(state: &State, req: Request<Incoming>) -> Reply {
    let path = decode(req.uri().path());
    let query = req.uri().query().unwrap_or("").to_owned();
    let host = req.headers().get("host").and_then(|h| h.to_str().ok()).unwrap_or("127.0.0.1").to_owned();
    let post = req.method() == "POST";
    let _ = req.into_body().collect().await;
    if path.ends_with("/auth/tokens") && post {
        state.op("Token");
        return token(&host);
    }
    if path.ends_with("/servers/detail") {
        state.op("ServersDetail");
        return servers(state, &host, path.trim_end_matches("/servers/detail"), &query);
    }
    if path.ends_with("/servers") && post {
        state.op("CreateServer");
        let i = state.apis.created.fetch_add(1, Relaxed);
        return json(
            202,
            format!(
                "{{\"server\":{{\"id\":\"{}\",\"links\":[],\"adminPass\":\"secret\",\"security_groups\":[{{\"name\":\"default\"}}]}}}}",
                uuid(i)
            ),
        );
    }
    if let Some(id) = path.rsplit_once("/servers/").map(|(_, id)| id) {
        state.op("GetServer");
        let i = id.rsplit('-').next().and_then(|n| u64::from_str_radix(n, 16).ok()).unwrap_or(0);
        let mut s = String::from("{\"server\":");
        server(&mut s, i, &host);
        s.push('}');
        return json(200, s);
    }
    if path.ends_with("/rrset") {
        state.op("ListResourceRecordSets");
        return records(state, &path, &query);
    }
    if let Some((version, rest)) = path.trim_start_matches('/').split_once("/hostedzone") {
        let zone = format!(
            "<HostedZone><Id>/hostedzone/Z1</Id><Name>bench.example.</Name><CallerReference>b</CallerReference><Config><Comment>b</Comment><PrivateZone>false</PrivateZone></Config><ResourceRecordSetCount>{}</ResourceRecordSetCount></HostedZone>",
            state.opts.records
        );
        let (name, content) = if rest.len() > 1 {
            state.op("GetHostedZone");
            ("GetHostedZoneResponse", format!("{zone}<DelegationSet><NameServers/></DelegationSet>"))
        } else {
            state.op("ListHostedZones");
            let end = "<IsTruncated>false</IsTruncated><MaxItems>100</MaxItems>";
            ("ListHostedZonesResponse", format!("<HostedZones>{zone}</HostedZones>{end}"))
        };
        let ns = format!("https://route53.amazonaws.com/doc/{version}/");
        return xml(format!("<?xml version=\"1.0\"?>\n<{name} xmlns=\"{ns}\">{content}</{name}>"));
    }
    json(404, "{\"itemNotFound\":{\"code\":404,\"message\":\"not found\"}}")
}

fn token(host: &str) -> Reply {
    let endpoint = |ty: &str, name: &str, path: &str| {
        format!(
            r#"{{"type":"{ty}","name":"{name}","id":"{name}","endpoints":[{{"id":"{name}-1","interface":"public","region":"RegionOne","region_id":"RegionOne","url":"http://{host}{path}"}}]}}"#
        )
    };
    let catalog = [endpoint("compute", "nova", "/v2.1"), endpoint("identity", "keystone", "/v3")].join(",");
    let mut r = json(
        201,
        format!(
            r#"{{"token":{{"methods":["password"],"user":{{"domain":{{"id":"default","name":"Default"}},"id":"u1","name":"bench"}},"audit_ids":["a"],"expires_at":"2099-01-01T00:00:00.000000Z","issued_at":"2026-01-01T00:00:00.000000Z","project":{{"domain":{{"id":"default","name":"Default"}},"id":"p1","name":"bench"}},"is_domain":false,"roles":[{{"id":"r","name":"member"}}],"catalog":[{catalog}]}}}}"#
        ),
    );
    r.headers_mut().insert("x-subject-token", "bench-token".parse().unwrap());
    r
}

fn uuid(i: u64) -> String {
    format!("b1e5c0de-0000-4000-8000-{i:012x}")
}

fn servers(state: &State, host: &str, base: &str, query: &str) -> Reply {
    let total = state.opts.servers;
    let max =
        param(query, "limit").and_then(|v| v.parse().ok()).unwrap_or(u64::MAX).min(state.opts.nova_page);
    let from = param(query, "marker")
        .and_then(|m| u64::from_str_radix(m.rsplit('-').next()?, 16).ok())
        .map_or(0, |i| i + 1)
        .min(total);
    let to = (from + max).min(total);
    json(
        200,
        state.apis.page(format!("nova {host} {base} {from} {to}"), || {
            let mut s = String::from("{\"servers\":[");
            for i in from..to {
                if i > from {
                    s.push(',');
                }
                server(&mut s, i, host);
            }
            s.push(']');
            if to < total {
                let marker = uuid(to - 1);
                let _ = write!(s, r#","servers_links":[{{"rel":"next","href":"http://{host}{base}/servers/detail?limit={max}&marker={marker}"}}]"#);
            }
            s.push('}');
            s
        }),
    )
}

fn server(s: &mut String, i: u64, host: &str) {
    let id = uuid(i);
    let (b, c) = (i >> 8 & 255, i & 255);
    let _ = write!(
        s,
        r#"{{"id":"{id}","name":"node-{i:06}","status":"ACTIVE","tenant_id":"p1","user_id":"u1","metadata":{{"env":"bench","team":"compute"}},"hostId":"92154fab69d5883ba2c8622b7e65f745dd33257221c07af363c51b29","image":{{"id":"70a599e0-31e7-49b7-b260-868f441e862b","links":[{{"rel":"bookmark","href":"http://{host}/images/70a599e0-31e7-49b7-b260-868f441e862b"}}]}},"flavor":{{"id":"1","links":[{{"rel":"bookmark","href":"http://{host}/flavors/1"}}]}},"created":"2026-01-02T03:04:05Z","updated":"2026-01-02T03:04:06Z","addresses":{{"private":[{{"version":4,"addr":"10.0.{b}.{c}","OS-EXT-IPS:type":"fixed","OS-EXT-IPS-MAC:mac_addr":"fa:16:3e:00:00:01"}},{{"version":4,"addr":"54.0.{b}.{c}","OS-EXT-IPS:type":"floating","OS-EXT-IPS-MAC:mac_addr":"fa:16:3e:00:00:01"}}]}},"accessIPv4":"","accessIPv6":"","links":[{{"rel":"self","href":"http://{host}/v2.1/servers/{id}"}},{{"rel":"bookmark","href":"http://{host}/servers/{id}"}}],"OS-DCF:diskConfig":"AUTO","progress":0,"OS-EXT-AZ:availability_zone":"nova","config_drive":"","key_name":"bench-key","OS-SRV-USG:launched_at":"2026-01-02T03:04:10.000000","OS-SRV-USG:terminated_at":null,"OS-EXT-STS:task_state":null,"OS-EXT-STS:vm_state":"active","OS-EXT-STS:power_state":1,"os-extended-volumes:volumes_attached":[{{"id":"c0ffee00-0000-4000-8000-{i:012x}"}}],"security_groups":[{{"name":"default"}}],"fault":null}}"#
    );
}

fn records(state: &State, path: &str, query: &str) -> Reply {
    let v = path.trim_start_matches('/').split('/').next().unwrap_or("").to_owned();
    let total = state.opts.records;
    let max = param(query, "maxitems").and_then(|v| v.parse().ok()).unwrap_or(300).min(300);
    let from = param(query, "name")
        .and_then(|n| n.strip_prefix("host-")?.split('.').next()?.parse::<u64>().ok())
        .unwrap_or(0)
        .min(total);
    let to = (from + max).min(total);
    xml(state.apis.page(format!("r53 {v} {from} {to}"), || {
        let more = to < total;
        let mut s = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListResourceRecordSetsResponse xmlns=\"https://route53.amazonaws.com/doc/{v}/\"><ResourceRecordSets>"
        );
        for i in from..to {
            let (b, c) = (i >> 8 & 255, i & 255);
            let _ = write!(
                s,
                "<ResourceRecordSet><Name>host-{i:08}.bench.example.</Name><Type>A</Type><TTL>300</TTL><ResourceRecords><ResourceRecord><Value>10.0.{b}.{c}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>"
            );
        }
        let _ = write!(s, "</ResourceRecordSets><IsTruncated>{more}</IsTruncated>");
        if more {
            let _ = write!(s, "<NextRecordName>host-{to:08}.bench.example.</NextRecordName><NextRecordType>A</NextRecordType>");
        }
        let _ = write!(s, "<MaxItems>{max}</MaxItems></ListResourceRecordSetsResponse>");
        s
    }))
}
