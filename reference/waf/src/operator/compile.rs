//! From an operator's text to what matches, and where in the rule file a mistake is.

use std::path::Path;

use edgeproof_diagnostics::{Diagnostic, Span, Spanned};

use super::address::{Addresses, NotAnAddress};
use super::argument::Argument;
use super::encoding::{BadRange, byte_range};
use super::leading_number;
use super::number::Comparison;
use super::phrase::{self, Phrases, UnknownEscape};
use super::rx::{PatternError, Rx};
use super::rx_macros::RxWithMacros;
use super::text::Relation;
use super::{Kind, Operator, files};
use crate::seclang::{OperatorName, OperatorText, Template};

impl Operator {
    /// Compiles an operator. `base` is the folder of the rule file, for operators that read files.
    ///
    /// # Errors
    ///
    /// What is wrong with the argument, with its place in the rule file.
    pub fn compile(text: &Spanned<OperatorText>, base: &Path) -> Result<Self, Diagnostic> {
        let negated = text.value.negated;
        Compile { text, base }.kind().map(|kind| Self { negated, kind })
    }
}

struct Compile<'t> {
    text: &'t Spanned<OperatorText>,
    base: &'t Path,
}

impl Compile<'_> {
    fn kind(&self) -> Result<Kind, Diagnostic> {
        let text = |relation| Ok(Kind::Text(relation, Argument::new(self.argument())));
        match self.text.value.name {
            OperatorName::Rx => self.rx(),
            OperatorName::Pm => self.phrases(phrase::in_argument(self.argument())),
            OperatorName::PmFromFile => self.phrases_from_files(),
            OperatorName::Lt => Ok(self.number(Comparison::Less)),
            OperatorName::Le => Ok(self.number(Comparison::LessOrEqual)),
            OperatorName::Eq => Ok(self.number(Comparison::Equal)),
            OperatorName::Ge => Ok(self.number(Comparison::GreaterOrEqual)),
            OperatorName::Gt => Ok(self.number(Comparison::Greater)),
            OperatorName::Streq => text(Relation::Equal),
            OperatorName::Strmatch => self.str_match(),
            OperatorName::Within => text(Relation::Within),
            OperatorName::Contains => text(Relation::Contains),
            OperatorName::ContainsWord => text(Relation::ContainsWord),
            OperatorName::BeginsWith => text(Relation::Begins),
            OperatorName::EndsWith => text(Relation::Ends),
            OperatorName::IpMatch => self.addresses(),
            OperatorName::IpMatchFromFile => self.addresses_from_file(),
            OperatorName::ValidateByteRange => self.byte_range(),
            OperatorName::ValidateUrlEncoding => Ok(Kind::UrlEncoding),
            OperatorName::ValidateUtf8Encoding => Ok(Kind::Utf8Encoding),
            OperatorName::DetectSqli => Ok(Kind::Sqli),
            OperatorName::DetectXss => Ok(Kind::Xss),
            OperatorName::UnconditionalMatch => Ok(Kind::Always),
            // A look-up in the network would cost each request more than all rules together, and there is no
            // database of places: rules that use these load, and do not match.
            OperatorName::NoMatch | OperatorName::Rbl | OperatorName::GeoLookup => Ok(Kind::Never),
        }
    }

    fn argument(&self) -> &str {
        &self.text.value.argument
    }

    /// The place of `len` bytes of the argument, or the whole operator's where the file spells the argument in
    /// another way (with escapes, or over several lines).
    fn place(&self, at: usize, len: usize) -> Span {
        let span = &self.text.span;
        match span.text().rfind(self.argument()).filter(|_| !self.argument().is_empty()) {
            Some(start) => {
                let start = span.start() + start + at;
                span.source().span(start..start + len.max(1))
            }
            None => span.clone(),
        }
    }

    fn rx(&self) -> Result<Kind, Diagnostic> {
        // In a pattern what looks like a macro and is none is text: `%{2}`.
        let template = Template::parse_pattern(self.argument());
        match template.literal() {
            Some(pattern) => Rx::compile(pattern.as_bytes()).map(Kind::Rx),
            None => RxWithMacros::new(&template).map(Kind::RxWithMacros),
        }
        .map_err(|PatternError { at, problem }| {
            Diagnostic::error("this regular expression cannot be used")
                .label(&self.place(at, 1), problem.to_string())
        })
    }

    fn phrases(&self, phrases: Vec<Box<[u8]>>) -> Result<Kind, Diagnostic> {
        if phrases.is_empty() && self.text.value.name == OperatorName::Pm {
            let message = "`@pm` needs phrases to look for, parted by spaces";
            return Err(Diagnostic::error(message).at(&self.text.span));
        }
        Phrases::new(phrases).map(Kind::Phrases).map_err(|error| {
            Diagnostic::error(format!("these phrases cannot be used: {error}")).at(&self.text.span)
        })
    }

    fn phrases_from_files(&self) -> Result<Kind, Diagnostic> {
        let mut phrases = Vec::new();
        let mut names = self.argument().split_whitespace().peekable();
        if names.peek().is_none() {
            return Err(self.file_problem(&files::FileError::NoName, 0, 0));
        }
        for name in names {
            // `name` is a part of the argument.
            let at = name.as_ptr() as usize - self.argument().as_ptr() as usize;
            let file = files::load(name, self.base)
                .map_err(|error| self.file_problem(&error, at, name.len()))?;
            phrases.extend(phrase::in_file(&file.bytes));
        }
        self.phrases(phrases)
    }

    fn file_problem(&self, error: &files::FileError, at: usize, len: usize) -> Diagnostic {
        Diagnostic::error(error.to_string()).at(&self.place(at, len))
    }

    fn number(&self, comparison: Comparison) -> Kind {
        match Argument::new(self.argument()) {
            Argument::Fixed(text) => Kind::Number(comparison, leading_number(&text)),
            Argument::Macros(template) => Kind::NumberWithMacros(comparison, template),
        }
    }

    fn str_match(&self) -> Result<Kind, Diagnostic> {
        let content = phrase::content(self.argument().as_bytes());
        let content = content.map_err(|UnknownEscape(at)| {
            Diagnostic::error("a backslash can stand only before `:`, `;`, `\\` and `\"` here")
                .at(&self.place(at, 1))
        })?;
        if content.is_empty() {
            let message = "`@strmatch` needs a text to look for";
            return Err(Diagnostic::error(message).at(&self.text.span));
        }
        Ok(Kind::Text(Relation::Contains, Argument::Fixed(content.into())))
    }

    fn addresses(&self) -> Result<Kind, Diagnostic> {
        let set = Addresses::in_argument(self.argument());
        set.map(Kind::Addresses).map_err(|NotAnAddress { at, text }| {
            Diagnostic::error(format!("`{text}` is neither an address nor a network"))
                .at(&self.place(at, text.len()))
                .help("addresses are parted by commas: `192.0.2.1,198.51.100.0/24,2001:db8::/32`")
        })
    }

    fn addresses_from_file(&self) -> Result<Kind, Diagnostic> {
        let name = self.argument().trim();
        let file = files::load(name, self.base)
            .map_err(|error| self.file_problem(&error, 0, self.argument().len()))?;
        let text = String::from_utf8_lossy(&file.bytes);
        let set = Addresses::in_file(&text);
        set.map(Kind::Addresses).map_err(|NotAnAddress { at, text: word }| {
            let line = text[..at].matches('\n').count() + 1;
            let path = file.path.display();
            Diagnostic::error(format!("`{word}` is neither an address nor a network"))
                .at(&self.place(0, self.argument().len()))
                .with_note(format!("it stands in line {line} of {path}"))
        })
    }

    fn byte_range(&self) -> Result<Kind, Diagnostic> {
        byte_range(self.argument()).map(Kind::ByteRange).map_err(|BadRange(at)| {
            let rest = &self.argument()[at..];
            let len = rest.find(',').unwrap_or(rest.len());
            Diagnostic::error("a byte from 0 to 255 or a range of two is expected here")
                .at(&self.place(at, len))
                .help("for example `9,10,13,32-126`")
        })
    }
}
