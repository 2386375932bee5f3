//! Every [`Check`] against what was seen.

use edgeproof_scenario::model::{Check, Count, FileCheck, OriginCheck, Value};

use super::seen::{Facts, FileState, Seen};
use super::value::{Found, Scope, compare, words};
use super::{Mismatch, log_mismatches, rules_mismatches};
use crate::client::{Ended, Heard};
use crate::origin::Record;
use crate::payload::{is_secret, mask};
use crate::visible::quoted;
use crate::wire::{Answer, Fields};

/// What does not hold of one check; nothing when it holds.
pub(crate) fn evaluate(check: &Check, seen: &Seen<'_>, scope: &Scope<'_>) -> Vec<Mismatch> {
    match check {
        Check::Status(status) => of_answer(seen, "status", &status.to_string(), |answer| {
            let found = format!("{} {}", answer.status, String::from_utf8_lossy(&answer.reason));
            (!status.holds(answer.status)).then(|| (status.to_string(), found))
        }),
        Check::Reason(value) => of_answer(seen, "the reason phrase", "an answer", |answer| {
            compare(value, Found::field(&[&answer.reason]), scope)
        }),
        Check::Version(value) => of_answer(seen, "the version", "an answer", |answer| {
            compare(value, Found::field(&[answer.version.as_bytes()]), scope)
        }),
        Check::Header(name, value) => {
            of_answer(seen, &format!("the field {name}"), "an answer", |answer| {
                field(&answer.fields, name, value, scope)
            })
        }
        Check::Trailer(name, value) => {
            of_answer(seen, &format!("the trailer {name}"), "an answer", |answer| {
                field(&answer.content.trailers, name, value, scope)
            })
        }
        Check::Body(value) => {
            of_answer(seen, "the body", "an answer", |answer| body(value, answer, scope))
        }
        Check::Interim(wanted) => interim(wanted, seen),
        Check::Complete(None) => Vec::new(),
        Check::Complete(Some(wanted)) => complete(*wanted, seen),
        Check::ConnectionOpen(wanted) => connection(*wanted, seen),
        Check::NoAnswer(wanted) => no_answer(*wanted, seen),
        Check::Answered(wanted) => answered(*wanted, seen),
        Check::Answer(value) => whole_answer(value, seen, scope),
        Check::Answers(wanted) => equal("the answers", wanted, &seen.statuses),
        Check::Time { above, below } => time(*above, *below, seen),
        Check::OriginRequests(wanted) => {
            count("requests at the origin", *wanted, seen.origin_requests)
        }
        Check::OriginConnections(wanted) => {
            count("connections at the origin", *wanted, seen.origin_connections)
        }
        Check::OriginSaw(check) => origin_saw(check, seen, scope),
        Check::AccessLog(check) => {
            let reader = seen.log_reader.as_deref();
            log_mismatches("the access log", check, seen.access_log.as_ref(), reader, scope)
        }
        Check::WafLog(check) => {
            log_mismatches("the WAF log", check, seen.waf_log.as_ref(), None, scope)
        }
        Check::UpstreamLog(check) => {
            log_mismatches("the upstream's log", check, seen.upstream_log.as_ref(), None, scope)
        }
        Check::WafRules(check) => rules_mismatches(check, seen.waf_rules.as_ref()),
        Check::File(path, check) => file(path, check, seen, scope),
        Check::Processes { matching, count } => processes(matching, *count, seen, scope),
        Check::Ssh(key, value) => fact("ssh", key, value, seen.ssh, scope),
        Check::SshConfig(key, value) => fact("the configuration's", key, value, seen.config, scope),
        Check::Load(key, wanted) => load(key, *wanted, seen),
    }
}

fn one(what: &str, difference: Option<(String, String)>) -> Vec<Mismatch> {
    difference.map(|(expected, found)| Mismatch::new(what, expected, found)).into_iter().collect()
}

/// The last final answer, or a mismatch that says why there is none.
fn of_answer(
    seen: &Seen<'_>,
    what: &str,
    expected: &str,
    judge: impl FnOnce(&Answer) -> Option<(String, String)>,
) -> Vec<Mismatch> {
    match seen.heard.and_then(|heard| heard.answers.last()) {
        Some(answer) => one(what, judge(answer)),
        None => vec![Mismatch::new(what, expected, silence(seen.heard))],
    }
}

/// Why there is no answer.
fn silence(heard: Option<&Heard>) -> String {
    let Some(heard) = heard else { return "nothing, since nothing was sent".to_owned() };
    let why = heard.note().unwrap_or_else(|| "nothing came".to_owned());
    format!("no answer ({why})")
}

fn field(
    fields: &Fields,
    name: &str,
    value: &Value,
    scope: &Scope<'_>,
) -> Option<(String, String)> {
    let lines: Vec<&[u8]> = fields.lines(name).collect();
    let (expected, found) = compare(value, Found::field(&lines), scope)?;
    let hidden = is_secret(name.as_bytes()) && !scope.secrets && !lines.is_empty();
    Some((expected, if hidden { MASKED.to_owned() } else { found }))
}

/// What is told in place of a secret field's value.
const MASKED: &str = "a value that only --show-secrets shows";

fn body(value: &Value, answer: &Answer, scope: &Scope<'_>) -> Option<(String, String)> {
    // The size is that of the whole, also where only the beginning is kept.
    if let Value::Size(wanted) = value {
        let size = answer.content.size;
        let words = || (format!("{} octets", words(*wanted)), format!("{size} octets"));
        return (!wanted.holds(size)).then(words);
    }
    compare(value, Found::field(&[&answer.content.bytes]), scope)
}

fn interim(wanted: &[u16], seen: &Seen<'_>) -> Vec<Mismatch> {
    let Some(heard) = seen.heard else {
        return vec![Mismatch::new("the interim answers", format!("{wanted:?}"), silence(None))];
    };
    let before = heard.answers.last().map(|answer| &answer.interim);
    let found: Vec<u16> =
        before.unwrap_or(&heard.interim).iter().map(|interim| interim.status).collect();
    equal("the interim answers", wanted, &found)
}

fn equal(what: &str, wanted: &[u16], found: &[u16]) -> Vec<Mismatch> {
    let differs = (wanted != found).then(|| (format!("{wanted:?}"), format!("{found:?}")));
    one(what, differs)
}

fn complete(wanted: bool, seen: &Seen<'_>) -> Vec<Mismatch> {
    let found = seen.heard.and_then(|heard| heard.answers.last());
    let is_complete = found.is_some_and(|answer| answer.complete);
    let words = |complete| if complete { "a whole answer" } else { "an answer cut off" };
    if is_complete == wanted && seen.heard.is_some() {
        return Vec::new();
    }
    let found = match found {
        Some(answer) => {
            let size = answer.content.size;
            format!("{}, {size} octets of content", words(answer.complete))
        }
        None => silence(seen.heard),
    };
    vec![Mismatch::new("the answer's end", words(wanted), found)]
}

fn connection(wanted: bool, seen: &Seen<'_>) -> Vec<Mismatch> {
    let words = |open| if open { "open" } else { "closed" };
    let found = seen.open.map_or("none", words);
    let holds = seen.open == Some(wanted);
    one("the connection", (!holds).then(|| (words(wanted).to_owned(), found.to_owned())))
}

fn no_answer(wanted: bool, seen: &Seen<'_>) -> Vec<Mismatch> {
    let silent = seen.heard.is_some_and(|heard| {
        heard.received.size == 0 && matches!(heard.ended, Ended::Closed | Ended::Reset)
    });
    if silent == wanted {
        return Vec::new();
    }
    let expected = if wanted { "no answer, and the connection closed" } else { "an answer" };
    let found = match seen.heard.and_then(|heard| heard.answers.last()) {
        Some(answer) => format!("{} {}", answer.status, String::from_utf8_lossy(&answer.reason)),
        None => silence(seen.heard),
    };
    vec![Mismatch::new("the answer", expected, found)]
}

/// An answer is one whose head could be read. Where there was no connection nobody could have answered.
fn answered(wanted: bool, seen: &Seen<'_>) -> Vec<Mismatch> {
    let connected = seen.heard.filter(|heard| !matches!(heard.ended, Ended::NotConnected(_)));
    let answer = seen.heard.and_then(|heard| heard.answers.last());
    if connected.is_some() && answer.is_some() == wanted {
        return Vec::new();
    }
    let expected = if wanted { "one" } else { "none that can be read" };
    let found = match answer {
        Some(answer) => format!("{} {}", answer.status, String::from_utf8_lossy(&answer.reason)),
        None => silence(seen.heard),
    };
    vec![Mismatch::new("the answer", expected, found)]
}

fn whole_answer(value: &Value, seen: &Seen<'_>, scope: &Scope<'_>) -> Vec<Mismatch> {
    let received = seen.heard.map_or(&[][..], |heard| &heard.received.beginning);
    let lines = [received];
    let found = if received.is_empty() { &lines[..0] } else { &lines[..] };
    let difference = compare(value, Found::field(found), scope).map(|(expected, found)| {
        let masked = mask(received);
        let is_shown = scope.secrets || masked == *received;
        (expected, if is_shown { found } else { quoted(&masked) })
    });
    one("the whole answer", difference)
}

fn time(
    above: Option<std::time::Duration>,
    below: Option<std::time::Duration>,
    seen: &Seen<'_>,
) -> Vec<Mismatch> {
    let Some(found) = seen.duration() else {
        return vec![Mismatch::new("the time", "a time", silence(None))];
    };
    let late = below.filter(|below| found > *below).map(|below| format!("at most {below:?}"));
    let early = above.filter(|above| found < *above).map(|above| format!("at least {above:?}"));
    one("the time", late.or(early).map(|expected| (expected, format!("{found:?}"))))
}

fn count(what: &str, wanted: Count, found: u64) -> Vec<Mismatch> {
    one(what, (!wanted.holds(found)).then(|| (words(wanted), found.to_string())))
}

fn origin_saw(check: &OriginCheck, seen: &Seen<'_>, scope: &Scope<'_>) -> Vec<Mismatch> {
    let records = match (check.all, seen.origin_records.as_slice()) {
        (_, []) => {
            let found = "that no request reached it";
            return vec![Mismatch::new("what the origin saw", "a request", found)];
        }
        (true, all) => all,
        (false, [.., last]) => std::slice::from_ref(last),
    };
    let of = |record| saw(check, record, scope);
    records.iter().map(of).find(|mismatches| !mismatches.is_empty()).unwrap_or_default()
}

fn saw(check: &OriginCheck, record: &Record, scope: &Scope<'_>) -> Vec<Mismatch> {
    let whole = |what: &str, value: &Option<Value>, found: &[u8]| {
        let value = value.as_ref()?;
        let (expected, found) = compare(value, Found::field(&[found]), scope)?;
        Some(Mismatch::new(format!("the {what} that the origin saw"), expected, found))
    };
    let named = |kind: &str, wanted: &[(String, Value)], fields: &Fields| {
        let of = |(name, value): &(String, Value)| {
            let (expected, found) = field(fields, name, value, scope)?;
            Some(Mismatch::new(format!("the {kind} {name} that the origin saw"), expected, found))
        };
        wanted.iter().filter_map(of).collect::<Vec<_>>()
    };
    whole("method", &check.method, record.method.as_bytes())
        .into_iter()
        .chain(whole("path", &check.path, record.path.as_bytes()))
        .chain(named("field", &check.headers, &record.fields))
        .chain(whole("body", &check.body, &record.body))
        .chain(named("trailer", &check.trailers, &record.trailers))
        .collect()
}

fn file(
    path: &edgeproof_scenario::model::Template,
    check: &FileCheck,
    seen: &Seen<'_>,
    scope: &Scope<'_>,
) -> Vec<Mismatch> {
    let path = match scope.variables.fill(path, scope.now) {
        Ok(path) => String::from_utf8_lossy(&path).into_owned(),
        // `held` and `audit` are the target's to say.
        Err(missing) => return vec![Mismatch::new("files", "a path", missing.to_string())],
    };
    let nothing = FileState::default();
    let state = seen.files.get(&path).unwrap_or(&nothing);
    let exists = !state.files.is_empty();
    let may_lack = check.count.is_some_and(|count| count.min == 0);
    let wanted = check.exists.or((!may_lack).then_some(true));
    let said = |exists| if exists { "a file" } else { "no file" };
    if let Some(trouble) = &state.trouble {
        // Something is there, if only a folder: neither a file nor no file.
        let expected = said(wanted.unwrap_or_default());
        return one(&path, Some((expected.to_owned(), trouble.clone())));
    }
    if wanted.is_some_and(|wanted| wanted != exists) {
        return one(&path, Some((said(!exists).to_owned(), said(exists).to_owned())));
    }
    let counted = check.count.filter(|count| !count.holds(state.files.len() as u64)).map(|count| {
        Mismatch::new(format!("files at {path}"), words(count), state.files.len().to_string())
    });
    // One that differs says enough of them.
    let mode = check.mode.and_then(|wanted| {
        let (mode, _) = state.files.iter().find(|(mode, _)| *mode != wanted)?;
        let (what, wanted) = (format!("the mode of {path}"), format!("{wanted:04o}"));
        Some(Mismatch::new(what, wanted, format!("{mode:04o}")))
    });
    let differs = check.content.as_ref().and_then(|value| {
        let mut contents = state.files.iter();
        let (expected, found) =
            contents.find_map(|(_, content)| compare(value, Found::field(&[content]), scope))?;
        Some(Mismatch::new(format!("the content of {path}"), expected, found))
    });
    counted.into_iter().chain(mode).chain(differs).collect()
}

fn processes(
    matching: &edgeproof_scenario::model::Template,
    wanted: Count,
    seen: &Seen<'_>,
    scope: &Scope<'_>,
) -> Vec<Mismatch> {
    let Ok(pattern) = scope.variables.fill(matching, scope.now) else { return Vec::new() };
    let pattern = String::from_utf8_lossy(&pattern).into_owned();
    let Ok(regex) = edgeproof_scenario::compile_regex(&pattern) else { return Vec::new() };
    let found = seen.processes.iter().filter(|line| regex.is_match(line.as_bytes())).count() as u64;
    let what = format!("processes whose command line matches /{pattern}/");
    let all = || format!("{found}; the target's processes are {:?}", seen.processes);
    one(&what, (!wanted.holds(found)).then(|| (words(wanted), all())))
}

fn fact(
    of: &str,
    key: &str,
    value: &Value,
    facts: Option<&Facts>,
    scope: &Scope<'_>,
) -> Vec<Mismatch> {
    let what = format!("{of} {key}");
    let Some(facts) = facts else {
        return vec![Mismatch::new(what, "an answer of the SSH service", "no probe in this case")];
    };
    let values = facts.0.get(key).map(Vec::as_slice).unwrap_or_default();
    let lines: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
    one(&what, compare(value, Found::names(&lines), scope))
}

fn load(key: &str, wanted: Count, seen: &Seen<'_>) -> Vec<Mismatch> {
    let found = seen.load.and_then(|load| match key {
        "requests" => Some(load.requests),
        "errors" => Some(load.errors),
        "non_2xx" => Some(load.non_2xx),
        _ => None,
    });
    match found {
        Some(found) => {
            let mut mismatches = count(&format!("{key} of the load"), wanted, found);
            if let Some(first) = seen.load.and_then(|load| load.first_error.as_deref()) {
                let first = format!("; the first error: {first}");
                mismatches.iter_mut().for_each(|mismatch| mismatch.found.push_str(&first));
            }
            mismatches
        }
        None => {
            vec![Mismatch::new(format!("{key} of the load"), words(wanted), "no load in this case")]
        }
    }
}
