//! The verdict of a play: a pure decision over what was told and what is listed.

use edgeproof_scenario::model::CaseId;
use edgeproof_target::{Failed, KnownFailures, Listed};

use crate::event::{Failure, Verdict};

/// The verdict, and its reason.
pub(super) fn verdict(
    case: &CaseId,
    broken: Option<&str>,
    failures: &[Failure],
    known: &KnownFailures,
) -> (Verdict, Option<String>) {
    if let Some(why) = broken {
        return (Verdict::Error, Some(why.to_owned()));
    }
    let failed: Vec<Failed<'_>> = failures
        .iter()
        .map(|failure| Failed { path: &failure.path, unanswered: failure.unanswered })
        .collect();
    let first = failures.first().map(|failure| failure.message.clone());
    match known.verdict(case, &failed) {
        Listed::Known { reason } => (Verdict::KnownFail, Some(reason.to_owned())),
        Listed::Fixed { reason } => {
            (Verdict::Fixed, Some(format!("passes, though listed as known to fail: {reason}")))
        }
        Listed::More { unlisted } => {
            let first = first.unwrap_or_default();
            let reason =
                format!("{first} ({} is not among the known failures)", unlisted.join(", "));
            (Verdict::Fail, Some(reason))
        }
        Listed::No if failures.is_empty() => (Verdict::Pass, None),
        Listed::No => (Verdict::Fail, first),
    }
}
