//! From text to tree.
//!
//! XML as providers speak it: elements, attributes, text, CDATA, references to characters. Comments and instructions are passed
//! over; a document type is refused, so that there are no entities to expand. In a listing nearly all the time goes into this,
//! and half of it was spent on the events of a parser for every purpose; here the text is looked at once, and nothing is
//! allocated for an element but its place in the tree. The tests compare the two.

use std::borrow::Cow;
use std::fmt;

use super::MAX_QUOTED;
use super::tree::{Attribute, Document, Link, NONE, Node, Piece, Span, Text};
use crate::{Error, Result};

/// The most attributes that an element may have, and the most prefixes that may be declared at one place. Both are searched
/// from one end to the other.
const MAX_ATTRIBUTES: usize = 256;

pub(super) struct Parser<'input> {
    text: &'input str,
    /// Up to where the text has been read.
    at: usize,
    document: Document<'input>,
    nodes_left: u32,
    nodes_limit: u32,
    /// The elements that have begun and not ended.
    open: Vec<Open>,
    /// The prefixes that are declared, each with the element that declares it.
    prefixes: Vec<(u32, &'input str)>,
}

struct Open {
    element: u32,
    /// The name with its prefix, as it must end.
    begin: usize,
    end: usize,
}

impl<'input> Parser<'input> {
    pub(super) fn new(text: &'input str, nodes_limit: u32) -> Result<Self> {
        if u32::try_from(text.len()).is_err() {
            return Err(Error::malformed("/", "the document is larger than 4 GiB"));
        }
        let document = Document {
            input: text,
            // A field of a listing, with its tags and its text, takes about so much.
            elements: Vec::with_capacity(text.len() / 28),
            pieces: Vec::new(),
            attributes: Vec::new(),
        };
        Ok(Self {
            text,
            at: 0,
            document,
            nodes_left: nodes_limit,
            nodes_limit,
            open: Vec::new(),
            prefixes: Vec::new(),
        })
    }

    pub(super) fn parse(mut self) -> Result<Document<'input>> {
        loop {
            match self.rest(self.at) {
                [b'<', b'/', ..] => self.end_tag()?,
                [b'<', b'!', ..] => self.declaration()?,
                [b'<', b'?', ..] => self.instruction()?,
                [b'<', ..] => self.start_tag()?,
                [_, ..] => self.characters()?,
                [] => return self.finish(),
            }
        }
    }

    /// `<name …>` or `<name …/>`
    fn start_tag(&mut self) -> Result<()> {
        let begin = self.at + "<".len();
        let end = begin + length(self.rest(begin), is_of_name);
        if self.open.is_empty() && !self.document.elements.is_empty() {
            return Err(self.error(begin, "there is a second root element"));
        }
        let element = self.count(self.document.elements.len())?;
        let is_empty = match self.rest(end) {
            [b'>', ..] => {
                self.at = end + ">".len();
                false
            }
            [b'/', b'>', ..] => {
                self.at = end + "/>".len();
                true
            }
            _ => self.attributes(element, begin, end)?,
        };
        let name = self.local(self.slice(begin, end), begin)?;
        self.document.elements.push(Node {
            name: Span::new(end - name.len(), end),
            parent: self.open.last().map_or(NONE, |open| open.element),
            end: NONE,
            text: Text::None,
        });
        if is_empty {
            self.end(element);
        } else {
            self.open.push(Open { element, begin, end });
        }
        Ok(())
    }

    /// Reads what is in the tag that begins here behind its name, which ends there, and whether the element ends with it.
    fn attributes(&mut self, element: u32, tag: usize, mut at: usize) -> Result<bool> {
        let first = self.document.attributes.len();
        let mut names: Vec<&str> = Vec::new();
        let is_empty = loop {
            let begin = at + length(self.rest(at), is_white);
            match self.rest(begin) {
                [b'>', ..] => {
                    self.at = begin + ">".len();
                    break false;
                }
                [b'/', b'>', ..] => {
                    self.at = begin + "/>".len();
                    break true;
                }
                [] => return Err(self.error(begin, "the tag has no end")),
                _ => {}
            }
            let end = begin + length(self.rest(begin), is_of_name);
            let name = self.slice(begin, end);
            if name.is_empty() {
                return Err(self.error(begin, "this cannot be in a name"));
            }
            let (value, after) = self.value(name, end)?;
            at = after;
            if names.contains(&name) {
                return Err(self.error(begin, format_args!("the attribute `{name}` is there twice")));
            }
            names.push(name);
            if names.len() > MAX_ATTRIBUTES || self.prefixes.len() >= MAX_ATTRIBUTES {
                let problem = format_args!("there are more than {MAX_ATTRIBUTES} attributes or prefixes");
                return Err(self.error(begin, problem));
            }
            if let Some(prefix) = name.strip_prefix("xmlns:") {
                self.prefixes.push((element, prefix));
            } else if name != "xmlns" {
                self.count(0)?;
                self.document.attributes.push(Attribute { element, name, value });
            }
        };
        // Only now are all prefixes known.
        for index in first..self.document.attributes.len() {
            let Some(name) = self.document.attributes.get(index).map(|attribute| attribute.name) else {
                break;
            };
            let name = self.local(name, tag)?;
            if let Some(attribute) = self.document.attributes.get_mut(index) {
                attribute.name = name;
            }
        }
        Ok(is_empty)
    }

    /// The value of the attribute whose name ends here, and where the text goes on.
    fn value(&self, name: &str, at: usize) -> Result<(Cow<'input, str>, usize)> {
        let equals = at + length(self.rest(at), is_white);
        let [b'=', ..] = self.rest(equals) else {
            return Err(self.error(at, format_args!("the attribute `{name}` has no value")));
        };
        let begin = equals + "=".len() + length(self.rest(equals + "=".len()), is_white);
        let [quote @ (b'"' | b'\''), rest @ ..] = self.rest(begin) else {
            return Err(self.error(begin, format_args!("the value of the attribute `{name}` has no quotes")));
        };
        let begin = begin + "\"".len();
        let Some(length) = rest.iter().position(|byte| byte == quote) else {
            return Err(self.error(begin, format_args!("the value of the attribute `{name}` has no end")));
        };
        let value = self.slice(begin, begin + length);
        self.references(value, begin)?;
        Ok((normalized(value), begin + length + "\"".len()))
    }

    /// `</name>`
    fn end_tag(&mut self) -> Result<()> {
        let begin = self.at + "</".len();
        let Some(open) = self.open.last() else {
            return Err(self.error(self.at, "what ends here has not begun"));
        };
        let name = self.slice(open.begin, open.end);
        let element = open.element;
        self.at = if let Some([b'>', ..]) = self.rest(begin).strip_prefix(name.as_bytes()) {
            begin + name.len() + ">".len()
        } else {
            let after = self.after(begin, ">", "a tag")?;
            let found = self.slice(begin, after - ">".len());
            if found.trim_ascii_end() != name {
                let problem = format_args!("expected `</{name}>`, but `</{found}>` was found");
                return Err(self.error(self.at, problem));
            }
            after
        };
        self.open.pop();
        self.end(element);
        Ok(())
    }

    fn end(&mut self, element: u32) {
        let end = self.document.elements.len();
        if let Some(node) = self.document.elements.get_mut(element as usize) {
            node.end = u32::try_from(end).unwrap_or(NONE);
        }
        while self.prefixes.last().is_some_and(|(declared_by, _)| *declared_by == element) {
            self.prefixes.pop();
        }
    }

    /// `<?name …?>`, of which the declaration of XML itself is one.
    fn instruction(&mut self) -> Result<()> {
        let begin = self.at + "<?".len();
        if length(self.rest(begin), is_of_name) == 0 {
            return Err(self.error(begin, "the instruction has no name"));
        }
        self.at = self.after(begin, "?>", "an instruction")?;
        Ok(())
    }

    /// A comment or CDATA.
    fn declaration(&mut self) -> Result<()> {
        const CDATA: &str = "<![CDATA[";
        const COMMENT: &str = "<!--";
        let rest = self.rest(self.at);
        if rest.starts_with(COMMENT.as_bytes()) {
            self.at = self.after(self.at + COMMENT.len(), "-->", "a comment")?;
        } else if rest.starts_with(CDATA.as_bytes()) {
            let begin = self.at + CDATA.len();
            self.at = self.after(begin, "]]>", "CDATA")?;
            self.piece(begin, self.at - "]]>".len(), false)?;
        } else if rest.get(2..9).is_some_and(|word| word.eq_ignore_ascii_case(b"doctype")) {
            return Err(Error::malformed("/", "a document type declaration is refused"));
        } else {
            return Err(self.error(self.at, "this is neither a comment nor CDATA"));
        }
        Ok(())
    }

    /// Text up to the next markup.
    fn characters(&mut self) -> Result<()> {
        let begin = self.at;
        let plain = length(self.rest(begin), |byte| byte != b'<' && byte != b'&');
        let escaped = self.rest(begin + plain).first() == Some(&b'&');
        self.at = begin + plain + length(self.rest(begin + plain), |byte| byte != b'<');
        let text = self.slice(begin, self.at);
        if self.is_between() && text.trim_ascii().is_empty() {
            return Ok(());
        }
        if escaped {
            self.references(text, begin)?;
        }
        self.piece(begin, self.at, escaped)
    }

    /// Whether white space that ends here is nobody's text: outside of the root, or between two tags of which the first ends an
    /// element.
    fn is_between(&self) -> bool {
        let Some(open) = self.open.last() else { return true };
        let before_tag = !matches!(self.rest(self.at), [b'<', b'!', ..] | []);
        before_tag && open.element as usize + 1 < self.document.elements.len()
    }

    fn piece(&mut self, begin: usize, end: usize, escaped: bool) -> Result<()> {
        let Some(open) = self.open.last().map(|open| open.element as usize) else {
            return Err(self.error(begin, "there is text outside of the root element"));
        };
        self.count(0)?;
        let piece = Piece { span: Span::new(begin, end), escaped };
        let Document { elements, pieces, .. } = &mut self.document;
        let Some(node) = elements.get_mut(open) else { return Ok(()) };
        let mut add = |piece| {
            pieces.push(Link { piece, next: NONE });
            u32::try_from(pieces.len() - 1).unwrap_or(NONE)
        };
        node.text = match node.text {
            Text::None => Text::One(piece),
            Text::One(first) => {
                let (first, last) = (add(first), add(piece));
                if let Some(link) = pieces.get_mut(first as usize) {
                    link.next = last;
                }
                Text::Several(first, last)
            }
            Text::Several(first, before) => {
                let last = add(piece);
                if let Some(link) = pieces.get_mut(before as usize) {
                    link.next = last;
                }
                Text::Several(first, last)
            }
        };
        Ok(())
    }

    fn finish(self) -> Result<Document<'input>> {
        let problem = match self.open.last() {
            Some(open) => format!("`{}` is not closed", self.slice(open.begin, open.end)),
            None if self.document.elements.is_empty() => "there is no element".to_owned(),
            None => return Ok(self.document),
        };
        Err(self.error(self.text.len(), problem))
    }

    /// Refuses references that stand for nothing, in a text that begins here.
    fn references(&self, text: &str, begin: usize) -> Result<()> {
        let mut rest = text;
        while let Some(reference) = Reference::next(rest) {
            let at = begin + (text.len() - rest.len()) + reference.before.len();
            reference.character.map_err(|problem| self.error(at, problem))?;
            rest = reference.after;
        }
        Ok(())
    }

    /// A name without its prefix, which must be one of those that are declared.
    fn local<'a>(&self, qualified: &'a str, at: usize) -> Result<&'a str> {
        // Byte by byte: most names are too short for a search that prepares itself.
        let (prefix, name) = match qualified.bytes().position(|byte| byte == b':') {
            None => (None, qualified),
            Some(at) => (qualified.get(..at), qualified.get(at + 1..).unwrap_or_default()),
        };
        if let Some(prefix) = prefix.filter(|prefix| *prefix != "xml")
            && self.prefixes.iter().all(|(_, known)| *known != prefix)
        {
            return Err(self.error(at, format_args!("the prefix `{prefix}` is not declared")));
        }
        if name.starts_with(|first: char| first.is_alphabetic() || first == '_') {
            Ok(name)
        } else {
            Err(self.error(at, format_args!("`{qualified}` cannot be a name")))
        }
    }

    /// Counts one more, and gives the place of what comes after so many of its kind.
    fn count(&mut self, before: usize) -> Result<u32> {
        let index = u32::try_from(before).ok().filter(|_| self.nodes_left > 0);
        self.nodes_left = self.nodes_left.saturating_sub(1);
        index.ok_or_else(|| {
            Error::malformed("/", format!("the document has more than {} nodes", self.nodes_limit))
        })
    }

    /// Where what begins here has ended.
    fn after(&self, begin: usize, end: &str, what: &str) -> Result<usize> {
        let found = self.text.get(begin..).and_then(|rest| rest.find(end));
        let length = found.ok_or_else(|| self.error(begin, format_args!("{what} has no end")))?;
        Ok(begin + length + end.len())
    }

    fn rest(&self, at: usize) -> &'input [u8] {
        self.text.as_bytes().get(at..).unwrap_or_default()
    }

    fn slice(&self, begin: usize, end: usize) -> &'input str {
        self.text.get(begin..end).unwrap_or_default()
    }

    /// An error of syntax, with line and column, both counted from 1.
    fn error(&self, at: usize, problem: impl fmt::Display) -> Error {
        let before = self.text.get(..at).unwrap_or(self.text);
        let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
        let row = before.matches('\n').count() + 1;
        let column = before.get(begin..).unwrap_or_default().chars().count() + 1;
        Error::malformed(&format!("line {row}, column {column}"), format_args!("not XML: {problem}"))
    }
}

/// How many bytes at the beginning are of this kind.
fn length(bytes: &[u8], is_of_kind: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !is_of_kind(*byte)).unwrap_or(bytes.len())
}

/// Whether it can be in a name; beyond ASCII, everything can.
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':') || !byte.is_ascii()
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The value of an attribute: white space of any kind is a space, unless a reference stands for it (XML, section 3.3.3).
fn normalized(value: &str) -> Cow<'_, str> {
    if !value.contains(['&', '\t', '\n', '\r']) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(unescaped(&value.replace(['\t', '\n', '\r'], " ")))
}

/// The text with the characters that its references stand for. The parser has refused those that stand for nothing.
pub(super) fn unescaped(text: &str) -> String {
    let mut unescaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(Reference { before, character: Ok(character), after }) = Reference::next(rest) {
        unescaped.push_str(before);
        unescaped.push(character);
        rest = after;
    }
    unescaped.push_str(rest);
    unescaped
}

/// A reference to a character, and what is around it.
struct Reference<'a> {
    before: &'a str,
    /// What it stands for, or why it stands for nothing.
    character: Result<char, String>,
    after: &'a str,
}

impl<'a> Reference<'a> {
    fn next(text: &'a str) -> Option<Self> {
        let (before, rest) = text.split_once('&')?;
        let ends = |byte: u8| matches!(byte, b';' | b'&' | b'<') || is_white(byte);
        let (name, rest) = rest.split_at_checked(length(rest.as_bytes(), |byte| !ends(byte)))?;
        let (character, after) = match (rest.strip_prefix(';'), character(name)) {
            (Some(after), Some(character)) => (Ok(character), after),
            (Some(after), None) if name.len() <= MAX_QUOTED => {
                (Err(format!("nothing says what `&{name};` is")), after)
            }
            _ => (Err("`&` does not begin a reference here".to_owned()), rest),
        };
        Some(Self { before, character, after })
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
