//! Arguments by name: whatever JSON they are, a call ends with a value or an error.
#![no_main]

use libcloud::common::Value;
use libcloud::dummy::DummyCloud;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (u8, u8, &str)| {
    let (service, method, text) = data;
    let Ok(args) = serde_json::from_str::<Value>(text) else { return };
    let cloud = DummyCloud::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    macro_rules! call {
        ($driver:expr) => {{
            let driver = $driver;
            let methods = driver.methods();
            let chosen = &methods[usize::from(method) % methods.len()];
            // Files of the machine are not to be read or written, nor is there anything to wait for.
            if chosen.args.iter().any(|arg| arg.ty == "path") || chosen.name.contains("wait") {
                return;
            }
            let limit = std::time::Duration::from_secs(5);
            // Made inside, for a timer belongs to a runtime.
            let limited = async { tokio::time::timeout(limit, driver.call(chosen.name, args)).await };
            if let Ok(Err(error)) = runtime.block_on(limited) {
                let _ = (error.to_string(), error.to_json());
            }
        }};
    }
    match service % 4 {
        0 => call!(cloud.compute()),
        1 => call!(cloud.storage()),
        2 => call!(cloud.loadbalancer()),
        _ => call!(cloud.dns()),
    }
});
