//! The files that Amazon's tools share: `~/.aws/credentials` and `~/.aws/config`.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>

use std::collections::BTreeMap;
use std::path::PathBuf;

use libcloud_common::{Config, Error, Result, Search, Secret};

use super::fetch::{Role, Way};
use super::metadata::{Container, Instance};
use super::{ACCESS_KEY, Credentials, Key, environment, wrong};

/// The values of each profile.
type Profiles = BTreeMap<String, Profile>;
type Profile = BTreeMap<String, String>;

/// Which of the two files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Sections are profiles, and other things.
    Config,
    /// Sections are profiles.
    Credentials,
}

/// What the profile of this name has, or that of `AWS_PROFILE`, or `default`; an error if one is asked for by name that is
/// not there.
pub(super) fn find(config: &Config, search: &mut Search, name: Option<&str>) -> Result<Option<Credentials>> {
    let asked_for = name.map(str::to_owned).or_else(|| search.sources().variable("AWS_PROFILE"));
    let name = asked_for.as_deref().unwrap_or("default");
    let (mut profiles, places) = read(search)?;
    let place = format!("the profile `{name}` of {places}");
    let found = profiles.get(name).cloned();
    let Some(profile) = found else {
        search.note(ACCESS_KEY, place, None::<()>);
        return match asked_for {
            Some(_) => Err(wrong(places, format_args!("there is no profile `{name}`"))),
            None => Ok(None),
        };
    };
    let region = profile.get("region").cloned();
    let credentials = Resolver { config, search, profiles: &mut profiles }.resolve(name, true)?;
    let credentials = search.note(ACCESS_KEY, place, credentials);
    Ok(credentials.map(|credentials| Credentials { region, ..credentials }))
}

/// Both files as one, and what they are called.
fn read(search: &Search) -> Result<(Profiles, String)> {
    let sources = search.sources();
    let path = |variable: &str, file: &str| {
        let home = || sources.home().map(|home| home.join(".aws").join(file));
        sources.variable(variable).map(|path| at_home(path, sources.home())).or_else(home)
    };
    let files = [
        (Kind::Config, path("AWS_CONFIG_FILE", "config")),
        (Kind::Credentials, path("AWS_SHARED_CREDENTIALS_FILE", "credentials")),
    ];
    let (mut profiles, mut places) = (Profiles::new(), Vec::new());
    for (kind, path) in files {
        let Some(path) = path else { continue };
        if let Some(text) = sources.file(&path)? {
            let found = parse(&text, kind).map_err(|error| error.context(path.display()))?;
            // What both have, the file of credentials says.
            for (name, values) in found {
                profiles.entry(name).or_default().extend(values);
            }
        }
        places.push(path.display().to_string());
    }
    places.reverse();
    Ok((profiles, places.join(" and ")))
}

fn at_home(path: String, home: Option<PathBuf>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => path.into(),
    }
}

/// Reads a file. Keys are in lower case; what is indented belongs to the line above it.
///
/// Errors tell the number of a line, never the line, which may be a secret.
fn parse(text: &str, kind: Kind) -> Result<Profiles> {
    let mut profiles = Profiles::new();
    // `[profile default]` goes before `[default]`, whichever comes first.
    let mut plain_default = Profile::new();
    let mut section: Option<String> = None;
    let mut last_key: Option<String> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start_matches('\u{feff}').trim_end();
        if line.trim().is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let wrong = |problem: &str| Error::invalid_argument(format!("line {number} {problem}"));
        if let Some(rest) = line.strip_prefix('[') {
            let (name, _) =
                rest.split_once(']').ok_or_else(|| wrong("begins a section and does not end it"))?;
            section = profile_name(name.trim(), kind);
            if let Some(name) = section.as_ref().filter(|name| !name.is_empty()) {
                profiles.entry(name.clone()).or_default();
            }
            last_key = None;
            continue;
        }
        // What is no profile is of no concern.
        let Some(name) = &section else { continue };
        let values =
            if name.is_empty() { &mut plain_default } else { profiles.entry(name.clone()).or_default() };
        if line.starts_with([' ', '\t']) {
            // Of a nested value, or of a long one.
            let key = last_key.as_ref().ok_or_else(|| wrong("is indented under nothing"))?;
            let value = values.entry(key.clone()).or_default();
            value.push('\n');
            value.push_str(line.trim());
            continue;
        }
        let (key, value) = line
            .split_once('=')
            .filter(|(key, _)| !key.trim().is_empty())
            .ok_or_else(|| wrong("is neither `[section]` nor `key = value`"))?;
        let key = key.trim().to_lowercase();
        values.insert(key.clone(), without_comment(value).trim().to_owned());
        last_key = Some(key);
    }
    if !plain_default.is_empty() {
        profiles.entry("default".to_owned()).or_insert(plain_default);
    }
    Ok(profiles)
}

/// The profile that a section is of; the empty name for `[default]` in the file of configuration.
fn profile_name(section: &str, kind: Kind) -> Option<String> {
    let words: Vec<&str> = section.split_whitespace().collect();
    match (kind, words.as_slice()) {
        (Kind::Config, ["default"]) => Some(String::new()),
        (Kind::Config, ["profile", name]) | (Kind::Credentials, [name]) => Some((*name).to_owned()),
        _ => None,
    }
}

/// A comment begins with white space before it; without, the sign is part of the value.
fn without_comment(value: &str) -> &str {
    let comment = value
        .char_indices()
        .zip(value.chars().skip(1))
        .find(|((_, before), sign)| before.is_whitespace() && matches!(sign, '#' | ';'));
    match comment {
        Some(((at, _), _)) => value.get(..at).unwrap_or(value),
        None => value,
    }
}

/// Finds out what a profile leads to, over the profiles that it names.
struct Resolver<'a> {
    config: &'a Config,
    search: &'a mut Search,
    /// Those that were not visited yet.
    profiles: &'a mut Profiles,
}

impl Resolver<'_> {
    fn resolve(&mut self, name: &str, first: bool) -> Result<Option<Credentials>> {
        let Some(profile) = self.profiles.remove(name) else {
            return Err(wrong(
                format_args!("the profile `{name}`"),
                "it is not there, or leads to itself by way of `source_profile`",
            ));
        };
        let place = format!("the profile `{name}`");
        let value = |key: &str| profile.get(key).filter(|value| !value.is_empty()).map(String::as_str);
        // A profile that is the source of another is meant with its own key, if it has one.
        if let Some(arn) = value("role_arn").filter(|_| first || value("aws_access_key_id").is_none()) {
            return self.role(name, arn, &profile).map(Some);
        }
        if let Some(key) = own_key(&place, &profile)? {
            return Ok(Some(Credentials::given(key)));
        }
        if let Some(command) = value("credential_process") {
            return Ok(Some(Credentials::fetched(self.config, Way::Process(command.to_owned()))));
        }
        if value("sso_session").or(value("sso_start_url")).is_some() {
            return Err(wrong(
                place,
                "it logs in by SSO, which needs a browser: run `aws configure export-credentials --format env` after \
                 `aws sso login`, or name that program as `credential_process`",
            ));
        }
        Ok(None)
    }

    fn role(&mut self, name: &str, arn: &str, profile: &Profile) -> Result<Credentials> {
        let place = format!("the profile `{name}`");
        let value = |key: &str| profile.get(key).filter(|value| !value.is_empty()).cloned();
        if value("mfa_serial").is_some() {
            return Err(wrong(
                place,
                "its role asks for a code of `mfa_serial`, which nobody is here to enter",
            ));
        }
        let role = Role {
            arn: arn.to_owned(),
            session_name: value("role_session_name").unwrap_or_else(|| "libcloud".to_owned()),
            external_id: value("external_id"),
            duration: value("duration_seconds"),
        };
        if let Some(file) = value("web_identity_token_file") {
            let way = Way::token_in_file(self.config, role, file.into(), self.search.sources())?;
            return Ok(Credentials::fetched(self.config, way));
        }
        let source = match (value("source_profile"), value("credential_source")) {
            (Some(source), None) if source == name => own_key(&place, profile)?.map(Credentials::given),
            (Some(source), None) => self.resolve(&source, false)?,
            (None, Some(source)) => self.credential_source(&place, &source)?,
            _ => {
                return Err(wrong(
                    place,
                    "beside `role_arn` it needs `source_profile`, `credential_source` or `web_identity_token_file`",
                ));
            }
        };
        let source = source.ok_or_else(|| wrong(&place, "the source of its role has no access key"))?;
        let mut config = self.config.clone();
        config.region = config.region.or_else(|| value("region"));
        Ok(Credentials::fetched(self.config, Way::role(&config, role, source)?))
    }

    fn credential_source(&mut self, place: &str, source: &str) -> Result<Option<Credentials>> {
        Ok(match source {
            "Environment" => environment(self.search)?.map(Credentials::given),
            "EcsContainer" => Container::find(self.config, self.search)?
                .map(|container| Credentials::fetched(self.config, Way::Container(container))),
            "Ec2InstanceMetadata" => {
                let instance = Instance::asked_for(self.config, self.search.sources())?;
                Some(Credentials::fetched(self.config, Way::Instance(instance)))
            }
            other => {
                return Err(wrong(
                    place,
                    format_args!(
                        "`credential_source` is `Environment`, `EcsContainer` or `Ec2InstanceMetadata`, not `{other}`"
                    ),
                ));
            }
        })
    }
}

/// The key that stands in a profile itself.
fn own_key(place: &str, profile: &Profile) -> Result<Option<Key>> {
    let value = |key: &str| profile.get(key).filter(|value| !value.is_empty()).map(Secret::new);
    match (value("aws_access_key_id"), value("aws_secret_access_key")) {
        (None, None) => Ok(None),
        (Some(access_key), Some(secret_key)) => {
            Ok(Some(Key { access_key, secret_key, token: value("aws_session_token") }))
        }
        (Some(_), None) => Err(wrong(place, "it has `aws_access_key_id` but no `aws_secret_access_key`")),
        (None, Some(_)) => Err(wrong(place, "it has `aws_secret_access_key` but no `aws_access_key_id`")),
    }
}

#[cfg(test)]
mod tests;
