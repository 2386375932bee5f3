//! Everything that happens in a run, as one versioned enum. Reporters listen to nothing else, and a
//! recorded stream (`--format events=FILE`, one JSON object a line) makes any format later.
//!
//! Events come in the order of completion; [`CaseResult::index`] is the file order.

use std::collections::BTreeMap;

pub use edgeproof_scenario::model::{Level, LevelError};
use serde::{Deserialize, Serialize};

/// The version of this enum. A reader refuses a stream with another.
pub const EVENT_VERSION: u32 = 1;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The run begins.
    RunStarted {
        /// [`EVENT_VERSION`].
        version: u32,
        /// `edgeproof 0.1.0`.
        tool: String,
        /// RFC 3339, UTC.
        started: String,
        /// How many results will come (cases × targets × repeats).
        planned: usize,
        /// The targets in the order asked for.
        targets: Vec<TargetInfo>,
    },
    /// A target is up.
    TargetStarted {
        /// Its name.
        target: String,
        /// What it says its version is.
        version: Option<String>,
        /// Real time from start to ready, in milliseconds.
        ready_ms: u64,
    },
    /// A target cannot be had here (not installed, no engine). An error only with `--require`.
    TargetUnavailable {
        /// Its name.
        target: String,
        /// Why, and what would help.
        reason: String,
        /// Was it asked for by `--require`?
        required: bool,
    },
    /// A target did not start, or died.
    TargetFailed {
        /// Its name.
        target: String,
        /// What happened: exit status, time limit.
        reason: String,
        /// The last lines that it wrote.
        log: String,
    },
    /// A case begins.
    CaseStarted {
        /// File order.
        index: usize,
        /// Its id.
        id: String,
        /// On which target.
        target: String,
    },
    /// A case ends.
    CaseFinished(Box<CaseResult>),
    /// Something that a person should know and that changes no verdict.
    Note {
        /// The target, where it is about one.
        target: Option<String>,
        /// The text.
        text: String,
    },
    /// The run ends.
    RunFinished {
        /// Real time in milliseconds.
        duration_ms: u64,
        /// Stopped by Ctrl-C: what is missing was not played.
        interrupted: bool,
    },
}

/// What is known of a target before it starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetInfo {
    /// Its name: the folder's.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// `process`, `container` or `url`.
    pub kind: String,
    /// How time is moved: `control socket`, `libfaketime`, `backdated answers`, `waiting`, `none`.
    pub clock: String,
    /// What it declares.
    pub declares: Vec<String>,
    /// A negative control: it is expected to fail.
    pub negative_control: bool,
}

/// The six verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every assertion held.
    Pass,
    /// An assertion did not hold.
    Fail,
    /// It failed as the target's list says, with its reason.
    KnownFail,
    /// It is in the list of known failures and passes: the list is out of date.
    Fixed,
    /// Not played, with the reason.
    Skip,
    /// The harness or the target broke: nothing is known about the requirement.
    Error,
}

impl Verdict {
    /// All, in the order of a summary.
    pub const ALL: [Verdict; 6] = [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::KnownFail,
        Verdict::Fixed,
        Verdict::Skip,
        Verdict::Error,
    ];

    /// As it is printed and written.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::KnownFail => "known-fail",
            Verdict::Fixed => "fixed",
            Verdict::Skip => "skip",
            Verdict::Error => "error",
        }
    }
}

/// What came of one case on one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseResult {
    /// Place in file order over all targets; reporters sort by it.
    pub index: usize,
    /// The case's id: path below the suite without its ending, `#ROW` for a row of `each`.
    pub id: String,
    /// The file, as it was given.
    pub file: String,
    /// The line of its name, from 1.
    pub line: usize,
    /// The requirement in a sentence.
    pub name: String,
    /// The first folder of the id.
    pub family: String,
    /// How binding the requirement is.
    pub level: Level,
    /// The section of the standard.
    pub spec: String,
    /// Why it matters.
    pub explain: Option<String>,
    /// Free words.
    pub tags: Vec<String>,
    /// What its site was like, by dotted keys: `waf.profile` is `full`, `cache` is there and empty.
    #[serde(default)]
    pub site: BTreeMap<String, String>,
    /// How many steps it has; 0 in a recording that does not say.
    #[serde(default)]
    pub steps: usize,
    /// On which target.
    pub target: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Why skipped, known or broken; for a failure its first message.
    pub reason: Option<String>,
    /// Real time in milliseconds.
    pub duration_ms: u64,
    /// Which of how many tries this was, from 1 (`--repeat`).
    pub attempt: usize,
    /// How many tries there are.
    pub attempts: usize,
    /// Plays of this try that failed and were not believed, in their order: after each it was played again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierPlay>,
    /// How time was moved in this case; `None` where it did not have to be.
    pub clock: Option<String>,
    /// What did not hold.
    pub failures: Vec<Failure>,
    /// What went over the wire, in order, bounded.
    pub exchanges: Vec<Exchange>,
    /// The log lines that the case caused: `access`, `waf`, each bounded.
    pub logs: Vec<LogExcerpt>,
    /// What was measured.
    pub figures: Vec<Figure>,
    /// The command that plays this case again.
    pub reproduce: String,
}

/// A play that failed and counts for nothing, as the case was played again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EarlierPlay {
    /// Why it was not believed: what the machine did meanwhile, or that the test asks for a second try.
    pub why: String,
    /// `fail` or `error`.
    pub verdict: Verdict,
    /// Its first failure's message, or what broke.
    pub reason: Option<String>,
    /// Real time in milliseconds.
    pub duration_ms: u64,
    /// What did not hold.
    pub failures: Vec<Failure>,
    /// What went over the wire, in order, bounded.
    pub exchanges: Vec<Exchange>,
}

/// One assertion that did not hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// `steps[1].expect.headers.age`.
    pub path: String,
    /// One line: what was expected and what was found.
    pub message: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// The message with its file, line, column, source line and caret, without colour.
    pub rendered: String,
    /// The exchange that it is about, as an index into [`CaseResult::exchanges`].
    pub exchange: Option<usize>,
    /// The target gave no answer that can be read, where one was to come.
    #[serde(default)]
    pub unanswered: bool,
}

/// A request, its answer, and what the origin saw of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// `steps[1]`, `steps[2].parallel[0]`.
    pub step: String,
    /// The client's name.
    pub client: String,
    /// What was sent.
    pub request: Payload,
    /// What came back, if anything.
    pub response: Option<Payload>,
    /// How it ended, where not as usual: `connection reset by the target`.
    pub note: Option<String>,
    /// From the first byte sent to the last read, in microseconds.
    pub duration_us: u64,
    /// The requests that reached the origin meanwhile, and its answers.
    pub origin: Vec<OriginExchange>,
}

/// A request that reached the scripted origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OriginExchange {
    /// The request as it arrived.
    pub request: Payload,
    /// The answer as it was sent.
    pub response: Option<Payload>,
}

/// Bytes of the wire, bounded; base64 where they are not text. Values of Authorization, Cookie,
/// Set-Cookie and Proxy-Authorization are masked unless asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// How `data` is to be read.
    pub encoding: PayloadEncoding,
    /// The text, or base64.
    pub data: String,
    /// The size of the whole in octets, when `data` is only its beginning.
    pub truncated_from: Option<u64>,
}

/// See [`Payload`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PayloadEncoding {
    /// UTF-8 without control characters other than CR, LF and TAB.
    Text,
    /// RFC 4648 §4.
    Base64,
}

/// Lines of one of the target's logs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogExcerpt {
    /// `access` or `waf`.
    pub log: String,
    /// The lines, without their ends; bytes that are no text as U+FFFD.
    pub lines: Vec<String>,
}

/// Something measured, never asserted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// `cached.rps`.
    pub name: String,
    /// The value.
    pub value: f64,
    /// `req/s`, `µs`, `×`.
    pub unit: String,
    /// One value a shot, where there were several.
    pub samples: Vec<f64>,
}
