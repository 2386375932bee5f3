//! Lines that say nothing: of most directives the first value wins, and a file that is included at the top is read
//! before what stands below it (sshd_config(5)).

use std::collections::BTreeSet;

use super::config::{Condition, Configuration, Directive};
use super::daemon::Argument;
use super::effective::Effective;
use super::finding::{Level, Source, Weakness};
use super::rules::RULES;

/// Directives of which every line counts.
const ADD_UP: [&str; 12] = [
    "acceptenv",
    "allowgroups",
    "allowusers",
    "denygroups",
    "denyusers",
    "hostcertificate",
    "hostkey",
    "listenaddress",
    "logverbose",
    "port",
    "setenv",
    "subsystem",
];

/// A directive under its name of today, in lower case (servconf.c's aliases).
fn name_of_today(keyword: &str) -> &str {
    match keyword {
        "challengeresponseauthentication" | "skeyauthentication" => "kbdinteractiveauthentication",
        "dsaauthentication" => "pubkeyauthentication",
        "keepalive" => "tcpkeepalive",
        "hostbasedacceptedkeytypes" => "hostbasedacceptedalgorithms",
        "pubkeyacceptedkeytypes" => "pubkeyacceptedalgorithms",
        "hostdsakey" => "hostkey",
        other => other,
    }
}

/// As the manual writes it, where a rule knows it.
fn written(keyword: &str) -> String {
    let known = RULES.iter().find(|rule| rule.directive.eq_ignore_ascii_case(keyword));
    known.map_or_else(|| keyword.to_owned(), |rule| rule.directive.to_owned())
}

/// Something that is said of a directive.
struct Line<'s> {
    value: String,
    under: &'s [Condition],
    source: Source,
}

/// All that is said of a directive, in the order of reading: arguments, then files.
fn said_of<'s>(
    name: &str,
    configuration: &'s Configuration,
    arguments: &[Argument],
) -> Vec<Line<'s>> {
    let arguments = arguments.iter().filter(|argument| name_of_today(&argument.keyword) == name);
    let argument = |argument: &Argument| Line {
        value: argument.value.clone(),
        under: &[],
        source: Source::Argument(argument.text.clone()),
    };
    let own = |directive: &&Directive| name_of_today(&directive.keyword) == name;
    let line = |directive: &'s Directive| Line {
        value: directive.arguments.join(" "),
        under: &directive.under,
        source: Source::from(&directive.place),
    };
    let lines = configuration.directives.iter().filter(own).map(line);
    arguments.map(argument).chain(lines).collect()
}

/// Of several lines in one place the one that counts. It is the first, says the manual; of some directives
/// (MaxStartups, FingerprintHash) it is the last in some versions, so that what is in effect decides.
fn counts<'l, 's>(lines: &[&'l Line<'s>], in_effect: Option<&str>) -> Option<&'l Line<'s>> {
    let is = |line: &&&Line<'_>| in_effect.is_some_and(|is| is.eq_ignore_ascii_case(&line.value));
    lines.iter().find(is).or(lines.first()).copied()
}

/// Lines beside one of the same Match, or of none, that says otherwise and counts.
pub(super) fn lines(
    configuration: &Configuration,
    arguments: &[Argument],
    effective: Option<&Effective>,
) -> Vec<Weakness> {
    let names: BTreeSet<&str> =
        configuration.directives.iter().map(|said| name_of_today(&said.keyword)).collect();
    let mut found = Vec::new();
    for name in names.into_iter().filter(|name| !ADD_UP.contains(name)) {
        let said = said_of(name, configuration, arguments);
        let in_effect = effective.and_then(|effective| effective.value(name));
        for line in &said {
            let beside: Vec<&Line<'_>> =
                said.iter().filter(|other| other.under == line.under).collect();
            // What holds for all is in effect for the first who was asked about; a Match need not.
            let in_effect = in_effect.as_deref().filter(|_| line.under.is_empty());
            let Some(won) = counts(&beside, in_effect) else { continue };
            if won.value == line.value || matches!(line.source, Source::Argument(_)) {
                continue;
            }
            found.push(Weakness {
                level: Level::Should,
                directive: written(name),
                value: format!("{}, without effect", line.value),
                wanted: format!("one value: `{}` of {} counts", won.value, won.source),
                source: line.source.clone(),
                of: Vec::new(),
            });
        }
    }
    found
}

/// Where the value of a directive comes from, for who meets these conditions. A Match outdoes what is said of all.
pub(super) fn source(
    configuration: &Configuration,
    arguments: &[Argument],
    directive: &str,
    in_effect: Option<&str>,
    meets: impl Fn(&[Condition]) -> bool,
) -> Source {
    let name = directive.to_ascii_lowercase();
    let said = said_of(&name, configuration, arguments);
    let matched: Vec<&Line<'_>> =
        said.iter().filter(|line| !line.under.is_empty() && meets(line.under)).collect();
    let plain: Vec<&Line<'_>> = said.iter().filter(|line| line.under.is_empty()).collect();
    let won = counts(&matched, in_effect).or_else(|| counts(&plain, in_effect));
    won.map_or(Source::Default, |line| line.source.clone())
}

/// Whether sshd knows what a key exchange by group is for.
pub(super) fn exchanges_groups(effective: &Effective) -> bool {
    let exchanges = effective.value("KexAlgorithms").unwrap_or_default();
    exchanges.split(',').any(|name| name.starts_with("diffie-hellman-group-exchange-"))
}
