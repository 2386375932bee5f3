//! Files that include others.

use std::fs;
use std::path::Path;

use edgeproof_waf::seclang::{Directive, parse_file};
use tempfile::TempDir;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

/// The markers that a folder's `main.conf` comes to, or its mistakes, with the folder's name taken out.
fn markers(folder: &TempDir) -> Result<Vec<String>, String> {
    let real = folder.path().canonicalize().expect("a folder");
    let program = parse_file(&folder.path().join("main.conf")).map_err(|mistakes| {
        let text = mistakes.to_string().replace(&real.display().to_string(), "DIR");
        text.replace(&folder.path().display().to_string(), "DIR")
    })?;
    let marker = |directive| match directive {
        Directive::Marker(name) => Some(name),
        _ => None,
    };
    Ok(program.directives.into_iter().filter_map(|it| marker(it.value)).collect())
}

#[test]
fn files_stand_where_they_are_included_in_the_order_of_their_names() {
    let folder = folder(&[
        (
            "main.conf",
            "SecMarker 1\nInclude \"rules/[a-y]*.conf\"\nIncludeOptional none*\nSecMarker 9\n",
        ),
        ("rules/b.conf", "SecMarker 3\nInclude sub/c.conf\nIncludeOptional gone.conf"),
        ("rules/sub/c.conf", "SecMarker 4"),
        ("rules/a.conf", "SecMarker 2"),
        ("rules/z.conf", "SecMarker z"),
        ("rules/a.conf.example", "SecMarker x"),
    ]);
    assert_eq!(markers(&folder).expect("clean"), ["1", "2", "3", "4", "9"]);
}

#[test]
fn each_place_knows_the_folder_of_its_file() {
    let folder =
        folder(&[("main.conf", "Include sub/a.conf\nSecMarker 1"), ("sub/a.conf", "SecMarker 2")]);
    let program = parse_file(&folder.path().join("main.conf")).expect("clean");
    let folders: Vec<&Path> =
        program.directives.iter().map(|it| program.folder(&it.span)).collect();
    assert_eq!(folders, [folder.path().join("sub"), folder.path().to_owned()]);
}

#[test]
fn what_cannot_be_included_is_told_where_it_is_named() {
    let folder = folder(&[
        (
            "main.conf",
            "Include none.conf\nInclude none/*.conf\nInclude sub\nInclude \"\"\nInclude\nInclude \"sub/a.conf\"\n",
        ),
        ("sub/a.conf", "SecMaker x\n"),
    ]);
    insta::assert_snapshot!(markers(&folder).expect_err("mistakes"));
}

#[test]
fn a_file_that_includes_itself_is_told_once() {
    let folder = folder(&[
        ("main.conf", "SecMarker 1\nInclude a.conf\n"),
        ("a.conf", "Include ./b.conf\n"),
        ("b.conf", "Include main.conf\n"),
    ]);
    insta::assert_snapshot!(markers(&folder).expect_err("a loop"));
}

#[test]
fn files_included_too_deep_or_too_often_are_told() {
    let deep: Vec<(String, String)> = (0..70)
        .map(|at| (format!("{at}.conf"), format!("Include {}.conf", at + 1)))
        .chain([("main.conf".to_owned(), "Include 0.conf".to_owned())])
        .collect();
    let files: Vec<_> = deep.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let mistakes = markers(&folder(&files)).expect_err("too deep");
    assert!(mistakes.contains("files included more than 64 deep"), "{mistakes}");
    assert!(mistakes.ends_with("1 error in 1 file"), "{mistakes}");

    let twice: Vec<(String, String)> = (0..20)
        .map(|at| (format!("{at}.conf"), format!("Include {0}.conf\nInclude {0}.conf", at + 1)))
        .chain([("main.conf".to_owned(), "Include 0.conf".to_owned())])
        .chain([("20.conf".to_owned(), String::new())])
        .collect();
    let files: Vec<_> = twice.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let mistakes = markers(&folder(&files)).expect_err("too often");
    assert!(mistakes.contains("more than 10000 files in all"), "{mistakes}");
    assert!(mistakes.ends_with("1 error in 1 file"), "{mistakes}");
}

#[test]
fn a_file_that_is_missing_or_no_file_is_told_without_a_place() {
    let folder = folder(&[]);
    let missing = markers(&folder).expect_err("no file");
    assert!(missing.starts_with("error: cannot read DIR/main.conf: No such file"), "{missing}");
    fs::create_dir(folder.path().join("main.conf")).expect("a folder");
    let none = markers(&folder).expect_err("a folder");
    assert!(none.starts_with("error: cannot read DIR/main.conf: it is not a file"), "{none}");
}

#[test]
fn bytes_that_are_no_text_are_told_at_their_place() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("main.conf"), b"SecMarker a\nSecMarker caf\xe9\n")
        .expect("a file");
    insta::assert_snapshot!(markers(&folder).expect_err("a mistake"));
}
