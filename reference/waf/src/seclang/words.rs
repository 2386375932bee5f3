//! A line's words: a directive's name and its arguments, quotes and escapes taken away.

use edgeproof_diagnostics::{Diagnostic, Span};

use super::text::{Text, is_blank};

/// A directive as written: its name and what follows.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) name: Text,
    pub(super) arguments: Vec<Text>,
    /// From the name to the end of the last argument, quotes included.
    pub(super) span: Span,
}

/// Why a line cannot be parted into words.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) diagnostic: Diagnostic,
    /// A quote is not closed: the lines that follow may belong to it.
    pub(super) unclosed: bool,
}

/// A line's name and the rest of it, which still has its quotes.
pub(super) fn name_and_rest(line: &Text) -> (Text, Text) {
    let line = line.trimmed();
    let name = line.as_str().find(is_blank).unwrap_or(line.len());
    (line.slice(0..name), line.from(name).trimmed())
}

/// The words of `rest`, as Apache splits the arguments of a directive: at white space, but not within double or
/// single quotes that begin a word. A backslash stands for itself unless a backslash or the word's quote follows.
pub(super) fn statement(name: Text, rest: &Text) -> Result<Statement, Box<Broken>> {
    let mut arguments = Vec::new();
    let text = rest.as_str();
    let mut at = 0;
    while let Some(start) = text[at..].find(|it| !is_blank(it)).map(|skip| at + skip) {
        let (word, end) = match text[start..].chars().next() {
            Some(quote @ ('"' | '\'')) => quoted(rest, start, quote)?,
            _ => bare(rest, start),
        };
        arguments.push(word);
        at = end;
    }
    let span = name.span().to(&rest.span());
    let span = if rest.is_empty() { name.span() } else { span };
    Ok(Statement { name, arguments, span })
}

/// The word in quotes that begins at `start`, and where it ends.
fn quoted(rest: &Text, start: usize, quote: char) -> Result<(Text, usize), Box<Broken>> {
    let text = rest.as_str();
    let mut word = Text::new(rest.source(), rest.offset(start + 1));
    let mut characters =
        text[start + 1..].char_indices().map(|(at, it)| (start + 1 + at, it)).peekable();
    while let Some((at, character)) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(&(at, escaped))) if escaped == '\\' || escaped == quote => {
                word.push_from(rest, at, escaped);
                characters.next();
            }
            (it, next) if it == quote => {
                return match next {
                    Some((_, next)) if !is_blank(*next) => Err(behind(rest, at + 1, quote)),
                    _ => Ok((word, at + 1)),
                };
            }
            (it, _) => word.push_from(rest, at, it),
        }
    }
    Err(unclosed(rest, start, quote))
}

/// The word without quotes that begins at `start`, and where it ends.
fn bare(rest: &Text, start: usize) -> (Text, usize) {
    let text = &rest.as_str()[start..];
    let end = start + text.find(is_blank).unwrap_or(text.len());
    let mut word = Text::new(rest.source(), rest.offset(start));
    let mut characters = rest.as_str()[start..end].char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        word.push_from(rest, start + at, character);
        if character == '\\' {
            characters.next_if(|(_, next)| *next == '\\');
        }
    }
    (word, end)
}

fn unclosed(rest: &Text, start: usize, quote: char) -> Box<Broken> {
    let diagnostic = Diagnostic::error(format!("the quote {quote} is not closed"))
        .label(&rest.span_of(start..start + 1), "opened here")
        .help("close it; a line that goes on ends in a backslash");
    Box::new(Broken { diagnostic, unclosed: true })
}

fn behind(rest: &Text, at: usize, quote: char) -> Box<Broken> {
    let text = &rest.as_str()[at..];
    let end = at + text.find(is_blank).unwrap_or(text.len());
    let diagnostic = Diagnostic::error("text directly behind a closing quote")
        .context(&rest.span_of(at - 1..at), "this closes the argument")
        .label(&rest.span_of(at..end), "so this belongs to nothing")
        .help(format!("a quote within quotes is written \\{quote}"));
    Box::new(Broken { diagnostic, unclosed: false })
}

#[cfg(test)]
mod tests {
    use edgeproof_diagnostics::Source;

    use super::{name_and_rest, statement};
    use crate::seclang::text::Text;

    fn words(line: &str) -> Result<Vec<String>, String> {
        let mut text = Text::new(&Source::new("a.conf", line), 0);
        text.push(line, 0);
        let (name, rest) = name_and_rest(&text);
        let statement = statement(name, &rest).map_err(|it| it.diagnostic.message)?;
        let words = [&statement.name].into_iter().chain(&statement.arguments);
        Ok(words.map(|it| it.as_str().to_owned()).collect())
    }

    #[test]
    fn white_space_parts_words_and_quotes_keep_them_together() {
        let read = words(" SecRule  ARGS|TX:a \"@rx a b\"\t'id:1' ").expect("words");
        assert_eq!(read, ["SecRule", "ARGS|TX:a", "@rx a b", "id:1"]);
    }

    #[test]
    fn backslashes_stand_for_themselves_but_before_a_backslash_or_the_quote() {
        assert_eq!(
            words(r#"A "\d \" \' \\ \\\" \x5c""#).expect("words")[1],
            r#"\d " \' \ \" \x5c"#
        );
        assert_eq!(words(r#"A '\" \' \\'"#).expect("words")[1], r#"\" ' \"#);
        assert_eq!(words(r"A TX:'/a\\\/b/'").expect("words")[1], r"TX:'/a\\/b/'");
    }

    #[test]
    fn an_empty_argument_is_one() {
        assert_eq!(words("A \"\" b").expect("words"), ["A", "", "b"]);
    }

    #[test]
    fn quotes_must_close_and_words_must_part() {
        assert_eq!(words("A \"b").expect_err("mistake"), "the quote \" is not closed");
        assert_eq!(words("A \"b\\\"").expect_err("mistake"), "the quote \" is not closed");
        assert_eq!(words("A \"b\"c").expect_err("mistake"), "text directly behind a closing quote");
    }
}
