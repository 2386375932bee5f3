//! What a mistake looks like: a file a kind, and one with many.

use std::fs;
use std::path::{Path, PathBuf};

use edgeproof_diagnostics::Colour;
use edgeproof_scenario::{bind_text, load};

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

#[test]
fn every_mistake_is_shown_at_its_place() {
    let mut shown = 0;
    let mut files: Vec<_> =
        fs::read_dir(tests().join("broken")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.is_file()) {
        let below = Path::new("broken").join(file.file_name().unwrap());
        let (cases, diagnostics) = load(&[below], &tests());
        assert!(diagnostics.has_errors(), "{} binds", file.display());
        let clean = matches!(
            file.file_stem().unwrap().to_str(),
            Some("fixed-host" | "duplicate-id" | "column" | "each")
        );
        assert!(
            clean || cases.is_empty(),
            "{}: a case with a mistake is handed on",
            file.display()
        );
        let name = format!("broken_{}", file.file_stem().unwrap().display());
        insta::assert_snapshot!(name, diagnostics.render(Colour::Never));
        shown += 1;
    }
    assert!(shown >= 17, "{shown} files");
}

#[test]
fn the_mistakes_of_all_files_come_in_one_go() {
    let (cases, diagnostics) = load(&[PathBuf::from("broken")], &tests());
    let summary = diagnostics.summary().unwrap();
    assert!(cases.iter().all(|case| !case.name.is_empty()));
    assert!(summary.contains("errors") && summary.contains("files"), "{summary}");
    assert!(diagnostics.len() > 80, "{summary}");
}

#[test]
fn a_path_without_a_scenario_is_said() {
    let empty = tempfile::tempdir().unwrap();
    let paths = [PathBuf::from("nowhere"), PathBuf::from(".")];
    let (cases, diagnostics) = load(&paths, empty.path());
    assert!(cases.is_empty() && !diagnostics.has_errors());
    insta::assert_snapshot!(diagnostics.render(Colour::Never), @r"
    warning: `nowhere` does not exist

    warning: no scenario in `.`

    2 warnings
    ");
}

#[test]
fn two_files_of_one_id_are_both_shown() {
    let folder = tempfile::tempdir().unwrap();
    let case = "name: n\nspec: s\nsteps: [{ send: GET /, expect: { status: 200 } }]\n";
    fs::write(folder.path().join("a.yaml"), case).unwrap();
    fs::write(folder.path().join("a.yml"), case).unwrap();
    let (_, diagnostics) = load(&[PathBuf::from("")], folder.path());
    insta::assert_snapshot!(diagnostics.render(Colour::Never), @r"
    error: two cases have the id `a`
     --> a.yml:1:1
      |
    1 | name: n
      | ^^^^^^^ the second
      |
     ::: a.yaml:1:1
      |
    1 | name: n
      | ------- the first

    1 error in 1 file
    ");
}

/// Without a folder `scenarios` ids are counted from what was given.
#[test]
fn files_of_two_folders_that_have_one_id_are_told_apart_by_the_folder_above() {
    let folder = tempfile::tempdir().unwrap();
    let case = "name: n\nspec: s\nsteps: [{ send: GET /, expect: { status: 200 } }]\n";
    for part in ["s/a", "s/b"] {
        fs::create_dir_all(folder.path().join(part)).unwrap();
        fs::write(folder.path().join(part).join("ok.yaml"), case).unwrap();
    }
    let given = |paths: &[&str]| {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        load(&paths, folder.path())
    };
    let (_, diagnostics) = given(&["s/a", "s/b"]);
    let text = diagnostics.render(Colour::Never);
    assert!(text.contains("help: an id is counted from the folder `scenarios`"), "{text}");
    let (cases, diagnostics) = given(&["s"]);
    assert_eq!((cases.len(), diagnostics.has_errors()), (2, false));
}

#[test]
fn nothing_at_all_is_no_case() {
    for text in ["", "~", "[]", "text", "cases: []", "fragment: false"] {
        let (cases, diagnostics) = bind_text("a.yaml", text);
        assert!(cases.is_empty() && diagnostics.has_errors(), "{text}");
    }
}
