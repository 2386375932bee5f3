//! Figures as people read them.

/// A number with as many digits as mean something: `2,604`, `63.7`, `0.38`.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    let decimals = match size {
        _ if value == value.trunc() && size < 1e15 => 0,
        s if s >= 100.0 => 0,
        s if s >= 10.0 => 1,
        s if s >= 0.1 => 2,
        _ => 4,
    };
    group(&format!("{value:.decimals$}"))
}

/// A figure with its unit. Times are told in seconds, or in milliseconds below one second, whatever
/// unit they were measured in, and carry it themselves: their second part is empty.
pub(crate) fn measured(value: f64, unit: &str) -> (String, String) {
    let second = match unit {
        "µs" | "us" => 1e6,
        "ms" => 1e3,
        "s" => 1.0,
        _ => return (number(value), unit.to_owned()),
    };
    let seconds = value / second;
    let text = match seconds.abs() >= 1.0 {
        true => format!("{} s", number(seconds)),
        false => format!("{} ms", number(value * (1e3 / second))),
    };
    (text, String::new())
}

/// Commas between the thousands.
fn group(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = rest.split_once('.').map_or((rest, None), |(w, f)| (w, Some(f)));
    let mut out = sign.to_owned();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) && digit.is_ascii_digit() {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// Milliseconds as `840 ms`, `3.2 s`, `2 min 05 s`.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{:.1} s", ms as f64 / 1000.0),
        _ => format!("{} min {:02} s", ms / 60_000, ms % 60_000 / 1000),
    }
}

/// Microseconds as `640 µs`, `1.2 ms`, `3.2 s`.
pub(crate) fn short_duration(us: u64) -> String {
    match us {
        0..1000 => format!("{us} µs"),
        1000..1_000_000 => format!("{:.1} ms", us as f64 / 1000.0),
        _ => format!("{:.1} s", us as f64 / 1_000_000.0),
    }
}

/// A share as `10 %`, with a decimal below ten.
pub(crate) fn percent(share: f64) -> String {
    let value = share * 100.0;
    if value == value.trunc() || value >= 10.0 {
        format!("{value:.0} %")
    } else {
        format!("{value:.1} %")
    }
}

/// `1 case`, `2 cases`.
pub(crate) fn plural(count: usize, word: &str) -> String {
    match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    }
}

/// `2026-11-21 20:45 UTC` of `2026-11-21T20:45:00Z`; what is no such time stays as it is.
pub(crate) fn date(started: &str) -> String {
    match (started.get(..10), started.get(11..16)) {
        (Some(day), Some(time)) if started.ends_with('Z') => format!("{day} {time} UTC"),
        _ => started.to_owned(),
    }
}
