//! Recorded arguments and results in our form.

use std::fs;
use std::path::{Path, PathBuf};

use libcloud_testkit::cassette::{Body, Call, Exchange};
use serde_json::{Map, Value};

use crate::compare::recorded_params;
use crate::names;

/// The arguments of a call as ours takes them.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// By name.
    pub(crate) args: Map<String, Value>,
    /// Whether the content of a stream or file had to be made up.
    pub(crate) made_content: bool,
    /// Arguments that the original does not need, with the values that it made up itself.
    pub(crate) filled: Vec<(String, Value)>,
}

/// Folders that are not on this machine, each with what stands for it in the scratch folder.
const FOLDERS: &[&str] = &["/SRC", "/TMPDIR", "/PYTHON"];

/// Converts the arguments of a call. Files that are to be read are made in the scratch folder.
///
/// # Errors
/// Says what the recording does not have.
pub(crate) fn arguments(
    driver: &str,
    call: &Call,
    exchanges: &[Exchange],
    scratch: &Path,
) -> Result<Arguments, String> {
    let mut made_content = false;
    let mut filled = Vec::new();
    if call.raises.as_ref().is_some_and(|raised| raised.class == "RuntimeError")
        && call.args.contains_key("iterator")
    {
        return Err("the recording does not have the stream that fails".to_owned());
    }
    let mut args = Map::new();
    for (name, value) in &call.args {
        let value = match (name.as_str(), value) {
            (_, Value::Null) => continue,
            ("iterator", value) => {
                let known = value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
                if known {
                    value.clone()
                } else {
                    made_content = true;
                    Value::String("x".repeat(content_length(call, exchanges)))
                }
            }
            ("file_path", Value::String(path)) => {
                let there = local_path(path, scratch);
                if is_recorded_folder(path) {
                    made_content = true;
                    write(&there, content_length(call, exchanges))?;
                }
                there.display().to_string().into()
            }
            ("keyfile", Value::String(path)) if is_recorded_folder(path) || path.starts_with("/SRC/") => {
                let there = scratch.join("key.pub");
                let key = sent_key(exchanges).ok_or("the recording does not have the file of the key")?;
                fs::write(&there, key).map_err(|error| format!("{}: {error}", there.display()))?;
                there.display().to_string().into()
            }
            ("destination_path" | "key_file_path" | "ex_key_file", Value::String(path)) => {
                let there = local_path(path, scratch);
                if let Some(folder) = there.parent() {
                    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
                }
                // A source file of the suite is there, and is not to be replaced.
                let is_source = there.extension().is_some_and(|extension| extension == "py");
                if name == "destination_path" && path.starts_with("/SRC/") && is_source {
                    write(&there, 1)?;
                }
                there.display().to_string().into()
            }
            ("extra", Value::Object(extra)) if names::has_typed_extra(&call.call) => {
                for (key, value) in
                    extra.iter().filter(|(key, value)| !value.is_null() && !key.starts_with('_'))
                {
                    let name = names::extension_argument(driver, &call.call, key).unwrap_or(key);
                    args.insert(name.to_owned(), plain(value));
                }
                continue;
            }
            (_, Value::String(text)) if is_placeholder(text) => {
                return Err(format!("the recording does not have the argument `{name}` ({text})"));
            }
            ("password", Value::String(_)) if call.call == "create_node" => {
                args.insert("auth".to_owned(), serde_json::json!({"password": value}));
                continue;
            }
            ("algorithm", Value::Number(number)) => {
                number.as_u64().and_then(names::algorithm).map_or_else(|| value.clone(), Value::from)
            }
            (_, value) => plain(value),
        };
        if value.is_null() {
            continue;
        }
        if let Some(renamed) = names::extension_argument(driver, &call.call, name) {
            args.insert(renamed.to_owned(), by_id(value));
            continue;
        }
        args.insert(name.clone(), value);
    }
    // The original's dummy makes up what is not given.
    if call.driver == "DummyNodeDriver" && call.call == "create_node" {
        for name in ["name", "size", "image"].into_iter().filter(|name| !call.args.contains_key(*name)) {
            let made_up = call.result.as_ref().and_then(|result| result.get(name));
            // Ours has sizes and images, of which one has to be named.
            let value = if name == "name" { made_up.cloned() } else { Some("1".into()) };
            filled.extend(value.map(|value| (name.to_owned(), value)));
        }
        args.extend(filled.iter().cloned());
    }
    // Another content has another checksum than the recorded answer tells.
    let wants_mismatch = call.raises.as_ref().is_some_and(|raised| raised.class == "ObjectHashMismatchError");
    if made_content && !exchanges.is_empty() && !wants_mismatch {
        args.insert("verify_hash".into(), false.into());
    }
    Ok(Arguments { args, made_content, filled })
}

/// Ids and states are text in our resources, sizes whole numbers.
fn text_or_whole(key: &str, value: Value) -> Value {
    let Value::Number(number) = &value else { return value };
    if key == "id" || key.ends_with("_id") || key == "state" {
        return number.to_string().into();
    }
    // 5120.0 is 5120.
    let whole = number.to_string().strip_suffix(".0").and_then(|digits| digits.parse::<u64>().ok());
    whole.map_or(value, Into::into)
}

/// Resources by their ids, all else as it is.
fn by_id(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(by_id).collect(),
        Value::Object(map) => map.get("id").cloned().unwrap_or(Value::Object(map)),
        other => other,
    }
}

/// Values that stand for something that was not written down.
pub(crate) fn is_placeholder(text: &str) -> bool {
    text.starts_with('<') && text.ends_with('>') && !text.contains(' ')
}

/// A resource or value without the marks of the recording, and without what is null.
pub(crate) fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) if map.get("_type").is_some_and(|class| class == "datetime") => {
            map.get("iso").cloned().unwrap_or_default()
        }
        Value::Object(map) => {
            // In a map of tags nothing is a value, in a resource it is the absence of one.
            let is_resource = map.contains_key("_type");
            map.iter()
                .filter(|(key, value)| !(key.starts_with('_') || is_resource && value.is_null()))
                .map(|(key, value)| match state(map, key, value) {
                    Some(state) => (key.clone(), state.into()),
                    _ if is_resource => (key.clone(), text_or_whole(key, plain(value))),
                    _ => (key.clone(), plain(value)),
                })
                .collect::<Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

/// A recorded result in our form: states by name; what is null stays, for it says that there is such a key.
pub(crate) fn result(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| match state(map, key, value) {
                Some(state) => (key.clone(), state.into()),
                None => (key.clone(), result(value)),
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(result).collect(),
        other => other.clone(),
    }
}

/// The name of a state that a resource has as a number.
fn state(resource: &Map<String, Value>, key: &str, value: &Value) -> Option<&'static str> {
    let number = value.as_u64().filter(|_| key == "state")?;
    match resource.get("_type")?.as_str()? {
        "LoadBalancer" => names::balancer_state(number),
        class if class.ends_with("Node") => names::node_state(number),
        _ => None,
    }
}

/// Where a recorded path is on this machine.
pub(crate) fn local_path(path: &str, scratch: &Path) -> PathBuf {
    if is_recorded_folder(path) {
        scratch.join("files").join(path.trim_start_matches('/').replace('/', "_"))
    } else {
        PathBuf::from(path)
    }
}

fn is_recorded_folder(path: &str) -> bool {
    FOLDERS.iter().any(|folder| path.starts_with(folder))
}

fn write(path: &Path, length: usize) -> Result<(), String> {
    let problem = |error| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(problem)?;
    }
    fs::write(path, "x".repeat(length)).map_err(problem)
}

/// The public key that was read from a file, as it was sent.
fn sent_key(exchanges: &[Exchange]) -> Option<Vec<u8>> {
    let params = exchanges.first().map(|exchange| recorded_params(&exchange.request).0)?;
    let (_, material) = params.into_iter().find(|(name, _)| name == "PublicKeyMaterial")?;
    libcloud::common::encode::decode_base64(&material).ok()
}

/// How long what was sent was: what the requests say, else the result.
fn content_length(call: &Call, exchanges: &[Exchange]) -> usize {
    let told = |exchange: &Exchange| {
        let header =
            exchange.request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length = match &exchange.request.body {
            Some(Body::Digest { length, .. }) => usize::try_from(*length).ok(),
            _ => header.and_then(|(_, value)| value.parse().ok()),
        };
        // A list of the blocks that were sent is no content.
        let is_list = exchange.request.query.as_deref() == Some("comp=blocklist");
        length.filter(|_| exchange.request.method == "PUT" && !is_list)
    };
    let sent: Option<usize> =
        exchanges.iter().filter_map(told).fold(None, |sum, length| Some(sum.unwrap_or(0) + length));
    let size = call.result.as_ref().and_then(|result| result.get("size")).and_then(Value::as_u64);
    // Without either it failed before any of it was sent.
    sent.or(size.and_then(|size| usize::try_from(size).ok())).unwrap_or(0)
}
