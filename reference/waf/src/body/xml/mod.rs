//! XML bodies, for the variables `XML:/*`, `XML://@*` and a few other paths.
//!
//! Read with quick-xml. Nothing is fetched and no entity is expanded beyond the five of XML itself
//! and character references: a reference to an entity of the document's own stays as written and
//! is a mistake. So a few hundred bytes of entities can't become gigabytes, and no file of the
//! server comes to light.
//!
//! The values are those of libxml2, which ModSecurity uses: `/*` is the text of the document's
//! element with all within it, CDATA included, comments and processing instructions not;
//! `//@*` are the values of all attributes, declarations of name spaces not among them.
//!
//! Three kinds of text are values of `/*` beside it, for an attack there must not pass unseen: the
//! literals of a DOCTYPE's internal subset (where an entity's text or file stands), text outside of
//! the document's element, and what could not be read after a mistake, with tags that are none.
//!
//! Reading goes on after mistakes that leave no doubt about what comes next.

mod doctype;
mod encoding;
mod reader;
mod reference;
#[cfg(test)]
mod tests;
mod xpath;

use std::ops::Range;

pub use xpath::{XPath, XPathError};

/// More open elements than this are a mistake, as for libxml2.
const DEEPEST: usize = 257;

/// An XML document, or as much of it as could be read.
#[derive(Debug, Clone, Default)]
pub struct Xml {
    /// Names of elements and attributes without their prefix, one behind the other.
    names: String,
    /// The text of all elements in document order.
    text: String,
    /// The values of all attributes in document order.
    values: String,
    /// Text that is not in an element.
    stray: String,
    elements: Vec<Element>,
    /// The indices of the elements that are in no other: one where the document is well-formed.
    roots: Vec<usize>,
    attributes: Vec<Attribute>,
    text_nodes: Vec<TextNode>,
    strays: Vec<Range<usize>>,
    error: Option<XmlError>,
}

#[derive(Debug, Clone)]
struct Element {
    /// Its index in the list of elements; that of the document's element has none.
    parent: Option<usize>,
    name: Range<usize>,
    /// Within the text; what its descendants have is part of it.
    content: Range<usize>,
}

#[derive(Debug, Clone)]
struct Attribute {
    /// The index of its element.
    owner: usize,
    name: Range<usize>,
    value: Range<usize>,
}

#[derive(Debug, Clone)]
struct TextNode {
    /// The index of its element.
    owner: usize,
    content: Range<usize>,
}

/// What is wrong with an XML body; the text is REQBODY_ERROR_MSG.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("XML parser error: XML: Failed parsing document ({mistake}, byte {offset}).")]
pub struct XmlError {
    /// The first mistake.
    pub mistake: Mistake,
    /// Where it is, in bytes of the document in UTF-8.
    pub offset: usize,
}

/// A mistake in an XML document (XML 1.0), or something that is not taken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Mistake {
    /// Not the encoding that is declared, or none that is known.
    #[error("unknown or wrong encoding")]
    Encoding,
    /// A control character.
    #[error("a character that XML does not allow")]
    Character,
    /// Markup that is none, or has no end. Reading ended there.
    #[error("malformed markup")]
    Markup,
    /// A tag with a `<` inside, or names or attributes that are none.
    #[error("a malformed tag")]
    Tag,
    /// Two attributes of one name.
    #[error("a duplicate attribute")]
    DuplicateAttribute,
    /// An end tag that does not fit the element that is open.
    #[error("an end tag of another element")]
    EndTag,
    /// A reference to an entity that XML does not know, or to no character, or a lone `&`.
    #[error("a reference to an entity of the document, or to none")]
    Reference,
    /// `]]>` in text, or `--` in a comment.
    #[error("the end of a CDATA section in text, or two hyphens in a comment")]
    Delimiter,
    /// Text outside of the document's element.
    #[error("text outside of the document's element")]
    Outside,
    /// An XML or DOCTYPE declaration in the wrong place, or malformed; a processing instruction
    /// without a name.
    #[error("a misplaced or malformed declaration or instruction")]
    Declaration,
    /// A second element beside the document's.
    #[error("several documents in one")]
    SeveralRoots,
    /// More than 257 elements open.
    #[error("nested too deeply")]
    TooDeep,
    /// The end of the body where elements are open, or no element at all.
    #[error("the document ends too early")]
    EndsEarly,
}

impl Xml {
    /// Reads a document. An empty body is an empty document and no mistake.
    #[must_use]
    pub fn parse(body: &[u8]) -> Self {
        if body.is_empty() {
            return Self::default();
        }
        let (text, mistake) = encoding::to_text(body);
        reader::read(&text, mistake)
    }

    /// The first mistake. What was read is there all the same.
    #[must_use]
    pub fn error(&self) -> Option<&XmlError> {
        self.error.as_ref()
    }

    fn name(&self, name: &Range<usize>) -> &str {
        &self.names[name.clone()]
    }
}
