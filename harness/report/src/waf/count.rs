//! Samples by target and setting, and what they come to.

use std::collections::{BTreeMap, BTreeSet};

use edgeproof_runner::event::{CaseResult, Event};

use super::interval::Rate;
use super::sample::{Fate, Kind, Sample, Set, Why, place_of};

/// How a WAF was set. Ordered as a report shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Setting {
    place: usize,
    /// `full`.
    pub(crate) profile: String,
    /// `3`; nothing where the target's own set-up says it.
    pub(crate) paranoia: Option<String>,
}

/// From the fewest rules to the most, then with exceptions.
const PROFILES: [&str; 5] = ["basic", "strong", "full", "wordpress", "drupal"];

impl Setting {
    /// `None`: the site has no rules.
    fn of(case: &CaseResult) -> Option<Self> {
        let profile = case.site.get("waf.profile")?.clone();
        let place = PROFILES.iter().position(|known| **known == *profile);
        let paranoia = case.site.get("waf.paranoia").cloned();
        Some(Setting { place: place.unwrap_or(PROFILES.len()), profile, paranoia })
    }

    /// The level as it is shown.
    pub(crate) fn level(&self) -> &str {
        self.paranoia.as_deref().unwrap_or("–")
    }
}

/// The samples of one target at one setting, by the case's id.
pub(crate) type Samples = BTreeMap<String, Sample>;

/// Every sample of all recordings.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    /// In the order in which they were first asked for; those without a sample too.
    targets: Vec<String>,
    controls: BTreeSet<String>,
    versions: BTreeMap<String, String>,
    unavailable: BTreeMap<String, String>,
    with_rules: BTreeMap<(String, Setting), Samples>,
    without_rules: BTreeMap<String, Samples>,
}

impl Rates {
    pub(crate) fn listen(&mut self, event: &Event) {
        match event {
            Event::RunStarted { targets, .. } => {
                for target in targets {
                    self.know(&target.name);
                    if target.negative_control {
                        self.controls.insert(target.name.clone());
                    }
                }
            }
            Event::TargetStarted { target, version: Some(version), .. } => {
                self.versions.insert(target.clone(), version.clone());
            }
            Event::TargetUnavailable { target, reason, .. } => {
                self.unavailable.insert(target.clone(), reason.clone());
            }
            Event::CaseFinished(case) => self.result(case),
            _ => {}
        }
    }

    fn know(&mut self, target: &str) {
        if !self.targets.iter().any(|known| known == target) {
            self.targets.push(target.to_owned());
        }
    }

    fn result(&mut self, case: &CaseResult) {
        let Some(sample) = Sample::of(case) else { return };
        self.know(&case.target);
        // A negative control has no rules, whatever was asked of it.
        let setting = Setting::of(case).filter(|_| !self.controls.contains(&case.target));
        let samples = match setting {
            Some(setting) => self.with_rules.entry((case.target.clone(), setting)).or_default(),
            None => self.without_rules.entry(case.target.clone()).or_default(),
        };
        samples.entry(sample.id.clone()).and_modify(|known| known.again(&sample)).or_insert(sample);
    }

    /// The targets that were played with rules.
    pub(crate) fn targets(&self) -> Vec<&str> {
        let played = |name: &&str| self.with_rules.keys().any(|(target, _)| target == name);
        self.targets.iter().map(String::as_str).filter(played).collect()
    }

    /// The targets that were played without rules, and what became of each case there.
    pub(crate) fn controls(&self) -> Vec<(&str, &Samples)> {
        let names = self.targets.iter();
        names.filter_map(|name| Some((name.as_str(), self.without_rules.get(name)?))).collect()
    }

    /// What a target says its version is.
    pub(crate) fn version(&self, target: &str) -> Option<&str> {
        self.versions.get(target).map(String::as_str)
    }

    /// The targets that cannot be had, and why.
    pub(crate) fn unavailable(&self) -> &BTreeMap<String, String> {
        &self.unavailable
    }

    /// Every setting at which any target was played.
    pub(crate) fn settings(&self) -> Vec<&Setting> {
        let all: BTreeSet<&Setting> = self.with_rules.keys().map(|(_, setting)| setting).collect();
        all.into_iter().collect()
    }

    /// The profiles of all settings.
    pub(crate) fn profiles(&self) -> Vec<&str> {
        let mut profiles: Vec<&str> =
            self.settings().iter().map(|it| it.profile.as_str()).collect();
        profiles.dedup();
        profiles
    }

    /// The levels of all settings.
    pub(crate) fn levels(&self) -> Vec<&str> {
        let levels: BTreeSet<&str> = self.settings().iter().map(|it| it.level()).collect();
        levels.into_iter().collect()
    }

    /// The classes of a kind that occur, in the order of the family's table.
    pub(crate) fn classes(&self, kind: Kind) -> Vec<&str> {
        let samples = self.with_rules.values().flat_map(BTreeMap::values);
        let classes: BTreeSet<(usize, &str)> = samples
            .filter(|sample| sample.kind == kind)
            .map(|sample| (place_of(kind, &sample.class), sample.class.as_str()))
            .collect();
        classes.into_iter().map(|(_, class)| class).collect()
    }

    /// How many cases of a kind there are that `which` takes, on any target.
    pub(crate) fn cases(&self, kind: Kind, which: impl Fn(&Sample) -> bool) -> usize {
        let samples = self.with_rules.values().flat_map(BTreeMap::values);
        let ids: BTreeSet<&str> = samples
            .filter(|sample| sample.kind == kind && which(sample))
            .map(|sample| sample.id.as_str())
            .collect();
        ids.len()
    }

    fn at(&self, target: &str, profile: &str, level: &str) -> Option<&Samples> {
        let mut places = self.with_rules.iter();
        let found = places.find(|((name, setting), _)| {
            name == target && setting.profile == profile && setting.level() == level
        });
        found.map(|(_, samples)| samples)
    }

    /// The samples of a kind that count: what became of the request is known, and the target does not
    /// refuse it without any rule.
    fn counted(
        &self,
        target: &str,
        profile: &str,
        level: &str,
        kind: Kind,
    ) -> impl Iterator<Item = &Sample> {
        let control = self.without_rules.get(target);
        let samples = self.at(target, profile, level).into_iter().flat_map(BTreeMap::values);
        samples.filter(move |sample| {
            let without = control.and_then(|control| control.get(&sample.id));
            let refused = without.is_some_and(|it| it.fate == Fate::Blocked);
            sample.kind == kind && !matches!(sample.fate, Fate::Unknown(_)) && !refused
        })
    }

    /// How many of the samples that `which` takes were blocked: of attacks the detection rate, of
    /// innocents the false-positive rate. `None` where the target was not played at this setting.
    pub(crate) fn rate(
        &self,
        (target, profile, level): (&str, &str, &str),
        kind: Kind,
        which: impl Fn(&Sample) -> bool,
    ) -> Option<Rate> {
        self.at(target, profile, level)?;
        let mut rate = Rate::default();
        for sample in self.counted(target, profile, level, kind).filter(|it| which(it)) {
            rate.add(sample.fate == Fate::Blocked);
        }
        Some(rate)
    }

    /// Of the attacks that were detected, those whose innocent twin was blocked too.
    pub(crate) fn twins(&self, (target, profile, level): (&str, &str, &str)) -> Option<Rate> {
        self.at(target, profile, level)?;
        let mut rate = Rate::default();
        let counted = self.counted(target, profile, level, Kind::Attack);
        for sample in counted.filter(|sample| sample.fate == Fate::Blocked) {
            rate.add(sample.twin_blocked);
        }
        Some(rate)
    }

    /// How many samples a setting of a target has of which nothing is known, by the reason.
    pub(crate) fn unknown(&self) -> Vec<(&str, &Setting, BTreeMap<Why, usize>)> {
        let mut all = Vec::new();
        for ((target, setting), samples) in &self.with_rules {
            let mut counts: BTreeMap<Why, usize> = BTreeMap::new();
            for sample in samples.values() {
                if let Fate::Unknown(why) = sample.fate {
                    *counts.entry(why).or_default() += 1;
                }
            }
            if !counts.is_empty() {
                all.push((target.as_str(), setting, counts));
            }
        }
        all
    }
}

/// Takes every sample.
pub(crate) fn any(_: &Sample) -> bool {
    true
}

/// Takes those of one set.
pub(crate) fn of_set(set: Set) -> impl Fn(&Sample) -> bool {
    move |sample| sample.set == set
}
