//! The parser beside quick-xml, on documents that are made up and then damaged.

use proptest::prelude::*;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::*;

/// An element with everything that can be read of it.
#[derive(Debug, Default, PartialEq)]
struct Whole {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Whole>,
}

fn ours(text: &str) -> Option<Whole> {
    fn whole(element: Element<'_, '_>) -> Whole {
        let attributes = element.attributes().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Whole {
            name: element.name().to_owned(),
            attributes: attributes.collect(),
            text: element.raw_text().into_owned(),
            children: element.elements().map(whole).collect(),
        }
    }
    parse(text, |root| Ok(whole(root))).ok()
}

/// What quick-xml makes of it, where names are names and prefixes are declared: it does not look into either.
fn theirs(text: &str) -> Option<Whole> {
    let text = trim(text);
    let mut reader = Reader::from_str(text);
    // Prefixes are declared by the root alone, or not at all.
    let mut prefixes = Vec::new();
    let mut open = vec![Whole::default()];
    // Text and references up to the next markup.
    let mut run = String::new();
    let mut is_escaped = false;
    loop {
        let rest = text.get(usize::try_from(reader.buffer_position()).ok()?..)?;
        let event = reader.read_event().ok()?;
        match event {
            Event::Text(piece) => {
                run.push_str(&piece);
                continue;
            }
            Event::GeneralRef(name) => {
                run.push_str(&quick_xml::escape::unescape(&format!("&{};", &*name)).ok()?);
                is_escaped = true;
                continue;
            }
            _ => {}
        }
        let before_tag = !rest.is_empty() && !rest.starts_with("<!");
        let is_between = open.len() == 1 || (before_tag && !open.last()?.children.is_empty());
        if is_escaped || !is_between || !trim(&run).is_empty() {
            open.last_mut()?.text.push_str(&run);
        }
        (run, is_escaped) = (String::new(), false);
        match event {
            Event::Start(tag) => open.push(begun(&tag, &mut prefixes)?),
            Event::Empty(tag) => open.last_mut()?.children.push(begun(&tag, &mut prefixes)?),
            Event::End(_) => {
                let ended = open.pop()?;
                open.last_mut()?.children.push(ended);
            }
            Event::CData(piece) if open.len() > 1 => open.last_mut()?.text.push_str(&piece),
            Event::PI(instruction) if !instruction.target().starts_with(is_of_name) => return None,
            Event::CData(_) | Event::DocType(_) => return None,
            Event::Eof => break,
            _ => {}
        }
    }
    let document = open.pop().filter(|document| open.is_empty() && document.text.is_empty())?;
    let mut roots = document.children.into_iter();
    roots.next().filter(|_| roots.next().is_none())
}

fn begun(tag: &BytesStart<'_>, prefixes: &mut Vec<String>) -> Option<Whole> {
    let mut pairs = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.ok()?;
        let name = attribute.key.into_inner().to_owned();
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
        match name.strip_prefix("xmlns:") {
            Some(prefix) => prefixes.push(named(prefix)?.to_owned()),
            None if name == "xmlns" => {}
            None => pairs.push((name, value.into_owned())),
        }
    }
    let local = |name: &str| {
        let (prefix, local) = name.split_once(':').unwrap_or(("xml", name));
        let known = prefix == "xml" || prefixes.iter().any(|known| known == prefix);
        let begins = local.starts_with(|first: char| first.is_alphabetic() || first == '_');
        (known && begins).then(|| named(local).map(str::to_owned)).flatten()
    };
    let attributes = pairs.iter().map(|(name, value)| Some((local(name)?, value.clone())));
    Some(Whole {
        name: local(tag.name().as_ref())?,
        attributes: attributes.collect::<Option<_>>()?,
        ..Whole::default()
    })
}

/// The name, if it has nothing in it that no name has.
fn named(name: &str) -> Option<&str> {
    name.chars().all(is_of_name).then_some(name)
}

fn is_of_name(c: char) -> bool {
    !c.is_ascii() || c.is_ascii_alphanumeric() || "_-.:".contains(c)
}

fn content() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ \n\ta-c0-9.:/=\"'>ü✓\u{a0}-]{0,12}",
        "&(amp|lt|gt|quot|apos|#65|#x2713|#10);",
        "<!\\[CDATA\\[[a<>&\n ]{0,6}\\]\\]>",
        "<!--[a<> &]{0,6}-->",
        "<\\?p [a<> &]{0,6}\\?>",
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn element() -> impl Strategy<Value = String> {
    let name = "(p:|xml:)?[a-cü_][a-c0-9.-]{0,5}";
    let attributes = prop_oneof![
        4 => Just(String::new()),
        1 => "[ \n](p:)?[a-c]{1,3}[ ]?=[ ]?(\"[ \n\ta'>&]{0,1}(&lt;|&#9;|b)[ \t]\"|'\"?')[ ]?",
    ];
    let leaf = (name, attributes.clone(), content()).prop_map(|(name, attributes, content)| {
        if content.is_empty() {
            format!("<{name}{attributes}/>")
        } else {
            format!("<{name}{attributes}>{content}</{name} >")
        }
    });
    leaf.prop_recursive(4, 24, 5, move |inner| {
        (name, attributes.clone(), prop::collection::vec((content(), inner), 0..4), content()).prop_map(
            |(name, attributes, children, last)| {
                let children: String = children.into_iter().flat_map(|(text, child)| [text, child]).collect();
                format!("<{name}{attributes}>{children}{last}</{name}>")
            },
        )
    })
}

fn document() -> impl Strategy<Value = String> {
    element().prop_map(|inner| {
        format!("<?xml version=\"1.0\"?>\n<!-- --><a xmlns=\"x\" xmlns:p='y'>{inner}</a>\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_made_up_is_read_alike(text in document()) {
        prop_assert_eq!(ours(&text), theirs(&text));
    }

    #[test]
    fn what_is_damaged_is_read_alike(
        text in document(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), 0..4usize, "[<>/&;\"'=!? a\\[\\]:#x-]{0,3}"), 1..3),
    ) {
        let mut text = text;
        for (at, length, inserted) in damages {
            let mut chars: Vec<char> = text.chars().collect();
            let at = at.index(chars.len() + 1);
            let end = (at + length).min(chars.len());
            chars.splice(at..end, inserted.chars());
            text = chars.into_iter().collect();
        }
        prop_assert_eq!(ours(&text), theirs(&text), "{}", text);
    }
}
