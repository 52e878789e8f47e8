//! Keys that the agent of a container or the metadata service of an instance hands out.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use libcloud_common::{
    Config, Connection, Error, ErrorKind, Proxy, Response, Result, Search, Secret, Sources, Timestamp, Url,
};

use super::fetch::{Way, Written};
use super::{ACCESS_KEY, Key, wrong};

/// Where a machine says who made it.
const VENDOR: &str = "/sys/class/dmi/id/sys_vendor";
/// The same on the oldest ones.
const HYPERVISOR: &str = "/sys/hypervisor/uuid";

/// The agent, if this is a container that has one; else the metadata service, if this is an instance.
pub(super) fn find(config: &Config, search: &mut Search) -> Result<Option<Way>> {
    if let Some(container) = Container::find(config, search)? {
        return Ok(Some(Way::Container(container)));
    }
    Ok(Instance::find(config, search)?.map(Way::Instance))
}

/// A connection that is near, takes no proxy, and is not logged, since its answers are keys.
fn connection(provider: &'static str, base: Url, config: &Config) -> Connection {
    let mut config = config.clone();
    config.endpoint = None;
    let transport = &mut config.transport;
    transport.proxy = Proxy::None;
    (transport.debug_log, transport.recorder) = (None, None);
    transport.connect_timeout = Duration::from_secs(1);
    transport.idle_timeout = Duration::from_secs(5);
    Connection::builder(provider, base, &config).service("identity").check(check).build()
}

fn check(response: &Response) -> Result<()> {
    if response.status.is_success() {
        return Ok(());
    }
    Err(response.error(""))
}

/// The agent of a container.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
pub(super) struct Container {
    connection: Connection,
    authorization: Authorization,
    sources: Sources,
}

enum Authorization {
    None,
    Given(Secret),
    /// Written anew from time to time.
    File(PathBuf),
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Container({})", self.connection.base())
    }
}

impl Container {
    pub(super) fn find(config: &Config, search: &mut Search) -> Result<Option<Self>> {
        const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
        const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
        let sources = search.sources().clone();
        let relative =
            search.note(ACCESS_KEY, format!("the variable {RELATIVE}"), sources.variable(RELATIVE));
        let (name, url) = if let Some(path) = relative {
            (RELATIVE, format!("http://169.254.170.2{path}"))
        } else {
            let full = search.note(ACCESS_KEY, format!("the variable {FULL}"), sources.variable(FULL));
            let Some(url) = full else { return Ok(None) };
            (FULL, url)
        };
        let place = format!("the variable {name}");
        let url = Url::parse(&url).map_err(|error| wrong(&place, error))?;
        if !is_near(&url) {
            // Whoever sets the variable would get at the token otherwise.
            return Err(wrong(
                place,
                "the address is neither this machine's nor that of an agent, and not HTTPS",
            ));
        }
        let authorization = match sources.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            Some(file) => Authorization::File(file.into()),
            None => match sources.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
                Some(token) => Authorization::Given(Secret::new(token)),
                None => Authorization::None,
            },
        };
        Ok(Some(Self { connection: connection("ecs", url, config), authorization, sources }))
    }

    pub(super) async fn fetch(&self) -> Result<(Key, Option<Timestamp>)> {
        let none: [&str; 0] = [];
        let call = self.connection.get("GetCredentials", none);
        let call = match &self.authorization {
            Authorization::None => call,
            Authorization::Given(token) => call.secret_header("authorization", token.expose()),
            Authorization::File(file) => {
                let token = self.sources.file(file)?;
                let token = token.ok_or_else(|| wrong(file.display(), "there is no such file"))?;
                call.secret_header("authorization", token.trim_end_matches(['\r', '\n']))
            }
        };
        let written: Written = call.json_answer().await?;
        written.into_key("the agent of the container")
    }
}

/// Whether a token may be sent there: over TLS anywhere, else to this machine and to the agents of Amazon's two ways to run
/// containers.
fn is_near(url: &Url) -> bool {
    const AGENTS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];
    if url.scheme() == "https" {
        return true;
    }
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback() || AGENTS.contains(&host),
        Err(_) => host == "localhost",
    }
}

/// The metadata service of an instance, second version.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>
pub(super) struct Instance(Connection);

impl Instance {
    /// Only if this is one, or a variable says where the service is: elsewhere nobody would answer.
    pub(super) fn find(config: &Config, search: &mut Search) -> Result<Option<Self>> {
        let sources = search.sources().clone();
        let disabled = sources.variable("AWS_EC2_METADATA_DISABLED");
        if disabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let place = "the metadata service of an EC2 instance";
        let endpoint = match sources.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
            Some(endpoint) => Some(endpoint),
            None => is_instance(&sources)?.then(|| "http://169.254.169.254".to_owned()),
        };
        let Some(endpoint) = search.note(ACCESS_KEY, place, endpoint) else { return Ok(None) };
        let base = Url::parse(&endpoint)
            .map_err(|error| wrong("the variable AWS_EC2_METADATA_SERVICE_ENDPOINT", error))?;
        Ok(Some(Self::at(base, config)))
    }

    /// The one that a profile asks for.
    pub(super) fn asked_for(config: &Config, sources: &Sources) -> Result<Self> {
        let endpoint = sources.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
        let base = Url::parse(endpoint.as_deref().unwrap_or("http://169.254.169.254"))
            .map_err(|error| wrong("the variable AWS_EC2_METADATA_SERVICE_ENDPOINT", error))?;
        Ok(Self::at(base, config))
    }

    fn at(base: Url, config: &Config) -> Self {
        Self(connection("imds", base, config))
    }

    pub(super) async fn fetch(&self) -> Result<(Key, Option<Timestamp>)> {
        const PLACE: &str = "the metadata service of the instance";
        let token = self
            .0
            .put("GetToken", ["latest", "api", "token"])
            .header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
            .decode(|response| Ok(Secret::new(response.text().trim())))
            .await?;
        let roles = ["latest", "meta-data", "iam", "security-credentials"];
        let get = |path: &[&str]| {
            self.0
                .get("GetMetadata", path.iter().copied())
                .secret_header("x-aws-ec2-metadata-token", token.expose())
        };
        let role = match get(&[&roles[..], &[""]].concat())
            .decode(|response| Ok(response.text().into_owned()))
            .await
        {
            Ok(roles) => roles.lines().next().map(str::trim).unwrap_or_default().to_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        if role.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidCredentials,
                format!(
                    "{PLACE}: the instance has no role: give it an instance profile, or give an access key"
                ),
            ));
        }
        let written: Written = get(&[&roles[..], &[&role]].concat()).json_answer().await?;
        written.into_key(PLACE)
    }
}

/// Whether Amazon made the machine.
fn is_instance(sources: &Sources) -> Result<bool> {
    let reads = |path: &str| match sources.file(Path::new(path)) {
        // Not everybody may read it; then it is not known.
        Err(error) if error.kind() == ErrorKind::Io => Ok(None),
        text => text,
    };
    let vendor = reads(VENDOR)?.is_some_and(|text| text.trim() == "Amazon EC2");
    Ok(vendor || reads(HYPERVISOR)?.is_some_and(|text| text.to_ascii_lowercase().starts_with("ec2")))
}
