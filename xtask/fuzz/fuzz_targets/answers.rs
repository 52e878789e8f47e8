//! Every driver, every method, and any answer: status, headers and body are the fuzzer's.
#![no_main]

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use libcloud::common::{Map, MethodInfo, Value};
use libcloud::{Config, ManualClock, Registry, TransportConfig};
use libcloud_testkit::sample;
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Runtime;

/// What the server answers next.
type Answer = Arc<Mutex<Vec<u8>>>;

struct World {
    runtime: Runtime,
    answer: Answer,
    calls: Vec<Call>,
}

/// A method of a driver, with arguments that it takes.
type Call = Box<dyn Fn(&Runtime)>;

fn world() -> World {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answer = Answer::default();
    let address = runtime.block_on(serve(Arc::clone(&answer)));
    let transport = TransportConfig::new().retries(0).connect_to(address);
    let clock = ManualClock::at("2024-05-01T08:30:00Z".parse().expect("a time"));
    let config = Config::new("key", "c2VjcmV0").clock(clock).transport(transport);
    let registry = Registry::builtin();
    let mut calls: Vec<Call> = Vec::new();
    macro_rules! service {
        ($service:ident) => {
            for registration in registry.$service.iter() {
                let id = registration.descriptor.id;
                // These have no server.
                if matches!(id, "dummy" | "local") {
                    continue;
                }
                let driver = registry.$service.get_driver(id, configured(id, &config)).expect(id);
                for MethodInfo { name, args, .. } in driver.methods() {
                    // Waiting is not the matter here, and files are not to be written.
                    if name.contains("wait") || args.iter().any(|arg| arg.ty == "path") {
                        continue;
                    }
                    let required = args.iter().filter(|arg| arg.required);
                    let args: Map<String, Value> =
                        required.map(|arg| (arg.name.to_owned(), sample(arg.ty))).collect();
                    let driver = Arc::clone(&driver);
                    calls.push(Box::new(move |runtime| {
                        let outcome = runtime.block_on(driver.call(name, Value::Object(args.clone())));
                        if let Err(error) = outcome {
                            let _ = (
                                error.to_string(),
                                format!("{error:#}"),
                                format!("{error:?}"),
                                error.to_json(),
                            );
                        }
                    }));
                }
            }
        };
    }
    service!(compute);
    service!(storage);
    service!(loadbalancer);
    service!(dns);
    assert!(!calls.is_empty());
    World { runtime, answer, calls }
}

/// What a driver needs beside key and secret.
fn configured(id: &str, config: &Config) -> Config {
    match id {
        "openstack" => {
            let mut config = config.clone();
            config.auth_url = "https://keystone.example/v3".parse().ok();
            config.option("ex_tenant_name", "demo")
        }
        "cloudstack" => {
            let mut config = config.clone();
            config.host = Some("cloud.example".to_owned());
            config
        }
        // Every installation has an address of its own.
        "eucalyptus" | "minio" | "nimbus" => {
            config.clone().endpoint("https://cloud.example/services/Cloud".parse().expect("a URL"))
        }
        _ => config.clone(),
    }
}

/// Reads the head of each request, answers as told, and closes.
async fn serve(answer: Answer) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read(&mut [0; 64 << 10]).await;
            let bytes = answer.lock().expect("one thread").clone();
            let _ = socket.write_all(&bytes).await;
        }
    });
    address
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

const STATUSES: [u16; 16] = [200, 200, 200, 200, 201, 202, 204, 206, 300, 302, 400, 401, 404, 409, 429, 500];
const TYPES: [&str; 4] = ["application/json", "text/xml", "application/octet-stream", "text/html"];

fuzz_target!(|data: &[u8]| {
    let [method, more, head, rest @ ..] = data else { return };
    WORLD.with_borrow_mut(|world| {
        let world = world.get_or_insert_with(self::world);
        let index = usize::from(u16::from_be_bytes([*method, *more])) % world.calls.len();
        // Up to an empty line the data are headers, then they are the body.
        let at = rest.windows(2).position(|pair| pair == b"\n\n").unwrap_or_default();
        let (headers, body) = rest.split_at(at);
        let status = STATUSES[usize::from(head % 16)];
        let kind = TYPES[usize::from(head / 64)];
        let mut answer =
            format!("HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Type: {kind}\r\n").into_bytes();
        for line in headers.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            answer.extend_from_slice(line);
            answer.extend_from_slice(b"\r\n");
        }
        answer.extend_from_slice(b"\r\n");
        answer.extend_from_slice(body.get(2..).unwrap_or(body));
        *world.answer.lock().expect("one thread") = answer;
        (world.calls[index])(&world.runtime);
    });
});
