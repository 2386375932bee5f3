//! Many searches over the same files, compiled together, answer as each of them does alone, and as a regex a
//! line does.

mod host;

use edgeproof_agent::{Search, investigate};
use host::Host;
use proptest::prelude::*;
use regex::bytes::RegexBuilder;

const PATTERNS: [&str; 16] = [
    "^alpha .*$",
    "^beta$",
    "^(alpha 1|beta|gamma .+)$",
    r"^\s*$",
    "a",
    "^#.*",
    r"^\s*((alpha)|(beta))",
    r"^\w+$",
    "[0-9]$",
    "^alpha 12?$",
    "(?i)ALPHA",
    r"\bbeta\b",
    "!^beta",
    "!x",
    "^alpha",
    "",
];

fn holds(pattern: &str, every_line: bool, lines: &[String]) -> bool {
    let (text, inverted) = match pattern.strip_prefix('!') {
        Some(text) => (text, true),
        None => (pattern, false),
    };
    let regex = RegexBuilder::new(text).unicode(false).build().expect("a regex");
    match every_line {
        true => lines.iter().all(|line| regex.is_match(line.as_bytes()) != inverted),
        false => lines.iter().any(|line| regex.is_match(line.as_bytes())) != inverted,
    }
}

fn search(host: &Host, pattern: &str, every_line: bool) -> Search {
    let mut search = Search::named(pattern);
    search.add_path(&host.text("")).expect("a path");
    search.add_content(pattern).expect("a content");
    search.options().macroal = every_line;
    search.checked().expect("a search")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn together_as_alone(
        lines in proptest::collection::vec("(alpha|beta|gamma|#|x| |)( 1| 12|)", 1..6),
        asked in proptest::collection::vec((0..PATTERNS.len(), any::<bool>()), 1..40),
    ) {
        let host = Host::new();
        host.write("file", lines.join("\n") + "\n");
        let searches: Vec<Search> =
            asked.iter().map(|(pattern, every)| search(&host, PATTERNS[*pattern], *every)).collect();
        let findings = investigate(&searches, None);
        prop_assert_eq!(findings.counts.read, 1, "one look for all");
        for (index, (pattern, every)) in asked.iter().enumerate() {
            let found = findings.found.iter().any(|found| found.search == index);
            prop_assert_eq!(found, holds(PATTERNS[*pattern], *every, &lines), "{} {}", PATTERNS[*pattern], every);
        }
    }
}
