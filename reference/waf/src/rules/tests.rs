//! Programs made ready.

use std::path::Path;

use edgeproof_diagnostics::{Colour, Source};

use super::{Rule, RuleSet};
use crate::seclang::{Phase, parse_text};

fn build(text: &str) -> Result<RuleSet, String> {
    let source = Source::new("rules.conf", text);
    let program = parse_text(&source, Path::new("")).map_err(|mistakes| mistakes.to_string())?;
    RuleSet::from_program(program).map_err(|mistakes| mistakes.to_string())
}

fn ids(text: &str) -> Vec<u64> {
    build(text).unwrap().rules().map(Rule::id).collect()
}

#[test]
fn rules_are_sorted_into_their_phases() {
    let rules = build(
        r#"SecRule ARGS "x" "id:1,phase:2,pass"
           SecRule ARGS "x" "id:2,phase:1,pass"
           SecRule ARGS "x" "id:3,pass"
           SecAction "id:4,phase:logging,pass""#,
    );
    let rules = rules.unwrap();
    let found: Vec<_> = rules.rules().map(|rule| (rule.id(), rule.phase())).collect();
    assert_eq!(
        found,
        [
            (2, Phase::RequestHeaders),
            (1, Phase::RequestBody),
            (3, Phase::RequestBody),
            (4, Phase::Logging)
        ]
    );
    for (number, rule) in rules.rules().enumerate() {
        assert_eq!(rules.rule(rule.number).id(), rule.id(), "{number}");
    }
}

#[test]
fn removals_apply_to_what_stands_before_them() {
    let rules = r#"
        SecRule ARGS "x" "id:1,phase:1,pass,tag:red,msg:'one text'"
        SecRule ARGS "x" "id:2,phase:1,pass,tag:blue,chain"
            SecRule ARGS "y"
        SecRule ARGS "x" "id:30,phase:1,pass,msg:'another text'"
    "#;
    let with =
        |more: &str| ids(&format!("{rules}\n{more}\nSecAction \"id:31,phase:1,pass,tag:red\""));
    assert_eq!(with(""), [1, 2, 30, 31]);
    assert_eq!(with("SecRuleRemoveById 2 30-40"), [1, 31]);
    assert_eq!(with("SecRuleRemoveByTag ^r"), [2, 30, 31]);
    assert_eq!(with("SecRuleRemoveByMsg text$"), [2, 31]);
    assert_eq!(with("SecRuleRemoveByMsg Text$"), [1, 2, 30, 31]);
}

#[test]
fn updates_that_change_nothing_are_told() {
    let rules = build(
        r#"SecRuleUpdateTargetById 9 "!ARGS:a"
           SecRuleUpdateTargetByTag x "!ARGS:a"
           SecRuleUpdateActionById 9 "deny"
           SecAction "id:9,phase:1,pass""#,
    );
    let rules = rules.unwrap();
    assert_eq!(rules.warnings().len(), 3);
    insta::assert_snapshot!(rules.warnings()[0].render(Colour::Never), @r#"
    warning: this changes no rule
     --> rules.conf:1:1
      |
    1 | SecRuleUpdateTargetById 9 "!ARGS:a"
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: it applies to rules that stand before it
    "#);
}

#[test]
fn mistakes_of_rules_together_are_told_at_their_places() {
    let mistakes = build(
        r#"SecRule ARGS "@rx a" "id:1,phase:1,pass,skipAfter:NOWHERE"
           SecRule XML:/a[1] "@rx a" "id:3,phase:1,pass"
           SecRule ARGS "@rx (" "id:4,phase:1,pass"
           SecMarker NOWHERE_ELSE"#,
    );
    insta::assert_snapshot!(mistakes.unwrap_err(), @r#"
    error: no marker `NOWHERE` follows
     --> rules.conf:1:41
      |
    1 | SecRule ARGS "@rx a" "id:1,phase:1,pass,skipAfter:NOWHERE"
      |                                         ^^^^^^^^^^^^^^^^^
      |
      = help: skipAfter needs a SecMarker of that name behind the rule

    error: this XPath is not known here
     --> rules.conf:2:20
      |
    2 |            SecRule XML:/a[1] "@rx a" "id:3,phase:1,pass"
      |                    ^^^^^^^^^ only names, `*`, `@name`, `@*` and `text()` are known here, no other XPath

    error: this regular expression cannot be used
     --> rules.conf:3:30
      |
    3 |            SecRule ARGS "@rx (" "id:4,phase:1,pass"
      |                              ^ this `(` is never closed

    3 errors in 1 file
    "#);
}

#[test]
fn a_marker_before_the_rule_is_none() {
    let text = "SecMarker A\nSecAction \"id:1,phase:1,pass,skipAfter:A\"";
    assert!(build(text).unwrap_err().contains("no marker `A` follows"));
}

#[test]
fn settings_have_the_values_of_modsecurity() {
    let rules = build("SecComponentSignature \"a/1\"\nSecComponentSignature b/2").unwrap();
    let settings = rules.settings();
    assert_eq!(settings.mode(), crate::seclang::Mode::Off);
    assert_eq!(settings.response_body_mime_types, ["text/plain", "text/html"]);
    assert_eq!(settings.signatures, ["a/1", "b/2"]);
    let types = "SecResponseBodyMimeType a/b\nSecResponseBodyMimeType c/d";
    assert_eq!(build(types).unwrap().settings().response_body_mime_types, ["a/b", "c/d"]);
}

#[test]
fn a_unicode_map_is_read_beside_the_rule_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("map"), "20127 (US-ASCII)\n00e4:61 ").unwrap();
    let entry = folder.path().join("a.conf");
    std::fs::write(&entry, "SecUnicodeMapFile map 20127").unwrap();
    let rules = RuleSet::load(&entry).unwrap();
    assert_eq!(rules.unicode().byte(0xe4), Some(b'a'));
    for wrong in
        ["SecUnicodeMapFile none 20127", "SecUnicodeMapFile map 1", "SecUnicodeMapFile map"]
    {
        std::fs::write(&entry, wrong).unwrap();
        assert!(RuleSet::load(&entry).is_err(), "{wrong}");
    }
}

#[test]
fn rules_that_stand_together_and_have_no_text_to_look_for_have_a_screen() {
    let rules = build(
        r#"SecRule ARGS "@rx a\s*b" "id:1,phase:2,deny"
           SecRule ARGS "@rx union" "id:2,phase:2,deny"
           SecRule ARGS "@rx a\s*c" "id:3,phase:2,deny"
           SecRule ARGS "@rx a\s*d" "id:4,phase:2,deny,chain"
             SecRule ARGS "@rx a\s*e" "t:none"
           SecRule TX:x "@eq 1" "id:5,phase:2,pass,skipAfter:END"
           SecRule ARGS "@rx a\s*f" "id:6,phase:2,deny"
           SecRule ARGS "@rx a\s*g" "id:7,phase:2,deny"
           SecRule ARGS "!@rx a\s*h" "id:8,phase:2,deny"
           SecMarker END
           SecRule ARGS "@rx a\s*i" "id:9,phase:2,deny"
           SecRule ARGS "@rx ^a\s*j" "id:10,phase:2,deny""#,
    );
    let rules = rules.unwrap();
    let screen = |id| rules.rules().find(|rule| rule.id() == id).unwrap().links[0].screen;
    assert!(screen(1).is_some() && screen(1) == screen(3));
    assert!(screen(6).is_some() && screen(6) == screen(7) && screen(6) != screen(1));
    assert!([2, 4, 5, 8, 9, 10].iter().all(|id| screen(*id).is_none()));
}
