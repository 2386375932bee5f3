//! What should be otherwise.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::config::Place;
use crate::report::path_text;

/// How much it matters, as the scenarios of the family sshd have it (RFC 2119's words).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// An open door.
    Must,
    /// A door that is easier to open.
    Should,
    /// Better, where nothing speaks against it.
    May,
    /// Reported, and no mistake.
    Observe,
}

impl Level {
    /// All of them, the gravest first.
    pub const ALL: [Level; 4] = [Level::Must, Level::Should, Level::May, Level::Observe];

    /// In lower case.
    pub fn name(self) -> &'static str {
        match self {
            Level::Must => "must",
            Level::Should => "should",
            Level::May => "may",
            Level::Observe => "observe",
        }
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let level = Self::ALL.into_iter().find(|level| level.name() == text);
        level.ok_or_else(|| format!("`{text}` is no level: expected must, should, may or observe"))
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A line of a configuration file, from 1.
    Line(PathBuf, usize),
    /// An argument of the daemon.
    Argument(String),
    /// A file or folder as a whole.
    File(PathBuf),
    /// Nobody said anything.
    Default,
}

impl From<&Place> for Source {
    fn from(place: &Place) -> Self {
        Source::Line(place.file.clone(), place.line)
    }
}

impl Source {
    /// Its file, where it has one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Source::Line(file, _) | Source::File(file) => Some(file),
            Source::Argument(_) | Source::Default => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Line(file, line) => write!(f, "{} line {line}", path_text(file)),
            Source::Argument(argument) => write!(f, "argument {argument}"),
            Source::File(file) => f.write_str(&path_text(file)),
            Source::Default => f.write_str("default"),
        }
    }
}

/// Something that should be otherwise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weakness {
    /// How much it matters.
    pub level: Level,
    /// The directive, as the manual writes it.
    pub directive: String,
    /// What it is; of a list, what should not be in it.
    pub value: String,
    /// What it should be.
    pub wanted: String,
    /// Where it comes from.
    pub source: Source,
    /// Whose connections it is about; none where it is about all that were asked for.
    pub of: Vec<String>,
}
