//! Texts with macros: `Found %{MATCHED_VAR} in %{MATCHED_VAR_NAME}`.

use edgeproof_diagnostics::{Diagnostic, Diagnostics, suggest};

use super::text::Text;
use crate::variable::Variable;

/// Text with macros, taken apart once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Template(Vec<Piece>);

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// Text that stands for itself.
    Text(String),
    /// `%{VARIABLE}` or `%{COLLECTION.name}`: the value at the time of use, or nothing.
    Macro {
        /// The variable.
        variable: Variable,
        /// Which of a collection's values; as written, looked up without regard to case.
        selector: Option<String>,
    },
}

/// Why a macro is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MacroError {
    /// `%{` without `}`.
    #[error("the macro is not closed")]
    Unclosed,
    /// The name is no variable's.
    #[error("unknown variable `{0}`")]
    Unknown(String),
    /// The variable is one that this engine refuses.
    #[error("the variable {0} is not supported")]
    Refused(String, &'static str),
    /// A selector behind a variable that is one value.
    #[error("{0} is one value: there is nothing to select")]
    Single(&'static str),
}

impl Template {
    /// A template of these pieces.
    pub fn new(pieces: Vec<Piece>) -> Self {
        Self(pieces)
    }

    /// Takes a text apart.
    ///
    /// # Errors
    /// The first mistake in a macro.
    ///
    /// ```
    /// use edgeproof_waf::{Variable, seclang::Piece, seclang::Template};
    /// let template = Template::parse("a %{tx.score}").expect("a template");
    /// let score = Piece::Macro { variable: Variable::Tx, selector: Some("score".to_owned()) };
    /// assert_eq!(template.pieces(), [Piece::Text("a ".to_owned()), score]);
    /// assert!(Template::parse("%{no_such_thing}").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, MacroError> {
        let mut mistake = None;
        let template = take_apart(text, |_, it| mistake = mistake.take().or(Some(it)));
        mistake.map_or(Ok(template), Err)
    }

    /// Takes a text apart in which what looks like a macro and is none stands for itself, as in a pattern.
    pub fn parse_pattern(text: &str) -> Self {
        take_apart(text, |_, _| ())
    }

    /// Takes a text of a rule file apart; every mistake in a macro is told.
    pub(super) fn read(text: &Text, diagnostics: &Diagnostics) -> Option<Self> {
        let mut sound = true;
        let template = take_apart(text.as_str(), |range, mistake| {
            sound = false;
            diagnostics.push(describe(&mistake).at(&text.span_of(range)));
        });
        sound.then_some(template)
    }

    /// The pieces; no two texts stand side by side.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The text, where there is no macro in it.
    pub fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }
}

/// The pieces of a text. Mistakes are told with their range in the text, which stays as it is there.
fn take_apart(text: &str, mut told: impl FnMut(std::ops::Range<usize>, MacroError)) -> Template {
    let mut pieces = Vec::new();
    // What is literal so far begins here; the search for the next macro, there.
    let (mut literal, mut at) = (0, 0);
    while let Some(start) = text[at..].find("%{").map(|skip| at + skip) {
        let inside = start + 2;
        // A macro holds no other.
        let stretch = text[inside..].find("%{").map_or(text.len(), |next| inside + next);
        let Some(end) = text[inside..stretch].find('}').map(|length| inside + length) else {
            told(start..inside, MacroError::Unclosed);
            at = inside;
            continue;
        };
        match expression(&text[inside..end]) {
            Ok(piece) => {
                if literal < start {
                    pieces.push(Piece::Text(text[literal..start].to_owned()));
                }
                pieces.push(piece);
                (literal, at) = (end + 1, end + 1);
            }
            Err(mistake) => {
                told(inside..end, mistake);
                at = end;
            }
        }
    }
    if literal < text.len() {
        pieces.push(Piece::Text(text[literal..].to_owned()));
    }
    Template(pieces)
}

/// What stands between `%{` and `}`.
fn expression(inside: &str) -> Result<Piece, MacroError> {
    let (name, selector) = match inside.split_once(['.', ':']) {
        Some((name, selector)) => (name, Some(selector)),
        None => (inside, None),
    };
    let Some(variable) = Variable::named(name) else {
        return Err(match Variable::refused(name) {
            Some(why) => MacroError::Refused(name.to_ascii_uppercase(), why),
            None => MacroError::Unknown(name.to_owned()),
        });
    };
    match selector {
        Some(_) if !variable.is_collection() => Err(MacroError::Single(variable.name())),
        selector => Ok(Piece::Macro { variable, selector: selector.map(str::to_owned) }),
    }
}

fn describe(mistake: &MacroError) -> Diagnostic {
    let diagnostic = Diagnostic::error(mistake.to_string());
    match mistake {
        MacroError::Unclosed => diagnostic.help("a macro is written %{NAME} or %{COLLECTION.name}"),
        MacroError::Unknown(name) => {
            let near = suggest(name, Variable::ALL.iter().map(|one| one.name()));
            diagnostic.maybe_help(near.map(|near| format!("did you mean `{near}`?")))
        }
        MacroError::Refused(_, why) => diagnostic.with_note(*why),
        MacroError::Single(_) => diagnostic,
    }
}

#[cfg(test)]
mod tests {
    use super::{MacroError, Piece, Template};
    use crate::variable::Variable;

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    fn of(variable: Variable, selector: Option<&str>) -> Piece {
        Piece::Macro { variable, selector: selector.map(str::to_owned) }
    }

    #[test]
    fn macros_are_taken_out_of_the_text() {
        let template =
            Template::parse("a%{tx.0}%{REQUEST_HEADERS:User-Agent} 5% {x}%{remote_addr}");
        assert_eq!(
            template.expect("a template").pieces(),
            [
                text("a"),
                of(Variable::Tx, Some("0")),
                of(Variable::RequestHeaders, Some("User-Agent")),
                text(" 5% {x}"),
                of(Variable::RemoteAddr, None),
            ]
        );
    }

    #[test]
    fn what_is_no_macro_is_a_mistake_but_not_in_a_pattern() {
        let unknown = MacroError::Unknown("colour".to_owned());
        assert_eq!(Template::parse("%{colour}"), Err(unknown));
        assert_eq!(Template::parse("a %{tx.x"), Err(MacroError::Unclosed));
        assert_eq!(Template::parse("%{remote_addr.x}"), Err(MacroError::Single("REMOTE_ADDR")));
        assert!(matches!(Template::parse("%{script_uid}"), Err(MacroError::Refused(..))));
        let pattern = Template::parse_pattern("[%{]a}%{2,}%{tx.x}");
        assert_eq!(pattern.pieces(), [text("[%{]a}%{2,}"), of(Variable::Tx, Some("x"))]);
    }

    #[test]
    fn only_text_without_macros_is_literal() {
        assert_eq!(Template::parse("").expect("a template").literal(), Some(""));
        assert_eq!(Template::parse("a").expect("a template").literal(), Some("a"));
        assert_eq!(Template::parse("%{tx.a}").expect("a template").literal(), None);
    }
}
