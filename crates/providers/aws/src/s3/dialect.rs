//! What services that speak S3's protocol do differently, as data.

use libcloud_common::{Config, Error, Result, Url, text};

use crate::signer::SignatureVersion;

/// What a service that speaks S3's protocol does in its own way. Everything else is as Amazon documents it.
///
/// A dialect of one's own begins with one of those here, so that fields can be added:
///
/// ```
/// use libcloud_aws::s3::{ListVersion, S3Dialect};
///
/// static ATTIC: S3Dialect =
///     S3Dialect { name: "attic", listing: ListVersion::V1, ..S3Dialect::COMPATIBLE };
/// assert!(ATTIC.bulk_delete);
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct S3Dialect {
    /// What it is called, as the option `dialect` names it.
    pub name: &'static str,
    /// Where the service is.
    pub hosts: Hosts,
    /// Its regions.
    pub regions: Regions,
    /// Whether a container whose name allows it is addressed by a host of its own, and not by a path.
    pub virtual_host: bool,
    /// How requests are signed, unless the option `signature_version` says otherwise.
    pub signature: S3Signature,
    /// How objects are listed.
    pub listing: ListVersion,
    /// Which checksums beside MD5 it keeps and tells.
    pub checksums: Checksums,
    /// How large the pieces of an object may be.
    pub parts: PartLimits,
    /// Whether many objects can be deleted by one call.
    pub bulk_delete: bool,
    /// Whether a listing of uploads in parts says so where its names are encoded. Ceph encodes them and says nothing.
    pub encoded_uploads: bool,
    /// Whether the names of new containers follow Amazon's rules, so that others are refused before anything is sent.
    pub checked_names: bool,
}

/// Where a service is.
#[derive(Clone, Copy, Debug)]
pub enum Hosts {
    /// At the host that this gives for a region, unless the configuration names another.
    ByRegion(fn(&str) -> String),
    /// Every installation has an address of its own, which the configuration must name.
    Private,
}

/// The regions of a service.
#[derive(Clone, Copy, Debug)]
pub struct Regions {
    /// The one that is meant where none is named.
    pub usual: &'static str,
    /// Those that were known when this was written.
    pub known: &'static [&'static str],
    /// What their names look like. Newer ones than the known look the same.
    pub form: RegionForm,
    /// Whether a container is made in the driver's region by saying so (`LocationConstraint`), but for the usual one.
    pub constraint: bool,
}

/// What the names of regions look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionForm {
    /// Lower-case letters, digits and hyphens: `us-east-1`.
    Any,
    /// Three letters and a number: `nyc3`.
    City,
}

/// How requests are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum S3Signature {
    /// By SHA-1, over part of the request: old installations.
    V2,
    /// By SHA-256, over the whole request and for one region.
    V4,
}

/// How objects are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListVersion {
    /// The first version, whose next page begins after the last name of this one.
    V1,
    /// The second, whose next page has a token.
    V2,
}

/// Which checksums beside MD5 a service keeps and tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksums {
    /// CRC-64/NVME, which can be told of a whole object that came in parts.
    pub crc64nvme: bool,
    /// Whether it compares the CRC-64/NVME of the whole with an object that came in parts, if the one who sent them tells it
    /// in the end.
    pub whole: bool,
    /// CRC-32C, and SHA-256 with it.
    pub crc32c: bool,
}

/// How large the pieces of an object may be, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartLimits {
    /// The smallest part but the last.
    pub smallest: u64,
    /// The largest part.
    pub largest: u64,
    /// The most parts of one object.
    pub most: u32,
    /// The most that one request without parts may carry.
    pub single: u64,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const PARTS: PartLimits = PartLimits { smallest: 5 * MIB, largest: 5 * GIB, most: 10_000, single: 5 * GIB };

/// <https://docs.aws.amazon.com/general/latest/gr/s3.html>
const AMAZONS_REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// <https://docs.digitalocean.com/products/spaces/details/availability/>
const SPACES_REGIONS: &[&str] =
    &["ams3", "atl1", "blr1", "fra1", "lon1", "nyc3", "sfo2", "sfo3", "sgp1", "syd1", "tor1"];

impl S3Dialect {
    /// Amazon S3 itself: <https://docs.aws.amazon.com/AmazonS3/latest/API/>
    pub const AMAZON: Self = Self {
        name: "amazon",
        hosts: Hosts::ByRegion(amazons_host),
        regions: Regions {
            usual: "us-east-1",
            known: AMAZONS_REGIONS,
            form: RegionForm::Any,
            constraint: true,
        },
        virtual_host: true,
        signature: S3Signature::V4,
        listing: ListVersion::V2,
        checksums: Checksums { crc64nvme: true, whole: true, crc32c: true },
        parts: PARTS,
        bulk_delete: true,
        encoded_uploads: true,
        checked_names: true,
    };

    /// Any other service of today, of which nothing more is known: Ceph, Swift and the like.
    pub const COMPATIBLE: Self = Self {
        name: "compatible",
        hosts: Hosts::Private,
        regions: Regions { known: &[], ..Self::AMAZON.regions },
        virtual_host: false,
        checksums: Checksums { crc64nvme: false, whole: false, crc32c: false },
        encoded_uploads: false,
        checked_names: false,
        ..Self::AMAZON
    };

    /// A service as Amazon's was until 2012.
    pub const OLD: Self = Self {
        name: "old",
        signature: S3Signature::V2,
        listing: ListVersion::V1,
        bulk_delete: false,
        ..Self::COMPATIBLE
    };

    /// DigitalOcean Spaces: <https://docs.digitalocean.com/products/spaces/reference/s3-compatibility/>
    pub const SPACES: Self = Self {
        name: "spaces",
        hosts: Hosts::ByRegion(spaces_host),
        regions: Regions {
            usual: "nyc3",
            known: SPACES_REGIONS,
            form: RegionForm::City,
            // The host says it.
            constraint: false,
        },
        virtual_host: true,
        ..Self::COMPATIBLE
    };

    /// MinIO: <https://docs.min.io/community/minio-object-store/operations/concepts/thresholds.html>
    pub const MINIO: Self = Self {
        name: "minio",
        checksums: Checksums { crc64nvme: true, whole: false, crc32c: true },
        parts: PartLimits { single: 5 << 40, ..PARTS },
        ..Self::COMPATIBLE
    };

    /// The dialect that a configuration of the driver `s3` means: the one that it names, the one of a host that is known,
    /// or what most servers speak.
    pub(crate) fn chosen(config: &Config, named: Option<&str>) -> Result<&'static Self> {
        if let Some(named) = named {
            return NAMED.iter().find(|dialect| dialect.name == named).copied().ok_or_else(|| {
                let known: Vec<_> = NAMED.iter().map(|dialect| dialect.name).collect();
                let meant = text::near(named, &known).map(|near| format!("; did you mean `{near}`?"));
                Error::invalid_argument(format!(
                    "`dialect`: there is no dialect `{named}`{}, only `{}`",
                    meant.unwrap_or_default(),
                    known.join("`, `")
                ))
                .with_resource("option", "dialect")
            });
        }
        let host = match (&config.endpoint, &config.host) {
            (Some(endpoint), _) => endpoint.host_str().unwrap_or_default(),
            (None, Some(host)) => host,
            (None, None) => return Ok(&Self::AMAZON),
        };
        let within = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        let known = DOMAINS.iter().find(|(domain, _)| within(domain));
        Ok(known.map_or(&Self::COMPATIBLE, |(_, dialect)| dialect))
    }

    /// Whether this is a host of the service itself.
    pub(crate) fn is_own(&self, base: &Url, region: &str) -> bool {
        let Hosts::ByRegion(host) = self.hosts else { return false };
        let usual = host(region);
        let domain = usual.split_once(region).map_or(usual.as_str(), |(_, domain)| domain);
        base.domain().is_some_and(|host| host.ends_with(domain))
    }

    /// Checks a region's name: it becomes part of a host, and of what is signed.
    pub(crate) fn region(&self, name: &str) -> Result<String> {
        let form = self.regions.form;
        if form.fits(name) {
            return Ok(name.to_owned());
        }
        let known = text::near(name, self.regions.known).map(|near| format!("; did you mean `{near}`?"));
        Err(Error::invalid_argument(format!(
            "`{name}` is not the name of a region: those have {}, as in `{}`{}",
            form.words(),
            self.regions.usual,
            known.unwrap_or_default()
        ))
        .with_resource("option", "region"))
    }
}

/// The dialects that a configuration can name.
const NAMED: [&S3Dialect; 5] =
    [&S3Dialect::AMAZON, &S3Dialect::COMPATIBLE, &S3Dialect::OLD, &S3Dialect::SPACES, &S3Dialect::MINIO];

/// The services that are known by their hosts.
const DOMAINS: [(&str, &S3Dialect); 3] = [
    ("amazonaws.com", &S3Dialect::AMAZON),
    ("amazonaws.com.cn", &S3Dialect::AMAZON),
    ("digitaloceanspaces.com", &S3Dialect::SPACES),
];

impl RegionForm {
    pub(crate) fn fits(self, name: &str) -> bool {
        match self {
            Self::Any => {
                let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                !name.is_empty() && name.chars().all(allowed)
            }
            Self::City => match name.split_at_checked(3) {
                Some((city, number)) => {
                    city.chars().all(|c| c.is_ascii_lowercase())
                        && !number.is_empty()
                        && number.chars().all(|c| c.is_ascii_digit())
                }
                None => false,
            },
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Any => "lower-case letters, digits and hyphens",
            Self::City => "three letters and a number",
        }
    }
}

impl From<S3Signature> for SignatureVersion {
    fn from(signature: S3Signature) -> Self {
        match signature {
            S3Signature::V2 => Self::V2,
            S3Signature::V4 => Self::V4,
        }
    }
}

fn amazons_host(region: &str) -> String {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("s3.{region}.{domain}")
}

fn spaces_host(region: &str) -> String {
    format!("{region}.digitaloceanspaces.com")
}

#[cfg(test)]
mod tests {
    use libcloud_common::ErrorKind;

    use super::*;

    fn chosen(endpoint: &str) -> &'static str {
        let config = Config::default().endpoint(endpoint.parse().unwrap());
        S3Dialect::chosen(&config, None).unwrap().name
    }

    #[test]
    fn the_endpoint_chooses() {
        for (endpoint, name) in [
            ("https://s3.dualstack.eu-west-1.amazonaws.com", "amazon"),
            ("https://s3.cn-north-1.amazonaws.com.cn", "amazon"),
            ("https://ams3.digitaloceanspaces.com", "spaces"),
            ("http://127.0.0.1:9000", "compatible"),
            // Whoever has such a name is somebody else.
            ("https://s3.notamazonaws.com", "compatible"),
            ("https://amazonaws.com.evil.example", "compatible"),
        ] {
            assert_eq!(chosen(endpoint), name, "{endpoint}");
        }
        let mut host = Config::default();
        host.host = Some("nyc3.digitaloceanspaces.com".into());
        assert_eq!(S3Dialect::chosen(&host, None).unwrap().name, "spaces");
        assert_eq!(S3Dialect::chosen(&Config::default(), None).unwrap().name, "amazon");
    }

    #[test]
    fn an_option_chooses_before_the_endpoint() {
        let config = Config::default().endpoint("http://127.0.0.1:9000".parse().unwrap());
        for dialect in NAMED {
            assert_eq!(S3Dialect::chosen(&config, Some(dialect.name)).unwrap().name, dialect.name);
        }
        let error = S3Dialect::chosen(&config, Some("mino")).unwrap_err();
        assert_eq!(error.resource(), Some(("option", "dialect")));
        assert!(error.to_string().contains("did you mean `minio`?"), "{error}");
    }

    /// All that is said in the table, said once more.
    #[test]
    fn the_table() {
        use ListVersion as List;
        use S3Signature as Sign;

        let of = |dialect: &S3Dialect| {
            let Checksums { crc64nvme, whole, crc32c } = dialect.checksums;
            (
                (dialect.virtual_host, dialect.signature, dialect.listing),
                (crc64nvme, whole, crc32c, dialect.bulk_delete, dialect.checked_names),
                (dialect.regions.usual, dialect.regions.constraint, dialect.parts.single >> 30),
            )
        };
        for (dialect, expected) in [
            (
                S3Dialect::AMAZON,
                ((true, Sign::V4, List::V2), (true, true, true, true, true), ("us-east-1", true, 5)),
            ),
            (
                S3Dialect::COMPATIBLE,
                ((false, Sign::V4, List::V2), (false, false, false, true, false), ("us-east-1", true, 5)),
            ),
            (
                S3Dialect::OLD,
                ((false, Sign::V2, List::V1), (false, false, false, false, false), ("us-east-1", true, 5)),
            ),
            (
                S3Dialect::SPACES,
                ((true, Sign::V4, List::V2), (false, false, false, true, false), ("nyc3", false, 5)),
            ),
            (
                S3Dialect::MINIO,
                ((false, Sign::V4, List::V2), (true, false, true, true, false), ("us-east-1", true, 5120)),
            ),
        ] {
            assert_eq!(of(&dialect), expected, "{}", dialect.name);
            let PartLimits { smallest, largest, most, .. } = dialect.parts;
            assert_eq!((smallest, largest, most), (5 << 20, 5 << 30, 10_000), "{}", dialect.name);
        }
    }

    #[test]
    fn hosts_are_named_after_regions() {
        let host = |dialect: &S3Dialect, region: &str| match dialect.hosts {
            Hosts::ByRegion(host) => host(region),
            Hosts::Private => String::new(),
        };
        assert_eq!(host(&S3Dialect::AMAZON, "us-east-1"), "s3.us-east-1.amazonaws.com");
        assert_eq!(host(&S3Dialect::AMAZON, "cn-north-1"), "s3.cn-north-1.amazonaws.com.cn");
        assert_eq!(host(&S3Dialect::SPACES, "sgp1"), "sgp1.digitaloceanspaces.com");
        assert_eq!(host(&S3Dialect::MINIO, "us-east-1"), "");
    }

    #[test]
    fn regions_have_a_form() {
        for dialect in NAMED {
            assert_eq!(dialect.encoded_uploads, dialect.name == "amazon");
            for region in dialect.regions.known.iter().chain([&dialect.regions.usual]) {
                assert_eq!(dialect.region(region).unwrap(), *region);
            }
        }
        // One that is not there yet.
        assert!(S3Dialect::SPACES.region("ric1").is_ok());
        for (dialect, region, text) in [
            (S3Dialect::SPACES, "atlantis", "three letters and a number, as in `nyc3`"),
            (S3Dialect::SPACES, "nyc", "did you mean `nyc3`?"),
            (S3Dialect::SPACES, "é", "is not the name of a region"),
            (S3Dialect::AMAZON, "evil.example/", "lower-case letters, digits and hyphens"),
            (S3Dialect::AMAZON, "", "is not the name of a region"),
        ] {
            let error = dialect.region(region).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
