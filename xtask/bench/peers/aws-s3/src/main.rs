//! The storage jobs through aws-sdk-s3, as its documentation shows them: with its checksums.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use aws_config::BehaviorVersion;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Config, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bench_common::{Args, LARGE, SMALL, Sink, die, ok, part, parts, run, together};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

fn client(args: &Args) -> Client {
    let config = Config::builder().behavior_version(BehaviorVersion::latest()).endpoint_url(&args.endpoint);
    let config = config.region(Region::new("us-east-1")).force_path_style(true);
    let credentials = Credentials::new("key", "secret", None, None, "bench");
    Client::from_conf(config.credentials_provider(credentials).build())
}

/// The large object, all of it or a range.
async fn get(client: &Client, args: &Args, range: Option<String>) -> u64 {
    let call = client.get_object().bucket("bench").key(format!("size-{LARGE}")).set_range(range);
    let (mut body, mut sink) = (ok(call.send().await).body, Sink::new(args));
    while let Some(bytes) = body.next().await {
        sink.write(&ok(bytes));
    }
    sink.length()
}

async fn get_ranges(client: &Client, args: &Args) -> u64 {
    together(parts(args), args.conc, |number| {
        let (start, end) = part(args, number);
        get(client, args, Some(format!("bytes={start}-{}", end - 1)))
    })
    .await
}

async fn put(client: &Client, args: &Args) -> u64 {
    let body = ok(ByteStream::from_path(&args.file).await);
    ok(client.put_object().bucket("bench").key("up").body(body).send().await);
    ok(std::fs::metadata(&args.file)).len()
}

async fn put_parts(client: &Client, args: &Args) -> u64 {
    let file = Arc::new(ok(File::open(&args.file)));
    let upload = ok(client.create_multipart_upload().bucket("bench").key("up").send().await);
    let id = upload.upload_id.unwrap_or_default();
    let calls = stream::iter(0..parts(args)).map(|number| {
        let (start, end) = part(args, number);
        let (client, file, id) = (client.clone(), Arc::clone(&file), id.clone());
        let call = tokio::spawn(async move {
            let mut block = vec![0; (end - start) as usize];
            ok(file.read_exact_at(&mut block, start));
            let number = number as i32 + 1;
            let call = client.upload_part().bucket("bench").key("up").upload_id(id).part_number(number);
            let sent = ok(call.body(ByteStream::from(block)).send().await);
            let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
            part.set_checksum_crc32(sent.checksum_crc32).build()
        });
        async { ok(call.await) }
    });
    let mut sent: Vec<CompletedPart> = calls.buffer_unordered(args.conc).collect().await;
    sent.sort_by_key(|part| part.part_number);
    let whole = CompletedMultipartUpload::builder().set_parts(Some(sent)).build();
    let call = client.complete_multipart_upload().bucket("bench").key("up").upload_id(id);
    ok(call.multipart_upload(whole).send().await);
    LARGE
}

async fn small(client: &Client, args: &Args, put: bool) -> u64 {
    let body = &Bytes::from(vec![7; SMALL]);
    together(args.n, args.conc, |n| async move {
        if put {
            let call = client.put_object().bucket("bench").key(format!("up/{n:06}.bin"));
            ok(call.body(body.clone().into()).send().await);
        } else {
            let found = ok(client.get_object().bucket("bench").key(format!("small/{n:06}.bin")).send().await);
            if ok(found.body.collect().await).into_bytes().len() != SMALL {
                die("a short object");
            }
        }
        1
    })
    .await
}

async fn list(client: &Client) -> u64 {
    let mut pages = client.list_objects_v2().bucket("bench").into_paginator().send();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        count += ok(page).contents().len() as u64;
    }
    count
}

fn main() {
    let args = Args::parse();
    run(&args, async {
        let client = client(&args);
        match args.job.as_str() {
            "get" => get(&client, &args, None).await,
            "get-ranges" => get_ranges(&client, &args).await,
            "put" => put(&client, &args).await,
            "put-parts" => put_parts(&client, &args).await,
            "put-small" => small(&client, &args, true).await,
            "get-small" => small(&client, &args, false).await,
            "list" => list(&client).await,
            "cold" => ok(client.list_buckets().send().await).buckets().len() as u64,
            _ => args.unknown_job(),
        }
    });
}
