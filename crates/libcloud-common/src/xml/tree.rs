//! The tree behind an [`Element`](super::Element), built for answers that are read once and dropped.
//!
//! A listing of a thousand instances has a hundred thousand elements, so what counts is how little each of them takes. All are
//! in one vector, in the order in which they begin: an element is followed by those below it, and knows where they end. Names
//! and texts are slices of the document. quick-xml finds the markup; what is refused beyond its own checks is said here.

use std::borrow::Cow;
use std::fmt;

use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::trim;
use crate::{Error, Result};

/// The most attributes that an element may have, and the most prefixes that may be declared at one place. Both are searched
/// from one end to the other.
const MAX_ATTRIBUTES: usize = 256;
/// No element, no text.
const NONE: u32 = u32::MAX;

/// A document that has been parsed.
pub(super) struct Document<'input> {
    elements: Vec<Node<'input>>,
    texts: Vec<Text<'input>>,
    /// In the order of their elements.
    attributes: Vec<Attribute<'input>>,
}

/// An element.
pub(super) struct Node<'input> {
    /// The name without prefix.
    pub(super) name: &'input str,
    /// The element that it is in.
    pub(super) parent: u32,
    /// Where the elements below it end.
    pub(super) end: u32,
    first_text: u32,
    last_text: u32,
}

/// A piece of an element's own text, and which is the next one.
struct Text<'input> {
    piece: Piece<'input>,
    next: u32,
}

/// Text as it is in the document, or a character that is written there in another way.
#[derive(Clone, Copy)]
pub(super) enum Piece<'input> {
    Slice(&'input str),
    Char(char),
}

/// An attribute, its name without prefix.
pub(super) struct Attribute<'input> {
    element: u32,
    pub(super) name: &'input str,
    pub(super) value: Cow<'input, str>,
}

impl<'input> Document<'input> {
    /// Parses a document of at most so many elements, pieces of text and attributes together.
    pub(super) fn parse(text: &'input str, nodes_limit: u32) -> Result<Self> {
        let mut reader = Reader::from_str(text);
        let mut builder = Builder::new(text, nodes_limit);
        loop {
            let event = reader.read_event();
            // After what was read: everything below is counted from there.
            let end = offset(reader.buffer_position());
            let event = event.map_err(|error| {
                let at = offset(reader.error_position());
                match error {
                    quick_xml::Error::IllFormed(problem) => not_xml(text, at, problem),
                    quick_xml::Error::Syntax(problem) => not_xml(text, at, problem),
                    problem => not_xml(text, at, problem),
                }
            })?;
            match event {
                Event::Start(tag) => builder.begin(&tag, end.saturating_sub(">".len()))?,
                Event::Empty(tag) => {
                    builder.begin(&tag, end.saturating_sub("/>".len()))?;
                    builder.end();
                }
                Event::End(_) => builder.end(),
                Event::Text(piece) => {
                    let piece = builder.slice(end, piece.len());
                    if !builder.is_between(end) || !trim(piece).is_empty() {
                        builder.text(Piece::Slice(piece), end.saturating_sub(piece.len()))?;
                    }
                }
                Event::CData(piece) => {
                    let piece = builder.slice(end.saturating_sub("]]>".len()), piece.len());
                    builder.text(Piece::Slice(piece), end.saturating_sub(piece.len() + "]]>".len()))?;
                }
                Event::GeneralRef(name) => {
                    let name = builder.slice(end.saturating_sub(";".len()), name.len());
                    let at = end.saturating_sub(name.len() + "&;".len());
                    let char = character(name)
                        .ok_or_else(|| not_xml(text, at, format_args!("nothing says what `&{name};` is")))?;
                    builder.text(Piece::Char(char), at)?;
                }
                Event::DocType(_) => {
                    return Err(Error::malformed("/", "a document type declaration is refused"));
                }
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => return builder.finish(),
            }
        }
    }

    /// The element at this place.
    pub(super) fn element(&self, index: u32) -> Option<&Node<'input>> {
        self.elements.get(index as usize)
    }

    /// The pieces of an element's own text.
    pub(super) fn texts(&self, node: &Node<'input>) -> impl Iterator<Item = Piece<'input>> {
        let mut next = node.first_text;
        std::iter::from_fn(move || {
            let text = self.texts.get(next as usize)?;
            next = text.next;
            Some(text.piece)
        })
    }

    /// The attributes of the element at this place.
    pub(super) fn attributes(&self, index: u32) -> impl Iterator<Item = &Attribute<'input>> {
        let from = self.attributes.partition_point(|attribute| attribute.element < index);
        let rest = self.attributes.get(from..).unwrap_or_default();
        rest.iter().take_while(move |attribute| attribute.element == index)
    }
}

struct Builder<'input> {
    text: &'input str,
    document: Document<'input>,
    nodes_left: u32,
    nodes_limit: u32,
    /// The element that has begun last and not ended.
    open: u32,
    /// The prefixes that are declared, each with the element that declares it.
    prefixes: Vec<(u32, &'input str)>,
}

impl<'input> Builder<'input> {
    fn new(text: &'input str, nodes_limit: u32) -> Self {
        // A field of a listing, with its tags and its text, takes about so much.
        let about = text.len() / 28;
        let document = Document {
            elements: Vec::with_capacity(about),
            texts: Vec::with_capacity(about),
            attributes: Vec::new(),
        };
        Self { text, document, nodes_left: nodes_limit, nodes_limit, open: NONE, prefixes: Vec::new() }
    }

    /// An element begins: what is in its tag ends here.
    fn begin(&mut self, tag: &BytesStart<'_>, end: usize) -> Result<()> {
        let content = self.slice(end, tag.len());
        let at = end - content.len();
        let (qualified, rest) = content.split_at_checked(tag.name().as_ref().len()).unwrap_or((content, ""));
        if self.open == NONE && !self.document.elements.is_empty() {
            return Err(not_xml(self.text, at, "there is a second root element"));
        }
        let index = self.count(self.document.elements.len())?;
        if !rest.is_empty() {
            self.attributes(index, Attributes::new(content, qualified.len()), at)?;
        }
        let name = local(self.text, &self.prefixes, qualified, at)?;
        self.document.elements.push(Node {
            name,
            parent: self.open,
            end: NONE,
            first_text: NONE,
            last_text: NONE,
        });
        self.open = index;
        Ok(())
    }

    /// The element that is open ends: quick-xml has seen to it that it is this one.
    fn end(&mut self) {
        let (index, end) = (self.open, self.document.elements.len());
        if let Some(node) = self.document.elements.get_mut(index as usize) {
            node.end = u32::try_from(end).unwrap_or(NONE);
            self.open = node.parent;
        }
        while self.prefixes.last().is_some_and(|(element, _)| *element == index) {
            self.prefixes.pop();
        }
    }

    fn text(&mut self, piece: Piece<'input>, at: usize) -> Result<()> {
        let index = self.count(self.document.texts.len())?;
        let Some(node) = self.document.elements.get_mut(self.open as usize) else {
            return Err(not_xml(self.text, at, "there is text outside of the root element"));
        };
        match self.document.texts.get_mut(node.last_text as usize) {
            Some(last) => last.next = index,
            None => node.first_text = index,
        }
        node.last_text = index;
        self.document.texts.push(Text { piece, next: NONE });
        Ok(())
    }

    fn attributes(&mut self, element: u32, attributes: Attributes<'input>, at: usize) -> Result<()> {
        let first = self.document.attributes.len();
        for (count, attribute) in attributes.enumerate() {
            let attribute = attribute.map_err(|error| not_xml(self.text, at, error))?;
            if count >= MAX_ATTRIBUTES || self.prefixes.len() >= MAX_ATTRIBUTES {
                let problem = format_args!("there are more than {MAX_ATTRIBUTES} attributes or prefixes");
                return Err(not_xml(self.text, at, problem));
            }
            let name = attribute.key.into_inner();
            if name == "xmlns" {
                continue;
            }
            if let Some(prefix) = name.strip_prefix("xmlns:") {
                self.prefixes.push((element, prefix));
                continue;
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| not_xml(self.text, at, error))?;
            self.count(0)?;
            self.document.attributes.push(Attribute { element, name, value });
        }
        // Only now are all prefixes known.
        for attribute in self.document.attributes.iter_mut().skip(first) {
            attribute.name = local(self.text, &self.prefixes, attribute.name, at)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Document<'input>> {
        let problem = match self.document.element(self.open) {
            Some(open) => format!("`{}` is not closed", open.name),
            None if self.document.elements.is_empty() => "there is no element".to_owned(),
            None => return Ok(self.document),
        };
        Err(not_xml(self.text, self.text.len(), problem))
    }

    /// Whether white space that ends here is nobody's text: outside of the root, or between two tags of which the first ends an
    /// element. There is much of it, and each piece would take as much memory as a field.
    fn is_between(&self, end: usize) -> bool {
        let rest = self.text.get(end..).unwrap_or_default();
        let before_tag = rest.starts_with('<') && !rest.starts_with("<!");
        self.open == NONE || (before_tag && self.open as usize + 1 < self.document.elements.len())
    }

    /// Counts one more, and gives the place of what comes after so many of its kind.
    fn count(&mut self, before: usize) -> Result<u32> {
        let index = u32::try_from(before).ok().filter(|_| self.nodes_left > 0);
        self.nodes_left = self.nodes_left.saturating_sub(1);
        index.ok_or_else(|| {
            Error::malformed("/", format!("the document has more than {} nodes", self.nodes_limit))
        })
    }

    /// The bytes before this place.
    fn slice(&self, end: usize, length: usize) -> &'input str {
        end.checked_sub(length).and_then(|begin| self.text.get(begin..end)).unwrap_or_default()
    }
}

/// A name without its prefix, which must be one of those that are declared.
fn local<'input>(
    text: &str,
    prefixes: &[(u32, &str)],
    qualified: &'input str,
    at: usize,
) -> Result<&'input str> {
    let (prefix, name) = match qualified.split_once(':') {
        None => (None, qualified),
        Some((prefix, name)) => (Some(prefix).filter(|prefix| *prefix != "xml"), name),
    };
    if let Some(prefix) = prefix
        && prefixes.iter().all(|(_, known)| *known != prefix)
    {
        return Err(not_xml(text, at, format_args!("the prefix `{prefix}` is not declared")));
    }
    if name.starts_with(|first: char| first.is_alphabetic() || first == '_') {
        Ok(name)
    } else {
        Err(not_xml(text, at, format_args!("`{qualified}` cannot be a name")))
    }
}

/// What a reference stands for: a character by its number or one of the five names. Without a document type there are no others.
fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
        let code = u32::from_str_radix(digits, radix).ok().filter(|code| *code > 0)?;
        return char::from_u32(code).filter(|_| digits.starts_with(|digit: char| digit.is_digit(radix)));
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// An error of syntax, with line and column, both counted from 1.
fn not_xml(text: &str, at: usize, problem: impl fmt::Display) -> Error {
    let before = text.get(..at).unwrap_or(text);
    let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
    let row = before.matches('\n').count() + 1;
    let column = before.get(begin..).unwrap_or_default().chars().count() + 1;
    Error::malformed(&format!("line {row}, column {column}"), format_args!("not XML: {problem}"))
}

/// A place in a document, which is in memory.
fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}
