//! What reaches the origin after the last step, when all of the case's connections are closed: a request
//! that the target makes late, such as one that was smuggled behind another.

use std::time::Duration;

use edgeproof_scenario::model::{Action, Assertion, Check, Step};

use super::{Player, Told};
use crate::expect::{Scope, Seen, broken, evaluate, failure};

/// What a target still has to ask its origin over loopback is there by then.
const TO_ARRIVE: Duration = Duration::from_millis(100);

impl Player {
    /// Waits for what may still come, and adds what nobody expected to what was told. Where the case's
    /// requests are not told from others', there is nothing to wait for.
    pub(crate) async fn see_what_comes_late(&self, told: &mut Told) {
        if told.broken.is_some() || self.origin.is_for_any_host() {
            return;
        }
        tokio::time::sleep(TO_ARRIVE).await;
        let unexpected = self.origin.take_complaints();
        let mut late: Vec<_> =
            unexpected.iter().map(|what| broken(&self.case.span, "origin", what)).collect();
        // What a failed step counted did not hold anyway, and later ones were not played.
        if told.failures.is_empty() && late.is_empty() {
            late = self.counted_again();
        }
        told.failures.extend(late);
    }

    /// What the last steps said of all that reached the origin, looked at once more.
    fn counted_again(&self) -> Vec<crate::event::Failure> {
        let variables = self.origin.variables();
        let scope =
            Scope { variables: &variables, now: self.clock.now(), secrets: self.carry.secrets };
        let seen = Seen {
            origin_requests: self.origin.requests(),
            origin_connections: self.origin.connections(),
            origin_records: self.origin.records(0),
            ..Seen::default()
        };
        let mut failures = Vec::new();
        for assertion in standing(&self.case.steps) {
            for mut mismatch in evaluate(&assertion.check, &seen, &scope) {
                mismatch.found.push_str(" after the last step");
                failures.push(failure(assertion, &mismatch, None));
            }
        }
        failures
    }
}

/// The assertions about all that reached the origin after which nothing made the target ask for more.
fn standing(steps: &[Step]) -> impl Iterator<Item = &Assertion> {
    let last = steps.iter().rposition(|step| may_reach_the_origin(&step.action));
    let from = last.unwrap_or_default();
    steps[from..].iter().flat_map(|step| &step.expect).filter(|it| match &it.check {
        Check::OriginRequests(_) | Check::OriginConnections(_) => true,
        Check::OriginSaw(check) => check.all,
        _ => false,
    })
}

/// Also what moves the clock: a target's timers are moved with it.
fn may_reach_the_origin(action: &Action) -> bool {
    match action {
        Action::Send(_)
        | Action::Raw { .. }
        | Action::Load(_)
        | Action::Journey(_)
        | Action::Advance(_) => true,
        Action::Parallel { steps, .. } | Action::Repeat { steps, .. } => {
            steps.iter().any(|step| may_reach_the_origin(&step.action))
        }
        Action::Poll { step, .. } => may_reach_the_origin(&step.action),
        Action::Ssh(_) | Action::Ratio(_) | Action::Log(_) | Action::Close | Action::Look => false,
    }
}
