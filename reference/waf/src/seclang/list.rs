//! Lists of `name:value`: targets and actions are both written so.

use edgeproof_diagnostics::{Diagnostic, Diagnostics};

use super::text::{Text, is_blank};

/// A name, with the value behind its colon.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) name: Text,
    pub(super) value: Option<Text>,
    /// The whole item, quotes included.
    pub(super) whole: Text,
    /// Whether the value stood in single quotes.
    pub(super) quoted: bool,
}

/// The items of a list, parted by commas, bars and, behind a value, white space. A value may stand in single quotes,
/// in which `\'` and `\\` are escapes.
///
/// Nothing where the list cannot be read to its end; then a mistake has been told, and the items before it are lost.
pub(super) fn items(text: &Text, diagnostics: &Diagnostics) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    let mut at = 0;
    loop {
        at = skip(text, at, |it| is_blank(it) || is_separator(it));
        if at == text.len() {
            return Some(items);
        }
        let (item, end) = match item(text, at) {
            Ok(read) => read,
            Err(mistake) => {
                diagnostics.push(*mistake);
                return None;
            }
        };
        items.push(item);
        at = end;
    }
}

fn item(text: &Text, start: usize) -> Result<(Item, usize), Box<Diagnostic>> {
    let name_end = skip(text, start, |it| !is_blank(it) && !is_separator(it) && it != ':');
    let name = text.slice(start..name_end);
    let after_colon = name_end + 1;
    let (value, quoted, end) = match text.as_str()[name_end..].chars().next() {
        Some(':') => match text.as_str()[after_colon..].chars().next() {
            None => (None, false, after_colon),
            Some(it) if is_separator(it) => (None, false, after_colon),
            Some('\'') => {
                let (value, end) = quoted_value(text, after_colon)?;
                (Some(value), true, end)
            }
            Some(_) => {
                let end = skip(text, after_colon, |it| !is_blank(it) && !is_separator(it));
                let value = text.slice(after_colon..end);
                ((!value.is_empty()).then_some(value), false, end)
            }
        },
        _ => (None, false, name_end),
    };
    Ok((Item { name, value, whole: text.slice(start..end), quoted }, end))
}

/// The value in single quotes that begins at `start`, and where it ends.
fn quoted_value(text: &Text, start: usize) -> Result<(Text, usize), Box<Diagnostic>> {
    let mut value = Text::new(text.source(), text.offset(start + 1));
    let inside = &text.as_str()[start + 1..];
    let mut characters = inside.char_indices().map(|(at, it)| (start + 1 + at, it)).peekable();
    while let Some((at, character)) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(&(at, escaped @ ('\\' | '\'')))) => {
                value.push_from(text, at, escaped);
                characters.next();
            }
            ('\'', Some(&(next, it))) if !is_blank(it) && !is_separator(it) => {
                return Err(behind(text, next));
            }
            ('\'', _) => return Ok((value, at + 1)),
            (it, _) => value.push_from(text, at, it),
        }
    }
    Err(Box::new(
        Diagnostic::error("the quote ' is not closed")
            .label(&text.span_of(start..start + 1), "opened here"),
    ))
}

fn behind(text: &Text, at: usize) -> Box<Diagnostic> {
    let end = skip(text, at, |it| !is_blank(it) && !is_separator(it));
    Box::new(
        Diagnostic::error("text directly behind a closing quote")
            .context(&text.span_of(at - 1..at), "this closes the value")
            .label(&text.span_of(at..end), "so this belongs to nothing")
            .help("a quote within single quotes is written \\'"),
    )
}

fn is_separator(character: char) -> bool {
    matches!(character, ',' | '|')
}

/// The first place from `at` on whose character is another.
fn skip(text: &Text, at: usize, over: impl Fn(char) -> bool) -> usize {
    text.as_str()[at..].find(|it| !over(it)).map_or(text.len(), |more| at + more)
}

#[cfg(test)]
mod tests {
    use edgeproof_diagnostics::{Diagnostics, Source};

    use super::items;
    use crate::seclang::text::Text;

    fn read(list: &str) -> Result<Vec<(String, Option<String>)>, String> {
        let mut text = Text::new(&Source::new("a.conf", list), 0);
        text.push(list, 0);
        let diagnostics = Diagnostics::new();
        let items = items(&text, &diagnostics);
        let Some(items) = items else {
            return Err(diagnostics.into_vec().remove(0).message);
        };
        assert!(diagnostics.is_empty());
        let own = |text: &Text| text.as_str().to_owned();
        Ok(items.iter().map(|it| (own(&it.name), it.value.as_ref().map(own))).collect())
    }

    fn pair(name: &str, value: Option<&str>) -> (String, Option<String>) {
        (name.to_owned(), value.map(str::to_owned))
    }

    #[test]
    fn values_end_at_separators_and_quotes_keep_them() {
        assert_eq!(
            read(r"id:1, phase:2,t:none,msg:'a, \'b\' \\ \d', deny tag:x|log,"),
            Ok(vec![
                pair("id", Some("1")),
                pair("phase", Some("2")),
                pair("t", Some("none")),
                pair("msg", Some(r"a, 'b' \ \d")),
                pair("deny", None),
                pair("tag", Some("x")),
                pair("log", None),
            ])
        );
    }

    #[test]
    fn an_empty_value_is_none_unless_quoted() {
        assert_eq!(
            read("a:,b:'',c:"),
            Ok(vec![pair("a", None), pair("b", Some("")), pair("c", None)])
        );
    }

    #[test]
    fn single_quotes_must_close_and_end_the_value() {
        assert_eq!(read("a:'b"), Err("the quote ' is not closed".to_owned()));
        assert_eq!(read("a:'b'c"), Err("text directly behind a closing quote".to_owned()));
    }
}
