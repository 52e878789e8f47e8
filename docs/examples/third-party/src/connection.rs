//! What is true of every call: where it goes, how it is authenticated, how a failure looks.

use libcloud_common::auth::Bearer;
use libcloud_common::{Config, Connection, ErrorKind, Response, Result};

use crate::{DESCRIPTOR, wire};

/// The base URL; the configuration's `endpoint` takes its place.
const BASE: &str = "https://api.cloud.example/v1";

/// Makes the connection. Nothing is sent.
pub(crate) fn connect(config: &Config) -> Result<Connection> {
    let token = config.need_key("the API token, `key`,")?;
    let base = config.base_url(BASE)?;
    let connection = Connection::builder(DESCRIPTOR.id, base, config);
    Ok(connection.auth(Bearer(token.clone())).check(check).build())
}

/// The error of an answer that failed: its kind by the status, and where the API's own code tells more, by that.
fn check(response: &Response) -> Result<()> {
    if response.status.is_success() {
        return Ok(());
    }
    // A proxy on the way does not answer in the API's form.
    let Ok(wire::Failure { error: told }) = response.json() else {
        return Err(response.error(""));
    };
    let error = response.error(told.message);
    let kind = match told.code.as_str() {
        "name_taken" => ErrorKind::AlreadyExists,
        "server_busy" => ErrorKind::InvalidState,
        "quota_reached" => ErrorKind::QuotaExceeded,
        _ => error.kind(),
    };
    Err(error.with_kind(kind).with_code(told.code))
}
