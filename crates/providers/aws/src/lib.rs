//! Amazon Web Services.
//!
//! | Driver | Service | API | Reference |
//! |---|---|---|---|
//! | [`ec2()`] | compute | EC2 query API, version `2016-11-15` | <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/> |
//! | [`alb()`] | load balancers | Elastic Load Balancing query API, version `2015-12-01`: application and network balancers | <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/> |
//! | [`elb()`] | load balancers | Elastic Load Balancing query API, version `2012-06-01`: classic balancers | <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/> |
//! | [`route53()`] | DNS | Route 53 REST API, version `2013-04-01` | <https://docs.aws.amazon.com/Route53/latest/APIReference/> |
//! | [`s3()`] | storage | S3 REST API, version `2006-03-01` | <https://docs.aws.amazon.com/AmazonS3/latest/API/> |
//! | [`digitalocean_spaces()`] | storage | the same API, at DigitalOcean | <https://docs.digitalocean.com/products/spaces/reference/s3-compatibility/> |
//! | [`minio()`] | storage | the same API, at a MinIO server | <https://docs.min.io/> |
//!
//! # Authentication
//!
//! Key and secret are an access key of AWS (`AKIA…`); without them the environment is asked for `AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`. Requests are signed with
//! [Signature Version 4](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html).
//!
//! # Configuration
//!
//! - `region`: any region by its name, `us-east-1` without. One driver talks to one region.
//! - `api_version`: another version of the query API, for private installations.
//! - `endpoint`: a private installation, or another service that speaks the same protocol.
//! - options: see [`Ec2Options`], [`AlbOptions`], [`ElbOptions`], [`Route53Options`] and [`S3Options`].
//!
//! ```
//! use libcloud_aws::Ec2Driver;
//! use libcloud_common::Config;
//!
//! let ec2 = Ec2Driver::new(Config::new("AKIAIOSFODNN7EXAMPLE", "secret").region("eu-west-1"))?;
//! assert_eq!(ec2.region(), "eu-west-1");
//! # Ok::<(), libcloud_common::Error>(())
//! ```

use std::sync::Arc;

use libcloud_common::{Arguments, Registration};
use libcloud_compute::ComputeDriver;
use libcloud_dns::DnsDriver;
use libcloud_loadbalancer::LoadBalancerDriver;
use libcloud_storage::StorageDriver;

mod connection;
mod credentials;
pub mod ec2;
pub mod elb;
pub mod elbv2;
pub mod route53;
pub mod s3;
mod signer;
mod sts;

pub use ec2::{Ec2Driver, Ec2Options};
pub use elb::{ElbDriver, ElbOptions};
pub use elbv2::{AlbDriver, AlbOptions};
pub use route53::{Route53Driver, Route53Options};
pub use s3::{S3Driver, S3Options};

/// Amazon EC2, for a registry.
pub fn ec2() -> Registration<dyn ComputeDriver> {
    Registration::new(ec2::DESCRIPTOR, ec2::capabilities, |config| {
        Ok(Arc::new(Ec2Driver::new(config)?) as Arc<dyn ComputeDriver>)
    })
    .options(Ec2Options::FIELDS)
    .credentials(ec2::find_credentials)
}

/// Eucalyptus, for a registry.
pub fn eucalyptus() -> Registration<dyn ComputeDriver> {
    Registration::new(ec2::dialect::EUCALYPTUS.descriptor, ec2::eucalyptus_capabilities, |config| {
        Ok(Arc::new(Ec2Driver::eucalyptus(config)?) as Arc<dyn ComputeDriver>)
    })
    .options(Ec2Options::FIELDS)
    .credentials(ec2::find_credentials)
}

/// Nimbus, for a registry.
pub fn nimbus() -> Registration<dyn ComputeDriver> {
    Registration::new(ec2::dialect::NIMBUS.descriptor, ec2::nimbus_capabilities, |config| {
        Ok(Arc::new(Ec2Driver::nimbus(config)?) as Arc<dyn ComputeDriver>)
    })
    .options(Ec2Options::FIELDS)
    .credentials(ec2::find_credentials)
}

/// Amazon S3, for a registry.
pub fn s3() -> Registration<dyn StorageDriver> {
    Registration::new(s3::DESCRIPTOR, s3::capabilities, |config| {
        Ok(Arc::new(S3Driver::new(config)?) as Arc<dyn StorageDriver>)
    })
    .options(S3Options::FIELDS)
    .credentials(s3::find_credentials)
}

/// DigitalOcean Spaces, for a registry.
pub fn digitalocean_spaces() -> Registration<dyn StorageDriver> {
    Registration::new(s3::SPACES, s3::spaces_capabilities, |config| {
        Ok(Arc::new(S3Driver::digitalocean_spaces(config)?) as Arc<dyn StorageDriver>)
    })
    .options(S3Options::FIELDS)
    .credentials(s3::find_own_credentials)
}

/// MinIO, for a registry.
pub fn minio() -> Registration<dyn StorageDriver> {
    Registration::new(s3::MINIO, s3::minio_capabilities, |config| {
        Ok(Arc::new(S3Driver::minio(config)?) as Arc<dyn StorageDriver>)
    })
    .options(S3Options::FIELDS)
    .credentials(s3::find_own_credentials)
}

/// Amazon Route 53, for a registry.
pub fn route53() -> Registration<dyn DnsDriver> {
    Registration::new(route53::DESCRIPTOR, route53::capabilities, |config| {
        Ok(Arc::new(Route53Driver::new(config)?) as Arc<dyn DnsDriver>)
    })
    .options(Route53Options::FIELDS)
    .credentials(route53::find_credentials)
}

/// Elastic Load Balancing's classic balancers, for a registry.
pub fn elb() -> Registration<dyn LoadBalancerDriver> {
    Registration::new(elb::DESCRIPTOR, elb::capabilities, |config| {
        Ok(Arc::new(ElbDriver::new(config)?) as Arc<dyn LoadBalancerDriver>)
    })
    .options(ElbOptions::FIELDS)
    .credentials(elb::find_credentials)
}

/// Elastic Load Balancing's application and network balancers, for a registry.
pub fn alb() -> Registration<dyn LoadBalancerDriver> {
    Registration::new(elbv2::DESCRIPTOR, elbv2::capabilities, |config| {
        Ok(Arc::new(AlbDriver::new(config)?) as Arc<dyn LoadBalancerDriver>)
    })
    .options(AlbOptions::FIELDS)
    .credentials(elbv2::find_credentials)
}
