//! Plays, and the waves in which they can share one start of a target.

use std::collections::HashSet;
use std::sync::Arc;

use edgeproof_scenario::model::{Case, SiteSpec};

use crate::clock::Way;
use crate::event::{CaseResult, EarlierPlay};
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
    /// Its site's: its own, or that of all cases of a start that share a site for any host.
    pub(super) site: String,
    /// What came of the same play before, and was not believed.
    pub(super) earlier: Vec<EarlierPlay>,
}

impl Play {
    /// `run` tells this run from others on a target that outlives it.
    pub(super) fn new(index: usize, case: &Arc<Case>, attempt: usize, way: Way, run: &str) -> Self {
        let id = format!("c{index}x{run}");
        let (host, site) = match case.site.any_host {
            true => (ANY_HOST.to_owned(), format!("any{run}")),
            false => {
                let made = || format!("{id}{DOMAIN}");
                (case.site.host.clone().unwrap_or_else(made), id.clone())
            }
        };
        Self { index, case: Arc::clone(case), attempt, way, id, host, site, earlier: Vec::new() }
    }

    /// The same, to be played once more: this result of it is not believed, and why not.
    pub(super) fn doubted(self, result: CaseResult, why: String) -> Self {
        let CaseResult { mut earlier, verdict, reason, duration_ms, failures, exchanges, .. } =
            result;
        earlier.push(EarlierPlay { why, verdict, reason, duration_ms, failures, exchanges });
        Self { earlier, ..self }
    }

    /// The same once more, with names of its own.
    pub(super) fn anew(self, run: &str) -> Self {
        let anew = Self::new(self.index, &self.case, self.attempt, self.way, run);
        Self { earlier: self.earlier, ..anew }
    }

    /// What its site must be like, where it is for any host.
    fn any_host(&self) -> Option<&SiteSpec> {
        Some(&self.case.site).filter(|site| site.any_host)
    }
}

/// The host that the harness itself asks for where a site is for any.
const ANY_HOST: &str = "localhost";

/// The plays that share one start.
#[derive(Debug)]
pub(super) struct Wave {
    pub(super) plays: Vec<Play>,
    /// Is the clock of the whole target moved?
    pub(super) moves_time: bool,
}

/// A wave in the making.
#[derive(Debug)]
struct Gathered {
    hosts: HashSet<String>,
    wave: Wave,
    /// All its plays share this site, and no other has a place beside it.
    any_host: Option<SiteSpec>,
}

/// Groups of at most so many plays in which no host name stands twice: each case has the target's site
/// of that name for itself. Those that move the clock of the whole target stand apart, because being
/// able to be moved costs a target up to half of its speed. Those whose site is for any host share one,
/// however many they are, and stand apart from all others. The order within a group is that of the plays.
pub(super) fn waves(plays: Vec<Play>, most: usize) -> Vec<Wave> {
    let mut waves: Vec<Gathered> = Vec::new();
    for play in plays {
        let host = play.host.to_ascii_lowercase();
        let moves_time = play.way.is_exclusive();
        let any_host = play.any_host();
        let fits = |it: &&mut Gathered| {
            let room = any_host.is_some()
                || (it.wave.plays.len() < most.max(1) && !it.hosts.contains(&host));
            it.wave.moves_time == moves_time && it.any_host.as_ref() == any_host && room
        };
        if let Some(gathered) = waves.iter_mut().find(fits) {
            gathered.hosts.insert(host);
            gathered.wave.plays.push(play);
        } else {
            let any_host = any_host.cloned();
            let wave = Wave { plays: vec![play], moves_time };
            waves.push(Gathered { hosts: HashSet::from([host]), wave, any_host });
        }
    }
    waves.into_iter().map(|gathered| gathered.wave).collect()
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
        of_site(index, &site, way)
    }

    fn of_site(index: usize, site: &str, way: Way) -> Play {
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

    #[test]
    fn cases_of_one_site_for_any_host_share_a_start_of_their_own() {
        let any = |index, more: &str| {
            let site = format!("site: {{ any_host: true{more} }}\norigin: reflect\n");
            of_site(index, &site, Way::Unmoved)
        };
        let plays = [
            any(0, ""),
            play(1, None, Way::Unmoved),
            any(2, ""),
            any(3, ", waf: { profile: full }"),
            any(4, ""),
        ];
        let found = [(vec![0, 2, 4], false), (vec![1], false), (vec![3], false)];
        assert_eq!(told(&plays, 1), found);
        assert_eq!((plays[0].site.as_str(), plays[2].site.as_str()), ("anyrun", "anyrun"));
    }
}
