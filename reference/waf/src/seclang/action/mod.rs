//! What a rule does when it matches, and what it is called.

mod ctl;
mod read;
mod value;
mod variables;

pub(super) use ctl::audit_parts;
pub use ctl::{AuditMode, AuditParts, AuditPartsChange, Ctl, Mode, Processor};
pub(super) use read::{ActionList, actions};
pub(super) use value::{ids, number, on_off, one_of};
pub use variables::{Collection, SetOperation, SetVar};

use super::template::Template;
use crate::transform::Transformation;

/// An action of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// `id`: the rule's number, from 1.
    Id(u64),
    /// `phase`: when it runs.
    Phase(Phase),
    /// `chain`: the next rule must match too.
    Chain,
    /// `capture`: what the operator found goes into `TX:0` to `TX:9`.
    Capture,
    /// `multiMatch`: the operator sees the value after each transformation.
    MultiMatch,
    /// `msg`: what to say.
    Msg(Template),
    /// `logdata`: what to say of the value.
    LogData(Template),
    /// `tag`: a class that the rule belongs to; there can be many.
    Tag(Template),
    /// `ver`: the rule set's version.
    Ver(String),
    /// `rev`: the rule's revision.
    Rev(String),
    /// `severity`: how grave it is.
    Severity(Severity),
    /// `maturity`: how well it is proven, 0 to 9.
    Maturity(u8),
    /// `accuracy`: how seldom it errs, 0 to 9.
    Accuracy(u8),
    /// `log`: a match is logged.
    Log,
    /// `nolog`: it is not, nor is it in the audit log.
    NoLog,
    /// `auditlog`: a match makes the transaction relevant to the audit log.
    AuditLog,
    /// `noauditlog`: it does not.
    NoAuditLog,
    /// `pass`: go on.
    Pass,
    /// `block`: do what the default action does.
    Block,
    /// `deny`: answer with an error.
    Deny,
    /// `drop`: close the connection.
    Drop,
    /// `allow`: pass over further rules.
    Allow(AllowKind),
    /// `redirect`: answer with this place.
    Redirect(Template),
    /// `status`: the status code of `deny` and `redirect`.
    Status(u16),
    /// `skip`: pass over so many rules, from 1.
    Skip(u32),
    /// `skipAfter`: pass over all rules up to this marker.
    SkipAfter(String),
    /// `t`: change the value before it is compared.
    Transform(Transformation),
    /// `t:none`: forget the transformations so far, also the default ones.
    TransformNone,
    /// `setvar`: change a variable.
    SetVar(SetVar),
    /// `expirevar`: forget a variable after so many seconds.
    ExpireVar {
        /// The collection.
        collection: Collection,
        /// The variable in it.
        name: Template,
        /// A number, perhaps only when its macros are expanded.
        seconds: Template,
    },
    /// `deprecatevar`: a number becomes less with time.
    DeprecateVar {
        /// The collection.
        collection: Collection,
        /// The variable in it.
        name: Template,
        /// By how much.
        amount: u64,
        /// In how many seconds, from 1.
        seconds: u64,
    },
    /// `initcol`: load a persistent collection.
    InitCol {
        /// The collection; never [`Collection::Tx`].
        collection: Collection,
        /// Whose it is.
        key: Template,
    },
    /// `setsid`: the session's name, and load `SESSION`.
    SetSid(Template),
    /// `setuid`: the user's name, and load `USER`.
    SetUid(Template),
    /// `setrsc`: the resource's name, and load `RESOURCE`.
    SetRsc(Template),
    /// `setenv`: change `ENV`.
    SetEnv {
        /// The variable.
        name: Template,
        /// Its value; nothing removes it.
        value: Option<Template>,
    },
    /// `sanitiseArg`: the argument's value is not logged.
    SanitiseArg(String),
    /// `sanitiseMatched`: what matched is not logged.
    SanitiseMatched,
    /// `sanitiseMatchedBytes`: the bytes that matched are not logged, but so many at their ends.
    SanitiseMatchedBytes {
        /// Bytes kept at the beginning.
        first: u32,
        /// Bytes kept at the end.
        last: u32,
    },
    /// `sanitiseRequestHeader`: the field's value is not logged.
    SanitiseRequestHeader(String),
    /// `sanitiseResponseHeader`: the field's value is not logged.
    SanitiseResponseHeader(String),
    /// `ctl`: change the engine's settings for this transaction.
    Ctl(Ctl),
    /// `xmlns`: a prefix for XPath expressions.
    Xmlns {
        /// The prefix.
        prefix: String,
        /// The name space.
        uri: String,
    },
    /// `pause`: wait so many milliseconds; a number, perhaps only when its macros are expanded.
    Pause(Template),
}

impl Action {
    /// Whether it decides what becomes of the transaction.
    pub fn is_disruptive(&self) -> bool {
        matches!(
            self,
            Self::Pass | Self::Block | Self::Deny | Self::Drop | Self::Allow(_) | Self::Redirect(_)
        )
    }
}

/// When a rule runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Phase {
    /// 1: the request's header section is there.
    RequestHeaders = 1,
    /// 2, `request`: the request body is there.
    RequestBody = 2,
    /// 3: the response's header section is there.
    ResponseHeaders = 3,
    /// 4, `response`: the response body is there.
    ResponseBody = 4,
    /// 5, `logging`: all is over.
    Logging = 5,
}

impl Phase {
    /// All, in their order.
    pub const ALL: [Self; 5] = [
        Self::RequestHeaders,
        Self::RequestBody,
        Self::ResponseHeaders,
        Self::ResponseBody,
        Self::Logging,
    ];

    /// 1 to 5.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// How grave a match is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Severity {
    /// 0.
    Emergency = 0,
    /// 1.
    Alert = 1,
    /// 2.
    Critical = 2,
    /// 3.
    Error = 3,
    /// 4.
    Warning = 4,
    /// 5.
    Notice = 5,
    /// 6.
    Info = 6,
    /// 7.
    Debug = 7,
}

impl Severity {
    /// All, the gravest first.
    pub const ALL: [Self; 8] = [
        Self::Emergency,
        Self::Alert,
        Self::Critical,
        Self::Error,
        Self::Warning,
        Self::Notice,
        Self::Info,
        Self::Debug,
    ];

    /// 0 (the gravest) to 7.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The name as the manual writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Emergency => "EMERGENCY",
            Self::Alert => "ALERT",
            Self::Critical => "CRITICAL",
            Self::Error => "ERROR",
            Self::Warning => "WARNING",
            Self::Notice => "NOTICE",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
        }
    }
}

/// How far `allow` reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AllowKind {
    /// All phases but logging.
    All,
    /// The current phase.
    Phase,
    /// The phases of the request.
    Request,
}
