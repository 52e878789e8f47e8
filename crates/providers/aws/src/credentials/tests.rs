use std::sync::Arc;

use libcloud_common::{ErrorKind, ManualClock, Sources};
use libcloud_testkit::{Exchange, Mock, matching};

use super::*;
use crate::connection::{QueryConnection, Service};
use crate::signer::SignatureVersion;

const NOW: &str = "2024-05-01T08:30:00Z";

fn clock() -> ManualClock {
    ManualClock::at(NOW.parse().unwrap())
}

fn search(variables: &[(&str, &str)], files: &[(&str, &str)]) -> Search {
    Search::new(&Sources::of(variables.iter().copied(), files.iter().copied()))
}

fn found(config: &Config, variables: &[(&str, &str)], files: &[(&str, &str)]) -> Credentials {
    Credentials::find(config, None, &mut search(variables, files)).unwrap()
}

const VARIABLES: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "env-key"),
    ("AWS_SECRET_ACCESS_KEY", "env-secret"),
    ("AWS_SESSION_TOKEN", "env-token"),
];

#[tokio::test]
async fn the_configuration_wins_and_is_not_mixed_with_the_environment() {
    let found = found(&Config::new("key", "secret"), &[("AWS_REGION", "eu-west-1")], &[]);
    let key = found.key().await.unwrap();
    assert_eq!((key.access_key.expose(), key.secret_key.expose()), ("key", "secret"));
    assert_eq!((&key.token, found.region()), (&None, None));

    let error = Credentials::find(&Config::with_key("key"), None, &mut search(&VARIABLES, &[])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    assert_eq!(error.to_string(), "the secret key is missing: give it in the configuration");
}

#[tokio::test]
async fn the_environment_is_asked_when_there_is_no_key() {
    let mut search = search(&VARIABLES, &[]);
    let found = Credentials::find(&Config::anonymous(), None, &mut search).unwrap();
    let key = found.key().await.unwrap();
    assert_eq!((key.access_key.expose(), key.secret_key.expose()), ("env-key", "env-secret"));
    assert_eq!(key.token.as_ref().unwrap().expose(), "env-token");
    let found: Vec<_> =
        search.looks().iter().filter(|look| look.found).map(|look| look.place.as_str()).collect();
    assert_eq!(
        found,
        [
            "the variable AWS_ACCESS_KEY_ID",
            "the variable AWS_SECRET_ACCESS_KEY",
            "the variable AWS_SESSION_TOKEN",
        ]
    );
}

#[tokio::test]
async fn a_region_goes_with_the_key_that_comes_from_elsewhere() {
    let mut variables = VARIABLES.to_vec();
    variables.push(("AWS_DEFAULT_REGION", "eu-west-2"));
    assert_eq!(found(&Config::anonymous(), &variables, &[]).region(), Some("eu-west-2"));
    variables.push(("AWS_REGION", "eu-west-3"));
    assert_eq!(found(&Config::anonymous(), &variables, &[]).region(), Some("eu-west-3"));
}

#[tokio::test]
async fn a_profile_that_is_asked_for_goes_before_the_variables() {
    let file = ("/home/me/.aws/credentials", "[work]\naws_access_key_id = k\naws_secret_access_key = s\n");
    let config = Config::anonymous().option("profile", "work");
    let key = found(&config, &VARIABLES, &[file]).key().await.unwrap();
    assert_eq!(key.access_key.expose(), "k");
    // `AWS_PROFILE` is one variable among others.
    let mut variables = VARIABLES.to_vec();
    variables.push(("AWS_PROFILE", "work"));
    let key = found(&Config::anonymous(), &variables, &[file]).key().await.unwrap();
    assert_eq!(key.access_key.expose(), "env-key");
}

#[test]
fn without_any_the_error_says_where_it_was_looked_for() {
    let error = Credentials::find(&Config::anonymous(), None, &mut search(&[], &[])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the access key is missing: give it in the configuration, the variable AWS_ACCESS_KEY_ID, the variable \
         AWS_WEB_IDENTITY_TOKEN_FILE, the profile `default` of /home/me/.aws/credentials and /home/me/.aws/config, the \
         variable AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, the variable AWS_CONTAINER_CREDENTIALS_FULL_URI or the \
         metadata service of an EC2 instance"
    );
}

fn written(n: u32, expires: &str) -> serde_json::Value {
    serde_json::json!({
        "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": NOW, "AccessKeyId": format!("ASIA{n}"),
        "SecretAccessKey": "canary", "Token": format!("token-{n}"), "Expiration": expires,
    })
}

fn imds(server: &Mock, role: &str) {
    server.expect(
        Exchange::put("/latest/api/token")
            .header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
            .no_header("authorization")
            .answers(200)
            .body("session-token\n"),
    );
    server.expect(
        Exchange::get("/latest/meta-data/iam/security-credentials/")
            .secret_header("x-aws-ec2-metadata-token", "session-token")
            .answers(200)
            .body(role.to_owned()),
    );
}

#[tokio::test]
async fn an_instance_tells_the_key_of_its_role_once_for_all_who_wait_and_before_it_expires() {
    let server = Mock::start();
    let clock = clock();
    let config = Config::anonymous().clock(clock.clone());
    let url = server.url();
    let credentials = found(&config, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str())], &[]);
    let fetched = |n, expires| {
        imds(&server, "web-role\n");
        server.expect(
            Exchange::get("/latest/meta-data/iam/security-credentials/web-role")
                .secret_header("x-aws-ec2-metadata-token", "session-token")
                .answers(200)
                .json(&written(n, expires)),
        );
    };
    fetched(1, "2024-05-01T09:30:00Z");
    let (a, b) = tokio::join!(credentials.key(), credentials.key());
    assert_eq!(a.unwrap().access_key.expose(), "ASIA1");
    let key = b.unwrap();
    assert_eq!((key.access_key.expose(), key.token.as_ref().unwrap().expose()), ("ASIA1", "token-1"));
    clock.advance(Duration::from_secs(55 * 60 - 1));
    assert_eq!(credentials.key().await.unwrap().access_key.expose(), "ASIA1");
    clock.advance(Duration::from_secs(1));
    fetched(2, "2024-05-01T15:30:00Z");
    assert_eq!(credentials.key().await.unwrap().access_key.expose(), "ASIA2");

    // What the provider refuses is given up, unless it is known already.
    assert!(credentials.refused("token-1").await);
    assert_eq!(credentials.key().await.unwrap().access_key.expose(), "ASIA2");
    assert!(credentials.refused("token-2").await);
    fetched(3, "2024-05-01T15:30:00Z");
    assert_eq!(credentials.key().await.unwrap().access_key.expose(), "ASIA3");
    assert!(!format!("{credentials:?}").contains("canary"));
}

#[tokio::test]
async fn a_key_that_the_service_calls_expired_is_fetched_anew() {
    const SERVICE: Service =
        Service { provider: "ec2", kind: "compute", name: "ec2", api_version: "2016-11-15" };
    let (server, metadata) = (Mock::start(), Mock::start());
    let url = metadata.url();
    let config = Config::anonymous().clock(clock()).endpoint(server.url());
    let credentials = found(&config, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str())], &[]);
    let connection = QueryConnection::new(&SERVICE, &config, credentials, SignatureVersion::V4).unwrap();
    for n in [1, 2] {
        imds(&metadata, "web-role");
        metadata.expect(
            Exchange::get("/latest/meta-data/iam/security-credentials/web-role")
                .answers(200)
                .json(&written(n, "2024-05-01T15:30:00Z")),
        );
    }
    let asked = |token: &str| {
        Exchange::post("/")
            .secret_header("x-amz-security-token", token)
            .body("Action=RebootInstances&Version=2016-11-15")
    };
    let expired = "<Response><Errors><Error><Code>ExpiredToken</Code></Error></Errors></Response>";
    server.expect(asked("token-1").answers(400).body(expired));
    server.expect(asked("token-2").answers(200).body("<Response><return>true</return></Response>"));
    // One that must not be sent twice may be: it was refused before it was done.
    connection.action("RebootInstances").done().await.unwrap();
}

#[tokio::test]
async fn an_instance_without_a_role_is_told() {
    let server = Mock::start();
    let url = server.url();
    let config = Config::anonymous().clock(clock());
    let credentials = found(&config, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str())], &[]);
    imds(&server, "");
    let error = credentials.key().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    assert!(error.to_string().contains("the instance has no role"), "{error}");
    imds(&server, "web-role");
    server.expect(
        Exchange::get("/latest/meta-data/iam/security-credentials/web-role")
            .answers(200)
            .json(&serde_json::json!({"Code": "AssumeRoleUnauthorizedAccess", "Message": "no trust"})),
    );
    let error = credentials.key().await.unwrap_err();
    assert!(error.to_string().contains("AssumeRoleUnauthorizedAccess no trust"), "{error}");
}

#[test]
fn only_what_looks_like_an_instance_is_asked() {
    let find = |variables: &[_], files: &[_]| {
        Credentials::find(&Config::anonymous(), None, &mut search(variables, files)).is_ok()
    };
    assert!(!find(&[], &[("/sys/class/dmi/id/sys_vendor", "QEMU\n")]));
    assert!(find(&[], &[("/sys/class/dmi/id/sys_vendor", "Amazon EC2\n")]));
    assert!(find(&[], &[("/sys/hypervisor/uuid", "EC2e1916-9099-7caf-fd21-012345abcdef\n")]));
    let disabled = [("AWS_EC2_METADATA_DISABLED", "True")];
    assert!(!find(&disabled, &[("/sys/class/dmi/id/sys_vendor", "Amazon EC2\n")]));
}

#[tokio::test]
async fn a_container_has_an_agent() {
    let server = Mock::start();
    let url = server.url().join("/v2/credentials/1?x").unwrap();
    let config = Config::anonymous().clock(clock());
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/run/token"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "not this"),
    ];
    let file = ("/var/run/token", "pod-token\n");
    let credentials = found(&config, &variables, &[file]);
    server.expect(
        Exchange::get("/v2/credentials/1")
            .secret_header("authorization", "pod-token")
            .answers(200)
            .json(&written(4, "2024-05-01T15:30:00Z")),
    );
    assert_eq!(credentials.key().await.unwrap().access_key.expose(), "ASIA4");

    let credentials = found(&config, &[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1")], &[]);
    assert!(format!("{credentials:?}").contains("Container(http://169.254.170.2/v2/credentials/1)"));
    for near in ["http://127.0.0.9/x", "http://[::1]/x", "http://localhost/x", "http://[fd00:ec2::23]/x"] {
        found(&config, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", near)], &[]);
    }
    found(&config, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://example.org/x")], &[]);
    for far in ["http://example.org/x", "http://169.254.170.3/x", "http://localhost.example.org/x"] {
        let error = Credentials::find(
            &config,
            None,
            &mut search(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", far)], &[]),
        );
        assert!(error.unwrap_err().to_string().contains("not HTTPS"), "{far}");
    }
}

fn sts_answer(action: &str, n: u32) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result><Credentials>\
         <AccessKeyId>ASIA{n}</AccessKeyId><SecretAccessKey>canary</SecretAccessKey>\
         <SessionToken>token-{n}</SessionToken><Expiration>2024-05-01T09:30:00Z</Expiration>\
         </Credentials></{action}Result></{action}Response>"
    )
}

#[tokio::test]
async fn a_web_identity_becomes_a_role() {
    let server = Mock::start();
    let config = Config::anonymous().clock(clock()).endpoint(server.url());
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/jwt"),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/pod"),
        ("AWS_ROLE_SESSION_NAME", "pod-7"),
    ];
    let credentials = found(&config, &variables, &[("/var/run/jwt", "eyJ.a.b\n")]);
    server.expect(
        Exchange::post("/")
            .no_header("authorization")
            .body(
                "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fpod\
                 &RoleSessionName=pod-7&WebIdentityToken=eyJ.a.b",
            )
            .answers(200)
            .body(sts_answer("AssumeRoleWithWebIdentity", 5)),
    );
    assert_eq!(credentials.key().await.unwrap().access_key.expose(), "ASIA5");

    let error = Credentials::find(&config, None, &mut search(&variables[..1], &[])).unwrap_err();
    assert!(error.to_string().contains("AWS_ROLE_ARN is missing, too"), "{error}");
    let gone = found(&config, &variables, &[]).key().await.unwrap_err();
    assert!(gone.to_string().contains("/var/run/jwt: there is no such file"), "{gone}");
}

#[tokio::test]
async fn a_profile_takes_a_role_with_the_key_of_another() {
    let server = Mock::start();
    let config = Config::anonymous().clock(clock()).endpoint(server.url()).option("profile", "prod");
    let file = (
        "/home/me/.aws/config",
        "[profile prod]\nrole_arn = arn:aws:iam::1:role/ops\nsource_profile = me\nexternal_id = x-1\n\
         duration_seconds = 900\nregion = eu-west-1\n[profile me]\naws_access_key_id = AKIAME\n\
         aws_secret_access_key = canary\n",
    );
    let credentials = found(&config, &[], &[file]);
    assert_eq!(credentials.region(), Some("eu-west-1"));
    server.expect(
        Exchange::post("/")
            .header("authorization", matching(".*Credential=AKIAME/20240501/eu-west-1/sts/aws4_request.*"))
            .body(
                "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fops\
                 &RoleSessionName=libcloud&ExternalId=x-1&DurationSeconds=900",
            )
            .answers(200)
            .body(sts_answer("AssumeRole", 6)),
    );
    let key = credentials.key().await.unwrap();
    assert_eq!((key.access_key.expose(), key.token.as_ref().unwrap().expose()), ("ASIA6", "token-6"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_tells_a_key() {
    let run = async |command: &str| {
        let file = format!("[default]\ncredential_process = {command}\n");
        let config = Config::anonymous().clock(clock());
        let found = found(&config, &[], &[("/home/me/.aws/config", file.as_str())]);
        assert!(!format!("{found:?}").contains("AKIAP"), "{found:?}");
        found.key().await
    };
    let key =
        run(r#"echo '{"Version": 1, "AccessKeyId": "AKIAP", "SecretAccessKey": "s", "SessionToken": "t"}'"#)
            .await
            .unwrap();
    assert_eq!((key.access_key.expose(), key.token.as_ref().unwrap().expose()), ("AKIAP", "t"));
    for (command, text) in [
        ("exit 3", "it ended with exit status: 3"),
        ("echo canary", "its answer is not as agreed"),
        (r#"echo '{"Version": 1, "AccessKeyId": "canary"}'"#, "no `AccessKeyId` and `SecretAccessKey`"),
    ] {
        let error = run(command).await.unwrap_err().to_string();
        assert!(error.contains(text) && !error.contains("canary"), "{error}");
    }
}

#[test]
fn clones_share_what_was_fetched() {
    let credentials =
        found(&Config::anonymous(), &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9")], &[]);
    let (Source::Fetched(a), Source::Fetched(b)) = (&credentials.source, &credentials.clone().source) else {
        panic!("{credentials:?}")
    };
    assert!(Arc::ptr_eq(a, b));
}
