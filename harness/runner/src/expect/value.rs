//! A [`Value`] of a scenario against the lines of a field, a body, a list of names.

use std::cell::RefCell;

use edgeproof_scenario::model::{Count, Template, Value};
use edgeproof_scenario::{MissingVariable, compile_regex};
use jiff::Timestamp;
use regex::bytes::Regex;

use crate::http_date;
use crate::variables::Variables;
use crate::visible::quoted;

/// What templates and dates are about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) variables: &'a Variables,
    /// The case's clock.
    pub(crate) now: Timestamp,
    /// May what is told of a mismatch hold secrets?
    pub(crate) secrets: bool,
}

/// What was found: no line (absent), one or several.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'a> {
    lines: &'a [&'a [u8]],
    /// Between several lines, where they are seen as one value.
    joiner: &'static [u8],
}

impl<'a> Found<'a> {
    /// Field lines (RFC 9110 §5.3).
    pub(crate) fn field(lines: &'a [&'a [u8]]) -> Self {
        Self { lines, joiner: b", " }
    }

    /// Names as SSH and sshd write them.
    pub(crate) fn names(lines: &'a [&'a [u8]]) -> Self {
        Self { lines, joiner: b"," }
    }

    fn joined(&self) -> Option<Vec<u8>> {
        (!self.lines.is_empty()).then(|| self.lines.join(self.joiner))
    }

    fn shown(&self) -> String {
        match self.lines {
            [] => "nothing".to_owned(),
            [one] => quoted(one),
            // A list of names is one value.
            names if self.joiner == b"," => quoted(&names.join(self.joiner)),
            several => {
                let lines: Vec<_> = several.iter().map(|line| quoted(line)).collect();
                format!("{} lines: {}", several.len(), lines.join(", "))
            }
        }
    }
}

/// Expected and found, where they differ.
pub(crate) type Difference = (String, String);

/// Does it hold? A value that cannot be made does not.
pub(crate) fn value_holds(value: &Value, lines: &[&[u8]], scope: &Scope<'_>) -> bool {
    compare(value, Found::field(lines), scope).is_none()
}

/// How it differs, if it does.
pub(crate) fn compare(value: &Value, found: Found<'_>, scope: &Scope<'_>) -> Option<Difference> {
    if let Value::All(values) = value {
        return values.iter().find_map(|value| compare(value, found, scope));
    }
    match judge(value, found, scope) {
        Ok((true, _)) => None,
        Ok((false, expected)) => Some((expected, shown_against(value, found, scope))),
        Err(why) => Some((why.to_string(), found.shown())),
    }
}

/// The regex, compiled once where thousands of lines are held against the same.
fn compiled(pattern: &str) -> Option<Regex> {
    thread_local! {
        static LAST: RefCell<Option<(String, Regex)>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| {
        if let Some((known, regex)) = last
            && known == pattern
        {
            return Some(regex.clone());
        }
        let regex = compile_regex(pattern).ok()?;
        *last = Some((pattern.to_owned(), regex.clone()));
        Some(regex)
    })
}

/// Does it hold, and what is expected in words?
fn judge(
    value: &Value,
    found: Found<'_>,
    scope: &Scope<'_>,
) -> Result<(bool, String), MissingVariable> {
    let joined = found.joined();
    let text = joined.as_deref();
    let fill = |template: &Template| scope.variables.fill(template, scope.now);
    let regex = |template: &Template| {
        let pattern = String::from_utf8_lossy(&fill(template)?).into_owned();
        Ok((compiled(&pattern), pattern))
    };
    Ok(match value {
        Value::Equals(template) => {
            let wanted = fill(template)?;
            (text == Some(&wanted[..]), quoted(&wanted))
        }
        Value::Not(template) => {
            let unwanted = fill(template)?;
            (text != Some(&unwanted[..]), format!("anything but {}", quoted(&unwanted)))
        }
        Value::Matches(template) => {
            let (regex, pattern) = regex(template)?;
            let holds = regex.zip(text).is_some_and(|(regex, text)| regex.is_match(text));
            (holds, format!("a match of /{pattern}/"))
        }
        Value::NotMatches(template) => {
            let (regex, pattern) = regex(template)?;
            let holds = regex.is_some_and(|regex| text.is_none_or(|text| !regex.is_match(text)));
            (holds, format!("no match of /{pattern}/"))
        }
        Value::Contains(template) => {
            let part = fill(template)?;
            (text.is_some_and(|text| holds_part(text, &part)), format!("{} in it", quoted(&part)))
        }
        Value::NotContains(template) => {
            let part = fill(template)?;
            let holds = text.is_none_or(|text| !holds_part(text, &part));
            (holds, format!("no {} in it", quoted(&part)))
        }
        Value::Absent => (found.lines.is_empty(), "absent".to_owned()),
        Value::Present => (!found.lines.is_empty(), "present".to_owned()),
        Value::Count(count) => {
            (count.holds(found.lines.len() as u64), format!("{} lines", words(*count)))
        }
        Value::Lines(templates) => {
            let wanted = templates.iter().map(fill).collect::<Result<Vec<_>, _>>()?;
            let shown: Vec<_> = wanted.iter().map(|line| quoted(line)).collect();
            (found.lines == wanted, format!("exactly the lines {}", shown.join(", ")))
        }
        Value::Between(low, high) => {
            let number = text.and_then(number);
            let holds = number.is_some_and(|number| (*low..=*high).contains(&number));
            (holds, format!("a number between {low} and {high}"))
        }
        Value::Size(count) => {
            let holds = text.is_some_and(|text| count.holds(text.len() as u64));
            (holds, format!("{} octets", words(*count)))
        }
        Value::DateBetween(low, high) => {
            let date = text.and_then(http_date::parse);
            let offset = date.map(|date| date.as_millisecond() - scope.now.as_millisecond());
            let holds = offset.is_some_and(|offset| (*low..=*high).contains(&offset));
            (holds, format!("a date between {low} ms and {high} ms from now"))
        }
        Value::Includes(templates) => {
            let wanted = templates.iter().map(fill).collect::<Result<Vec<_>, _>>()?;
            let members = members(text);
            let missing = wanted.iter().filter(|it| !members.contains(&&it[..]));
            let missing: Vec<_> = missing.map(|it| quoted(it)).collect();
            (missing.is_empty(), format!("{} in the list", missing.join(", ")))
        }
        Value::Excludes(templates) => {
            let unwanted = templates.iter().map(fill).collect::<Result<Vec<_>, _>>()?;
            let members = members(text);
            let there = unwanted.iter().filter(|it| members.contains(&&it[..]));
            let there: Vec<_> = there.map(|it| quoted(it)).collect();
            (there.is_empty(), format!("no {} in the list", there.join(", no ")))
        }
        Value::Only(templates) => {
            let wanted = templates.iter().map(fill).collect::<Result<Vec<_>, _>>()?;
            let members = members(text);
            let all = members.iter().all(|member| wanted.iter().any(|it| it == member));
            let shown: Vec<_> = wanted.iter().map(|it| quoted(it)).collect();
            (all && !members.is_empty(), format!("nothing in the list but {}", shown.join(", ")))
        }
        Value::First(template) => {
            let wanted = fill(template)?;
            let first = members(text).first().copied();
            (first == Some(&wanted[..]), format!("{} as the first of the list", quoted(&wanted)))
        }
        Value::OneOf(templates) => {
            let wanted = templates.iter().map(fill).collect::<Result<Vec<_>, _>>()?;
            let shown: Vec<_> = wanted.iter().map(|it| quoted(it)).collect();
            (wanted.iter().any(|it| text == Some(&it[..])), format!("one of {}", shown.join(", ")))
        }
        // Reached only inside `compare`, which takes them apart.
        Value::All(values) => (
            values.iter().all(|value| compare(value, found, scope).is_none()),
            "all of several".to_owned(),
        ),
    })
}

/// What was found, with the first difference pointed at where both are long, and with the numbers that
/// the comparison is about.
fn shown_against(value: &Value, found: Found<'_>, scope: &Scope<'_>) -> String {
    let shown = found.shown();
    let Some(text) = found.joined() else { return shown };
    match value {
        Value::Equals(template) => {
            let Ok(wanted) = scope.variables.fill(template, scope.now) else { return shown };
            let at = wanted.iter().zip(&text).position(|(a, b)| a != b);
            let at = at.unwrap_or(wanted.len().min(text.len()));
            if text.len() < 60 {
                return shown;
            }
            let around = &text[at.saturating_sub(20)..text.len().min(at + 20)];
            let sizes = format!("{} octets instead of {}", text.len(), wanted.len());
            format!("{shown} ({sizes}; they differ at octet {at}: {})", quoted(around))
        }
        Value::Size(_) => format!("{} octets", text.len()),
        Value::Count(_) => format!("{} ({shown})", found.lines.len()),
        Value::DateBetween(..) => match http_date::parse(&text) {
            Some(date) => {
                let offset = date.as_millisecond() - scope.now.as_millisecond();
                format!("{shown}, {offset} ms from now")
            }
            None => format!("{shown}, which is no HTTP-date"),
        },
        _ => shown,
    }
}

/// `3`, `between 1 and 2`, `at least 1`, `at most 4`.
pub(crate) fn words(count: Count) -> String {
    match (count.min, count.max) {
        (min, max) if min == max => min.to_string(),
        (min, u64::MAX) => format!("at least {min}"),
        (0, max) => format!("at most {max}"),
        (min, max) => format!("between {min} and {max}"),
    }
}

fn number(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

fn holds_part(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

/// The members of a comma-separated list.
fn members(text: Option<&[u8]>) -> Vec<&[u8]> {
    text.unwrap_or_default()
        .split(|b| *b == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Template {
        Template::literal(text)
    }

    /// Every comparison against lines that it does not hold for; each must hold for the others.
    #[test]
    fn every_comparison_says_what_it_expected_and_what_it_found() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let count = |min, max| Count { min, max };
        let all = vec![Value::Present, Value::Contains(text("b"))];
        let cases: Vec<(Value, Vec<&str>, Vec<&str>)> = vec![
            (Value::Equals(text("one")), vec!["one"], vec!["two"]),
            (Value::Equals(text("a, b")), vec!["a", "b"], vec![]),
            (Value::Not(text("one")), vec![], vec!["one"]),
            (Value::Matches(text("^a+$")), vec!["aa"], vec!["ab\u{1b}"]),
            (Value::NotMatches(text("b")), vec![], vec!["ab"]),
            (Value::Contains(text("b")), vec!["abc"], vec!["ac"]),
            (Value::NotContains(text("b")), vec![], vec!["abc"]),
            (Value::Absent, vec![], vec![""]),
            (Value::Present, vec![""], vec![]),
            (Value::Count(count(2, 2)), vec!["a", "b"], vec!["a, b"]),
            (Value::Lines(vec![text("a"), text("b")]), vec!["a", "b"], vec!["a, b"]),
            (Value::Between(30.0, 32.0), vec!["31"], vec!["33"]),
            (Value::Size(count(0, 3)), vec!["one"], vec!["three"]),
            (Value::DateBetween(-1000, 1000), vec![date], vec!["Sun, 06 Nov 1994 08:50:37 GMT"]),
            (Value::Includes(vec![text("a"), text("b")]), vec!["b,a ,c"], vec!["a, c"]),
            (Value::Excludes(vec![text("a")]), vec!["ab"], vec!["b", "a"]),
            (Value::Only(vec![text("a")]), vec!["a"], vec!["a,b"]),
            (Value::Only(vec![text("a")]), vec!["a,a"], vec![]),
            (Value::First(text("a")), vec!["a,b"], vec!["b,a"]),
            (Value::OneOf(vec![text("a"), text("b")]), vec!["b"], vec!["c"]),
            (Value::All(all), vec!["b"], vec!["a"]),
        ];
        let variables = Variables::default();
        let now = http_date::parse(date.as_bytes()).unwrap();
        let scope = Scope { variables: &variables, now, secrets: false };
        let mut told = Vec::new();
        for (value, good, bad) in &cases {
            let octets =
                |lines: &[&'static str]| lines.iter().map(|it| it.as_bytes()).collect::<Vec<_>>();
            assert_eq!(compare(value, Found::field(&octets(good)), &scope), None, "{value:?}");
            let bad = octets(bad);
            let (expected, found) = compare(value, Found::field(&bad), &scope).expect("it differs");
            told.push(format!("expected {expected}, found {found}"));
        }
        insta::assert_snapshot!(told.join("\n"), @r#"
        expected "one", found "two"
        expected "a, b", found nothing
        expected anything but "one", found "one"
        expected a match of /^a+$/, found "ab\x1b"
        expected no match of /b/, found "ab"
        expected "b" in it, found "ac"
        expected no "b" in it, found "abc"
        expected absent, found ""
        expected present, found nothing
        expected 2 lines, found 1 ("a, b")
        expected exactly the lines "a", "b", found "a, b"
        expected a number between 30 and 32, found "33"
        expected at most 3 octets, found 5 octets
        expected a date between -1000 ms and 1000 ms from now, found "Sun, 06 Nov 1994 08:50:37 GMT", 60000 ms from now
        expected "b" in the list, found "a, c"
        expected no "a" in the list, found 2 lines: "b", "a"
        expected nothing in the list but "a", found "a,b"
        expected nothing in the list but "a", found nothing
        expected "a" as the first of the list, found "b,a"
        expected one of "a", "b", found "c"
        expected "b" in it, found "a"
        "#);
    }

    #[test]
    fn long_texts_are_shown_where_they_differ() {
        let variables = Variables::default();
        let scope = Scope { variables: &variables, now: Timestamp::UNIX_EPOCH, secrets: false };
        let wanted = Value::Equals(text(&"a".repeat(100)));
        let found = format!("{}b{}", "a".repeat(70), "a".repeat(29));
        let (_, found) = compare(&wanted, Found::field(&[found.as_bytes()]), &scope).unwrap();
        assert!(found.ends_with("(100 octets instead of 100; they differ at octet 70: \"aaaaaaaaaaaaaaaaaaaabaaaaaaaaaaaaaaaaaaa\")"), "{found}");
    }
}
