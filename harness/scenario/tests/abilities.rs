//! The words of `needs`: one table, and a warning for a word that is nearly one of it.

use std::path::Path;

use edgeproof_diagnostics::Colour;
use edgeproof_scenario::{ABILITIES, bind_text, misspelt_ability};

fn needing(needs: &str) -> (usize, String) {
    let text = format!(
        "name: n\nspec: s\nneeds: [{needs}]\nsteps: [{{ send: GET /, expect: {{ status: 200 }} }}]\n"
    );
    let (cases, diagnostics) = bind_text("a.yaml", &text);
    assert!(!diagnostics.has_errors());
    (cases.len(), diagnostics.render(Colour::Never))
}

#[test]
fn a_misspelt_need_is_a_warning() {
    let (cases, text) = needing("cache, acess-log");
    assert_eq!(cases, 1);
    insta::assert_snapshot!(text, @r"
    warning: no target of this project declares `acess-log`
     --> a.yaml:3:16
      |
    3 | needs: [cache, acess-log]
      |                ^^^^^^^^^
      |
      = help: did you mean `access-log`? Else nothing is wrong

    1 warning in 1 file
    ");
}

#[test]
fn what_a_vendor_adds_is_taken_as_it_is() {
    let known = ABILITIES.map(|(name, _)| name).join(", ");
    for needs in [known.as_str(), "geo-blocking", "http3", "brotli", "trace-off", "methods"] {
        assert_eq!(needing(needs), (1, String::new()), "{needs}");
    }
    for (word, meant) in [
        ("http-2", "http2"),
        ("Cache", "cache"),
        ("waf_log", "waf-log"),
        ("websockets", "websocket"),
        ("sshd-confg", "sshd-config"),
        ("refusal-logged", "refusals-logged"),
    ] {
        assert_eq!(misspelt_ability(word), Some(meant));
    }
}

/// The manual lists the same words in the first column of its table.
#[test]
fn the_manual_knows_the_same_abilities() {
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ci/targets/README.md");
    let manual = std::fs::read_to_string(manual).unwrap();
    let (_, table) = manual.split_once("### What a target can declare").unwrap();
    let (table, _) = table.split_once("\nThe words are not fixed").unwrap();
    let cells = table.lines().filter_map(|line| line.strip_prefix("| ")?.split('|').next());
    let mut written: Vec<&str> = cells.flat_map(|it| it.split('`').skip(1).step_by(2)).collect();
    let mut known = ABILITIES.map(|(name, _)| name);
    written.sort_unstable();
    known.sort_unstable();
    assert_eq!(written, known);
}
