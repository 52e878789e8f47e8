//! One call: built piece by piece, then sent.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::connection::Connection;
use crate::execute::{Answer, buffer, with_request_id};
use crate::request::{Body, ByteStream, Param, Repeat, Request};
use crate::response::{Response, StreamingResponse};
use crate::{Options, Result};

/// A call that is being built. Nothing happens before one of its `async` methods.
#[derive(Debug)]
#[must_use = "a call is sent by one of its async methods"]
pub struct Call {
    pub(crate) connection: Connection,
    pub(crate) request: Request,
}

impl Call {
    /// A parameter of the query.
    pub fn query(mut self, name: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        self.request.push_query(name, value);
        self
    }

    /// A parameter of the query, if there is a value.
    pub fn query_opt(self, name: impl Into<Cow<'static, str>>, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// A parameter of the query whose value is never printed.
    pub fn secret_query(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.request.query.push(Param { name: name.into(), value: value.into(), secret: true });
        self
    }

    /// Names and values as a form in the body; adds to those that are there.
    pub fn form<N: Into<Cow<'static, str>>, V: ToString>(
        mut self,
        params: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let params = params.into_iter().map(|(name, value)| Param {
            name: name.into(),
            value: value.to_string(),
            secret: false,
        });
        match &mut self.request.body {
            Body::Form(form) => form.extend(params),
            body => *body = Body::Form(params.collect()),
        }
        self
    }

    /// A field of the form whose value is never printed.
    pub fn secret_field(self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        let mut call = self.form([(name, value.into())]);
        if let Body::Form(form) = &mut call.request.body
            && let Some(last) = form.last_mut()
        {
            last.secret = true;
        }
        call
    }

    /// A header.
    pub fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.request.set_header(name, value.as_ref(), false);
        self
    }

    /// A header, if there is a value.
    pub fn header_opt(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// A header whose value is never printed.
    pub fn secret_header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.request.set_header(name, value.as_ref(), true);
        self
    }

    /// An object's name at the end of the path; its slashes stay, nothing in it is normalised.
    pub fn key(mut self, key: &str) -> Self {
        self.request.push_key(key);
        self
    }

    /// A JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.request.set_json(body);
        self
    }

    /// A body of this content type.
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut call = self.header("content-type", content_type);
        call.request.body = Body::Bytes(body.into());
        call
    }

    /// A body that is streamed; without a length it is sent in chunks.
    pub fn stream(mut self, length: Option<u64>, stream: ByteStream) -> Self {
        self.request.body = Body::Stream { length, stream };
        self
    }

    /// A body of any kind.
    pub fn content(mut self, body: Body) -> Self {
        self.request.body = body;
        self
    }

    /// Lets the body wait until the server says that it wants it (or one second), so that what is refused is refused
    /// before it is sent.
    pub fn expect_continue(mut self) -> Self {
        self.request.expect_continue = true;
        self
    }

    /// The time limit of a method without extension arguments; refuses any of the latter.
    pub fn options(mut self, method: &str, options: Options) -> Self {
        self.request.apply(method, options);
        self
    }

    /// A time limit for the call with all of its retries.
    pub fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.request.timeout = timeout.or(self.request.timeout);
        self
    }

    /// Marks the call as one that does no harm when it is sent twice.
    pub fn repeatable(mut self) -> Self {
        self.request.repeat = Repeat::Always;
        self
    }

    /// Marks the call as one that must not be sent twice unless it was certainly not processed.
    pub fn not_repeatable(mut self) -> Self {
        self.request.repeat = Repeat::IfUnprocessed;
        self
    }

    /// The request as it was built so far, for a test or a dry run.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> Result<Response> {
        match self.connection.execute(self.request, true).await? {
            Answer::Whole(response) => Ok(response),
            // Asked for whole, so it is; buffered all the same, for the type's sake.
            Answer::Streaming(response) => buffer(response, usize::MAX).await,
        }
    }

    /// Sends it; the body of the answer arrives as it is read.
    pub async fn send_streaming(self) -> Result<StreamingResponse> {
        match self.connection.execute(self.request, false).await? {
            Answer::Streaming(response) => Ok(response),
            Answer::Whole(Response { status, headers, body }) => {
                let body = futures_util::stream::once(async move { Ok(body) }).boxed();
                Ok(StreamingResponse { status, headers, body })
            }
        }
    }

    /// Sends it; there is nothing to read in the answer.
    pub async fn empty(self) -> Result<()> {
        self.send().await.map(|_| ())
    }

    /// Sends it and reads the answer as JSON.
    pub async fn json_answer<T: DeserializeOwned>(self) -> Result<T> {
        self.decode(Response::json).await
    }

    /// Sends it and reads the answer in a way of the provider's own.
    pub async fn decode<T>(self, read: impl FnOnce(&Response) -> Result<T>) -> Result<T> {
        let provider = self.connection.0.provider;
        let operation = self.request.operation.clone();
        let known = self.connection.0.known.clone();
        let response = self.send().await?;
        read(&response).map_err(|error| {
            let error = known.hide_in(None, error);
            with_request_id(error, &response).with_status(response.status).in_operation(provider, operation)
        })
    }
}
