//! What reaches the origin after the last step, when all of the case's connections are closed: a request
//! that the target makes late, such as one that was smuggled behind another.

use std::time::Duration;

use edgeproof_scenario::model::{Action, Assertion, Check, Step};

use super::{Actor, Player, Told};
use crate::client::{Client, Connection};
use crate::event::Failure;
use crate::expect::{Scope, Seen, broken, evaluate, failure};
use crate::locking::lock;

/// What a target still has to ask its origin over loopback is there by then.
const TO_ARRIVE: Duration = Duration::from_millis(100);

impl Player {
    /// Waits for what may still come, and adds what nobody expected to what was told. Where the case's
    /// requests are not told from others', there is nothing to wait for.
    pub(crate) async fn see_what_comes_late(&self, told: &mut Told) {
        if told.broken.is_some() || self.origin.is_for_any_host() {
            return;
        }
        let left = std::mem::take(&mut lock(&self.progress).left);
        let (_, unasked) = tokio::join!(tokio::time::sleep(TO_ARRIVE), what_comes_on(left));
        let mut late: Vec<_> = unasked.iter().map(|what| self.unasked(what)).collect();
        let unexpected = self.origin.take_complaints();
        late.extend(unexpected.iter().map(|what| broken(&self.case.span, "origin", what)));
        // What a failed step counted did not hold anyway, and later ones were not played.
        if told.failures.is_empty() && late.is_empty() {
            late = self.counted_again();
        }
        told.failures.extend(late);
    }

    /// Ends the sending of all clients. What comes on their connections is seen late.
    pub(super) async fn leave(&self, mut actor: Actor) {
        for client in actor.clients() {
            let left = client.leave().await;
            lock(&self.progress).left.extend(left);
        }
    }

    /// What came on the clients' connections without being asked for fails the case. A foreign test asks for what it
    /// asks for, and nothing else.
    pub(super) fn nobody_asked(&self, actor: &mut Actor) {
        let unasked: Vec<_> = actor.clients().flat_map(Client::take_unasked).collect();
        if self.case.foreign.is_none() {
            let failures = unasked.iter().map(|what| self.unasked(what));
            lock(&self.progress).failures.extend(failures);
        }
    }

    fn unasked(&self, what: &str) -> Failure {
        broken(&self.case.span, "client", what)
    }

    /// What the last steps said of all that reached the origin, looked at once more.
    fn counted_again(&self) -> Vec<Failure> {
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

/// What nobody asked for on connections that nothing more is sent on.
async fn what_comes_on(left: Vec<Connection>) -> Vec<String> {
    let each = left.into_iter().map(|mut connection| async move {
        // One that the target keeps open is closed all the same.
        let _ = tokio::time::timeout(TO_ARRIVE, connection.read_to_end()).await;
        connection.take_unasked()
    });
    futures_util::future::join_all(each).await.into_iter().flatten().collect()
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
