//! The program's configuration file.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = libcloud_cli::check_configuration(text) {
        // One line, with the place.
        assert!(error.to_string().contains("config.toml"), "{error}");
    }
});
