//! `@pm` and `@pmFromFile`: many phrases at once, ASCII case ignored.

use aho_corasick::{AhoCorasick, BuildError, MatchKind};

use super::Captures;
use super::byte_set::ByteSet;

/// A set of phrases to look for.
pub(super) struct Phrases {
    automaton: AhoCorasick,
    /// As the rules write them, in the order of the automaton.
    phrases: Vec<Box<[u8]>>,
}

impl Phrases {
    pub(super) fn new(phrases: Vec<Box<[u8]>>) -> Result<Self, BuildError> {
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(&phrases)?;
        Ok(Self { automaton, phrases })
    }

    /// Whether a phrase stands in the value. What is captured is the phrase as it is written in the rules, of
    /// those that end first in the value.
    pub(super) fn matches(&self, value: &[u8], captures: Option<&mut Captures>) -> bool {
        let Some(captures) = captures else { return self.automaton.is_match(value) };
        let Some(found) = self.automaton.find(value) else { return false };
        captures.set_text(&self.phrases[found.pattern().as_usize()]);
        true
    }

    /// Whether one of the phrases can be made of these bytes.
    pub(super) fn can_match(&self, bytes: ByteSet) -> bool {
        let bytes = bytes.with_both_cases();
        self.phrases.iter().any(|phrase| phrase.iter().all(|byte| bytes.contains(*byte)))
    }

    pub(super) fn phrases(&self) -> &[Box<[u8]>] {
        &self.phrases
    }
}

/// The phrases of an argument, parted by white space.
pub(super) fn in_argument(text: &str) -> Vec<Box<[u8]>> {
    let text = text.trim_start();
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let content = content(inner.as_bytes()).unwrap_or_else(|_| text.as_bytes().to_vec());
    let words = content.split(|byte| is_space(*byte)).filter(|word| !word.is_empty());
    words.map(Into::into).collect()
}

/// The phrases of a file: one a line, without the white space around it; empty lines and those that start with `#`
/// are none.
pub(super) fn in_file(text: &[u8]) -> Vec<Box<[u8]>> {
    let lines = text.split(|byte| *byte == b'\n').map(|line| {
        let line = content(line).unwrap_or_else(|_| line.to_vec());
        let start = line.iter().position(|byte| !is_space(*byte)).unwrap_or(line.len());
        let end = line.iter().rposition(|byte| !is_space(*byte)).map_or(start, |last| last + 1);
        Box::<[u8]>::from(&line[start..end])
    });
    lines.filter(|line| !matches!(**line, [] | [b'#', ..])).collect()
}

/// A backslash before a character that need not be escaped, at this byte.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnknownEscape(pub(super) usize);

/// The bytes that a text means, with bytes in hexadecimal between bars (`|0d 0a|`) and the escapes `\:`, `\;`, `\\`
/// and `\"`. A bar that no such bytes follow stands for itself. (In ModSecurity it swallows the letters behind it;
/// nobody can mean that.)
pub(super) fn content(text: &[u8]) -> Result<Vec<u8>, UnknownEscape> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'|' => {
                if let Some(len) = hex_bytes(&text[at + 1..], &mut out) {
                    at += len + 1;
                } else {
                    out.push(b'|');
                }
            }
            b'\\' => match text.get(at + 1) {
                Some(escaped @ (b':' | b';' | b'\\' | b'"')) => {
                    out.push(*escaped);
                    at += 1;
                }
                _ => return Err(UnknownEscape(at)),
            },
            _ => out.push(*byte),
        }
        at += 1;
    }
    Ok(out)
}

/// Appends the bytes written up to a bar, and says how long the text before that is. Nothing is appended where it
/// is not of that form.
fn hex_bytes(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let end = memchr::memchr(b'|', text)?;
    let digits: Option<Vec<u8>> = text[..end]
        .iter()
        .filter(|byte| **byte != b' ')
        .map(|digit| char::from(*digit).to_digit(16).map(|value| value as u8))
        .collect();
    let digits = digits.filter(|digits| !digits.is_empty() && digits.len() % 2 == 0)?;
    out.extend(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]));
    Some(end)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::{Captures, Phrases, UnknownEscape, content, in_argument, in_file};

    fn phrases(list: &[&str]) -> Phrases {
        Phrases::new(list.iter().map(|phrase| phrase.as_bytes().into()).collect()).unwrap()
    }

    fn texts(phrases: &[Box<[u8]>]) -> Vec<&str> {
        phrases.iter().map(|phrase| std::str::from_utf8(phrase).unwrap()).collect()
    }

    #[test]
    fn case_is_ignored_for_ascii_only() {
        let set = phrases(&["WebInspect", "nikto", "\u{e9}t\u{e9}"]);
        assert!(set.matches(b"xx wEBiNSPECT/2", None));
        assert!(set.matches("\u{e9}T\u{e9}".as_bytes(), None));
        assert!(!set.matches("\u{c9}t\u{e9}".as_bytes(), None));
        assert!(!set.matches(b"", None));
        assert!(!phrases(&[]).matches(b"anything", None));
    }

    #[test]
    fn the_phrase_that_ends_first_is_captured_as_it_is_written() {
        let set = phrases(&["abcd", "BC", "ab"]);
        let mut captures = Captures::new();
        assert!(set.matches(b"xABCD", Some(&mut captures)));
        assert_eq!(captures.get(b"xABCD", 0), Some(&b"ab"[..]));
        assert!(set.matches(b"bc", Some(&mut captures)));
        assert_eq!(captures.get(b"bc", 0), Some(&b"BC"[..]));
    }

    #[test]
    fn an_argument_is_parted_at_white_space() {
        assert_eq!(texts(&in_argument("  a\tbc  d ")), ["a", "bc", "d"]);
        assert_eq!(texts(&in_argument("\"a b\"")), ["a", "b"]);
        assert_eq!(texts(&in_argument("\"a b")), ["\"a", "b"]);
        assert_eq!(texts(&in_argument("A|42 43|D x|20|y")), ["ABCD", "x", "y"]);
        assert_eq!(texts(&in_argument(r"a\;b c\\d")), ["a;b", r"c\d"]);
        assert_eq!(texts(&in_argument(r"a\;b c\d")), [r"a\;b", r"c\d"], "then all is as written");
        assert!(in_argument(" ").is_empty());
    }

    #[test]
    fn a_file_has_a_phrase_a_line() {
        let file = b"# words\n\n  one two \r\n#three\n four#\nl\n\"x\"\nFFI\\\\CData\nnew\\n\nint|float|bool";
        let found = in_file(file);
        let expected = ["one two", "four#", "l", "\"x\"", r"FFI\CData", r"new\n", "int|float|bool"];
        assert_eq!(texts(&found), expected);
    }

    #[test]
    fn bars_hold_bytes_or_stand_for_themselves() {
        assert_eq!(content(b"|00ff|").as_deref(), Ok(&b"\x00\xff"[..]));
        assert_eq!(content(b"a|0 d 0A|b").as_deref(), Ok(&b"a\r\nb"[..]));
        for text in ["|", "||", "a|b", "|0|", "|0g|", "string|int|null", "a | b"] {
            assert_eq!(content(text.as_bytes()).as_deref(), Ok(text.as_bytes()));
        }
        assert_eq!(content(br"ab\n"), Err(UnknownEscape(2)));
        assert_eq!(content(b"ab\\"), Err(UnknownEscape(2)));
    }
}
