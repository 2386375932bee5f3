//! HTTP-date (RFC 9110 §5.6.7): written as IMF-fixdate, read in all three forms.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

const IMF_FIXDATE: &str = "%a, %d %b %Y %H:%M:%S GMT";
const RFC_850: &str = "%A, %d-%b-%y %H:%M:%S GMT";
const ASCTIME: &str = "%a %b %e %H:%M:%S %Y";

/// As a sender must write it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn format(time: Timestamp) -> String {
    strtime::format(IMF_FIXDATE, &time.to_zoned(TimeZone::UTC)).unwrap_or_default()
}

/// Any of the three forms that a recipient must accept.
pub(crate) fn parse(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let civil = [IMF_FIXDATE, RFC_850, ASCTIME]
        .iter()
        .find_map(|form| DateTime::strptime(form, text).ok())?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_one_time() {
        let time: Timestamp = "1994-11-06T08:49:37Z".parse().unwrap();
        assert_eq!(format(time), "Sun, 06 Nov 1994 08:49:37 GMT");
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(text.as_bytes()), Some(time), "{text}");
        }
        assert_eq!(parse(b"0"), None);
    }
}
