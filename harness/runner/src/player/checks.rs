//! Looking at what must hold: gathers what an assertion is about, and lets `expect` judge it.

use std::path::Path;
use std::time::{Duration, Instant};

use edgeproof_scenario::model::{Assertion, Check};

use super::lines::Log;
use super::{Actor, Player, Stop};
use crate::event::Failure;
use crate::expect::{Mismatch, Scope, Seen, evaluate, failure};
use crate::locking::lock;
use crate::probes::{files, processes};
use crate::variables::Variables;

/// A target that closes does so at once; this only bounds one that does not.
const TO_CLOSE: Duration = Duration::from_secs(2);
/// An open connection shows no end for so long. A target that keeps it open can never fail this.
const TO_STAY_OPEN: Duration = Duration::from_millis(100);
/// What a target does only after its answer is waited for so long.
const TO_COME_LATE: Duration = Duration::from_millis(500);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

impl Player {
    /// Looks at every assertion; those that do not hold end the case.
    pub(super) async fn must_hold(
        &self,
        actor: &mut Actor,
        assertions: &[Assertion],
    ) -> Result<(), Stop> {
        let mut failures: Vec<Failure> = Vec::new();
        // The connection last: where something else failed already, its end is not waited for long.
        let is_last = |it: &&Assertion| matches!(it.check, Check::ConnectionOpen(_));
        let (last, first): (Vec<_>, Vec<_>) = assertions.iter().partition(is_last);
        for assertion in first.into_iter().chain(last) {
            let patience = if failures.is_empty() { TO_CLOSE } else { TO_STAY_OPEN };
            let mismatches = self.look_within(actor, assertion, patience).await;
            let exchange = actor.last.exchange;
            failures.extend(mismatches.iter().map(|it| failure(assertion, it, exchange)));
        }
        let unanswered = actor.last.is_unanswered() && !expects_silence(assertions);
        failures.iter_mut().for_each(|failure| failure.unanswered = unanswered);
        if failures.is_empty() {
            return Ok(());
        }
        failures.sort_by_key(|failure| (failure.line, failure.column));
        lock(&self.progress).failures.extend(failures);
        Err(Stop::Failed)
    }

    /// What does not hold of one assertion.
    pub(super) async fn look(&self, actor: &mut Actor, assertion: &Assertion) -> Vec<Mismatch> {
        self.look_within(actor, assertion, TO_CLOSE).await
    }

    async fn look_within(
        &self,
        actor: &mut Actor,
        assertion: &Assertion,
        to_close: Duration,
    ) -> Vec<Mismatch> {
        let open = match &assertion.check {
            Check::ConnectionOpen(wanted) => {
                let within = if *wanted { TO_STAY_OPEN } else { to_close };
                let client = actor.last.client.clone();
                Some(actor.client(&client).is_open(within).await)
            }
            _ => None,
        };
        let began = Instant::now();
        loop {
            let mut seen = actor.last.seen();
            seen.open = open;
            self.gather(&mut seen, &assertion.check, &actor.variables).await;
            let scope = Scope {
                variables: &actor.variables,
                now: self.clock.now(),
                secrets: self.carry.secrets,
            };
            let mismatches = evaluate(&assertion.check, &seen, &scope);
            let settled = mismatches.is_empty() || !may_come_late(&assertion.check, &seen);
            if settled || began.elapsed() > TO_COME_LATE {
                return mismatches;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// What the check is about, beyond the client's own exchange.
    async fn gather(&self, seen: &mut Seen<'_>, check: &Check, variables: &Variables) {
        seen.origin_requests = self.origin.requests();
        seen.origin_connections = self.origin.connections();
        match check {
            Check::OriginSaw(_) => seen.origin_records = self.origin.records(0),
            Check::AccessLog(check) => {
                lock(&self.progress).looked_at_access_log = true;
                seen.log_reader = self.log_reader();
                seen.access_log = Some(self.lines(Log::Access, check, variables).await);
            }
            Check::WafLog(check) => {
                seen.waf_log = Some(self.lines(Log::Waf, check, variables).await);
            }
            Check::UpstreamLog(check) => {
                seen.upstream_log = Some(self.lines(Log::Upstream, check, variables).await);
            }
            Check::WafRules(check) => seen.waf_rules = Some(self.rules(check).await),
            Check::File(path, _) => {
                if let Ok(path) = variables.fill(path, self.clock.now()) {
                    let path = String::from_utf8_lossy(&path).into_owned();
                    let at = self.surface.folder().join(Path::new(&path));
                    seen.files.insert(path, files::look(&at));
                }
            }
            Check::Processes { .. } => {
                seen.processes = processes::command_lines(&self.surface.pids());
            }
            _ => {}
        }
    }
}

/// Is no answer what was to come?
fn expects_silence(assertions: &[Assertion]) -> bool {
    assertions.iter().any(|it| matches!(it.check, Check::NoAnswer(true) | Check::Answered(false)))
}

/// Can it still hold a moment later? A target may ask its origin, write a file or start a process after
/// it has answered; what is there already does not go away. (Logs are waited for on their own.)
fn may_come_late(check: &Check, seen: &Seen<'_>) -> bool {
    match check {
        Check::OriginRequests(wanted) => seen.origin_requests < wanted.min,
        Check::OriginConnections(wanted) => seen.origin_connections < wanted.min,
        Check::OriginSaw(_) | Check::File(..) | Check::Processes { .. } => true,
        _ => false,
    }
}
