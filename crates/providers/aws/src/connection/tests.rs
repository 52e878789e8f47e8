use http::HeaderMap;
use libcloud_common::{Search, Sources, json};

use super::*;

const EC2: Service = Service { provider: "ec2", kind: "compute", name: "ec2", api_version: "2016-11-15" };

fn connection(config: &Config) -> Result<QueryConnection> {
    let credentials = Credentials::find(config, None, &mut Search::new(&Sources::of([], [])))?;
    QueryConnection::new(&EC2, config, credentials, SignatureVersion::V4)
}

fn refused(status: u16, body: &str) -> Error {
    let status = StatusCode::from_u16(status).unwrap();
    check(&Response::new(status, HeaderMap::new(), body.to_owned())).unwrap_err()
}

fn error(status: u16, code: &str, message: &str) -> Error {
    refused(
        status,
        &format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
             <RequestID>req-1</RequestID></Response>"
        ),
    )
}

#[test]
fn the_region_decides_the_host() {
    for (region, host) in [
        (None, "ec2.us-east-1.amazonaws.com"),
        (Some("eu-west-1"), "ec2.eu-west-1.amazonaws.com"),
        (Some("cn-north-1"), "ec2.cn-north-1.amazonaws.com.cn"),
        (Some("mars-north-7"), "ec2.mars-north-7.amazonaws.com"),
    ] {
        let mut config = Config::new("key", "secret");
        config.region = region.map(Into::into);
        let connection = connection(&config).unwrap();
        assert_eq!(connection.http().base().as_str(), format!("https://{host}/"));
    }
}

#[test]
fn a_region_that_would_change_the_host_is_refused() {
    for region in ["", "us-east-1.evil.example", "a/b", "US-EAST-1", "ü", "a@b"] {
        let refused = connection(&Config::new("key", "secret").region(region)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{region}");
        assert!(refused.to_string().contains(&format!("`{region}`")), "{refused}");
    }
}

#[test]
fn parameters_are_numbered_from_one() {
    let connection = connection(&Config::new("key", "secret")).unwrap();
    let action = connection
        .action("RunInstances")
        .list("InstanceId", ["i-1", "i-2"])
        .opt("KeyName", None::<&str>)
        .filter("state", ["available"])
        .filters([("zone".to_owned(), vec!["a".to_owned(), "b".to_owned()])].into())
        .nested(
            "BlockDeviceMapping",
            &json!([{"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 8, "DeleteOnTermination": true}, "NoDevice": null}]),
        )
        .secret("UserData", "canary");
    let request = action.call();
    let printed = request.request().to_string();
    insta::assert_snapshot!(printed, @r"
    POST 

    Action=RunInstances
    Version=2016-11-15
    InstanceId.1=i-1
    InstanceId.2=i-2
    Filter.1.Name=state
    Filter.1.Value.1=available
    Filter.2.Name=zone
    Filter.2.Value.1=a
    Filter.2.Value.2=b
    BlockDeviceMapping.1.DeviceName=/dev/sdb
    BlockDeviceMapping.1.Ebs.DeleteOnTermination=true
    BlockDeviceMapping.1.Ebs.VolumeSize=8
    UserData=•••
    ");
}

#[test]
fn codes_decide_the_kind() {
    use ErrorKind::{
        AlreadyExists, InvalidCredentials, InvalidState, NotFound, Provider, QuotaExceeded, RateLimited,
    };
    for (status, code, kind, retryable) in [
        (401, "AuthFailure", InvalidCredentials, false),
        (403, "SignatureDoesNotMatch", InvalidCredentials, false),
        (403, "UnauthorizedOperation", InvalidCredentials, false),
        (400, "InvalidInstanceID.NotFound", NotFound, false),
        (400, "InvalidInstanceID.Malformed", NotFound, false),
        (400, "InvalidKeyPair.Duplicate", AlreadyExists, false),
        (503, "RequestLimitExceeded", RateLimited, true),
        (400, "Throttling", RateLimited, true),
        (400, "InstanceLimitExceeded", QuotaExceeded, false),
        (400, "VcpuLimitExceeded", QuotaExceeded, false),
        (400, "IncorrectInstanceState", InvalidState, false),
        (400, "InvalidGroup.InUse", InvalidState, false),
        (400, "InvalidParameterValue", Provider, false),
        (500, "InternalError", Provider, true),
        (503, "Unavailable", Provider, true),
    ] {
        let error = error(status, code, "no");
        assert_eq!((error.kind(), error.is_retryable()), (kind, retryable), "{code}");
        assert_eq!(error.code(), Some(code));
        assert_eq!(error.request_id(), Some("req-1"));
    }
}

#[test]
fn a_missing_resource_is_named() {
    let error = error(400, "InvalidInstanceID.NotFound", "The instance ID 'i-1' does not exist");
    assert_eq!(error.resource(), Some(("node", "i-1")));
    assert_eq!(error.to_string(), "The instance ID 'i-1' does not exist (InvalidInstanceID.NotFound)");
}

#[test]
fn what_is_no_error_document_keeps_its_status() {
    let page = refused(502, "<html><p>Bad gateway</html>");
    assert_eq!(page.status(), Some(StatusCode::BAD_GATEWAY));
    assert!(page.is_retryable());
    let other = refused(
        403,
        "<ErrorResponse><Error><Code>AccessDenied</Code></Error><RequestId>r</RequestId></ErrorResponse>",
    );
    assert_eq!(other.kind(), ErrorKind::InvalidCredentials);
    assert_eq!((other.code(), other.request_id()), (Some("AccessDenied"), Some("r")));
}
