//! The storage jobs through rust-s3.

use bench_common::{Args, LARGE, SMALL, die, ok, run, together};
use s3::creds::Credentials;
use s3::{Bucket, Region};

fn bucket(args: &Args) -> Box<Bucket> {
    let region = Region::Custom { region: "us-east-1".into(), endpoint: args.endpoint.clone() };
    let credentials = ok(Credentials::new(Some("key"), Some("secret"), None, None, None));
    ok(Bucket::new("bench", region, credentials)).with_path_style()
}

async fn get(bucket: &Bucket) -> u64 {
    ok(bucket.get_object_to_writer(format!("size-{LARGE}"), &mut tokio::io::sink()).await);
    // It does not say how much it was.
    LARGE
}

async fn put(bucket: &Bucket, args: &Args) -> u64 {
    let mut file = ok(tokio::fs::File::open(&args.file).await);
    ok(bucket.put_object_stream(&mut file, "up").await);
    ok(std::fs::metadata(&args.file)).len()
}

async fn small(bucket: &Bucket, args: &Args, put: bool) -> u64 {
    let body = &vec![7; SMALL];
    together(args.n, args.conc, |n| async move {
        if put {
            ok(bucket.put_object(format!("up/{n:06}.bin"), body).await);
        } else if ok(bucket.get_object(format!("small/{n:06}.bin")).await).bytes().len() != SMALL {
            die("a short object");
        }
        1
    })
    .await
}

async fn list(bucket: &Bucket) -> u64 {
    let (mut count, mut token) = (0, None);
    loop {
        let (page, _) = ok(bucket.list_page(String::new(), None, token, None, None).await);
        count += page.contents.len() as u64;
        token = page.next_continuation_token;
        if token.is_none() {
            return count;
        }
    }
}

fn main() {
    let args = Args::parse();
    run(&args, async {
        let bucket = bucket(&args);
        match args.job.as_str() {
            "get" => get(&bucket).await,
            "put-parts" => put(&bucket, &args).await,
            "put-small" => small(&bucket, &args, true).await,
            "get-small" => small(&bucket, &args, false).await,
            "list" => list(&bucket).await,
            "cold" => ok(bucket.head_object("size-1").await).0.content_length.unwrap_or_default() as u64,
            _ => args.unknown_job(),
        }
    });
}
