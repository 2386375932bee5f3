//! A program's directives.

use std::ops::RangeInclusive;

use edgeproof_diagnostics::Spanned;

use super::action::{Action, AuditMode, AuditParts, Mode};
use super::operator::OperatorText;
use super::target::Target;

/// A directive. `Include` is none: what it names stands in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Directive {
    /// `SecRule`.
    Rule(RuleText),
    /// `SecAction`: a rule that always matches.
    Action(Vec<Spanned<Action>>),
    /// `SecDefaultAction`: what rules of its phase do where they say nothing.
    DefaultAction(Vec<Spanned<Action>>),
    /// `SecMarker`: a place for `skipAfter`.
    Marker(String),

    /// `SecRuleRemoveById`.
    RemoveById(Vec<RangeInclusive<u64>>),
    /// `SecRuleRemoveByTag`: a pattern.
    RemoveByTag(String),
    /// `SecRuleRemoveByMsg`: a pattern.
    RemoveByMsg(String),
    /// `SecRuleUpdateTargetById`.
    UpdateTargetById {
        /// The rules.
        ids: Vec<RangeInclusive<u64>>,
        /// Targets to add; excluded ones take away.
        targets: Vec<Spanned<Target>>,
        /// The target that they stand in for.
        replaced: Option<Spanned<Target>>,
    },
    /// `SecRuleUpdateTargetByTag`.
    UpdateTargetByTag {
        /// A pattern.
        tag: String,
        /// Targets to add; excluded ones take away.
        targets: Vec<Spanned<Target>>,
        /// The target that they stand in for.
        replaced: Option<Spanned<Target>>,
    },
    /// `SecRuleUpdateTargetByMsg`.
    UpdateTargetByMsg {
        /// A pattern.
        msg: String,
        /// Targets to add; excluded ones take away.
        targets: Vec<Spanned<Target>>,
        /// The target that they stand in for.
        replaced: Option<Spanned<Target>>,
    },
    /// `SecRuleUpdateActionById`.
    UpdateActionById {
        /// The rule, or the first one of its chain.
        id: u64,
        /// The rule's place in the chain, from 0.
        chain_offset: u32,
        /// Actions to add or to put in the place of others.
        actions: Vec<Spanned<Action>>,
    },

    /// `SecRuleEngine`.
    RuleEngine(Mode),
    /// `SecRequestBodyAccess`.
    RequestBodyAccess(bool),
    /// `SecRequestBodyLimit`, in bytes.
    RequestBodyLimit(u64),
    /// `SecRequestBodyNoFilesLimit`, in bytes.
    RequestBodyNoFilesLimit(u64),
    /// `SecRequestBodyInMemoryLimit`, in bytes.
    RequestBodyInMemoryLimit(u64),
    /// `SecRequestBodyLimitAction`.
    RequestBodyLimitAction(LimitAction),
    /// `SecRequestBodyJsonDepthLimit`.
    RequestBodyJsonDepthLimit(u32),
    /// `SecArgumentsLimit`.
    ArgumentsLimit(u32),
    /// `SecArgumentSeparator`: an ASCII character.
    ArgumentSeparator(u8),
    /// `SecCookieFormat`: 0 (Netscape) or 1.
    CookieFormat(u8),
    /// `SecUploadFileLimit`.
    UploadFileLimit(u32),
    /// `SecResponseBodyAccess`.
    ResponseBodyAccess(bool),
    /// `SecResponseBodyLimit`, in bytes.
    ResponseBodyLimit(u64),
    /// `SecResponseBodyLimitAction`.
    ResponseBodyLimitAction(LimitAction),
    /// `SecResponseBodyMimeType`: types to add to those that are inspected.
    ResponseBodyMimeType(Vec<String>),
    /// `SecResponseBodyMimeTypesClear`: no type is inspected.
    ResponseBodyMimeTypesClear,
    /// `SecCollectionTimeout`, in seconds.
    CollectionTimeout(u64),
    /// `SecUnicodeMapFile`.
    UnicodeMap {
        /// The file, as written.
        file: String,
        /// The code page in it.
        codepage: Option<u32>,
    },
    /// `SecUnicodeCodePage`.
    UnicodeCodePage(u32),
    /// `SecPcreMatchLimit`, in steps.
    PcreMatchLimit(u64),
    /// `SecPcreMatchLimitRecursion`, in levels.
    PcreMatchLimitRecursion(u64),
    /// `SecWebAppId`.
    WebAppId(String),
    /// `SecComponentSignature`: the name and version of a rule set.
    ComponentSignature(String),

    /// `SecAuditEngine`.
    AuditEngine(AuditMode),
    /// `SecAuditLog`: a file.
    AuditLog(String),
    /// `SecAuditLogFormat`.
    AuditLogFormat(AuditLogFormat),
    /// `SecAuditLogParts`.
    AuditLogParts(AuditParts),
    /// `SecAuditLogRelevantStatus`: a pattern.
    AuditLogRelevantStatus(String),
    /// `SecAuditLogStorageDir`.
    AuditLogStorageDir(String),
    /// `SecAuditLogType`.
    AuditLogType(AuditLogType),
    /// `SecDebugLog`: a file.
    DebugLog(String),
    /// `SecDebugLogLevel`, 0 to 9.
    DebugLogLevel(u8),

    /// A directive that changes nothing of what rules find or do, kept as it is.
    Kept {
        /// Its name as the manual writes it.
        name: &'static str,
        /// What it says.
        arguments: Vec<String>,
    },
}

/// A `SecRule` as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText {
    /// What it looks at; at least one.
    pub targets: Vec<Spanned<Target>>,
    /// How it compares.
    pub operator: Spanned<OperatorText>,
    /// What it does and what it is called.
    pub actions: Vec<Spanned<Action>>,
}

/// What becomes of a body that is longer than its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitAction {
    /// It is refused.
    Reject,
    /// What is within the limit is inspected.
    ProcessPartial,
}

impl LimitAction {
    pub(super) const WORDS: [(&'static str, Self); 2] =
        [("Reject", Self::Reject), ("ProcessPartial", Self::ProcessPartial)];
}

/// How the audit log's entries look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditLogFormat {
    /// ModSecurity's sections.
    Native,
    /// JSON.
    Json,
}

impl AuditLogFormat {
    pub(super) const WORDS: [(&'static str, Self); 2] =
        [("Native", Self::Native), ("JSON", Self::Json)];
}

/// Where the audit log's entries go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditLogType {
    /// All into one file.
    Serial,
    /// Each into a file of its own.
    Concurrent,
}

impl AuditLogType {
    pub(super) const WORDS: [(&'static str, Self); 2] =
        [("Serial", Self::Serial), ("Concurrent", Self::Concurrent)];
}
