use proptest::prelude::*;

use super::*;
use crate::ErrorKind;

const INSTANCES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ec2:DescribeInstancesResponse xmlns:ec2="http://ec2.amazonaws.com/doc/2016-11-15/">
  <ec2:requestId> r-1 </ec2:requestId>
  <ec2:reservationSet>
    <ec2:item state="on"><ec2:instanceId>i-1</ec2:instanceId><count>3</count><ebs>true</ebs></ec2:item>
    <other/>
    <ec2:item ec2:state="off"><ec2:instanceId/><count>many</count><ebs>maybe</ebs><empty/></ec2:item>
  </ec2:reservationSet>
</ec2:DescribeInstancesResponse>"#;

fn read<T>(text: &str, read: impl FnOnce(Element<'_, '_>) -> Result<T>) -> Result<T> {
    parse(text, read)
}

/// What the error says about the second instance.
fn second<T: fmt::Debug>(what: impl FnOnce(Element<'_, '_>) -> Result<T>) -> String {
    let error =
        read(INSTANCES, |root| what(root.items("reservationSet", "item").nth(1).unwrap())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    error.to_string()
}

#[test]
fn names_match_without_prefix() {
    read(INSTANCES, |root| {
        assert_eq!(root.name(), "DescribeInstancesResponse");
        assert_eq!(root.opt_text("requestId").as_deref(), Some("r-1"));
        assert_eq!(root.need("requestId")?.raw_text(), " r-1 ");
        assert_eq!(root.path("reservationSet/item/instanceId").unwrap().text(), "i-1");
        let set = root.need("reservationSet")?;
        assert_eq!(set.children("item").count(), 2);
        assert_eq!(set.elements().map(Element::name).collect::<Vec<_>>(), ["item", "other", "item"]);
        let states: Vec<_> = set.children("item").map(|item| item.attribute("state")).collect();
        assert_eq!(states, [Some("on"), Some("off")]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn values_parse() {
    read(INSTANCES, |root| {
        let first = root.items("reservationSet", "item").next().unwrap();
        assert_eq!(first.need_text("instanceId")?, "i-1");
        assert_eq!(first.need_parse::<u8>("count")?, 3);
        assert_eq!(first.bool("ebs")?, Some(true));
        assert!(first.need_bool("ebs")?);
        assert_eq!(first.need_attribute("state")?, "on");
        Ok(())
    })
    .unwrap();
}

#[test]
fn absent_and_empty_are_none() {
    read(INSTANCES, |root| {
        assert_eq!(root.items("volumeSet", "item").count(), 0);
        assert!(root.child("volumeSet").is_none() && root.path("reservationSet/volume/id").is_none());
        for path in ["reservationSet/other", "volumeSet", "reservationSet/other/x"] {
            assert_eq!(root.opt_text(path), None, "{path}");
            assert_eq!(root.parse::<i64>(path)?, None, "{path}");
            assert_eq!(root.bool(path)?, None, "{path}");
        }
        assert_eq!(root.attribute("state"), None);
        Ok(())
    })
    .unwrap();
}

#[test]
fn truth_values() {
    for (text, expected) in [("true", true), ("True", true), ("1", true), ("FALSE", false), (" 0 ", false)] {
        let value = read(&format!("<a><b>{text}</b></a>"), |root| root.need_bool("b")).unwrap();
        assert_eq!(value, expected, "{text}");
    }
}

#[test]
fn errors_name_the_place_with_the_position_among_siblings() {
    let item = "unexpected answer at `DescribeInstancesResponse/reservationSet/item[2]";
    assert_eq!(
        second(|item| item.need("vpcId").map(Element::name).map(str::to_owned)),
        format!("{item}/vpcId`: it is missing")
    );
    assert_eq!(second(|item| item.need_text("instanceId")), format!("{item}/instanceId`: it is empty"));
    assert_eq!(second(|item| item.need_text("a/b/c")), format!("{item}/a/b/c`: it is missing"));
    assert_eq!(
        second(|item| item.parse::<u8>("count")),
        format!("{item}/count`: `many`: invalid digit found in string")
    );
    assert_eq!(second(|item| item.need_parse::<u8>("cores")), format!("{item}/cores`: it is missing"));
    assert_eq!(second(|item| item.need_parse::<u8>("empty")), format!("{item}/empty`: it is empty"));
    assert_eq!(second(|item| item.bool("ebs")), format!("{item}/ebs`: `maybe`: neither true nor false"));
    assert_eq!(second(|item| item.need_bool("empty")), format!("{item}/empty`: it is empty"));
    assert_eq!(second(|item| item.need_bool("encrypted")), format!("{item}/encrypted`: it is missing"));
    assert_eq!(
        second(|item| item.need_attribute("id").map(str::to_owned)),
        format!("{item}/@id`: it is missing")
    );
    assert_eq!(second(|item| Err::<(), _>(item.malformed("odd"))), format!("{item}`: odd"));
}

#[test]
fn long_values_are_cut_in_messages() {
    let text = format!("<a><b>{}</b></a>", "ü".repeat(500));
    let error = read(&text, |root| root.parse::<u8>("b")).unwrap_err();
    let expected =
        format!("unexpected answer at `a/b`: `{}…`: invalid digit found in string", "ü".repeat(60));
    assert_eq!(error.to_string(), expected);
}

#[test]
fn text_joins_cdata_entities_and_what_comments_divide() {
    let text = "<a>\n one &amp; <![CDATA[<two>]]><!-- no --> three<b>not this</b> &#x2713;\u{a0}\n</a>";
    let found = read(text, |root| Ok(root.text().into_owned())).unwrap();
    assert_eq!(found, "one & <two> three ✓\u{a0}");
}

#[test]
fn white_space_between_elements_is_no_text() {
    let raw = |text: &str| read(text, |root| Ok(root.raw_text().into_owned())).unwrap();
    assert_eq!(raw("<a> x <b/> y <b> </b> <b/>\n</a>"), " x  y ");
    assert_eq!(raw("<a> </a>"), " ");
    assert_eq!(raw("<a><b/> &amp; <![CDATA[c]]></a>"), " & c");
    assert_eq!(raw("<a><b/> <!-- no --> <![CDATA[c]]></a>"), "  c");
    assert_eq!(read("<a><b> </b> </a>", |root| Ok(root.need("b")?.raw_text().into_owned())).unwrap(), " ");
}

#[test]
fn syntax_errors_give_line_and_column() {
    let error = |text: &str| {
        let error = read(text, |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse);
        error.to_string()
    };
    assert_eq!(
        error("<a>\n  <b></c>\n</a>"),
        "unexpected answer at `line 2, column 6`: not XML: expected `</b>`, but `</c>` was found"
    );
    for text in ["", " \n"] {
        assert_eq!(error(text), "unexpected answer at `/`: the document is empty");
    }
    for (text, column, problem) in [
        ("{}", 1, "there is text outside of the root element"),
        ("<a>", 4, "`a` is not closed"),
        ("<!-- a -->", 11, "there is no element"),
        ("<a>&unknown;</a>", 4, "nothing says what `&unknown;` is"),
        ("<a>&#0;</a>", 4, "nothing says what `&#0;` is"),
        ("<a>&#+9;</a>", 4, "nothing says what `&#+9;` is"),
        ("<p:a/>", 2, "the prefix `p` is not declared"),
        ("<a xmlns:p=\"x\"><b/></a><p:c/>", 25, "there is a second root element"),
        ("<a><b xmlns:p=\"x\"/><p:c/></a>", 21, "the prefix `p` is not declared"),
        ("<a p:b=\"x\"/>", 2, "the prefix `p` is not declared"),
        ("<1/>", 2, "`1` cannot be a name"),
        ("<>", 2, "`` cannot be a name"),
        ("<a/>b", 5, "there is text outside of the root element"),
        ("<a/><![CDATA[b]]>", 14, "there is text outside of the root element"),
    ] {
        let expected = format!("unexpected answer at `line 1, column {column}`: not XML: {problem}");
        assert_eq!(error(text), expected, "{text}");
    }
    for text in [
        "< a/>",
        "<a b/>",
        "<a b=c/>",
        "<a b=\"&x;\"/>",
        "<a b=\"1\" b=\"2\"/>",
        "<a",
        "<a>&amp</a>",
        "</a>",
        "<a></a></a>",
    ] {
        let message = error(text);
        assert!(message.starts_with("unexpected answer at `line 1, column "), "{message}");
    }
}

#[test]
fn prefixes_are_known_where_they_are_declared() {
    let text = "<p:a xmlns:p=\"x\" xml:lang=\"de\"><b xmlns:q=\"y\"><q:c q:d=\"1\"/></b><p:e/></p:a>";
    read(text, |root| {
        assert_eq!((root.name(), root.attribute("lang")), ("a", Some("de")));
        assert_eq!(root.attributes().collect::<Vec<_>>(), [("lang", "de")]);
        assert_eq!(root.path("b/c").unwrap().attributes().collect::<Vec<_>>(), [("d", "1")]);
        assert_eq!(root.child("b").unwrap().attributes().count(), 0);
        Ok(())
    })
    .unwrap();
    let many: Vec<String> = (0..300).map(|n| format!("a{n}=\"\"")).collect();
    let error = read(&format!("<a {}/>", many.join(" ")), |_| Ok(())).unwrap_err();
    assert!(error.to_string().ends_with("there are more than 256 attributes or prefixes"), "{error}");
}

#[test]
fn lines_end_as_xml_has_it() {
    let text = "\u{feff}\r\n<a b=\"1\r\n2\">x\r\ny\rz&#13;</a>";
    let found = read(text.trim_start_matches('\u{feff}'), |root| {
        Ok((root.raw_text().into_owned(), root.attribute("b").map(str::to_owned)))
    });
    assert_eq!(found.unwrap(), ("x\ny\nz\r".to_owned(), Some("1 2".to_owned())));
    assert_eq!(read("\u{feff}<a>x</a>", |root| Ok(root.text().into_owned())).unwrap(), "x");
}

#[test]
fn document_types_are_refused() {
    let bomb = "<!DOCTYPE a [<!ENTITY x \"xx\"><!ENTITY y \"&x;&x;\">]><a>&y;</a>";
    let error = read(bomb, |_| Ok(())).unwrap_err();
    assert_eq!(error.to_string(), "unexpected answer at `/`: a document type declaration is refused");
    let error = read("<!doctype html><html/>", |_| Ok(())).unwrap_err();
    assert_eq!(error.to_string(), "unexpected answer at `/`: a document type declaration is refused");
}

#[test]
fn too_many_nodes_are_refused() {
    let text = "<a><b/><b/></a>";
    let error = parse_limited(text, 2, |_| Ok(())).unwrap_err();
    assert_eq!(error.to_string(), "unexpected answer at `/`: the document has more than 2 nodes");
    assert_eq!(parse_limited(text, 3, |root| Ok(root.children("b").count())).unwrap(), 2);
    // Texts and attributes take memory, too.
    for text in ["<a>x<b/></a>", "<a b=\"\"><b/></a>"] {
        assert!(parse_limited(text, 2, |_| Ok(())).is_err() && parse_limited(text, 3, |_| Ok(())).is_ok());
    }
}

#[test]
fn depth_does_not_exhaust_the_stack() {
    let levels = 50_000;
    let text = format!("{}deep{}", "<a>".repeat(levels), "</a>".repeat(levels));
    let (text, place) = read(&text, |root| {
        let mut element = root;
        while let Some(child) = element.child("a") {
            element = child;
        }
        Ok((element.text().into_owned(), element.place()))
    })
    .unwrap();
    assert_eq!((text.as_str(), place.len()), ("deep", 2 * levels - 1));
}

#[test]
fn debug_shows_the_place_and_not_the_content() {
    let shown =
        read("<a><password>canary</password></a>", |root| Ok(format!("{:?}", root.child("password"))));
    assert_eq!(shown.unwrap(), "Some(Element(a/password))");
}

#[test]
fn writer_nests_and_escapes() {
    let mut xml = Writer::fragment();
    xml.element_with("r:a", &[("x", "<\"&\t\r\n'>"), ("xml:lang", "")], |xml| {
        xml.text("1 < 2 & ]]>\r\n");
        xml.leaf("empty", "");
        xml.element("b", |xml| xml.leaf("c", "\u{1f600}"));
    });
    assert_eq!(
        xml.finish().unwrap(),
        "<r:a x=\"&lt;&quot;&amp;&#9;&#13;&#10;'&gt;\" xml:lang=\"\">1 &lt; 2 &amp; ]]&gt;&#13;\n<empty/>\
         <b><c>\u{1f600}</c></b></r:a>"
    );
}

#[test]
fn writer_refuses_what_xml_cannot_hold() {
    let leaf = |name: &str, text: &str| {
        let mut xml = Writer::document();
        xml.element("Delete", |xml| {
            xml.leaf(name, text);
            xml.leaf("later", "\u{2}");
        });
        let error = xml.finish().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        error.to_string()
    };
    assert_eq!(leaf("Key", "secret\u{b}"), "the character U+000B in `Delete/Key` cannot be written in XML");
    assert_eq!(leaf("Key", "\0"), "the character U+0000 in `Delete/Key` cannot be written in XML");
    assert_eq!(leaf("Key", "\u{ffff}"), "the character U+FFFF in `Delete/Key` cannot be written in XML");
    assert_eq!(leaf("Key", "fine"), "the character U+0002 in `Delete/later` cannot be written in XML");
    for name in ["", "1", "a b", "a>", "-a"] {
        let expected =
            format!("`{name}` in `Delete/{name}` cannot be the name of an XML element or attribute");
        assert_eq!(leaf(name, "x"), expected);
    }
}

#[test]
fn writer_does_not_show_its_text() {
    let mut xml = Writer::document();
    xml.leaf("a", "canary");
    let shown = format!("{xml:?}");
    assert!(!shown.contains("canary"), "{shown}");
}

proptest! {
    #[test]
    fn what_is_written_reads_back(text in "[ -~\t\n\r\u{7f}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]{0,30}") {
        let mut xml = Writer::document();
        xml.element_with("a", &[("b", &text)], |xml| xml.text(&text));
        let written = xml.finish().unwrap();
        let found = read(&written, |root| {
            Ok((root.raw_text().into_owned(), root.attribute("b").unwrap().to_owned()))
        });
        prop_assert_eq!(found.unwrap(), (text.clone(), text));
    }

    #[test]
    fn any_text_parses_or_fails_without_panic(text in "[<>/a-c=\"'&;!?\\[\\]CDATA \n-]{0,60}") {
        let _ = read(&text, |root| Ok(root.place()));
    }
}
