use std::fmt;

use crate::{Error, Result};

/// Writes an XML document, without white space between elements.
///
/// Text is escaped so that a parser gives back exactly what was written. XML has no way to write most control characters:
/// replacing one would, say, delete an object of another name. So the first such character, or an impossible name of an
/// element, makes [`finish`](Self::finish) fail, and nothing is sent.
///
/// ```
/// use libcloud_common::xml::Writer;
///
/// let mut xml = Writer::document();
/// xml.element_with("Delete", &[("xmlns", "http://s3.amazonaws.com/doc/2006-03-01/")], |xml| {
///     for key in ["a", "b & c"] {
///         xml.element("Object", |xml| xml.leaf("Key", key));
///     }
/// });
/// assert_eq!(
///     xml.finish()?,
///     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
///      <Object><Key>a</Key></Object><Object><Key>b &amp; c</Key></Object></Delete>"
/// );
/// # Ok::<(), libcloud_common::Error>(())
/// ```
#[derive(Default)]
pub struct Writer {
    out: String,
    /// The names of the open elements, for messages.
    path: String,
    error: Option<Error>,
}

impl Writer {
    /// A writer whose text begins with the declaration of version and encoding.
    pub fn document() -> Self {
        Self { out: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), ..Self::default() }
    }

    /// A writer without declaration.
    pub fn fragment() -> Self {
        Self::default()
    }

    /// Writes an element with what `content` writes in it.
    pub fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.element_with(name, &[], content);
    }

    /// Writes an element with attributes.
    pub fn element_with(&mut self, name: &str, attributes: &[(&str, &str)], content: impl FnOnce(&mut Self)) {
        let parent = self.path.len();
        if parent > 0 {
            self.path.push('/');
        }
        self.path.push_str(name);
        self.name(name);
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.name(name);
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.escape(value, true);
            self.out.push('"');
        }
        self.out.push('>');
        let start = self.out.len();
        content(self);
        if self.out.len() == start {
            self.out.pop();
            self.out.push_str("/>");
        } else {
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push('>');
        }
        self.path.truncate(parent);
    }

    /// Writes an element with text only.
    pub fn leaf(&mut self, name: &str, text: &str) {
        self.element(name, |xml| xml.text(text));
    }

    /// Writes text.
    pub fn text(&mut self, text: &str) {
        self.escape(text, false);
    }

    /// The text, or the first error: of kind [`InvalidArgument`](crate::ErrorKind::InvalidArgument), with the path of the
    /// element and the character, but not the text around it.
    pub fn finish(self) -> Result<String> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.out),
        }
    }

    fn escape(&mut self, text: &str, attribute: bool) {
        for char in text.chars() {
            match char {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' if attribute => self.out.push_str("&quot;"),
                // Parsers turn a bare carriage return into a line feed, and all three into spaces in attributes.
                '\r' => self.out.push_str("&#13;"),
                '\n' if attribute => self.out.push_str("&#10;"),
                '\t' if attribute => self.out.push_str("&#9;"),
                '\n' | '\t' => self.out.push(char),
                '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                    let (code, path) = (u32::from(char), &self.path);
                    self.fail(format!("the character U+{code:04X} in `{path}` cannot be written in XML"));
                }
                _ => self.out.push(char),
            }
        }
    }

    fn name(&mut self, name: &str) {
        let starts = name.chars().next().is_some_and(|char| char.is_alphabetic() || char == '_');
        if !starts || !name.chars().all(|char| char.is_alphanumeric() || "_-.:".contains(char)) {
            self.fail(format!(
                "`{name}` in `{}` cannot be the name of an XML element or attribute",
                self.path
            ));
        }
    }

    fn fail(&mut self, problem: String) {
        self.error.get_or_insert_with(|| Error::invalid_argument(problem));
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text may hold a password.
        f.debug_struct("Writer").field("path", &self.path).field("error", &self.error).finish_non_exhaustive()
    }
}
