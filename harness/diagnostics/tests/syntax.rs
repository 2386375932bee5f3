//! What the reader says about texts that are not the YAML it takes.

use edgeproof_diagnostics::{Colour, Diagnostics, Source, parse};
use insta::assert_snapshot;

/// The rendering of everything that is wrong with `text`.
fn mistakes(text: &str) -> String {
    let diagnostics = Diagnostics::new();
    parse(&Source::new("case.yaml", text), &diagnostics);
    diagnostics.render(Colour::Never)
}

#[test]
fn a_key_that_appears_twice_shows_both_places() {
    assert_snapshot!(mistakes("name: a\nlevel: must\nname: b\n"), @"
    error: the key `name` appears twice in one mapping
     --> case.yaml:3:1
      |
    1 | name: a
      | ---- first here
    2 | level: must
    3 | name: b
      | ^^^^ again here
      |
      = help: keep one of them

    1 error in 1 file
    ");
}

#[test]
fn every_duplicate_is_reported() {
    assert_snapshot!(mistakes("a: {x: 1, 'x': 2}\nb: 1\nb: 2\n"), @"
    error: the key `x` appears twice in one mapping
     --> case.yaml:1:11
      |
    1 | a: {x: 1, 'x': 2}
      |     -     ^^^ again here
      |     |
      |     first here
      |
      = help: keep one of them

    error: the key `b` appears twice in one mapping
     --> case.yaml:3:1
      |
    2 | b: 1
      | - first here
    3 | b: 2
      | ^ again here
      |
      = help: keep one of them

    2 errors in 1 file
    ");
}

#[test]
fn a_second_document() {
    assert_snapshot!(mistakes("a: 1\n---\nb: 2\n"), @"
    error: more than one document in a file
     --> case.yaml:2:1
      |
    2 | ---
      | ^^^ a second document starts here
      |
      = help: put each document in a file of its own

    1 error in 1 file
    ");
}

#[test]
fn a_merge_key() {
    assert_snapshot!(mistakes("base: &base {a: 1}\nsite:\n  <<: *base\n"), @"
    error: merge keys are not supported
     --> case.yaml:3:3
      |
    3 |   <<: *base
      |   ^^ a merge key
      |
      = help: write the keys out, or put an alias under a key of its own

    1 error in 1 file
    ");
}

#[test]
fn a_tag() {
    assert_snapshot!(mistakes("id: &here !!str 5\n"), @"
    error: tags are not supported
     --> case.yaml:1:11
      |
    1 | id: &here !!str 5
      |           ^^^^^ a tag
      |
      = help: leave it out; write a text that looks like a number in quotes

    1 error in 1 file
    ");
}

#[test]
fn a_list_as_key() {
    assert_snapshot!(mistakes("? [a, b]\n: 1\n"), @"
    error: a key must be a text, found a list
     --> case.yaml:1:3
      |
    1 | ? [a, b]
      |   ^^^^^^
      |
      = help: put a value that contains braces or brackets in quotes

    1 error in 1 file
    ");
}

#[test]
fn template_braces_without_quotes() {
    assert_snapshot!(mistakes("path: {{ root }}\n"), @"
    error: a key must be a text, found a mapping
     --> case.yaml:1:8
      |
    1 | path: {{ root }}
      |        ^^^^^^^^
      |
      = help: put a value that contains braces or brackets in quotes

    1 error in 1 file
    ");
}

#[test]
fn no_key() {
    assert_snapshot!(mistakes("a: 1\n: 2\n"), @"
    error: a `:` without a key before it
     --> case.yaml:2:1
      |
    2 | : 2
      | ^

    1 error in 1 file
    ");
}

#[test]
fn an_anchor_within_itself() {
    assert_snapshot!(mistakes("a: &loop [1, *loop]\n"), @"
    error: an anchor that contains itself
     --> case.yaml:1:14
      |
    1 | a: &loop [1, *loop]
      |              ^^^^^ the anchored value does not end before this alias

    1 error in 1 file
    ");
}

#[test]
fn an_alias_without_an_anchor() {
    assert_snapshot!(mistakes("a: *nowhere\n"), @"
    error: an alias without an anchor
     --> case.yaml:1:4
      |
    1 | a: *nowhere
      |    ^^^^^^^^ nothing before this has that anchor
      |
      = help: put a text that starts with `*` in quotes

    1 error in 1 file
    ");
}

#[test]
fn a_tab_as_indentation() {
    assert_snapshot!(mistakes("site:\n\thost: a\n"), @"
    error: a tab in the indentation
     --> case.yaml:2:1
      |
    2 |     host: a
      | ^^^^ a tab
      |
      = help: YAML is indented with spaces only

    1 error in 1 file
    ");
}

#[test]
fn a_tab_before_a_key() {
    assert_snapshot!(mistakes("site: a\n\thost: a\n"), @"
    error: a tab in the indentation
     --> case.yaml:2:1
      |
    2 |     host: a
      | ^^^^ a tab
      |
      = help: YAML is indented with spaces only

    1 error in 1 file
    ");
}

#[test]
fn two_colons_in_a_line() {
    assert_snapshot!(mistakes("name: cache: fresh\n"), @"
    error: a `:` where no key can be
     --> case.yaml:1:12
      |
    1 | name: cache: fresh
      |            ^ not the first `:` of a `key: value`
      |
      = help: put a text that contains `: ` in quotes; if this is a key, check the indentation here and on the line before

    1 error in 1 file
    ");
}

#[test]
fn a_key_indented_too_far() {
    assert_snapshot!(mistakes("name: a\n  level: must\n"), @"
    error: a `:` where no key can be
     --> case.yaml:2:8
      |
    2 |   level: must
      |        ^ not the first `:` of a `key: value`
      |
      = help: put a text that contains `: ` in quotes; if this is a key, check the indentation here and on the line before

    1 error in 1 file
    ");
}

#[test]
fn a_key_indented_too_little() {
    assert_snapshot!(mistakes("site:\n    host: a\n  port: 1\n"), @"
    error: wrong indentation
     --> case.yaml:3:3
      |
    3 |   port: 1
      |   ^ in line with no key above
      |
      = help: all keys of one mapping start in the same column

    1 error in 1 file
    ");
}

#[test]
fn a_list_entry_indented_too_little() {
    assert_snapshot!(mistakes("steps:\n  - a\n - b\n"), @"
    error: wrong indentation
     --> case.yaml:3:2
      |
    3 |  - b
      |  ^ in line with no key above
      |
      = help: all keys of one mapping start in the same column

    1 error in 1 file
    ");
}

#[test]
fn a_key_within_a_list() {
    assert_snapshot!(mistakes("- a\nb: 1\n"), @"
    error: wrong indentation
     --> case.yaml:2:1
      |
    2 | b: 1
      | ^ expected `- ` or less indentation
      |
      = help: all entries of one list start in the same column with `- `

    1 error in 1 file
    ");
}

#[test]
fn a_line_without_a_colon() {
    assert_snapshot!(mistakes("a: 1\nfoo\nb: 2\n"), @"
    error: a line without a `:`
     --> case.yaml:3:1
      |
    3 | b: 2
      | ^ the line before this is neither `key: value` nor part of a text
      |
      = help: write `key: value`, with a space behind the colon

    1 error in 1 file
    ");
}

#[test]
fn a_list_behind_its_key() {
    assert_snapshot!(mistakes("steps: - a\n"), @"
    error: a list that starts behind its key
     --> case.yaml:1:8
      |
    1 | steps: - a
      |        ^ a list entry
      |
      = help: start the list on the next line, or write it as `[a, b]`

    1 error in 1 file
    ");
}

#[test]
fn a_list_that_is_not_closed() {
    assert_snapshot!(mistakes("steps: [a, b\n"), @"
    error: a list that is not closed
     --> case.yaml:1:13
      |
    1 | steps: [a, b
      |        -    ^ expected `,` or `]`
      |        |
      |        opened here

    1 error in 1 file
    ");
}

#[test]
fn a_mapping_that_is_not_closed() {
    assert_snapshot!(mistakes("site:\n  cache: {policy: rfc9111\n"), @"
    error: a mapping that is not closed
     --> case.yaml:2:26
      |
    2 |   cache: {policy: rfc9111
      |          - opened here   ^ expected `,` or `}`

    1 error in 1 file
    ");
}

#[test]
fn a_bracket_that_nothing_opened() {
    assert_snapshot!(mistakes("steps: [a, b]]\n"), @"
    error: a closing bracket that nothing opened
     --> case.yaml:1:14
      |
    1 | steps: [a, b]]
      |              ^
      |
      = help: remove it

    1 error in 1 file
    ");
}

#[test]
fn nothing_behind_a_bracket() {
    assert_snapshot!(mistakes("[["), @"
    error: a value is missing
     --> case.yaml:1:3
      |
    1 | [[
      |  -^ expected a value
      |  |
      |  opened here

    1 error in 1 file
    ");
}

#[test]
fn a_quoted_text_without_end() {
    assert_snapshot!(mistakes("name: \"fresh\n"), @r#"
    error: a quoted text that does not end
     --> case.yaml:1:7
      |
    1 | name: "fresh
      |       ^ starts here
      |
      = help: close the quotes

    1 error in 1 file
    "#);
}

#[test]
fn a_quoted_text_that_runs_into_the_next_key() {
    assert_snapshot!(mistakes("name: 'fresh\nlevel: must\n"), @"
    error: a quoted text that does not end
     --> case.yaml:1:7
      |
    1 | name: 'fresh
      |       ^ starts here
      |
      = help: close the quotes, or indent the text's further lines

    1 error in 1 file
    ");
}

#[test]
fn an_unknown_escape() {
    assert_snapshot!(mistakes("pattern: \"\\d+\"\n"), @r#"
    error: an escape that does not exist
     --> case.yaml:1:11
      |
    1 | pattern: "\d+"
      |           ^^ no such escape
      |
      = help: in double quotes write `\\` for a backslash, or use single quotes

    1 error in 1 file
    "#);
}

#[test]
fn a_text_behind_a_quoted_text() {
    assert_snapshot!(mistakes("name: 'it's'\n"), @"
    error: a text behind the closing quote
     --> case.yaml:1:11
      |
    1 | name: 'it's'
      |           ^ not expected here
      |
      = help: put the whole text in quotes; within single quotes write `''` for a quote

    1 error in 1 file
    ");
}

#[test]
fn a_character_that_starts_no_text() {
    assert_snapshot!(mistakes("name: @home\n"), @"
    error: a plain text cannot start with this character
     --> case.yaml:1:7
      |
    1 | name: @home
      |       ^
      |
      = help: put the text in quotes

    1 error in 1 file
    ");
}

#[test]
fn an_asterisk_without_a_name() {
    assert_snapshot!(mistakes("accept: */*\n"), @"
    error: an alias without an anchor
     --> case.yaml:1:9
      |
    1 | accept: */*
      |         ^ nothing before this has that anchor
      |
      = help: put a text that starts with `*` in quotes

    1 error in 1 file
    ");
}

#[test]
fn a_control_character() {
    assert_snapshot!(mistakes("name: a\u{7}b\n"), @r"
    error: the control character U+0007
     --> case.yaml:1:8
      |
    1 | name: a␇b
      |        ^
      |
      = help: in a text in double quotes it is written as `\x07`

    1 error in 1 file
    ");
}

#[test]
fn a_wrongly_indented_block_text() {
    assert_snapshot!(mistakes("body: |\n    a\n  b\n"), @"
    error: wrong indentation
     --> case.yaml:3:3
      |
    3 |   b
      |   ^ in line with no key above
      |
      = help: all keys of one mapping start in the same column

    1 error in 1 file
    ");
}

#[test]
fn an_unknown_directive_version() {
    assert_snapshot!(mistakes("%YAML x\n---\na\n"), @"
    error: not YAML: while scanning a YAML directive, did not find expected version number
     --> case.yaml:1:1
      |
    1 | %YAML x
      | ^

    1 error in 1 file
    ");
}

#[test]
fn nesting_has_a_limit() {
    let deep = format!("{}{}", "[".repeat(101), "]".repeat(101));
    assert_snapshot!(mistakes(&deep), @"
    error: nested more than 100 deep
     --> case.yaml:1:101
      |
    1 | [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]...
      |                                                                                                     ^

    1 error in 1 file
    ");
}

#[test]
fn block_nesting_has_the_same_limit() {
    let deep = format!("{}a", "- ".repeat(101));
    assert!(mistakes(&deep).starts_with("error: nested more than 100 deep"));
}

#[test]
fn aliases_cannot_multiply_without_bound() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert_snapshot!(mistakes(&text), @"
    error: aliases multiply to too large a document
     --> case.yaml:4:45
      |
    4 | a3: &a3 [*a2, *a2, *a2, *a2, *a2, *a2, *a2, *a2, *a2, *a2]
      |                                             ^^^ more than 10000 values by now
      |
      = help: write the values out, or nest fewer aliases

    1 error in 1 file
    ");
}
