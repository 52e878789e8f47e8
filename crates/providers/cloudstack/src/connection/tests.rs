use libcloud_common::Retry;

use super::*;

fn judge(status: u16, body: &str) -> Result<()> {
    check(&Response::new(status.try_into().unwrap(), http::HeaderMap::new(), body.to_owned()))
}

#[test]
fn errors_have_kinds_codes_and_texts() {
    for (status, code, text, kind) in [
        (401, 401, "unable to verify user credentials", ErrorKind::InvalidCredentials),
        (531, 531, "Acct does not have permission", ErrorKind::InvalidCredentials),
        (431, 431, "Unable to find service offering: 104", ErrorKind::NotFound),
        (431, 431, "Public key is invalid", ErrorKind::InvalidArgument),
        (431, 431, "A key pair with name 'ops' already exists", ErrorKind::AlreadyExists),
        (432, 432, "The given command does not exist", ErrorKind::NotSupported),
        (429, 429, "The given user has reached his/her account api limit", ErrorKind::RateLimited),
        (530, 530, "Failed to destroy", ErrorKind::Provider),
        (532, 532, "Maximum number of resources exceeded", ErrorKind::QuotaExceeded),
        (536, 536, "The volume is in use", ErrorKind::InvalidState),
        // With some commands an error has the status of a success.
        (200, 431, "Unable to find template", ErrorKind::NotFound),
    ] {
        let body = format!(
            r#"{{"xresponse":{{"uuidList":[],"errorcode":{code},"cserrorcode":9999,"errortext":"{text}"}}}}"#
        );
        let error = judge(status, &body).unwrap_err();
        assert_eq!((error.kind(), error.message()), (kind, text));
        assert_eq!(error.code(), Some(code.to_string().as_str()));
    }
    let error =
        judge(431, r#"{"xresponse":{"errorcode":431,"cserrorcode":4350,"errortext":""}}"#).unwrap_err();
    assert_eq!(error.code(), Some("431, 4350"));
    assert!(error.message().starts_with("answered 431"), "{error}");
    assert!(judge(429, r#"{"xresponse":{"errorcode":429,"errortext":"limit"}}"#).unwrap_err().is_retryable());
}

#[test]
fn what_is_no_error_of_cloudstack_is_judged_by_its_status() {
    assert_eq!(judge(401, "").unwrap_err().kind(), ErrorKind::InvalidCredentials);
    assert_eq!(judge(503, "<html>").unwrap_err().retry(), Retry::Retryable(None));
    judge(200, "<html>").unwrap();
    // The error of a job belongs to who waits for it.
    judge(
        200,
        r#"{"queryasyncjobresultresponse":{"jobstatus":2,"jobresult":{"errorcode":530,"errortext":"no"}}}"#,
    )
    .unwrap();
    judge(200, r#"{"listtemplatesresponse":{"template":[{"name":"\"errorcode\""}]}}"#).unwrap();
}

#[test]
fn a_job_s_error_says_what_there_is() {
    let error = job_error(&json_value(r#"{"errorcode": 533, "errortext": "Unable to create a deployment"}"#));
    assert_eq!((error.kind(), error.code()), (ErrorKind::Provider, Some("533")));
    assert_eq!(error.message(), "Unable to create a deployment");
    let error = job_error(&json_value(r#"{"errortext": "ERROR TEXT"}"#));
    assert_eq!((error.message(), error.code()), ("ERROR TEXT", None));
    assert_eq!(job_error(&Value::Null).message(), "the job failed, and the service does not say why");
}

fn json_value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_envelope_has_one_member() {
    let open = |text: &str| opened(serde_json::from_str(text).unwrap());
    assert_eq!(open(r#"{"listzonesresponse": {"a": 1}}"#).unwrap(), json_value(r#"{"a": 1}"#));
    for wrong in [r#"{"success": true}"#, "{}", r#"{"aresponse": 1, "bresponse": 2}"#] {
        assert_eq!(open(wrong).unwrap_err().kind(), ErrorKind::MalformedResponse);
    }
}

#[test]
fn an_answer_of_false_is_an_error() {
    succeeded(&json_value(r#"{"success": "true"}"#)).unwrap();
    succeeded(&json_value(r#"{"success": true}"#)).unwrap();
    let error = succeeded(&json_value(r#"{"success": false, "displaytext": "still in use"}"#)).unwrap_err();
    assert_eq!(error.message(), "still in use");
    succeeded(&json_value(r#"{"success": "false"}"#)).unwrap_err();
}

#[test]
fn the_address_is_put_together() {
    let given = |url: &str| Config::new("k", "s").endpoint(url.parse().unwrap());
    let host = |host: &str| {
        let mut config = Config::new("k", "s");
        config.host = Some(host.to_owned());
        config
    };
    let found = |url: &str| Some(url.parse().unwrap());
    for (config, path, found, expected) in [
        (given("https://a.example/client/api"), None, None, "https://a.example/client/api"),
        (given("http://a.example:8080"), None, None, "http://a.example:8080/client/api"),
        (given("http://a.example:8080"), Some("/x/y/"), None, "http://a.example:8080/x/y"),
        (host("api.example"), Some("/test/path"), None, "https://api.example/test/path"),
        (host("api.example"), None, found("https://b.example/api"), "https://api.example/client/api"),
        (Config::new("k", "s"), None, found("https://b.example/api"), "https://b.example/api"),
    ] {
        assert_eq!(base(&config, path, found).unwrap().as_str(), expected);
    }
    let error = base(&Config::new("k", "s"), None, None).unwrap_err();
    assert!(error.to_string().contains("an address of its own: give `endpoint`"), "{error}");
    let error = base(&given("https://a.example/api"), Some("/x"), None).unwrap_err();
    assert!(error.to_string().contains("leave out the option `path`"), "{error}");
}

#[test]
fn what_expires_is_said() {
    let expires = |version: Option<&str>, expires| {
        let version = version.map(str::to_owned);
        expiry(&CloudStackOptions { path: None, signature_version: version, expires })
    };
    assert_eq!(expires(None, None).unwrap(), None);
    assert_eq!(expires(Some("2"), None).unwrap(), None);
    assert_eq!(expires(Some("3"), None).unwrap(), Some(Duration::from_secs(600)));
    assert_eq!(expires(Some("3"), Some(60)).unwrap(), Some(Duration::from_secs(60)));
    for (version, seconds, text) in
        [(Some("4"), None, "`2` or `3`, not `4`"), (None, Some(60), "only signatures of version 3")]
    {
        let error = expires(version, seconds).unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
    }
}
