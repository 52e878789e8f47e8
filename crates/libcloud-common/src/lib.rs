//! What every libcloud driver stands on: configuration, transport, authentication, errors, pages, waiting,
//! calls by name. Users get all of it through the `libcloud` crate; authors of drivers use this one.
//!
//! A provider crate says what is true of every call of its API once, in a [`Connection`], and then reads like
//! that API's reference:
//!
//! ```no_run
//! # use libcloud_common::{Config, Connection, Result};
//! # #[derive(serde::Deserialize)] struct Image { id: String }
//! # async fn images(config: Config) -> Result<Vec<Image>> {
//! let connection = Connection::builder("example", config.base_url("https://api.cloud.example/v2")?, &config).build();
//! connection.get("ListImages", ["images"]).query("private", true).json_answer().await
//! # }
//! ```

pub mod auth;
mod body;
mod call;
mod capability;
pub mod cleanup;
mod client;
mod config;
mod connection;
mod connector;
mod deadline;
mod debug_log;
mod decompress;
pub mod digest;
pub mod dispatch;
pub mod encode;
mod error;
mod execute;
mod extra;
pub mod ini;
pub mod json;
mod limiter;
mod link;
mod open_enum;
mod options;
mod pages;
mod poll;
mod price;
mod provider;
mod proxy;
mod record;
mod redact;
mod request;
mod response;
mod search;
mod secret;
mod service;
mod session;
pub mod sign;
pub mod text;
mod time;
mod tls;
mod token;
mod witness;
pub mod xml;
pub mod xmlrpc;

pub use auth::{Authenticate, Target};
pub use call::Call;
pub use capability::{Capabilities, Support};
pub use client::Client;
pub use config::{Config, TransportConfig};
pub use connection::{Check, Connection, ConnectionBuilder};
pub use deadline::Deadline;
pub use debug_log::DebugLog;
pub use dispatch::{ArgSpec, Dispatch, Extensions, Method, MethodInfo};
pub use error::{Error, ErrorKind, Result, Retry};
pub use extra::{Extra, ExtraFields, is_secret_name};
pub use options::{Arguments, Ex, NoArguments, Options, decode as decode_arguments};
pub use pages::{Page, once, pages};
pub use poll::{Poller, Progress};
pub use price::Price;
pub use provider::{Descriptor, Driver, Factory, Registration};
pub use proxy::Proxy;
#[doc(hidden)]
pub use record::Recorder;
pub use request::{Body, ByteStream, Param, Repeat, Request, Sealed, Source};
pub use response::{Response, StreamingResponse, kind_of_status};
pub use search::{FindCredentials, Identity, Look, Search, Sources};
pub use secret::{REDACTED, Secret, serialize_exposed};
#[doc(hidden)]
pub use service::refuse;
pub use session::Session;
pub use time::{Clock, ManualClock, SystemClock, Timestamp};
pub use token::{random_bytes, unique_token};

pub use async_trait::async_trait;
pub use futures_core::future::BoxFuture;
pub use futures_core::stream::{BoxStream, Stream};
pub use libcloud_macros::{arguments, extensions};
#[doc(hidden)]
pub use serde;
pub use serde_json::{Map, Value, json};
pub use url::Url;
