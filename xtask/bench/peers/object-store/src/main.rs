//! The storage jobs through object_store.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use bench_common::{Args, LARGE, SMALL, Sink, die, ok, part, parts, run, together};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{Certificate, ClientOptions, ObjectStore as _, ObjectStoreExt as _, WriteMultipart};

fn store(args: &Args) -> AmazonS3 {
    let mut client = ClientOptions::new().with_allow_http(true);
    if let Some(path) = &args.ca {
        client = client.with_root_certificate(ok(Certificate::from_pem(&ok(std::fs::read(path)))));
    }
    let builder = AmazonS3Builder::new().with_endpoint(&args.endpoint).with_bucket_name("bench");
    let builder = builder.with_region("us-east-1").with_client_options(client);
    ok(builder.with_access_key_id("key").with_secret_access_key("secret").build())
}

fn large() -> Path {
    Path::from(format!("size-{LARGE}"))
}

async fn get(bucket: &AmazonS3, args: &Args) -> u64 {
    let (mut stream, mut sink) = (ok(bucket.get(&large()).await).into_stream(), Sink::new(args));
    while let Some(bytes) = ok(stream.try_next().await) {
        sink.write(&bytes);
    }
    sink.length()
}

async fn get_ranges(bucket: &AmazonS3, args: &Args) -> u64 {
    together(parts(args), args.conc, |number| async move {
        let (start, end) = part(args, number);
        ok(bucket.get_range(&large(), start..end).await).len() as u64
    })
    .await
}

async fn put(bucket: &AmazonS3, args: &Args) -> u64 {
    let file = ok(File::open(&args.file));
    let upload = ok(bucket.put_multipart(&Path::from("up")).await);
    let mut writer = WriteMultipart::new_with_chunk_size(upload, args.part);
    let mut done = 0;
    for number in 0..parts(args) {
        let (start, end) = part(args, number);
        let mut block = vec![0; (end - start) as usize];
        ok(file.read_exact_at(&mut block, start));
        done += block.len() as u64;
        ok(writer.wait_for_capacity(args.conc).await);
        writer.put(block.into());
    }
    ok(writer.finish().await);
    done
}

/// So many MiB of which it is not told how many they are.
async fn put_stream(bucket: &AmazonS3, args: &Args) -> u64 {
    let piece = vec![7; 256 << 10];
    let upload = ok(bucket.put_multipart(&Path::from("up")).await);
    let mut writer = WriteMultipart::new_with_chunk_size(upload, args.part);
    for _ in 0..args.n * 4 {
        ok(writer.wait_for_capacity(args.conc).await);
        writer.write(&piece);
    }
    ok(writer.finish().await);
    args.n as u64 * (1 << 20)
}

async fn small(bucket: &AmazonS3, args: &Args, put: bool) -> u64 {
    let body = &Bytes::from(vec![7; SMALL]);
    together(args.n, args.conc, |n| async move {
        if put {
            ok(bucket.put(&Path::from(format!("up/{n:06}.bin")), body.clone().into()).await);
        } else {
            let found = ok(bucket.get(&Path::from(format!("small/{n:06}.bin"))).await);
            if ok(found.bytes().await).len() != SMALL {
                die("a short object");
            }
        }
        1
    })
    .await
}

async fn list(bucket: &AmazonS3) -> u64 {
    let (mut objects, mut count) = (bucket.list(None), 0);
    while let Some(object) = ok(objects.try_next().await) {
        std::hint::black_box(object.size);
        count += 1;
    }
    count
}

fn main() {
    let args = Args::parse();
    run(&args, async {
        let bucket = store(&args);
        match args.job.as_str() {
            "get" => get(&bucket, &args).await,
            "get-ranges" => get_ranges(&bucket, &args).await,
            "put-parts" => put(&bucket, &args).await,
            "put-stream" => put_stream(&bucket, &args).await,
            "put-small" => small(&bucket, &args, true).await,
            "get-small" => small(&bucket, &args, false).await,
            "list" => list(&bucket).await,
            "cold" => ok(bucket.head(&Path::from("size-1")).await).size,
            _ => args.unknown_job(),
        }
    });
}
