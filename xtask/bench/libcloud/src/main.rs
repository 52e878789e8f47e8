//! Our library under the command line of the peers, as a program would use it: by the traits, with their defaults.

use std::sync::Arc;

use bench_common::{Args, LARGE, SMALL, Sink, die, ok, part, parts, run, together};
use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use libcloud::compute::{self, ComputeDriver, CreateNode, NodeImage, NodeSize};
use libcloud::dns::{self, Zone};
use libcloud::storage::{
    self, ByteRange, Container, ListObjects, Object, StorageDriver, StreamObject, UploadBody, UploadObject,
};
use libcloud::{Config, Options, TransportConfig};

fn config(args: &Args) -> Config {
    let mut transport = TransportConfig::new();
    transport.pool_size = transport.pool_size.max(args.conc);
    if let Some(path) = &args.ca {
        transport = transport.ca_file(path);
    }
    let config = Config::new("key", "secret")
        .region("us-east-1")
        .endpoint(ok(args.endpoint.parse()))
        .transport(transport);
    // The digest beside the signature instead of in it, by the one that Amazon has for it.
    if args.extra == "crc64" {
        config.option("dialect", "amazon").option("payload_signing", false)
    } else {
        config
    }
}

fn s3(args: &Args) -> Arc<dyn StorageDriver> {
    ok(storage::get_driver(storage::Provider::S3, config(args)))
}

fn ec2(args: &Args) -> Arc<dyn ComputeDriver> {
    ok(compute::get_driver(compute::Provider::EC2, config(args)))
}

fn nova(args: &Args) -> Arc<dyn ComputeDriver> {
    let config = config(args).option("ex_tenant_name", "bench").option("ex_domain_name", "Default");
    let config = config.option("ex_force_auth_url", format!("{}/v3", args.endpoint)).region("RegionOne");
    ok(compute::get_driver(compute::Provider::OPENSTACK, config))
}

/// The large object, all of it or a range.
async fn get(s3: &dyn StorageDriver, args: &Args, options: StreamObject) -> u64 {
    let object = Object::from_names("bench", format!("size-{LARGE}"));
    let mut stream = ok(s3.download_object_as_stream_with(&object, options).await);
    let mut sink = Sink::new(args);
    while let Some(bytes) = ok(stream.try_next().await) {
        sink.write(&bytes);
    }
    sink.length()
}

async fn get_ranges(s3: &dyn StorageDriver, args: &Args) -> u64 {
    together(parts(args), args.conc, |number| {
        let (start, end) = part(args, number);
        get(s3, args, StreamObject::new().range(ok(ByteRange::new(start, Some(end)))))
    })
    .await
}

async fn put(s3: &dyn StorageDriver, args: &Args) -> u64 {
    let (body, container) = (ok(UploadBody::from_file(&args.file).await), Container::from_id("bench"));
    ok(s3.upload_object_via_stream_with(body, &container, "up", UploadObject::new()).await).size
}

/// So many MiB of which nobody is told how many they are.
async fn put_stream(s3: &dyn StorageDriver, args: &Args) -> u64 {
    let piece = Bytes::from(vec![7; 256 << 10]);
    let body = UploadBody::new(stream::iter((0..args.n * 4).map(move |_| Ok(piece.clone()))));
    let container = Container::from_id("bench");
    ok(s3.upload_object_via_stream_with(body, &container, "up", UploadObject::new()).await).size
}

async fn put_small(s3: &dyn StorageDriver, args: &Args) -> u64 {
    let (container, body) = (&Container::from_id("bench"), &Bytes::from(vec![7; SMALL]));
    together(args.n, args.conc, |n| async move {
        let (name, body) = (format!("up/{n:06}.bin"), UploadBody::from(body.clone()));
        ok(s3.upload_object_via_stream_with(body, container, &name, UploadObject::new()).await);
        1
    })
    .await
}

async fn get_small(s3: &dyn StorageDriver, args: &Args) -> u64 {
    together(args.n, args.conc, |n| async move {
        let object = Object::from_names("bench", format!("small/{n:06}.bin"));
        let stream = ok(s3.download_object_as_stream_with(&object, StreamObject::new()).await);
        let length = ok(stream.try_fold(0, |sum, bytes| async move { Ok(sum + bytes.len()) }).await);
        if length != SMALL {
            die(format!("an object of {length} bytes"));
        }
        1
    })
    .await
}

async fn create(ec2: &dyn ComputeDriver, args: &Args) -> u64 {
    let (size, image) = (&NodeSize::from_id("m5.large"), &NodeImage::from_id("ami-1"));
    together(args.n, args.conc, |n| async move {
        let node = ok(ec2.create_node(CreateNode::new(format!("node-{n}"), size, image)).await);
        u64::from(!node.id.is_empty())
    })
    .await
}

/// Every item is made and dropped, as a program would that looks at each.
async fn count<T>(items: libcloud::common::BoxStream<'static, libcloud::Result<T>>) -> u64 {
    ok(items
        .try_fold(0, |sum, item| async move {
            std::hint::black_box(item);
            Ok(sum + 1)
        })
        .await)
}

fn main() {
    let args = Args::parse();
    run(&args, async {
        match args.job.as_str() {
            "get" => get(&*s3(&args), &args, StreamObject::new()).await,
            "get-ranges" => get_ranges(&*s3(&args), &args).await,
            "put" | "put-parts" => put(&*s3(&args), &args).await,
            "put-stream" => put_stream(&*s3(&args), &args).await,
            "put-small" => put_small(&*s3(&args), &args).await,
            "get-small" => get_small(&*s3(&args), &args).await,
            "list" => {
                let container = Container::from_id("bench");
                count(s3(&args).iterate_container_objects_with(&container, ListObjects::new())).await
            }
            "ec2-list" => count(ec2(&args).iterate_nodes_with(Options::new())).await,
            "nova-list" => count(nova(&args).iterate_nodes_with(Options::new())).await,
            "r53-list" => {
                let mut zone = Zone::from_id("Z1");
                zone.domain = "bench.example".into();
                let driver = ok(dns::get_driver(dns::Provider::ROUTE53, config(&args)));
                count(driver.iterate_records_with(&zone, Options::new())).await
            }
            "create" => create(&*ec2(&args), &args).await,
            "cold" => count(s3(&args).iterate_containers_with(Options::new())).await,
            _ => args.unknown_job(),
        }
    });
}
