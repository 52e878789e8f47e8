//! The limits: the same bytes over the same hyper with nothing, or one thing at a time, added: a hash, a signature, a parser.
//! What a client does beyond is its own cost.

mod micro;
mod parse;
mod sign;

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bench_common::{Args, LARGE, SMALL, Sink, die, ok, part, parts, run, together};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use ring::digest;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// What is read from a file at a time.
const BLOCK: usize = 256 * 1024;

#[derive(Clone)]
struct Http {
    client: Client<HttpsConnector<HttpConnector>, Body>,
    base: Arc<str>,
    /// Sign every request (Signature Version 4), with the hash of what it sends.
    signed: bool,
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

impl Http {
    fn new(args: &Args) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let mut roots = rustls::RootCertStore::empty();
        if let Some(path) = &args.ca {
            ok(CertificateDer::pem_file_iter(path)).for_each(|certificate| ok(roots.add(ok(certificate))));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = ok(tls).with_root_certificates(roots).with_no_client_auth();
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(2048).build(https);
        Self { client, base: args.endpoint.as_str().into(), signed: args.extra.contains("sign") }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        body: Body,
        length: u64,
        hash: &str,
    ) -> Response<Incoming> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if method == "PUT" {
            request = request.header("content-length", length);
        }
        self.answer(ok(request.body(body)), hash).await
    }

    async fn answer(&self, mut request: Request<Body>, hash: &str) -> Response<Incoming> {
        if self.signed {
            sign::sign(&mut request, hash);
        }
        let answer = ok(self.client.request(request).await);
        if !answer.status().is_success() {
            die(answer.status());
        }
        answer
    }

    /// The whole answer to a body in memory.
    async fn bytes(&self, method: &str, path: &str, body: Bytes) -> Bytes {
        let hash =
            if self.signed { sign::hex(digest::digest(&digest::SHA256, &body)) } else { String::new() };
        let length = body.len() as u64;
        ok(self.send(method, path, full(body), length, &hash).await.into_body().collect().await).to_bytes()
    }
}

/// What goes over the bytes as they pass.
enum Sum {
    None,
    Sha256(digest::Context),
    Md5(md5::Md5),
    Crc32(crc32fast::Hasher),
    Crc64(crc64fast_nvme::Digest),
}

impl Sum {
    fn new(extra: &str) -> Self {
        match extra {
            "sha256" => Self::Sha256(digest::Context::new(&digest::SHA256)),
            "md5" => Self::Md5(md5::Digest::new()),
            "crc32" => Self::Crc32(crc32fast::Hasher::new()),
            "crc64" => Self::Crc64(crc64fast_nvme::Digest::new()),
            _ => Self::None,
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::None => {}
            Self::Sha256(sum) => sum.update(bytes),
            Self::Md5(sum) => md5::Digest::update(sum, bytes),
            Self::Crc32(sum) => sum.update(bytes),
            Self::Crc64(sum) => sum.write(bytes),
        }
    }
}

/// Reads a body to its end.
async fn drain(answer: Response<Incoming>, mut each: impl FnMut(&Bytes)) {
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        if let Some(bytes) = ok(frame).data_ref() {
            each(bytes);
        }
    }
}

/// One GET; the body hashed, or written, or neither.
async fn get(http: &Http, args: &Args) -> u64 {
    let answer = http.send("GET", &format!("/bench/size-{LARGE}"), full(Bytes::new()), 0, sign::EMPTY).await;
    let (mut hash, mut sink) = (Sum::new(&args.extra), Sink::new(args));
    drain(answer, |bytes| {
        hash.update(bytes);
        sink.write(bytes);
    })
    .await;
    sink.length()
}

async fn get_ranges(http: &Http, args: &Args) -> u64 {
    together(parts(args), args.conc, |number| async move {
        let ((start, end), mut sink) = (part(args, number), Sink::new(args));
        let request = Request::builder().uri(format!("{}/bench/size-{LARGE}", http.base));
        let request = request.header("range", format!("bytes={start}-{}", end - 1)).body(full(Bytes::new()));
        drain(http.answer(ok(request), sign::EMPTY).await, |bytes| sink.write(bytes)).await;
        sink.length()
    })
    .await
}

/// One PUT of a file, block by block.
async fn put(http: &Http, args: &Args) -> u64 {
    let file = ok(File::open(&args.file));
    let length = ok(file.metadata()).len();
    let blocks = stream::unfold((file, Sum::new(&args.extra)), |(mut file, mut hash)| async move {
        let mut block = vec![0; BLOCK];
        let read = ok(std::io::Read::read(&mut file, &mut block));
        block.truncate(read);
        hash.update(&block);
        (read > 0).then(|| (Ok(Frame::data(Bytes::from(block))), (file, hash)))
    });
    let body = StreamBody::new(blocks).boxed_unsync();
    drain(http.send("PUT", "/bench/up", body, length, "UNSIGNED-PAYLOAD").await, |_| ()).await;
    length
}

/// A file in parts: each read, hashed or signed if asked, and sent, on a task of its own.
async fn put_parts(http: &Http, args: &Args) -> u64 {
    let file = Arc::new(ok(File::open(&args.file)));
    http.bytes("POST", "/bench/up?uploads=", Bytes::new()).await;
    let sent = together(parts(args), args.conc, |number| {
        let (http, file, args) = (http.clone(), Arc::clone(&file), args.clone());
        let call = tokio::spawn(async move {
            let (start, end) = part(&args, number);
            let mut block = vec![0; (end - start) as usize];
            ok(file.read_exact_at(&mut block, start));
            Sum::new(&args.extra).update(&block);
            let path = format!("/bench/up?partNumber={}&uploadId=upload-1", number + 1);
            http.bytes("PUT", &path, block.into()).await;
            end - start
        });
        async { ok(call.await) }
    })
    .await;
    let complete = Bytes::from_static(b"<CompleteMultipartUpload/>");
    http.bytes("POST", "/bench/up?uploadId=upload-1", complete).await;
    sent
}

async fn small(http: &Http, args: &Args, put: bool) -> u64 {
    let body = &Bytes::from(vec![7; SMALL]);
    together(args.n, args.conc, |n| async move {
        if put {
            http.bytes("PUT", &format!("/bench/up/{n:06}.bin"), body.clone()).await;
        } else if http.bytes("GET", &format!("/bench/small/{n:06}.bin"), Bytes::new()).await.len() != SMALL {
            die("a short object");
        }
        1
    })
    .await
}

/// Pages of a thousand keys; the token of the next is computed.
async fn list(http: &Http, args: &Args) -> u64 {
    let (mut done, mut token) = (0, String::new());
    while done < args.n as u64 {
        let page = http.bytes("GET", &format!("/bench?list-type=2{token}"), Bytes::new()).await;
        done += parse::count(&args.extra, &page).unwrap_or(1000);
        token = format!("&continuation-token=object-{:09}.bin", done - 1);
    }
    done
}

/// Pages of 300 records; the name that the next begins with is computed.
async fn route53(http: &Http, args: &Args) -> u64 {
    let mut done = 0;
    while done < args.n as u64 {
        let name = format!("host-{done:08}.bench.example.");
        let path = format!("/2013-04-01/hostedzone/Z1/rrset?name={name}&type=A&maxitems=300");
        let page = http.bytes("GET", &path, Bytes::new()).await;
        done += parse::count(&args.extra, &page).unwrap_or(300.min(args.n as u64 - done));
    }
    done
}

/// Any other listing, in one answer: `--extra "/path parser"`.
async fn fetch(http: &Http, args: &Args) -> u64 {
    let (path, parser) = args.extra.split_once(' ').unwrap_or((&args.extra, ""));
    let page = http.bytes("GET", path, Bytes::new()).await;
    parse::count(parser, &page).unwrap_or(args.n as u64)
}

async fn create(http: &Http, args: &Args) -> u64 {
    together(args.n, args.conc, |n| async move {
        let form = format!(
            "Action=RunInstances&Version=2016-11-15&ImageId=ami-1&InstanceType=m5.large&MinCount=1&MaxCount=1&ClientToken=t-{n}"
        );
        http.bytes("POST", "/", form.into()).await;
        1
    })
    .await
}

fn main() {
    let args = Args::parse();
    if args.job == "micro" {
        return micro::run(&args);
    }
    run(&args, async {
        let http = Http::new(&args);
        match args.job.as_str() {
            "get" => get(&http, &args).await,
            "get-ranges" => get_ranges(&http, &args).await,
            "put" => put(&http, &args).await,
            "put-parts" => put_parts(&http, &args).await,
            "put-small" => small(&http, &args, true).await,
            "get-small" => small(&http, &args, false).await,
            "list" => list(&http, &args).await,
            "r53" => route53(&http, &args).await,
            "fetch" => fetch(&http, &args).await,
            "create" => create(&http, &args).await,
            "cold" => http.bytes("GET", "/", Bytes::new()).await.len() as u64,
            _ => args.unknown_job(),
        }
    });
}
