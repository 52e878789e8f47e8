//! Keys that are fetched, and fetched anew before they expire.

use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;

use libcloud_common::xml::Element;
use libcloud_common::{Config, Error, Result, Search, Secret, Sources, Timestamp, json};
use serde::Deserialize;

use super::metadata::{Container, Instance};
use super::{ACCESS_KEY, Credentials, Key, wrong};
use crate::connection::{Action, QueryConnection};
use crate::signer::SignatureVersion;
use crate::sts;

/// How a key is come by.
pub(super) enum Way {
    /// From the agent of a container.
    Container(Container),
    /// From the metadata service of an instance.
    Instance(Instance),
    /// For the token of another identity provider, which is in a file.
    WebIdentity { sts: QueryConnection, role: Role, token_file: PathBuf, sources: Sources },
    /// By taking a role, with the key of somebody else.
    Role { sts: QueryConnection, role: Role },
    /// From a program.
    Process(String),
}

/// A role that is taken.
#[derive(Clone, Debug)]
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) session_name: String,
    pub(super) external_id: Option<String>,
    pub(super) duration: Option<String>,
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container(container) => container.fmt(f),
            Self::Instance(_) => f.write_str("Instance"),
            Self::WebIdentity { role, .. } => f.debug_tuple("WebIdentity").field(role).finish(),
            Self::Role { role, .. } => f.debug_tuple("Role").field(role).finish(),
            // A program's arguments may be secrets.
            Self::Process(_) => f.write_str("Process"),
        }
    }
}

impl Way {
    /// A key, and when it expires.
    pub(super) async fn fetch(&self) -> Result<(Key, Option<Timestamp>)> {
        match self {
            Self::Container(container) => container.fetch().await,
            Self::Instance(instance) => instance.fetch().await,
            Self::WebIdentity { sts, role, token_file, sources } => {
                // The file is written anew from time to time.
                let token = sources
                    .file(token_file)?
                    .ok_or_else(|| wrong(token_file.display(), "there is no such file"))?;
                let action = sts.action("AssumeRoleWithWebIdentity").repeatable();
                taken(role.of(action).secret("WebIdentityToken", token.trim()), "AssumeRoleWithWebIdentity")
                    .await
            }
            Self::Role { sts, role } => {
                taken(role.of(sts.action("AssumeRole").repeatable()), "AssumeRole").await
            }
            Self::Process(command) => process(command).await,
        }
    }

    /// The way that takes a role with these credentials.
    pub(super) fn role(config: &Config, role: Role, source: Credentials) -> Result<Self> {
        let sts = connection(config, source, SignatureVersion::V4)?;
        Ok(Self::Role { sts, role })
    }

    /// The way that takes a role for the token in a file.
    pub(super) fn token_in_file(
        config: &Config,
        role: Role,
        token_file: PathBuf,
        sources: &Sources,
    ) -> Result<Self> {
        let sts = connection(config, Credentials::none(), SignatureVersion::None)?;
        Ok(Self::WebIdentity { sts, role, token_file, sources: sources.clone() })
    }
}

/// A connection that is not logged, since its answers are keys.
fn connection(
    config: &Config,
    credentials: Credentials,
    signature: SignatureVersion,
) -> Result<QueryConnection> {
    let mut config = config.clone();
    config.api_version = None;
    (config.host, config.port, config.secure) = (None, None, None);
    (config.transport.debug_log, config.transport.recorder) = (None, None);
    QueryConnection::new(&sts::SERVICE, &config, credentials, signature)
}

impl Role {
    fn of(&self, action: Action) -> Action {
        action
            .param("RoleArn", &self.arn)
            .param("RoleSessionName", &self.session_name)
            .opt("ExternalId", self.external_id.as_ref())
            .opt("DurationSeconds", self.duration.as_ref())
    }
}

/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
async fn taken(action: Action, name: &str) -> Result<(Key, Option<Timestamp>)> {
    let result = format!("{name}Result/Credentials");
    let read = |root: Element<'_, '_>| {
        let found = root.need_path(&result)?;
        let secret = |name| found.need_text(name).map(Secret::new);
        let key = Key {
            access_key: secret("AccessKeyId")?,
            secret_key: secret("SecretAccessKey")?,
            token: Some(secret("SessionToken")?),
        };
        Ok((key, found.parse("Expiration")?))
    };
    action.read(read).await
}

/// The token of another identity provider, by the variables that clusters of Kubernetes set.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html>
pub(super) fn web_identity(config: &Config, search: &mut Search) -> Result<Option<Way>> {
    let variable = |search: &Search, name: &str| search.sources().variable(name);
    let name = "AWS_WEB_IDENTITY_TOKEN_FILE";
    let file = variable(search, name);
    let Some(token_file) = search.note(ACCESS_KEY, format!("the variable {name}"), file) else {
        return Ok(None);
    };
    let arn = variable(search, "AWS_ROLE_ARN").ok_or_else(|| {
        wrong(format_args!("the variable {name}"), "the variable AWS_ROLE_ARN is missing, too")
    })?;
    let session_name = variable(search, "AWS_ROLE_SESSION_NAME").unwrap_or_else(|| "libcloud".to_owned());
    let role = Role { arn, session_name, external_id: None, duration: None };
    Way::token_in_file(config, role, token_file.into(), search.sources()).map(Some)
}

/// A key as containers, instances and programs write it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Written {
    /// `Success`, where it is told.
    code: Option<String>,
    message: Option<String>,
    access_key_id: Option<Secret>,
    secret_access_key: Option<Secret>,
    #[serde(alias = "SessionToken")]
    token: Option<Secret>,
    expiration: Option<Timestamp>,
}

impl Written {
    pub(super) fn into_key(self, place: &str) -> Result<(Key, Option<Timestamp>)> {
        if let Some(code) = self.code.filter(|code| code != "Success") {
            let message = self.message.unwrap_or_default();
            return Err(wrong(place, format_args!("{code} {message}")));
        }
        let (Some(access_key), Some(secret_key)) = (self.access_key_id, self.secret_access_key) else {
            return Err(wrong(place, "the answer has no `AccessKeyId` and `SecretAccessKey`"));
        };
        Ok((Key { access_key, secret_key, token: self.token }, self.expiration))
    }
}

/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>
async fn process(command: &str) -> Result<(Key, Option<Timestamp>)> {
    const PLACE: &str = "the program of `credential_process`";
    let shell = if cfg!(windows) { ("cmd", "/C") } else { ("/bin/sh", "-c") };
    let output = tokio::process::Command::new(shell.0)
        .args([shell.1, command])
        .stdin(Stdio::null())
        // What it says in words is for the user; its answer is a secret.
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| Error::io(format_args!("run {PLACE}"), error))?;
    if !output.status.success() {
        return Err(wrong(PLACE, format_args!("it ended with {}", output.status)));
    }
    let written: Written =
        json::decode(&output.stdout).map_err(|_| wrong(PLACE, "its answer is not as agreed"))?;
    written.into_key(PLACE)
}
