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

/// The plays that share one start.
#[derive(Debug)]
pub(super) struct Wave {
    pub(super) plays: Vec<Play>,
    /// Is the clock of the whole target moved?
    pub(super) moves_time: bool,
}

/// Groups of at most so many plays in which no host name stands twice: each case has the target's site
/// of that name for itself. Those that move the clock of the whole target stand apart, because being
/// able to be moved costs a target up to half of its speed. The order within a group is that of the
/// plays.
pub(super) fn waves(plays: Vec<Play>, most: usize) -> Vec<Wave> {
    let mut waves: Vec<(HashSet<String>, Wave)> = Vec::new();
    for play in plays {
        let host = play.host.to_ascii_lowercase();
        let moves_time = play.way.is_exclusive();
        let fits = |(hosts, wave): &&mut (HashSet<String>, Wave)| {
            wave.moves_time == moves_time
                && wave.plays.len() < most.max(1)
                && !hosts.contains(&host)
        };
        match waves.iter_mut().find(fits) {
            Some((hosts, wave)) => {
                hosts.insert(host);
                wave.plays.push(play);
            }
            None => {
                waves.push((HashSet::from([host]), Wave { plays: vec![play], moves_time }));
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn play(index: usize, host: Option<&str>, way: Way) -> Play {
        let site = host.map(|host| format!("site: {{ host: {host} }}\n")).unwrap_or_default();
        let text = format!(
            "name: A case\nspec: RFC 9110\n{site}steps: [{{ send: GET /, expect: {{ status: 200 }} }}]\n"
        );
        let (mut cases, _) = edgeproof_scenario::bind_text("scenarios/a.yaml", &text);
        Play::new(index, &Arc::new(cases.remove(0)), 1, way, "run")
    }

    /// The plays' numbers in each wave, and whether it moves the clock.
    fn told(plays: &[Play], most: usize) -> Vec<(Vec<usize>, bool)> {
        waves(plays.to_vec(), most)
            .iter()
            .map(|wave| (wave.plays.iter().map(|play| play.index).collect(), wave.moves_time))
            .collect()
    }

    #[test]
    fn a_host_stands_once_in_a_wave_and_what_moves_the_clock_stands_apart() {
        let plays = [
            play(0, None, Way::Unmoved),
            play(1, Some("golden.test"), Way::Unmoved),
            play(2, None, Way::Faketime),
            play(3, Some("Golden.test"), Way::Unmoved),
            play(4, None, Way::Unmoved),
        ];
        let together = [(vec![0, 1, 4], false), (vec![2], true), (vec![3], false)];
        assert_eq!(told(&plays, 3), together);
        let apart = [(vec![0, 1], false), (vec![2], true), (vec![3, 4], false)];
        assert_eq!(told(&plays, 2), apart);
    }
}
