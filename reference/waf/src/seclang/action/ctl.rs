//! `ctl`: settings changed for one transaction.

use std::fmt;
use std::ops::RangeInclusive;

use edgeproof_diagnostics::{Diagnostic, Diagnostics, suggest};

use super::value::{ids, number, on_off, one_of};
use crate::seclang::pattern;
use crate::seclang::target::{Target, targets};
use crate::seclang::text::Text;

/// A change of the engine's settings for the current transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ctl {
    /// `ruleEngine`.
    RuleEngine(Mode),
    /// `ruleRemoveById`: these rules do not run.
    RuleRemoveById(Vec<RangeInclusive<u64>>),
    /// `ruleRemoveByTag`: rules with a tag that matches this pattern do not run.
    RuleRemoveByTag(String),
    /// `ruleRemoveByMsg`: rules whose message matches this pattern do not run.
    RuleRemoveByMsg(String),
    /// `ruleRemoveTargetById`: these rules do not look there.
    RuleRemoveTargetById {
        /// The rules.
        ids: Vec<RangeInclusive<u64>>,
        /// Where they do not look; at least one.
        targets: Vec<Target>,
    },
    /// `ruleRemoveTargetByTag`: rules with a tag that matches do not look there.
    RuleRemoveTargetByTag {
        /// The pattern.
        tag: String,
        /// Where they do not look; at least one.
        targets: Vec<Target>,
    },
    /// `ruleRemoveTargetByMsg`: rules whose message matches do not look there.
    RuleRemoveTargetByMsg {
        /// The pattern.
        msg: String,
        /// Where they do not look; at least one.
        targets: Vec<Target>,
    },
    /// `requestBodyAccess`.
    RequestBodyAccess(bool),
    /// `requestBodyLimit`, in bytes.
    RequestBodyLimit(u64),
    /// `responseBodyAccess`.
    ResponseBodyAccess(bool),
    /// `responseBodyLimit`, in bytes.
    ResponseBodyLimit(u64),
    /// `requestBodyProcessor`.
    RequestBodyProcessor(Processor),
    /// `forceRequestBodyVariable`: fill `REQUEST_BODY` whatever the processor.
    ForceRequestBodyVariable(bool),
    /// `auditEngine`.
    AuditEngine(AuditMode),
    /// `auditLogParts`.
    AuditLogParts(AuditPartsChange),
    /// `debugLogLevel`, 0 to 9.
    DebugLogLevel(u8),
}

/// Whether rules run, and whether they may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// They do both.
    On,
    /// They do not run.
    Off,
    /// They run and decide nothing.
    DetectionOnly,
}

impl Mode {
    pub(in crate::seclang) const WORDS: [(&'static str, Self); 3] =
        [("On", Self::On), ("Off", Self::Off), ("DetectionOnly", Self::DetectionOnly)];
}

/// Which transactions the audit log gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditMode {
    /// All.
    On,
    /// None.
    Off,
    /// Those that a rule matched, or whose status is relevant.
    RelevantOnly,
}

impl AuditMode {
    pub(in crate::seclang) const WORDS: [(&'static str, Self); 3] =
        [("On", Self::On), ("Off", Self::Off), ("RelevantOnly", Self::RelevantOnly)];
}

/// Who takes a request body apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Processor {
    /// `application/x-www-form-urlencoded`.
    Urlencoded,
    /// `multipart/form-data`.
    Multipart,
    /// XML.
    Xml,
    /// JSON.
    Json,
}

impl Processor {
    pub(in crate::seclang) const WORDS: [(&'static str, Self); 4] = [
        ("URLENCODED", Self::Urlencoded),
        ("MULTIPART", Self::Multipart),
        ("XML", Self::Xml),
        ("JSON", Self::Json),
    ];

    /// The name as `REQBODY_PROCESSOR` has it.
    pub fn name(self) -> &'static str {
        Self::WORDS.iter().find(|(_, one)| *one == self).map_or("", |(word, _)| word)
    }
}

/// Sections of an audit log's entry, by their letters `A` to `K` and `Z`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct AuditParts(u32);

impl AuditParts {
    const LETTERS: &'static str = "ABCDEFGHIJKZ";

    /// The sections of these letters, in any case; nothing where one of them is none.
    pub fn of(letters: &str) -> Option<Self> {
        letters.chars().try_fold(Self::default(), |parts, letter| {
            Some(Self(parts.0 | Self::bit(letter.to_ascii_uppercase())?))
        })
    }

    /// Whether the section of this letter is among them.
    pub fn has(self, letter: char) -> bool {
        Self::bit(letter).is_some_and(|bit| self.0 & bit != 0)
    }

    /// These and those.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without those.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn bit(letter: char) -> Option<u32> {
        Self::LETTERS.find(letter).map(|at| 1 << at)
    }
}

/// Shows as letters, in their order.
impl fmt::Display for AuditParts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: String = Self::LETTERS.chars().filter(|it| self.has(*it)).collect();
        formatter.write_str(&letters)
    }
}

impl fmt::Debug for AuditParts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AuditParts({self})")
    }
}

/// What becomes of an audit log entry's sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditPartsChange {
    /// Only these.
    Set(AuditParts),
    /// `+`: these too.
    Add(AuditParts),
    /// `-`: not these.
    Remove(AuditParts),
}

/// Letters of sections.
pub(in crate::seclang) fn audit_parts(
    text: &Text,
    diagnostics: &Diagnostics,
) -> Option<AuditParts> {
    let parts = (!text.is_empty()).then(|| AuditParts::of(text.as_str())).flatten();
    if parts.is_none() {
        diagnostics.push(
            Diagnostic::error("the audit log's sections are letters from A to K, and Z")
                .at(&text.span()),
        );
    }
    parts
}

/// How a setting's value is read.
type Read = fn(&Text, &Diagnostics) -> Option<Ctl>;

/// Every setting that `ctl` changes.
const SETTINGS: [(&str, Read); 16] = [
    ("auditEngine", |it, to| one_of(it, &AuditMode::WORDS, to).map(Ctl::AuditEngine)),
    ("auditLogParts", |it, to| parts_change(it, to).map(Ctl::AuditLogParts)),
    ("debugLogLevel", |it, to| number(it, 0..=9, "the level", to).map(Ctl::DebugLogLevel)),
    ("forceRequestBodyVariable", |it, to| on_off(it, to).map(Ctl::ForceRequestBodyVariable)),
    ("requestBodyAccess", |it, to| on_off(it, to).map(Ctl::RequestBodyAccess)),
    ("requestBodyLimit", |it, to| bytes(it, to).map(Ctl::RequestBodyLimit)),
    ("requestBodyProcessor", |it, to| {
        one_of(it, &Processor::WORDS, to).map(Ctl::RequestBodyProcessor)
    }),
    ("responseBodyAccess", |it, to| on_off(it, to).map(Ctl::ResponseBodyAccess)),
    ("responseBodyLimit", |it, to| bytes(it, to).map(Ctl::ResponseBodyLimit)),
    ("ruleEngine", |it, to| one_of(it, &Mode::WORDS, to).map(Ctl::RuleEngine)),
    ("ruleRemoveById", |it, to| ids(it, to).map(Ctl::RuleRemoveById)),
    ("ruleRemoveByMsg", |it, to| pattern::text(it, to).map(Ctl::RuleRemoveByMsg)),
    ("ruleRemoveByTag", |it, to| pattern::text(it, to).map(Ctl::RuleRemoveByTag)),
    ("ruleRemoveTargetById", |it, to| {
        let (rules, targets) = rules_and_targets(it, "942100;ARGS:password", to)?;
        Some(Ctl::RuleRemoveTargetById { ids: ids(&rules, to)?, targets })
    }),
    ("ruleRemoveTargetByMsg", |it, to| {
        let (msg, targets) = rules_and_targets(it, "a message;ARGS:password", to)?;
        Some(Ctl::RuleRemoveTargetByMsg { msg: pattern::text(&msg, to)?, targets })
    }),
    ("ruleRemoveTargetByTag", |it, to| {
        let (tag, targets) = rules_and_targets(it, "attack-sqli;ARGS:password", to)?;
        Some(Ctl::RuleRemoveTargetByTag { tag: pattern::text(&tag, to)?, targets })
    }),
];

/// `setting=value`.
pub(super) fn ctl(text: &Text, diagnostics: &Diagnostics) -> Option<Ctl> {
    let Some((name, value)) = text.split_at(|it| it == '=') else {
        diagnostics.push(
            Diagnostic::error("a setting, `=` and a value are expected")
                .at(&text.span())
                .help("such as ruleEngine=Off"),
        );
        return None;
    };
    let name = name.trimmed();
    let written = name.as_str();
    match SETTINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(written)) {
        Some((_, read)) => read(&value.trimmed(), diagnostics),
        None => {
            diagnostics.push(unknown(&name));
            None
        }
    }
}

fn unknown(name: &Text) -> Diagnostic {
    let written = name.as_str();
    if ["hashEngine", "hashEnforcement"].iter().any(|it| it.eq_ignore_ascii_case(written)) {
        return Diagnostic::error(format!("the setting {written} is not supported"))
            .at(&name.span())
            .with_note("bodies are inspected, never rewritten");
    }
    let near = suggest(written, SETTINGS.iter().map(|(known, _)| *known));
    Diagnostic::error(format!("unknown setting `{written}` of ctl"))
        .at(&name.span())
        .maybe_help(near.map(|near| format!("did you mean `{near}`?")))
}

fn bytes(text: &Text, diagnostics: &Diagnostics) -> Option<u64> {
    number(text, 0..=u64::from(u32::MAX), "a limit in bytes", diagnostics)
}

fn parts_change(text: &Text, diagnostics: &Diagnostics) -> Option<AuditPartsChange> {
    match text.as_str().as_bytes().first() {
        Some(b'+') => audit_parts(&text.from(1), diagnostics).map(AuditPartsChange::Add),
        Some(b'-') => audit_parts(&text.from(1), diagnostics).map(AuditPartsChange::Remove),
        _ => audit_parts(text, diagnostics).map(AuditPartsChange::Set),
    }
}

/// What stands before the semicolon, and the targets behind it.
fn rules_and_targets(
    text: &Text,
    example: &str,
    diagnostics: &Diagnostics,
) -> Option<(Text, Vec<Target>)> {
    let Some((rules, list)) = text.split_at(|it| it == ';') else {
        diagnostics.push(
            Diagnostic::error("the target is missing")
                .at(&text.span())
                .help(format!("rules, a semicolon and a target: {example}")),
        );
        return None;
    };
    let before = diagnostics.len();
    let targets = targets(&list, diagnostics);
    for target in targets.iter().filter(|it| it.value.exclude || it.value.count) {
        diagnostics.push(
            Diagnostic::error("a target to remove is written without ! and &")
                .at(&target.span)
                .help("the setting takes it away already"),
        );
    }
    let sound = diagnostics.len() == before;
    sound.then(|| (rules, targets.into_iter().map(|it| it.value).collect()))
}
