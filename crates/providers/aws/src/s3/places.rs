//! Where containers are: the driver's region, unless S3 has told another one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http::HeaderMap;
use libcloud_common::{Authenticate, Error, ErrorKind, Request, Result, Target, Url};

use super::dialect::{Hosts, RegionForm, S3Dialect};
use super::names;
use crate::signer::Signer;

/// How many containers of other regions are remembered.
const MOST: usize = 1000;

/// A region: its host, and who signs for it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) region: String,
    pub(super) base: Url,
    pub(super) signer: Signer,
}

/// Where containers are. Shared by all clones of a driver.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) home: Place,
    /// Gives the host of a region; nothing where the configuration names one host for all.
    host: Option<fn(&str) -> String>,
    form: RegionForm,
    /// Whether a container whose name can be part of a host is one.
    virtual_host: bool,
    /// The containers that are elsewhere.
    learned: Mutex<BTreeMap<String, Place>>,
}

impl Places {
    /// `fixed` is whether the configuration names the host.
    pub(super) fn new(home: Place, dialect: &S3Dialect, fixed: bool, virtual_host: bool) -> Self {
        let host = match dialect.hosts {
            Hosts::ByRegion(host) if !fixed => Some(host),
            _ => None,
        };
        Self { home, host, form: dialect.regions.form, virtual_host, learned: Mutex::default() }
    }

    /// Whether this container is a host of its own.
    pub(super) fn is_host(&self, container: &str) -> bool {
        self.virtual_host && names::is_label(container)
    }

    /// Where this container is.
    pub(super) fn of(&self, container: &str) -> Place {
        self.learned(container).unwrap_or_else(|| self.home.clone())
    }

    /// The URL of a place, for this container.
    pub(super) fn base(&self, place: &Place, container: &str) -> Result<Url> {
        let mut base = place.base.clone();
        if self.is_host(container) {
            let host = format!("{container}.{}", base.host_str().unwrap_or_default());
            base.set_host(Some(&host)).map_err(|error| {
                Error::new(ErrorKind::InvalidName, format!("container name `{container}`: {error}"))
            })?;
        }
        Ok(base)
    }

    fn learned(&self, container: &str) -> Option<Place> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner).get(container).cloned()
    }

    /// Remembers that this container is in another region. Returns whether it can be reached there: only at a host of the
    /// same domain, whatever the answer says, and only if that is news.
    fn learn(&self, container: &str, region: &str) -> Result<bool> {
        if !self.form.fits(region) || self.of(container).region == region {
            return Ok(false);
        }
        let mut base = self.home.base.clone();
        if let Some(host) = self.host {
            let (here, there) = (host(&self.home.region), host(region));
            // The regions of China are another world, with credentials of its own.
            if domain(&here, &self.home.region) != domain(&there, region) {
                return Ok(false);
            }
            base.set_host(Some(&there)).map_err(|error| Error::malformed("region", error))?;
        }
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        let known = learned.values().find(|place| place.region == region).cloned();
        let place = known.unwrap_or_else(|| {
            let signer = self.home.signer.in_region(region);
            Place { region: region.to_owned(), base, signer }
        });
        if learned.len() >= MOST {
            // Whatever is still needed is told again.
            learned.clear();
        }
        learned.insert(container.to_owned(), place);
        Ok(true)
    }
}

/// What stands behind the region in a host.
fn domain<'a>(host: &'a str, region: &str) -> Option<&'a str> {
    host.split_once(region).map(|(_, domain)| domain)
}

/// Signs what is sent to one container, or to the service.
#[derive(Debug)]
pub(super) struct BucketAuth {
    pub(super) places: Arc<Places>,
    pub(super) container: Option<String>,
}

impl BucketAuth {
    fn place(&self) -> Place {
        match &self.container {
            Some(container) => self.places.of(container),
            None => self.places.home.clone(),
        }
    }
}

#[async_trait]
impl Authenticate for BucketAuth {
    async fn authenticate(&self, request: &mut Request, target: Target<'_>) -> Result<()> {
        let in_host = self.container.as_deref().filter(|container| self.places.is_host(container));
        self.place().signer.sign_s3(request, target, in_host).await
    }

    async fn locate(&self) -> Result<Option<Url>> {
        let Some(container) = &self.container else { return Ok(None) };
        let learned = self.places.learned(container);
        learned.map(|place| self.places.base(&place, container)).transpose()
    }

    async fn rejected(&self, refused: &HeaderMap, error: &Error) -> Result<bool> {
        self.place().signer.rejected(refused, error).await
    }

    async fn elsewhere(&self, region: &str) -> Result<bool> {
        match &self.container {
            Some(container) => self.places.learn(container, region),
            None => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use libcloud_common::{Config, Search, Sources};

    use super::*;
    use crate::credentials::Credentials;
    use crate::signer::SignatureVersion;

    fn places(region: &str, fixed: bool, virtual_host: bool) -> Places {
        let config = Config::new("AKIDEXAMPLE", "canary-secret");
        let credentials = Credentials::find(&config, None, &mut Search::new(&Sources::system())).unwrap();
        let signer = Signer::s3(credentials, SignatureVersion::V4, region);
        let base = format!("https://s3.{region}.amazonaws.com").parse().unwrap();
        let home = Place { region: region.to_owned(), base, signer };
        Places::new(home, &S3Dialect::AMAZON, fixed, virtual_host)
    }

    fn base(places: &Places, container: &str) -> String {
        places.base(&places.of(container), container).unwrap().to_string()
    }

    #[test]
    fn another_region_is_another_host_of_the_same_domain() {
        let places = places("us-east-1", false, true);
        assert_eq!(base(&places, "photos"), "https://photos.s3.us-east-1.amazonaws.com/");
        assert!(places.learn("photos", "eu-west-1").unwrap());
        assert_eq!(base(&places, "photos"), "https://photos.s3.eu-west-1.amazonaws.com/");
        assert_eq!(base(&places, "a.b"), "https://s3.us-east-1.amazonaws.com/");
        // It is told again where it is: no reason to try again.
        assert!(!places.learn("photos", "eu-west-1").unwrap());
        assert!(!places.learn("other", "us-east-1").unwrap());
        // Back home.
        assert!(places.learn("photos", "us-east-1").unwrap());
        assert_eq!(base(&places, "photos"), "https://photos.s3.us-east-1.amazonaws.com/");
    }

    #[test]
    fn what_leads_elsewhere_is_not_followed() {
        let places = places("us-east-1", false, false);
        for region in ["", "EU", "evil.example/", "x@evil.example", "cn-north-1"] {
            assert!(!places.learn("photos", region).unwrap(), "{region}");
        }
        assert_eq!(places.of("photos").region, "us-east-1");
    }

    #[test]
    fn where_the_host_is_given_only_the_signature_changes() {
        let places = places("us-east-1", true, false);
        assert!(places.learn("photos", "eu-west-1").unwrap());
        assert_eq!(places.of("photos").region, "eu-west-1");
        assert_eq!(base(&places, "photos"), "https://s3.us-east-1.amazonaws.com/");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let places = places("us-east-1", false, false);
        for n in 0..MOST {
            assert!(places.learn(&format!("c{n}"), "eu-west-1").unwrap());
        }
        assert_eq!(places.learned.lock().unwrap().len(), MOST);
        assert!(places.learn("one-more", "eu-west-1").unwrap());
        assert_eq!(places.learned.lock().unwrap().len(), 1);
        assert_eq!(places.of("one-more").region, "eu-west-1");
    }
}
