//! A case in words: the requirement, and what happens step by step.

mod check;
mod journey;
mod origin;
mod step;

use std::fmt::Write as _;
use std::time::Duration;

use edgeproof_diagnostics::one_line;

use crate::model::{Case, SiteSpec, Template};

/// What a list of cases shows of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Its id.
    pub id: String,
    /// The first folder of its id.
    pub family: String,
    /// `must`, `should`, `may`, `observe`.
    pub level: &'static str,
    /// The section of the standard.
    pub spec: String,
    /// The requirement in one sentence.
    pub name: String,
    /// What the target must declare.
    pub needs: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// `file:line`.
    pub place: String,
}

/// What a list shows of a case.
pub fn listing(case: &Case) -> Listing {
    Listing {
        id: case.id.to_string(),
        family: case.id.family().to_owned(),
        level: case.level.as_str(),
        spec: case.spec.clone(),
        name: case.name.clone(),
        needs: case.needs.iter().map(|need| need.value.clone()).collect(),
        tags: case.tags.clone(),
        place: place(case),
    }
}

/// `file:line`.
fn place(case: &Case) -> String {
    format!("{}:{}", case.source.path(), case.span.position().line)
}

/// The requirement in words: name, section, level, why, what it needs, and the steps in plain
/// sentences. Ends with a line break.
pub fn explain(case: &Case) -> String {
    let mut text = format!("{}\n", one_line(&case.name));
    let level = case.level.as_str();
    line(&mut text, &one_line(&format!("{} · {level} · {}", case.spec, case.id)));
    line(&mut text, &one_line(&place(case)));
    if let Some(explain) = &case.explain {
        line(&mut text, &format!("\n{explain}"));
    }
    if !case.needs.is_empty() {
        let needs: Vec<&str> = case.needs.iter().map(|need| need.value.as_str()).collect();
        line(&mut text, &format!("\nThe target must have: {}.", needs.join(", ")));
    }
    if let Some(site) = site(&case.site) {
        line(&mut text, &format!("\nThe site: {site}."));
    }
    let origin = origin::sentences(&case.origin);
    if !origin.is_empty() {
        line(&mut text, "\nThe origin:");
        origin.iter().for_each(|sentence| line(&mut text, &format!("  - {sentence}.")));
    }
    line(&mut text, "\nThe steps:");
    for (number, case_step) in case.steps.iter().enumerate() {
        step::write(case_step, &format!("{}. ", number + 1), 2, &mut text);
    }
    if case.alone {
        line(&mut text, "\nIt runs while no other case does.");
    }
    text
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").unwrap_or_default();
}

fn site(site: &SiteSpec) -> Option<String> {
    let key = |(key, value): (&str, String)| match (key, value.as_str()) {
        (key, "") => key.to_owned(),
        (key, value) => format!("{key} = {value}"),
    };
    let mut keys: Vec<String> = site.keys().into_iter().map(key).collect();
    if let (Some(host), Some(first)) = (&site.host, keys.first_mut()) {
        *first = format!("host = {host}");
    }
    (!keys.is_empty()).then(|| keys.join(", "))
}

/// A text between backquotes, short and on one line.
fn shown(template: &Template) -> String {
    quoted(&template.to_display())
}

/// As [`shown`].
fn quoted(text: &str) -> String {
    const LONGEST: usize = 100;
    let mut shown = String::new();
    for (at, letter) in text.chars().enumerate() {
        if at == LONGEST {
            write!(shown, "… ({} octets)", text.len()).unwrap_or_default();
            break;
        }
        match letter {
            letter if letter.is_control() => shown.extend(letter.escape_default()),
            letter => shown.push(letter),
        }
    }
    format!("`{shown}`")
}

/// `1.5s`, `250ms`, `1h30m`.
fn duration(duration: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    if duration < Duration::from_secs(60) || duration.subsec_nanos() > 0 {
        return format!("{duration:?}");
    }
    let mut rest = duration.as_secs();
    let mut text = String::new();
    for (seconds, unit) in UNITS.iter().filter(|(seconds, _)| *seconds <= duration.as_secs()) {
        if rest / seconds > 0 {
            write!(text, "{}{unit}", rest / seconds).unwrap_or_default();
        }
        rest %= seconds;
    }
    text
}

/// `1 client`, `2 clients`.
fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}
