//! What a run leaves behind and says where it is of a part of a suite, or ends before it plays.

mod run;

use std::path::Path;
use std::process::{Command, Output};

use run::{edgeproof, text};

/// A server that answers every request with `one`.
fn server() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            use std::io::{Read, Write};
            let Ok(mut stream) = stream else { continue };
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n > 0) {
                head.push(byte[0]);
            }
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\none";
            let _ = stream.write_all(answer);
        }
    });
    url
}

/// A suite of files, each with a case that holds.
fn suite(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let case = "name: N\nspec: RFC 9110 §1\nlevel: must\nsteps: [{ send: GET /, expect: { body: one } }]\n";
        std::fs::write(path, case).expect("a scenario");
    }
    folder
}

fn play(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_edgeproof"))
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .arg("run")
        .args(arguments)
        .output()
        .expect("edgeproof runs")
}

#[test]
fn only_what_was_asked_for_can_be_gone() {
    let folder = suite(&["s/a/ok.yaml", "s/a/bad.yaml", "s/b/only.yaml"]);
    let url = server();
    let at = |arguments: &[&str]| {
        play(folder.path(), &[arguments, &["--target", &url, "--format", "json"]].concat())
    };
    let before = at(&["s"]);
    assert_eq!(before.status.code(), Some(0), "{}", text(&before.stderr));
    std::fs::write(folder.path().join("base.json"), &before.stdout).expect("a baseline");
    let gone = |arguments: &[&str]| -> Vec<String> {
        let output = at(&[arguments, &["--baseline", "base.json"]].concat());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let gone = report["baseline"]["gone"].as_array().expect("a list");
        gone.iter().map(|it| it["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert!(gone(&["s", "-k", "a/ok"]).is_empty());
    assert!(gone(&["s"]).is_empty());
    std::fs::remove_dir_all(folder.path().join("s/b")).expect("removed");
    assert!(gone(&["s", "-k", "a/ok"]).is_empty());
    assert_eq!(gone(&["s"]), ["b/only"]);
}

#[test]
fn a_part_of_a_suite_is_compared_with_its_part_of_the_baseline() {
    let folder = suite(&["scenarios/a/ok.yaml", "scenarios/a/bad.yaml", "scenarios/b/only.yaml"]);
    let url = server();
    let at = |path: &str, more: &[&str]| {
        play(folder.path(), &[&[path, "--target", &url, "--format", "json"], more].concat())
    };
    std::fs::write(folder.path().join("base.json"), at("scenarios", &[]).stdout).expect("written");
    let gone = |path: &str| {
        let output = at(path, &["--baseline", "base.json"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        report["baseline"]["gone"].as_array().expect("a list").len()
    };
    assert_eq!((gone("scenarios/a/ok.yaml"), gone("scenarios/a")), (0, 0));
    std::fs::remove_file(folder.path().join("scenarios/a/bad.yaml")).expect("removed");
    assert_eq!((gone("scenarios/a/ok.yaml"), gone("scenarios/a")), (0, 1));
    assert_eq!((gone("scenarios"), gone(".")), (1, 1));
}

/// Without a folder `scenarios` ids are counted from the PATH given.
#[test]
fn another_path_of_a_suite_of_another_name_is_told_and_not_compared() {
    let folder = suite(&["s/a/ok.yaml", "s/b/only.yaml"]);
    let url = server();
    let at = |path: &str, more: &[&str]| {
        play(folder.path(), &[&[path, "--target", &url, "--format", "json"], more].concat())
    };
    std::fs::write(folder.path().join("base.json"), at("s", &[]).stdout).expect("written");
    let output = at("s/a", &["--baseline", "base.json"]);
    assert_eq!(output.status.code(), Some(6));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let why = report["exit"]["why"][0].as_str().expect("why");
    assert!(why.contains("what is `ok` here seems to be `a/ok` there"), "{why}");
    assert!(report["baseline"]["gone"].as_array().is_some_and(Vec::is_empty), "{report:#}");
}

/// A target in the folder `t` that answers as the server does, with these known failures.
fn target_that_fails(folder: &Path, known: &str) {
    let yaml = format!(
        "title: T\nservices: {{ http: {{ url: \"{}\" }} }}\ndeclares: [http]\nexpresses: all\nclock: none\nknown_failures: [{known}]\n",
        server()
    );
    std::fs::create_dir_all(folder.join("t")).expect("a folder");
    std::fs::write(folder.join("t/target.yaml"), yaml).expect("a target");
}

/// A file at the top of a suite has an id without a folder, and is listed by it as any other.
#[test]
fn a_case_at_the_top_of_a_suite_can_be_known_to_fail() {
    let folder = suite(&["scenarios/front/ok.yaml"]);
    let bad = "name: N\nspec: RFC 9110 §1\nlevel: must\neach: [{ b: one }, { b: two }]\n\
               steps: [{ send: GET /, expect: { body: \"{{b}}\" } }]\n";
    std::fs::write(folder.path().join("scenarios/bad.yaml"), bad).expect("a scenario");
    let played = |path: &str, known: &str| {
        target_that_fails(folder.path(), known);
        let output = play(folder.path(), &[path, "--target", "./t", "--discard"]);
        (output.status.code(), text(&output.stderr))
    };
    assert_eq!(played("scenarios", "").0, Some(1));
    assert_eq!(played("scenarios", r#"{ case: "bad#2", reason: R }"#), (Some(0), String::new()));
    // A family excuses nothing, and is told.
    let (code, said) = played("scenarios", "{ case: front, reason: R }");
    assert_eq!(code, Some(1));
    assert!(said.contains("of `front`, which is a family, and no case"), "{said}");
    // Nor does another name, where ids are counted from another folder.
    std::fs::rename(folder.path().join("scenarios"), folder.path().join("s")).expect("renamed");
    let (code, said) = played("s/front", "{ case: front/ok, reason: R }");
    assert_eq!(code, Some(0));
    assert!(said.contains("of `front/ok`, which is `ok` here"), "{said}");
}

/// A step of a GitHub workflow that works in a folder of the repository.
#[test]
fn annotations_name_files_from_the_repository() {
    let folder = suite(&["proxy/s/ok.yaml"]);
    let file = folder.path().join("proxy/s/ok.yaml");
    let case =
        std::fs::read_to_string(&file).expect("the scenario").replace("body: one", "body: two");
    std::fs::write(&file, case).expect("a scenario");
    let annotated = |workspace: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_edgeproof"))
            .current_dir(folder.path().join("proxy"))
            .env("GITHUB_WORKSPACE", workspace)
            .args(["run", "s", "--target", &server(), "--format", "github"])
            .output()
            .expect("edgeproof runs");
        text(&output.stdout)
    };
    let (inside, outside) = (annotated(folder.path()), annotated(Path::new("/nowhere")));
    assert!(inside.starts_with("::error file=proxy/s/ok.yaml,line=4,"), "{inside}");
    assert!(outside.starts_with("::error file=s/ok.yaml,line=4,"), "{outside}");
}

#[test]
fn a_run_that_does_not_play_leaves_no_former_report() {
    let folder = suite(&["s/ok.yaml"]);
    let url = server();
    std::fs::write(folder.path().join("bad.json"), "[]").expect("written");
    let ends: [(&[&str], i32); 5] = [
        (&["missing"], 4),
        (&["s", "-k", "nothing-of-that-name"], 4),
        (&["s", "-k", "("], 2),
        (&["s", "--baseline", "bad.json"], 2),
        (&["s", "--target", "no-such-target"], 2),
    ];
    let report = folder.path().join("out.xml");
    for (arguments, code) in ends {
        let format = ["--format", "junit=out.xml", "--target", &url];
        let green = play(folder.path(), &[&["s"], &format[..]].concat());
        assert_eq!(green.status.code(), Some(0), "{}", text(&green.stderr));
        assert!(report.is_file());
        let output = play(folder.path(), &[arguments, &format].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
        assert!(!report.exists(), "{arguments:?}");
    }
    // What was to be read is not taken away.
    let arguments = ["s", "--target", &url, "--baseline", "bad.json", "--format", "json=bad.json"];
    assert_eq!(play(folder.path(), &arguments).status.code(), Some(2));
    assert!(folder.path().join("bad.json").is_file());
}

#[test]
fn what_only_a_url_has_is_no_option_of_a_folder() {
    for (option, value) in [("--declare", "cache"), ("--origin-listen", "127.0.0.1:0")] {
        let output = edgeproof(&["run", "scenarios/cache/vary", option, value]);
        assert_eq!(output.status.code(), Some(2), "{option}");
        let said = text(&output.stderr);
        assert!(said.contains(&format!("{option} is for a target that is a URL")), "{said}");
    }
}

#[test]
fn every_scenario_of_a_folder_is_found_and_a_pipe_is_refused() {
    let folder = suite(&["s/LOUD.YAML"]);
    let check = || {
        Command::new("timeout")
            .args(["20", env!("CARGO_BIN_EXE_edgeproof"), "check", "s"])
            .current_dir(folder.path())
            .output()
            .expect("edgeproof runs")
    };
    let output = check();
    assert_eq!(text(&output.stdout), "1 case, no mistakes\n", "{}", text(&output.stderr));
    let made = Command::new("mkfifo").arg(folder.path().join("s/x.yaml")).status();
    assert!(made.expect("mkfifo").success());
    let output = check();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("`s/x.yaml` is no regular file"));
}

/// Whatever the folder and the file are called, the printed command plays that case and no other.
#[test]
fn the_command_that_is_printed_plays_the_case_again() {
    let files = ["s/a/ok.yaml", "s/a/ok2.yaml", "s/my suite/b:c (d).yaml", "s/and.yaml"];
    let folder = suite(&[&files[..], &["scenarios/a/ok.yaml", "scenarios/a/ok2.yaml"]].concat());
    let url = server();
    let cases = |output: &Output| -> Vec<(String, String)> {
        let events = text(&output.stdout);
        let events = events.lines().map(serde_json::from_str::<serde_json::Value>);
        let events = events.map(|event| event.expect("an event"));
        let word = |event: &serde_json::Value, key: &str| event[key].as_str().map(str::to_owned);
        let command = |event| Some((word(&event, "id")?, word(&event, "reproduce")?));
        events.filter_map(command).collect()
    };
    let mut seen = 0;
    for suite in ["s", "scenarios"] {
        let all = cases(&play(folder.path(), &[suite, "--target", &url, "--format", "events"]));
        for (id, command) in all {
            let program = env!("CARGO_BIN_EXE_edgeproof");
            let command = command.replacen("edgeproof", program, 1) + " --format events";
            let mut shell = Command::new("sh");
            shell.args(["-c", &command]).current_dir(folder.path());
            let again = shell.output().expect("a shell");
            assert_eq!(again.status.code(), Some(0), "{command}: {}", text(&again.stderr));
            let ids: Vec<_> = cases(&again).into_iter().map(|(id, _)| id).collect();
            assert_eq!(ids, [id], "{command}");
            seen += 1;
        }
    }
    assert_eq!(seen, 6);
}
