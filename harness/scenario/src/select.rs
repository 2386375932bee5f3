//! The filter language of `-k`: which cases are played.
//!
//! ```text
//! or    = and { "or" and }
//! and   = not { "and" not }
//! not   = "not" not | "(" or ")" | term
//! term  = TEXT | KEY ":" TEXT        TEXT = word | "quoted", a quote in it twice
//! ```

use edgeproof_diagnostics::{Diagnostic, Source, Span, suggest};

use crate::model::{Case, Level};

/// Deepest nesting of parentheses and `not`.
const DEEPEST: usize = 100;

/// A parsed filter.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection(Expression);

#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Or(Vec<Expression>),
    And(Vec<Expression>),
    Not(Box<Expression>),
    Term(Key, String),
}

/// What a term looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Key {
    /// Part of the id.
    Id,
    /// The whole id.
    Case,
    /// The id's first folder.
    Family,
    /// The level.
    Level,
    /// A tag.
    Tag,
    /// Part of the section, whatever its case.
    Spec,
    /// Part of the name, whatever its case.
    Name,
    /// What the target must declare.
    Needs,
}

const KEYS: [(&str, Key); 8] = [
    ("id", Key::Id),
    ("case", Key::Case),
    ("family", Key::Family),
    ("level", Key::Level),
    ("tag", Key::Tag),
    ("spec", Key::Spec),
    ("name", Key::Name),
    ("needs", Key::Needs),
];

impl Selection {
    /// Reads a filter.
    ///
    /// # Errors
    /// What is wrong, at its place in the text, which messages call `-k`.
    pub fn parse(text: &str) -> Result<Self, Box<Diagnostic>> {
        let source = Source::new("-k", text);
        let tokens = tokens(&source)?;
        let mut parser =
            Parser { tokens: &tokens, at: 0, depth: 0, end: source.span(text.len()..text.len()) };
        let expression = parser.or()?;
        match parser.next() {
            None => Ok(Self(expression)),
            Some(token) if token.kind == Kind::Close => {
                Err(mistake(&token.span, "this `)` closes nothing", None))
            }
            Some(token) => {
                let help = "join two terms with `and` or `or`; quote a text with spaces";
                Err(mistake(&token.span, "expected `and` or `or`", Some(help.to_owned())))
            }
        }
    }

    /// The filter that chooses the case of this id and no other.
    pub fn of_case(id: &str) -> String {
        format!("case:\"{}\"", id.replace('"', "\"\""))
    }

    /// Is this case chosen?
    pub fn matches(&self, case: &Case) -> bool {
        self.0.matches(case)
    }
}

impl Expression {
    fn matches(&self, case: &Case) -> bool {
        match self {
            Self::Or(any) => any.iter().any(|one| one.matches(case)),
            Self::And(all) => all.iter().all(|one| one.matches(case)),
            Self::Not(not) => !not.matches(case),
            Self::Term(key, text) => match key {
                Key::Id => case.id.0.contains(text),
                Key::Case => case.id.0 == *text,
                Key::Family => case.id.family() == text,
                Key::Level => case.level.as_str() == text,
                Key::Tag => case.tags.contains(text),
                Key::Spec => holds(&case.spec, text),
                Key::Name => holds(&case.name, text),
                Key::Needs => case.needs.iter().any(|need| need.value == *text),
            },
        }
    }
}

fn holds(whole: &str, part: &str) -> bool {
    whole.to_lowercase().contains(&part.to_lowercase())
}

#[derive(Debug, PartialEq)]
enum Kind {
    Open,
    Close,
    And,
    Or,
    Not,
    Term(Key, String),
}

#[derive(Debug)]
struct Token {
    kind: Kind,
    span: Span,
}

fn mistake(span: &Span, message: impl Into<String>, help: Option<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(message).at(span).maybe_help(help))
}

fn tokens(source: &Source) -> Result<Vec<Token>, Box<Diagnostic>> {
    let text = source.text();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let start = at;
        let kind = match first {
            first if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '(' | ')' => {
                at += 1;
                if first == '(' { Kind::Open } else { Kind::Close }
            }
            _ => word(source, &mut at)?,
        };
        tokens.push(Token { kind, span: source.span(start..at) });
    }
    Ok(tokens)
}

/// `and`, `or`, `not`, a text, or `key:text`.
fn word(source: &Source, at: &mut usize) -> Result<Kind, Box<Diagnostic>> {
    let start = *at;
    if source.text()[start..].starts_with('"') {
        return Ok(Kind::Term(Key::Id, quoted(source, at)?));
    }
    let word = bare(source.text(), at, true);
    if !source.text()[*at..].starts_with(':') {
        return Ok(match word {
            "and" => Kind::And,
            "or" => Kind::Or,
            "not" => Kind::Not,
            word => Kind::Term(Key::Id, word.to_owned()),
        });
    }
    let key = key(word, &source.span(start..*at))?;
    *at += 1;
    let value = *at;
    let text = match source.text()[value..].starts_with('"') {
        true => quoted(source, at)?,
        false => bare(source.text(), at, false).to_owned(),
    };
    let span = source.span(value..*at);
    if text.is_empty() {
        return Err(mistake(&span, format!("`{word}:` needs a text"), None));
    }
    if key == Key::Level && !Level::ALL.iter().any(|level| level.as_str() == text) {
        let levels = Level::ALL.map(Level::as_str);
        let help = match suggest(&text, levels) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("levels are `{}`", levels.join("`, `")),
        };
        return Err(mistake(&span, format!("unknown level `{text}`"), Some(help)));
    }
    Ok(Kind::Term(key, text))
}

fn key(word: &str, span: &Span) -> Result<Key, Box<Diagnostic>> {
    if let Some((_, key)) = KEYS.iter().find(|(name, _)| *name == word) {
        return Ok(*key);
    }
    let names = KEYS.map(|(name, _)| name);
    let help = match suggest(word, names) {
        Some(meant) => format!("did you mean `{meant}:`?"),
        None => format!("keys are `{}`", names.join("`, `")),
    };
    Err(mistake(span, format!("unknown key `{word}`"), Some(help)))
}

/// Up to a space, a parenthesis or, before a key's value, a colon.
fn bare<'t>(text: &'t str, at: &mut usize, colon: bool) -> &'t str {
    let start = *at;
    let ends = |it: char| it.is_whitespace() || matches!(it, '(' | ')') || (colon && it == ':');
    *at = text[start..].find(ends).map_or(text.len(), |length| start + length);
    &text[start..*at]
}

/// `"…"`, in which `""` is a quote.
fn quoted(source: &Source, at: &mut usize) -> Result<String, Box<Diagnostic>> {
    let (start, text) = (*at, source.text());
    let mut found = String::new();
    *at += 1;
    loop {
        let Some(length) = text[*at..].find('"') else {
            let open = source.span(start..text.len());
            return Err(mistake(&open, "this `\"` is never closed", None));
        };
        found.push_str(&text[*at..*at + length]);
        *at += length + 1;
        if !text[*at..].starts_with('"') {
            return Ok(found);
        }
        found.push('"');
        *at += 1;
    }
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
    end: Span,
}

impl<'t> Parser<'t> {
    fn next(&mut self) -> Option<&'t Token> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    /// Goes past a token of this kind, if it is the next.
    fn take(&mut self, kind: &Kind) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|token| token.kind == *kind);
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Expression, Box<Diagnostic>> {
        let mut any = vec![self.and()?];
        while self.take(&Kind::Or) {
            any.push(self.and()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Expression::Or(any) })
    }

    fn and(&mut self) -> Result<Expression, Box<Diagnostic>> {
        let mut all = vec![self.not()?];
        while self.take(&Kind::And) {
            all.push(self.not()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::And(all) })
    }

    fn not(&mut self) -> Result<Expression, Box<Diagnostic>> {
        let Some(token) = self.next() else {
            return Err(mistake(&self.end, "expected a term, found the end", None));
        };
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(mistake(&token.span, "nested too deep", None));
        }
        let expression = match &token.kind {
            Kind::Not => Expression::Not(Box::new(self.not()?)),
            Kind::Open => {
                let inner = self.or()?;
                if !self.take(&Kind::Close) {
                    return Err(mistake(&token.span, "this `(` is never closed", None));
                }
                inner
            }
            Kind::Term(key, text) => Expression::Term(*key, text.clone()),
            Kind::And | Kind::Or | Kind::Close => {
                let help = "quote a word that is meant as a text".to_owned();
                return Err(mistake(&token.span, "expected a term", Some(help)));
            }
        };
        self.depth -= 1;
        Ok(expression)
    }
}
