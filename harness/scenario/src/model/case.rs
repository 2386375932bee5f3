//! One case: what `id`, `name`, `spec` and `level` say of it, its site, its origin and its steps.

use std::time::Duration;

use edgeproof_diagnostics::{Source, Span, Spanned, did_you_mean};
use serde::{Deserialize, Serialize};

use super::{Origin, SiteSpec, Step};

/// A case's name for ever: the file's path below the suite's folder without its ending, and `#ROW` for
/// a row of `each` (the row's `id`, or its number from 1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CaseId(pub String);

impl CaseId {
    /// The first folder of the path: `cache`, `waf`, `logs`, `sshd`, `load`, …
    pub fn family(&self) -> &str {
        self.0.split(['/', '#']).next().unwrap_or(&self.0)
    }

    /// The file's part: the id without the name of a row.
    pub fn file(&self) -> &str {
        self.0.split('#').next().unwrap_or(&self.0)
    }
}

impl std::fmt::Display for CaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How binding the requirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A MUST of the standard: failing it fails the run.
    Must,
    /// A SHOULD: fails the run only with `--level should`.
    Should,
    /// A MAY, or an optimisation.
    May,
    /// A difference of taste, only reported.
    Observe,
}

impl Level {
    /// The four, most binding first.
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

    /// Does a failure of this level count where the gate is `gate`? `observe` never does.
    pub fn counts_at(self, gate: Level) -> bool {
        self != Level::Observe && self <= gate
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelError {
    found: String,
}

impl std::fmt::Display for LevelError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let near = did_you_mean(&self.found, Level::ALL.map(Level::as_str));
        write!(f, "`{}` is no level: expected must, should, may or observe{near}", self.found)
    }
}

impl std::error::Error for LevelError {}

impl std::str::FromStr for Level {
    type Err = LevelError;

    fn from_str(word: &str) -> Result<Self, LevelError> {
        let known = Level::ALL.into_iter().find(|level| level.as_str() == word);
        known.ok_or_else(|| LevelError { found: word.to_owned() })
    }
}

/// Of a case that was read from another format: what no scenario file can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// What stands before the file's path on the command line: `ftw`.
    pub format: &'static str,
    /// A failure is tried once more, and the second verdict counts.
    pub retry_once: bool,
    /// The host that the harness's marks in the WAF's log ask for, where not `localhost`.
    pub mark_host: Option<String>,
    /// The verdict was given beforehand, and the case is not played.
    pub settled: Option<Settled>,
}

/// A verdict that a file of overrides gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It is skipped, with this reason.
    Skip(String),
    /// It fails, with this reason.
    Fail(String),
}

/// One case, ready to be played.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// The file it stands in.
    pub source: Source,
    /// Where it begins (its `name`).
    pub span: Span,
    /// The requirement in one sentence.
    pub name: String,
    /// The section of the standard, the rule family or the manual page.
    pub spec: String,
    /// `explain`: why this matters, in a few sentences.
    pub explain: Option<String>,
    /// How binding it is.
    pub level: Level,
    /// What the target must declare, written or implied by the site and the steps (`cache`, `waf`, …).
    pub needs: Vec<Spanned<String>>,
    /// Free words for `-k`.
    pub tags: Vec<String>,
    /// What the site must be like.
    pub site: SiteSpec,
    /// What the origin answers.
    pub origin: Origin,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The most real time that it may take (`time_limit`, 10 s if not said).
    pub time_limit: Duration,
    /// Must it run while no other case runs on the target (`alone: true`)?
    pub alone: bool,
    /// The columns of this row of `each`, as variables.
    pub row: Vec<(String, Vec<u8>)>,
    /// Only of a case that was read from another format.
    pub foreign: Option<Foreign>,
}

impl Case {
    /// The sum of all `advance` steps on its longest way, for clocks that must wait.
    pub fn total_advance(&self) -> Duration {
        self.steps.iter().map(Step::total_advance).sum()
    }
}
