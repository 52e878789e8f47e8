//! How a connection is made: directly or through a proxy, within a time limit.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderValue, Uri, uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::client::BoxError;
use crate::config::TransportConfig;
use crate::proxy::Proxy;

/// How long a connection may be idle before the system asks whether the other side is there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Makes TCP connections, through a proxy where one is to be used.
#[derive(Clone)]
pub(crate) struct Connector {
    tcp: HttpConnector,
    proxies: Arc<Matcher>,
    connect_to: Option<SocketAddr>,
}

impl Connector {
    pub(crate) fn new(settings: &TransportConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEP_ALIVE));
        Self { tcp, proxies: Arc::new(settings.proxy.matcher()), connect_to: settings.connect_to }
    }

    /// What a request that is handed to a proxy itself, not through a tunnel, has to say to it.
    pub(crate) fn proxy_authorization(&self, target: &Uri) -> Option<HeaderValue> {
        if self.connect_to.is_some() || target.scheme() != Some(&uri::Scheme::HTTP) {
            return None;
        }
        self.proxies.intercept(target)?.basic_auth().cloned()
    }

    async fn connect(mut self, target: Uri) -> Result<Stream, BoxError> {
        if let Some(address) = self.connect_to {
            let address = Uri::builder().scheme("http").authority(address.to_string()).path_and_query("/");
            return Ok(Stream::direct(self.tcp.call(address.build()?).await?));
        }
        let Some(proxy) = self.proxies.intercept(&target) else {
            return Ok(Stream::direct(self.tcp.call(target).await?));
        };
        let scheme = proxy.uri().scheme_str().unwrap_or("http");
        match scheme {
            "http" if target.scheme() == Some(&uri::Scheme::HTTPS) => {
                let mut tunnel = Tunnel::new(proxy.uri().clone(), self.tcp);
                if let Some(authorization) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(authorization.clone());
                }
                Ok(Stream::direct(tunnel.call(target).await?))
            }
            "http" => Ok(Stream { io: self.tcp.call(proxy.uri().clone()).await?, is_proxied: true }),
            "socks5" | "socks5h" => {
                let port = proxy.uri().port_u16().unwrap_or(1080);
                let host = proxy.uri().host().unwrap_or_default();
                let address =
                    Uri::builder().scheme(scheme).authority(format!("{host}:{port}")).path_and_query("/");
                let mut socks = SocksV5::new(address.build()?, self.tcp).local_dns(scheme == "socks5");
                if let Some((user, password)) = proxy.raw_auth() {
                    socks = socks.with_auth(user.to_owned(), password.to_owned());
                }
                Ok(Stream::direct(socks.call(target).await?))
            }
            other => Err(Proxy::unknown_scheme(other).into()),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Connecting<Stream>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        Box::pin(self.clone().connect(target))
    }
}

/// A connection to the server or to a proxy.
pub(crate) struct Stream {
    io: TokioIo<TcpStream>,
    /// Whether requests name their host in the first line, for the proxy.
    is_proxied: bool,
}

impl Stream {
    fn direct(io: TokioIo<TcpStream>) -> Self {
        Self { io, is_proxied: false }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.is_proxied)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, buffers)
    }
}

/// Gives up on a connection that is not made in time: proxy and TLS handshake included, which may hang after TCP.
#[derive(Clone)]
pub(crate) struct Timed<C> {
    pub(crate) connector: C,
    pub(crate) limit: Duration,
}

impl<C> Service<Uri> for Timed<C>
where
    C: Service<Uri, Error = BoxError>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Connecting<C::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let (connecting, limit) = (self.connector.call(target), self.limit);
        Box::pin(async move {
            tokio::time::timeout(limit, connecting).await.unwrap_or_else(|_| {
                let message = format!("no connection within {} s", limit.as_secs_f64());
                Err(std::io::Error::new(std::io::ErrorKind::TimedOut, message).into())
            })
        })
    }
}
