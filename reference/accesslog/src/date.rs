//! Dates by strftime, rendered once a second.

use edgeproof_mutant::{self as mutant, Mutant};
use std::borrow::Cow;
use std::sync::{Mutex, TryLockError};

use jiff::{
    Timestamp, Zoned,
    fmt::strtime::{BrokenDownTime, Config, PosixCustom},
    tz::TimeZone,
};

use crate::mistake::{FormatError, Mistake};
use crate::record::When;

/// The date of the common log format: what a date variable without an argument prints.
pub(crate) const COMMON: &str = "%d/%b/%Y:%H:%M:%S %z";

/// A strftime format whose every directive is known to work.
///
/// On a busy server thousands of lines share a second, so all that a second fixes is kept
/// rendered and encoded; only directives below the second are rendered for each line.
#[derive(Debug)]
pub(crate) struct DateFormat {
    parts: Vec<Part>,
    may_be_empty: bool,
    /// All of it, if what it writes can be read back.
    readable: Option<String>,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
enum Part {
    /// Text and directives that are the same all through a second.
    Steady(String),
    /// `%3f`, `%.6f` and their like: digits cut off, after a point or not.
    Digits { point: bool, digits: usize },
    /// Any other form of `%f`, `%.f` and `%N`.
    Subsecond(String),
}

impl Part {
    /// What is below the second, by the directive's text.
    fn below_second(directive: &str) -> Self {
        let (point, width) = match directive.strip_prefix("%.") {
            Some(width) => (true, width),
            None => (false, &directive[1..]),
        };
        match *width.as_bytes() {
            [digit @ b'1'..=b'9', b'f'] => Self::Digits { point, digits: (digit - b'0').into() },
            _ => Self::Subsecond(directive.to_owned()),
        }
    }
}

/// The steady parts of one second in one zone.
#[derive(Debug)]
struct Kept {
    second: i64,
    zone: TimeZone,
    encoded: Vec<u8>,
    /// Where each part ends in `encoded`.
    ends: Vec<usize>,
}

impl DateFormat {
    /// Compiles `text`, which stands at byte `offset` of the log format.
    pub(crate) fn compile(text: &str, offset: usize) -> Result<Self, FormatError> {
        let mut parts: Vec<Part> = Vec::new();
        let mut may_be_empty = true;
        let (mut steady, mut whole) = (String::new(), String::new());
        let mut at = 0;
        while at < text.len() {
            let length = item_length(&text[at..]);
            let written = &text[at..at + length];
            let item = &without_modifier(written);
            whole.push_str(item);
            let subsecond = item.starts_with('%') && item.ends_with(['f', 'N']);
            if item.starts_with('%') {
                check(item).map_err(|reason| FormatError {
                    span: offset + at..offset + at + length,
                    mistake: Mistake::BadDirective { directive: written.to_owned(), reason },
                })?;
            }
            if subsecond {
                parts.extend(
                    (!steady.is_empty()).then(|| Part::Steady(std::mem::take(&mut steady))),
                );
                parts.push(Part::below_second(item));
            } else {
                steady.push_str(item);
            }
            // `%.f` prints nothing in a whole second.
            may_be_empty &= subsecond;
            at += length;
        }
        parts.extend((!steady.is_empty()).then_some(Part::Steady(steady)));
        let readable = is_readable(&whole).then_some(whole);
        Ok(Self { parts, may_be_empty, readable, kept: Mutex::new(None) })
    }

    /// Whether it may have written `text`: certain where it is not. Days that a month does not have
    /// and names of no month are found, in formats that strptime reads.
    pub(crate) fn may_write(&self, text: &[u8]) -> bool {
        let Some(format) = &self.readable else { return true };
        std::str::from_utf8(text).is_ok_and(|text| reads(format, text))
    }

    /// Whether the text can be of no length.
    pub(crate) fn may_be_empty(&self) -> bool {
        self.may_be_empty
    }

    /// Appends `at` with every stretch of text passed through `encode`, which must be the same
    /// function at every call. False, and nothing appended, where a directive cannot express `at`
    /// (`%y` before 1969).
    pub(crate) fn write(
        &self,
        at: When<'_>,
        encode: impl Fn(&[u8], &mut Vec<u8>),
        out: &mut Vec<u8>,
    ) -> bool {
        static UTC: TimeZone = TimeZone::UTC;
        let at = if mutant::is(Mutant::UtcAlways) { When { zone: &UTC, ..at } } else { at };
        match self.kept.try_lock() {
            Ok(mut kept) => self.write_kept(&mut kept, at, encode, out),
            Err(TryLockError::Poisoned(poisoned)) => {
                self.write_kept(&mut poisoned.into_inner(), at, encode, out)
            }
            // Another thread has it just now: rendering again is better than waiting.
            Err(TryLockError::WouldBlock) => self.write_kept(&mut None, at, encode, out),
        }
    }

    fn write_kept(
        &self,
        kept: &mut Option<Kept>,
        at: When<'_>,
        encode: impl Fn(&[u8], &mut Vec<u8>),
        out: &mut Vec<u8>,
    ) -> bool {
        let mut second = second(at.timestamp);
        if mutant::is(Mutant::KeepsDateForAMinute) {
            second -= second.rem_euclid(60);
        }
        if !kept.as_ref().is_some_and(|k| k.second == second && k.zone == *at.zone) {
            *kept = self.render(at, second, &encode);
        }
        let Some(kept) = kept else { return false };
        let nanosecond = at.timestamp.subsec_nanosecond().rem_euclid(SECOND);
        let restart = out.len();
        let mut start = 0;
        for (part, &end) in self.parts.iter().zip(&kept.ends) {
            match part {
                Part::Steady(_) => out.extend_from_slice(&kept.encoded[start..end]),
                Part::Digits { point, digits } => {
                    let mut text = *b".000000000";
                    put_digits(nanosecond.unsigned_abs(), &mut text[1..]);
                    encode(&text[usize::from(!point)..=*digits], out);
                }
                Part::Subsecond(directive) => {
                    let mut fraction = Fraction::default();
                    let mut time = BrokenDownTime::default();
                    if time.set_subsec_nanosecond(Some(nanosecond)).is_err()
                        || time.format(directive, &mut fraction).is_err()
                    {
                        out.truncate(restart);
                        return false;
                    }
                    encode(fraction.as_bytes(), out);
                }
            }
            start = end;
        }
        true
    }

    fn render(
        &self,
        at: When<'_>,
        second: i64,
        encode: impl Fn(&[u8], &mut Vec<u8>),
    ) -> Option<Kept> {
        let zoned = at.timestamp.to_zoned(at.zone.clone());
        let (mut encoded, mut ends) = (Vec::new(), Vec::new());
        for part in &self.parts {
            if let Part::Steady(text) = part {
                encode(format(text, &zoned).ok()?.as_bytes(), &mut encoded);
            }
            ends.push(encoded.len());
        }
        Some(Kept { second, zone: at.zone.clone(), encoded, ends })
    }
}

/// Nanoseconds.
const SECOND: i32 = 1_000_000_000;

/// The second that `at` lies in. Jiff cuts towards 1970, which is the next second before it.
fn second(at: Timestamp) -> i64 {
    at.as_second() - i64::from(at.subsec_nanosecond() < 0)
}

/// Fills `text` with the last digits of `number`.
fn put_digits(mut number: u32, text: &mut [u8]) {
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The length of the directive or the one character that `text` begins with.
fn item_length(text: &str) -> usize {
    let mut characters = text.char_indices();
    let first = characters.next().map_or(0, |(_, c)| c.len_utf8());
    if !text.starts_with('%') {
        return first;
    }
    let mut modified = false;
    for (at, character) in characters {
        match character {
            '_' | '-' | '^' | '#' | ':' | '.' | '0'..='9' => {}
            'E' | 'O' if !modified => modified = true,
            _ => return at + character.len_utf8(),
        }
    }
    text.len()
}

/// A directive without POSIX's modifiers `E` and `O`: they ask for a locale's own calendar and digits,
/// and the locale of a log has none. One that cannot have the modifier keeps it, and is refused.
fn without_modifier(item: &str) -> Cow<'_, str> {
    let mut last = item.char_indices().rev();
    let (Some((_, directive)), Some((at, modifier))) = (last.next(), last.next()) else {
        return Cow::Borrowed(item);
    };
    let modified = match modifier {
        'E' => "cCxXyY",
        'O' => "deHImMSuUVwWy",
        _ => "",
    };
    match item.starts_with('%') && at > 0 && modified.contains(directive) {
        true => Cow::Owned(format!("{}{directive}", &item[..at])),
        false => Cow::Borrowed(item),
    }
}

/// Whether strptime reads what it writes: directives that it knows, each with its end to be seen.
fn is_readable(format: &str) -> bool {
    const READ: [&str; 11] = ["%Y", "%m", "%b", "%d", "%H", "%M", "%S", "%F", "%T", "%z", "%:z"];
    let mut rest = format;
    while !rest.is_empty() {
        let (item, behind) = rest.split_at(item_length(rest));
        rest = behind;
        if !item.starts_with('%') {
            continue;
        }
        if matches!(item, "%S" | "%T") {
            rest = ["%.3f", "%.6f"].iter().find_map(|f| rest.strip_prefix(f)).unwrap_or(rest);
        }
        let offset = rest.starts_with("%z") || rest.starts_with("%:z");
        let ends = match item.ends_with('z') {
            true => !rest.starts_with(|next: char| next.is_ascii_digit() || "%.:".contains(next)),
            false => {
                offset
                    || !rest.starts_with(|next: char| next.is_ascii_digit() || "%.".contains(next))
            }
        };
        if !ends || !READ.contains(&item) {
            return false;
        }
    }
    true
}

/// Whether `text` is a date that `format` writes as it is.
fn reads(format: &str, text: &str) -> bool {
    let config = Config::new().custom(PosixCustom::new());
    let read = BrokenDownTime::parse(format, text);
    read.is_ok_and(|time| {
        time.to_string_with_config(&config, format).is_ok_and(|again| again == text)
            && (!has_date(&time) || time.to_date().is_ok())
    })
}

fn has_date(time: &BrokenDownTime) -> bool {
    time.year().is_some() && time.month().is_some() && time.day().is_some()
}

/// `text` in the POSIX locale, as the C library's strftime has it.
fn format(text: &str, at: &Zoned) -> Result<String, jiff::Error> {
    let config = Config::new().custom(PosixCustom::new());
    BrokenDownTime::from(at).to_string_with_config(&config, text)
}

/// Whether strftime has `directive`, found out by asking it.
fn check(directive: &str) -> Result<(), String> {
    let sample = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    match format(directive, &sample) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string();
            let reason = text.strip_prefix("strftime formatting failed: ").unwrap_or(&text);
            Err(reason.to_owned())
        }
    }
}

/// A rendered fraction of a second: a point, nine digits, and up to 20 of padding.
#[derive(Default)]
struct Fraction {
    text: [u8; 32],
    length: usize,
}

impl Fraction {
    fn as_bytes(&self) -> &[u8] {
        &self.text[..self.length]
    }
}

impl jiff::fmt::Write for &mut Fraction {
    fn write_str(&mut self, string: &str) -> Result<(), jiff::Error> {
        let room = self
            .text
            .get_mut(self.length..self.length + string.len())
            .ok_or_else(|| jiff::Error::from_args(format_args!("fraction too long")))?;
        room.copy_from_slice(string.as_bytes());
        self.length += string.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Zoned;

    fn text(date: &DateFormat, at: &str) -> String {
        let mut out = Vec::new();
        let zoned: Zoned = at.parse().unwrap();
        assert!(date.write((&zoned).into(), |raw, out| out.extend_from_slice(raw), &mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_kept_second_is_not_the_next_one_nor_another_zones() {
        let date = DateFormat::compile("%H:%M:%S%.3f %Z", 0).unwrap();
        assert_eq!(text(&date, "2024-07-01T12:00:00.25+02:00[Europe/Paris]"), "12:00:00.250 CEST");
        assert_eq!(text(&date, "2024-07-01T12:00:00.75+02:00[Europe/Paris]"), "12:00:00.750 CEST");
        assert_eq!(text(&date, "2024-07-01T12:00:01.75+02:00[Europe/Paris]"), "12:00:01.750 CEST");
        assert_eq!(text(&date, "2024-07-01T13:00:01.75+03:00[Africa/Cairo]"), "13:00:01.750 EEST");
    }

    #[test]
    fn seconds_before_1970_are_their_own() {
        let date = DateFormat::compile("%S%.1f", 0).unwrap();
        assert_eq!(text(&date, "1970-01-01T00:00:00.5+00:00[UTC]"), "00.5");
        assert_eq!(text(&date, "1969-12-31T23:59:59.5+00:00[UTC]"), "59.5");
    }

    #[test]
    fn summer_time_changes_between_two_seconds() {
        let date = DateFormat::compile("%T %z", 0).unwrap();
        assert_eq!(text(&date, "2024-03-31T01:59:59+01:00[Europe/Paris]"), "01:59:59 +0100");
        assert_eq!(text(&date, "2024-03-31T03:00:00+02:00[Europe/Paris]"), "03:00:00 +0200");
    }

    #[test]
    fn dates_are_those_of_the_c_library() {
        // As `LC_ALL=C date` prints them; `E` and `O` change nothing in this locale.
        for (directives, expected) in [
            ("%c", "Sun Mar  3 09:05:07 2024"),
            ("%x %X %r", "03/03/24 09:05:07 09:05:07 AM"),
            ("%Ec %EC %Ex %EX %Ey %EY", "Sun Mar  3 09:05:07 2024 20 03/03/24 09:05:07 24 2024"),
            ("%Od %Oe %OH %OI %Om %OM %OS", "03  3 09 09 03 05 07"),
            ("%Ou %OU %OV %Ow %OW %Oy", "7 09 09 0 09 24"),
            ("%a %A %b %B %h %C %d %D %e", "Sun Sunday Mar March Mar 20 03 03/03/24  3"),
            ("%F %G %g %H %I %j %k %l %m %M", "2024-03-03 2024 24 09 09 063  9  9 03 05"),
            ("%p %P %R %s %S %T %u %U %V %w %W", "AM am 09:05 1709453107 07 09:05:07 7 09 09 0 09"),
            ("%y %Y %z %:z %Z %%%n%t", "24 2024 +0100 +01:00 CET %\n\t"),
        ] {
            let date = DateFormat::compile(directives, 0).unwrap();
            assert_eq!(text(&date, "2024-03-03T09:05:07+01:00[Europe/Paris]"), expected);
        }
        for refused in ["%Ed", "%Oc", "%EOy", "%J", "%", "%E"] {
            assert!(DateFormat::compile(refused, 0).is_err(), "{refused}");
        }
    }

    #[test]
    fn every_fraction_renders() {
        for (directive, expected) in
            [("%f", "5"), ("%.f", ".5"), ("%N", "500000000"), ("%3f", "500"), ("%20f", "500000000")]
        {
            let date = DateFormat::compile(directive, 0).unwrap();
            assert_eq!(text(&date, "2024-03-31T01:59:59.5+01:00[Europe/Paris]"), expected);
        }
    }

    #[test]
    fn digits_are_those_of_strftime() {
        for at in [
            "1969-12-31T23:59:59.000000001Z",
            "2024-03-31T01:59:59.987654321Z",
            "2024-03-31T01:59:59Z",
        ] {
            let at = at.parse::<Timestamp>().unwrap().to_zoned(TimeZone::UTC);
            for digits in 1..=9 {
                for directive in [format!("%{digits}f"), format!("%.{digits}f")] {
                    let date = DateFormat::compile(&directive, 0).unwrap();
                    assert!(matches!(date.parts[..], [Part::Digits { .. }]));
                    assert_eq!(text(&date, &at.to_string()), format(&directive, &at).unwrap());
                }
            }
        }
    }
}
