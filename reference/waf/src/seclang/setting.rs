//! Directives without rules: settings, removals, updates.

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Spanned, suggest};

use super::action::{AuditMode, Mode, actions, audit_parts, ids, number, on_off, one_of};
use super::directive::{AuditLogFormat, AuditLogType, Directive, LimitAction};
use super::pattern;
use super::target::{Target, targets};
use super::text::Text;
use super::words::Statement;

/// What the name of a directive stands for.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    /// `SecRule`.
    Rule,
    /// `SecAction`.
    Action,
    /// `SecDefaultAction`.
    DefaultAction,
    /// `Include`, or `IncludeOptional`, which may match nothing.
    Include {
        /// Whether it may match nothing.
        optional: bool,
    },
    /// One argument.
    One(fn(&Text, &Diagnostics) -> Option<Directive>),
    /// One argument or more, each a directive of its own.
    Each(fn(&Text, &Diagnostics) -> Option<Directive>),
    /// All arguments together; from so many to so many.
    All(usize, usize, fn(&[Text], &Diagnostics) -> Option<Directive>),
    /// Accepted and kept.
    Kept,
    /// This engine has not got it, and why.
    Refused(&'static str),
    /// The same, unless it is switched off.
    RefusedOn(&'static str),
}

use Meaning::{All, Each, Kept, One, Refused, RefusedOn};

const REWRITES: &str = "bodies are inspected, never rewritten";
const PROGRAMS: &str = "rules start no programs";
const CONNECTIONS: &str = "connections are the proxy's business: limit them there";
const FETCH: &str = "rules come from files, never from the network";
const MANY: usize = usize::MAX;

/// Every directive, by the name that the manual gives it.
static DIRECTIVES: &[(&str, Meaning)] = &[
    ("Include", Meaning::Include { optional: false }),
    ("IncludeOptional", Meaning::Include { optional: true }),
    ("SecAction", Meaning::Action),
    ("SecArgumentSeparator", One(|it, to| separator(it, to).map(Directive::ArgumentSeparator))),
    ("SecArgumentsLimit", One(|it, to| count(it, to).map(Directive::ArgumentsLimit))),
    ("SecAuditEngine", One(|it, to| one_of(it, &AuditMode::WORDS, to).map(Directive::AuditEngine))),
    ("SecAuditLog", One(|it, _| Some(Directive::AuditLog(own(it))))),
    ("SecAuditLog2", Kept),
    ("SecAuditLogDirMode", Kept),
    ("SecAuditLogFileMode", Kept),
    (
        "SecAuditLogFormat",
        One(|it, to| one_of(it, &AuditLogFormat::WORDS, to).map(Directive::AuditLogFormat)),
    ),
    ("SecAuditLogParts", One(|it, to| audit_parts(it, to).map(Directive::AuditLogParts))),
    (
        "SecAuditLogRelevantStatus",
        One(|it, to| pattern::text(it, to).map(Directive::AuditLogRelevantStatus)),
    ),
    ("SecAuditLogStorageDir", One(|it, _| Some(Directive::AuditLogStorageDir(own(it))))),
    (
        "SecAuditLogType",
        One(|it, to| one_of(it, &AuditLogType::WORDS, to).map(Directive::AuditLogType)),
    ),
    ("SecCacheTransformations", Kept),
    ("SecChrootDir", Refused("the proxy keeps its own root")),
    (
        "SecCollectionTimeout",
        One(|it, to| {
            let most = u64::from(u32::MAX);
            number(it, 0..=most, "a time in seconds", to).map(Directive::CollectionTimeout)
        }),
    ),
    ("SecComponentSignature", One(|it, _| Some(Directive::ComponentSignature(own(it))))),
    ("SecConnEngine", RefusedOn(CONNECTIONS)),
    ("SecConnReadStateLimit", Refused(CONNECTIONS)),
    ("SecConnWriteStateLimit", Refused(CONNECTIONS)),
    ("SecContentInjection", RefusedOn(REWRITES)),
    (
        "SecCookieFormat",
        One(|it, to| number(it, 0..=1, "the cookies' format", to).map(Directive::CookieFormat)),
    ),
    ("SecCookieV0Separator", Refused("cookies are parted by semicolons")),
    ("SecDataDir", Kept),
    ("SecDebugLog", One(|it, _| Some(Directive::DebugLog(own(it))))),
    (
        "SecDebugLogLevel",
        One(|it, to| number(it, 0..=9, "the level", to).map(Directive::DebugLogLevel)),
    ),
    ("SecDefaultAction", Meaning::DefaultAction),
    ("SecDisableBackendCompression", Kept),
    ("SecGeoLookupDb", Kept),
    ("SecGsbLookupDb", Kept),
    ("SecGuardianLog", Refused(PROGRAMS)),
    ("SecHashEngine", RefusedOn(REWRITES)),
    ("SecHashKey", Refused(REWRITES)),
    ("SecHashMethodPm", Refused(REWRITES)),
    ("SecHashMethodRx", Refused(REWRITES)),
    ("SecHashParam", Refused(REWRITES)),
    ("SecHttpBlKey", Kept),
    ("SecInterceptOnError", Kept),
    ("SecMarker", One(|it, to| marker(it, to).map(Directive::Marker))),
    ("SecParseXmlIntoArgs", RefusedOn("look at XML:/* and XML://@* instead")),
    ("SecPcreMatchLimit", One(|it, to| limit(it, to).map(Directive::PcreMatchLimit))),
    (
        "SecPcreMatchLimitRecursion",
        One(|it, to| limit(it, to).map(Directive::PcreMatchLimitRecursion)),
    ),
    ("SecReadStateLimit", Refused(CONNECTIONS)),
    ("SecRemoteRules", Refused(FETCH)),
    ("SecRemoteRulesFailAction", Kept),
    ("SecRequestBodyAccess", One(|it, to| on_off(it, to).map(Directive::RequestBodyAccess))),
    (
        "SecRequestBodyInMemoryLimit",
        One(|it, to| limit(it, to).map(Directive::RequestBodyInMemoryLimit)),
    ),
    (
        "SecRequestBodyJsonDepthLimit",
        One(|it, to| count(it, to).map(Directive::RequestBodyJsonDepthLimit)),
    ),
    ("SecRequestBodyLimit", One(|it, to| limit(it, to).map(Directive::RequestBodyLimit))),
    (
        "SecRequestBodyLimitAction",
        One(|it, to| one_of(it, &LimitAction::WORDS, to).map(Directive::RequestBodyLimitAction)),
    ),
    (
        "SecRequestBodyNoFilesLimit",
        One(|it, to| limit(it, to).map(Directive::RequestBodyNoFilesLimit)),
    ),
    ("SecResponseBodyAccess", One(|it, to| on_off(it, to).map(Directive::ResponseBodyAccess))),
    ("SecResponseBodyLimit", One(|it, to| limit(it, to).map(Directive::ResponseBodyLimit))),
    (
        "SecResponseBodyLimitAction",
        One(|it, to| one_of(it, &LimitAction::WORDS, to).map(Directive::ResponseBodyLimitAction)),
    ),
    (
        "SecResponseBodyMimeType",
        All(1, MANY, |all, _| Some(Directive::ResponseBodyMimeType(all.iter().map(own).collect()))),
    ),
    (
        "SecResponseBodyMimeTypesClear",
        All(0, 0, |_, _| Some(Directive::ResponseBodyMimeTypesClear)),
    ),
    ("SecRule", Meaning::Rule),
    ("SecRuleEngine", One(|it, to| one_of(it, &Mode::WORDS, to).map(Directive::RuleEngine))),
    ("SecRuleInheritance", Kept),
    ("SecRulePerfTime", Kept),
    ("SecRuleRemoveById", All(1, MANY, remove_by_id)),
    ("SecRuleRemoveByMsg", Each(|it, to| pattern::text(it, to).map(Directive::RemoveByMsg))),
    ("SecRuleRemoveByTag", Each(|it, to| pattern::text(it, to).map(Directive::RemoveByTag))),
    ("SecRuleScript", Refused(PROGRAMS)),
    ("SecRuleUpdateActionById", All(2, 2, update_action_by_id)),
    ("SecRuleUpdateTargetById", All(2, 3, update_target_by_id)),
    ("SecRuleUpdateTargetByMsg", All(2, 3, update_target_by_msg)),
    ("SecRuleUpdateTargetByTag", All(2, 3, update_target_by_tag)),
    ("SecSensorId", Kept),
    ("SecServerSignature", Kept),
    ("SecStatusEngine", Kept),
    ("SecStreamInBodyInspection", RefusedOn("use REQUEST_BODY: bodies are not rewritten")),
    ("SecStreamOutBodyInspection", RefusedOn("use RESPONSE_BODY: bodies are not rewritten")),
    ("SecTmpDir", Kept),
    ("SecTmpSaveUploadedFiles", Kept),
    ("SecUnicodeCodePage", One(|it, to| count(it, to).map(Directive::UnicodeCodePage))),
    ("SecUnicodeMapFile", All(1, 2, unicode_map)),
    ("SecUploadDir", Kept),
    ("SecUploadFileLimit", One(|it, to| count(it, to).map(Directive::UploadFileLimit))),
    ("SecUploadFileMode", Kept),
    ("SecUploadKeepFiles", Kept),
    ("SecWebAppId", One(|it, _| Some(Directive::WebAppId(own(it))))),
    ("SecWriteStateLimit", Refused(CONNECTIONS)),
    (
        "SecXmlExternalEntity",
        RefusedOn("XML is read without outside entities: fetching them is a risk of its own"),
    ),
];

/// The directive of this name; case does not count.
pub(super) fn meaning(name: &str) -> Option<(&'static str, Meaning)> {
    DIRECTIVES.iter().copied().find(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// A name that is no directive's.
pub(super) fn unknown(name: &Text) -> Diagnostic {
    let written = name.as_str();
    if written.starts_with('<') {
        return Diagnostic::error(
            "sections such as <IfModule> and <Location> are Apache's, not SecLang",
        )
        .at(&name.span())
        .help("give the rules that always hold here, and those of one site to that site");
    }
    let near = suggest(written, DIRECTIVES.iter().map(|(known, _)| *known));
    let help = near.map(|near| format!("did you mean `{near}`?"));
    Diagnostic::error(format!("unknown directive `{}`", shortened(written)))
        .at(&name.span())
        .maybe_help(help)
}

/// The directives that a statement stands for, with their places. Mistakes are told.
pub(super) fn read(
    known: &'static str,
    meaning: Meaning,
    statement: &Statement,
    diagnostics: &Diagnostics,
) -> Vec<Spanned<Directive>> {
    let Statement { name, arguments, span } = statement;
    let whole = |directive| Spanned::new(directive, span.clone());
    match meaning {
        Meaning::Rule | Meaning::Action | Meaning::DefaultAction | Meaning::Include { .. } => {
            vec![]
        }
        One(read) => {
            let sound = arity(known, statement, 1, 1, diagnostics);
            let first = arguments.first().filter(|_| sound);
            first.and_then(|it| read(it, diagnostics)).map(whole).into_iter().collect()
        }
        Each(read) => {
            arity(known, statement, 1, MANY, diagnostics);
            let read = |it: &Text| read(it, diagnostics).map(|one| it.hold(one));
            arguments.iter().filter_map(read).collect()
        }
        All(least, most, read) => {
            let sound = arity(known, statement, least, most, diagnostics);
            let directive = sound.then(|| read(arguments, diagnostics)).flatten();
            directive.map(whole).into_iter().collect()
        }
        RefusedOn(_) if is_off(arguments) => vec![whole(kept(known, arguments))],
        Kept => vec![whole(kept(known, arguments))],
        Refused(why) | RefusedOn(why) => {
            diagnostics.push(
                Diagnostic::error(format!("{known} is not supported"))
                    .at(&name.span())
                    .with_note(why),
            );
            vec![]
        }
    }
}

/// Tells where there are fewer or more arguments than this.
pub(super) fn arity(
    known: &str,
    statement: &Statement,
    least: usize,
    most: usize,
    diagnostics: &Diagnostics,
) -> bool {
    let Statement { name, arguments, .. } = statement;
    if arguments.len() < least {
        let wanted = match least {
            1 => "an argument".to_owned(),
            more if more == most => format!("{more} arguments"),
            more => format!("{more} arguments at least"),
        };
        diagnostics.push(Diagnostic::error(format!("{known} needs {wanted}")).at(&name.span()));
    } else if let Some(surplus) = arguments.get(most) {
        let wanted = match most {
            0 => "no arguments".to_owned(),
            1 => "one argument".to_owned(),
            more => format!("no more than {more} arguments"),
        };
        let comment = surplus.as_str().starts_with('#');
        let help = if comment {
            "a comment stands on a line of its own, not within a line or one that goes on"
        } else {
            "what belongs together stands in quotes"
        };
        diagnostics.push(
            Diagnostic::error(format!("{known} has {wanted}"))
                .label(&surplus.span(), "this is too much")
                .help(help),
        );
    } else {
        return true;
    }
    false
}

fn kept(name: &'static str, arguments: &[Text]) -> Directive {
    Directive::Kept { name, arguments: arguments.iter().map(own).collect() }
}

fn is_off(arguments: &[Text]) -> bool {
    matches!(arguments, [one] if one.as_str().eq_ignore_ascii_case("Off"))
}

fn own(text: &Text) -> String {
    text.as_str().to_owned()
}

/// The beginning of a text, enough to know it again.
fn shortened(text: &str) -> String {
    let mut start: String = text.chars().take(60).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

fn count(text: &Text, diagnostics: &Diagnostics) -> Option<u32> {
    number(text, 0..=u32::MAX, "the value", diagnostics)
}

fn limit(text: &Text, diagnostics: &Diagnostics) -> Option<u64> {
    number(text, 0..=u64::from(u32::MAX), "a limit", diagnostics)
}

fn marker(text: &Text, diagnostics: &Diagnostics) -> Option<String> {
    if text.is_empty() {
        diagnostics.push(Diagnostic::error("the marker's name is missing").at(&text.span()));
        return None;
    }
    Some(own(text))
}

fn separator(text: &Text, diagnostics: &Diagnostics) -> Option<u8> {
    match text.as_str().as_bytes() {
        [one] => Some(*one),
        _ => {
            diagnostics
                .push(Diagnostic::error("the separator is one ASCII character").at(&text.span()));
            None
        }
    }
}

fn unicode_map(arguments: &[Text], diagnostics: &Diagnostics) -> Option<Directive> {
    let codepage = match arguments.get(1) {
        Some(codepage) => Some(number(codepage, 0..=u32::MAX, "the code page", diagnostics)?),
        None => None,
    };
    Some(Directive::UnicodeMap { file: own(arguments.first()?), codepage })
}

fn remove_by_id(arguments: &[Text], diagnostics: &Diagnostics) -> Option<Directive> {
    let ranges: Vec<_> = arguments.iter().map(|it| ids(it, diagnostics)).collect();
    let ranges: Option<Vec<_>> = ranges.into_iter().collect();
    ranges.map(|all| Directive::RemoveById(all.concat()))
}

fn update_target_by_id(arguments: &[Text], diagnostics: &Diagnostics) -> Option<Directive> {
    let (ids, targets) = (ids(arguments.first()?, diagnostics), updated(arguments, diagnostics));
    let (targets, replaced) = targets?;
    Some(Directive::UpdateTargetById { ids: ids?, targets, replaced })
}

fn update_target_by_tag(arguments: &[Text], diagnostics: &Diagnostics) -> Option<Directive> {
    let tag = pattern::text(arguments.first()?, diagnostics);
    let (targets, replaced) = updated(arguments, diagnostics)?;
    Some(Directive::UpdateTargetByTag { tag: tag?, targets, replaced })
}

fn update_target_by_msg(arguments: &[Text], diagnostics: &Diagnostics) -> Option<Directive> {
    let msg = pattern::text(arguments.first()?, diagnostics);
    let (targets, replaced) = updated(arguments, diagnostics)?;
    Some(Directive::UpdateTargetByMsg { msg: msg?, targets, replaced })
}

/// The targets of an update, and the one that they stand in for.
type Updated = (Vec<Spanned<Target>>, Option<Spanned<Target>>);

fn updated(arguments: &[Text], diagnostics: &Diagnostics) -> Option<Updated> {
    let before = diagnostics.len();
    let new = targets(arguments.get(1)?, diagnostics);
    let replaced = arguments.get(2).map(|it| (it, targets(it, diagnostics)));
    if let Some((text, found)) = &replaced
        && found.len() > 1
    {
        diagnostics
            .push(Diagnostic::error("only one target can be replaced at a time").at(&text.span()));
    }
    let sound = diagnostics.len() == before;
    sound.then(|| (new, replaced.and_then(|(_, found)| found.into_iter().next())))
}

fn update_action_by_id(arguments: &[Text], diagnostics: &Diagnostics) -> Option<Directive> {
    let rule = arguments.first()?;
    let (id, offset) = match rule.split_at(|it| it == ':') {
        Some((id, offset)) => (id, Some(offset)),
        None => (rule.clone(), None),
    };
    let id = number(&id, 1..=u64::MAX, "the id of a rule", diagnostics);
    let chain_offset = match &offset {
        Some(offset) => number(offset, 0..=u32::MAX, "the place in the chain", diagnostics),
        None => Some(0),
    };
    let list = actions(arguments.get(1)?, diagnostics);
    let (id, chain_offset) = (id?, chain_offset?);
    if list.has_unread() {
        return None;
    }
    super::rule::check_update(&list, diagnostics)?;
    Some(Directive::UpdateActionById { id, chain_offset, actions: list.actions })
}
