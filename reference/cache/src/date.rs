//! HTTP-date in its three forms (RFC 9110 §5.6.7), as seconds since the Unix epoch.
//!
//! The forms are matched strictly (digits, separators, one space, `GMT`), their letters without
//! regard to case (RFC 9111 §4.2). A weekday has to be a weekday's name; whether it is that
//! day's is not checked.

use crate::{Moment, sabotage};

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const WEEKDAYS: [&[u8]; 7] =
    [b"Sunday", b"Monday", b"Tuesday", b"Wednesday", b"Thursday", b"Friday", b"Saturday"];

/// Parses an HTTP-date. `now` decides the century of the obsolete two-digit years: a date that
/// would lie more than 50 years ahead is one of the past (RFC 9110 §5.6.7). `None` if invalid.
#[must_use]
pub fn parse(text: &[u8], now: Moment) -> Option<i64> {
    let found = match text.len() {
        29 if text[3] == b',' => imf_fixdate(text),
        24 => asctime(text),
        _ => rfc850(text, now),
    };
    sabotage::reuse::date(found, text, now)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn imf_fixdate(text: &[u8]) -> Option<i64> {
    short_weekday(&text[..3])?;
    spaces(text, &[4, 7, 11, 16, 25])?;
    gmt(&text[26..])?;
    seconds(number(&text[12..16])?, month(&text[8..11])?, number(&text[5..7])?, &text[17..25])
}

/// `Sun Nov  6 08:49:37 1994`
fn asctime(text: &[u8]) -> Option<i64> {
    short_weekday(&text[..3])?;
    spaces(text, &[3, 7, 10, 19])?;
    let day = match &text[8..10] {
        [b' ', digit] => number(&[*digit])?,
        digits => number(digits)?,
    };
    seconds(number(&text[20..24])?, month(&text[4..7])?, day, &text[11..19])
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
fn rfc850(text: &[u8], now: Moment) -> Option<i64> {
    let comma = text.iter().position(|&byte| byte == b',')?;
    let (weekday, rest) = text.split_at(comma);
    WEEKDAYS.iter().find(|name| name.eq_ignore_ascii_case(weekday))?;
    if rest.len() != 24 || rest[4] != b'-' || rest[8] != b'-' {
        return None;
    }
    spaces(rest, &[1, 11, 20])?;
    gmt(&rest[21..])?;
    let (this_year, ..) = civil(now.second().div_euclid(86_400));
    let mut year = this_year - this_year.rem_euclid(100) + number(&rest[9..11])? + 100;
    let (month, day) = (month(&rest[5..8])?, number(&rest[2..4])?);
    while year > this_year + 50 {
        year -= 100;
    }
    let date = seconds(year, month, day, &rest[12..20])?;
    // In the fiftieth year itself the rest of the date decides.
    if year == this_year + 50 && date > later_by_fifty_years(now) {
        return seconds(year - 100, month, day, &rest[12..20]);
    }
    Some(date)
}

fn later_by_fifty_years(now: Moment) -> i64 {
    let second = now.second();
    let (year, month, day) = civil(second.div_euclid(86_400));
    days(year + 50, month, day) * 86_400 + second.rem_euclid(86_400)
}

fn short_weekday(text: &[u8]) -> Option<()> {
    WEEKDAYS.iter().any(|name| name[..3].eq_ignore_ascii_case(text)).then_some(())
}

fn month(text: &[u8]) -> Option<i64> {
    let index = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(text))?;
    Some(index as i64 + 1)
}

fn gmt(text: &[u8]) -> Option<()> {
    text.eq_ignore_ascii_case(b"GMT").then_some(())
}

fn spaces(text: &[u8], places: &[usize]) -> Option<()> {
    places.iter().all(|&place| text[place] == b' ').then_some(())
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0'))
    })
}

fn seconds(year: i64, month: i64, day: i64, time: &[u8]) -> Option<i64> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *time else { return None };
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[m1, m2])?, number(&[s1, s2])?);
    // 60 is a leap second; the grammar has it.
    if day < 1 || day > month_length(year, month) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the given day of the proleptic Gregorian calendar. Years are counted
/// from March, so that the leap day is the last of its year, in eras of 400 years.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

/// The reverse of [`days`]: year, month and day.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * of_era + of_era / 4 - of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + of_era + i64::from(month <= 2);
    (year, month, day_of_month)
}

/// 0000-01-01T00:00:00Z.
const FIRST: i64 = -62_167_219_200;
/// 9999-12-31T23:59:59Z.
const LAST: i64 = 253_402_300_799;

/// Writes `seconds` since the Unix epoch as an IMF-fixdate, the one form to generate
/// (RFC 9110 §5.6.7). Years are kept within 0 to 9999, all that the form can say.
#[must_use]
pub fn format(seconds: i64) -> [u8; 29] {
    let seconds = seconds.clamp(FIRST, LAST);
    let (day, time) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day_of_month) = civil(day);
    // 1970-01-01 was a Thursday.
    let weekday = WEEKDAYS[(day + 4).rem_euclid(7) as usize];
    let mut text = *b"Sun, 06 Nov 1994 08:49:37 GMT";
    text[..3].copy_from_slice(&weekday[..3]);
    text[8..11].copy_from_slice(MONTHS[(month - 1) as usize]);
    two(&mut text, 5, day_of_month);
    two(&mut text, 12, year / 100);
    two(&mut text, 14, year % 100);
    two(&mut text, 17, time / 3600);
    two(&mut text, 20, time / 60 % 60);
    two(&mut text, 23, time % 60);
    text
}

fn two(text: &mut [u8], at: usize, value: i64) {
    text[at] = b'0' + (value / 10) as u8;
    text[at + 1] = b'0' + (value % 10) as u8;
}
