//! The command of an upstream, as its owner wrote it.

use std::fmt;
use std::str::FromStr;

/// A program and its arguments, with placeholders for where it is to listen.
///
/// It is split as a shell would, quotes and backslashes included, but no shell runs: `$`, `*`, `|` and
/// `;` are text, and the process is the program itself. Who wants a shell writes `sh -c '…'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    text: String,
    words: Vec<String>,
}

/// Why a text is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// There is no program.
    #[error("expected a program and its arguments")]
    Empty,
    /// A quote is open at the end.
    #[error("a quote is not closed")]
    OpenQuote,
    /// A NUL cannot be given to a program.
    #[error("a command holds no NUL")]
    Nul,
}

impl FromStr for CommandLine {
    type Err = CommandError;

    fn from_str(text: &str) -> Result<Self, CommandError> {
        if text.contains('\0') {
            return Err(CommandError::Nul);
        }
        let words = shell_words::split(text).map_err(|_| CommandError::OpenQuote)?;
        match words.first() {
            Some(program) if !program.is_empty() => Ok(Self { text: text.to_owned(), words }),
            _ => Err(CommandError::Empty),
        }
    }
}

impl fmt::Display for CommandLine {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl CommandLine {
    /// Whether the program is told of a unix socket.
    #[must_use]
    pub fn wants_socket(&self) -> bool {
        self.words.iter().any(|word| word.contains("{socket}"))
    }

    /// Program and arguments with `{port}`, `{host}` and `{socket}` replaced; `values` has those that
    /// there are. What is put in is never looked at again, and other braces are text.
    #[must_use]
    pub fn words(&self, values: &[(&str, String)]) -> Vec<String> {
        self.words.iter().map(|word| filled(word, values)).collect()
    }
}

fn filled(word: &str, values: &[(&str, String)]) -> String {
    let (mut out, mut rest) = (String::new(), word);
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let found = values.iter().find_map(|(name, value)| {
            let after = rest[1..].strip_prefix(name)?.strip_prefix('}')?;
            Some((value, after))
        });
        match found {
            Some((value, after)) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let values = [("host", "127.0.0.1".to_owned()), ("port", "{host}".to_owned())];
        text.parse::<CommandLine>().unwrap().words(&values)
    }

    #[test]
    fn words_are_a_shells_and_nothing_is_expanded() {
        assert_eq!(
            words("a 'b c' \"d e\" f\\ g '' $HOME *;"),
            ["a", "b c", "d e", "f g", "", "$HOME", "*;"]
        );
    }

    #[test]
    fn placeholders_are_replaced_once_and_only_they() {
        assert_eq!(
            words("x {host}:{port}{{port}} {PORT} {socket} {"),
            ["x", "127.0.0.1:{host}{{host}}", "{PORT}", "{socket}", "{"]
        );
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for (text, mistake) in [
            ("", CommandError::Empty),
            ("  ", CommandError::Empty),
            ("''", CommandError::Empty),
            ("a 'b", CommandError::OpenQuote),
            ("a\0", CommandError::Nul),
        ] {
            assert_eq!(text.parse::<CommandLine>(), Err(mistake), "{text:?}");
        }
    }
}
