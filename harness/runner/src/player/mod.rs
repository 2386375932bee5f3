//! Plays one case.
//!
//! ```text
//! Case ─▶ steps (actors: named clients, variables) ─▶ exchanges, probes ─▶ checks ─▶ Told
//!                │                                                           │
//!                └─ capture                            failures, figures ────┘
//! ```
//!
//! The first step with a failure is the last that is played: what comes after it would only fail because
//! of it. All assertions of that step are looked at. [`Player::every_step`] plays them all the same, to
//! count what each request comes to.

mod actor;
mod capture;
mod checks;
mod late;
mod lines;
mod marks;
mod measure;
mod record;
mod redirect;
mod ssh;
mod steps;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use edgeproof_diagnostics::Span;
use edgeproof_scenario::model::Case;

pub(crate) use actor::Actor;
pub(crate) use marks::Marks;
pub(crate) use record::Progress;

use crate::client::Dialer;
use crate::clock::{CaseClock, ClockError};
use crate::event::{EarlierPlay, Exchange, Failure, Figure, LogExcerpt, Verdict};
use crate::expect::broken;
use crate::locking::lock;
use crate::logs::{CaseLog, RuleIds};
use crate::origin::CaseOrigin;
use crate::payload::Carry;
use crate::surface::{Surface, Trouble};
use crate::variables::Variables;

/// Everything that one case needs while it is played.
#[derive(Debug)]
pub(crate) struct Player {
    pub(crate) case: Arc<Case>,
    pub(crate) surface: Arc<Surface>,
    pub(crate) origin: Arc<CaseOrigin>,
    pub(crate) clock: Arc<CaseClock>,
    pub(crate) dialer: Dialer,
    /// `Err`: why there is none.
    pub(crate) access_log: Result<CaseLog, String>,
    pub(crate) waf_log: Result<CaseLog, String>,
    pub(crate) upstream_log: Result<CaseLog, String>,
    /// What settles the WAF's log, where other cases write to it too.
    pub(crate) marks: Option<Marks>,
    pub(crate) rule_ids: RuleIds,
    pub(crate) carry: Carry,
    pub(crate) every_step: bool,
    pub(crate) progress: Mutex<Progress>,
}

/// Why the steps ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Something did not hold; the failures say what.
    Failed,
    /// The harness or the target broke.
    Broken(String),
}

impl From<ClockError> for Stop {
    fn from(error: ClockError) -> Self {
        Stop::Broken(format!("the clock: {error}"))
    }
}

/// A process that closed a connection because it ends has ended by then.
const TO_END: Duration = Duration::from_millis(50);

/// What came of playing a case.
#[derive(Debug)]
pub(crate) struct Told {
    /// Nothing can be said about the requirement, and why.
    pub(crate) broken: Option<String>,
    /// Something is amiss, and it is the target as a whole.
    pub(crate) trouble: Option<Trouble>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) logs: Vec<LogExcerpt>,
    pub(crate) figures: Vec<Figure>,
    /// The first try of a foreign test that has two.
    pub(crate) earlier: Option<EarlierPlay>,
}

impl Player {
    /// Plays the case within its time limit.
    pub(crate) async fn play(&self, variables: Variables) -> Told {
        let began = Instant::now();
        let mut broken = self.play_once(variables.clone()).await;
        let mut earlier = None;
        let is_tried_again = self.case.foreign.as_ref().is_some_and(|foreign| foreign.retry_once);
        if is_tried_again && broken.is_none() && !lock(&self.progress).failures.is_empty() {
            earlier = Some(self.first_try(began.elapsed()));
            broken = self.play_once(variables).await;
        }
        let (is_silent, has_failed) = {
            let progress = lock(&self.progress);
            let mut exchanges = progress.exchanges.iter();
            let is_silent = exchanges.any(|exchange| exchange.response.is_none());
            (is_silent, !progress.failures.is_empty())
        };
        let mut trouble = None;
        // Who says nothing may be dead, also where silence was expected.
        if broken.is_some() || has_failed || is_silent {
            trouble = self.surface.trouble().await;
        }
        if trouble.is_none() && is_silent {
            // A process that ends closes its connections one after another, and is there until the last.
            tokio::time::sleep(TO_END).await;
            trouble = self.surface.trouble().await;
        }
        Told { earlier, ..self.told(broken, trouble) }
    }

    /// What the first of two tries found, which took so long; the second begins with nothing.
    fn first_try(&self, took: Duration) -> EarlierPlay {
        let Progress { failures, exchanges, .. } = std::mem::take(&mut *lock(&self.progress));
        EarlierPlay {
            why: "the test asks for a second try (`retry_once`)".to_owned(),
            verdict: Verdict::Fail,
            reason: failures.first().map(|failure| failure.message.clone()),
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            failures,
            exchanges,
        }
    }

    /// What broke, if anything; failures are remembered.
    async fn play_once(&self, variables: Variables) -> Option<String> {
        let limit = self.case.time_limit;
        // What is still under way then ends here, and tells how far it came.
        let ended = tokio::time::timeout(limit, self.all_steps(variables)).await;
        let broken = match ended {
            Ok(Ok(()) | Err(Stop::Failed)) => None,
            Ok(Err(Stop::Broken(why))) => Some(why),
            Err(_) => self.too_long(limit).await,
        };
        self.complaints();
        broken
    }

    async fn all_steps(&self, variables: Variables) -> Result<(), Stop> {
        self.clock.settle().await?;
        let mut actor = Actor::new(variables);
        let outcome = self.each_step(&mut actor).await;
        self.leave(actor).await;
        outcome
    }

    async fn each_step(&self, actor: &mut Actor) -> Result<(), Stop> {
        let mut outcome = Ok(());
        for (number, step) in self.case.steps.iter().enumerate() {
            match self.step(actor, step, format!("steps[{number}]")).await {
                Err(Stop::Failed) if self.every_step => outcome = Err(Stop::Failed),
                other => other?,
            }
        }
        outcome
    }

    /// The time is up. A target that still answers others, but not this, has failed the case; one that
    /// answers nobody has broken.
    async fn too_long(&self, limit: Duration) -> Option<String> {
        let doing = lock(&self.progress).doing.clone();
        let what = doing.as_ref().map_or("its first step", |doing| doing.what.as_str());
        let message = format!("no end within {limit:?}, while waiting for {what}");
        match doing {
            Some(doing) if doing.for_an_answer && self.surface.answers(&self.dialer.host).await => {
                let failure = broken(&doing.span, &doing.path, &message);
                let mut progress = lock(&self.progress);
                let mut exchanges = progress.exchanges.iter();
                let exchange = exchanges.rposition(|exchange| exchange.step == doing.path);
                progress.failures.push(Failure { unanswered: true, exchange, ..failure });
                None
            }
            _ => Some(message),
        }
    }

    /// What happened that nobody asked for.
    fn complaints(&self) {
        let mut unexpected = self.origin.take_complaints();
        unexpected.extend(self.unexplained_lines());
        let failures = unexpected.iter().map(|what| broken(&self.case.span, "origin", what));
        lock(&self.progress).failures.extend(failures);
    }

    /// A case that looks at its own access log must explain every line in it.
    fn unexplained_lines(&self) -> Option<String> {
        let progress = lock(&self.progress);
        let log = self.access_log.as_ref().ok().filter(|log| log.is_own())?;
        let lines = log.lines().ok()?;
        let unexplained = lines.len() as u64 > progress.explained;
        let last = crate::visible::quoted(lines.last().map(Vec::as_slice).unwrap_or_default());
        (unexplained && progress.looked_at_access_log).then(|| {
            let (count, explained) = (lines.len(), progress.explained);
            format!("{count} lines in the access log for {explained} requests; the last is {last}")
        })
    }

    fn told(&self, broken: Option<String>, trouble: Option<Trouble>) -> Told {
        let logs = [
            ("access", &self.access_log),
            ("waf", &self.waf_log),
            ("upstream", &self.upstream_log),
        ];
        let logs = logs.into_iter().filter_map(|(name, log)| lines::excerpt(name, log)).collect();
        let mut progress = lock(&self.progress);
        Told {
            broken,
            trouble,
            failures: std::mem::take(&mut progress.failures),
            exchanges: std::mem::take(&mut progress.exchanges),
            logs,
            figures: std::mem::take(&mut progress.figures),
            earlier: None,
        }
    }

    /// Remembers what is being waited for, for the message when the time is up.
    fn doing(&self, what: impl Into<String>, span: &Span, path: &str, for_an_answer: bool) {
        let (what, span, path) = (what.into(), span.clone(), path.to_owned());
        lock(&self.progress).doing = Some(record::Doing { what, span, path, for_an_answer });
    }
}
