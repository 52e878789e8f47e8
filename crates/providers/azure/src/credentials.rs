//! Where the account, and what shows that one may use it, come from.

use libcloud_common::{Config, Error, ErrorKind, Result, Search, Secret, Url, encode};

/// A storage account, and how its requests are authorized.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) account: Secret,
    pub(crate) grant: Grant,
    /// Where the service is, if the place that the account was found at says so.
    pub(crate) place: Place,
}

/// What requests are authorized by.
#[derive(Clone, Debug)]
pub(crate) enum Grant {
    /// An access key of the account, decoded, as Base64 of itself.
    SharedKey(Secret),
    /// A shared access signature: a query.
    Sas(Secret),
}

/// Where the service is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Place {
    /// In Azure's public cloud.
    #[default]
    Public,
    /// In the cloud of this suffix: `core.windows.net`, by TLS or not.
    Cloud { suffix: String, secure: bool },
    /// At this URL.
    At(Url),
}

const ACCOUNT: &str = "storage account";
const KEY: &str = "access key";
const CONNECTION_STRING: &str = "connection string";

impl Credentials {
    /// Those of the configuration, else those of the environment; never a mixture of both.
    pub(crate) fn find(config: &Config, search: &mut Search) -> Result<Self> {
        if let Some(account) = search.given(ACCOUNT, config.key.as_ref()) {
            let secret = search.given(KEY, config.secret.as_ref()).ok_or_else(|| search.missing(KEY))?;
            return Self::of(account, secret);
        }
        if let Some(text) = search.variable(CONNECTION_STRING, "AZURE_STORAGE_CONNECTION_STRING") {
            return Self::parse(&text).map_err(|error| error.context("AZURE_STORAGE_CONNECTION_STRING"));
        }
        let account =
            search.variable(ACCOUNT, "AZURE_STORAGE_ACCOUNT").ok_or_else(|| search.missing(ACCOUNT))?;
        let secret = ["AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN"]
            .iter()
            .find_map(|name| search.variable(KEY, name))
            .ok_or_else(|| search.missing(KEY))?;
        Self::of(account, secret)
    }

    fn of(account: Secret, secret: Secret) -> Result<Self> {
        // Base64 has neither of these.
        let is_sas = secret.expose().contains("sig=") && secret.expose().contains('&');
        let grant = if is_sas {
            Grant::Sas(secret)
        } else {
            encode::decode_base64(secret.expose()).map_err(|error| {
                error
                    .with_kind(ErrorKind::InvalidCredentials)
                    .context("the secret is neither a shared access signature (`…&sig=…`) nor an access key")
            })?;
            Grant::SharedKey(secret)
        };
        Ok(Self { account, grant, place: Place::default() })
    }

    /// Reads `Name=value;Name=value`.
    ///
    /// <https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string>
    fn parse(text: &Secret) -> Result<Self> {
        let wrong = |problem: &str| Error::new(ErrorKind::InvalidCredentials, problem.to_owned());
        let value = |wanted: &str| {
            let mut parts = text.expose().split(';').filter_map(|part| part.split_once('='));
            parts.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
        };
        if value("UseDevelopmentStorage").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Self::of_emulator();
        }
        let secret = |name| value(name).filter(|value| !value.is_empty()).map(Secret::from);
        let endpoint = value("BlobEndpoint").map(str::parse::<Url>).transpose();
        let endpoint = endpoint.map_err(|error| wrong(&format!("`BlobEndpoint` is not a URL: {error}")))?;
        let of_host = endpoint.as_ref().and_then(|url| url.host_str()?.split('.').next());
        let account = secret("AccountName").or_else(|| of_host.map(Secret::from));
        let account = account.ok_or_else(|| wrong("`AccountName` is missing"))?;
        let secret = secret("AccountKey").or_else(|| secret("SharedAccessSignature"));
        let secret =
            secret.ok_or_else(|| wrong("it has neither `AccountKey` nor `SharedAccessSignature`"))?;
        let found = Self::of(account, secret)?;
        let place = match endpoint {
            Some(url) => Place::At(url),
            None => Place::Cloud {
                suffix: value("EndpointSuffix").unwrap_or("core.windows.net").to_owned(),
                secure: value("DefaultEndpointsProtocol") != Some("http"),
            },
        };
        Ok(Self { place, ..found })
    }

    /// The account that every emulator has, whose key is no secret.
    ///
    /// <https://learn.microsoft.com/azure/storage/common/storage-use-emulator>
    fn of_emulator() -> Result<Self> {
        const KEY: &str =
            "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
        let url = Url::parse("http://127.0.0.1:10000/devstoreaccount1")
            .map_err(|error| Error::invalid_argument(error.to_string()))?;
        let grant = Grant::SharedKey(KEY.into());
        Ok(Self { account: "devstoreaccount1".into(), grant, place: Place::At(url) })
    }
}

#[cfg(test)]
mod tests {
    use libcloud_common::Sources;

    use super::*;

    const STRING: &str = "AZURE_STORAGE_CONNECTION_STRING";

    fn find(config: &Config, variables: &[(&str, &str)]) -> Result<Credentials> {
        let sources = Sources::of(variables.iter().copied(), []);
        Credentials::find(config, &mut Search::new(&sources))
    }

    fn shown(found: &Credentials) -> (&str, &str) {
        let (Grant::SharedKey(grant) | Grant::Sas(grant)) = &found.grant;
        (found.account.expose(), grant.expose())
    }

    #[test]
    fn the_configuration_wins_and_is_not_mixed_with_the_environment() {
        let environment = [(STRING, "canary"), ("AZURE_STORAGE_KEY", "ZW52")];
        let found = find(&Config::new("account", "a2V5"), &environment).unwrap();
        assert_eq!(shown(&found), ("account", "a2V5"));
        let found = find(&Config::new("account", "sv=1&sig=x"), &environment).unwrap();
        assert!(matches!(found.grant, Grant::Sas(_)));
        let error = find(&Config::with_key("account"), &environment).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
        assert_eq!(error.to_string(), "the access key is missing: give it in the configuration");
    }

    #[test]
    fn a_key_that_is_not_base64_is_not_repeated() {
        let error = find(&Config::new("account", "canary!"), &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
        assert!(error.to_string().starts_with("the secret is neither"), "{error}");
        assert!(!format!("{error:?}").contains("canary"));
    }

    #[test]
    fn the_environment_is_asked_when_there_is_no_account() {
        let account = ("AZURE_STORAGE_ACCOUNT", "env");
        let key = ("AZURE_STORAGE_KEY", "ZW52");
        let token = ("AZURE_STORAGE_SAS_TOKEN", "sv=1&sig=x");
        let nothing = Config::anonymous();
        assert_eq!(shown(&find(&nothing, &[account, key, token]).unwrap()), ("env", "ZW52"));
        assert_eq!(shown(&find(&nothing, &[account, token]).unwrap()), ("env", "sv=1&sig=x"));
        let error = find(&nothing, &[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the storage account is missing: give it in the configuration or the variable AZURE_STORAGE_ACCOUNT"
        );
    }

    #[test]
    fn a_connection_string_says_all_of_it() {
        let read = |text: &str| find(&Config::anonymous(), &[(STRING, text)]);
        let found =
            read("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5MQ==;EndpointSuffix=core.x")
                .unwrap();
        assert_eq!(shown(&found), ("a", "a2V5MQ=="));
        assert_eq!(found.place, Place::Cloud { suffix: "core.x".into(), secure: true });
        let found = read("BlobEndpoint=https://b.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=x%3D")
            .unwrap();
        assert_eq!(shown(&found), ("b", "sv=1&sig=x%3D"));
        let found = read("UseDevelopmentStorage=true").unwrap();
        assert_eq!(found.place, Place::At("http://127.0.0.1:10000/devstoreaccount1".parse().unwrap()));
        for (text, problem) in [
            ("AccountKey=a2V5", "`AccountName` is missing"),
            ("AccountName=a", "neither `AccountKey` nor"),
            ("AccountName=a;AccountKey=canary!", "not base64"),
            ("AccountName=a;AccountKey=a2V5;BlobEndpoint=here", "`BlobEndpoint` is not a URL"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
            assert!(error.to_string().starts_with(STRING) && error.to_string().contains(problem), "{error}");
            assert!(!error.to_string().contains("canary"));
        }
    }
}
