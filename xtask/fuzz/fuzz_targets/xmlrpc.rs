//! XML-RPC: an answer gives a value, a fault or an error; a value that is sent reads back.
#![no_main]

use libcloud::common::xmlrpc::{self, Outcome, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(Outcome::Value(value)) = xmlrpc::parse_response(text) else { return };
    let Ok(body) = xmlrpc::request("method", &[Value::from(value.clone())]) else { return };
    let body = body.replace("methodCall>", "methodResponse>").replace("<methodName>method</methodName>", "");
    // `nil` and numbers that are not finite are the only values that change on the way.
    let Ok(Outcome::Value(again)) = xmlrpc::parse_response(&body) else {
        panic!("{value} does not read back: {body}")
    };
    assert_eq!(again, value);
});
