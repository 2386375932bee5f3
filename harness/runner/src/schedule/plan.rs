//! Plays, and the waves in which they can share one start of a target.

use std::collections::HashSet;
use std::sync::Arc;

use edgeproof_scenario::model::Case;

use crate::clock::Way;
use crate::logs::DOMAIN;

/// One try of one case on one target.
#[derive(Debug, Clone)]
pub(super) struct Play {
    /// Place in file order over all targets.
    pub(super) index: usize,
    pub(super) case: Arc<Case>,
    /// From 1.
    pub(super) attempt: usize,
    pub(super) way: Way,
    /// Unique in the run: of its site, its prefix, its token and its host name.
    pub(super) id: String,
    pub(super) host: String,
}

impl Play {
    /// `run` tells this run from others on a target that outlives it.
    pub(super) fn new(index: usize, case: &Arc<Case>, attempt: usize, way: Way, run: &str) -> Self {
        let id = format!("c{index}x{run}");
        let host = case.site.host.clone().unwrap_or_else(|| format!("{id}{DOMAIN}"));
        Self { index, case: Arc::clone(case), attempt, way, id, host }
    }
}

/// Groups in which no host name stands twice: each case has the target's site of that name for itself.
/// The order within a group is that of the plays.
pub(super) fn waves(plays: Vec<Play>) -> Vec<Vec<Play>> {
    let mut waves: Vec<(HashSet<String>, Vec<Play>)> = Vec::new();
    for play in plays {
        let host = play.host.to_ascii_lowercase();
        match waves.iter_mut().find(|(hosts, _)| !hosts.contains(&host)) {
            Some((hosts, wave)) => {
                hosts.insert(host);
                wave.push(play);
            }
            None => waves.push((HashSet::from([host]), vec![play])),
        }
    }
    waves.into_iter().map(|(_, wave)| wave).collect()
}

/// Eight hexadecimal digits that another run hardly has.
pub(super) fn run_token() -> String {
    use std::hash::{BuildHasher, Hasher};
    // Seeded by the system, differently each time.
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    format!("{:08x}", hasher.finish() & 0xffff_ffff)
}
