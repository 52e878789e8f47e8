//! Zones to export, shared by the tests with and without BIND.

use std::sync::Arc;

use libcloud_common::Timestamp;
use libcloud_dns::{Record, RecordType, Zone, ZoneType};
use proptest::prelude::*;

pub(crate) fn generated_at() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

pub(crate) fn zone() -> Arc<Zone> {
    Arc::new(Zone::new("1", "example.com", ZoneType::Master).with_ttl(900))
}

/// A record of the zone; its id is its type and name.
pub(crate) fn record(name: &str, type_: &str, data: &str) -> Record {
    let id = format!("{type_}:{name}");
    Record::new(id, name, RecordType::from(type_), data, &zone())
}

fn srv(name: &str, data: &str, numbers: [u16; 3]) -> Record {
    let extra = ["priority", "weight", "port"].into_iter().zip(numbers).collect();
    record(name, "SRV", data).with_extra(extra)
}

/// What BIND wants of every zone.
pub(crate) fn apex() -> Vec<Record> {
    vec![
        record("", "NS", "ns1.example.com"),
        record("@", "NS", "ns2.example.net."),
        record("", "SOA", "ns1.example.com. host.master@example.com 2026010203 7200 900 1209600 300"),
        record("ns1", "A", "192.0.2.53"),
    ]
}

/// Every type of record, with odd names and data.
pub(crate) fn full_zone() -> Vec<Record> {
    let mut records = apex();
    records.extend([
        record("example.com", "A", "192.0.2.1").with_ttl(0),
        record("www", "A", " 192.0.2.2\n").with_ttl(60),
        record("www.example.com", "AAAA", "2001:db8::2"),
        record("abs.Example.COM.", "A", "192.0.2.3"),
        record("*", "A", "192.0.2.4"),
        record("*.dev", "CNAME", "www.example.com"),
        record("_dmarc", "TXT", "v=DMARC1; p=none; rua=mailto:me@example.com"),
        record(r"dot\.ted", "A", "192.0.2.5"),
        record(r"tab\009bed", "A", "192.0.2.6"),
        record("dollar$(semi);at@quote\"", "A", "192.0.2.7"),
        record("bücher", "A", "192.0.2.8"),
        record(r"raw\195\188", "A", "192.0.2.9"),
        record("up", "CNAME", "@"),
        record("away", "CNAME", "bücher.example.net"),
        record("ptr", "PTR", r"a\ b.example.net"),
        record("tree", "DNAME", "tree.example.net"),
        record("", "MX", "mx.example.com").with_priority(10),
        record("", "MX", "20 mx2.example.com."),
        record("nomail", "MX", "0 ."),
        srv("_sip._tcp", "sip.example.com", [1, 2, 5060]),
        record("_xmpp._tcp", "SRV", "10 3333 example.com").with_priority(20),
        record("_full._tcp", "SRV", "1 2 3 full.example.com."),
        record("text", "TXT", r#"say "hi" \ bye"#),
        record("text", "TXT", r#""one" "two \"2\" \195\188 \\""#),
        record("text", "TXT", "two\nlines\0 and ü"),
        record("text", "TXT", r#""ends in a backslash \""#),
        record("text", "TXT", ""),
        record("long", "TXT", &"x".repeat(256)),
        record("long", "TXT", &format!("\"{}\"", "y".repeat(600))),
        record("spf", "SPF", "v=spf1 -all"),
        record("host", "HINFO", r#"PC-Intel "Linux 6""#),
        record("", "CAA", "0 issue letsencrypt.org; validationmethods=dns-01"),
        record("", "CAA", r#"128 iodef "mailto:ca@example.com""#),
        record("enum", "NAPTR", r#"100 10 "U" "E2U+sip" "!^(.*)$!sip:\\1@example.com!" ."#),
        record("enum", "NAPTR", "100 20 S SIP+D2U \"\" _sip._udp.example.com"),
        record("", "HTTPS", "1 . alpn=\"h3,h2\" ipv4hint=192.0.2.1"),
        record("alias", "HTTPS", "0 www.example.com"),
        record("_dns", "SVCB", "1 dns.example.com port=8853"),
        record("afs", "AFSDB", "1 afs.example.com"),
        record("person", "RP", "me.too@example.com person.example.com"),
        record("here", "LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"),
        record("ssh", "SSHFP", &format!("4 2 {}", "ab".repeat(32))),
        record("_443._tcp", "TLSA", &format!("3 1 1 {}", "cd".repeat(32))),
        record("sub", "NS", "ns1.example.net"),
        record("sub", "DS", &format!("12345 13 2 {}", "ef".repeat(32))),
        record("key", "DNSKEY", "256 3 13 AwEAAag="),
        record("key", "KEY", "512 3 13 AwEAAag="),
        record("cert", "CERT", "PKIX 0 0 AwEAAag="),
        record("pgp", "OPENPGPKEY", "AwEAAag="),
        record("wks", "WKS", "192.0.2.1 6 25 80"),
        record("old", "NSEC", "wks.example.com A TXT NSEC"),
        record("old", "RRSIG", "A 13 3 900 20900101000000 20260101000000 12345 example.com AwEAAag="),
        record("uri", "URI", r#"10 1 "https://example.com/a;b""#),
        record("blob", "TYPE65280", r"\# 4 0A000001"),
        record("go", "REDIRECT", "https://example.net/\nevil IN A 192.0.2.66"),
        record("go", "URL", "https://example.net/"),
        record("", "ALIAS", "lb.example.net"),
        record("", "GEO", "192.0.2.1"),
        record("odd", "PARK ED\n", "x"),
    ]);
    records
}

/// Text in which every byte that means something to a zone file is likely.
pub(crate) fn nasty() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9.\"\\\\;() \t\n\r\0@$ü\u{2028}]{0,40}", "[a-z.\"\\\\;$()]{1,10}", any::<String>(),]
}

/// A type, and data that may be of this type.
fn type_and_data() -> impl Strategy<Value = (String, String)> {
    let all: Vec<String> = RecordType::ALL.iter().map(ToString::to_string).collect();
    let named = prop::sample::select(vec!["CNAME", "PTR", "DNAME"]).prop_map(str::to_owned);
    prop_oneof![
        (prop::sample::select(all), nasty()),
        (nasty(), nasty()),
        (Just("A".to_owned()), any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string())),
        (prop::sample::select(vec!["TXT", "SPF"]).prop_map(str::to_owned), nasty()),
        (named, nasty()),
        (
            Just("MX".to_owned()),
            (any::<u16>(), nasty()).prop_map(|(number, name)| format!("{number} {name}"))
        ),
        (Just("HINFO".to_owned()), (nasty(), nasty()).prop_map(|(one, two)| format!("{one} {two}"))),
        (Just("CAA".to_owned()), nasty().prop_map(|value| format!("0 issue {value}"))),
        (Just("HTTPS".to_owned()), nasty().prop_map(|words| format!("1 . {words}"))),
    ]
}

/// Any record, of which some can be written.
pub(crate) fn any_record() -> impl Strategy<Value = Record> {
    let name = prop_oneof![nasty(), "[a-z*]{1,9}"];
    let ttl = prop::option::of(prop_oneof![0..4000u32, any::<u32>()]);
    (name, type_and_data(), ttl, prop::option::of(any::<u16>())).prop_map(
        |(name, (type_, data), ttl, priority)| {
            let record = record(&name, &type_, &data).with_ttl(ttl);
            match priority {
                Some(priority) => record.with_priority(priority),
                None => record,
            }
        },
    )
}
