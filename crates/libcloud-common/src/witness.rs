//! Who sees each attempt: the debug log and a recording, if there are.

use serde_json::Value;

use crate::auth::Target;
use crate::client::Failure;
use crate::connection::Connection;
use crate::debug_log::REQUEST_ID;
use crate::request::Request;
use crate::response::StreamingResponse;
use crate::{DebugLog, Recorder, Response, Result, record};

/// What is told of one attempt.
pub(crate) struct Witness<'a> {
    connection: &'a Connection,
    log: Option<(&'a DebugLog, String)>,
    recorder: Option<(&'a Recorder, Value)>,
}

impl<'a> Witness<'a> {
    /// Gives the request the id by which it is found in the log.
    pub(crate) fn new(connection: &'a Connection, attempt: &mut Request) -> Self {
        let settings = connection.0.client.settings();
        let log = settings.debug_log.as_ref().map(|log| (log, log.next_id()));
        if let Some((_, id)) = &log {
            attempt.set_header(REQUEST_ID, id, false);
        }
        let recorder = settings.recorder.as_ref().map(|recorder| (recorder, Value::Null));
        Self { connection, log, recorder }
    }

    /// The request as it is sent, with its body.
    pub(crate) fn request(&mut self, attempt: &Request, target: Target<'_>) -> Result<()> {
        let (headers, known) = (&self.connection.0.headers, &self.connection.0.known);
        if let Some((_, request)) = &mut self.recorder {
            *request = record::request(attempt, target, headers, known);
        }
        match &self.log {
            Some((log, id)) => log.request(id, attempt, target, headers),
            None => Ok(()),
        }
    }

    /// There was no answer.
    pub(crate) fn failure(&self, failure: &Failure) -> Result<()> {
        match &self.log {
            Some((log, id)) => log.failure(id, &failure.error),
            None => Ok(()),
        }
    }

    /// The head of an answer whose body is streamed.
    pub(crate) fn head(&self, response: &StreamingResponse) -> Result<()> {
        if let Some((recorder, request)) = &self.recorder {
            recorder.exchange(self.connection.0.provider, request, None, str::to_owned)?;
        }
        match &self.log {
            Some((log, id)) => log.head(id, response.status, &response.headers),
            None => Ok(()),
        }
    }

    /// An answer that was read whole, without the credentials that it may repeat.
    pub(crate) fn response(&self, attempt: &Request, response: &Response) -> Result<()> {
        let hide = |text: &str| self.connection.0.known.hide(Some(attempt), text).into_owned();
        if let Some((recorder, request)) = &self.recorder {
            recorder.exchange(self.connection.0.provider, request, Some(response), hide)?;
        }
        match &self.log {
            Some((log, id)) => log.response(id, response, hide),
            None => Ok(()),
        }
    }
}
