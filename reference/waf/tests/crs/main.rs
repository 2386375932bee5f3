//! The OWASP Core Rule Set's own regression tests, played against the engine in this process.
//!
//! They lie in a checkout of the rule set, which is no part of this project: its folder is named by
//! EDGEPROOF_CRS. Without that nothing is played, and the test says so.
//!
//! ```text
//!  tests/regression/tests/*/*.yaml ─corpus─► stages ─request─► bytes ─► HTTP/1 codec ─► Transaction
//!                                              ▲                                            │
//!                                              └────────────── judge ◄── log lines, status ◄┘
//! ```
//!
//! The set-up is the one that the rule set documents for its tests: detection only, paranoia level
//! 4, bodies inspected both ways, and a backend that answers as it is told.

mod backend;
mod corpus;
mod judge;
mod play;
mod request;
mod setup;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use corpus::Case;
use edgeproof_waf::{Collections, RuleSet};

/// Tests of requests that Apache repairs before ModSecurity sees them, with the field that it takes
/// away. The codec here refuses them instead, with 400, so what the rules say of them is asked of
/// the request without that field.
const REPAIRED: [(&str, &[u8], &str); 1] = [(
    "920181-1",
    b"Content-Length",
    "Content-Length beside Transfer-Encoding is refused, as RFC 9112 §6.1 allows",
)];

/// The checkout, where there is one.
fn checkout() -> Option<PathBuf> {
    let folder = std::env::var_os("EDGEPROOF_CRS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("not played: EDGEPROOF_CRS names no checkout of the Core Rule Set");
    }
    folder
}

/// The rule set of a checkout.
fn rules(folder: &Path) -> RuleSet {
    setup::load(folder).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// The tests of a checkout; those whose ids begin with EDGEPROOF_CRS_ONLY, if that is set.
fn cases(folder: &Path) -> Vec<Case> {
    let mut cases = corpus::read(&folder.join("tests/regression/tests"));
    if let Ok(only) = std::env::var("EDGEPROOF_CRS_ONLY") {
        cases.retain(|case| case.id.starts_with(&only));
    }
    assert!(!cases.is_empty(), "no tests in {}", folder.display());
    cases
}

#[test]
fn the_core_rule_sets_own_tests_pass() {
    let Some(folder) = checkout() else { return };
    let (rules, cases) = (Arc::new(rules(&folder)), cases(&folder));
    let failed = on_all(&cases, |collections, case| play_case(&rules, collections, case));
    let passed = cases.len() - failed.len();
    eprintln!("{passed} of {} tests pass", cases.len());
    assert!(failed.is_empty(), "{} of {} tests fail", failed.len(), cases.len());
}

#[test]
fn the_prefilter_changes_nothing_on_the_core_rule_sets_own_tests() {
    let Some(folder) = checkout() else { return };
    let (fast, slow) = (Arc::new(rules(&folder)), Arc::new(rules(&folder).without_prefilter()));
    let differing = on_all(&cases(&folder), |collections, case| {
        for stage in &case.stages {
            let bytes = request::bytes(&stage.input);
            let fired = |rules| play::play(rules, collections, &bytes).fired;
            let (fast, slow) = (fired(&fast), fired(&slow));
            if fast != slow {
                return Err(format!("with it {fast:?}, without {slow:?}"));
            }
        }
        Ok(())
    });
    assert!(differing.is_empty(), "{} tests fire other rules", differing.len());
}

/// Does something with all tests, on as many threads as there are processors, and gives the ids of
/// those that fail, with the reasons.
fn on_all(
    cases: &[Case],
    play: impl Fn(&Arc<Collections>, &Case) -> Result<(), String> + Sync,
) -> Vec<(String, String)> {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let collections = Arc::new(Collections::default());
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(reason) = play(&collections, case) {
                        failed.lock().unwrap().push((case.id.clone(), reason));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    for (id, reason) in &failed {
        eprintln!("{id}: {reason}");
    }
    failed
}

fn play_case(
    rules: &Arc<RuleSet>,
    collections: &Arc<Collections>,
    case: &Case,
) -> Result<(), String> {
    let repaired = REPAIRED.iter().find(|(id, ..)| *id == case.id);
    for (number, stage) in case.stages.iter().enumerate() {
        let mut bytes = request::bytes(&stage.input);
        if let Some((_, field, why)) = repaired {
            let refused = play::play(rules, collections, &bytes).status;
            assert_eq!(refused, Some(400), "{}: {why}", case.id);
            bytes = request::without(field, &bytes);
        }
        let played = play::play(rules, collections, &bytes);
        judge::judge(&stage.expected, &played)
            .map_err(|reason| format!("stage {}: {reason}", number + 1))?;
    }
    Ok(())
}
