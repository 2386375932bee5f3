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
            // Behind `/open/../shut` lies another page than the glob's: both forms have to match.
            let pattern = path.pattern();
            let _ = writeln!(
                text,
                "SecRule REQUEST_FILENAME \"@rx {pattern}\" \"id:{id},phase:1,pass,nolog,t:none,chain\"\n    \
                 SecRule REQUEST_FILENAME \"@rx {pattern}\" \"t:none,t:urlDecodeUni,t:normalizePathWin,ctl:ruleEngine=Off\""
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
    use super::*;
    use proptest::prelude::*;

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
            SecRule REQUEST_FILENAME "@rx ^/api/.*\x2ejson$" "t:none,t:urlDecodeUni,t:normalizePathWin,ctl:ruleEngine=Off"
        SecRule REQUEST_FILENAME "@rx ^.*$" "id:9,phase:1,pass,nolog,t:none,chain"
            SecRule REQUEST_FILENAME "@rx ^.*$" "t:none,t:urlDecodeUni,t:normalizePathWin,ctl:ruleEngine=Off"
        "#);
        insta::assert_snapshot!(exclusions.after(), @r"
        SecRuleRemoveById 920300
        SecRuleRemoveById 942000-942999
        ");
    }
}
