//! The Security Token Service: whose credentials they are.
//! <https://docs.aws.amazon.com/STS/latest/APIReference/>

use libcloud_common::{Config, Error, Identity, Result};

use crate::connection::{QueryConnection, Service};
use crate::credentials::Credentials;
use crate::signer::SignatureVersion;

pub(crate) const SERVICE: Service =
    Service { provider: "sts", kind: "identity", name: "sts", api_version: "2011-06-15" };

/// The service beside the one that a configuration is of.
#[derive(Clone, Debug)]
pub(crate) struct Sts(Option<QueryConnection>);

impl Sts {
    /// For a service that is not Amazon's.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// With the same credentials, in the same region, under the same endpoint.
    pub(crate) fn beside(
        config: &Config,
        credentials: Credentials,
        signature: SignatureVersion,
    ) -> Result<Self> {
        // A host is that of one service alone, and to Amazon's these credentials may not belong.
        if config.host.is_some() {
            return Ok(Self::none());
        }
        let mut config = config.clone();
        config.api_version = None;
        QueryConnection::new(&SERVICE, &config, credentials, signature)
            .map(|connection| Self(Some(connection)))
    }

    /// Any credentials may ask this, whatever their rights.
    /// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>
    pub(crate) async fn caller_identity(&self) -> Result<Identity> {
        let connection = self.0.as_ref().ok_or_else(|| Error::not_supported("identity"))?;
        connection
            .action("GetCallerIdentity")
            .read(|root| {
                let result = root.need("GetCallerIdentityResult")?;
                Ok(Identity::new(result.opt_text("Arn"), result.opt_text("Account")))
            })
            .await
    }
}
