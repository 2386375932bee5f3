//! How a rule compares: `!@within %{tx.allowed_methods}`.

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Spanned, suggest};

use super::template::Template;
use super::text::{Text, is_blank};

/// A rule's operator as written, not compiled yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperatorText {
    /// `!`: what does not match, counts.
    pub negated: bool,
    /// The operator; [`OperatorName::Rx`] where none is written.
    pub name: OperatorName,
    /// What follows the name, without the white space between; as written up to the quote.
    pub argument: String,
}

/// Declares the operators once: name in Rust, name in SecLang, whether macros in the argument are expanded, and what
/// it finds.
macro_rules! operators {
    ($($variant:ident $name:literal $macros:ident $text:literal;)*) => {
        /// An operator of SecLang.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum OperatorName {
            $(#[doc = $text] $variant,)*
        }

        impl OperatorName {
            /// Every operator.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name as the manual writes it, without `@`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            fn macros(self) -> Macros {
                match self {
                    $(Self::$variant => Macros::$macros,)*
                }
            }
        }
    };
}

/// What `%{` means in an operator's argument.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Macros {
    /// A macro; anything else is a mistake.
    Expanded,
    /// Itself, or a macro of a pattern, which only the operator can tell.
    Literal,
}

operators! {
    Rx "rx" Literal "The pattern matches somewhere.";
    Pm "pm" Literal "One of the words, parted by blanks, is within; case does not count.";
    PmFromFile "pmFromFile" Literal "One of the files' lines is within; case does not count.";
    Lt "lt" Expanded "The number is less.";
    Le "le" Expanded "The number is less or equal.";
    Eq "eq" Expanded "The number is equal.";
    Ge "ge" Expanded "The number is greater or equal.";
    Gt "gt" Expanded "The number is greater.";
    Streq "streq" Expanded "The text is equal.";
    Strmatch "strmatch" Literal "The argument, in which nothing is expanded, is within the value.";
    Within "within" Expanded "The value is within the argument.";
    Contains "contains" Expanded "The argument is within the value.";
    ContainsWord "containsWord" Expanded "The argument is within the value, as a word.";
    BeginsWith "beginsWith" Expanded "The value begins with the argument.";
    EndsWith "endsWith" Expanded "The value ends with the argument.";
    IpMatch "ipMatch" Literal "The address is in one of the networks.";
    IpMatchFromFile "ipMatchFromFile" Literal "The address is in one of the files' networks.";
    ValidateByteRange "validateByteRange" Literal "A byte is outside the ranges.";
    ValidateUrlEncoding "validateUrlEncoding" Literal "A percent encoding is invalid.";
    ValidateUtf8Encoding "validateUtf8Encoding" Literal "The value is not valid UTF-8.";
    DetectSqli "detectSQLi" Literal "libinjection takes the value for an SQL injection.";
    DetectXss "detectXSS" Literal "libinjection takes the value for cross-site scripting.";
    UnconditionalMatch "unconditionalMatch" Literal "Always.";
    NoMatch "noMatch" Literal "Never.";
    Rbl "rbl" Literal "Never: no blocklist is asked over the network.";
    GeoLookup "geoLookup" Literal "Never: there is no database of places.";
}

impl OperatorName {
    /// The operator of this name, without `@`; case does not count.
    ///
    /// ```
    /// use edgeproof_waf::seclang::OperatorName;
    /// assert_eq!(OperatorName::named("pmf"), Some(OperatorName::PmFromFile));
    /// assert_eq!(OperatorName::named("regex"), None);
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        const OTHERWISE: [(&str, OperatorName); 3] = [
            ("pmf", OperatorName::PmFromFile),
            ("ipMatchF", OperatorName::IpMatchFromFile),
            ("unconditional", OperatorName::UnconditionalMatch),
        ];
        let named = |one: &str| one.eq_ignore_ascii_case(name);
        let plain = Self::ALL.iter().copied().find(|one| named(one.name()));
        plain.or_else(|| OTHERWISE.iter().find(|(other, _)| named(other)).map(|(_, one)| *one))
    }
}

/// Reads the operator of a rule.
pub(super) fn operator(text: &Text, diagnostics: &Diagnostics) -> Option<Spanned<OperatorText>> {
    let written = text.as_str();
    let trimmed = written.trim_start_matches(is_blank);
    let negated = trimmed.starts_with('!');
    let after_sign = trimmed.strip_prefix('!').unwrap_or(trimmed).trim_start_matches(is_blank);
    let (name, argument) = if after_sign.starts_with('@') {
        named(&text.from(text.len() - after_sign.len()), diagnostics)?
    } else if negated {
        (OperatorName::Rx, text.from(text.len() - after_sign.len()))
    } else {
        // White space that begins a pattern belongs to it.
        (OperatorName::Rx, text.clone())
    };
    if name.macros() == Macros::Expanded {
        Template::read(&argument, diagnostics)?;
    }
    Some(text.hold(OperatorText { negated, name, argument: argument.as_str().to_owned() }))
}

/// `@name argument`.
fn named(text: &Text, diagnostics: &Diagnostics) -> Option<(OperatorName, Text)> {
    let end = text.as_str().find(is_blank).unwrap_or(text.len());
    let name = text.slice(0..end);
    let rest = text.as_str()[end..].trim_start_matches(is_blank);
    match OperatorName::named(&name.as_str()[1..]) {
        Some(operator) => Some((operator, text.from(text.len() - rest.len()))),
        None => {
            diagnostics.push(unknown(&name));
            None
        }
    }
}

fn unknown(name: &Text) -> Diagnostic {
    let written = &name.as_str()[1..];
    if let Some(why) = refused(written) {
        return Diagnostic::error(format!("the operator @{written} is not supported"))
            .at(&name.span())
            .with_note(why);
    }
    let near = suggest(written, OperatorName::ALL.iter().map(|one| one.name()));
    let help = match near {
        Some(near) => format!("did you mean `@{near}`?"),
        None => format!("a pattern that begins with @ is written `@rx @{written}`"),
    };
    Diagnostic::error(format!("unknown operator `@{written}`")).at(&name.span()).help(help)
}

/// Why this engine has not got an operator that ModSecurity has.
fn refused(name: &str) -> Option<&'static str> {
    const NUMBERS: &str = "numbers of cards and persons are not checked for their check digits";
    const REWRITES: &str = "bodies are inspected, never rewritten";
    let is = |names: &[&str]| names.iter().any(|one| one.eq_ignore_ascii_case(name));
    if is(&["verifyCC", "verifyCPF", "verifySSN", "verifySVNR"]) {
        Some(NUMBERS)
    } else if is(&["rsub", "validateHash"]) {
        Some(REWRITES)
    } else if is(&["inspectFile"]) {
        Some("rules start no programs")
    } else if is(&["validateDTD", "validateSchema"]) {
        Some("XML is read without DTD and schema: fetching them is a risk of its own")
    } else if is(&["fuzzyHash", "gsbLookup"]) {
        Some("its database is not read")
    } else if is(&["rxGlobal"]) {
        Some("use @rx: it captures the first match")
    } else {
        None
    }
}
