//! The text that people see.

use edgeproof_diagnostics::{Colour, Diagnostic, Diagnostics, Severity, Source, no_command};
use insta::assert_snapshot;

#[test]
fn everything_a_diagnostic_can_carry() {
    let source = Source::new("cases/a.yaml", "name: a\nlevel: mst\nneeds: [cache]\n");
    let diagnostic = Diagnostic::error("unknown level `mst`")
        .label(&source.span(15..18), "no such level")
        .context(&source.span(0..4), "in this case")
        .with_note("levels come from RFC 2119")
        .help("did you mean `must`?");
    assert_snapshot!(diagnostic, @"
    error: unknown level `mst`
     --> cases/a.yaml:2:8
      |
    1 | name: a
      | ---- in this case
    2 | level: mst
      |        ^^^ no such level
      |
      = note: levels come from RFC 2119
      = help: did you mean `must`?
    ");
}

#[test]
fn labels_in_two_files_show_both() {
    let one = Source::new("one.yaml", "id: a\n");
    let two = Source::new("two.yaml", "x: 1\nid: a\n");
    let diagnostic = Diagnostic::error("the id `a` appears twice")
        .context(&one.span(4..5), "first here")
        .label(&two.span(9..10), "again here");
    assert_snapshot!(diagnostic, @"
    error: the id `a` appears twice
     --> two.yaml:2:5
      |
    2 | id: a
      |     ^ again here
      |
     ::: one.yaml:1:5
      |
    1 | id: a
      |     - first here
    ");
}

#[test]
fn carets_stay_in_place_behind_tabs_and_wide_characters() {
    let source = Source::new("wide.yaml", "a:\t日本: x 😀 y\n");
    let at = source.text().find('y').expect("y");
    assert_snapshot!(Diagnostic::warning("here").label(&source.span(at..at + 1), "this y"), @"
    warning: here
     --> wide.yaml:1:12
      |
    1 | a:    日本: x 😀 y
      |                  ^ this y
    ");
}

#[test]
fn long_lines_are_trimmed_round_the_place() {
    let text = format!("body: {}needle{}\n", "x".repeat(300), "y".repeat(300));
    let source = Source::new("long.yaml", text);
    let at = source.text().find("needle").expect("needle");
    let rendered = Diagnostic::note("found").at(&source.span(at..at + 6)).to_string();
    assert!(rendered.lines().all(|line| line.chars().count() <= 130));
    assert_snapshot!(rendered, @"
    note: found
     --> long.yaml:1:307
      |
    1 | ...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxneedleyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...
      |                                                        ^^^^^^
    ");
}

#[test]
fn escape_sequences_in_a_file_do_not_reach_the_terminal() {
    let source = Source::new("evil\u{1b}[2J.yaml", "a: \u{1b}[31mred\n");
    let diagnostic = Diagnostic::error("bad \u{1b}[0m")
        .label(&source.span(3..9), "label \u{1b}[0m")
        .with_note("note \u{1b}[0m")
        .help("help \u{1b}[0m \u{9b}0m");
    let control = |it: char| it.is_control() && it != '\n';
    assert_eq!(diagnostic.render(Colour::Never).find(control), None);
}

#[test]
fn colour_changes_nothing_but_colour() {
    let source = Source::new("a.yaml", "a: b\n");
    let diagnostic = Diagnostic::error("no").label(&source.span(3..4), "this").help("yes");
    let coloured = diagnostic.render(Colour::Always);
    assert!(coloured.contains("\u{1b}["));
    let plain = anstream::adapter::strip_str(&coloured).to_string();
    assert_eq!(plain, diagnostic.render(Colour::Never));
}

#[test]
fn a_collection_goes_file_by_file_and_ends_with_a_summary() {
    let (one, two) = (Source::new("one.yaml", "a\nb\n"), Source::new("two.yaml", "c\n"));
    let all = Diagnostics::new();
    all.push(Diagnostic::error("second of one").at(&one.span(2..3)));
    all.extend([
        Diagnostic::warning("only of two").at(&two.span(0..1)),
        Diagnostic::error("first of one").at(&one.span(0..1)),
        Diagnostic::error("cannot read three.yaml"),
    ]);
    assert_eq!((all.len(), all.count(Severity::Error), all.has_errors()), (4, 3, true));
    assert_snapshot!(all.render(Colour::Never), @"
    error: cannot read three.yaml

    error: first of one
     --> one.yaml:1:1
      |
    1 | a
      | ^

    error: second of one
     --> one.yaml:2:1
      |
    2 | b
      | ^

    warning: only of two
     --> two.yaml:1:1
      |
    1 | c
      | ^

    3 errors and 1 warning in 2 files
    ");
}

#[test]
fn summaries_count() {
    let source = Source::new("a", "x");
    let at = |diagnostic: Diagnostic| diagnostic.at(&source.span(0..1));
    let all = Diagnostics::new();
    assert_eq!(all.summary(), None);
    assert_eq!(all.render(Colour::Never), "");
    all.push(at(Diagnostic::warning("w")));
    assert_eq!(all.summary().as_deref(), Some("1 warning in 1 file"));
    assert!(!all.has_errors());
    all.extend([at(Diagnostic::error("e")), at(Diagnostic::error("e")), at(Diagnostic::note("n"))]);
    assert_eq!(all.summary().as_deref(), Some("2 errors, 1 warning and 1 note in 1 file"));
    let without_place = Diagnostics::from(Diagnostic::error("e"));
    assert_eq!(without_place.summary().as_deref(), Some("1 error"));
}

/// GitHub takes a line of a job's output that begins with `::` for a workflow command.
#[test]
fn nothing_in_a_diagnostic_is_a_command_to_a_ci_service() {
    let evil = "a\n::error::owned\r::error::again";
    let source = Source::new(evil, "a: b\n");
    let diagnostic = Diagnostic::error(evil)
        .label(&source.span(3..4), evil)
        .with_note(evil)
        .help(evil)
        .with_note("  ::add-mask::x");
    let text = diagnostic.render(Colour::Never);
    let commands = text.split(['\n', '\r']).filter(|line| line.trim_start().starts_with("::"));
    assert_eq!(commands.count(), 0, "{text}");
    assert!(text.contains("--> a␊::error::owned␍::error::again:1:4"), "{text}");
    assert_eq!(no_command("::1\n ::ffff:10.0.0.1\n"), "::1\n ::ffff:10.0.0.1\n");
    assert_eq!(no_command("one\n  ::group::two\n"), "one\n\\  ::group::two\n");
}
