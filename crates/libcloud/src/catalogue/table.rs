//! The contents of the catalogue: one row a constant of Apache Libcloud, and a few of our own.

use super::{Alias, Entry, Service, Status};

/// Makes a module of each service: its entries, and a constant of each so that the two cannot drift apart.
macro_rules! catalogue {
    ($($module:ident: $service:ident {
        $($constant:ident = $kind:ident($id:literal, $($argument:expr),+);)+
    })+) => {$(
        #[doc = concat!("The providers of `Service::", stringify!($service), "` as constants.")]
        pub mod $module {
            use std::fmt;

            use libcloud_common::Result;

            use crate::catalogue::{Entry, Found, Service};

            mod rows {
                use crate::catalogue::table::*;

                $(pub(super) const $constant: Entry =
                    $kind($id, $($argument),+).row(Service::$service, stringify!($constant));)+
            }

            pub(in crate::catalogue) const ENTRIES: &[Entry] = &[$(rows::$constant),+];

            /// A provider by the constant that stands for it in Apache Libcloud; old names included.
            ///
            /// It can be compared, printed as its id, and [resolved](Self::resolve) to the provider and region.
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct Provider(&'static Entry);

            impl Provider {
                $(
                    #[doc = concat!("`", $id, "`.")]
                    pub const $constant: Self = Self(&rows::$constant);
                )+

                /// The service that these constants are of.
                pub const SERVICE: Service = Service::$service;

                /// The line of the catalogue.
                pub const fn entry(self) -> &'static Entry {
                    self.0
                }

                /// The provider and region that the constant stands for, or what to use where it was removed.
                pub fn resolve(self) -> Result<Found> {
                    self.0.resolve()
                }
            }

            impl AsRef<str> for Provider {
                fn as_ref(&self) -> &str {
                    self.0.id
                }
            }

            impl fmt::Display for Provider {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.pad(self.0.id)
                }
            }
        }
    )+};
}

catalogue! {
    // constant = active     (id, value in Apache Libcloud, feature, name, website);
    // constant = private    (the same);
    // constant = closed     (id, value, feature, name, what happened, what to use instead);
    // constant = region_of  (id, value, entry, region);
    // constant = deprecated (the same);
    // constant = removed    (id, value, entry, what to use);

    compute: Compute {
        DUMMY               = active ("dummy",               "dummy",               "dummy",        "Dummy",                              "https://github.com/libcloud/libcloud");
        EC2                 = active ("ec2",                 "ec2_us_east",         "aws",          "Amazon EC2",                         "https://aws.amazon.com/ec2/");
        RACKSPACE           = active ("rackspace",           "rackspace",           "rackspace",    "Rackspace Cloud",                    "https://www.rackspace.com/");
        SLICEHOST           = closed ("slicehost",           "slicehost",           "slicehost",    "Slicehost",                          "Slicehost was merged into Rackspace", Some("rackspace"));
        GCE                 = active ("gce",                 "gce",                 "google",       "Google Compute Engine",              "https://cloud.google.com/compute");
        GOGRID              = closed ("gogrid",              "gogrid",              "gogrid",       "GoGrid",                             "GoGrid was bought by Datapipe in 2015, which later became part of Rackspace", None);
        VPSNET              = active ("vpsnet",              "vpsnet",              "vpsnet",       "VPS.net",                            "https://www.vps.net/");
        LINODE              = active ("linode",              "linode",              "linode",       "Linode",                             "https://www.linode.com/");
        VCLOUD              = private("vcloud",              "vcloud",              "vcloud",       "VMware Cloud Director",              "https://www.vmware.com/");
        RIMUHOSTING         = active ("rimuhosting",         "rimuhosting",         "rimuhosting",  "RimuHosting",                        "https://rimuhosting.com/");
        VOXEL               = closed ("voxel",               "voxel",               "voxel",        "Voxel VoxCLOUD",                     "Voxel was bought by Internap", None);
        SOFTLAYER           = active ("softlayer",           "softlayer",           "softlayer",    "IBM Cloud classic (SoftLayer)",      "https://www.ibm.com/cloud");
        EUCALYPTUS          = private("eucalyptus",          "eucalyptus",          "aws",          "Eucalyptus",                         "https://eucalyptus.cloud/");
        ECP                 = closed ("ecp",                 "ecp",                 "ecp",          "Enomaly ECP",                        "The platform of Enomaly is gone", None);
        IBM                 = closed ("ibm",                 "ibm",                 "ibm",          "IBM SmartCloud Enterprise",          "IBM SmartCloud Enterprise was moved to SoftLayer in 2014", Some("softlayer"));
        OPENNEBULA          = private("opennebula",          "opennebula",          "opennebula",   "OpenNebula",                         "https://opennebula.io/");
        DREAMHOST           = closed ("dreamhost",           "dreamhost",           "dreamhost",    "DreamHost PS",                       "DreamHost removed the calls for virtual servers in 2015", Some("openstack"));
        ELASTICHOSTS        = closed ("elastichosts",        "elastichosts",        "elasticstack", "ElasticHosts",                       "ElasticHosts closed on 30 June 2020", None);
        BRIGHTBOX           = active ("brightbox",           "brightbox",           "brightbox",    "Brightbox",                          "https://www.brightbox.com/");
        CLOUDSIGMA          = active ("cloudsigma",          "cloudsigma",          "cloudsigma",   "CloudSigma",                         "https://www.cloudsigma.com/");
        NIMBUS              = closed ("nimbus",              "nimbus",              "aws",          "Nimbus",                             "The science clouds of Nimbus have ended", Some("eucalyptus"));
        BLUEBOX             = closed ("bluebox",             "bluebox",             "bluebox",      "Blue Box",                           "Blue Box was bought by IBM in 2015", None);
        GANDI               = active ("gandi",               "gandi",               "gandi",        "Gandi",                              "https://www.gandi.net/");
        OPSOURCE            = private("opsource",            "opsource",            "opsource",     "NTT CloudControl (OpSource)",        "https://services.global.ntt/");
        OPENSTACK           = private("openstack",           "openstack",           "openstack",    "OpenStack",                          "https://www.openstack.org/");
        SKALICLOUD          = closed ("skalicloud",          "skalicloud",          "elasticstack", "skalicloud",                         "skalicloud is gone", None);
        SERVERLOVE          = closed ("serverlove",          "serverlove",          "elasticstack", "serverlove",                         "serverlove is gone", None);
        NINEFOLD            = closed ("ninefold",            "ninefold",            "ninefold",     "Ninefold",                           "Ninefold ended its servers on 30 January 2016", None);
        TERREMARK           = closed ("terremark",           "terremark",           "vcloud",       "Terremark vCloud Express",           "Verizon ended the public cloud of Terremark", Some("vcloud"));
        CLOUDSTACK          = private("cloudstack",          "cloudstack",          "cloudstack",   "Apache CloudStack",                  "https://cloudstack.apache.org/");
        LIBVIRT             = private("libvirt",             "libvirt",             "libvirt",      "libvirt",                            "https://libvirt.org/");
        JOYENT              = private("joyent",              "joyent",              "joyent",       "Triton (Joyent)",                    "https://www.tritondatacenter.com/");
        VCL                 = private("vcl",                 "vcl",                 "vcl",          "Apache VCL",                         "https://vcl.apache.org/");
        KTUCLOUD            = active ("ktucloud",            "ktucloud",            "ktucloud",     "KT ucloud",                          "https://ucloudbiz.olleh.com/");
        GRIDSPOT            = closed ("gridspot",            "gridspot",            "gridspot",     "Gridspot",                           "Gridspot is gone", None);
        RACKSPACE_FIRST_GEN = closed ("rackspace_first_gen", "rackspace_first_gen", "rackspace",    "Rackspace Cloud (first generation)", "Rackspace replaced its first generation by the next one", Some("rackspace"));
        HOSTVIRTUAL         = active ("hostvirtual",         "hostvirtual",         "hostvirtual",  "NetActuate (HostVirtual)",           "https://www.netactuate.com/");
        ABIQUO              = private("abiquo",              "abiquo",              "abiquo",       "Abiquo",                             "https://www.abiquo.com/");
        DIGITAL_OCEAN       = active ("digitalocean",        "digitalocean",        "digitalocean", "DigitalOcean",                       "https://www.digitalocean.com/");
        NEPHOSCALE          = closed ("nephoscale",          "nephoscale",          "nephoscale",   "NephoScale",                         "NephoScale is gone", None);
        CLOUDFRAMES         = closed ("cloudframes",         "cloudframes",         "cloudframes",  "CloudFrames",                        "CloudFrames has not been supported since 2016", None);

        CLOUDSIGMA_US       = region_of ("cloudsigma_us",       "cloudsigma_us",       CLOUDSIGMA,          "lvs");
        EC2_US_EAST         = deprecated("ec2_us_east",         "ec2_us_east",         EC2,                 "us-east-1");
        EC2_EU              = deprecated("ec2_eu",              "ec2_eu_west",         EC2,                 "eu-west-1");
        EC2_EU_WEST         = deprecated("ec2_eu_west",         "ec2_eu_west",         EC2,                 "eu-west-1");
        EC2_US_WEST         = deprecated("ec2_us_west",         "ec2_us_west",         EC2,                 "us-west-1");
        EC2_AP_SOUTHEAST    = deprecated("ec2_ap_southeast",    "ec2_ap_southeast",    EC2,                 "ap-southeast-1");
        EC2_AP_NORTHEAST    = deprecated("ec2_ap_northeast",    "ec2_ap_northeast",    EC2,                 "ap-northeast-1");
        EC2_US_WEST_OREGON  = deprecated("ec2_us_west_oregon",  "ec2_us_west_oregon",  EC2,                 "us-west-2");
        EC2_SA_EAST         = deprecated("ec2_sa_east",         "ec2_sa_east",         EC2,                 "sa-east-1");
        EC2_AP_SOUTHEAST2   = deprecated("ec2_ap_southeast_2",  "ec2_ap_southeast_2",  EC2,                 "ap-southeast-2");
        ELASTICHOSTS_UK1    = deprecated("elastichosts_uk1",    "elastichosts_uk1",    ELASTICHOSTS,        "lon-p");
        ELASTICHOSTS_UK2    = deprecated("elastichosts_uk2",    "elastichosts_uk2",    ELASTICHOSTS,        "lon-b");
        ELASTICHOSTS_US1    = deprecated("elastichosts_us1",    "elastichosts_us1",    ELASTICHOSTS,        "sat-p");
        ELASTICHOSTS_US2    = deprecated("elastichosts_us2",    "elastichosts_us2",    ELASTICHOSTS,        "lax-p");
        ELASTICHOSTS_US3    = deprecated("elastichosts_us3",    "elastichosts_us3",    ELASTICHOSTS,        "sjc-c");
        ELASTICHOSTS_CA1    = deprecated("elastichosts_ca1",    "elastichosts_ca1",    ELASTICHOSTS,        "tor-p");
        ELASTICHOSTS_AU1    = deprecated("elastichosts_au1",    "elastichosts_au1",    ELASTICHOSTS,        "syd-y");
        ELASTICHOSTS_CN1    = deprecated("elastichosts_cn1",    "elastichosts_cn1",    ELASTICHOSTS,        "cn-1");
        RACKSPACE_UK        = removed   ("rackspace_uk",        "rackspace_uk",        RACKSPACE_FIRST_GEN, "use `rackspace_first_gen` with the region `uk`");
        RACKSPACE_NOVA_BETA = removed   ("rackspace_nova_beta", "rackspace_nova_beta", RACKSPACE,           "use `rackspace`");
        RACKSPACE_NOVA_DFW  = removed   ("rackspace_nova_dfw",  "rackspace_nova_dfw",  RACKSPACE,           "use `rackspace` with the region `dfw`");
        RACKSPACE_NOVA_LON  = removed   ("rackspace_nova_lon",  "rackspace_nova_lon",  RACKSPACE,           "use `rackspace` with the region `lon`");
        RACKSPACE_NOVA_ORD  = removed   ("rackspace_nova_ord",  "rackspace_nova_ord",  RACKSPACE,           "use `rackspace` with the region `ord`");
    }

    storage: Storage {
        DUMMY            = active ("dummy",            "dummy",            "dummy",     "Dummy",                  "https://github.com/libcloud/libcloud");
        S3               = active ("s3",               "s3",               "aws",       "Amazon S3",              "https://aws.amazon.com/s3/");
        NINEFOLD         = closed ("ninefold",         "ninefold",         "ninefold",  "Ninefold",               "Ninefold ended its storage in 2014", None);
        GOOGLE_STORAGE   = active ("google_storage",   "google_storage",   "google",    "Google Cloud Storage",   "https://cloud.google.com/storage");
        CLOUDFILES_SWIFT = private("cloudfiles_swift", "cloudfiles_swift", "openstack", "OpenStack Swift",        "https://docs.openstack.org/swift/latest/");
        NIMBUS           = closed ("nimbus",           "nimbus",           "nimbus_io", "Nimbus.io",              "Nimbus.io is gone", None);
        LOCAL            = active ("local",            "local",            "local",     "Folder on this machine", "https://github.com/libcloud/libcloud");
        CLOUDFILES       = active ("cloudfiles",       "cloudfiles",       "rackspace", "Rackspace Cloud Files",  "https://www.rackspace.com/");
        AZURE_BLOBS      = active ("azure_blobs",      "azure_blobs",      "azure",     "Azure Blob Storage",     "https://azure.microsoft.com/products/storage/blobs");
        KTUCLOUD         = active ("ktucloud",         "ktucloud",         "ktucloud",  "KT ucloud storage",      "https://ucloudbiz.olleh.com/");
        // Apache Libcloud has both today.
        DIGITALOCEAN_SPACES = active("digitalocean_spaces", "digitalocean_spaces", "aws", "DigitalOcean Spaces",  "https://www.digitalocean.com/products/object-storage/");
        MINIO            = private("minio",            "minio",            "aws",       "MinIO",                  "https://min.io/");
        // Apache Libcloud has a driver for Atmos, but no constant.
        ATMOS            = private("atmos",            "atmos",            "atmos",     "EMC Atmos, Dell ECS",    "https://www.dell.com/");

        S3_US_WEST        = region_of ("s3_us_west",        "s3_us_west",        S3,         "us-west-1");
        S3_EU_WEST        = region_of ("s3_eu_west",        "s3_eu_west",        S3,         "eu-west-1");
        S3_AP_SOUTHEAST   = region_of ("s3_ap_southeast",   "s3_ap_southeast",   S3,         "ap-southeast-1");
        S3_AP_NORTHEAST   = region_of ("s3_ap_northeast",   "s3_ap_northeast",   S3,         "ap-northeast-1");
        S3_US_WEST_OREGON = region_of ("s3_us_west_oregon", "s3_us_west_oregon", S3,         "us-west-2");
        // Those that Apache Libcloud 3.9 has besides.
        S3_AP_NORTHEAST1  = region_of ("s3_ap_northeast_1", "s3_ap_northeast_1", S3,         "ap-northeast-1");
        S3_AP_NORTHEAST2  = region_of ("s3_ap_northeast_2", "s3_ap_northeast_2", S3,         "ap-northeast-2");
        S3_AP_SOUTH       = region_of ("s3_ap_south",       "s3_ap_south",       S3,         "ap-south-1");
        S3_AP_SOUTHEAST2  = region_of ("s3_ap_southeast2",  "s3_ap_southeast2",  S3,         "ap-southeast-2");
        S3_CA_CENTRAL     = region_of ("s3_ca_central",     "s3_ca_central",     S3,         "ca-central-1");
        S3_CN_NORTH       = region_of ("s3_cn_north",       "s3_cn_north",       S3,         "cn-north-1");
        S3_CN_NORTHWEST   = region_of ("s3_cn_northwest",   "s3_cn_northwest",   S3,         "cn-northwest-1");
        S3_EU_CENTRAL     = region_of ("s3_eu_central",     "s3_eu_central",     S3,         "eu-central-1");
        S3_EU_NORTH1      = region_of ("s3_eu_north_1",     "s3_eu_north_1",     S3,         "eu-north-1");
        S3_EU_WEST2       = region_of ("s3_eu_west_2",      "s3_eu_west_2",      S3,         "eu-west-2");
        S3_SA_EAST        = region_of ("s3_sa_east",        "s3_sa_east",        S3,         "sa-east-1");
        S3_US_EAST2       = region_of ("s3_us_east_2",      "s3_us_east_2",      S3,         "us-east-2");
        S3_US_GOV_EAST    = region_of ("s3_us_gov_east",    "s3_us_gov_east",    S3,         "us-gov-east-1");
        S3_US_GOV_WEST    = region_of ("s3_us_gov_west",    "s3_us_gov_west",    S3,         "us-gov-west-1");
        CLOUDFILES_US     = deprecated("cloudfiles_us",     "cloudfiles_us",     CLOUDFILES, "ord");
        CLOUDFILES_UK     = deprecated("cloudfiles_uk",     "cloudfiles_uk",     CLOUDFILES, "lon");
    }

    loadbalancer: LoadBalancer {
        RACKSPACE  = active ("rackspace",  "rackspace",  "rackspace",  "Rackspace Cloud Load Balancers", "https://www.rackspace.com/");
        GOGRID     = closed ("gogrid",     "gogrid",     "gogrid",     "GoGrid",                         "GoGrid was bought by Datapipe in 2015, which later became part of Rackspace", None);
        NINEFOLD   = closed ("ninefold",   "ninefold",   "ninefold",   "Ninefold",                       "Ninefold ended its servers on 30 January 2016", None);
        BRIGHTBOX  = active ("brightbox",  "brightbox",  "brightbox",  "Brightbox",                      "https://www.brightbox.com/");
        ELB        = active ("elb",        "elb",        "aws",        "Elastic Load Balancing",         "https://aws.amazon.com/elasticloadbalancing/");
        CLOUDSTACK = private("cloudstack", "cloudstack", "cloudstack", "Apache CloudStack",              "https://cloudstack.apache.org/");
        GCE        = active ("gce",        "gce",        "google",     "Google Compute Engine",          "https://cloud.google.com/load-balancing");
        // Apache Libcloud has it since 2.0.
        ALB        = active ("alb",        "alb",        "aws",        "Elastic Load Balancing, application and network", "https://aws.amazon.com/elasticloadbalancing/");
        // Apache Libcloud has no load balancer to try things out with.
        DUMMY      = active ("dummy",      "dummy",      "dummy",      "Dummy",                          "https://github.com/libcloud/libcloud");

        RACKSPACE_US = deprecated("rackspace_us", "rackspace_us", RACKSPACE, "ord");
        RACKSPACE_UK = deprecated("rackspace_uk", "rackspace_uk", RACKSPACE, "lon");
    }

    dns: Dns {
        DUMMY       = active("dummy",       "dummy",       "dummy",       "Dummy",                    "https://github.com/libcloud/libcloud");
        LINODE      = active("linode",      "linode",      "linode",      "Linode",                   "https://www.linode.com/");
        RACKSPACE   = active("rackspace",   "rackspace",   "rackspace",   "Rackspace Cloud DNS",      "https://www.rackspace.com/");
        ZERIGO      = closed("zerigo",      "zerigo",      "zerigo",      "Zerigo",                   "Zerigo moved its customers to Akamai from January 2014", None);
        ROUTE53     = active("route53",     "route53",     "aws",         "Amazon Route 53",          "https://aws.amazon.com/route53/");
        HOSTVIRTUAL = active("hostvirtual", "hostvirtual", "hostvirtual", "NetActuate (HostVirtual)", "https://www.netactuate.com/");
        GANDI       = active("gandi",       "gandi",       "gandi",       "Gandi LiveDNS",            "https://www.gandi.net/");

        RACKSPACE_US = deprecated("rackspace_us", "rackspace_us", RACKSPACE, "us");
        RACKSPACE_UK = deprecated("rackspace_uk", "rackspace_uk", RACKSPACE, "uk");
    }
}

const fn own(
    id: &'static str,
    seed_value: &'static str,
    feature: &'static str,
    name: &'static str,
    website: Option<&'static str>,
    status: Status,
) -> Entry {
    // `row` puts service and constant in.
    let (service, constant) = (Service::Compute, "");
    Entry { service, constant, id, seed_value, name, website, status, feature, alias_of: None, removed: None }
}

const fn active(
    id: &'static str,
    seed_value: &'static str,
    feature: &'static str,
    name: &'static str,
    website: &'static str,
) -> Entry {
    own(id, seed_value, feature, name, Some(website), Status::Active)
}

const fn private(
    id: &'static str,
    seed_value: &'static str,
    feature: &'static str,
    name: &'static str,
    website: &'static str,
) -> Entry {
    own(id, seed_value, feature, name, Some(website), Status::Private)
}

const fn closed(
    id: &'static str,
    seed_value: &'static str,
    feature: &'static str,
    name: &'static str,
    what: &'static str,
    instead: Option<&'static str>,
) -> Entry {
    own(id, seed_value, feature, name, None, Status::Closed { what, instead })
}

const fn region_of(id: &'static str, seed_value: &'static str, of: Entry, region: &'static str) -> Entry {
    let alias_of = Some(Alias { id: of.id, region, deprecated: false });
    Entry { id, seed_value, alias_of, ..of }
}

const fn deprecated(id: &'static str, seed_value: &'static str, of: Entry, region: &'static str) -> Entry {
    let alias_of = Some(Alias { id: of.id, region, deprecated: true });
    Entry { id, seed_value, alias_of, ..of }
}

const fn removed(id: &'static str, seed_value: &'static str, of: Entry, advice: &'static str) -> Entry {
    Entry { id, seed_value, removed: Some(advice), ..of }
}

impl Entry {
    const fn row(self, service: Service, constant: &'static str) -> Self {
        Self { service, constant, ..self }
    }
}
