//! Profiles: accounts under names of their own, in a file.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use libcloud::common::{Map, Proxy, Url, is_secret_name};
use libcloud::{Error, ErrorKind, Result, Secret};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// An account under a name of its own. What is not given is left to the command line, the environment and the
/// provider's defaults.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    pub(crate) provider: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    pub(crate) key: Option<Secret>,
    #[serde(default, deserialize_with = "secret")]
    pub(crate) secret: Option<Secret>,
    pub(crate) secret_file: Option<PathBuf>,
    pub(crate) region: Option<String>,
    #[serde(default, deserialize_with = "url")]
    pub(crate) endpoint: Option<Url>,
    #[serde(default, deserialize_with = "url")]
    pub(crate) auth_url: Option<Url>,
    pub(crate) api_version: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
    #[serde(default, deserialize_with = "proxy")]
    pub(crate) proxy: Option<Proxy>,
    pub(crate) timeout: Option<f64>,
    pub(crate) retries: Option<u32>,
    #[serde(default)]
    pub(crate) options: Map<String, Value>,
}

impl Profile {
    /// Whether someone who reads the file could use the account.
    fn holds_secret(&self) -> bool {
        // A key with a secret beside it is a name; alone it is what lets one in. Of these two it is a folder or a number.
        let is_harmless = matches!(self.provider.as_deref(), Some("local" | "dummy"));
        let is_alone = self.key.is_some() && self.secret_file.is_none() && !is_harmless;
        let has_proxy_password = matches!(&self.proxy, Some(Proxy::Url(url)) if url.password().is_some());
        self.secret.is_some()
            || is_alone
            || has_proxy_password
            || self.options.keys().any(|name| is_secret_name(name))
    }
}

/// All profiles of the configuration file.
#[derive(Debug)]
pub(crate) struct Profiles {
    path: PathBuf,
    by_name: BTreeMap<String, Profile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

impl Profiles {
    /// Those of the file; none if there is no file and none was named.
    pub(crate) fn load() -> Result<Self> {
        let (path, is_named) = place()?;
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_named => String::new(),
            Err(error) => {
                return Err(Error::io(format_args!("read the configuration {}", path.display()), error));
            }
        };
        Self::parse(path, &text)
    }

    pub(crate) fn parse(path: PathBuf, text: &str) -> Result<Self> {
        let File { profiles: mut by_name } = toml::from_str(text).map_err(|error| {
            // Not the error's own display, which quotes the line: there may be a secret in it.
            let place = error.span().map_or_else(String::new, |span| line_and_column(text, span.start));
            Error::invalid_argument(format!("{}{place}: {}", path.display(), error.message()))
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for (name, profile) in &mut by_name {
            if profile.secret.is_some() && profile.secret_file.is_some() {
                return Err(Error::invalid_argument(format!(
                    "{}: the profile `{name}` has both `secret` and `secret_file`; keep one",
                    path.display()
                )));
            }
            for file in [&mut profile.secret_file, &mut profile.ca_file].into_iter().flatten() {
                *file = located(folder, file);
            }
        }
        Ok(Self { path, by_name })
    }

    /// The profile of this name.
    pub(crate) fn get(&self, name: &str) -> Result<&Profile> {
        self.by_name.get(name).ok_or_else(|| {
            let known: Vec<_> = self.by_name.keys().map(String::as_str).collect();
            let known = if known.is_empty() {
                "there are none; `libcloud config init` makes a file for them".to_owned()
            } else {
                format!("there are {}", known.join(", "))
            };
            Error::invalid_argument(format!("{} has no profile `{name}`; {known}", self.path.display()))
        })
    }

    /// The profile that a name in an address stands for: the one of this name, else the only one of this provider.
    /// None for a provider without profiles.
    pub(crate) fn for_address(&self, name: &str) -> Result<Option<&Profile>> {
        if let Some(profile) = self.by_name.get(name) {
            return Ok(Some(profile));
        }
        let of_provider: Vec<_> = self
            .by_name
            .iter()
            .filter(|(_, profile)| profile.provider.as_deref().is_some_and(|id| id == name))
            .collect();
        match of_provider.as_slice() {
            [] => Ok(None),
            [(_, profile)] => Ok(Some(profile)),
            several => Err(Error::invalid_argument(format!(
                "there are several profiles of `{name}`: put {} before the colon",
                several.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
            ))),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Profile)> {
        self.by_name.iter()
    }

    /// What the owner should know: that others can read the secrets of the file.
    #[cfg(unix)]
    pub(crate) fn exposure(&self) -> Option<String> {
        use std::os::unix::fs::PermissionsExt as _;

        let mode = std::fs::metadata(&self.path).ok()?.permissions().mode();
        let exposed = mode & 0o077 != 0 && self.by_name.values().any(Profile::holds_secret);
        exposed.then(|| {
            format!("{0} holds secrets and others can read it; run `chmod 600 {0}`", self.path.display())
        })
    }

    /// Permissions of files are not looked at here.
    #[cfg(not(unix))]
    pub(crate) fn exposure(&self) -> Option<String> {
        None
    }
}

/// Where the configuration file is, and whether that was said by `LIBCLOUD_CONFIG`.
pub(crate) fn place() -> Result<(PathBuf, bool)> {
    if let Some(path) = std::env::var_os("LIBCLOUD_CONFIG").filter(|path| !path.is_empty()) {
        return Ok((path.into(), true));
    }
    Ok((folders()?.config_dir().join("libcloud").join("config.toml"), false))
}

/// Where the dummy cloud is kept between two runs.
pub(crate) fn dummy_state() -> Result<PathBuf> {
    Ok(state()?.join("dummy.json"))
}

/// Where uploads are written down that the next run throws away if this one is killed.
pub(crate) fn uploads() -> Result<PathBuf> {
    Ok(state()?.join("uploads"))
}

fn state() -> Result<PathBuf> {
    let folders = folders()?;
    Ok(folders.state_dir().unwrap_or_else(|| folders.data_dir()).join("libcloud"))
}

fn folders() -> Result<impl etcetera::BaseStrategy> {
    etcetera::choose_base_strategy()
        .map_err(|error| Error::new(ErrorKind::Io, format!("cannot find your home folder: {error}")))
}

/// A path of the file: `~/` is the home folder, and a relative one begins at the file's folder.
fn located(folder: &Path, path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => folder.join(path),
    }
}

fn line_and_column(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!(":{line}:{column}")
}

/// A text that must not appear in an error, whatever was written in its place.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    struct Text;

    impl<'de> de::DeserializeSeed<'de> for Text {
        type Value = Secret;

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Secret, D::Error> {
            match toml::Value::deserialize(deserializer)? {
                toml::Value::String(text) => Ok(Secret::new(text)),
                _ => Err(de::Error::custom("expected a text in quotes")),
            }
        }
    }

    de::DeserializeSeed::deserialize(Text, deserializer).map(Some)
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = |error: &dyn fmt::Display| de::Error::custom(format!("`{text}` is not a URL: {error}"));
    text.parse().map(Some).map_err(|error| wrong(&error))
}

/// Not in the error either: a proxy may have a password.
fn proxy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Proxy>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|error: Error| de::Error::custom(error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Profiles> {
        Profiles::parse("/etc/libcloud/config.toml".into(), text)
    }

    #[test]
    fn every_key_is_read() {
        let profiles = parse(
            r#"
            [profiles.work]
            provider = "ec2"
            key = "AKIA"
            secret_file = "work.secret"
            region = "eu-west-1"
            endpoint = "http://127.0.0.1:5000"
            auth_url = "http://127.0.0.1:5001"
            api_version = "2"
            ca_file = "/ca.pem"
            proxy = "http://proxy:3128"
            timeout = 2.5
            retries = 0
            options = { boot_polls = 2, tags = ["a"] }
            "#,
        )
        .unwrap();
        let work = profiles.get("work").unwrap();
        assert_eq!(work.provider.as_deref(), Some("ec2"));
        assert_eq!(work.key.as_ref().unwrap().expose(), "AKIA");
        assert_eq!(work.secret_file.as_deref(), Some(Path::new("/etc/libcloud/work.secret")));
        assert_eq!(work.ca_file.as_deref(), Some(Path::new("/ca.pem")));
        assert_eq!(work.proxy, Some("http://proxy:3128".parse().unwrap()));
        assert_eq!((work.timeout, work.retries), (Some(2.5), Some(0)));
        assert_eq!(Value::from(work.options.clone()), serde_json::json!({"boot_polls": 2, "tags": ["a"]}));
    }

    #[test]
    fn errors_name_the_place_and_never_the_secret() {
        for (text, expected) in [
            ("[profiles.a]\n  colour = 1\n", "config.toml:2:3: unknown field `colour`"),
            ("[profile.a]\n", "config.toml:1:2: unknown field `profile`"),
            ("[profiles.a]\nendpoint = \"nowhere\"\n", "config.toml:2:12: `nowhere` is not a URL"),
            (
                "[profiles.a]\nproxy = \"ftp://me:170141@p\"\n",
                "config.toml:2:9: a proxy is reached by one of",
            ),
            ("[profiles.a]\nsecret = 170141\n", "config.toml:2:10: expected a text in quotes"),
            ("[profiles.a]\nsecret = \"170141\n", "config.toml:2:"),
            ("[profiles.a]\nsecret = \"170141\"\nsecret_file = \"x\"", "the profile `a` has both"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!format!("{error:#}").contains("170141"), "{error:#}");
        }
    }

    #[test]
    fn an_address_names_a_profile_or_its_provider() {
        let text = "[profiles.a]\nprovider = \"s3\"\n[profiles.b]\nprovider = \"local\"\n\
                    [profiles.c]\nprovider = \"local\"\n";
        let profiles = parse(text).unwrap();
        let provider = |name| profiles.for_address(name).unwrap().and_then(|found| found.provider.clone());
        assert_eq!(provider("b").as_deref(), Some("local"));
        assert_eq!(provider("s3").as_deref(), Some("s3"));
        assert_eq!(provider("dummy"), None);
        let error = profiles.for_address("local").unwrap_err().to_string();
        assert!(error.contains("`b` or `c`"), "{error}");
        assert!(profiles.get("d").unwrap_err().to_string().contains("there are a, b, c"));
    }
}
