//! The ids of the rules that lines of a WAF's log tell of.
//!
//! | form | written by |
//! |---|---|
//! | `[id "942100"]`, also with `\"` | ModSecurity 2 and 3, Coraza |
//! | `"id": 942100`, `"ruleId":"942100"` in JSON | audit logs |
//! | `[date] [waf] - IP "REQUEST" - 942100 \| …` | the reference |

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::bytes::Regex;

/// The place of the second form.
const JSON: usize = 1;

static FORMS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r#"\[(?:id |\\?"id\\?":)\\?"([0-9]+)\\?"\]"#,
        r#"[{,]\s*\\?"(?:id|ruleId)\\?":\s*\\?"?([0-9]+)"#,
        r#"^\[[^\]]*\] \[waf\] - \S+ "[^"]*" - ([0-9]+) \| "#,
    ]
    .iter()
    .filter_map(|form| edgeproof_scenario::compile_regex(form).ok())
    .collect()
});

/// How ids are found in lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct RuleIds {
    /// A pattern of the user's own, whose first group is the id.
    own: Option<Regex>,
}

impl RuleIds {
    /// With a pattern of one's own, or by the known forms.
    pub(crate) fn new(own: Option<&str>) -> Result<Self, String> {
        let own = own.map(edgeproof_scenario::compile_regex).transpose();
        own.map(|own| Self { own }).map_err(|error| error.to_string())
    }

    /// All ids, each once. In a line of several forms only the first form that finds any counts.
    pub(crate) fn of(&self, lines: &[Vec<u8>]) -> BTreeSet<u64> {
        lines.iter().flat_map(|line| self.of_line(line)).collect()
    }

    /// Does any line leave it open whether a rule matched? ModSecurity 2 cuts long lines, at whose end the id
    /// stands, and gives up a rule whose pattern takes too long.
    pub(crate) fn leaves_open(&self, lines: &[Vec<u8>]) -> bool {
        let has = |line: &[u8], part: &[u8]| memchr::memmem::find(line, part).is_some();
        lines.iter().any(|line| {
            let cut = has(line, b"ModSecurity: Warning.") && self.of_line(line).is_empty();
            cut || has(line, b"Execution error - PCRE limits exceeded")
        })
    }

    fn of_line(&self, line: &[u8]) -> Vec<u64> {
        // Within a line of another form JSON is what the client sent.
        let is_json = matches!(line.trim_ascii_start().first(), Some(b'{' | b'['));
        let found = |form: &Regex| -> Vec<u64> {
            let id = |groups: regex::bytes::Captures<'_>| {
                std::str::from_utf8(groups.get(1)?.as_bytes()).ok()?.parse().ok()
            };
            form.captures_iter(line).filter_map(id).collect()
        };
        match &self.own {
            Some(own) => found(own),
            None => {
                let of_line = |(number, _): &(usize, &Regex)| is_json || *number != JSON;
                let mut forms =
                    FORMS.iter().enumerate().filter(of_line).map(|(_, form)| found(form));
                forms.find(|ids| !ids.is_empty()).unwrap_or_default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(own: Option<&str>, line: &str) -> Vec<u64> {
        let lines = [line.as_bytes().to_vec()];
        RuleIds::new(own).unwrap().of(&lines).into_iter().collect()
    }

    #[test]
    fn every_known_form_is_read() {
        assert_eq!(FORMS.len(), 3, "every form is a right regex");
        for (line, expected) in [
            (r#"ModSecurity: Warning. [file "x"] [id "942100"] [msg "id 1"]"#, &[942100][..]),
            (r#"a [id \"920100\"] b [id \"920200\"]"#, &[920100, 920200]),
            (r#"["id":"4"]"#, &[4]),
            (r#"{"id":4, "messages":[{"ruleId":"941100"}]}"#, &[4, 941100]),
            (
                r#"[16/Jul/2018:12:04:07 +0200] [waf] - 127.0.0.1 "GET /?id=\x22 HTTP/1.1" - 941100 | XSS with value: - 1 | x"#,
                &[941100],
            ),
            (r#"client sent id "1""#, &[]),
            (r#"ModSecurity: Warning. [data "x{\x22id\x22:1,"id":2}"]"#, &[]),
            (r#"[id "12345678901234567890123"]"#, &[]),
        ] {
            assert_eq!(ids(None, line), expected, "{line}");
        }
    }

    #[test]
    fn a_line_that_leaves_it_open_is_noticed() {
        let open = |line: &str| RuleIds::default().leaves_open(&[line.as_bytes().to_vec()]);
        assert!(open(r#"[client a] ModSecurity: Warning. Pattern match "x" at ARGS_NAMES:aaaaaa"#));
        assert!(open(
            r#"ModSecurity: Rule 7f [id "1"][file "f"] - Execution error - PCRE limits exceeded (-47): (null)."#
        ));
        assert!(!open(r#"[client a] ModSecurity: Warning. Pattern match "x" [id "942100"]"#));
        assert!(!open("[client a] ModSecurity: XML parsing error"));
    }

    #[test]
    fn a_pattern_of_ones_own_stands_in_for_them() {
        assert_eq!(ids(Some("rule=([0-9]+)"), r#"rule=7 [id "1"]"#), [7]);
        assert!(RuleIds::new(Some("(")).is_err());
    }
}
