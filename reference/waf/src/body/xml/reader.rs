//! Builds a document from quick-xml's events.

use std::collections::HashSet;

use memchr::{memchr, memchr2, memmem};
use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::{BytesStart, Event};

use super::super::steps::took;
use super::reference::{is_allowed, push_reference, push_text, push_value};
use super::{Attribute, DEEPEST, Element, Mistake, TextNode, Xml, XmlError, doctype};

/// So many attributes of a tag are compared with each other; more are put in a set.
const FEW_ATTRIBUTES: usize = 8;

/// Reads the document; `mistake` is one of its encoding.
pub(super) fn read(document: &str, mistake: Option<Mistake>) -> Xml {
    // quick-xml drops a mark without counting it, and positions would be off.
    let document = document.trim_start_matches('\u{FEFF}');
    let mut builder = Builder { xml: Xml::default(), open: Vec::new(), in_text: false, at: 0 };
    if let Some(mistake) = mistake {
        builder.note(mistake);
    }
    builder.judge_characters(document);
    builder.read(document);
    builder.xml
}

struct Builder<'a> {
    xml: Xml,
    /// The elements that have no end yet.
    open: Vec<Open<'a>>,
    /// Whether text that follows belongs to the last text node.
    in_text: bool,
    /// Where the current event begins.
    at: usize,
}

struct Open<'a> {
    index: usize,
    /// Its name as written.
    name: &'a str,
}

impl<'a> Builder<'a> {
    fn read(&mut self, document: &'a str) {
        let mut reader = Reader::from_str(document);
        let config = reader.config_mut();
        config.allow_dangling_amp = true;
        config.allow_unmatched_ends = true;
        config.check_end_names = false;
        config.check_comments = true;
        let mut is_first = true;
        loop {
            let event = reader.read_event();
            let end = usize::try_from(reader.buffer_position()).unwrap_or(document.len());
            took(end.saturating_sub(self.at) + 1);
            match event {
                Ok(Event::Eof) => break,
                Ok(event) => {
                    self.take(&event, document.get(self.at..end).unwrap_or_default(), is_first);
                }
                // These two were read, but are not well-formed.
                Err(Error::IllFormed(IllFormedError::MissingDoctypeName)) => {
                    self.note(Mistake::Declaration);
                }
                Err(Error::IllFormed(_)) => self.note(Mistake::Delimiter),
                Err(_) => {
                    self.note(Mistake::Markup);
                    self.add_stray(document.get(self.at..).unwrap_or_default(), false);
                    break;
                }
            }
            is_first = false;
            self.at = end;
        }
        self.finish();
    }

    /// Takes an event, which stands as `source` in the document.
    fn take(&mut self, event: &Event<'_>, source: &'a str, is_first: bool) {
        match event {
            Event::Start(tag) => self.open_element(tag, source),
            Event::Empty(tag) => {
                self.open_element(tag, source);
                self.close_element();
            }
            Event::End(tag) => {
                let name: &str = tag;
                if self.open.last().is_none_or(|open| open.name != name) {
                    self.note(Mistake::EndTag);
                }
                self.close_element();
            }
            Event::Text(text) => self.take_text(text),
            Event::CData(text) => {
                if self.open.is_empty() {
                    self.note(Mistake::Outside);
                }
                self.add_text(|out| push_text(text, out));
            }
            Event::GeneralRef(name) => {
                let mut resolved = !self.open.is_empty();
                self.add_text(|out| resolved &= push_reference(name, out));
                if !resolved {
                    self.note(Mistake::Reference);
                }
            }
            Event::Decl(declaration) => {
                let version = declaration.version();
                let known = version.is_ok_and(|version| matches!(&*version, "1.0" | "1.1"));
                if !is_first || !known {
                    self.note(Mistake::Declaration);
                }
            }
            Event::PI(instruction) => {
                let target = instruction.target();
                if !is_name(target) || target.eq_ignore_ascii_case("xml") {
                    self.note(Mistake::Declaration);
                }
            }
            Event::DocType(declaration) => {
                let name = declaration.split([' ', '\t', '\r', '\n', '[']).next();
                let in_place = self.xml.elements.is_empty() && source.starts_with("<!DOCTYPE");
                if !in_place || !name.is_some_and(is_name) {
                    self.note(Mistake::Declaration);
                }
                for literal in doctype::literals(declaration) {
                    self.add_stray(literal, true);
                }
            }
            Event::Comment(_) | Event::Eof => {}
        }
    }

    fn open_element(&mut self, tag: &BytesStart<'_>, source: &'a str) {
        let index = self.xml.elements.len();
        let parent = self.open.last().map(|open| open.index);
        if parent.is_none() {
            self.xml.roots.push(index);
            if self.xml.roots.len() > 1 {
                self.note(Mistake::SeveralRoots);
            }
        }
        if self.open.len() >= DEEPEST {
            self.note(Mistake::TooDeep);
        }
        let name = source.get(1..=tag.name().0.len()).unwrap_or_default();
        let start = self.xml.text.len();
        let local = self.add_name(name);
        self.xml.elements.push(Element { parent, name: local, content: start..start });
        let valid = is_name(name) && memchr(b'<', tag.as_bytes()).is_none();
        if !self.add_attributes(tag, index) || !valid {
            self.note(Mistake::Tag);
            self.add_stray(tag, false);
        }
        self.open.push(Open { index, name });
        self.in_text = false;
    }

    /// Adds the attributes of a tag; those that HTML would allow too. False where they are not
    /// XML's.
    fn add_attributes(&mut self, tag: &BytesStart<'_>, owner: usize) -> bool {
        let mut strict = tag.attributes();
        // quick-xml's own search for duplicates is quadratic where there are many.
        let mut valid = strict.with_checks(false).all(|attribute| attribute.is_ok())
            && are_spaced(tag.attributes_raw());
        let mut keys = Keys::default();
        let mut tolerant = tag.html_attributes();
        for attribute in tolerant.with_checks(false).flatten() {
            let key = attribute.key.0;
            valid &= is_name(key);
            if !keys.insert(key) {
                self.note(Mistake::DuplicateAttribute);
            }
            if key == "xmlns" || key.starts_with("xmlns:") {
                continue;
            }
            let name = self.add_name(key);
            let start = self.xml.values.len();
            if !push_value(&attribute.value, &mut self.xml.values) {
                self.note(Mistake::Reference);
            }
            let value = start..self.xml.values.len();
            self.xml.attributes.push(Attribute { owner, name, value });
        }
        valid
    }

    fn add_name(&mut self, name: &str) -> std::ops::Range<usize> {
        let local = name.rsplit_once(':').map_or(name, |(_, local)| local);
        let start = self.xml.names.len();
        self.xml.names.push_str(local);
        start..self.xml.names.len()
    }

    fn close_element(&mut self) {
        if let Some(open) = self.open.pop() {
            self.xml.elements[open.index].content.end = self.xml.text.len();
        }
        self.in_text = false;
    }

    fn take_text(&mut self, text: &str) {
        if text.starts_with('&') {
            self.note(Mistake::Reference);
        }
        if memmem::find(text.as_bytes(), b"]]>").is_some() {
            self.note(Mistake::Delimiter);
        }
        if !self.open.is_empty() {
            self.add_text(|out| push_text(text, out));
        } else if !text.trim_ascii().is_empty() {
            self.note(Mistake::Outside);
            self.add_stray(text, false);
        }
    }

    /// Adds text to the innermost open element, else among what is in none.
    fn add_text(&mut self, push: impl FnOnce(&mut String)) {
        let Some(open) = self.open.last() else {
            let start = self.xml.stray.len();
            push(&mut self.xml.stray);
            self.xml.strays.push(start..self.xml.stray.len());
            return;
        };
        let start = self.xml.text.len();
        push(&mut self.xml.text);
        let end = self.xml.text.len();
        match self.xml.text_nodes.last_mut().filter(|_| self.in_text) {
            Some(node) => node.content.end = end,
            None => self.xml.text_nodes.push(TextNode { owner: open.index, content: start..end }),
        }
        self.in_text = true;
    }

    /// Adds a text that is in no element; a quoted one with its character references resolved.
    fn add_stray(&mut self, text: &str, is_quoted: bool) {
        let start = self.xml.stray.len();
        if is_quoted {
            push_value(text, &mut self.xml.stray);
        } else {
            push_text(text, &mut self.xml.stray);
        }
        self.xml.strays.push(start..self.xml.stray.len());
    }

    fn finish(&mut self) {
        if !self.open.is_empty() || self.xml.elements.is_empty() {
            self.note(Mistake::EndsEarly);
        }
        while !self.open.is_empty() {
            self.close_element();
        }
    }

    fn judge_characters(&mut self, document: &str) {
        took(document.len());
        if let Some((at, _)) = document.char_indices().find(|(_, c)| !is_allowed(*c)) {
            self.note_at(Mistake::Character, at);
        }
    }

    fn note(&mut self, mistake: Mistake) {
        self.note_at(mistake, self.at);
    }

    fn note_at(&mut self, mistake: Mistake, offset: usize) {
        self.xml.error.get_or_insert(XmlError { mistake, offset });
    }
}

/// The keys of a tag's attributes so far.
#[derive(Default)]
struct Keys<'a> {
    few: Vec<&'a str>,
    many: HashSet<&'a str>,
}

impl<'a> Keys<'a> {
    /// False where the key is there already.
    fn insert(&mut self, key: &'a str) -> bool {
        if self.few.len() < FEW_ATTRIBUTES {
            let is_new = !self.few.contains(&key);
            self.few.push(key);
            return is_new;
        }
        !self.few.contains(&key) && self.many.insert(key)
    }
}

/// Whether white space follows the quote that ends each value, unless the tag ends there.
fn are_spaced(attributes: &str) -> bool {
    let mut rest = attributes.as_bytes();
    while let Some(at) = memchr2(b'"', b'\'', rest) {
        let (quote, behind) = (rest[at], &rest[at + 1..]);
        let Some(end) = memchr(quote, behind) else { return false };
        rest = &behind[end + 1..];
        if rest.first().is_some_and(|byte| !byte.is_ascii_whitespace()) {
            return false;
        }
    }
    true
}

/// Whether it is a name (XML 1.0 §2.3), all characters beyond ASCII taken for letters.
fn is_name(name: &str) -> bool {
    let is_start =
        |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':') || byte >= 0x80;
    let is_other = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    match name.as_bytes() {
        [first, others @ ..] => {
            is_start(*first) && others.iter().all(|&byte| is_start(byte) || is_other(byte))
        }
        [] => false,
    }
}
