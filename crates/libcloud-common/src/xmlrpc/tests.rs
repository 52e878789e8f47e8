use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{Connection, Response};

fn response(value: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<methodResponse><params><param>{value}</param></params></methodResponse>"
    )
}

fn value(value: &str) -> Json {
    match parse_response(&response(value)).unwrap() {
        Outcome::Value(value) => value,
        Outcome::Fault(fault) => panic!("{fault:?}"),
    }
}

fn error(value: &str) -> String {
    let error = parse_response(&response(value)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    error.to_string()
}

#[test]
fn a_call_with_every_type() {
    let params = [
        Value::from("a <b> & c"),
        Value::from(true),
        Value::from(-7),
        Value::from(i64::from(i32::MAX) + 1),
        Value::from(1.5e300_f64 / 1e300),
        Value::DateTime("19980717T14:08:55".into()),
        Value::Base64(b"libcloud".to_vec()),
        Value::from(None::<&str>),
        Value::from(vec![Value::from(1_u32), Value::from("")]),
        Value::members([("z", Value::from(false)), ("a", Value::Array(Vec::new()))]),
    ];
    assert_eq!(
        request("system.test_All:1/x", &params).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <methodCall><methodName>system.test_All:1/x</methodName><params>\
         <param><value><string>a &lt;b&gt; &amp; c</string></value></param>\
         <param><value><boolean>1</boolean></value></param>\
         <param><value><int>-7</int></value></param>\
         <param><value><i8>2147483648</i8></value></param>\
         <param><value><double>1.5</double></value></param>\
         <param><value><dateTime.iso8601>19980717T14:08:55</dateTime.iso8601></value></param>\
         <param><value><base64>bGliY2xvdWQ=</base64></value></param>\
         <param><value><nil/></value></param>\
         <param><value><array><data><value><int>1</int></value><value><string/></value></data></array></value></param>\
         <param><value><struct>\
         <member><name>a</name><value><array><data/></array></value></member>\
         <member><name>z</name><value><boolean>0</boolean></value></member>\
         </struct></value></param>\
         </params></methodCall>"
    );
}

#[test]
fn a_call_without_parameters() {
    let body = request("list", &[]).unwrap();
    assert!(body.ends_with("<methodCall><methodName>list</methodName><params/></methodCall>"), "{body}");
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let nested = (0..=MAX_DEPTH).fold(Value::Nil, |inner, _| Value::Array(vec![inner]));
    let cases = [
        (request("", &[]), "`` is no name of an XML-RPC method"),
        (request("a b", &[]), "`a b` is no name of an XML-RPC method"),
        (request("m", &[Value::from(f64::NAN)]), "no way to write the number NaN"),
        (request("m", &[Value::Array(vec![f64::INFINITY.into()])]), "no way to write the number inf"),
        (request("m", &[nested]), "nested more than 100 levels deep"),
        (
            request("m", &["secret\u{1}".into()]),
            "the character U+0001 in `methodCall/params/param/value/string`",
        ),
    ];
    for (result, expected) in cases {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn json_becomes_a_value() {
    let json = json!({"a": [1, -2.5, "x", null, true], "big": u64::MAX});
    let expected = Value::members([
        (
            "a",
            Value::Array(vec![
                Value::Integer(1),
                Value::Double(-2.5),
                Value::String("x".into()),
                Value::Nil,
                Value::Boolean(true),
            ]),
        ),
        ("big", Value::Double(18_446_744_073_709_551_616.0)),
    ]);
    assert_eq!(Value::from(json), expected);
}

#[test]
fn debug_shows_no_content() {
    let value = Value::members([
        ("key", Value::from("canary")),
        ("list", Value::Array(vec![Value::Base64(b"canary".to_vec()), Value::DateTime("canary".into())])),
    ]);
    assert_eq!(format!("{value:?}"), r#"{"key": String(6 bytes), "list": [Base64(6 bytes), DateTime]}"#);
    let outcome = Outcome::Value(json!({"password": "canary"}));
    assert_eq!(format!("{outcome:?}"), "Value(..)");
}

#[test]
fn every_type_of_an_answer() {
    let cases = [
        ("<value><int>-7</int></value>", json!(-7)),
        ("<value><i4> 7 </i4></value>", json!(7)),
        ("<value><i8>9223372036854775807</i8></value>", json!(i64::MAX)),
        ("<value><boolean>1</boolean></value>", json!(true)),
        ("<value><boolean>false</boolean></value>", json!(false)),
        ("<value><double>-12.5</double></value>", json!(-12.5)),
        ("<value><string> a &lt; b </string></value>", json!(" a < b ")),
        ("<value><string/></value>", json!("")),
        ("<value> plain <![CDATA[<x>]]></value>", json!(" plain <x>")),
        ("<value/>", json!("")),
        ("<value>\n  <string>x</string>\n</value>", json!("x")),
        ("<value><dateTime.iso8601>19980717T14:08:55</dateTime.iso8601></value>", json!("19980717T14:08:55")),
        ("<value><base64>\nbGli\nY2xvdWQ=\n</base64></value>", json!("bGliY2xvdWQ=")),
        ("<value><nil/></value>", json!(null)),
        ("<value xmlns:ex=\"urn:x\"><ex:nil/></value>", json!(null)),
        ("<value><array><data/></array></value>", json!([])),
        (
            "<value><array><data><value>a</value><value><int>1</int></value></data></array></value>",
            json!(["a", 1]),
        ),
        (
            "<value><struct><member><name>a</name><value><struct/></value></member></struct></value>",
            json!({"a": {}}),
        ),
    ];
    for (xml, expected) in cases {
        assert_eq!(value(xml), expected, "{xml}");
    }
}

#[test]
fn a_method_that_returns_nothing_gives_null() {
    let outcome = parse_response("<methodResponse><params/></methodResponse>").unwrap();
    assert_eq!(outcome, Outcome::Value(Json::Null));
}

#[test]
fn a_fault_is_an_error_of_the_provider() {
    for (code, expected) in [("<int>404</int>", "404"), ("<string>X_NotFound</string>", "X_NotFound")] {
        let text = format!(
            "<methodResponse><fault><value><struct>\
             <member><name>faultCode</name><value>{code}</value></member>\
             <member><name>faultString</name><value><string>no such domain</string></value></member>\
             </struct></value></fault></methodResponse>"
        );
        let outcome = parse_response(&text).unwrap();
        assert_eq!(
            outcome,
            Outcome::Fault(Fault { code: expected.into(), message: "no such domain".into() })
        );
        let error = outcome.into_result().unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Provider, Some(expected)));
        assert_eq!(error.to_string(), format!("no such domain ({expected})"));
    }
}

#[test]
fn a_fault_without_its_members_is_malformed() {
    let text = "<methodResponse><fault><value><struct/></value></fault></methodResponse>";
    assert_eq!(
        parse_response(text).unwrap_err().to_string(),
        "unexpected answer at `methodResponse/fault/value`: the fault has no `faultCode`"
    );
}

#[test]
fn errors_name_the_place() {
    let root = "unexpected answer at `methodResponse/params/param/value";
    assert_eq!(
        error("<value><int>7.5</int></value>"),
        format!("{root}/int`: `7.5` is no whole number of 64 bits")
    );
    assert_eq!(
        error("<value><boolean>2</boolean></value>"),
        format!("{root}/boolean`: `2` is no truth value")
    );
    assert_eq!(
        error("<value><double>inf</double></value>"),
        format!("{root}/double`: `inf` is no finite number")
    );
    assert_eq!(
        error("<value><base64>*</base64></value>"),
        format!("{root}/base64`: not base64: character 1 does not belong there")
    );
    assert_eq!(
        error("<value><float>1</float></value>"),
        format!("{root}/float`: XML-RPC has no type `float`")
    );
    assert_eq!(
        error(
            "<value><array><data><value>a</value><value><struct><member><name>n</name></member></struct></value></data></array></value>"
        ),
        format!("{root}/array/data/value[2]/struct/member/value`: it is missing")
    );
    assert_eq!(error(""), format!("{root}`: it is missing"));
    assert_eq!(
        parse_response("<html><body>502</body></html>").unwrap_err().to_string(),
        "unexpected answer at `html`: an XML-RPC answer begins with `methodResponse`"
    );
}

#[test]
fn deep_nesting_is_refused_instead_of_exhausting_the_stack() {
    let levels = 50_000;
    let text =
        format!("{}{}", "<value><array><data>".repeat(levels), "</data></array></value>".repeat(levels));
    assert!(error(&text).ends_with("values are nested more than 100 levels deep"));
}

fn any_json() -> impl Strategy<Value = Json> {
    let text = "[ -~\t\n\r\u{a0}-\u{d7ff}\u{1f600}]{0,12}";
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-1e15..1e15).prop_map(Json::from),
        text.prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(text, inner, 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_sent_reads_back(json in any_json()) {
        let body = request("m", &[json.clone().into()]).unwrap();
        let (_, rest) = body.split_once("<param>").unwrap();
        let (sent, _) = rest.rsplit_once("</param>").unwrap();
        prop_assert_eq!(value(sent), json);
    }
}

#[test]
fn a_secret_is_sent_and_not_shown() {
    let params = [
        Value::from(Secret::new("canary & co")),
        Value::members([("password", Value::from(Secret::new("canary-2"))), ("login", Value::from("me"))]),
        Value::from(vec![Value::from(Secret::new("canary-3"))]),
    ];
    assert!(!format!("{params:?}").contains("canary"));
    let connection =
        Connection::builder("example", "https://rpc.example/".parse().unwrap(), &crate::Config::anonymous())
            .build();
    let call = connection.post("vm.create", [""]).xmlrpc("vm.create", &params);
    let shown = call.request().to_string();
    assert!(!shown.contains("canary") && shown.matches("<string>•••</string>").count() == 3, "{shown}");
    assert!(!format!("{call:?}").contains("canary"));
    let sent = call.request().body.to_bytes().unwrap();
    let sent = std::str::from_utf8(&sent).unwrap();
    assert!(sent.contains("<string>canary &amp; co</string>") && sent.contains("canary-3"), "{sent}");
    assert_eq!(call.request().body.secrets(), ["canary & co", "canary-2", "canary-3"]);
    assert_eq!(call.request().headers["content-type"], "text/xml");
}

#[test]
fn a_fault_is_an_error_of_the_kind_that_its_code_stands_for() {
    let judge = |status: u16, body: &str| {
        let status = http::StatusCode::from_u16(status).unwrap();
        check(&Response::new(status, http::HeaderMap::new(), body.to_owned()), |fault| {
            match fault.code.as_str() {
                "7" => ErrorKind::NotFound,
                "8" => ErrorKind::RateLimited,
                _ => ErrorKind::Provider,
            }
        })
    };
    let fault = |code: u32| {
        format!(
            "<methodResponse><fault><value><struct>\
             <member><name>faultCode</name><value><int>{code}</int></value></member>\
             <member><name>faultString</name><value>no such domain</value></member>\
             </struct></value></fault></methodResponse>"
        )
    };
    let error = judge(200, &fault(7)).unwrap_err();
    assert_eq!(
        (error.kind(), error.code(), error.message()),
        (ErrorKind::NotFound, Some("7"), "no such domain")
    );
    assert_eq!(error.retry(), crate::Retry::Permanent);
    // It was answered: a repetition is the provider's to allow.
    assert_eq!(judge(500, &fault(9)).unwrap_err().retry(), crate::Retry::Permanent);
    assert!(judge(200, &fault(8)).unwrap_err().is_retryable());
    judge(200, &response("<value>a &lt;fault></value>")).unwrap();
    // No answer of this protocol: the status decides, and reading it is what fails.
    assert!(judge(502, "<html>").unwrap_err().is_retryable());
    judge(200, "<fault").unwrap();
}
