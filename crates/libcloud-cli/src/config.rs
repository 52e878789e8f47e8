//! `libcloud config …`

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use libcloud::catalogue::Service;
use libcloud::common::{Extra, REDACTED, json};
use libcloud::{Error, Result};
use serde_json::Value;

use crate::args::Format;
use crate::check;
use crate::context::{Context, create_private};
use crate::output::Columns;
use crate::profile::{self, Profile, Profiles};

const PROFILES: Columns = &[
    ("profile", "profile"),
    ("provider", "provider"),
    ("region", "region"),
    ("key", "key"),
    ("secret", "secret"),
    ("secret file", "secret_file"),
    ("endpoint", "endpoint"),
    ("options", "options"),
];

/// What `config init` writes. A test takes the comment signs away and reads it.
const EXAMPLE: &str = r#"# Profiles of libcloud: accounts under names of your own, for `libcloud --profile NAME …`.
# The command line and the environment (LIBCLOUD_KEY, LIBCLOUD_SECRET …) go before a profile.
# Keep this file to yourself (chmod 600), or keep the secrets in files of their own (`secret_file`).

# A cloud of this machine, to try things out.
#[profiles.play]
#provider = "dummy"
#options = { state_file = "/tmp/play.json", boot_polls = 2 }

# An account at a provider: `libcloud providers list` shows them.
#[profiles.work]
#provider = "ec2"
#key = "AKIAIOSFODNN7EXAMPLE"
#secret_file = "work.secret"            # beside this file; its first line is the secret
#region = "eu-west-1"
#timeout = 60                           # seconds, for one call with its retries
#retries = 3

# An installation of your own.
#[profiles.lab]
#provider = "ec2"
#endpoint = "https://cloud.example.com:8773/services/Cloud"
#auth_url = "https://auth.example.com"  # if it is apart
#api_version = "2013-02-01"             # if it speaks an old one
#proxy = "http://proxy.example.com:3128"  # without, what the environment says; "none" for none
#ca_file = "~/lab-ca.pem"               # the only authorities to trust
#key = "me"
#secret = "my secret"
"#;

#[derive(Debug, Args)]
pub(crate) struct ConfigCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write a configuration file with examples; an existing one is left alone
    Init,
    /// Show the profiles, their secrets as •••
    Show {
        /// Only this one
        profile: Option<String>,
    },
    /// Show where the configuration file is
    Path,
    /// Show where credentials are looked for, what is found, and who the provider says they belong to
    ///
    /// Values are never shown. The provider is asked by a call that changes nothing; --dry-run leaves that out.
    Check {
        /// The service whose driver is asked, where the provider has several
        #[arg(long)]
        service: Option<Service>,
    },
}

pub(crate) async fn run(context: &Context, command: ConfigCommand) -> Result<ExitCode> {
    match command.what {
        What::Init => init(context)?,
        What::Show { profile: None } => {
            let profiles = context.profiles()?;
            let rows: Vec<_> = profiles.iter().map(|(name, profile)| Ok(shown(name, profile))).collect();
            context.output.list(PROFILES, futures_util::stream::iter(rows)).await?;
        }
        What::Show { profile: Some(name) } => {
            let profiles: &Profiles = context.profiles()?;
            context.output.value(&shown(&name, profiles.get(&name)?))?;
        }
        What::Check { service } => return check::run(context, service).await,
        What::Path => {
            let (path, _) = profile::place()?;
            if context.global.format == Format::Table {
                // For `$EDITOR "$(libcloud config path)"`.
                context.output.value(&path)?;
            } else {
                context.output.value(&json!({ "path": path, "exists": path.exists() }))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn init(context: &Context) -> Result<()> {
    let (path, _) = profile::place()?;
    if context.is_dry("config_init", &json!({ "path": path }))? {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::io(format_args!("make the folder {}", folder.display()), error))?;
    }
    create_private(&path)?
        .write_all(EXAMPLE.as_bytes())
        .map_err(|error| Error::io(format_args!("write {}", path.display()), error))?;
    context.output.done(&format!("{} is ready to be edited", path.display()))
}

/// A profile for people and logs: no format shows its secrets.
fn shown(name: &str, profile: &Profile) -> Value {
    let hidden = |is_set: bool| is_set.then_some(REDACTED);
    let all = json!({
        "profile": name,
        "provider": profile.provider,
        "key": hidden(profile.key.is_some()),
        "secret": hidden(profile.secret.is_some()),
        "secret_file": profile.secret_file,
        "region": profile.region,
        "endpoint": profile.endpoint.as_ref().map(libcloud::common::Url::as_str),
        "auth_url": profile.auth_url.as_ref().map(libcloud::common::Url::as_str),
        "api_version": profile.api_version,
        "ca_file": profile.ca_file,
        "proxy": profile.proxy.as_ref().map(|proxy| format!("{proxy:?}")),
        "timeout": profile.timeout,
        "retries": profile.retries,
        "options": *Extra::from(profile.options.clone()).redacted(),
    });
    let Value::Object(mut map) = all else { return all };
    map.retain(|_, value| !value.is_null() && value.as_object().is_none_or(|map| !map.is_empty()));
    map.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_valid_with_and_without_its_comment_signs() {
        let lines = EXAMPLE.lines().map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') => setting,
            _ => line,
        });
        let settings = lines.collect::<Vec<_>>().join("\n");
        let profiles = Profiles::parse("config.toml".into(), &settings).unwrap();
        assert_eq!(profiles.iter().count(), 3);
        assert_eq!(Profiles::parse("config.toml".into(), EXAMPLE).unwrap().iter().count(), 0);
    }

    #[test]
    fn no_secret_is_shown() {
        let text = "[profiles.a]\nkey = \"canary\"\nsecret = \"canary\"\n\
                    options = { session_token = \"canary\", zone = \"b\" }";
        let profiles = Profiles::parse("config.toml".into(), text).unwrap();
        let shown = shown("a", profiles.get("a").unwrap());
        assert!(!shown.to_string().contains("canary"), "{shown}");
        assert_eq!(shown["options"], json!({"session_token": REDACTED, "zone": "b"}));
    }
}
