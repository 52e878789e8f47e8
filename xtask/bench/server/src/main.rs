//! A server that answers faster than a client can ask: just enough of S3, EC2, Nova with its Keystone, and Route 53, all in
//! memory. Signatures are not checked; what is uploaded is counted and dropped. The README lists options and answers.

mod apis;
mod body;
mod s3;

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use body::Body;

/// What a fault does to the request it hits.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    Status(u16),
    Drop,
    Truncate,
}

pub(crate) struct Options {
    http: SocketAddr,
    https: Option<SocketAddr>,
    ca_out: Option<PathBuf>,
    workers: usize,
    latency: Duration,
    fail_every: u64,
    fault: Fault,
    pub(crate) keys: u64,
    pub(crate) small: u64,
    pub(crate) instances: u64,
    pub(crate) servers: u64,
    pub(crate) nova_page: u64,
    pub(crate) records: u64,
    pub(crate) known: HashMap<u64, String>,
}

impl Options {
    fn parse() -> Result<Self, String> {
        let mut o = Options {
            http: ([127, 0, 0, 1], 9900).into(),
            https: None,
            ca_out: None,
            workers: 2,
            latency: Duration::ZERO,
            fail_every: 0,
            fault: Fault::Status(503),
            keys: 1_000_000,
            small: 10_000,
            instances: 10_000,
            servers: 10_000,
            nova_page: 1000,
            records: 100_000,
            known: HashMap::new(),
        };
        let mut args = std::env::args().skip(1);
        while let Some(flag) = args.next() {
            let v = args.next().ok_or(format!("{flag} needs a value"))?;
            let num = || v.parse::<u64>().map_err(|e| format!("{flag} {v}: {e}"));
            let addr = || v.parse().map_err(|e| format!("{flag} {v}: {e}"));
            match flag.as_str() {
                "--http" => o.http = addr()?,
                "--https" => o.https = Some(addr()?),
                "--ca-out" => o.ca_out = Some(v.into()),
                "--workers" => o.workers = num()? as usize,
                "--latency-ms" => o.latency = Duration::from_millis(num()?),
                "--fail-every" => o.fail_every = num()?,
                "--fault" => {
                    o.fault = match v.as_str() {
                        "drop" => Fault::Drop,
                        "truncate" => Fault::Truncate,
                        _ => Fault::Status(num()? as u16),
                    }
                }
                "--keys" => o.keys = num()?,
                "--small" => o.small = num()?,
                "--instances" => o.instances = num()?,
                "--servers" => o.servers = num()?,
                "--nova-page" => o.nova_page = num()?,
                "--records" => o.records = num()?,
                // The MD5 to answer for a PUT of exactly that size, so that clients which compare the ETag
                // are content without the server hashing gigabytes beside them.
                "--known-md5" => {
                    let (size, md5) = v.split_once('=').ok_or("--known-md5 SIZE=HEX")?;
                    o.known.insert(size.parse().map_err(|_| "bad size")?, md5.into());
                }
                _ => return Err(format!("unknown option {flag}")),
            }
        }
        Ok(o)
    }
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) connections: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) faults: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) in_flight: AtomicU64,
    pub(crate) max_in_flight: AtomicU64,
    pub(crate) by_op: std::sync::Mutex<HashMap<&'static str, u64>>,
}

pub(crate) struct State {
    pub(crate) opts: Options,
    pub(crate) count: Counters,
    pub(crate) s3: s3::Store,
    pub(crate) apis: apis::Cache,
}

impl State {
    pub(crate) fn op(&self, name: &'static str) {
        *self.count.by_op.lock().unwrap().entry(name).or_default() += 1;
    }

    fn stats(&self) -> String {
        let c = &self.count;
        let mut ops: Vec<_> = c.by_op.lock().unwrap().iter().map(|(k, v)| (*k, *v)).collect();
        ops.sort_unstable();
        let ops: Vec<String> = ops.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
        format!(
            "{{\"connections\":{},\"requests\":{},\"faults\":{},\"bytes_in\":{},\"max_in_flight\":{},\"ops\":{{{}}}}}\n",
            c.connections.load(Relaxed),
            c.requests.load(Relaxed),
            c.faults.load(Relaxed),
            c.bytes_in.load(Relaxed),
            c.max_in_flight.load(Relaxed),
            ops.join(",")
        )
    }

    fn reset(&self) {
        let c = &self.count;
        for a in [&c.connections, &c.requests, &c.faults, &c.bytes_in, &c.max_in_flight] {
            a.store(0, Relaxed);
        }
        c.by_op.lock().unwrap().clear();
    }
}

pub(crate) type Reply = Response<Body>;

pub(crate) fn xml(text: impl Into<Bytes>) -> Reply {
    Response::builder()
        .header("content-type", "application/xml")
        .header("x-amz-request-id", "BENCHREQUEST0001")
        .body(Body::full(text))
        .unwrap()
}

pub(crate) fn error(status: u16, code: &str) -> Reply {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{code}</Message><RequestId>BENCHREQUEST0001</RequestId></Error>"
    );
    let mut r = xml(text);
    *r.status_mut() = StatusCode::from_u16(status).unwrap();
    r
}

async fn handle(state: Arc<State>, req: Request<Incoming>) -> Result<Reply, Infallible> {
    let path = req.uri().path();
    match path {
        "/_bench/stats" => return Ok(Response::new(Body::full(state.stats()))),
        "/_bench/reset" => {
            state.reset();
            return Ok(Response::new(Body::full("ok\n")));
        }
        _ => {}
    }
    let n = state.count.requests.fetch_add(1, Relaxed) + 1;
    let now = state.count.in_flight.fetch_add(1, Relaxed) + 1;
    state.count.max_in_flight.fetch_max(now, Relaxed);
    let faulty = state.opts.fail_every > 0 && n % state.opts.fail_every == 0;
    if !state.opts.latency.is_zero() {
        tokio::time::sleep(state.opts.latency).await;
    }
    let reply = if faulty && !matches!(state.opts.fault, Fault::Truncate) {
        state.count.faults.fetch_add(1, Relaxed);
        match state.opts.fault {
            // A body that fails before its first byte makes hyper close the connection.
            Fault::Drop => Response::new(Body::broken()),
            Fault::Status(s) => {
                let code = if s == 500 { "InternalError" } else { "SlowDown" };
                let mut r = error(s, code);
                if s == 429 || s == 503 {
                    r.headers_mut().insert("retry-after", "1".parse().unwrap());
                }
                r
            }
            Fault::Truncate => unreachable!("handled below"),
        }
    } else if path.starts_with("/v2") || path.starts_with("/v3") || path.starts_with("/20") {
        apis::handle(&state, req).await
    } else if path == "/"
        && (req.method() == "POST" || req.uri().query().is_some_and(|q| q.contains("Action=")))
    {
        apis::ec2(&state, req).await
    } else {
        s3::handle(&state, req).await
    };
    state.count.in_flight.fetch_sub(1, Relaxed);
    if faulty && state.opts.fault == Fault::Truncate {
        state.count.faults.fetch_add(1, Relaxed);
        return Ok(reply.map(Body::truncated));
    }
    Ok(reply)
}

async fn serve<I>(state: Arc<State>, io: I)
where
    I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let svc = service_fn(move |req| handle(state.clone(), req));
    // Errors here are clients that went away; a benchmark server has nothing to add.
    let _ = hyper::server::conn::http1::Builder::new()
        .keep_alive(true)
        .max_buf_size(512 * 1024)
        .serve_connection(TokioIo::new(io), svc)
        .await;
}

async fn listen(listener: TcpListener, tls: Option<tokio_rustls::TlsAcceptor>, state: Arc<State>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        state.count.connections.fetch_add(1, Relaxed);
        let (tls, state) = (tls.clone(), state.clone());
        tokio::spawn(async move {
            match tls {
                None => serve(state, stream).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(state, stream).await;
                    }
                }
            }
        });
    }
}

/// A throw-away CA and a leaf for 127.0.0.1 and localhost.
fn tls(ca_out: Option<&PathBuf>) -> Arc<rustls::ServerConfig> {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, SanType};
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(vec![]).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(rcgen::DnType::CommonName, "bench CA");
    ca.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
    let ca_cert = ca.self_signed(&ca_key).unwrap();
    let leaf_key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(vec!["localhost".into()]).unwrap();
    leaf.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
    leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let issuer = rcgen::Issuer::from_params(&ca, &ca_key);
    let leaf_cert = leaf.signed_by(&leaf_key, &issuer).unwrap();
    if let Some(path) = ca_out {
        std::fs::write(path, ca_cert.pem()).expect("write the CA");
    }
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(leaf_key.serialize_der().into());
    let mut c = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![leaf_cert.der().clone()], key)
        .unwrap();
    c.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(c)
}

fn main() {
    let opts = Options::parse().unwrap_or_else(|e| {
        eprintln!("bench-server: {e}");
        std::process::exit(2);
    });
    let rt = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(opts.workers)
        .enable_all()
        .build()
        .unwrap();
    let state = Arc::new(State {
        count: Counters::default(),
        s3: s3::Store::new(),
        apis: apis::Cache::default(),
        opts,
    });
    rt.block_on(async move {
        let http = TcpListener::bind(state.opts.http).await.expect("bind http");
        eprintln!("bench-server: http {}", state.opts.http);
        if let Some(addr) = state.opts.https {
            let acceptor = tokio_rustls::TlsAcceptor::from(tls(state.opts.ca_out.as_ref()));
            let listener = TcpListener::bind(addr).await.expect("bind https");
            eprintln!("bench-server: https {addr}");
            tokio::spawn(listen(listener, Some(acceptor), state.clone()));
        }
        listen(http, None, state).await;
    });
}
