//! A difference as a file that a person keeps: a test in the ftw format, which plays as it is.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ledger::{Difference, Sides};
use super::request::Request;

/// A comment holds no longer line of the request.
const LONGEST_LINE: usize = 160;

/// The file's text: a test that expects what the second target does, so that the first fails it for as long
/// as they differ. `found` says how it was found.
pub fn kept(request: &Request, difference: &Difference, sides: &Sides, found: &str) -> String {
    let mut text = String::new();
    let list = |rules: &mut dyn Iterator<Item = &u64>| {
        rules.map(u64::to_string).collect::<Vec<_>>().join(", ")
    };
    let rule = difference.first.iter().chain(&difference.second).next().copied().unwrap_or(0);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "# {}", difference.told(sides));
    let _ = writeln!(text, "# What {} does is expected. Found by: {found}", sides.second);
    if request.half_closes() {
        text.push_str("# The sending half is closed after it, which this format cannot say.\n");
    }
    text.push_str("#\n");
    for line in request.wire().trim_ascii_end().split(|octet| *octet == b'\n') {
        let _ = writeln!(text, "#   {}", shown(line));
    }
    let _ = write!(
        text,
        "---\nmeta:\n  author: edgeproof differ\nrule_id: {rule}\ntests:\n  - test_id: 1\n    stages:\n      - input:\n          encoded_request: {}\n        output:\n          log:\n",
        STANDARD.encode(request.wire())
    );
    if !difference.second.is_empty() {
        let rules = list(&mut difference.second.iter());
        let _ = writeln!(text, "            expect_ids: [{rules}]");
    }
    if !difference.first.is_empty() {
        let rules = list(&mut difference.first.iter());
        let _ = writeln!(text, "            no_expect_ids: [{rules}]");
    }
    text
}

/// One line with everything unprintable escaped, cut where it is long.
fn shown(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut shown = String::new();
    for octet in line {
        if shown.len() >= LONGEST_LINE {
            shown.push_str("...");
            break;
        }
        match octet {
            b'\\' => shown.push_str("\\\\"),
            b' '..=b'~' => shown.push(char::from(*octet)),
            other => {
                let _ = write!(shown, "\\x{other:02x}");
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::super::{Corpus, Generator};
    use super::*;
    use edgeproof_scenario::model::{Action, Check};

    /// It is a right ftw test of the same octets, with the rules on the right sides.
    #[test]
    fn it_plays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("one.yaml");
        let mut generator = Generator::new(3, Corpus::default());
        let sides = Sides { first: "a".into(), second: "b".into() };
        let (first, second) = ([942_100].into(), [920_100, 920_120].into());
        let difference = Difference { first, second, ..Difference::default() };
        for _ in 0..50 {
            let request = generator.next_request();
            std::fs::write(&file, kept(&request, &difference, &sides, "a test")).unwrap();
            let (suite, mistakes) = crate::ftw::load(std::slice::from_ref(&file), &[]);
            assert!(mistakes.is_empty(), "{}", std::fs::read_to_string(&file).unwrap());
            let [case] = &suite.cases[..] else { panic!("one case") };
            let Action::Raw { bytes, .. } = &case.steps[0].action else { panic!("octets") };
            assert_eq!(bytes.as_literal().unwrap(), request.wire());
            let rules = case.steps[0].expect.iter().filter_map(|it| match &it.check {
                Check::WafRules(rules) => Some((rules.includes.clone(), rules.excludes.clone())),
                _ => None,
            });
            let rules: Vec<_> = rules.collect();
            assert_eq!(rules, [(vec![920_100, 920_120], vec![]), (vec![], vec![942_100])]);
        }
    }
}
