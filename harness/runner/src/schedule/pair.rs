//! Two targets with the same rules that get the same requests: which rules each of them fires.
//!
//! ```text
//! requests ─┬─▶ first:  each from an address of its own ─▶ a mark ─▶ the lines that name the address ─▶ rule ids
//!           └─▶ second: likewise, at the same time
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use edgeproof_scenario::model::{Origin, SiteSpec, WafSite};
use edgeproof_target::{SiteRequest, StartOptions, TargetSpec};
use futures_util::future::{join_all, try_join};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::sharing::Sharing;
use super::stage::shared_waf_log;
use super::{RunOptions, plan, stop_when_asked};
use crate::client::{Client, Dialer, raw};
use crate::clock::{CaseClock, Way};
use crate::logs::{CaseLog, RuleIds};
use crate::origin::{CaseOrigin, MARKER, OriginServer};
use crate::player::Marks;
use crate::surface::Surface;
use crate::variables::Variables;

/// A target that says nothing for so long is not waited for any longer.
const TO_ANSWER: Duration = Duration::from_secs(5);
/// Nor one that does not close after its answer.
const TO_CLOSE: Duration = Duration::from_millis(300);
/// A mark's line is waited for so long.
const TO_BE_MARKED: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// The client of marks; requests have the numbers below it.
const MARKING: usize = 65_000;

/// Octets to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shot {
    /// The whole request.
    pub bytes: Vec<u8>,
    /// Is the sending half closed after them? Without, what lacks of a content is waited for.
    pub half_close: bool,
}

/// What one target made of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// The ids of the rules of which its log tells.
    pub rules: BTreeSet<u64>,
    /// Does a line leave it open whether a rule matched? Then `rules` may be too few or too many.
    pub open: bool,
    /// The answer's status; `None`: no answer that can be read.
    pub status: Option<u16>,
}

/// Why nothing can be compared.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// No threads, or no listener for the origin.
    #[error("the runner cannot start: {0}")]
    Runtime(std::io::Error),
    /// [`RunOptions::rule_ids`] is no pattern.
    #[error("the pattern of rule ids: {0}")]
    RuleIds(String),
    /// A target does not say what is needed.
    #[error("{target} cannot be compared: {why}")]
    Unfit {
        /// Which.
        target: String,
        /// What lacks.
        why: String,
    },
    /// A target cannot be had here.
    #[error("{target} is not available: {why}")]
    Unavailable {
        /// Which.
        target: String,
        /// What lacks.
        why: String,
    },
    /// A target does not start.
    #[error("{target} did not start: {why}")]
    NotStarted {
        /// Which.
        target: String,
        /// Why, with its last lines.
        why: String,
    },
    /// A target broke while it was played.
    #[error("{target}: {why}")]
    Broken {
        /// Which.
        target: String,
        /// How.
        why: String,
    },
    /// Somebody asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// Two running targets. Dropping it ends them; [`Pair::stop`] does so in their own way.
#[derive(Debug)]
pub struct Pair {
    runtime: Runtime,
    stopping: watch::Receiver<bool>,
    sides: [Side; 2],
    rule_ids: RuleIds,
    /// Requests at a time on each target.
    jobs: usize,
    /// Both backends.
    _origin: OriginServer,
    _case: Arc<CaseOrigin>,
}

#[derive(Debug)]
struct Side {
    name: String,
    version: Option<String>,
    surface: Surface,
    sharing: Sharing,
    site: String,
    sent: AtomicUsize,
}

/// The site that both have: every rule at the highest paranoia level, nothing blocked.
fn site_spec() -> SiteSpec {
    let (profile, mode) = (WafSite::REGRESSION.to_owned(), "alert".to_owned());
    SiteSpec {
        any_host: true,
        waf: Some(WafSite { profile, mode, paranoia: None }),
        ..SiteSpec::default()
    }
}

/// Can it be compared at all? A target that says where its log is, and can be set up for all rules.
fn fit(target: &TargetSpec) -> Result<(), PairError> {
    let unfit = |why: String| PairError::Unfit { target: target.name.clone(), why };
    for word in ["waf", "waf-log"] {
        if !target.declares(word) {
            return Err(unfit(format!("it does not declare `{word}`")));
        }
    }
    if target.folder.is_none() {
        return Err(unfit("it runs already, and both must be started with the same rules".into()));
    }
    target.expresses.site(&site_spec()).map_err(unfit)?;
    target
        .available()
        .map_err(|why| PairError::Unavailable { target: target.name.clone(), why: why.to_string() })
}

impl Pair {
    /// Starts both, each with the one site that has all rules.
    ///
    /// # Errors
    /// One of them is not fit, not available, or does not start; none is left running then.
    pub fn start(
        first: &TargetSpec,
        second: &TargetSpec,
        options: &RunOptions,
    ) -> Result<Self, PairError> {
        let rule_ids = RuleIds::new(options.rule_ids.as_deref()).map_err(PairError::RuleIds)?;
        fit(first)?;
        fit(second)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(PairError::Runtime)?;
        let (stopping, origin, case, sides) = runtime.block_on(async {
            let stopping = stop_when_asked();
            let origin =
                OriginServer::start(options.origin_address()).await.map_err(PairError::Runtime)?;
            let case = backend()?;
            origin.register(&case);
            let both = try_join(
                Side::start(first, &origin, options),
                Side::start(second, &origin, options),
            );
            let mut asked = stopping.clone();
            let (first, second) = tokio::select! {
                both = both => both?,
                _ = asked.wait_for(|stop| *stop) => return Err(PairError::Interrupted),
            };
            Ok((stopping, origin, case, [first, second]))
        })?;
        let jobs = options.jobs.max(1);
        Ok(Self { runtime, stopping, sides, rule_ids, jobs, _origin: origin, _case: case })
    }

    /// What each calls its version, the first's first.
    pub fn versions(&self) -> [Option<&str>; 2] {
        [self.sides[0].version.as_deref(), self.sides[1].version.as_deref()]
    }

    /// Has somebody asked to stop ([`crate::Interrupts`])?
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Sends each request to both, and says what each of them fired.
    ///
    /// # Errors
    /// A target has ended, or its log cannot be told apart any more; or somebody asked to stop.
    pub fn play(&self, shots: &[Shot]) -> Result<Vec<[Fired; 2]>, PairError> {
        let [first, second] = &self.sides;
        let mut stopping = self.stopping.clone();
        let both = async {
            let both = try_join(
                first.play(shots, self.jobs, &self.rule_ids),
                second.play(shots, self.jobs, &self.rule_ids),
            );
            tokio::select! {
                both = both => both,
                _ = stopping.wait_for(|stop| *stop) => Err(PairError::Interrupted),
            }
        };
        let (first, second) = self.runtime.block_on(both)?;
        Ok(first.into_iter().zip(second).map(|(first, second)| [first, second]).collect())
    }

    /// Stops both as their target.yaml says.
    pub fn stop(self) {
        let Self { runtime, sides: [first, second], .. } = self;
        runtime.block_on(async {
            tokio::join!(first.surface.stop(false), second.surface.stop(false));
        });
        runtime.shutdown_background();
    }
}

/// The reflecting backend behind both.
fn backend() -> Result<Arc<CaseOrigin>, PairError> {
    let clock = CaseClock::new(Way::Unmoved, "localhost", None, None)
        .map_err(|error| PairError::Runtime(std::io::Error::other(error.to_string())))?;
    let (id, host) = ("differ".to_owned(), "localhost".to_owned());
    let origin =
        CaseOrigin::new(id, host, Origin::Reflect(None), Variables::default(), Arc::new(clock));
    Ok(Arc::new(origin.for_any_host()))
}

impl Side {
    async fn start(
        target: &TargetSpec,
        origin: &OriginServer,
        options: &RunOptions,
    ) -> Result<Self, PairError> {
        let name = target.name.clone();
        let not_started = |why: String| PairError::NotStarted { target: name.clone(), why };
        let id = format!("any{}", plan::run_token());
        let site = SiteRequest {
            id: id.clone(),
            host: "localhost".to_owned(),
            upstream: origin.address(),
            prefix: format!("/~{id}"),
            spec: site_spec(),
        };
        let mut start =
            StartOptions::new(origin.address()).map_err(|error| not_started(error.to_string()))?;
        start.allow_remote = options.allow_remote;
        start.moves_time = false;
        if let Some(supervisor) = &options.supervisor {
            start.supervisor.clone_from(supervisor);
        }
        let running = target.start(&[site], &start).await.map_err(|error| {
            not_started(format!("{error}\n{}", error.log()).trim_end().to_owned())
        })?;
        let version = running.version().map(str::to_owned);
        let surface = Surface::new(running).map_err(not_started)?;
        let sharing = Sharing::find(&surface, &id, options).await;
        if let Sharing::Not(why) = sharing {
            surface.stop(false).await;
            return Err(PairError::Unfit { target: name, why });
        }
        Ok(Self { name, version, surface, sharing, site: id, sent: AtomicUsize::new(0) })
    }

    fn broken(&self, why: impl Into<String>) -> PairError {
        PairError::Broken { target: self.name.clone(), why: why.into() }
    }

    async fn play(
        &self,
        shots: &[Shot],
        jobs: usize,
        rule_ids: &RuleIds,
    ) -> Result<Vec<Fired>, PairError> {
        // Lines that do not name their client can only be told apart by when they were written.
        let jobs = if self.sharing.is_at_once() { jobs } else { 1 };
        let mut fired = Vec::with_capacity(shots.len());
        for shots in shots.chunks(jobs) {
            fired.extend(self.volley(shots, rule_ids).await?);
        }
        Ok(fired)
    }

    /// Sends these at once, and reads their lines when that of a mark after them is there.
    async fn volley(&self, shots: &[Shot], rule_ids: &RuleIds) -> Result<Vec<Fired>, PairError> {
        let mut logs = Vec::with_capacity(shots.len());
        let mut sending = Vec::with_capacity(shots.len());
        for shot in shots {
            let number = self.sent.fetch_add(1, Ordering::Relaxed) % MARKING;
            let (dialer, log) = self.client(number)?;
            logs.push(log);
            sending.push(send(shot, dialer));
        }
        let statuses = join_all(sending).await;
        self.mark(&logs).await?;
        let mut fired = Vec::with_capacity(shots.len());
        for (log, status) in logs.iter().zip(statuses) {
            let lines = log.lines().map_err(|why| self.broken(why))?;
            let (rules, open) = (rule_ids.of(&lines), rule_ids.leaves_open(&lines));
            fired.push(Fired { rules, open, status });
        }
        Ok(fired)
    }

    /// The way to the target, and the lines, of the client with that number.
    fn client(&self, number: usize) -> Result<(Dialer, CaseLog), PairError> {
        let file = self.surface.waf_log(&self.site).ok_or_else(|| self.broken("it has no log"))?;
        let mut dialer = self.surface.dialer("localhost");
        dialer.from = self.sharing.client(number);
        let log = shared_waf_log(file, &self.sharing, number).map_err(|why| self.broken(why))?;
        Ok((dialer, log))
    }

    /// Waits until all lines so far are written, by one more request.
    async fn mark(&self, logs: &[CaseLog]) -> Result<(), PairError> {
        let marks: Option<Marks> = self.sharing.marks("differ");
        let marks = marks.ok_or_else(|| self.broken("no mark can be made"))?;
        let (dialer, own) = self.client(MARKING)?;
        // Where lines do not name their client, it is found among those of the only request.
        let log = if self.sharing.is_at_once() { Some(&own) } else { logs.first() };
        let Some(log) = log else { return Ok(()) };
        let (mark, note) = marks.send(&dialer, None, &mut Client::default()).await;
        let began = Instant::now();
        while !log.has_mark(&mark).map_err(|why| self.broken(why))? {
            if began.elapsed() > TO_BE_MARKED {
                if let Some(trouble) = self.surface.trouble().await {
                    return Err(self.broken(format!("{}\n{}", trouble.reason, trouble.log)));
                }
                let note = note.map(|note| format!(" ({note})")).unwrap_or_default();
                return Err(self.broken(format!(
                    "no line of {MARKER}… within {TO_BE_MARKED:?}{note}: what is in its log cannot be told"
                )));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }
}

/// Sends one request from a connection of its own: the status of the answer.
async fn send(shot: &Shot, dialer: Dialer) -> Option<u16> {
    let outgoing = raw(shot.bytes.clone(), 1, dialer.http.is_none(), shot.half_close);
    let mut client = Client::default();
    let heard = tokio::time::timeout(TO_ANSWER, client.exchange(&dialer, &outgoing, || true)).await;
    // Servers write their last lines before they close, and many close only when their client does.
    client.hang_up(TO_CLOSE).await;
    heard.ok()?.answers.first().map(|answer| answer.status)
}
