//! The verbs.

use std::pin::Pin;
use std::time::{Duration, Instant};

use edgeproof_scenario::MissingVariable;
use edgeproof_scenario::model::{Action, Assertion, Check, Step};
use tokio::sync::Barrier;

use super::record::UnderWay;
use super::{Actor, Player, Stop};
use crate::client::{self, Outgoing};
use crate::event::Failure;
use crate::expect::{broken, defect, failure};
use crate::locking::lock;

/// Where no answer is expected, none within that time is none.
const TO_SAY_NOTHING: Duration = Duration::from_secs(5);
/// Who said that it closes is not waited for longer.
const TO_CLOSE: Duration = Duration::from_millis(300);

type Playing<'a> = Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 'a>>;

impl Player {
    /// Does a step, looks at what must hold, and captures.
    pub(super) fn step<'a>(
        &'a self,
        actor: &'a mut Actor,
        step: &'a Step,
        path: String,
    ) -> Playing<'a> {
        Box::pin(async move {
            self.doing("what it does", &step.span, &path, false);
            self.forget_lines(step);
            self.act(actor, step, &path).await?;
            self.doing("what it expects", &step.span, &path, false);
            self.must_hold(actor, &step.expect).await?;
            self.capture(actor, step, &path)
        })
    }

    /// A stage of a foreign test is judged by the lines of its own request.
    fn forget_lines(&self, step: &Step) {
        if let (Some(_), Action::Raw { .. }, Ok(log)) =
            (&self.case.foreign, &step.action, &self.waf_log)
        {
            log.start_over();
        }
    }

    async fn act(&self, actor: &mut Actor, step: &Step, path: &str) -> Result<(), Stop> {
        match &step.action {
            Action::Send(request) => {
                let encoded = client::encode(request, &actor.variables, self.clock.now());
                let mut outgoing = self.filled(encoded, step, path)?;
                // Sent again, a request that must get no answer would get it twice.
                let silence = |it: &Assertion| matches!(it.check, Check::NoAnswer(true));
                outgoing.repeatable &= !step.expect.iter().any(silence);
                self.exchange(actor, step, path, &outgoing).await;
                Ok(())
            }
            Action::Raw { bytes, answers, tls, half_close } => {
                let bytes = actor.variables.fill(bytes, self.clock.now());
                let bytes = self.filled(bytes, step, path)?;
                let outgoing = client::raw(bytes, *answers, *tls, *half_close);
                self.exchange(actor, step, path, &outgoing).await;
                Ok(())
            }
            Action::Advance(by) => {
                self.doing(format!("the clock to move by {by:?}"), &step.span, path, false);
                Ok(self.clock.advance(*by).await?)
            }
            Action::Parallel { clients, steps } => {
                self.parallel(actor, *clients, steps, path).await
            }
            Action::Repeat { times, steps } => self.repeat(actor, *times, steps, path).await,
            Action::Poll { step: tried, until, every, within } => {
                self.poll(actor, tried, until, (*every, *within), path).await
            }
            Action::Ssh(probe) => self.ssh(actor, probe, step, path).await,
            Action::Load(load) => self.load(actor, load, step, path).await,
            Action::Journey(journey) => self.journey(actor, journey, step, path).await,
            Action::Ratio(ratio) => self.ratio(ratio, step, path),
            Action::Log(act) => self.befall_log(*act),
            Action::Close => {
                actor.client(&step.client).close().await;
                self.nobody_asked(actor);
                Ok(())
            }
            Action::Look => Ok(()),
        }
    }

    /// A value made of templates, or the failure that a variable has no value.
    pub(super) fn filled<T>(
        &self,
        value: Result<T, MissingVariable>,
        step: &Step,
        path: &str,
    ) -> Result<T, Stop> {
        value.map_err(|missing| self.fails(broken(&step.span, path, &missing.to_string())))
    }

    /// Remembers a failure, which ends the case.
    pub(super) fn fails(&self, failure: Failure) -> Stop {
        lock(&self.progress).failures.push(failure);
        Stop::Failed
    }

    async fn exchange(&self, actor: &mut Actor, step: &Step, path: &str, outgoing: &Outgoing) {
        self.doing("the target's answer", &step.span, path, true);
        let before = self.origin.requests();
        let has_seen = || self.origin.requests() > before;
        let client = actor.client(&step.client);
        let mut under_way = UnderWay::new(self, path, &step.client);
        let heard = &mut under_way.heard;
        let sent = client.exchange_into(heard, &self.dialer, outgoing, has_seen);
        match expects_no_answer(step) {
            true => {
                if tokio::time::timeout(TO_SAY_NOTHING, sent).await.is_err() {
                    under_way.heard.duration = TO_SAY_NOTHING;
                }
            }
            false => sent.await,
        }
        // As long as it cannot be told from one that is kept, a connection to the origin is no good for what follows.
        let _ = tokio::time::timeout(TO_CLOSE, self.origin.has_closed()).await;
        // Servers write their last lines before they close, and many close only when their client does; what
        // comes next looks at these lines. A foreign test has no other use for its connection.
        if self.case.foreign.is_some() {
            client.hang_up(TO_CLOSE).await;
        } else if self.marks.is_some() && under_way.heard.says_the_end() {
            client.is_open(TO_CLOSE).await;
        }
        let (heard, place) = under_way.over();
        // Bytes that no answer is read to may be a request as well.
        let unread = usize::from(outgoing.asked.is_empty() && heard.sent.size > 0);
        let expected = outgoing.asked.len().max(heard.answers.len()).max(unread);
        lock(&self.progress).explained += expected as u64 + u64::from(heard.resent);
        let last = &mut actor.last;
        last.exchange = place;
        // A foreign test asks for what it asks for, and nothing else.
        if self.case.foreign.is_none() {
            let defects = heard.answers.iter().flat_map(|answer| &answer.defects);
            let cut_off = heard.cut_off().filter(|_| !says_how_it_ends(step));
            let told =
                defects.chain(&cut_off).map(|what| defect(&step.span, path, what, last.exchange));
            lock(&self.progress).failures.extend(told);
        }
        last.statuses = heard.answers.iter().map(|answer| answer.status).collect();
        last.client.clone_from(&step.client);
        last.heard = Some(heard);
        self.nobody_asked(actor);
    }

    async fn parallel(
        &self,
        actor: &mut Actor,
        clients: usize,
        steps: &[Step],
        path: &str,
    ) -> Result<(), Stop> {
        let barrier = Barrier::new(clients);
        let before = actor.variables.clone();
        let each = (0..clients).map(|index| {
            let mut client = Actor::new(before.clone());
            client.variables.set("index", index.to_string());
            let barrier = &barrier;
            async move {
                barrier.wait().await;
                let mut statuses = Vec::new();
                for (number, step) in steps.iter().enumerate() {
                    let path = format!("{path}.parallel[{index}].steps[{number}]");
                    let done = self.step(&mut client, step, path).await;
                    statuses.append(&mut client.last.statuses);
                    if done.is_err() {
                        return (client, statuses, done);
                    }
                }
                (client, statuses, Ok(()))
            }
        });
        let ended = futures_util::future::join_all(each).await;
        let mut outcome = Ok(());
        let mut all = Vec::new();
        for (mut client, statuses, done) in ended {
            for connection in client.clients() {
                connection.close().await;
            }
            self.nobody_asked(&mut client);
            all.extend(statuses);
            actor.variables.adopt(&client.variables, &before);
            actor.last = client.last;
            outcome = outcome.and(done);
        }
        all.sort_unstable();
        actor.last.statuses = all;
        outcome
    }

    async fn repeat(
        &self,
        actor: &mut Actor,
        times: usize,
        steps: &[Step],
        path: &str,
    ) -> Result<(), Stop> {
        let mut statuses = Vec::new();
        for index in 0..times {
            actor.variables.set("index", index.to_string());
            for (number, step) in steps.iter().enumerate() {
                let path = format!("{path}.repeat[{index}].steps[{number}]");
                self.step(actor, step, path).await?;
                statuses.append(&mut actor.last.statuses);
            }
        }
        actor.last.statuses = statuses;
        Ok(())
    }

    async fn poll(
        &self,
        actor: &mut Actor,
        tried: &Step,
        until: &[Assertion],
        (every, within): (Duration, Duration),
        path: &str,
    ) -> Result<(), Stop> {
        let began = Instant::now();
        for attempt in 0_usize.. {
            self.step(actor, tried, format!("{path}.poll[{attempt}]")).await?;
            let mut failed = Vec::new();
            for assertion in until {
                let mismatches = self.look(actor, assertion).await;
                failed.extend(mismatches.into_iter().map(|mismatch| (assertion, mismatch)));
            }
            if failed.is_empty() {
                return Ok(());
            }
            if began.elapsed() + every > within {
                let exchange = actor.last.exchange;
                let failures = failed.iter().map(|(assertion, mismatch)| {
                    let mut mismatch = mismatch.clone();
                    let tries = attempt + 1;
                    mismatch.found.push_str(&format!(" (the last of {tries} tries in {within:?})"));
                    let unanswered = actor.last.is_unanswered();
                    Failure { unanswered, ..failure(assertion, &mismatch, exchange) }
                });
                lock(&self.progress).failures.extend(failures);
                return Err(Stop::Failed);
            }
            tokio::time::sleep(every).await;
        }
        Ok(())
    }
}

/// Does it say itself whether an answer comes to its end?
fn says_how_it_ends(step: &Step) -> bool {
    step.expect.iter().any(|it| {
        matches!(it.check, Check::Complete(_) | Check::NoAnswer(true) | Check::Answered(false))
    })
}

fn expects_no_answer(step: &Step) -> bool {
    step.expect.iter().any(|it| matches!(it.check, Check::Answered(false)))
}
