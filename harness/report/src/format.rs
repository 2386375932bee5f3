//! The output formats and how they are asked for.

use std::{fmt, path::PathBuf, str::FromStr};

use edgeproof_diagnostics::did_you_mean;

/// What a report can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// For people at a terminal.
    Human,
    /// One object, for programs.
    Json,
    /// JUnit XML, for CI servers.
    Junit,
    /// The Test Anything Protocol, version 14.
    Tap,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// GitHub's workflow commands: annotations.
    Github,
    /// For a CI job's summary.
    Markdown,
    /// One self-contained page.
    Html,
    /// The events themselves, from which any other format can be made.
    Events,
    /// How well WAFs tell attacks from innocent texts, as tables (Markdown).
    WafRates,
    /// The same as a chart (SVG).
    WafChart,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 11] = [
        Format::Human,
        Format::Json,
        Format::Junit,
        Format::Tap,
        Format::Sarif,
        Format::Github,
        Format::Markdown,
        Format::Html,
        Format::Events,
        Format::WafRates,
        Format::WafChart,
    ];

    /// As it is asked for on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Human => "human",
            Format::Json => "json",
            Format::Junit => "junit",
            Format::Tap => "tap",
            Format::Sarif => "sarif",
            Format::Github => "github",
            Format::Markdown => "markdown",
            Format::Html => "html",
            Format::Events => "events",
            Format::WafRates => "waf-rates",
            Format::WafChart => "waf-chart",
        }
    }

    /// Can it be made of several recordings? Rates are: one recording has the cases at one setting.
    pub fn takes_several(self) -> bool {
        matches!(self, Format::WafRates | Format::WafChart)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A value of `--format` that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The word is no format.
    #[error("`{found}` is no format: expected one of {}{suggestion}", known())]
    Unknown {
        /// The word.
        found: String,
        /// `; did you mean …?`, or nothing.
        suggestion: String,
    },
    /// `F=` without a file.
    #[error("`{format}=` names no file: write `{format}=FILE`, or `{format}` for standard output")]
    NoFile {
        /// The format.
        format: Format,
    },
}

fn known() -> String {
    Format::ALL.map(Format::as_str).join(", ")
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(word: &str) -> Result<Self, FormatError> {
        Format::ALL.into_iter().find(|format| format.as_str() == word).ok_or_else(|| {
            FormatError::Unknown {
                found: word.to_owned(),
                suggestion: did_you_mean(word, Format::ALL.map(Format::as_str)),
            }
        })
    }
}

/// One value of `--format`: `F` or `F=FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The format.
    pub format: Format,
    /// Where to; `None` is standard output.
    pub file: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = FormatError;

    fn from_str(value: &str) -> Result<Self, FormatError> {
        let (word, file) = match value.split_once('=') {
            Some((word, file)) => (word, Some(file)),
            None => (value, None),
        };
        let format: Format = word.parse()?;
        match file {
            Some("") => Err(FormatError::NoFile { format }),
            file => Ok(Output { format, file: file.map(PathBuf::from) }),
        }
    }
}
