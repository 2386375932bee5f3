//! The rates as Markdown: side by side for all targets, then by class, then what they leave out.

use std::fmt::Write as _;

use super::count::{Rates, any};
use super::interval::Rate;
use super::sample::{Fate, Kind, Sample, Set, Why};
use crate::markdown::{cell, code};
use crate::number::plural;

/// No case that measures.
pub(crate) const NOTHING: &str = "No case of these recordings is an attack or an innocent text that \
                                  a WAF was asked about (tags `attack`, `innocent`).";

/// The whole document.
pub(crate) fn table(rates: &Rates) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = document(&mut text, rates);
    text
}

fn document(text: &mut String, rates: &Rates) -> std::fmt::Result {
    if rates.settings().is_empty() {
        writeln!(text, "{NOTHING}")?;
        return unavailable(text, rates);
    }
    let (attacks, innocents) = (rates.cases(Kind::Attack, any), rates.cases(Kind::Innocent, any));
    writeln!(
        text,
        "{} and {}. *Detection*: the share of the attacks that did not reach the origin. *False\n\
         positives*: the share of the innocent texts that did not. In parentheses within which the true\n\
         share lies with 95 % confidence (Wilson). A failure that is listed as known counts as what it is.",
        plural(attacks, "attack"),
        plural(innocents, "innocent text")
    )?;
    for (title, set) in [
        ("All", None),
        ("Open: known to those who tune", Some(Set::Open)),
        ("Held out", Some(Set::HeldOut)),
    ] {
        side_by_side(text, rates, title, set)?;
    }
    classes(text, rates)?;
    twins(text, rates)?;
    without_rules(text, rates)?;
    unknown(text, rates)?;
    unavailable(text, rates)
}

/// A row a setting, two columns a target.
fn side_by_side(
    text: &mut String,
    rates: &Rates,
    title: &str,
    set: Option<Set>,
) -> std::fmt::Result {
    let targets = rates.targets();
    let which = |sample: &Sample| set.is_none_or(|set| sample.set == set);
    writeln!(text, "\n## {title}\n")?;
    write!(text, "| profile | level |")?;
    for target in &targets {
        let version = rates.version(target).map(|it| format!(" {}", cell(it))).unwrap_or_default();
        write!(text, " {}{version}: detection | false positives |", code(target))?;
    }
    writeln!(text, "\n|---|---|{}", "---:|---:|".repeat(targets.len()))?;
    for setting in rates.settings() {
        write!(text, "| {} | {} |", cell(&setting.profile), cell(setting.level()))?;
        for target in &targets {
            for kind in Kind::ALL {
                let place = (*target, setting.profile.as_str(), setting.level());
                write!(text, " {} |", in_full(rates.rate(place, kind, which)))?;
            }
        }
        writeln!(text)?;
    }
    Ok(())
}

/// `586 of 763: **76.8 %** (73.7 to 79.7)`.
fn in_full(rate: Option<Rate>) -> String {
    let Some(rate) = rate else { return "not played".to_owned() };
    let (Some(share), Some((low, high))) = (rate.share(), rate.interval()) else {
        return "none".to_owned();
    };
    format!(
        "{} of {}: **{} %** ({} to {})",
        rate.hits(),
        rate.of(),
        tenths(share),
        tenths(low),
        tenths(high)
    )
}

/// A share as a percentage with one decimal. Not all is never shown as 100, nor something as 0.
pub(crate) fn tenths(share: f64) -> String {
    match (share * 1000.0).round() / 10.0 {
        100.0 if share < 1.0 => "99.9".to_owned(),
        0.0 if share > 0.0 => "0.1".to_owned(),
        percent => format!("{percent:.1}"),
    }
}

/// A table a profile and kind: a row a class, a column a target and level.
fn classes(text: &mut String, rates: &Rates) -> std::fmt::Result {
    writeln!(text, "\n## By class\n")?;
    writeln!(
        text,
        "In percent, each for the paranoia levels {}.",
        cell(&rates.levels().join(", "))
    )?;
    for profile in rates.profiles() {
        for (kind, title) in [(Kind::Attack, "detection"), (Kind::Innocent, "false positives")] {
            let classes = rates.classes(kind);
            if classes.is_empty() {
                continue;
            }
            writeln!(text, "\n<details><summary>Profile {}: {title}</summary>\n", code(profile))?;
            one_kind(text, rates, profile, kind, &classes)?;
            writeln!(text, "\n</details>")?;
        }
    }
    Ok(())
}

fn one_kind(
    text: &mut String,
    rates: &Rates,
    profile: &str,
    kind: Kind,
    classes: &[&str],
) -> std::fmt::Result {
    let (targets, levels) = (rates.targets(), rates.levels());
    write!(text, "| class | cases |")?;
    for target in &targets {
        for (place, level) in levels.iter().enumerate() {
            let name = if place == 0 { format!("{} ", code(target)) } else { String::new() };
            write!(text, " {name}{} |", cell(level))?;
        }
    }
    writeln!(text, "\n|---|---:|{}", "---:|".repeat(targets.len() * levels.len()))?;
    for class in classes {
        let of_class = |sample: &Sample| sample.class == *class;
        write!(text, "| {} | {} |", cell(class), rates.cases(kind, of_class))?;
        for target in &targets {
            for level in &levels {
                let rate = rates.rate((target, profile, level), kind, of_class);
                write!(text, " {} |", in_short(rate))?;
            }
        }
        writeln!(text)?;
    }
    Ok(())
}

fn in_short(rate: Option<Rate>) -> String {
    rate.and_then(Rate::share).map_or_else(|| "–".to_owned(), whole)
}

/// A share as a whole percentage, under the rule of [`tenths`].
pub(crate) fn whole(share: f64) -> String {
    match (share * 100.0).round() {
        100.0 if share < 1.0 => "99".to_owned(),
        0.0 if share > 0.0 => "1".to_owned(),
        percent => format!("{percent:.0}"),
    }
}

fn twins(text: &mut String, rates: &Rates) -> std::fmt::Result {
    let targets = rates.targets();
    writeln!(text, "\n## Detected, and the innocent twin blocked too\n")?;
    writeln!(
        text,
        "Each attack has a twin: innocent text in the same place. Where the twin is blocked as well, that the\n\
         attack was, says nothing of the attack. These are counted above."
    )?;
    write!(text, "\n| profile | level |")?;
    for target in &targets {
        write!(text, " {} |", code(target))?;
    }
    writeln!(text, "\n|---|---|{}", "---:|".repeat(targets.len()))?;
    for setting in rates.settings() {
        write!(text, "| {} | {} |", cell(&setting.profile), cell(setting.level()))?;
        for target in &targets {
            match rates.twins((target, &setting.profile, setting.level())) {
                Some(rate) => write!(text, " {} of {} |", rate.hits(), rate.of())?,
                None => write!(text, " not played |")?,
            }
        }
        writeln!(text)?;
    }
    Ok(())
}

/// The negative control.
fn without_rules(text: &mut String, rates: &Rates) -> std::fmt::Result {
    writeln!(text, "\n## Without any rule\n")?;
    let controls = rates.controls();
    if controls.is_empty() {
        return writeln!(
            text,
            "Not played (`--site waf=none`): what a proxy refuses by itself counts above as the merit of its\n\
             rules."
        );
    }
    writeln!(
        text,
        "What the same proxy refuses with no rules at all is no merit of a rule: it counts in no rate of that\n\
         target above, neither among the detected nor among all.\n\n\
         | target | attacks that were refused | innocent texts that were refused |\n|---|---:|---:|"
    )?;
    for (target, samples) in &controls {
        write!(text, "| {} |", code(target))?;
        for kind in Kind::ALL {
            let mut rate = Rate::default();
            let known = |it: &&Sample| it.kind == kind && !matches!(it.fate, Fate::Unknown(_));
            let all = samples.values().filter(known);
            all.for_each(|sample| rate.add(sample.fate == Fate::Blocked));
            write!(text, " {} of {} |", rate.hits(), rate.of())?;
        }
        writeln!(text)?;
    }
    for target in rates.targets() {
        if !controls.iter().any(|(name, _)| *name == target) {
            writeln!(text, "\n{} was not played without rules.", code(target))?;
        }
    }
    for (target, samples) in controls {
        let refused = samples.values().filter(|it| it.fate == Fate::Blocked);
        let ids: Vec<&str> = refused.map(|sample| sample.id.as_str()).collect();
        if ids.is_empty() {
            continue;
        }
        let count = plural(ids.len(), "case");
        writeln!(text, "\n<details><summary>{}: {count}</summary>\n", code(target))?;
        for id in ids {
            writeln!(text, "- {}", code(id))?;
        }
        writeln!(text, "\n</details>")?;
    }
    Ok(())
}

fn unknown(text: &mut String, rates: &Rates) -> std::fmt::Result {
    writeln!(text, "\n## Not known\n")?;
    let unknown = rates.unknown();
    if unknown.is_empty() {
        return writeln!(text, "No case was skipped, and none ended in an error.");
    }
    writeln!(text, "In no rate, neither as detected nor as missed:\n")?;
    write!(text, "| target | profile | level |")?;
    for why in Why::ALL {
        write!(text, " {} |", why.as_str())?;
    }
    writeln!(text, "\n|---|---|---|{}", "---:|".repeat(Why::ALL.len()))?;
    for (target, setting, counts) in unknown {
        let (profile, level) = (cell(&setting.profile), cell(setting.level()));
        write!(text, "| {} | {profile} | {level} |", code(target))?;
        for why in Why::ALL {
            write!(text, " {} |", counts.get(&why).unwrap_or(&0))?;
        }
        writeln!(text)?;
    }
    Ok(())
}

fn unavailable(text: &mut String, rates: &Rates) -> std::fmt::Result {
    for (target, why) in rates.unavailable() {
        writeln!(text, "\n{} is not available here: {}", code(target), cell(why))?;
    }
    Ok(())
}
