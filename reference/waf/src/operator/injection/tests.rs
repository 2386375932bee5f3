use super::sqli::fingerprint;
use super::xss::is_xss;

fn shown(value: &str) -> Option<String> {
    let fingerprint = fingerprint(value.as_bytes())?;
    Some(fingerprint.as_bytes().escape_ascii().to_string())
}

#[test]
fn sql_is_told_by_its_fingerprint() {
    for (value, expected) in
        [("1' OR '1'='1", Some("s&sos")), ("hello world", None), ("it's fine", None)]
    {
        assert_eq!(shown(value).as_deref(), expected, "{value}");
    }
}

#[test]
fn html_is_told_by_what_runs() {
    for value in ["<script>", "x' onerror=alert(1) '", "<svg/onload=1>"] {
        assert!(is_xss(value.as_bytes()), "{value}");
    }
    for value in ["", "1 < 2", "<b>bold</b>", "a=b", "<a href='http://x'>"] {
        assert!(!is_xss(value.as_bytes()), "{value}");
    }
}

#[test]
fn a_single_word_is_no_injection() {
    for word in super::words::all() {
        let letters = word.bytes().all(|byte| byte.is_ascii_alphabetic());
        assert!(!letters || shown(word).is_none(), "{word}");
    }
}
