//! What a driver can do, truthfully: per method *supported*, *the provider cannot*, or *not implemented*.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// Whether a driver has a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "support")]
#[non_exhaustive]
pub enum Support {
    /// It works.
    Supported,
    /// The provider has no such thing.
    ProviderCannot {
        /// Why, in a few words.
        reason: &'static str,
        /// The provider's page that says so.
        link: &'static str,
    },
    /// The provider could, this driver does not yet.
    NotImplemented,
}

/// The truth about a driver, from which the documentation's matrix and `libcloud providers` are made.
///
/// ```
/// use libcloud_common::{Capabilities, Support};
///
/// let can = Capabilities::new()
///     .supports(&["iterate_nodes", "create_node"])
///     .features("create_node", &["ssh_key"])
///     .cannot("copy_image", "images belong to one region", "https://cloud.example/docs/images");
/// assert_eq!(can.of("list_nodes"), Support::Supported);
/// assert_eq!(can.of("list_volumes"), Support::NotImplemented);
/// assert!(can.has_feature("create_node", "ssh_key"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Capabilities {
    methods: BTreeMap<&'static str, Support>,
    features: BTreeMap<&'static str, BTreeSet<&'static str>>,
}

impl Capabilities {
    /// Nothing yet: every method is [`Support::NotImplemented`].
    pub fn new() -> Self {
        Self::default()
    }

    /// These methods work.
    #[must_use]
    pub fn supports(mut self, methods: &[&'static str]) -> Self {
        self.methods.extend(methods.iter().map(|method| (*method, Support::Supported)));
        self
    }

    /// The provider has no such thing, for this reason, as this page of it tells.
    #[must_use]
    pub fn cannot(mut self, method: &'static str, reason: &'static str, link: &'static str) -> Self {
        self.methods.insert(method, Support::ProviderCannot { reason, link });
        self
    }

    /// The method takes these kinds of optional input (`create_node`: `ssh_key`, `password`,
    /// `generates_password`).
    #[must_use]
    pub fn features(mut self, method: &'static str, features: &[&'static str]) -> Self {
        self.features.entry(method).or_default().extend(features);
        self
    }

    /// Whether the driver has this method. `list_…` is there where `iterate_…` is.
    pub fn of(&self, method: &str) -> Support {
        let iterate = method.strip_prefix("list_").map(|what| format!("iterate_{what}"));
        let known = self.methods.get(method).or_else(|| self.methods.get(iterate?.as_str()));
        known.copied().unwrap_or(Support::NotImplemented)
    }

    /// Whether the method takes this kind of optional input.
    pub fn has_feature(&self, method: &str, feature: &str) -> bool {
        self.features.get(method).is_some_and(|features| features.contains(feature))
    }

    /// Every method about which something was said.
    pub fn methods(&self) -> impl Iterator<Item = (&'static str, Support)> + '_ {
        self.methods.iter().map(|(method, support)| (*method, *support))
    }
}
