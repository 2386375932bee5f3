//! What one result says of a WAF.

use edgeproof_runner::event::{CaseResult, Exchange, Verdict};

/// What a case's last request is. The cases of a WAF's family carry it as a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// It is to be blocked.
    Attack,
    /// It is to pass.
    Innocent,
}

impl Kind {
    pub(crate) const ALL: [Kind; 2] = [Kind::Attack, Kind::Innocent];

    fn tag(self) -> &'static str {
        match self {
            Kind::Attack => "attack",
            Kind::Innocent => "innocent",
        }
    }

    /// The tags of which each case has one: what kind of attack or of innocent text it is.
    fn classes(self) -> &'static [&'static str] {
        match self {
            Kind::Attack => &ATTACKS,
            Kind::Innocent => &INNOCENTS,
        }
    }
}

/// In the order of the family's table.
const ATTACKS: [&str; 19] = [
    "sqli",
    "xss",
    "rce",
    "lfi",
    "rfi-ssrf",
    "php",
    "java",
    "node",
    "nosql",
    "ssti",
    "xxe",
    "ldap",
    "xpath",
    "ssi",
    "mail",
    "smuggling",
    "protocol",
    "session-fixation",
    "scanner",
];

/// As [`ATTACKS`].
const INNOCENTS: [&str; 21] = [
    "names",
    "addresses",
    "prose",
    "values",
    "forms",
    "languages",
    "code",
    "searches",
    "prices",
    "mails",
    "urls",
    "rich-text",
    "browsers",
    "graphql",
    "sign-in",
    "uploads",
    "json-api",
    "webhooks",
    "shop",
    "wordpress",
    "drupal",
];

/// The place of a class among those of its kind; one that is in no table comes last.
pub(crate) fn place_of(kind: Kind, class: &str) -> usize {
    let classes = kind.classes();
    classes.iter().position(|known| *known == class).unwrap_or(classes.len())
}

/// The class of what carries none.
const UNNAMED: &str = "other";

/// May those who tune rules look at it?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Set {
    /// Yes.
    Open,
    /// No: a rate of these shows what tuning has learnt by heart.
    HeldOut,
}

/// What became of the last request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// It did not reach the origin.
    Blocked,
    /// It did.
    Passed,
    /// It was not sent.
    Unknown(Why),
}

/// Why nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Why {
    /// The case was skipped.
    Skipped,
    /// The harness or the target broke.
    Error,
    /// A step before it failed, and the run was none of `--every-step`.
    NotReached,
}

impl Why {
    pub(crate) const ALL: [Why; 3] = [Why::Skipped, Why::Error, Why::NotReached];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Why::Skipped => "skipped",
            Why::Error => "error",
            Why::NotReached => "a step before it failed",
        }
    }
}

/// One case at one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) set: Set,
    pub(crate) class: String,
    pub(crate) fate: Fate,
    /// An attack's innocent twin (its steps before the last) was blocked: that the attack is, says
    /// little then.
    pub(crate) twin_blocked: bool,
}

impl Sample {
    /// What this result says; nothing, where it is about something else.
    pub(crate) fn of(case: &CaseResult) -> Option<Sample> {
        let has = |tag: &str| case.tags.iter().any(|it| it == tag);
        let kind = match Kind::ALL.map(|kind| has(kind.tag())) {
            [true, false] => Kind::Attack,
            [false, true] => Kind::Innocent,
            _ => return None,
        };
        let class = case.tags.iter().find(|tag| kind.classes().contains(&tag.as_str()));
        let before = last(case).map_or(&[][..], |(_, before)| before);
        Some(Sample {
            id: case.id.clone(),
            kind,
            set: if has("held-out") { Set::HeldOut } else { Set::Open },
            class: class.cloned().unwrap_or_else(|| UNNAMED.to_owned()),
            fate: fate(case),
            twin_blocked: kind == Kind::Attack && before.iter().any(is_blocked),
        })
    }

    /// The same case played again: an attack counts as blocked when it always was, an innocent when it
    /// ever was.
    pub(crate) fn again(&mut self, other: &Sample) {
        self.fate = match self.kind {
            Kind::Attack => self.fate.max(other.fate),
            Kind::Innocent => match (self.fate, other.fate) {
                (Fate::Unknown(why), _) | (_, Fate::Unknown(why)) => Fate::Unknown(why),
                (one, two) => one.min(two),
            },
        };
        self.twin_blocked |= other.twin_blocked;
    }
}

fn fate(case: &CaseResult) -> Fate {
    match (case.verdict, last(case)) {
        (Verdict::Skip, _) => Fate::Unknown(Why::Skipped),
        (Verdict::Error, _) => Fate::Unknown(Why::Error),
        (_, None) => Fate::Unknown(Why::NotReached),
        (_, Some((exchange, _))) if is_blocked(exchange) => Fate::Blocked,
        _ => Fate::Passed,
    }
}

/// The exchange of the last step, and those before it.
fn last(case: &CaseResult) -> Option<(&Exchange, &[Exchange])> {
    let (last, before) = case.exchanges.split_last()?;
    let of = case.steps.checked_sub(1)?;
    (last.step == format!("steps[{of}]")).then_some((last, before))
}

fn is_blocked(exchange: &Exchange) -> bool {
    exchange.origin.is_empty()
}
