//! Directives: a name and its arguments.

use std::fmt::{self, Display, Formatter};

use edgeproof_diagnostics::Spanned;

use super::quotes::{argument, joined, lines, on_off, range, ranges, word, worded};
use super::rule::words;
use crate::seclang::action::{AuditMode, Mode};
use crate::seclang::directive::{AuditLogFormat, AuditLogType, Directive, LimitAction, RuleText};
use crate::seclang::target::Target;

impl Display for Directive {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (name, arguments) = parts(self);
        write(formatter, name, &arguments)
    }
}

impl Display for RuleText {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write(formatter, "SecRule", &words(self))
    }
}

fn write(formatter: &mut Formatter<'_>, name: &str, arguments: &[String]) -> fmt::Result {
    formatter.write_str(name)?;
    arguments.iter().try_for_each(|argument| write!(formatter, " {argument}"))
}

/// The name of a directive and its arguments as they are written.
fn parts(directive: &Directive) -> (&'static str, Vec<String>) {
    let text = |text: &str| vec![word(text)];
    let number = |number: &dyn Display| vec![number.to_string()];
    match directive {
        Directive::Rule(rule) => ("SecRule", words(rule)),
        Directive::Action(list) => ("SecAction", vec![lines(list)]),
        Directive::DefaultAction(list) => ("SecDefaultAction", vec![argument(&joined(list, ","))]),
        Directive::Marker(name) => ("SecMarker", text(name)),
        Directive::RemoveById(ids) => ("SecRuleRemoveById", ids.iter().map(range).collect()),
        Directive::RemoveByTag(tag) => ("SecRuleRemoveByTag", text(tag)),
        Directive::RemoveByMsg(msg) => ("SecRuleRemoveByMsg", text(msg)),
        Directive::UpdateTargetById { ids, targets, replaced } => {
            ("SecRuleUpdateTargetById", update(&ranges(ids), targets, replaced.as_ref()))
        }
        Directive::UpdateTargetByTag { tag, targets, replaced } => {
            ("SecRuleUpdateTargetByTag", update(tag, targets, replaced.as_ref()))
        }
        Directive::UpdateTargetByMsg { msg, targets, replaced } => {
            ("SecRuleUpdateTargetByMsg", update(msg, targets, replaced.as_ref()))
        }
        Directive::UpdateActionById { id, chain_offset, actions } => {
            let offset =
                if *chain_offset == 0 { String::new() } else { format!(":{chain_offset}") };
            let actions = argument(&joined(actions, ","));
            ("SecRuleUpdateActionById", vec![format!("{id}{offset}"), actions])
        }
        Directive::RuleEngine(mode) => ("SecRuleEngine", text(worded(&Mode::WORDS, *mode))),
        Directive::RequestBodyAccess(on) => ("SecRequestBodyAccess", text(on_off(*on))),
        Directive::RequestBodyLimit(limit) => ("SecRequestBodyLimit", number(limit)),
        Directive::RequestBodyNoFilesLimit(limit) => ("SecRequestBodyNoFilesLimit", number(limit)),
        Directive::RequestBodyInMemoryLimit(limit) => {
            ("SecRequestBodyInMemoryLimit", number(limit))
        }
        Directive::RequestBodyLimitAction(action) => {
            ("SecRequestBodyLimitAction", text(worded(&LimitAction::WORDS, *action)))
        }
        Directive::RequestBodyJsonDepthLimit(limit) => {
            ("SecRequestBodyJsonDepthLimit", number(limit))
        }
        Directive::ArgumentsLimit(limit) => ("SecArgumentsLimit", number(limit)),
        Directive::ArgumentSeparator(byte) => {
            ("SecArgumentSeparator", text(&char::from(*byte).to_string()))
        }
        Directive::CookieFormat(format) => ("SecCookieFormat", number(format)),
        Directive::UploadFileLimit(limit) => ("SecUploadFileLimit", number(limit)),
        Directive::ResponseBodyAccess(on) => ("SecResponseBodyAccess", text(on_off(*on))),
        Directive::ResponseBodyLimit(limit) => ("SecResponseBodyLimit", number(limit)),
        Directive::ResponseBodyLimitAction(action) => {
            ("SecResponseBodyLimitAction", text(worded(&LimitAction::WORDS, *action)))
        }
        Directive::ResponseBodyMimeType(types) => ("SecResponseBodyMimeType", all(types)),
        Directive::ResponseBodyMimeTypesClear => ("SecResponseBodyMimeTypesClear", vec![]),
        Directive::CollectionTimeout(seconds) => ("SecCollectionTimeout", number(seconds)),
        Directive::UnicodeMap { file, codepage } => {
            let codepage = codepage.map(|number| number.to_string());
            ("SecUnicodeMapFile", [word(file)].into_iter().chain(codepage).collect())
        }
        Directive::UnicodeCodePage(page) => ("SecUnicodeCodePage", number(page)),
        Directive::PcreMatchLimit(limit) => ("SecPcreMatchLimit", number(limit)),
        Directive::PcreMatchLimitRecursion(limit) => ("SecPcreMatchLimitRecursion", number(limit)),
        Directive::WebAppId(id) => ("SecWebAppId", text(id)),
        Directive::ComponentSignature(name) => ("SecComponentSignature", text(name)),
        Directive::AuditEngine(mode) => ("SecAuditEngine", text(worded(&AuditMode::WORDS, *mode))),
        Directive::AuditLog(file) => ("SecAuditLog", text(file)),
        Directive::AuditLogFormat(format) => {
            ("SecAuditLogFormat", text(worded(&AuditLogFormat::WORDS, *format)))
        }
        Directive::AuditLogParts(parts) => ("SecAuditLogParts", number(parts)),
        Directive::AuditLogRelevantStatus(status) => ("SecAuditLogRelevantStatus", text(status)),
        Directive::AuditLogStorageDir(folder) => ("SecAuditLogStorageDir", text(folder)),
        Directive::AuditLogType(kind) => {
            ("SecAuditLogType", text(worded(&AuditLogType::WORDS, *kind)))
        }
        Directive::DebugLog(file) => ("SecDebugLog", text(file)),
        Directive::DebugLogLevel(level) => ("SecDebugLogLevel", number(level)),
        Directive::Kept { name, arguments } => (name, all(arguments)),
    }
}

fn all(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| word(text)).collect()
}

fn update(
    rules: &str,
    targets: &[Spanned<Target>],
    replaced: Option<&Spanned<Target>>,
) -> Vec<String> {
    let replaced = replaced.map(|target| word(&target.value.to_string()));
    [word(rules), argument(&joined(targets, ","))].into_iter().chain(replaced).collect()
}
