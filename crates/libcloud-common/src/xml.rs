//! Reading and writing XML.
//!
//! [`parse`] gives the root [`Element`] to a closure. Names are compared without prefix and namespace, since providers
//! change both between versions and installations. Every error leads to its place:
//!
//! ```
//! use libcloud_common::xml;
//!
//! let text = "<List><owner><id>7</id></owner><nodes><item><id>a</id></item><item/></nodes></List>";
//! let ids = |root: xml::Element<'_, '_>| root.items("nodes", "item").map(|node| node.need_text("id")).collect();
//! let result: libcloud_common::Result<Vec<String>> = xml::parse(text, ids);
//! assert_eq!(result.unwrap_err().to_string(), "unexpected answer at `List/nodes/item[2]/id`: it is missing");
//! ```
//!
//! [`Writer`] writes the bodies of requests.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

mod parser;
mod tree;
mod writer;

use tree::{Document, Node};

pub use writer::Writer;

/// The most nodes (elements, attributes, pieces of text) that a document may have.
///
/// A page of a thousand instances has some two hundred thousand. The limit bounds memory, of which a node takes more than
/// its shortest text.
pub const MAX_NODES: u32 = 4_000_000;

/// The most characters of a foreign value that an error repeats.
const MAX_QUOTED: usize = 60;

/// Parses a document and reads what is needed from its root.
///
/// Document type declarations are refused, and with them all entities but the predefined. Errors are of kind
/// [`MalformedResponse`](crate::ErrorKind::MalformedResponse); those of syntax give line and column.
pub fn parse<T>(text: &str, read: impl FnOnce(Element<'_, '_>) -> Result<T>) -> Result<T> {
    parse_limited(text, MAX_NODES, read)
}

fn parse_limited<T>(
    text: &str,
    nodes_limit: u32,
    read: impl FnOnce(Element<'_, '_>) -> Result<T>,
) -> Result<T> {
    let text = line_feeds(text);
    // Some answers begin with an empty line.
    let text = trim(&text);
    if text.is_empty() {
        return Err(Error::malformed("/", "the document is empty"));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = Document::parse(text, nodes_limit)?;
    let Some(node) = document.element(0) else {
        return Err(Error::malformed("/", "the document is empty"));
    };
    read(Element { document: &document, node, index: 0 })
}

/// Line breaks as XML has them (section 2.11): what else ends a line is read as a line feed.
fn line_feeds(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// An element of a parsed document.
#[derive(Clone, Copy)]
pub struct Element<'a, 'input> {
    document: &'a Document<'input>,
    node: &'a Node,
    index: u32,
}

impl<'a> Element<'a, '_> {
    /// The name without prefix.
    pub fn name(self) -> &'a str {
        self.document.name(self.node)
    }

    /// All elements directly below this one.
    pub fn elements(self) -> impl Iterator<Item = Self> {
        let mut next = self.index + 1;
        std::iter::from_fn(move || {
            let index = next;
            let node = self.document.element(index).filter(|_| index < self.node.end)?;
            next = node.end;
            Some(Self { node, index, ..self })
        })
    }

    /// The elements of this name directly below this one.
    pub fn children(self, name: &str) -> impl Iterator<Item = Self> {
        self.elements().filter(move |element| element.document.is_named(element.node, name))
    }

    /// The first element of this name directly below this one.
    pub fn child(self, name: &str) -> Option<Self> {
        self.children(name).next()
    }

    /// As [`child`](Self::child); it is an error if there is none.
    pub fn need(self, name: &str) -> Result<Self> {
        self.need_path(name)
    }

    /// Follows a path of names (`"a/b/c"`), at each step to the first element of that name.
    pub fn path(self, path: &str) -> Option<Self> {
        self.follow(path).ok()
    }

    /// As [`path`](Self::path); it is an error if it leads nowhere.
    pub fn need_path(self, path: &str) -> Result<Self> {
        self.follow(path)
            .map_err(|(last, rest)| Error::malformed(&format!("{}/{rest}", last.place()), "it is missing"))
    }

    /// The elements `item` below each `list`: none if there is no `list`.
    ///
    /// EC2 writes its lists as `<instancesSet><item>…</item><item>…</item></instancesSet>`.
    pub fn items(self, list: &str, item: &str) -> impl Iterator<Item = Self> {
        self.children(list).flat_map(move |list| list.children(item))
    }

    /// The element's own text, CDATA included, without white space around it.
    pub fn text(self) -> Cow<'a, str> {
        match self.raw_text() {
            Cow::Borrowed(text) => Cow::Borrowed(trim(text)),
            Cow::Owned(text) if trim(&text).len() == text.len() => Cow::Owned(text),
            Cow::Owned(text) => Cow::Owned(trim(&text).to_owned()),
        }
    }

    /// The element's own text, CDATA included, as it is: names of objects may begin with a space. White space
    /// between two elements in it is left out.
    pub fn raw_text(self) -> Cow<'a, str> {
        self.document.text(self.node)
    }

    /// The text at this path; `None` if there is no such element or it is empty.
    pub fn opt_text(self, path: &str) -> Option<String> {
        self.path(path).map(Self::text).filter(|text| !text.is_empty()).map(Cow::into_owned)
    }

    /// The text at this path; it is an error if there is no such element or it is empty.
    pub fn need_text(self, path: &str) -> Result<String> {
        let element = self.need_path(path)?;
        let text = element.text();
        if text.is_empty() {
            return Err(element.malformed("it is empty"));
        }
        Ok(text.into_owned())
    }

    /// The text at this path as a number or another type; `None` if there is no such element or it is empty.
    ///
    /// The error repeats the beginning of the text, so this is not for secrets.
    pub fn parse<T>(self, path: &str) -> Result<Option<T>>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let Some(element) = self.path(path) else {
            return Ok(None);
        };
        let text = element.text();
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|error| element.malformed(format_args!("{}: {error}", Quoted(&text))))
    }

    /// As [`parse`](Self::parse); it is an error if there is no such element or it is empty.
    pub fn need_parse<T>(self, path: &str) -> Result<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        match self.parse(path)? {
            Some(value) => Ok(value),
            None => Err(self.need_path(path)?.malformed("it is empty")),
        }
    }

    /// The truth value at this path: `true`, `false`, `1` or `0`, in any case; `None` if there is none or it is empty.
    pub fn bool(self, path: &str) -> Result<Option<bool>> {
        let Some(element) = self.path(path) else {
            return Ok(None);
        };
        let text = element.text();
        if text.is_empty() {
            return Ok(None);
        }
        match truth(&text) {
            Some(value) => Ok(Some(value)),
            None => Err(element.malformed(format_args!("{}: neither true nor false", Quoted(&text)))),
        }
    }

    /// As [`bool`](Self::bool); it is an error if there is no such element or it is empty.
    pub fn need_bool(self, path: &str) -> Result<bool> {
        match self.bool(path)? {
            Some(value) => Ok(value),
            None => Err(self.need_path(path)?.malformed("it is empty")),
        }
    }

    /// The value of an attribute; the name is compared without prefix.
    pub fn attribute(self, name: &str) -> Option<&'a str> {
        self.attributes().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// All attributes, names without prefix and values; declarations of namespaces are none.
    pub fn attributes(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.document.attributes(self.index).map(|attribute| (attribute.name, &*attribute.value))
    }

    /// As [`attribute`](Self::attribute); it is an error if there is none.
    pub fn need_attribute(self, name: &str) -> Result<&'a str> {
        self.attribute(name)
            .ok_or_else(|| Error::malformed(&format!("{}/@{name}", self.place()), "it is missing"))
    }

    /// The path from the root to this element, with the position, counted from 1, among siblings of the same name.
    ///
    /// This is for messages; it looks at all siblings of all elements above.
    pub fn place(self) -> String {
        let mut steps: Vec<String> =
            std::iter::successors(Some(self), |element| element.parent()).map(Self::step).collect();
        steps.reverse();
        steps.join("/")
    }

    /// An error of kind [`MalformedResponse`](crate::ErrorKind::MalformedResponse) at this element.
    pub fn malformed(self, problem: impl fmt::Display) -> Error {
        Error::malformed(&self.place(), problem)
    }

    /// The element at the path, or the last one on the way and the rest of the path. Most listings leave out much, so that
    /// this must cost no more than the search.
    fn follow(self, path: &str) -> Result<Self, (Self, &str)> {
        let mut element = self;
        let mut rest = path;
        loop {
            // Byte by byte: a path is too short for a search that prepares itself.
            let length = rest.bytes().position(|byte| byte == b'/').unwrap_or(rest.len());
            let (name, below) = rest.split_at_checked(length).unwrap_or((rest, ""));
            element = element.child(name).ok_or((element, rest))?;
            let below = below.strip_prefix('/').unwrap_or_default();
            if below.is_empty() {
                return Ok(element);
            }
            rest = below;
        }
    }

    fn parent(self) -> Option<Self> {
        let index = self.node.parent;
        self.document.element(index).map(|node| Self { node, index, ..self })
    }

    /// The name, with the position if there are others of it beside this one.
    fn step(self) -> String {
        let name = self.name();
        let (mut position, mut count) = (0, 0);
        for sibling in self.parent().into_iter().flat_map(|parent| parent.children(name)) {
            count += 1;
            if sibling.index == self.index {
                position = count;
            }
        }
        if count < 2 { name.to_owned() } else { format!("{name}[{position}]") }
    }
}

impl fmt::Debug for Element<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The content may hold a password.
        write!(f, "Element({})", self.place())
    }
}

/// White space of ASCII only: a no-break space is a character like others. (A form feed is none in XML, which cannot hold one.)
fn trim(text: &str) -> &str {
    text.trim_ascii()
}

pub(crate) fn truth(text: &str) -> Option<bool> {
    if text == "1" || text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text == "0" || text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// The beginning of a foreign value.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(MAX_QUOTED) {
            Some((end, _)) => write!(f, "`{}…`", self.0.get(..end).unwrap_or_default()),
            None => write!(f, "`{}`", self.0),
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod oracle;
