//! The storage jobs through opendal.

use bench_common::{Args, LARGE, SMALL, Sink, die, ok, run, together};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _};
use opendal::Operator;
use opendal::services::S3;
use tokio::io::AsyncReadExt as _;

fn operator(args: &Args) -> Operator {
    opendal::install_default();
    let s3 = S3::default().endpoint(&args.endpoint).bucket("bench").region("us-east-1");
    ok(Operator::new(s3.access_key_id("key").secret_access_key("secret").disable_config_load()))
}

async fn get(bucket: &Operator, args: &Args) -> u64 {
    let name = format!("size-{LARGE}");
    let mut reader = bucket.reader_with(&name).concurrent(args.conc);
    if args.conc > 1 {
        reader = reader.chunk(args.part);
    }
    let (mut stream, mut sink) = (ok(ok(reader.await).into_bytes_stream(..).await), Sink::new(args));
    while let Some(bytes) = ok(stream.try_next().await) {
        sink.write(&bytes);
    }
    sink.length()
}

async fn put(bucket: &Operator, args: &Args) -> u64 {
    let mut file = ok(tokio::fs::File::open(&args.file).await);
    let mut writer = ok(bucket.writer_with("up").concurrent(args.conc).chunk(args.part).await);
    let mut done = 0;
    loop {
        let mut block = BytesMut::with_capacity(args.part);
        while block.len() < args.part && ok(file.read_buf(&mut block).await) > 0 {}
        if block.is_empty() {
            break;
        }
        done += block.len() as u64;
        ok(writer.write(block.freeze()).await);
    }
    ok(writer.close().await);
    done
}

async fn small(bucket: &Operator, args: &Args, put: bool) -> u64 {
    let body = &Bytes::from(vec![7; SMALL]);
    together(args.n, args.conc, |n| async move {
        if put {
            ok(bucket.write(&format!("up/{n:06}.bin"), body.clone()).await);
        } else if ok(bucket.read(&format!("small/{n:06}.bin")).await).len() != SMALL {
            die("a short object");
        }
        1
    })
    .await
}

async fn list(bucket: &Operator) -> u64 {
    let (mut entries, mut count) = (ok(bucket.lister_with("").recursive(true).await), 0);
    while let Some(entry) = entries.next().await {
        std::hint::black_box(ok(entry).metadata().content_length());
        count += 1;
    }
    count
}

fn main() {
    let args = Args::parse();
    run(&args, async {
        let bucket = operator(&args);
        match args.job.as_str() {
            "get" => get(&bucket, &args).await,
            "put-parts" => put(&bucket, &args).await,
            "put-small" => small(&bucket, &args, true).await,
            "get-small" => small(&bucket, &args, false).await,
            "list" => list(&bucket).await,
            "cold" => ok(bucket.stat("size-1").await).content_length(),
            _ => args.unknown_job(),
        }
    });
}
