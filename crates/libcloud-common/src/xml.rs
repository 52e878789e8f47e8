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

use roxmltree::{Document, Node, NodeType, ParsingOptions};

use crate::{Error, Result};

mod writer;

pub use writer::Writer;

/// The most nodes (elements, texts, comments) that a document may have.
///
/// A page of a thousand instances has some hundred thousand. The limit bounds memory, of which a node takes more than its
/// shortest text.
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
    // Some answers begin with an empty line.
    let text = trim(text);
    if text.is_empty() {
        return Err(Error::malformed("/", "the document is empty"));
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit, ..ParsingOptions::default() };
    let document =
        Document::parse_with_options(text, options).map_err(|error| syntax_error(&error, nodes_limit))?;
    read(Element(document.root_element()))
}

fn syntax_error(error: &roxmltree::Error, nodes_limit: u32) -> Error {
    match error {
        roxmltree::Error::DtdDetected => Error::malformed("/", "a document type declaration is refused"),
        roxmltree::Error::NodesLimitReached => {
            Error::malformed("/", format!("the document has more than {nodes_limit} nodes"))
        }
        error => {
            let at = error.pos();
            let (text, suffix) = (error.to_string(), format!(" at {at}"));
            let problem = text.strip_suffix(&suffix).unwrap_or(&text);
            Error::malformed(&format!("line {}, column {}", at.row, at.col), format!("not XML: {problem}"))
        }
    }
}

/// An element of a parsed document.
#[derive(Clone, Copy)]
pub struct Element<'a, 'input>(Node<'a, 'input>);

impl<'a> Element<'a, '_> {
    /// The name without prefix.
    pub fn name(self) -> &'a str {
        self.0.tag_name().name()
    }

    /// All elements directly below this one.
    pub fn elements(self) -> impl Iterator<Item = Self> {
        self.0.children().filter(Node::is_element).map(Element)
    }

    /// The elements of this name directly below this one.
    pub fn children(self, name: &str) -> impl Iterator<Item = Self> {
        self.elements().filter(move |element| element.name() == name)
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
        self.follow(path).map_err(|place| Error::malformed(&place, "it is missing"))
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
            Cow::Owned(text) => Cow::Owned(trim(&text).to_owned()),
        }
    }

    /// The element's own text, CDATA included, as it is: names of objects may begin with a space.
    pub fn raw_text(self) -> Cow<'a, str> {
        let mut texts = self
            .0
            .children()
            .filter(|node| node.node_type() == NodeType::Text)
            .filter_map(|node| node.text());
        let first = texts.next().unwrap_or_default();
        match texts.next() {
            None => Cow::Borrowed(first),
            // A comment divides a text in two.
            Some(second) => Cow::Owned([first, second].into_iter().chain(texts).collect()),
        }
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
        self.0.attributes().find(|attribute| attribute.name() == name).map(|attribute| attribute.value())
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
            self.0.ancestors().filter(Node::is_element).map(|node| step(Element(node))).collect();
        steps.reverse();
        steps.join("/")
    }

    /// An error of kind [`MalformedResponse`](crate::ErrorKind::MalformedResponse) at this element.
    pub fn malformed(self, problem: impl fmt::Display) -> Error {
        Error::malformed(&self.place(), problem)
    }

    /// The element at the path, or the place where it should be.
    fn follow(self, path: &str) -> Result<Self, String> {
        let mut element = self;
        let mut rest = path;
        loop {
            let (name, below) = rest.split_once('/').unwrap_or((rest, ""));
            element = element.child(name).ok_or_else(|| format!("{}/{rest}", element.place()))?;
            if below.is_empty() {
                return Ok(element);
            }
            rest = below;
        }
    }
}

impl fmt::Debug for Element<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The content may hold a password.
        write!(f, "Element({})", self.place())
    }
}

fn step(element: Element<'_, '_>) -> String {
    let name = element.name();
    let same = |node: &Node<'_, '_>| node.is_element() && node.tag_name().name() == name;
    let before = element.0.prev_siblings().skip(1).filter(same).count();
    let after = element.0.next_siblings().skip(1).filter(same).count();
    if before + after == 0 { name.to_owned() } else { format!("{name}[{}]", before + 1) }
}

/// XML's own white space only: a no-break space is a character like others.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
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
