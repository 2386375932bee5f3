//! What a transaction comes to: the verdict on the request, and what the rules that matched say.

use crate::rules::Sanitise;
use crate::seclang::{AuditParts, Phase, Severity};

/// What is to be done with the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it goes on.
    Pass,
    /// Answer with this status.
    Deny {
        /// The status.
        status: u16,
        /// The id of the rule that says so.
        rule: u64,
    },
    /// Close the connection without an answer.
    Drop {
        /// The id of the rule that says so.
        rule: u64,
    },
    /// Send the client elsewhere.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// The value for Location.
        location: Vec<u8>,
        /// The id of the rule that says so.
        rule: u64,
    },
    /// Answer 413: the body is longer than the rule set allows. No rule says so.
    TooLong,
}

impl Verdict {
    /// The id of the rule that stopped the request, if one did.
    #[must_use]
    pub fn rule(&self) -> Option<u64> {
        match self {
            Self::Pass | Self::TooLong => None,
            Self::Deny { rule, .. } | Self::Drop { rule } | Self::Redirect { rule, .. } => {
                Some(*rule)
            }
        }
    }

    /// The status of the answer: 403 for a connection that is dropped, as logs have it.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Pass => None,
            Self::Deny { status, .. } | Self::Redirect { status, .. } => Some(*status),
            Self::Drop { .. } => Some(403),
            Self::TooLong => Some(413),
        }
    }
}

/// What a body, or a part of it, came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyVerdict {
    /// More is welcome.
    Continue,
    /// What follows is not looked at: the limit is reached and the action there is ProcessPartial,
    /// or nobody wants this body.
    Enough,
    /// The limit is reached and the action there is Reject: answer with this status.
    Reject {
        /// 413 for a request's body, 500 for a response's.
        status: u16,
    },
}

/// A rule that matched a value, ready for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The rule's id.
    pub rule: u64,
    /// When it matched.
    pub phase: Phase,
    /// `msg`, macros expanded.
    pub message: Vec<u8>,
    /// `logdata`, macros expanded.
    pub data: Vec<u8>,
    /// `tag`s, macros expanded.
    pub tags: Vec<Vec<u8>>,
    /// `severity`.
    pub severity: Option<Severity>,
    /// `ver`.
    pub ver: Option<Box<str>>,
    /// `rev`.
    pub rev: Option<Box<str>>,
    /// `maturity`.
    pub maturity: Option<u8>,
    /// `accuracy`.
    pub accuracy: Option<u8>,
    /// The file that the rule is in.
    pub file: Box<str>,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// What matched, such as `ARGS:id`.
    pub variable: Vec<u8>,
    /// The value that matched, after transformations; its first 4 KiB.
    pub value: Vec<u8>,
    /// What the rule did to the request.
    pub did: Did,
    /// Whether it belongs into the log (`log`).
    pub log: bool,
    /// Whether it belongs into the audit log (`auditlog`).
    pub auditlog: bool,
}

/// What a rule that matched did to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// Nothing: it only matched.
    Warn,
    /// It denied it with this status.
    Deny(u16),
    /// It dropped the connection.
    Drop,
    /// It redirected the client with this status.
    Redirect(u16),
    /// It let it pass other rules.
    Allow,
}

/// A transaction at its end.
#[derive(Debug)]
pub struct Outcome {
    /// What became of the request.
    pub verdict: Verdict,
    /// The rules that matched and are to be logged, in order. Of a rule that matched very often
    /// not all are here.
    pub matches: Vec<Match>,
    /// How many are not here.
    pub unlisted: usize,
    /// The ids of all rules that matched, in order, also of those that are not logged; one that
    /// matched several values stands here several times.
    pub fired: Vec<u64>,
    /// Whether the transaction belongs into the audit log.
    pub audit: bool,
    /// The parts of the audit log that are wanted (SecAuditLogParts).
    pub audit_parts: AuditParts,
    /// What must not stand in the audit log (sanitiseArg and the like).
    pub sanitised: Vec<Sanitise>,
}
