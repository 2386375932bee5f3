//! What a site's rules leave alone: single rules, paths, clients.

use std::fmt::{self, Write};
use std::ops::RangeInclusive;
use std::str::FromStr;

use ipnet::IpNet;

/// What the rules of a site leave alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exclusions {
    /// Rules that do not hold, by id.
    pub rules: Vec<RangeInclusive<u64>>,
    /// Paths that are not looked at, matched without the query.
    pub paths: Vec<PathGlob>,
    /// Clients that are not looked at.
    pub clients: Vec<IpNet>,
}

/// A path with `*` for any text and `?` for any one character.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathGlob(String);

/// Bytes that UTF-8 never has: `%c0%af` is a slash to who decodes it without looking (RFC 3629 §10).
const OVERLONG: &str = r"[\xc0\xc1\xf8-\xfd]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]";

/// What some origin takes for a step up or aside, in a path that was decoded twice: a segment of dots, also one with a
/// parameter behind it (`..;x`) or blanks, a backslash, a control octet, and what is encoded once more.
const STEP: &str = r"(?:^|[/\x5c])[. ]*[.][. ]*(?:[/\x5c;]|$)|\x5c|[\x00-\x1f\x7f]|%(?:u[0-9A-Fa-f]{2})?[0-9A-Fa-f]{2}";

/// Why a text is no glob of a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a path that begins with `/` or `*`, of visible ASCII characters, such as `/admin/*`"
)]
pub struct PathGlobError;

impl FromStr for PathGlob {
    type Err = PathGlobError;

    fn from_str(text: &str) -> Result<Self, PathGlobError> {
        let visible = text.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && byte != b'#');
        (visible && text.starts_with(['/', '*']))
            .then(|| Self(text.to_owned()))
            .ok_or(PathGlobError)
    }
}

impl fmt::Display for PathGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PathGlob {
    /// The glob as an argument of @rx, fit to stand in double quotes.
    fn pattern(&self) -> String {
        let mut pattern = String::from("^");
        for character in self.0.chars() {
            match character {
                '*' => pattern.push_str(".*"),
                '?' => pattern.push('.'),
                'a'..='z' | 'A'..='Z' | '0'..='9' | '/' | '-' | '_' => pattern.push(character),
                // In hexadecimal nothing needs a second escape for SecLang's quotes or macros.
                other => {
                    let _ = write!(pattern, "\\x{:02x}", u32::from(other));
                }
            }
        }
        pattern.push('$');
        pattern
    }
}

impl Exclusions {
    /// The rules that stand before all others; `id` is the first free number.
    pub(super) fn before(&self, mut id: u64) -> String {
        let mut text = String::new();
        if !self.clients.is_empty() {
            let clients: Vec<String> = self.clients.iter().map(ToString::to_string).collect();
            let _ = writeln!(
                text,
                "SecRule REMOTE_ADDR \"@ipMatch {}\" \"id:{id},phase:1,pass,nolog,t:none,ctl:ruleEngine=Off\"",
                clients.join(",")
            );
            id += 1;
        }
        for path in &self.paths {
            // Behind `/open/../shut` lies another page than the glob's: both forms have to match, and
            // nothing may be left that an origin could take for such a step.
            let pattern = path.pattern();
            let _ = writeln!(
                text,
                "SecRule REQUEST_FILENAME \"@rx {pattern}\" \"id:{id},phase:1,pass,nolog,t:none,chain\"\n    \
                 SecRule REQUEST_FILENAME \"@rx {pattern}\" \"t:none,t:urlDecodeUni,t:normalizePathWin,chain\"\n    \
                 SecRule REQUEST_FILENAME \"!@rx {OVERLONG}\" \"t:none,t:urlDecodeUni,chain\"\n    \
                 SecRule REQUEST_FILENAME \"!@rx {STEP}\" \"t:none,t:urlDecodeUni,t:utf8toUnicode,t:urlDecodeUni,ctl:ruleEngine=Off\""
            );
            id += 1;
        }
        text
    }

    /// What stands after all others.
    pub(super) fn after(&self) -> String {
        let mut text = String::new();
        for ids in &self.rules {
            let _ = match (ids.start(), ids.end()) {
                (first, last) if first == last => writeln!(text, "SecRuleRemoveById {first}"),
                (first, last) => writeln!(text, "SecRuleRemoveById {first}-{last}"),
            };
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use edgeproof_diagnostics::Source;
    use proptest::prelude::*;

    use super::*;
    use crate::seclang::parse_text;
    use crate::{Connection, Moment, RequestLine, RuleSet, Transaction, Verdict};

    /// The meaning of a glob, told in another way.
    fn matches(glob: &[u8], path: &[u8]) -> bool {
        match (glob, path) {
            ([], []) => true,
            ([b'*', glob @ ..], _) => (0..=path.len()).any(|at| matches(glob, &path[at..])),
            ([b'?', glob @ ..], [_, path @ ..]) => matches(glob, path),
            ([a, glob @ ..], [b, path @ ..]) if a == b => matches(glob, path),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_pattern_matches_what_its_glob_does(glob in "/[a-c.*?+(\"%$/]{0,8}", path in "/[a-c.+(\"%$/]{0,8}") {
            let pattern = glob.parse::<PathGlob>().unwrap().pattern();
            prop_assert!(!pattern.contains('"'));
            let regex = regex::bytes::RegexBuilder::new(&pattern).unicode(false).build().unwrap();
            prop_assert_eq!(regex.is_match(path.as_bytes()), matches(glob.as_bytes(), path.as_bytes()));
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "admin/*", "/a b", "/a#b", "/ä", "/a\n"] {
            assert_eq!(text.parse::<PathGlob>(), Err(PathGlobError), "{text:?}");
        }
    }

    /// Whether a request for a path is looked at where `glob` is left alone.
    fn is_looked_at(glob: &str, path: &str) -> bool {
        let exclusions = Exclusions { paths: vec![glob.parse().unwrap()], ..Exclusions::default() };
        let text =
            format!("SecRuleEngine On\n{}SecAction \"id:99,phase:1,deny\"\n", exclusions.before(1));
        let program = parse_text(&Source::new("rules.conf", text), Path::new("")).unwrap();
        let rules = Arc::new(RuleSet::from_program(program).unwrap());
        let ends =
            Connection { client: ([192, 0, 2, 7], 1).into(), server: ([192, 0, 2, 8], 80).into() };
        let store = Arc::default();
        let mut transaction = Transaction::new(&rules, &store, ends, "an-id", Moment::utc(0));
        let line = format!("GET {path} HTTP/1.1");
        let line = RequestLine {
            line: line.as_bytes(),
            method: Some(b"GET"),
            target: Some(path.as_bytes()),
            version: Some(b"HTTP/1.1"),
        };
        transaction.request(line, [(&b"Host"[..], &b"shop.example"[..])]) != Verdict::Pass
    }

    #[test]
    fn what_an_origin_may_take_for_another_page_is_looked_at() {
        for path in [
            "/admin",
            "/api/../admin",
            "/api/%2e%2e/admin",
            "/api/.%2E/admin",
            "/api/..%2fadmin",
            "/api/..%5cadmin",
            "/api/..\\admin",
            "/api/x\\..\\admin",
            "/api/..;/admin",
            "/api/..;x=1/admin",
            "/api/.%2e;/admin",
            "/api/..%3b/admin",
            "/api/.;/x",
            "/api/..",
            "/api/%252e%252e/admin",
            "/api/%25252e%25252e/admin",
            "/api/..%252fadmin",
            "/api/..%255cadmin",
            "/api/%u002e%u002e/admin",
            "/api/%25u002e%25u002e/admin",
            "/api/%ef%bc%8e%ef%bc%8e/admin",
            "/api/..%c0%af/admin",
            "/api/%c0%ae%c0%ae/admin",
            "/api/%e0%80%ae%e0%80%ae/admin",
            "/api/%f0%80%80%ae./admin",
            "/api/..%00/admin",
            "/api/..%09/admin",
            "/api/..%20/admin",
            "/api/...%2f/admin",
        ] {
            assert!(is_looked_at("/api/*", path), "{path}");
        }
        for path in [
            "/api/",
            "/api/x?y=../z",
            "/api/.well-known/x",
            "/api/a..b/...c",
            "/api/100%25",
            "/api/a;v=1/b",
            "/api/caf%C3%A9/%E2%82%AC",
            "/api/two%20words/a+b",
            "/api/v1.2/file.json",
        ] {
            assert!(!is_looked_at("/api/*", path), "{path}");
        }
    }

    #[test]
    fn exclusions_become_rules() {
        let exclusions = Exclusions {
            rules: vec![920_300..=920_300, 942_000..=942_999],
            paths: vec!["/api/*.json".parse().unwrap(), "*".parse().unwrap()],
            clients: vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
        };
        insta::assert_snapshot!(exclusions.before(7), @r#"
        SecRule REMOTE_ADDR "@ipMatch 10.0.0.0/8,::1/128" "id:7,phase:1,pass,nolog,t:none,ctl:ruleEngine=Off"
        SecRule REQUEST_FILENAME "@rx ^/api/.*\x2ejson$" "id:8,phase:1,pass,nolog,t:none,chain"
            SecRule REQUEST_FILENAME "@rx ^/api/.*\x2ejson$" "t:none,t:urlDecodeUni,t:normalizePathWin,chain"
            SecRule REQUEST_FILENAME "!@rx [\xc0\xc1\xf8-\xfd]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]" "t:none,t:urlDecodeUni,chain"
            SecRule REQUEST_FILENAME "!@rx (?:^|[/\x5c])[. ]*[.][. ]*(?:[/\x5c;]|$)|\x5c|[\x00-\x1f\x7f]|%(?:u[0-9A-Fa-f]{2})?[0-9A-Fa-f]{2}" "t:none,t:urlDecodeUni,t:utf8toUnicode,t:urlDecodeUni,ctl:ruleEngine=Off"
        SecRule REQUEST_FILENAME "@rx ^.*$" "id:9,phase:1,pass,nolog,t:none,chain"
            SecRule REQUEST_FILENAME "@rx ^.*$" "t:none,t:urlDecodeUni,t:normalizePathWin,chain"
            SecRule REQUEST_FILENAME "!@rx [\xc0\xc1\xf8-\xfd]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]" "t:none,t:urlDecodeUni,chain"
            SecRule REQUEST_FILENAME "!@rx (?:^|[/\x5c])[. ]*[.][. ]*(?:[/\x5c;]|$)|\x5c|[\x00-\x1f\x7f]|%(?:u[0-9A-Fa-f]{2})?[0-9A-Fa-f]{2}" "t:none,t:urlDecodeUni,t:utf8toUnicode,t:urlDecodeUni,ctl:ruleEngine=Off"
        "#);
        insta::assert_snapshot!(exclusions.after(), @r"
        SecRuleRemoveById 920300
        SecRuleRemoveById 942000-942999
        ");
    }
}
