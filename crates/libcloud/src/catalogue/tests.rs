//! The catalogue against the constants of Apache Libcloud 0.14.

use std::collections::{HashMap, HashSet};

use super::*;

/// Service, name and value of each constant of Apache Libcloud.
const CONSTANTS: &str = include_str!("../../tests/data/constants.csv");

/// Rows that Apache Libcloud has no constant for.
const OURS: [(Service, &str); 19] = [
    (Service::Storage, "DIGITALOCEAN_SPACES"),
    (Service::Storage, "MINIO"),
    (Service::Storage, "ATMOS"),
    (Service::Storage, "S3_AP_NORTHEAST1"),
    (Service::Storage, "S3_AP_NORTHEAST2"),
    (Service::Storage, "S3_AP_SOUTH"),
    (Service::Storage, "S3_AP_SOUTHEAST2"),
    (Service::Storage, "S3_CA_CENTRAL"),
    (Service::Storage, "S3_CN_NORTH"),
    (Service::Storage, "S3_CN_NORTHWEST"),
    (Service::Storage, "S3_EU_CENTRAL"),
    (Service::Storage, "S3_EU_NORTH1"),
    (Service::Storage, "S3_EU_WEST2"),
    (Service::Storage, "S3_SA_EAST"),
    (Service::Storage, "S3_US_EAST2"),
    (Service::Storage, "S3_US_GOV_EAST"),
    (Service::Storage, "S3_US_GOV_WEST"),
    (Service::LoadBalancer, "ALB"),
    (Service::LoadBalancer, "DUMMY"),
];

fn constants() -> Vec<(Service, &'static str, &'static str)> {
    let rows = CONSTANTS.lines().skip(1).map(|line| {
        let [service, constant, value] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        (service.parse().unwrap(), constant, value)
    });
    rows.collect()
}

fn entry(service: Service, constant: &str) -> &'static Entry {
    entries(service)
        .iter()
        .find(|entry| entry.constant == constant)
        .unwrap_or_else(|| panic!("no {constant}"))
}

fn refusal(service: Service, name: &str) -> Error {
    let error = find(service, name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    error
}

#[test]
fn every_constant_is_there_with_its_value() {
    let constants = constants();
    assert_eq!(constants.len(), 99);
    for (service, constant, value) in &constants {
        assert_eq!(entry(*service, constant).seed_value, *value, "{service} {constant}");
    }
    let known: HashSet<_> = constants.iter().map(|(service, constant, _)| (*service, *constant)).collect();
    let all = Service::ALL.into_iter().flat_map(entries).map(|entry| (entry.service, entry.constant));
    let ours: Vec<_> = all.filter(|row| !known.contains(row)).collect();
    assert_eq!(ours, OURS);
}

#[test]
fn every_name_of_an_entry_leads_to_a_provider() {
    for entry in Service::ALL.into_iter().flat_map(entries) {
        for name in [entry.id, entry.constant, entry.seed_value] {
            for name in [name.to_owned(), name.to_uppercase(), name.to_lowercase(), name.replace('_', "-")] {
                if let Some(advice) = entry.removed {
                    assert!(refusal(entry.service, &name).message().ends_with(advice), "{name}");
                    continue;
                }
                let found = find(entry.service, &name).unwrap();
                let target = entry.alias_of.map_or(entry.id, |alias| alias.id);
                assert_eq!(found.entry.id, target, "{name}");
                assert!(found.entry.alias_of.is_none() && found.entry.removed.is_none(), "{name}");
            }
        }
    }
}

#[test]
fn names_are_unique() {
    for service in Service::ALL {
        let mut owners: HashMap<String, &str> = HashMap::new();
        for entry in entries(service) {
            assert_eq!(entry.service, service, "{}", entry.constant);
            for name in HashSet::from([entry.id.to_owned(), entry.constant.to_lowercase()]) {
                let other = owners.insert(name, entry.constant);
                assert_eq!(other, None, "{service} {}", entry.constant);
            }
        }
        // A value is shared only by constants that lead to the same provider.
        let mut targets: HashMap<&str, &str> = HashMap::new();
        for entry in entries(service).iter().filter(|entry| entry.removed.is_none()) {
            let target = entry.alias_of.map_or(entry.id, |alias| alias.id);
            let known = *targets.entry(entry.seed_value).or_insert(target);
            assert_eq!(known, target, "{service} {}", entry.seed_value);
        }
    }
}

#[test]
fn ids_and_features_are_typeable() {
    for entry in Service::ALL.into_iter().flat_map(entries) {
        for word in [entry.id, entry.feature] {
            let plain = word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            assert!(plain && !word.is_empty(), "{word}");
        }
        assert!(!entry.name.is_empty(), "{}", entry.id);
    }
}

#[test]
fn region_constants_lead_to_the_region() {
    for (service, name, id, region, deprecated) in [
        (Service::Compute, "EC2", "ec2", None, false),
        (Service::Compute, "EC2_EU", "ec2", Some("eu-west-1"), true),
        (Service::Compute, "EC2_EU_WEST", "ec2", Some("eu-west-1"), true),
        (Service::Compute, "ec2_us_east", "ec2", Some("us-east-1"), true),
        (Service::Compute, "EC2_AP_SOUTHEAST2", "ec2", Some("ap-southeast-2"), true),
        (Service::Compute, "ec2-ap-southeast-2", "ec2", Some("ap-southeast-2"), true),
        (Service::Compute, "ELASTICHOSTS_AU1", "elastichosts", Some("syd-y"), true),
        (Service::Compute, "CLOUDSIGMA_US", "cloudsigma", Some("lvs"), false),
        (Service::Compute, "DIGITAL_OCEAN", "digitalocean", None, false),
        (Service::Storage, "S3_US_WEST_OREGON", "s3", Some("us-west-2"), false),
        (Service::Storage, "S3_CN_NORTHWEST", "s3", Some("cn-northwest-1"), false),
        (Service::Storage, "CLOUDFILES_US", "cloudfiles", Some("ord"), true),
        (Service::LoadBalancer, "RACKSPACE_US", "rackspace", Some("ord"), true),
        (Service::Dns, "RACKSPACE_UK", "rackspace", Some("uk"), true),
    ] {
        let found = find(service, name).unwrap();
        assert_eq!((found.entry.id, found.region, found.deprecated), (id, region, deprecated), "{name}");
    }
}

#[test]
fn removed_names_say_what_to_use() {
    for (name, advice) in [
        ("RACKSPACE_UK", "use `rackspace_first_gen` with the region `uk`"),
        ("RACKSPACE_NOVA_BETA", "use `rackspace`"),
        ("RACKSPACE_NOVA_DFW", "use `rackspace` with the region `dfw`"),
        ("RACKSPACE_NOVA_LON", "use `rackspace` with the region `lon`"),
        ("RACKSPACE_NOVA_ORD", "use `rackspace` with the region `ord`"),
    ] {
        assert_eq!(
            refusal(Service::Compute, name).message(),
            format!("the compute provider `{}` has been removed; {advice}", name.to_lowercase())
        );
    }
}

#[test]
fn unknown_names_list_the_near_ones() {
    for (service, name, hint) in [
        (Service::Compute, "lindoe", "did you mean `linode`?"),
        (Service::Compute, "Digital-Ocaen", "did you mean `digitalocean`?"),
        (Service::Compute, "open", "did you mean `openstack` or `opennebula`?"),
        (Service::Dns, "s3", "it is one of storage"),
        (Service::Dns, "EC2_EU_WEST", "it is one of compute"),
        (Service::Storage, "brightbox", "it is one of compute and loadbalancer"),
        (
            Service::LoadBalancer,
            "kubernetes",
            "there are rackspace, gogrid, ninefold, brightbox, elb, cloudstack, gce, alb, dummy",
        ),
        (Service::Dns, "", "there are dummy, linode, rackspace, zerigo, route53, hostvirtual, gandi"),
    ] {
        assert_eq!(refusal(service, name).message(), format!("`{name}` is not a {service} provider; {hint}"));
    }
}

#[test]
fn closed_services_say_what_happened_and_what_to_use() {
    let mut closed = 0;
    for entry in Service::ALL.into_iter().flat_map(entries) {
        let Status::Closed { what, instead } = entry.status else {
            assert!(entry.closed().is_none() && entry.website.is_some(), "{}", entry.id);
            continue;
        };
        closed += 1;
        let error = entry.closed().unwrap();
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert!(error.message().starts_with(what) && !what.ends_with('.'), "{error}");
        assert_eq!(entry.website, None, "{}", entry.id);
        if let Some(id) = instead {
            let target = find(entry.service, id).unwrap().entry;
            assert!(!matches!(target.status, Status::Closed { .. }), "{} leads to {id}", entry.id);
            assert!(error.message().contains(&format!("use `{id}` instead")), "{error}");
        }
    }
    assert!(closed > 0);
    let slicehost = find(Service::Compute, "slicehost").unwrap().entry.closed().unwrap();
    assert_eq!(
        slicehost.message(),
        "Slicehost was merged into Rackspace; use `rackspace` instead, or set `endpoint` to an installation \
         that still runs"
    );
    let elastichosts = find(Service::Compute, "ELASTICHOSTS_UK1").unwrap().entry.closed().unwrap();
    assert!(elastichosts.message().contains("closed on 30 June 2020; there is no successor, or set"));
}

#[test]
fn typed_constants_are_rows_of_their_service() {
    let ec2 = compute::Provider::EC2_EU_WEST;
    assert_eq!(ec2.to_string(), "ec2_eu_west");
    assert_eq!(ec2.resolve().unwrap(), find(Service::Compute, "EC2_EU_WEST").unwrap());
    assert_eq!(compute::Provider::EC2.entry().seed_value, "ec2_us_east");
    assert_ne!(compute::Provider::EC2, compute::Provider::EC2_US_EAST);
    assert_eq!(compute::Provider::RACKSPACE_UK.resolve().unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(storage::Provider::S3.as_ref(), "s3");
    assert_eq!(storage::Provider::SERVICE, Service::Storage);
    assert_eq!(loadbalancer::Provider::ELB.entry().feature, "aws");
    assert_eq!(dns::Provider::ROUTE53.entry().constant, "ROUTE53");
}

#[test]
fn services_are_read_and_written() {
    for service in Service::ALL {
        assert_eq!(service.to_string().parse::<Service>().unwrap(), service);
        let json = serde_json::to_value(service).unwrap();
        assert_eq!(json, service.as_str());
        assert_eq!(serde_json::from_value::<Service>(json).unwrap(), service);
    }
    assert_eq!("lb".parse::<Service>().unwrap(), Service::LoadBalancer);
    assert_eq!(serde_json::from_str::<Service>("\"lb\"").unwrap(), Service::LoadBalancer);
    let error = "mail".parse::<Service>().unwrap_err();
    assert_eq!(
        error.message(),
        "`mail` is not a service; there are compute, storage, loadbalancer (or lb) and dns"
    );
}

#[test]
fn entries_serialise() {
    let old = serde_json::to_value(entry(Service::Compute, "EC2_EU_WEST")).unwrap();
    assert_eq!(
        old,
        serde_json::json!({
            "service": "compute",
            "constant": "EC2_EU_WEST",
            "id": "ec2_eu_west",
            "seed_value": "ec2_eu_west",
            "name": "Amazon EC2",
            "website": "https://aws.amazon.com/ec2/",
            "status": "active",
            "feature": "aws",
            "alias_of": {"id": "ec2", "region": "eu-west-1", "deprecated": true},
            "removed": null,
        })
    );
    let closed = serde_json::to_value(entry(Service::Compute, "SLICEHOST")).unwrap();
    assert_eq!((&closed["status"], &closed["instead"]), (&"closed".into(), &"rackspace".into()));
}
