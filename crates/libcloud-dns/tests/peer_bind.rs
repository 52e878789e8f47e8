//! What BIND itself makes of exported zones: `cargo test -p libcloud-dns --test peer_bind`, with `named-checkzone` and
//! `named-compilezone` (Debian's bind9-utils) on the path.

#![cfg(test)]

mod support;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Output};
use std::sync::Arc;

use libcloud_dns::{Record, RecordType, bind};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use support::{any_record, apex, full_zone, generated_at, record, zone};

fn export(records: &[Record]) -> String {
    bind::zone_file(&zone(), records, generated_at()).unwrap()
}

/// Runs a tool of BIND on a zone file. Checks that need the net, or are about taste, are off; syntax is not.
fn run(tool: &str, zone_file: &str) -> Output {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(zone_file.as_bytes()).unwrap();
    let lenient =
        ["-i", "none", "-k", "ignore", "-m", "ignore", "-n", "ignore", "-r", "ignore", "-T", "ignore"];
    let mut command = Command::new(tool);
    command.args(lenient);
    if tool == "named-compilezone" {
        command.args(["-s", "full", "-o", "-"]);
    }
    command
        .arg("example.com")
        .arg(file.path())
        .output()
        .unwrap_or_else(|error| panic!("{tool}: {error}; install bind9-utils"))
}

/// The records as BIND reads them, each as name, time, class, type and data; or what it says against them.
fn compile(zone_file: &str) -> Result<BTreeSet<String>, String> {
    let output = run("named-compilezone", zone_file);
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let lines = String::from_utf8(output.stdout).unwrap();
    Ok(lines.lines().filter(|line| !line.starts_with(';')).map(in_one_form).collect())
}

/// A line with one blank between its first five fields.
fn in_one_form(line: &str) -> String {
    let mut rest = line;
    let mut fields = Vec::new();
    for _ in 0..4 {
        let (field, tail) = rest.split_once(['\t', ' ']).expect(line);
        fields.push(field);
        rest = tail.trim_start();
    }
    fields.push(rest);
    fields.join(" ")
}

#[test]
fn bind_loads_a_full_zone_without_a_word() {
    let output = run("named-checkzone", &export(&full_zone()));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let complaints: Vec<&str> =
        said.lines().filter(|line| !line.ends_with("OK") && !line.contains("loaded serial")).collect();
    assert_eq!(complaints, [""; 0]);
}

#[test]
fn bind_reads_what_was_meant() {
    let compiled = compile(&export(&full_zone())).unwrap();
    for line in [
        "example.com. 900 IN SOA ns1.example.com. host\\.master.example.com. 2026010203 7200 900 1209600 300",
        "example.com. 0 IN A 192.0.2.1",
        "www.example.com. 60 IN A 192.0.2.2",
        "*.example.com. 900 IN A 192.0.2.4",
        "dot\\.ted.example.com. 900 IN A 192.0.2.5",
        "tab\\009bed.example.com. 900 IN A 192.0.2.6",
        "dollar\\$\\(semi\\)\\;at\\@quote\\\".example.com. 900 IN A 192.0.2.7",
        "xn--bcher-kva.example.com. 900 IN A 192.0.2.8",
        "raw\\195\\188.example.com. 900 IN A 192.0.2.9",
        "up.example.com. 900 IN CNAME example.com.",
        "away.example.com. 900 IN CNAME xn--bcher-kva.example.net.",
        "ptr.example.com. 900 IN PTR a\\032b.example.net.",
        "example.com. 900 IN MX 10 mx.example.com.",
        "example.com. 900 IN MX 20 mx2.example.com.",
        "nomail.example.com. 900 IN MX 0 .",
        "_sip._tcp.example.com. 900 IN SRV 1 2 5060 sip.example.com.",
        "_xmpp._tcp.example.com. 900 IN SRV 20 10 3333 example.com.",
        r#"text.example.com. 900 IN TXT "say \"hi\" \\ bye""#,
        r#"text.example.com. 900 IN TXT "one" "two \"2\" \195\188 \\""#,
        r#"text.example.com. 900 IN TXT "two\010lines\000 and \195\188""#,
        r#"text.example.com. 900 IN TXT """#,
        "example.com. 900 IN CAA 0 issue \"letsencrypt.org; validationmethods=dns-01\"",
        "person.example.com. 900 IN RP me\\.too.example.com. person.example.com.",
        "alias.example.com. 900 IN HTTPS 0 www.example.com.",
        "uri.example.com. 900 IN URI 10 1 \"https://example.com/a;b\"",
        "blob.example.com. 900 IN TYPE65280 \\# 4 0A000001",
    ] {
        assert!(compiled.contains(line), "{line}\nis not in\n{compiled:#?}");
    }
    let long = format!("long.example.com. 900 IN TXT \"{}\" \"x\"", "x".repeat(255));
    assert!(compiled.contains(&long));
    // Every record but those that only the provider knows, and none that was smuggled in.
    let served = full_zone().iter().filter(|record| !at_provider(record)).count();
    assert_eq!(compiled.len(), served);
}

fn at_provider(record: &Record) -> bool {
    use RecordType::{Alias, Geo, Redirect, Unknown, Url};
    match &record.type_ {
        Alias | Geo | Redirect | Url => true,
        Unknown(word) => word.contains(' '),
        _ => false,
    }
}

#[test]
fn what_bind_writes_is_exported_unchanged() {
    let compiled = compile(&export(&full_zone())).unwrap();
    let zone = Arc::new((*zone()).clone().with_ttl(None));
    let records: Vec<Record> = compiled
        .iter()
        .map(|line| {
            let fields: Vec<&str> = line.splitn(5, ' ').collect();
            let ttl: u32 = fields[1].parse().unwrap();
            Record::new("", fields[0], fields[3].into(), fields[4], &zone).with_ttl(ttl)
        })
        .collect();
    assert_eq!(compile(&export(&records)).unwrap(), compiled);
}

#[test]
fn any_record_is_one_record_to_bind_or_refused() {
    let alone = compile(&export(&apex())).unwrap();
    let mut runner = TestRunner::deterministic();
    let (mut read, mut refused) = (0, 0);
    for _ in 0..1_000 {
        let any = any_record().new_tree(&mut runner).unwrap().current();
        if at_provider(&any) {
            continue;
        }
        let records: Vec<Record> = apex().into_iter().chain([any.clone()]).collect();
        let Ok(file) = bind::zone_file(&zone(), &records, generated_at()) else {
            refused += 1;
            continue;
        };
        read += 1;
        match compile(&file) {
            Ok(compiled) => assert!(compiled.difference(&alone).count() <= 1, "{file}\n{compiled:#?}"),
            // What the words of other types mean is left to BIND.
            Err(said) => assert!(!checked(&any.type_), "{file}\n{said}"),
        }
    }
    assert!(read > 200 && refused > 50, "{read} read, {refused} refused");
}

/// Types whose data the export checks so far that BIND has nothing to say.
fn checked(type_: &RecordType) -> bool {
    use RecordType::{A, Aaaa, Afsdb, Caa, Hinfo, Mx, Ptr, Rp, Spf, Srv, Txt};
    [A, Aaaa, Afsdb, Caa, Hinfo, Mx, Ptr, Rp, Spf, Srv, Txt].contains(type_)
}

#[test]
fn every_text_reaches_bind_as_its_bytes() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..100 {
        let text = support::nasty().new_tree(&mut runner).unwrap().current();
        // A text that looks quoted is read as such.
        let text = text.replace('"', "'");
        let records: Vec<Record> = apex().into_iter().chain([record("t", "TXT", &text)]).collect();
        let compiled = compile(&export(&records)).unwrap();
        let line = compiled.iter().find(|line| line.starts_with("t.example.com.")).unwrap();
        let mut read = Vec::new();
        let mut bytes = line.split_once("TXT ").unwrap().1.bytes().filter(|byte| *byte != b'"');
        while let Some(byte) = bytes.next() {
            read.push(match byte {
                b'\\' => match bytes.next().unwrap() {
                    digit if digit.is_ascii_digit() => {
                        let digits = [digit, bytes.next().unwrap(), bytes.next().unwrap()];
                        std::str::from_utf8(&digits).unwrap().parse().unwrap()
                    }
                    other => other,
                },
                other => other,
            });
        }
        assert_eq!(String::from_utf8(read).unwrap(), text);
    }
}
