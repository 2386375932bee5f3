//! One request and its answer under the rules, from the first line to the log.
//!
//! ```text
//!  request ─► phase 1 ─► request_body… ─► request_end ─► phase 2 ─► the upstream
//!                                                                      │
//!  finish ◄─ phase 5 ◄─ response_end ◄─ phase 4 ◄─ response_body… ◄─ response ─► phase 3
//! ```
//!
//! Behaviour is that of ModSecurity 2.9 under Apache. All texts lie in one arena ([`texts`]);
//! rules are only read, and time is told from outside.

mod collections;
mod conclude;
mod controls;
mod dynamic;
mod effects;
mod escape;
mod evaluate;
mod expand;
mod found;
mod held;
mod moment;
mod native;
mod number;
mod outcome;
mod passing;
mod place;
mod places;
mod prelude;
mod ready;
mod request;
mod request_body;
mod response;
mod sanitise;
mod seen;
mod spare;
#[cfg(test)]
mod tests;
mod texts;
mod tx;
mod value;
mod variables;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;

pub use collections::Collections;
pub use moment::Moment;
pub use outcome::{BodyVerdict, Did, Match, Outcome, Verdict};
pub(crate) use prelude::Prelude;
pub use request::RequestLine;
pub(crate) use spare::Spares;
pub(crate) use tx::{Names, Slot};

use crate::rules::{RuleBits, RuleNumber, RuleSet, Sanitise};
use crate::seclang::{AllowKind, AuditMode, Mode, Phase};
use controls::Controls;
use request_body::RequestBody;
use response::ResponseBody;
use seen::Seen;
use spare::Spare;
use texts::Texts;
use value::Value;
use variables::Variables;

/// The two ends of the connection that a request came on.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// The client's.
    pub client: SocketAddr,
    /// The one that it connected to.
    pub server: SocketAddr,
}

/// One request and its answer.
///
/// The methods are called in the order of the picture above; what a rule stopped is not carried on
/// but by [`Transaction::finish`].
#[derive(Debug)]
pub struct Transaction {
    rules: Arc<RuleSet>,
    collections: Arc<Collections>,
    started: Moment,
    now: Moment,
    texts: Texts,
    variables: Variables,
    seen: Seen,
    controls: Controls,
    body: RequestBody,
    answer: ResponseBody,
    /// The phase that runs or ran last.
    phase: Option<Phase>,
    /// The rule that runs or ran last.
    current: Option<RuleNumber>,
    /// Whether the current phase ends here.
    stopped: bool,
    allowed: Option<AllowKind>,
    verdict: Verdict,
    highest_severity: u8,
    relevant: bool,
    fired: Vec<RuleNumber>,
    matches: Vec<Match>,
    /// The rules that have a match in `matches`.
    noted: RuleBits,
    unlisted: usize,
    sanitised: Vec<Sanitise>,
    /// For use while a link runs.
    values: Vec<Value>,
    /// For use while a template is expanded.
    expansion: RefCell<Vec<u8>>,
    /// For the name of a variable that changes.
    name: Vec<u8>,
}

/// The variable of TX that says that a pattern gave up.
const LIMIT_REACHED: &[u8] = b"MSC_PCRE_LIMITS_EXCEEDED";

/// HIGHEST_SEVERITY as long as no rule with a severity matched.
const NO_SEVERITY: u8 = 255;

impl Transaction {
    /// Begins a transaction. `id` is UNIQUE_ID, which has to differ from that of all others.
    #[must_use]
    pub fn new(
        rules: &Arc<RuleSet>,
        collections: &Arc<Collections>,
        connection: Connection,
        id: &str,
        now: Moment,
    ) -> Self {
        let Spare { texts, variables, seen, fired, values } = rules.spares.take(rules);
        let mut transaction = Self {
            rules: Arc::clone(rules),
            collections: Arc::clone(collections),
            started: now,
            now,
            texts,
            variables,
            seen,
            controls: Controls::new(rules.settings()),
            body: RequestBody::default(),
            answer: ResponseBody::default(),
            phase: None,
            current: None,
            stopped: false,
            allowed: None,
            verdict: Verdict::Pass,
            highest_severity: NO_SEVERITY,
            relevant: false,
            fired,
            matches: Vec::new(),
            noted: RuleBits::default(),
            unlisted: 0,
            sanitised: Vec::new(),
            values,
            expansion: RefCell::default(),
            name: Vec::new(),
        };
        transaction.begin(connection, id);
        transaction
    }

    /// Tells the time, for what rules ask after this.
    pub fn at(&mut self, now: Moment) {
        self.now = now;
    }

    /// The value of a variable of TX, such as `blocking_inbound_anomaly_score`.
    #[must_use]
    pub fn tx(&self, name: &str) -> Option<&[u8]> {
        let text = self.variables.tx.get_named(name.as_bytes(), &self.rules.names, &self.texts)?;
        Some(self.texts.get(text))
    }

    /// What `setenv` has set, in order: names and values.
    pub fn env(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let pairs = self.variables.env.iter();
        pairs.map(|pair| (self.texts.get(pair.name), self.texts.get(pair.value)))
    }

    /// The matches so far.
    #[must_use]
    pub fn matches(&self) -> &[Match] {
        &self.matches
    }

    /// Runs a phase, unless what rules decided before is against it.
    fn enter(&mut self, phase: Phase) -> Verdict {
        let allowed = match self.allowed {
            Some(AllowKind::All) => phase != Phase::Logging,
            Some(AllowKind::Request) => phase == Phase::RequestBody,
            Some(AllowKind::Phase) | None => false,
        };
        let again = self.phase.is_some_and(|last| last >= phase);
        let over = self.verdict != Verdict::Pass && phase != Phase::Logging;
        if again || over || allowed || self.controls.mode == Mode::Off {
            return Verdict::Pass;
        }
        self.stopped = false;
        self.run_phase(phase);
        if phase == Phase::Logging { Verdict::Pass } else { self.verdict.clone() }
    }

    /// The end: runs phase 5, stores collections and says what came out.
    #[must_use]
    pub fn finish(mut self) -> Outcome {
        self.enter(Phase::Logging);
        let now = self.now.unix_seconds();
        for held in &self.variables.held {
            self.collections.give_back(held, now);
        }
        let audit = match self.controls.audit {
            AuditMode::On => true,
            AuditMode::Off => false,
            AuditMode::RelevantOnly => self.relevant || self.has_relevant_status(),
        };
        let ids = self.fired.iter().map(|number| self.rules.rule(*number).id).collect();
        let Self { texts, variables, seen, fired, values, .. } = self;
        self.rules.spares.give_back(Spare { texts, variables, seen, fired, values });
        Outcome {
            fired: ids,
            verdict: self.verdict,
            matches: self.matches,
            unlisted: self.unlisted,
            audit,
            audit_parts: self.controls.audit_parts,
            sanitised: self.sanitised,
        }
    }
}
