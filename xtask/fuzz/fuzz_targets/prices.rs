//! Price files, which users write and download.
#![no_main]

use libcloud::Price;
use libcloud::pricing::{PriceFile, PriceTable};
use libfuzzer_sys::fuzz_target;

fn walk(table: &PriceTable) {
    for (key, _) in table.iter() {
        let _ = (table.price(key), table.get(key));
        if let Some(inner) = table.table(key) {
            walk(inner);
        }
    }
}

fuzz_target!(|content: &[u8]| {
    // Plain, or an archive.
    if let Ok(file) = PriceFile::parse("a file", content) {
        let written = serde_json::to_string(&file).expect("what was read can be written");
        let again = PriceFile::parse("the same", written.as_bytes()).expect("what was written can be read");
        assert_eq!(serde_json::to_string(&again).expect("and written again"), written);
    }
    let Ok(text) = std::str::from_utf8(content) else { return };
    if let Ok(table) = serde_json::from_str::<PriceTable>(text) {
        walk(&table);
        let written = serde_json::to_string(&table).expect("what was read can be written");
        let again: PriceTable = serde_json::from_str(&written).expect("what was written can be read");
        assert_eq!(serde_json::to_string(&again).expect("and written again"), written);
    }
    if let Ok(price) = text.parse::<Price>() {
        assert_eq!(price.to_string().parse::<Price>().expect("what was written can be read"), price);
    }
});
