//! How binding a requirement is, and from where on a failure counts.

use std::{fmt, str::FromStr};

use edgeproof_runner::event::CaseResult;

use crate::format::closest;

/// RFC 2119's words, and `observe` for what is only looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// An absolute requirement.
    Must,
    /// A recommendation.
    Should,
    /// An option.
    May,
    /// Looked at, never judged.
    Observe,
}

/// A word that is no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no level: expected must, should, may or observe{suggestion}")]
pub struct LevelError {
    found: String,
    suggestion: String,
}

impl Level {
    /// From the most to the least binding.
    pub const ALL: [Level; 4] = [Level::Must, Level::Should, Level::May, Level::Observe];

    /// As it is written in a scenario.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Must => "must",
            Level::Should => "should",
            Level::May => "may",
            Level::Observe => "observe",
        }
    }

    /// The level of a result. A word that nobody knows is taken for `must`: a failure must not be
    /// lost to a spelling.
    pub fn of(case: &CaseResult) -> Level {
        case.level.parse().unwrap_or(Level::Must)
    }

    /// Does a failure of this level count where the gate is `gate`? `observe` never does.
    pub fn counts_at(self, gate: Level) -> bool {
        self != Level::Observe && self <= gate
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(word: &str) -> Result<Self, LevelError> {
        Level::ALL.into_iter().find(|level| level.as_str() == word).ok_or_else(|| LevelError {
            found: word.to_owned(),
            suggestion: closest(word, Level::ALL.map(Level::as_str)),
        })
    }
}
