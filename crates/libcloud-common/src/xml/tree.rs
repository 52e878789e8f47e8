//! The tree behind an [`Element`](super::Element), built for answers that are read once and dropped.
//!
//! A listing of a thousand instances has a hundred thousand elements, so what counts is how little each of them takes. All are
//! in one vector, in the order in which they begin: an element is followed by those below it, and knows where they end. Names
//! and texts are places in the document; references in a text stay as they are until somebody asks for it.

use std::borrow::Cow;

use super::parser::{self, Parser};
use crate::Result;

/// No element, no piece of text.
pub(super) const NONE: u32 = u32::MAX;

/// A document that has been parsed.
pub(super) struct Document<'input> {
    pub(super) input: &'input str,
    pub(super) elements: Vec<Node>,
    /// The texts that other markup divides, piece by piece.
    pub(super) pieces: Vec<Link>,
    /// In the order of their elements.
    pub(super) attributes: Vec<Attribute<'input>>,
}

/// A place in a document: bytes counted from its beginning.
#[derive(Clone, Copy)]
pub(super) struct Span {
    begin: u32,
    end: u32,
}

impl Span {
    /// Nothing of a document is beyond: the parser refuses one that is too long.
    pub(super) fn new(begin: usize, end: usize) -> Self {
        let place = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { begin: place(begin), end: place(end) }
    }
}

/// An element.
pub(super) struct Node {
    /// The name without prefix.
    pub(super) name: Span,
    /// The element that it is in.
    pub(super) parent: u32,
    /// Where the elements below it end.
    pub(super) end: u32,
    pub(super) text: Text,
}

/// An element's own text. Most have one piece of it at most.
#[derive(Clone, Copy)]
pub(super) enum Text {
    None,
    One(Piece),
    /// The first and the last of several pieces.
    Several(u32, u32),
}

/// Text that no markup divides.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    pub(super) span: Span,
    /// Whether there are references in it, of which the parser has seen that they are right.
    pub(super) escaped: bool,
}

/// A piece of a text of several, and which is the next one.
pub(super) struct Link {
    pub(super) piece: Piece,
    pub(super) next: u32,
}

/// An attribute, its name without prefix.
pub(super) struct Attribute<'input> {
    pub(super) element: u32,
    pub(super) name: &'input str,
    pub(super) value: Cow<'input, str>,
}

impl<'input> Document<'input> {
    /// Parses a document of at most so many elements, pieces of text and attributes together.
    pub(super) fn parse(text: &'input str, nodes_limit: u32) -> Result<Self> {
        Parser::new(text, nodes_limit)?.parse()
    }

    /// The element at this place.
    pub(super) fn element(&self, index: u32) -> Option<&Node> {
        self.elements.get(index as usize)
    }

    /// An element's name.
    pub(super) fn name(&self, node: &Node) -> &'input str {
        self.slice(node.name)
    }

    /// Whether it is the element's name. Every search asks this of every element that it passes.
    pub(super) fn is_named(&self, node: &Node, name: &str) -> bool {
        let Span { begin, end } = node.name;
        self.input.as_bytes().get(begin as usize..end as usize) == Some(name.as_bytes())
    }

    /// An element's own text.
    pub(super) fn text(&self, node: &Node) -> Cow<'input, str> {
        match node.text {
            Text::None => Cow::Borrowed(""),
            Text::One(piece) => self.read(piece),
            Text::Several(first, _) => {
                let first = self.pieces.get(first as usize);
                let links = std::iter::successors(first, |link| self.pieces.get(link.next as usize));
                Cow::Owned(links.map(|link| self.read(link.piece)).collect())
            }
        }
    }

    fn read(&self, piece: Piece) -> Cow<'input, str> {
        let text = self.slice(piece.span);
        if piece.escaped { Cow::Owned(parser::unescaped(text)) } else { Cow::Borrowed(text) }
    }

    /// The attributes of the element at this place.
    pub(super) fn attributes(&self, index: u32) -> impl Iterator<Item = &Attribute<'input>> {
        let from = self.attributes.partition_point(|attribute| attribute.element < index);
        let rest = self.attributes.get(from..).unwrap_or_default();
        rest.iter().take_while(move |attribute| attribute.element == index)
    }

    fn slice(&self, Span { begin, end }: Span) -> &'input str {
        self.input.get(begin as usize..end as usize).unwrap_or_default()
    }
}
