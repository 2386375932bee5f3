//! What a run is worth, as one number.

use edgeproof_runner::event::Verdict;

use crate::{Level, Summary};

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitCode {
    /// 0: all good.
    Good,
    /// 1: a requirement of the gate's level or a more binding one failed.
    Failed,
    /// 2: usage, or a bad scenario.
    Usage,
    /// 3: a target did not start.
    TargetNotStarted,
    /// 4: nothing ran.
    NothingRan,
    /// 5: worse than the baseline.
    Regression,
    /// 6: a question got no answer.
    Inconclusive,
    /// 7: the harness or a target broke.
    Error,
    /// 130: stopped by Ctrl-C, or not all results are there.
    Interrupted,
}

impl ExitCode {
    /// The number for the shell.
    pub fn code(self) -> u8 {
        match self {
            ExitCode::Good => 0,
            ExitCode::Failed => 1,
            ExitCode::Usage => 2,
            ExitCode::TargetNotStarted => 3,
            ExitCode::NothingRan => 4,
            ExitCode::Regression => 5,
            ExitCode::Inconclusive => 6,
            ExitCode::Error => 7,
            ExitCode::Interrupted => 130,
        }
    }

    /// In words.
    pub fn meaning(self) -> &'static str {
        match self {
            ExitCode::Good => "all good",
            ExitCode::Failed => "a requirement failed",
            ExitCode::Usage => "usage, or a bad scenario",
            ExitCode::TargetNotStarted => "a target did not start",
            ExitCode::NothingRan => "nothing ran",
            ExitCode::Regression => "worse than the baseline",
            ExitCode::Inconclusive => "inconclusive",
            ExitCode::Error => "the harness or a target broke",
            ExitCode::Interrupted => "interrupted",
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        code.code().into()
    }
}

/// The first that applies of 2, 130, 3, 7, 1, 5, 6, 4.
///
/// An interruption stands before what it may itself have caused (a target that was still starting,
/// a case cut short), not before a mistake that was there before anything ran. Known failures and
/// fixed ones do not fail, and `observe` never does.
pub fn exit_code(summary: &Summary, gate: Level) -> ExitCode {
    let counts = |levels: &[Level]| levels.iter().any(|level| level.counts_at(gate));
    let rules = [
        (summary.usage_error, ExitCode::Usage),
        (summary.cut_short.is_some(), ExitCode::Interrupted),
        (summary.not_started > 0, ExitCode::TargetNotStarted),
        (summary.counts.of(Verdict::Error) > 0 || summary.died > 0, ExitCode::Error),
        (counts(&summary.failures), ExitCode::Failed),
        (counts(&summary.regressions), ExitCode::Regression),
        (summary.inconclusive > 0, ExitCode::Inconclusive),
        (summary.counts.total() == summary.counts.of(Verdict::Skip), ExitCode::NothingRan),
    ];
    rules.into_iter().find(|(applies, _)| *applies).map_or(ExitCode::Good, |(_, code)| code)
}
