//! What the API sends and takes, under its own names.

use serde::{Deserialize, Serialize};

/// `https://cloud.example/api/servers`
#[derive(Debug, Deserialize)]
pub(crate) struct Server {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) addresses: Vec<Address>,
    pub(crate) plan: String,
    /// Absent while the disk is being written.
    pub(crate) image: Option<String>,
    #[serde(default)]
    pub(crate) backups: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Address {
    pub(crate) address: String,
    pub(crate) public: bool,
}

/// The answer of `ListServers`.
#[derive(Debug, Deserialize)]
pub(crate) struct Servers {
    pub(crate) servers: Vec<Server>,
    /// `null` on the last page.
    pub(crate) next_page: Option<u32>,
}

/// The answer of every call that is about one server.
#[derive(Debug, Deserialize)]
pub(crate) struct OneServer {
    pub(crate) server: Server,
}

/// The body of `CreateServer`.
#[derive(Debug, Serialize)]
pub(crate) struct NewServer<'a> {
    pub(crate) name: &'a str,
    pub(crate) plan: &'a str,
    pub(crate) image: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ssh_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backups: Option<bool>,
}

/// The body of `RenameServer`.
#[derive(Debug, Serialize)]
pub(crate) struct Rename<'a> {
    pub(crate) name: &'a str,
}

/// Every answer whose status is not 2xx.
#[derive(Debug, Deserialize)]
pub(crate) struct Failure {
    pub(crate) error: Told,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Told {
    pub(crate) code: String,
    pub(crate) message: String,
}
