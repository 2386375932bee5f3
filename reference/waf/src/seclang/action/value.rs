//! Values that are one of a few words or a number.

use std::ops::RangeInclusive;
use std::str::FromStr;

use edgeproof_diagnostics::{Diagnostic, Diagnostics};

use crate::seclang::text::{Text, is_blank};

/// The value that one of these words stands for; case does not count.
pub(in crate::seclang) fn one_of<T: Copy>(
    text: &Text,
    words: &[(&'static str, T)],
    diagnostics: &Diagnostics,
) -> Option<T> {
    let written = text.as_str();
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(written));
    if found.is_none() {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let help = format!("it is one of {}", known.join(", "));
        diagnostics.push(
            Diagnostic::error(format!("unknown value `{written}`")).at(&text.span()).help(help),
        );
    }
    found.map(|(_, value)| *value)
}

/// `On` or `Off`.
pub(in crate::seclang) fn on_off(text: &Text, diagnostics: &Diagnostics) -> Option<bool> {
    one_of(text, &[("On", true), ("Off", false)], diagnostics)
}

/// A whole number within these bounds; `what` names it.
pub(in crate::seclang) fn number<T>(
    text: &Text,
    bounds: RangeInclusive<T>,
    what: &str,
    diagnostics: &Diagnostics,
) -> Option<T>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    let written = text.as_str();
    let digits = !written.is_empty() && written.bytes().all(|it| it.is_ascii_digit());
    let found = digits.then(|| written.parse().ok()).flatten().filter(|it| bounds.contains(it));
    if found.is_none() {
        let (least, most) = bounds.into_inner();
        diagnostics.push(
            Diagnostic::error(format!("{what} is a number from {least} to {most}"))
                .label(&text.span(), "this is none"),
        );
    }
    found
}

/// Rule ids and ranges of them: `1000 2000-2999`, parted by commas or white space.
pub(in crate::seclang) fn ids(
    text: &Text,
    diagnostics: &Diagnostics,
) -> Option<Vec<RangeInclusive<u64>>> {
    let parts = text.parts(|it| it == ',' || is_blank(it));
    if parts.is_empty() {
        diagnostics.push(Diagnostic::error("the id of a rule is missing").at(&text.span()));
        return None;
    }
    parts.iter().map(|part| range(part, diagnostics)).collect()
}

fn range(text: &Text, diagnostics: &Diagnostics) -> Option<RangeInclusive<u64>> {
    let number = |part: &Text| {
        let written = part.as_str();
        let digits = !written.is_empty() && written.bytes().all(|it| it.is_ascii_digit());
        digits.then(|| written.parse::<u64>().ok()).flatten()
    };
    let (first, last) = match text.split_at(|it| it == '-') {
        Some((first, last)) => (number(&first), number(&last)),
        None => (number(text), number(text)),
    };
    let problem = match (first, last) {
        (Some(first), Some(last)) if first <= last => return Some(first..=last),
        (Some(_), Some(_)) => "the range ends before it begins",
        _ => "neither the id of a rule nor a range such as 1000-1999",
    };
    diagnostics.push(Diagnostic::error("bad range of rules").label(&text.span(), problem));
    None
}
