//! From a format's text to its pieces.

use edgeproof_mutant::{self as mutant, Mutant};
use std::{ops::Range, str::FromStr};

use crate::{
    date::{self, DateFormat},
    escape::Alphabet,
    format::Preset,
    mistake::{FormatError, Mistake},
    number::Decimals,
    slot::{Slot, Wire},
    variable::{Argument, NAMES, Variable},
};

/// The two ways of writing a format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// `2018`: an argument has braces of its own; `request`, `referer`, `user_agent` and `protocol`
    /// bring their own double quotes; durations have three decimals.
    Of2018,
    /// `current`: an argument follows the colon, quotes belong to the format, durations have six
    /// decimals.
    #[default]
    Current,
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "2018" => Ok(Self::Of2018),
            "current" => Ok(Self::Current),
            _ => Err(format!("unknown dialect {name:?}; expected 2018 or current")),
        }
    }
}

/// A stretch of a compiled format. Two slots never follow each other, nor two literals.
#[derive(Debug)]
pub(crate) enum Piece {
    Literal(String),
    Slot(Slot),
}

/// A stretch of the text, read but not yet seen with its neighbours.
enum Part<'t> {
    Literal(&'t str),
    Variable { span: Range<usize>, name: String, variable: Variable },
}

/// Compiles the text of a format.
pub(crate) fn text(text: &str, dialect: Dialect) -> Result<Vec<Piece>, FormatError> {
    if text.is_empty() {
        return Err(FormatError { span: 0..0, mistake: Mistake::Empty });
    }
    let mut parts = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let part = if text[at..].starts_with('{') {
            variable(text, at, dialect)?
        } else {
            literal(text, at)?
        };
        at = match &part {
            Part::Literal(literal) => at + literal.len(),
            Part::Variable { span, .. } => span.end,
        };
        parts.push(part);
    }
    if let [Part::Literal(alone)] = parts[..] {
        let suggestion = nearest(alone, Preset::ALL.map(Preset::name));
        return Err(FormatError {
            span: 0..text.len(),
            mistake: Mistake::NoVariable { suggestion },
        });
    }
    place(parts, dialect)
}

/// The literal text from `start` to the next variable.
fn literal(text: &str, start: usize) -> Result<Part<'_>, FormatError> {
    let end = text[start..].find('{').map_or(text.len(), |at| start + at);
    for (at, character) in text[start..end].char_indices() {
        let at = start + at;
        let mistake = match character {
            '}' => Mistake::Stray,
            _ if character.is_control() => Mistake::Control { character },
            _ => continue,
        };
        return Err(FormatError { span: at..at + character.len_utf8(), mistake });
    }
    Ok(Part::Literal(&text[start..end]))
}

/// The variable whose `{` stands at `start`.
fn variable(text: &str, start: usize, dialect: Dialect) -> Result<Part<'static>, FormatError> {
    let inside = start + 1;
    let name_end = text[inside..].find([':', '{', '}']).map(|at| inside + at);
    let Some(name_end) = name_end else {
        return Err(FormatError { span: start..start + 1, mistake: Mistake::Unclosed });
    };
    let name = &text[inside..name_end];
    let argument = known(name, inside..name_end)?;
    let (given, end) = match text.as_bytes()[name_end] {
        b'}' => (None, name_end + 1),
        b'{' => {
            let mistake = Mistake::BraceInVariable { name: name.to_owned() };
            return Err(FormatError { span: name_end..name_end + 1, mistake });
        }
        _ => {
            let (given, end) = match dialect {
                Dialect::Of2018 => argument_in_braces(text, start, name_end + 1, name)?,
                Dialect::Current => argument_after_colon(text, start, name_end + 1, name)?,
            };
            (Some(given), end)
        }
    };
    let variable = with_argument(text, name, argument, given.clone(), name_end, dialect)?;
    let name = match (argument, given) {
        (Argument::Field, Some(given)) => format!("{name}:{}", &text[given]),
        _ => name.to_owned(),
    };
    Ok(Part::Variable { span: start..end, name, variable })
}

/// The kind of argument that the variable `name` takes.
fn known(name: &str, span: Range<usize>) -> Result<Argument, FormatError> {
    if name.is_empty() {
        return Err(FormatError { span, mistake: Mistake::NoName });
    }
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, argument)| *argument).ok_or_else(|| {
        let suggestion = nearest(name, NAMES.map(|(known, _)| known));
        FormatError {
            span,
            mistake: Mistake::UnknownVariable { name: name.to_owned(), suggestion },
        }
    })
}

/// The name that `name` may be a misspelling of.
fn nearest<const N: usize>(name: &str, known: [&str; N]) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let near = known.into_iter().map(|known| (strsim::jaro_winkler(known, &name), known));
    let nearest = near.filter(|(nearness, _)| *nearness > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
    nearest.map(|(_, known)| known.to_owned())
}

/// `ARG}`: the argument's place and the end of the variable.
fn argument_after_colon(
    text: &str,
    brace: usize,
    start: usize,
    name: &str,
) -> Result<(Range<usize>, usize), FormatError> {
    match text[start..].find(['{', '}']).map(|at| start + at) {
        Some(at) if text.as_bytes()[at] == b'}' => Ok((start..at, at + 1)),
        Some(at) => {
            let mistake = Mistake::BraceInVariable { name: name.to_owned() };
            Err(FormatError { span: at..at + 1, mistake })
        }
        None => Err(FormatError { span: brace..brace + 1, mistake: Mistake::Unclosed }),
    }
}

/// `{ARG}}`: the argument's place and the end of the variable.
fn argument_in_braces(
    text: &str,
    brace: usize,
    start: usize,
    name: &str,
) -> Result<(Range<usize>, usize), FormatError> {
    if !text[start..].starts_with('{') {
        let mistake = Mistake::ArgumentNeedsBraces { name: name.to_owned() };
        return Err(FormatError { span: start..start, mistake });
    }
    let inner = start + 1;
    let Some(at) = text[inner..].find(['{', '}']).map(|at| inner + at) else {
        return Err(FormatError { span: start..start + 1, mistake: Mistake::Unclosed });
    };
    if text.as_bytes()[at] == b'{' {
        return Err(FormatError { span: at..at + 1, mistake: Mistake::ArgumentNotEnded });
    }
    match text[at + 1..].chars().next() {
        Some('}') => Ok((inner..at, at + 2)),
        Some(other) => Err(FormatError {
            span: at + 1..at + 1 + other.len_utf8(),
            mistake: Mistake::ArgumentNotEnded,
        }),
        None => Err(FormatError { span: brace..brace + 1, mistake: Mistake::Unclosed }),
    }
}

/// The variable with its argument checked.
fn with_argument(
    text: &str,
    name: &str,
    argument: Argument,
    given: Option<Range<usize>>,
    name_end: usize,
    dialect: Dialect,
) -> Result<Variable, FormatError> {
    match (argument, given) {
        (Argument::None, None) => {
            Variable::plain(name).ok_or_else(|| unreachable!("{name} is in the table of names"))
        }
        (Argument::None, Some(given)) => Err(FormatError {
            span: name_end..given.end,
            mistake: Mistake::NoArgument { name: name.to_owned() },
        }),
        (Argument::Date, given) => {
            let (strftime, offset) = match given {
                Some(given) if given.is_empty() => {
                    return Err(FormatError { span: given, mistake: Mistake::NoDate });
                }
                Some(given) => (&text[given.clone()], given.start),
                None => (date::COMMON, 0),
            };
            let date = DateFormat::compile(strftime, offset)?;
            Ok(match name {
                "request_time" => Variable::RequestTime(date),
                _ => Variable::CompletionDate(date),
            })
        }
        (Argument::Field, given) => {
            let given = given.unwrap_or(name_end..name_end);
            let field = field(&text[given.clone()], name, dialect)
                .map_err(|mistake| FormatError { span: given, mistake })?;
            Ok(match name {
                "response_header" => Variable::ResponseHeader(field),
                _ => Variable::RequestHeader(field),
            })
        }
    }
}

/// A field's name: a token (RFC 9110 §5.6.2).
fn field(found: &str, variable: &str, dialect: Dialect) -> Result<String, Mistake> {
    if found.is_empty() {
        let example = match dialect {
            Dialect::Of2018 => format!("{{{variable}:{{Accept}}}}"),
            Dialect::Current => format!("{{{variable}:Accept}}"),
        };
        return Err(Mistake::NeedsField { name: variable.to_owned(), example });
    }
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if found.bytes().all(token) {
        Ok(found.to_owned())
    } else {
        Err(Mistake::BadField { found: found.to_owned() })
    }
}

/// Gives each variable its surroundings: what ends it, and what must be escaped in it for that.
fn place(parts: Vec<Part<'_>>, dialect: Dialect) -> Result<Vec<Piece>, FormatError> {
    let decimals = match dialect {
        Dialect::Of2018 if !mutant::is(Mutant::DurationSixDecimalsIn2018) => Decimals::Three,
        _ => Decimals::Six,
    };
    let mut pieces = Vec::with_capacity(parts.len());
    let mut in_quotes = false;
    let mut parts = parts.into_iter().peekable();
    while let Some(part) = parts.next() {
        match part {
            Part::Literal(text) => {
                in_quotes ^= text.matches('"').count() % 2 == 1;
                pieces.push(Piece::Literal(text.to_owned()));
            }
            Part::Variable { span, name, variable } => {
                let quotes_itself = dialect == Dialect::Of2018 && variable.quotes_itself_in_2018();
                let follower = follower(&name, &variable, quotes_itself, span.end, parts.peek())?;
                let wire =
                    if quotes_itself { Wire::Quoted } else { bare(&variable, in_quotes, follower) };
                pieces.push(Piece::Slot(Slot { name, variable, decimals, wire }));
            }
        }
    }
    Ok(pieces)
}

/// The first byte of the text after a variable, if that text can end its value.
fn follower(
    name: &str,
    variable: &Variable,
    quotes_itself: bool,
    at: usize,
    next: Option<&Part<'_>>,
) -> Result<Option<u8>, FormatError> {
    let text = match next {
        None => return Ok(None),
        Some(Part::Variable { span, name: second, .. }) => {
            let mistake = Mistake::Touching { first: name.to_owned(), second: second.clone() };
            return Err(FormatError { span: span.clone(), mistake });
        }
        Some(Part::Literal(text)) => text,
    };
    let mistake = match text.as_bytes().first() {
        Some(b'\\') if !quotes_itself => Mistake::BackslashAfterVariable { name: name.to_owned() },
        Some(b'-') if !quotes_itself && variable.may_be_empty() => {
            Mistake::DashAfterVariable { name: name.to_owned() }
        }
        first => return Ok(first.copied()),
    };
    Err(FormatError { span: at..at + 1, mistake })
}

/// How a value without quotes of its own is written: its delimiter never stands in it, nor does a
/// space outside double quotes, so that splitting a line at spaces keeps its columns.
///
/// A date's own spaces are the format's, not a client's, and stay: `[16/Jul/2018:12:04:07 +0200]`.
fn bare(variable: &Variable, in_quotes: bool, delimiter: Option<u8>) -> Wire {
    let mut alphabet = Alphabet::PRINTABLE;
    let date = matches!(variable, Variable::CompletionDate(_) | Variable::RequestTime(_));
    if !in_quotes && !date {
        alphabet = alphabet.without_space();
    }
    if let Some(delimiter) = delimiter {
        alphabet = alphabet.without_delimiter(delimiter);
    }
    Wire::Text { alphabet, delimiter }
}

/// The json preset's members, in order. `default` and the header variables are not in it: the one
/// says nothing, the others need a name.
const MEMBERS: [&str; 16] = [
    "completion_date",
    "request_time",
    "duration",
    "client_ip",
    "peer_ip",
    "protocol",
    "ssl_version",
    "request",
    "request_hostname",
    "request_method",
    "request_path",
    "request_protocol",
    "status",
    "response_size",
    "referer",
    "user_agent",
];

/// RFC 3339 with microseconds.
const JSON_DATE: &str = "%Y-%m-%dT%H:%M:%S%.6f%:z";

/// The json preset.
pub(crate) fn json() -> Result<Vec<Piece>, FormatError> {
    let mut pieces = Vec::with_capacity(2 * MEMBERS.len() + 1);
    for (index, name) in MEMBERS.into_iter().enumerate() {
        let before = if index == 0 { "{" } else { "," };
        pieces.push(Piece::Literal(format!("{before}\"{name}\":")));
        let variable = match name {
            "completion_date" => Variable::CompletionDate(DateFormat::compile(JSON_DATE, 0)?),
            "request_time" => Variable::RequestTime(DateFormat::compile(JSON_DATE, 0)?),
            _ => match Variable::plain(name) {
                Some(variable) => variable,
                None => unreachable!("{name} takes no argument"),
            },
        };
        let name = name.to_owned();
        let decimals = Decimals::Six;
        pieces.push(Piece::Slot(Slot { name, variable, decimals, wire: Wire::Json }));
    }
    pieces.push(Piece::Literal("}".to_owned()));
    Ok(pieces)
}
