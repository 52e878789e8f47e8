use proptest::prelude::*;

use super::*;

fn numbers(priority: u16, weight: u16, port: u16) -> Numbers {
    Numbers { priority: Some(priority), weight: Some(weight), port: Some(port) }
}

#[test]
fn priorities_are_apart() {
    let priority = Numbers { priority: Some(10), ..Numbers::default() };
    assert_eq!(read(&RecordType::Mx, "10 mx.example.com."), ("mx.example.com.".into(), priority));
    assert_eq!(read(&RecordType::Srv, "1 2 3 sip.example.com"), ("sip.example.com".into(), numbers(1, 2, 3)));
    // What is not as it should be stays as it is.
    for odd in ["mx.example.com.", "70000 mx.example.com.", "ten mx"] {
        assert_eq!(read(&RecordType::Mx, odd), (odd.into(), Numbers::default()));
    }
    assert_eq!(read(&RecordType::Srv, "1 2 sip"), ("1 2 sip".into(), Numbers::default()));

    assert_eq!(write(&RecordType::Mx, "mx.example.com", priority).unwrap(), "10 mx.example.com");
    assert_eq!(write(&RecordType::Mx, "5 mx.example.com", priority).unwrap(), "5 mx.example.com");
    assert_eq!(write(&RecordType::Srv, "sip", numbers(1, 2, 3)).unwrap(), "1 2 3 sip");
    assert_eq!(write(&RecordType::Srv, "2 3 sip", numbers(1, 0, 0)).unwrap(), "1 2 3 sip");
    assert_eq!(write(&RecordType::Srv, "1 2 3 sip", Numbers::default()).unwrap(), "1 2 3 sip");
    let error = write(&RecordType::Mx, "mx", Numbers::default()).unwrap_err();
    assert_eq!(error.to_string(), "`priority` of the MX record `mx` is missing");
    let error = write(&RecordType::Srv, "sip", priority).unwrap_err();
    assert_eq!(error.to_string(), "`weight` of the SRV record `sip` is missing");
}

#[test]
fn text_is_quoted_and_what_is_quoted_stays() {
    let written = |data: &str| write(&RecordType::Txt, data, Numbers::default()).unwrap();
    assert_eq!(written("test"), r#""test""#);
    assert_eq!(written(r#""test""#), r#""test""#);
    assert_eq!(written(r#"test "with""#), r#""test \"with\"""#);
    assert_eq!(written(r#""one" "two""#), r#""one" "two""#);
    assert_eq!(written(r"a\b"), r#""a\\b""#);
    assert_eq!(written(""), r#""""#);
    // The codes are octal, of the bytes in UTF-8.
    assert_eq!(written("ä\u{7f}\n"), r#""\303\244\177\012""#);
    let long = "x".repeat(300);
    assert_eq!(written(&long), format!("\"{}\" \"{}\"", &long[..255], &long[255..]));
}

#[test]
fn values_are_read_as_text_where_that_is_all_they_are() {
    let data = |value: &'static str| read(&RecordType::Txt, value).0.into_owned();
    assert_eq!(data(r#""v=spf1 -all""#), "v=spf1 -all");
    assert_eq!(data(r#""\303\244 \"b\" \\""#), r#"ä "b" \"#);
    // Two strings are not one.
    assert_eq!(data(r#""one"   "two""#), r#""one" "two""#);
    assert_eq!(data(r#""\303\244" "b""#), r#""ä" "b""#);
    // A text with quotes around it would be taken for a quoted one.
    assert_eq!(data(r#""\"quoted\"""#), r#""\"quoted\"""#);
    // Bytes that are no text, and values that nobody quoted.
    assert_eq!(data(r#""\377""#), r#""\377""#);
    assert_eq!(data("plain"), "plain");
    assert_eq!(data(r#""open"#), r#""open"#);
}

#[test]
fn names_are_within_their_zone() {
    for (full, domain, name) in [
        ("www.example.com.", "example.com.", "www"),
        ("www.example.com", "example.com.", "www"),
        ("WWW.EXAMPLE.COM.", "example.com", "WWW"),
        ("example.com.", "example.com.", ""),
        (r"\052.example.com.", "example.com.", "*"),
        (r"\052.dev.example.com.", "example.com.", "*.dev"),
        (r"a\057b.example.com.", "example.com.", "a/b"),
        // A dot within a label, a blank, a byte and a backslash are not what they look like.
        (r"a\056b\040\344\134.example.com.", "example.com.", r"a\056b\040\344\134"),
        (r"\100.example.com.", "example.com.", r"\100"),
        ("other.example.net.", "example.com.", "other.example.net"),
        ("notexample.com.", "example.com.", "notexample.com"),
    ] {
        assert_eq!(relative_name(full, domain), name, "{full}");
    }
    assert_eq!(full_name("www", "example.com."), "www.example.com");
    assert_eq!(full_name("", "example.com"), "example.com");
    assert_eq!(full_name("@", "example.com"), "example.com");
    assert_eq!(full_name("ü x", "example.com"), r"\303\274\040x.example.com");
}

proptest! {
    #[test]
    fn any_text_comes_back(text in ".*") {
        let value = write(&RecordType::Txt, &text, Numbers::default()).unwrap();
        prop_assert!(value.is_ascii());
        let data = read(&RecordType::Txt, &value).0.into_owned();
        if strings(&text).is_none() {
            prop_assert_eq!(&data, &text);
        }
        prop_assert_eq!(write(&RecordType::Txt, &data, Numbers::default()).unwrap(), value);
    }

    #[test]
    fn any_strings_stay_apart(strings in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..4)) {
        let value = strings.iter().map(|string| quoted(string, is_plain)).collect::<Vec<_>>().join(" ");
        let data = read(&RecordType::Txt, &value).0.into_owned();
        let again = write(&RecordType::Txt, &data, Numbers::default()).unwrap();
        prop_assert_eq!(super::strings(&again), Some(strings));
    }

    #[test]
    fn any_name_comes_back(name in "[!-~]{0,20}") {
        let full = full_name(&name, "example.com");
        let read = relative_name(&full, "example.com");
        prop_assert_eq!(full_name(&read, "example.com"), full_name(&relative_name(&full_name(&read, "example.com"), "example.com"), "example.com"));
    }

    #[test]
    fn numbers_come_back(priority: u16, weight: u16, port: u16, name in "[a-z][a-z.]{0,20}") {
        let given = numbers(priority, weight, port);
        let value = write(&RecordType::Srv, &name, given).unwrap();
        prop_assert_eq!(read(&RecordType::Srv, &value), (name.into(), given));
    }
}
