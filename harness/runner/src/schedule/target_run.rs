//! All cases on one target.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use edgeproof_scenario::model::{Case, Settled};
use edgeproof_target::{RunningTarget, StartError, StartOptions, TargetSpec};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::finished::Setting;
use super::machine::{Machine, Mark};
use super::plan::{Play, Wave, run_token, waves};
use super::select::select;
use super::sharing::Sharing;
use super::stage::{Prepared, Scene};
use super::{RunOptions, emit, verdict};
use crate::event::{CaseResult, Event, Verdict};
use crate::locking::lock;
use crate::origin::OriginServer;
use crate::surface::{Surface, Trouble};

/// What all targets of a run share.
#[derive(Clone, Copy)]
pub(super) struct House<'a> {
    pub(super) origin: &'a OriginServer,
    pub(super) machine: &'a Machine,
    pub(super) options: &'a RunOptions,
    pub(super) events: &'a mpsc::UnboundedSender<Event>,
    pub(super) stopping: &'a watch::Receiver<bool>,
}

/// What is the same for all plays of one start.
struct Show<'a> {
    house: House<'a>,
    target: &'a Arc<TargetSpec>,
    surface: Arc<Surface>,
    sharing: Sharing,
    /// The target is dead, and why: what is still to come cannot be played.
    dead: Arc<Mutex<Option<Trouble>>>,
    /// Was there a failure or an error?
    blemished: bool,
    /// What failed while the machine served nobody, with what it found.
    doubtful: Vec<Play>,
    round: Round,
}

/// How often a case is played again whose failure is not believed, as the machine did not serve it.
const MOST_AGAIN: usize = 2;
/// How many of those are played at a time: what they lacked was a processor.
const FEW: usize = 8;

/// How often the plays at hand have been played before.
#[derive(Clone, Copy)]
struct Round(usize);

impl Round {
    /// Whether what fails now has failed.
    fn is_last(self) -> bool {
        self.0 == MOST_AGAIN
    }

    fn jobs(self, options: &RunOptions) -> usize {
        let most = if self.0 == 0 { usize::MAX } else { FEW };
        options.jobs.clamp(1, most)
    }
}

impl House<'_> {
    /// Plays every case as often as asked; the first result has the number `first`.
    pub(super) async fn play_all(
        self,
        target: &Arc<TargetSpec>,
        cases: &[Arc<Case>],
        first: usize,
    ) {
        let mut plays = self.plays(target, cases, first);
        for round in (0..=MOST_AGAIN).map(Round) {
            let mut doubtful = Vec::new();
            for wave in waves(plays, self.options.most_sites) {
                if *self.stopping.borrow() {
                    return;
                }
                doubtful.extend(self.play_wave(target, wave, round).await);
            }
            if doubtful.is_empty() {
                break;
            }
            let run = run_token();
            plays = doubtful.into_iter().map(|play| play.anew(&run)).collect();
        }
        self.note_unrouted(target);
    }

    /// What is to be played, round by round: where one start does not hold them all, each holds whole
    /// rounds as far as they fit, and not every try of a few cases. The others are skipped.
    fn plays(&self, target: &TargetSpec, cases: &[Arc<Case>], first: usize) -> Vec<Play> {
        let attempts = self.options.repeat.max(1);
        let run = run_token();
        let ways: Vec<_> = cases.iter().map(|case| select(case, target, self.options)).collect();
        let mut plays = Vec::new();
        for attempt in 1..=attempts {
            for (number, (case, way)) in cases.iter().zip(&ways).enumerate() {
                let index = first + number * attempts + attempt - 1;
                let settled = case.foreign.as_ref().and_then(|foreign| foreign.settled.as_ref());
                let (verdict, why) = match (settled, way) {
                    (Some(Settled::Fail(why)), _) => (Verdict::Fail, why),
                    (Some(Settled::Skip(why)), _) | (None, Err(why)) => (Verdict::Skip, why),
                    (None, Ok(way)) => {
                        plays.push(Play::new(index, case, attempt, *way, &run));
                        continue;
                    }
                };
                let setting = self.setting(target);
                self.finish(setting.unplayed(index, case, attempt, verdict, why));
            }
        }
        plays
    }

    fn setting<'t>(&'t self, target: &'t TargetSpec) -> Setting<'t> {
        Setting { target, options: self.options }
    }

    fn finish(&self, result: CaseResult) {
        emit(self.events, Event::CaseFinished(Box::new(result)));
    }

    fn note_unrouted(&self, target: &TargetSpec) {
        let unrouted = self.origin.take_unrouted();
        if let Some(first) = unrouted.first() {
            let (count, first) = (unrouted.len(), crate::visible::quoted(first));
            let text =
                format!("{count} requests reached the origin that belong to no case: {first}");
            emit(self.events, Event::Note { target: Some(target.name.clone()), text });
        }
    }

    /// One start of the target, with the sites of all these plays. Gives back those whose failure is not believed
    /// and which have no result yet: none in the last round.
    async fn play_wave(self, target: &Arc<TargetSpec>, wave: Wave, round: Round) -> Vec<Play> {
        let Wave { plays: wave, moves_time } = wave;
        let prepared: Result<Vec<_>, _> =
            wave.iter().map(|play| Prepared::new(play.clone(), self.origin)).collect();
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                let why = format!("no port could be leased for an origin: {error}");
                self.none_played(target, &wave, Verdict::Error, &why);
                return Vec::new();
            }
        };
        let mut known = HashSet::new();
        let sites: Vec<_> = prepared
            .iter()
            .map(|it| it.site(self.origin))
            .filter(|site| known.insert(site.id.clone()))
            .collect();
        let mut stopping = self.stopping.clone();
        let began = self.machine.mark(None);
        let started = tokio::select! {
            started = self.start(target, &sites, moves_time) => started,
            _ = stopping.wait_for(|stop| *stop) => return Vec::new(),
        };
        match started {
            Ok(running) => self.play_on(target, running, prepared, round).await,
            Err(why) => match self.machine.lapse_since(began, None).filter(|_| !round.is_last()) {
                Some(lapse) => {
                    let (setting, found) = (self.setting(target), headline(&why));
                    let doubted = |play: Play| {
                        let result = setting.dropped(&play, Verdict::Error, &found);
                        play.doubted(result, lapse.to_string())
                    };
                    wave.into_iter().map(doubted).collect()
                }
                None => {
                    self.not_started(target, &wave, &why);
                    Vec::new()
                }
            },
        }
    }

    async fn start(
        &self,
        target: &TargetSpec,
        sites: &[edgeproof_target::SiteRequest],
        moves_time: bool,
    ) -> Result<RunningTarget, StartError> {
        let mut options = StartOptions::new(self.origin.address()).map_err(|error| {
            StartError::System { what: "cannot find the running program".into(), error }
        })?;
        options.allow_remote = self.options.allow_remote;
        options.moves_time = moves_time;
        if let Some(supervisor) = &self.options.supervisor {
            options.supervisor.clone_from(supervisor);
        }
        target.start(sites, &options).await
    }

    fn not_started(&self, target: &TargetSpec, wave: &[Play], why: &StartError) {
        let name = target.name.clone();
        if let StartError::Unavailable(why) = why {
            let (reason, required) = (why.to_string(), self.options.require.contains(&name));
            emit(self.events, Event::TargetUnavailable { target: name, reason, required });
            return self.none_played(target, wave, Verdict::Skip, &format!("not available: {why}"));
        }
        let (reason, log) = (why.to_string(), why.log().to_owned());
        emit(self.events, Event::TargetFailed { target: name, reason, log });
        self.none_played(target, wave, Verdict::Error, &headline(why));
    }

    fn none_played(&self, target: &TargetSpec, wave: &[Play], verdict: Verdict, why: &str) {
        for play in wave {
            self.finish(self.setting(target).dropped(play, verdict, why));
        }
    }

    async fn play_on(
        self,
        target: &Arc<TargetSpec>,
        running: RunningTarget,
        plays: Vec<Prepared>,
        round: Round,
    ) -> Vec<Play> {
        emit(
            self.events,
            Event::TargetStarted {
                target: target.name.clone(),
                version: running.version().map(str::to_owned),
                ready_ms: u64::try_from(running.ready_in().as_millis()).unwrap_or(u64::MAX),
            },
        );
        let surface = match Surface::new(running) {
            Ok(surface) => Arc::new(surface),
            Err(why) => {
                let plays: Vec<_> = plays.into_iter().map(|it| it.play).collect();
                self.none_played(target, &plays, Verdict::Error, &why);
                return Vec::new();
            }
        };
        let sharing = self.sharing(&surface, &plays).await;
        let (alone, together): (Vec<_>, Vec<_>) =
            plays.into_iter().partition(|it| it.is_alone(&surface, &sharing));
        let mut show = Show {
            house: self,
            target,
            surface: Arc::clone(&surface),
            sharing,
            dead: Arc::default(),
            blemished: false,
            doubtful: Vec::new(),
            round,
        };
        show.play(together, round.jobs(self.options)).await;
        show.play(alone, 1).await;
        show.see_a_late_death().await;
        let keep = show.blemished && self.options.keep_failed && !target.negative_control;
        if keep {
            let folder = surface.folder().display();
            let text = format!("the target's configuration and logs are kept in {folder}");
            emit(self.events, Event::Note { target: Some(target.name.clone()), text });
        }
        let doubtful = std::mem::take(&mut show.doubtful);
        drop(show);
        // All plays have ended, so nobody else holds it.
        if let Some(surface) = Arc::into_inner(surface) {
            surface.stop(keep).await;
        }
        doubtful
    }
}

impl House<'_> {
    /// How lines of the WAF's log are told apart, where all these plays share a site and any looks at it.
    async fn sharing(self, surface: &Surface, plays: &[Prepared]) -> Sharing {
        match plays.first().map(|first| &first.play) {
            Some(first)
                if first.case.site.any_host && plays.iter().any(Prepared::looks_at_waf_log) =>
            {
                Sharing::find(surface, &first.site, self.options).await
            }
            _ => Sharing::Not("nothing in this start shares a WAF log".to_owned()),
        }
    }
}

/// Why no case was played, in a line.
fn headline(why: &StartError) -> String {
    let reason = why.to_string();
    format!("the target did not start: {}", reason.lines().next().unwrap_or_default())
}

/// What a play's task gives back.
struct Ended {
    result: CaseResult,
    play: Play,
    began: Mark,
    origin: Arc<crate::origin::CaseOrigin>,
}

impl Show<'_> {
    /// Plays these, so many at a time, begun in their order. Whose steps are done makes room, and waits for
    /// what comes late while others play.
    async fn play(&mut self, plays: Vec<Prepared>, jobs: usize) {
        let mut waiting = VecDeque::from(plays);
        let mut running: JoinSet<Ended> = JoinSet::new();
        let mut stopping = self.house.stopping.clone();
        let stages = Arc::new(Semaphore::new(jobs));
        while !(waiting.is_empty() && running.is_empty()) {
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => break,
                Some(ended) = running.join_next() => match ended {
                    Ok(ended) => self.end(ended),
                    Err(error) => {
                        let text = format!("a case was lost: {error}");
                        let target = Some(self.target.name.clone());
                        emit(self.house.events, Event::Note { target, text });
                    }
                },
                Ok(place) = Arc::clone(&stages).acquire_owned(), if !waiting.is_empty() => {
                    if let Some(prepared) = waiting.pop_front() {
                        self.begin(prepared, place, &mut running);
                    }
                }
            }
        }
        running.shutdown().await;
    }

    /// What ended only after its last answer has failed no case, and has broken all the same.
    async fn see_a_late_death(&mut self) {
        let known = lock(&self.dead).is_some();
        if known || *self.house.stopping.borrow() {
            return;
        }
        if let Some(trouble) = self.surface.death().await {
            self.blemished = true;
            emit(self.house.events, trouble.event(self.target));
        }
    }

    /// Tells the result, unless it is a failure that is not believed.
    fn end(&mut self, Ended { result, play, began, origin }: Ended) {
        self.house.origin.remove(&origin);
        let failed = matches!(result.verdict, Verdict::Fail | Verdict::Error);
        let alive = lock(&self.dead).is_none();
        if failed && alive && !self.round.is_last() {
            let lapse = self.house.machine.lapse_since(began, self.surface.spent());
            if let Some(lapse) = lapse {
                return self.doubtful.push(play.doubted(result, lapse.to_string()));
            }
        }
        self.blemished |= failed;
        self.house.finish(result);
    }

    fn begin(
        &mut self,
        prepared: Prepared,
        place: OwnedSemaphorePermit,
        running: &mut JoinSet<Ended>,
    ) {
        let play = prepared.play.clone();
        let setting = self.house.setting(self.target);
        if let Some(trouble) = &*lock(&self.dead) {
            let why = format!("not played: {}", trouble.reason);
            return self.house.finish(setting.dropped(&play, Verdict::Error, &why));
        }
        emit(
            self.house.events,
            Event::CaseStarted {
                index: play.index,
                id: play.case.id.to_string(),
                target: self.target.name.clone(),
            },
        );
        let House { origin, options, .. } = self.house;
        match prepared.set(&self.surface, origin, &self.sharing, options) {
            Ok(scene) => {
                let (target, dead) = (Arc::clone(self.target), Arc::clone(&self.dead));
                let (events, options) = (self.house.events.clone(), self.house.options.clone());
                let began = self.house.machine.mark(self.surface.spent());
                running.spawn(async move {
                    let (result, scene) =
                        perform(scene, place, target, options, dead, events).await;
                    Ended { result, play: scene.play, began, origin: scene.player.origin }
                });
            }
            Err(why) => {
                self.blemished = true;
                self.house.finish(setting.dropped(&play, Verdict::Error, &why));
            }
        }
    }
}

/// Plays one case and reaches its verdict.
async fn perform(
    scene: Scene,
    place: OwnedSemaphorePermit,
    target: Arc<TargetSpec>,
    options: RunOptions,
    dead: Arc<Mutex<Option<Trouble>>>,
    events: mpsc::UnboundedSender<Event>,
) -> (CaseResult, Scene) {
    let began = Instant::now();
    let mut told = scene.player.play(scene.variables.clone()).await;
    if let Some(trouble) = told.trouble.take() {
        told.broken = Some(trouble.reason.clone());
        let first = lock(&dead).replace(trouble.clone()).is_none();
        if first {
            emit(&events, trouble.event(&target));
        }
    }
    let took = began.elapsed();
    drop(place);
    scene.player.see_what_comes_late(&mut told).await;
    let case = &scene.play.case.id;
    let reached =
        verdict::verdict(case, told.broken.as_deref(), &told.failures, &target.known_failures);
    let setting = Setting { target: &target, options: &options };
    let result = setting.played(&scene.play, told, reached, took);
    (result, scene)
}
