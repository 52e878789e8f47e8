//! The compute jobs through aws-sdk-ec2.

use aws_config::BehaviorVersion;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::{Config, Credentials, Region};
use aws_sdk_ec2::types::InstanceType;
use bench_common::{Args, ok, run, together};

fn client(args: &Args) -> Client {
    let config = Config::builder().behavior_version(BehaviorVersion::latest()).endpoint_url(&args.endpoint);
    let credentials = Credentials::new("key", "secret", None, None, "bench");
    Client::from_conf(config.region(Region::new("us-east-1")).credentials_provider(credentials).build())
}

/// Pages of a thousand.
async fn list(client: &Client) -> u64 {
    let (mut count, mut token) = (0, None);
    loop {
        let page = ok(client.describe_instances().set_next_token(token).max_results(1000).send().await);
        count += page.reservations().iter().map(|each| each.instances().len() as u64).sum::<u64>();
        token = page.next_token;
        if token.is_none() {
            return count;
        }
    }
}

async fn create(client: &Client, args: &Args) -> u64 {
    together(args.n, args.conc, |_| async move {
        let call = client.run_instances().image_id("ami-1").instance_type(InstanceType::M5Large);
        ok(call.min_count(1).max_count(1).send().await).instances().len() as u64
    })
    .await
}

fn main() {
    let args = Args::parse();
    run(&args, async {
        let client = client(&args);
        match args.job.as_str() {
            "ec2-list" => list(&client).await,
            "create" => create(&client, &args).await,
            _ => args.unknown_job(),
        }
    });
}
