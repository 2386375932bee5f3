//! The verdict on HTML: tags, attributes, addresses and comments that make a browser run something.

use memchr::{memchr, memchr2};

use super::html::{Html, Piece, Within};

/// Whether a browser could run a script in the value, wherever in a page it is put.
pub(super) fn is_xss(value: &[u8]) -> bool {
    // Without one of these there is neither a tag nor an attribute with a value.
    if memchr2(b'<', b'=', value).is_none() {
        return false;
    }
    // A value that its quote does not end can do nothing.
    let behind = |quote| memchr(quote, value).is_some() && runs_script(value, Within::Value(quote));
    runs_script(value, Within::Text)
        || runs_script(value, Within::Tag)
        || behind(b'\'')
        || behind(b'"')
        || behind(b'`')
}

fn runs_script(value: &[u8], within: Within) -> bool {
    let mut attribute = Attribute::Harmless;
    for piece in Html::new(value, within) {
        let meaning = std::mem::replace(&mut attribute, Attribute::Harmless);
        let found = match piece {
            Piece::Doctype => true,
            Piece::Tag(name) => is_dangerous_tag(name),
            Piece::Comment(text) => is_dangerous_comment(text),
            Piece::AttributeName(name) => {
                attribute = meaning_of(name);
                false
            }
            Piece::AttributeValue(text) => match meaning {
                Attribute::Harmless => false,
                Attribute::Dangerous | Attribute::Style => true,
                Attribute::Url => is_dangerous_url(text),
                Attribute::Indirect => meaning_of(text) != Attribute::Harmless,
            },
            Piece::Other => false,
        };
        if found {
            return true;
        }
    }
    false
}

/// What an attribute's value can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attribute {
    Harmless,
    /// Whatever the value is.
    Dangerous,
    Style,
    Url,
    /// SVG's way to say by a value which attribute is meant.
    Indirect,
}

const ATTRIBUTES: &[(&str, Attribute)] = &[
    ("action", Attribute::Url),
    ("attributename", Attribute::Indirect),
    ("background", Attribute::Url),
    ("by", Attribute::Url),
    ("dataformatas", Attribute::Dangerous),
    ("datasrc", Attribute::Dangerous),
    ("dynsrc", Attribute::Url),
    ("filter", Attribute::Style),
    ("folder", Attribute::Url),
    ("formaction", Attribute::Url),
    ("from", Attribute::Url),
    ("handler", Attribute::Url),
    ("href", Attribute::Url),
    ("lowsrc", Attribute::Url),
    ("poster", Attribute::Url),
    ("src", Attribute::Url),
    ("style", Attribute::Style),
    ("to", Attribute::Url),
    ("values", Attribute::Url),
    ("xlink:href", Attribute::Url),
];

const TAGS: &[&str] = &[
    "applet", "base", "comment", "embed", "frame", "frameset", "handler", "iframe", "import",
    "isindex", "link", "listener", "meta", "noscript", "object", "script", "style", "vmlframe",
    "xml", "xss",
];

fn is_dangerous_tag(name: &[u8]) -> bool {
    name.len() >= 3
        && (TAGS.iter().any(|tag| is_text(name, tag))
            || starts_with(name, b"svg")
            || starts_with(name, b"xsl"))
}

fn meaning_of(name: &[u8]) -> Attribute {
    if name.len() < 2 {
        return Attribute::Harmless;
    }
    // Event handlers, and name spaces, which can give any tag another meaning.
    if name.len() >= 5 && [&b"on"[..], b"xmlns", b"xlink"].iter().any(|it| starts_with(name, it)) {
        return Attribute::Dangerous;
    }
    let known = ATTRIBUTES.iter().find(|(known, _)| is_text(name, known));
    known.map_or(Attribute::Harmless, |(_, meaning)| *meaning)
}

fn is_dangerous_comment(text: &[u8]) -> bool {
    // Internet Explorer took a backtick for an end, and had conditions, imports and entities.
    memchr(b'`', text).is_some()
        || text.len() > 3 && (starts_with(text, b"[if") || starts_with(text, b"xml"))
        || text.len() > 5 && (starts_with(text, b"import") || starts_with(text, b"entity"))
}

fn is_dangerous_url(url: &[u8]) -> bool {
    let start = url.iter().position(|byte| matches!(byte, b'!'..=b'~')).unwrap_or(url.len());
    let schemes = ["DATA", "VIEW-SOURCE", "JAVA", "VBSCRIPT"];
    schemes.iter().any(|scheme| decodes_to(&url[start..], scheme))
}

/// Whether the text is this one in any case, NUL bytes passed over.
fn is_text(text: &[u8], expected: &str) -> bool {
    let mut bytes = text.iter().filter(|byte| **byte != 0).map(u8::to_ascii_lowercase);
    expected.bytes().all(|byte| bytes.next() == Some(byte)) && bytes.next().is_none()
}

fn starts_with(text: &[u8], start: &[u8]) -> bool {
    text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start))
}

/// Whether the text with its numeric entities decoded starts with `start`, in any case. White space and control
/// characters before it are passed over, NUL bytes and line feeds anywhere.
fn decodes_to(text: &[u8], start: &str) -> bool {
    let mut expected = start.bytes();
    let mut rest = text;
    let mut first = true;
    // A text that ends with the last letter is one, too.
    while expected.len() > 0 {
        let Some((code, len)) = character(rest) else { return false };
        rest = &rest[len..];
        if first && code <= 0x20 {
            continue;
        }
        first = false;
        if code == 0 || code == 0x0a {
            continue;
        }
        // Only the low byte counts, but for the case.
        let upper = if (0x61..=0x7a).contains(&code) { code - 0x20 } else { code };
        if expected.next() != Some(upper as u8) {
            return false;
        }
    }
    true
}

/// The number of the character at the start of the text, and its length there.
fn character(text: &[u8]) -> Option<(u32, usize)> {
    let byte = u32::from(*text.first()?);
    let (digits, base, before) = match text {
        [b'&', b'#', b'x' | b'X', digits @ ..] => (digits, 16, 3),
        [b'&', b'#', digits @ ..] => (digits, 10, 2),
        _ => return Some((byte, 1)),
    };
    let mut code = 0;
    let mut count = 0;
    for value in digits.iter().map_while(|digit| char::from(*digit).to_digit(base)) {
        code = code * base + value;
        count += 1;
        if code > 0x10_00ff {
            return Some((byte, 1));
        }
    }
    if count == 0 {
        return Some((byte, 1));
    }
    let semicolon = usize::from(digits.get(count) == Some(&b';'));
    Some((code, before + count + semicolon))
}
