//! For authors of drivers: what storage protocols on HTTP have in common, where containers and objects are paths.
//!
//! A driver begins a [`StorageCall`] on its connection, says what it is about, and gets errors that name it. [`listing`]
//! reads all pages; [`headers`] and [`meta_data`] have what all of them tell of an object;
//! [`one_segment`] refuses names that would make another request of it.

use std::time::Duration;

use http::{StatusCode, header};
use libcloud_common::xml::{self, Element};
use libcloud_common::{
    Body, BoxStream, ByteStream, Call, Error, ErrorKind, Page, Response, Result, StreamingResponse, once,
    pages,
};

use crate::ByteRange;

pub mod headers;
pub mod meta_data;

/// A call that is being built. Its errors name the container or object that it is about, which answers to HEAD, and
/// some servers, do not.
#[derive(Debug)]
#[must_use = "a call is sent by one of its async methods"]
pub struct StorageCall {
    call: Call,
    about: About,
}

/// What a call is about.
#[derive(Debug)]
struct About {
    container: Option<String>,
    object: Option<String>,
    /// Tells which errors of a call to an object are about its container.
    of_container: fn(&Error) -> bool,
    only_if_absent: bool,
}

impl StorageCall {
    /// A call to the service.
    pub fn new(call: Call) -> Self {
        let about = About { container: None, object: None, of_container: |_| false, only_if_absent: false };
        Self { call, about }
    }

    /// It is about this container.
    pub fn about_container(mut self, name: &str) -> Self {
        self.about.container = Some(name.to_owned());
        self
    }

    /// It is about this object of the container. `of_container` tells the errors that are about the container all the
    /// same: that it does not exist.
    pub fn about_object(mut self, name: &str, of_container: fn(&Error) -> bool) -> Self {
        self.about.object = Some(name.to_owned());
        self.about.of_container = of_container;
        self
    }

    /// An object's name at the end of the path; nothing in it is normalised.
    pub fn key(mut self, name: &str) -> Self {
        self.call = self.call.key(name);
        self
    }

    /// A parameter of the query.
    pub fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.call = self.call.query(name, value);
        self
    }

    /// A parameter of the query, if there is a value.
    pub fn query_opt(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.call = self.call.query_opt(name, value);
        self
    }

    /// A header.
    pub fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.call = self.call.header(name, value);
        self
    }

    /// A header, if there is a value.
    pub fn header_opt(mut self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        self.call = self.call.header_opt(name, value);
        self
    }

    /// A header whose value is never printed.
    pub fn secret_header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.call = self.call.secret_header(name, value);
        self
    }

    /// Several headers.
    pub fn headers<'a, V: AsRef<str> + 'a>(
        mut self,
        headers: impl IntoIterator<Item = (&'a String, &'a V)>,
    ) -> Self {
        for (name, value) in headers {
            self = self.header(name, value);
        }
        self
    }

    /// A body in memory, which can be sent again.
    pub fn body(mut self, content_type: &str, body: impl Into<bytes::Bytes>) -> Self {
        self.call = self.call.body(content_type, body);
        self
    }

    /// A body of any kind, whose type the headers tell.
    pub fn content(mut self, body: Body) -> Self {
        self.call = self.call.content(body);
        self
    }

    /// A body that is sent as it comes.
    pub fn stream(mut self, content_type: &str, length: u64, stream: ByteStream) -> Self {
        self.call = self.call.header("content-type", content_type).stream(Some(length), stream);
        self
    }

    /// Only if there is no such object (RFC 9110, section 13.1.2). It is not sent twice: the second time there is one.
    pub fn only_if_absent(mut self) -> Self {
        self.about.only_if_absent = true;
        self.header("if-none-match", "*").once()
    }

    /// Sending it twice does harm, or the second answer would hide the first.
    pub fn once(mut self) -> Self {
        self.call = self.call.not_repeatable();
        self
    }

    /// Sending it twice does no harm.
    pub fn repeatable(mut self) -> Self {
        self.call = self.call.repeatable();
        self
    }

    /// The time limit of the call with all of its retries.
    pub fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.call = self.call.timeout(timeout);
        self
    }

    /// Only if the object's entity tag is this one; none is no condition.
    pub fn if_match(self, etag: Option<&str>) -> Self {
        self.header_opt("if-match", etag.map(|etag| format!("\"{etag}\"")))
    }

    /// Sends it; the headers are the answer.
    pub async fn send(self) -> Result<Response> {
        let Self { call, about } = self;
        let answer = call.send().await.and_then(|answer| {
            genuine(&answer)?;
            Ok(answer)
        });
        answer.map_err(|error| about.name(error))
    }

    /// Sends it and reads the answer, which is XML.
    pub async fn read<T>(self, read: impl FnOnce(Element<'_, '_>) -> Result<T>) -> Result<T> {
        let Self { call, about } = self;
        let answer = call.decode(|response| xml::parse(&response.text(), read)).await;
        answer.map_err(|error| about.name(error))
    }

    /// Sends it; the content, or this range of it, arrives as it is read.
    ///
    /// # Errors
    /// Also `MalformedResponse` if all of the content arrives where a range was asked for.
    pub async fn streaming(self, range: Option<ByteRange>) -> Result<StreamingResponse> {
        let Self { call, about } = self.header_opt("range", range.map(ByteRange::header));
        let answer = call.send_streaming().await.map_err(|error| about.name(error))?;
        content(&answer).map_err(|error| about.name(error))?;
        if range.is_some() && answer.status != StatusCode::PARTIAL_CONTENT {
            let error = Error::malformed("content-range", "all of the object arrives, not the range of it");
            return Err(about.name(error.with_status(answer.status)));
        }
        Ok(answer)
    }
}

/// Refuses what is no answer of such a service: a network that wants a login, or a proxy, says 200 to whatever is asked, and
/// a change would seem to be done. The service answers with nothing or with XML; an object, which may be anything, has an
/// entity tag.
fn genuine(answer: &Response) -> Result<()> {
    let of = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let page = of(header::CONTENT_TYPE).is_some_and(|kind| kind.trim_start().starts_with("text/html"))
        && !matches!(of(header::CONTENT_LENGTH), None | Some("0"));
    let empty = answer.body.is_empty();
    if answer.headers.contains_key(header::ETAG) || (empty && !page) {
        return Ok(());
    }
    // Of the answer to a HEAD, only the headers arrive.
    let read = if empty {
        Err(Error::malformed("content-type", "a web page"))
    } else {
        xml::parse(&answer.text(), |_| Ok(()))
    };
    read.map_err(|error| {
        let what = "this is no answer of an object store (is there a login to the network?)";
        error.context(what).with_status(answer.status)
    })
}

/// The same of content, which a simpler server may send without a tag: what has none must not be of the type of a web page
/// or of an error.
fn content(answer: &StreamingResponse) -> Result<()> {
    let kind =
        answer.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let suspect = ["text/html", "text/xml", "application/xml"].iter().any(|other| kind.starts_with(other));
    if !suspect || answer.headers.contains_key(header::ETAG) {
        return Ok(());
    }
    Err(Error::malformed("etag", "it is missing, so that this is no object").with_status(answer.status))
}

impl About {
    /// The error with the container or object that it is about.
    fn name(&self, error: Error) -> Error {
        let (resource, id) = match (&self.container, &self.object) {
            (Some(_), Some(object)) if !(self.of_container)(&error) => ("object", object),
            (Some(container), _) => ("container", container),
            _ => return error,
        };
        let told = if self.only_if_absent && error.status() == Some(StatusCode::PRECONDITION_FAILED) {
            Error::already_exists(resource, id)
        } else {
            match error.kind() {
                ErrorKind::NotFound => Error::not_found(resource, id),
                ErrorKind::AlreadyExists => Error::already_exists(resource, id),
                ErrorKind::NotEmpty => not_empty(id),
                // Of the credentials and of the connection, not of the resource.
                ErrorKind::InvalidCredentials | ErrorKind::Transport | ErrorKind::Tls => return error,
                _ if error.resource().is_some() => return error,
                _ => return error.with_resource(resource, id),
            }
        };
        let told = match error.status() {
            Some(status) => told.with_status(status),
            None => told,
        };
        let told = told
            .with_code(error.code().unwrap_or_default())
            .with_request_id(error.request_id())
            .with_retry(error.retry());
        match (error.provider(), error.operation()) {
            (Some(provider), Some(operation)) => told.in_operation(provider.to_owned(), operation.to_owned()),
            _ => told,
        }
    }
}

/// The error for a container that is to be deleted and is not empty.
pub fn not_empty(container_name: &str) -> Error {
    Error::new(ErrorKind::NotEmpty, format!("container `{container_name}` still holds objects"))
        .with_resource("container", container_name)
}

/// The items of a listing in XML: all pages that the token of this name leads to. The time limit is one for each page.
pub fn listing<W: 'static, T: Send + 'static>(
    page: Result<impl Fn() -> Result<StorageCall> + Send + 'static>,
    token_name: &'static str,
    read: fn(Element<'_, '_>) -> Result<Page<W, Option<String>>>,
    convert: impl Fn(W) -> Result<T> + Clone + Send + 'static,
) -> BoxStream<'static, Result<T>> {
    listing_from(None, page, token_name, read, convert)
}

/// The same from this token on.
pub fn listing_from<W: 'static, T: Send + 'static>(
    first: Option<String>,
    page: Result<impl Fn() -> Result<StorageCall> + Send + 'static>,
    token_name: &'static str,
    read: fn(Element<'_, '_>) -> Result<Page<W, Option<String>>>,
    convert: impl Fn(W) -> Result<T> + Clone + Send + 'static,
) -> BoxStream<'static, Result<T>> {
    let page = match page {
        Ok(page) => page,
        Err(error) => return once(std::future::ready(Err(error))),
    };
    pages(first, move |token: Option<String>| {
        let call = page().map(|call| call.query_opt(token_name, token.as_deref()));
        let convert = convert.clone();
        async move {
            call?
                .read(move |root| {
                    let Page { items, next } = read(root)?;
                    Ok(Page::new(items.into_iter().map(convert).collect::<Result<_>>()?, next))
                })
                .await
        }
    })
}

/// Checks that a container's name is one part of a path and stays one. In a container without a name, the deletion of an
/// object would be that of a container.
///
/// ```
/// use libcloud_storage::rest::one_segment;
///
/// assert!(one_segment("photos").is_ok());
/// for name in ["", ".", "..", "a/b", "a\nb"] {
///     assert!(one_segment(name).is_err());
/// }
/// ```
pub fn one_segment(container_name: &str) -> Result<()> {
    let problem = match container_name {
        "" => "is empty",
        "." | ".." => "is a part of a path that leads elsewhere",
        _ if container_name.contains('/') => "has a slash",
        _ if container_name.contains(char::is_control) => "has a control character",
        _ => return Ok(()),
    };
    Err(invalid_name("container", container_name, problem))
}

/// The error for a name that breaks the provider's rules: `problem` completes "container name `x` …".
pub fn invalid_name(resource: &'static str, name: &str, problem: &str) -> Error {
    Error::new(ErrorKind::InvalidName, format!("{resource} name `{}` {problem}", name.escape_debug()))
        .with_resource(resource, name)
}

#[cfg(test)]
mod tests {
    use libcloud_common::{Retry, json};

    use super::*;

    fn about(container: Option<&str>, object: Option<&str>) -> About {
        About {
            container: container.map(str::to_owned),
            object: object.map(str::to_owned),
            of_container: |error| error.code() == Some("NoSuchContainer"),
            only_if_absent: false,
        }
    }

    fn answered(kind: ErrorKind, code: &str) -> Error {
        Error::new(kind, "said so")
            .with_code(code)
            .with_status(StatusCode::CONFLICT)
            .with_request_id(Some("r-1"))
            .with_retry(Retry::Exhausted)
            .in_operation("p", "Op")
    }

    #[test]
    fn errors_name_what_the_call_is_about() {
        for (container, object, kind, code, text) in [
            (None, None, ErrorKind::NotFound, "X", "p Op: said so (X)"),
            (Some("c"), None, ErrorKind::NotFound, "X", "p Op: container `c` does not exist (X)"),
            (Some("c"), Some("o"), ErrorKind::NotFound, "X", "p Op: object `o` does not exist (X)"),
            (
                Some("c"),
                Some("o"),
                ErrorKind::NotFound,
                "NoSuchContainer",
                "p Op: container `c` does not exist (NoSuchContainer)",
            ),
            (Some("c"), None, ErrorKind::AlreadyExists, "", "p Op: container `c` exists already"),
            (Some("c"), None, ErrorKind::NotEmpty, "", "p Op: container `c` still holds objects"),
            (Some("c"), None, ErrorKind::Provider, "", "p Op: said so"),
        ] {
            let error = about(container, object).name(answered(kind, code));
            assert_eq!(error.to_string(), text);
            assert_eq!((error.kind(), error.retry()), (kind, Retry::Exhausted));
            let json = error.to_json();
            assert_eq!((&json["status"], &json["request_id"]), (&json!(409), &json!("r-1")));
            assert_eq!(error.resource().is_some(), container.is_some());
        }
    }

    #[test]
    fn errors_of_credentials_and_those_that_name_something_else_stay() {
        let about = about(Some("c"), None);
        assert_eq!(about.name(answered(ErrorKind::InvalidCredentials, "")).resource(), None);
        let other = answered(ErrorKind::InvalidArgument, "").with_resource("option", "region");
        assert_eq!(about.name(other).resource(), Some(("option", "region")));
    }

    #[test]
    fn a_condition_that_failed_means_that_there_is_one() {
        let error = answered(ErrorKind::InvalidState, "").with_status(StatusCode::PRECONDITION_FAILED);
        let mut about = about(Some("c"), Some("o"));
        about.only_if_absent = true;
        assert_eq!(about.name(error).kind(), ErrorKind::AlreadyExists);
    }
}
