//! Plays the recorded calls of the pricing functions.
//!
//! The suite's price file is not in the recording, and neither is what a test puts into the module's table by hand. Both are
//! made again from what the calls found in them; what is compared is whether ours finds it there, too, or fails alike.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use libcloud::pricing::{GetPricing, PriceTable, Pricing};
use libcloud::{Error, ErrorKind, Result};
use libcloud_testkit::cassette::Call;
use serde_json::{Map, Value, json};

/// What the module of the pricing functions is called in recordings.
pub(crate) const MODULE: &str = "pricing";

/// The price files of a recording, by their path, as JSON.
#[derive(Debug, Default)]
pub(crate) struct Files(BTreeMap<String, Value>);

impl Files {
    /// The files that calls found prices in.
    pub(crate) fn of(calls: &[Call]) -> Self {
        let mut files = BTreeMap::new();
        for call in calls.iter().filter(|call| call.driver == MODULE && call.call == "get_pricing") {
            let (Some(path), Some(found)) = (text(call, "pricing_file_path"), &call.result) else { continue };
            let file = files.entry(path.to_owned()).or_insert_with(|| json!({}));
            if let (Some(kind), Some(name)) = (text(call, "driver_type"), text(call, "driver_name"))
                && let Some(drivers) = file.as_object_mut().map(|file| file.entry(kind).or_insert(json!({})))
                && let Some(drivers) = drivers.as_object_mut()
            {
                drivers.insert(name.to_owned(), found.clone());
            }
        }
        Self(files)
    }

    /// Where the file of this path is now; where nothing is if no call found anything in it.
    fn place(&self, path: &str, scratch: &Path) -> Result<PathBuf> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let place = scratch.join(name);
        if let Some(content) = self.0.get(path) {
            std::fs::write(&place, content.to_string())
                .map_err(|error| Error::io("write a price file", error))?;
        }
        Ok(place)
    }
}

/// The prices of one test.
#[derive(Debug)]
pub(crate) struct Stage {
    pricing: Pricing,
}

impl Stage {
    /// As the module is when a test begins, with what the test puts into its table by hand.
    pub(crate) fn new(calls: &[Call]) -> Self {
        let pricing = Pricing::bundled();
        let is_read = |name: &str| {
            calls.iter().any(|call| call.call == "get_pricing" && text(call, "driver_name") == Some(name))
        };
        let mut by_hand: BTreeMap<(&str, &str), Map<String, Value>> = BTreeMap::new();
        for call in calls.iter().filter(|call| call.call == "get_size_price") {
            let (Some(kind), Some(name)) = (text(call, "driver_type"), text(call, "driver_name")) else {
                continue;
            };
            let (Some(size), Some(price)) = (call.args.get("size_id"), &call.result) else { continue };
            if !is_read(name) && pricing.get_pricing(kind, name).is_err() {
                by_hand.entry((kind, name)).or_default().insert(plain(size), price.clone());
            }
        }
        for ((kind, name), table) in by_hand {
            if let Ok(table) = serde_json::from_value::<PriceTable>(table.into()) {
                pricing.set_pricing(kind, name, table);
            }
        }
        Self { pricing }
    }

    /// Calls the function of this name; nothing if there is none that is recorded.
    pub(crate) fn call(&self, call: &Call, files: &Files, scratch: &Path) -> Option<Result<Value>> {
        let argument = |name| text(call, name).unwrap_or_default();
        let (kind, name) = (argument("driver_type"), argument("driver_name"));
        Some(match call.call.as_str() {
            "get_pricing" => self.get_pricing(call, files, scratch),
            "get_size_price" => {
                let size = call.args.get("size_id").map(plain).unwrap_or_default();
                let price = match text(call, "region") {
                    Some(region) => self.pricing.get_size_price_in(kind, name, &size, region),
                    None => self.pricing.get_size_price(kind, name, &size),
                };
                price.map(|price| json!(price))
            }
            "get_image_price" => {
                let cores = call.args.get("cores").and_then(Value::as_u64).unwrap_or(1);
                let cores = u32::try_from(cores).unwrap_or(u32::MAX);
                let price = self.pricing.get_image_price(
                    name,
                    argument("image_name"),
                    text(call, "size_name"),
                    cores,
                );
                price.map(|price| json!(price))
            }
            "set_pricing" => {
                let table = call.args.get("pricing").cloned().unwrap_or_default();
                let table = serde_json::from_value(table).map_err(|error| Error::malformed("pricing", error));
                table.map(|table| {
                    self.pricing.set_pricing(kind, name, table);
                    Value::Null
                })
            }
            "clear_pricing_data" => {
                self.pricing.clear_pricing_data();
                Ok(Value::Null)
            }
            "invalidate_pricing_cache" => {
                self.pricing.invalidate_pricing_cache();
                Ok(Value::Null)
            }
            "invalidate_module_pricing_cache" => {
                self.pricing.invalidate_module_pricing_cache(kind, name);
                Ok(Value::Null)
            }
            _ => return None,
        })
    }

    fn get_pricing(&self, call: &Call, files: &Files, scratch: &Path) -> Result<Value> {
        let argument = |name| text(call, name).unwrap_or_default();
        let mut options = GetPricing::new();
        if let Some(path) = text(call, "pricing_file_path") {
            options = options.pricing_file_path(files.place(path, scratch)?);
        }
        if call.args.get("cache_all").and_then(Value::as_bool) == Some(true) {
            options = options.cache_all();
        }
        let table =
            self.pricing.get_pricing_with(argument("driver_type"), argument("driver_name"), options)?;
        serde_json::to_value(&*table).map_err(|error| Error::malformed("pricing", error))
    }
}

/// The kinds of error that stand for an exception of a pricing function.
pub(crate) fn kinds(class: &str) -> Option<&'static [ErrorKind]> {
    Some(match class {
        "KeyError" => &[ErrorKind::NotFound],
        "FileNotFoundError" | "IOError" | "OSError" => &[ErrorKind::Io],
        "AttributeError" => &[ErrorKind::InvalidArgument],
        _ => return None,
    })
}

fn text<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.args.get(name)?.as_str()
}

/// A size id, which the original also takes as a number.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(function: &str, args: Value, result: Value) -> Call {
        let call =
            json!({"test": "t", "n": 0, "driver": MODULE, "call": function, "args": args, "result": result});
        serde_json::from_value(call).unwrap()
    }

    #[test]
    fn a_file_is_made_again_from_what_was_found_in_it() {
        let scratch = tempfile::tempdir().unwrap();
        let of = |name: &str, path: &str| json!({"driver_type": "compute", "driver_name": name, "pricing_file_path": path});
        let calls = [
            call("get_pricing", of("foo", "/SRC/p.json"), json!({"1": 1.0})),
            call("get_pricing", of("baz", "/SRC/p.json"), json!({"1": 5.0})),
        ];
        let files = Files::of(&calls);
        let stage = Stage::new(&[]);
        let found = stage.call(&calls[1], &files, scratch.path()).unwrap().unwrap();
        assert_eq!(found, json!({"1": 5}));
        let unknown = call("get_pricing", of("nobody", "/SRC/p.json"), Value::Null);
        let error = stage.call(&unknown, &files, scratch.path()).unwrap().unwrap_err();
        assert_eq!(error.kind(), kinds("KeyError").unwrap()[0]);
        let missing = call("get_pricing", of("bar", "inexistent.json"), Value::Null);
        let error = stage.call(&missing, &files, scratch.path()).unwrap().unwrap_err();
        assert_eq!(error.kind(), kinds("FileNotFoundError").unwrap()[0]);
    }

    #[test]
    fn what_a_test_puts_in_by_hand_is_there_until_it_is_forgotten() {
        let of = |size: Value| json!({"driver_type": "compute", "driver_name": "foo", "size_id": size});
        let calls = [
            call("get_size_price", of(json!(2)), json!(2.0)),
            call("get_size_price", of(json!("3")), json!(3.0)),
        ];
        let stage = Stage::new(&calls);
        let nowhere = Path::new("/");
        let get = |call: &Call| stage.call(call, &Files::default(), nowhere).unwrap();
        assert_eq!((get(&calls[0]).unwrap(), get(&calls[1]).unwrap()), (json!(2), json!(3)));
        get(&call("invalidate_pricing_cache", json!({}), Value::Null)).unwrap();
        assert_eq!(get(&calls[0]).unwrap_err().kind(), ErrorKind::NotFound);
        assert!(
            stage
                .call(&call("download_pricing_file", json!({}), Value::Null), &Files::default(), nowhere)
                .is_none()
        );
    }
}
