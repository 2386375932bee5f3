//! The file module on small hosts.

mod host;

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use edgeproof_agent::{Digest, Family, Findings, Options, Search, Task, investigate};
use host::Host;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;

const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJcsjVXCCyRVPxWaGXHFq3+YsyVNKnTOcWVLNr8rRSjk";
const ROGUE: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIA1hZ0VYcm9ndWVyb2d1ZXJvZ3Vlcm9ndWVyb2d1ZXJv";

fn keys_search(host: &Host, keys: &str) -> Findings {
    host.search("home", |search| {
        search.add_name("^authorized_keys$").expect("a name");
        search.add_content(keys).expect("a content");
        search.options().macroal = true;
        search.add_mismatch("content").expect("a kind");
    })
}

/// The pattern of the published investigation.
fn published() -> String {
    format!(r"^((#.+)|(\s+)|(ssh-ed25519 {} .+))$", KEY.replace('+', "\\+"))
}

#[test]
fn a_strange_key_is_found_and_what_is_none_raises_no_alarm() {
    let good = [
        format!("ssh-ed25519 {KEY} bob@desk\n"),
        format!("ssh-ed25519 {KEY}\n"),
        format!("ssh-ed25519 {KEY} bob@desk\r\n\r\n"),
        format!("\n\n#\n# a comment\n  \t\nssh-ed25519 {KEY} bob\n"),
        format!("no-pty,command=\"echo \\\"x y\\\"\" ssh-ed25519 {KEY} bob"),
        format!("   ssh-ed25519\t{KEY}\tbob\n"),
        String::new(),
        "# ssh-ed25519 AAAA none\n".to_owned(),
    ];
    for text in good {
        let host = Host::new();
        host.write("home/bob/.ssh/authorized_keys", &text);
        let findings = keys_search(&host, &published());
        assert!(findings.found.is_empty(), "{text:?}: {:?}", findings.found);
        assert_eq!(findings.exit_code(), 0, "{text:?}");
    }
    let long = "x".repeat(100 << 10);
    let longer = "x".repeat(3 << 20);
    let bad = [
        format!("ssh-ed25519 {ROGUE} bob@desk\n"),
        format!("ssh-ed25519 {KEY} bob\nssh-ed25519 {ROGUE}"),
        format!("# {long}\nssh-ed25519 {KEY} bob\nssh-ed25519 {ROGUE}\n"),
        format!("# {longer}\nssh-ed25519 {KEY} bob\nssh-ed25519 {ROGUE}\n"),
        format!("environment=\"A={long}\" ssh-ed25519 {ROGUE}\n"),
        format!("environment=\"A={longer}\" ssh-ed25519 {ROGUE}\n"),
        format!("ssh-ed25519 {ROGUE} ssh-ed25519 {KEY} bob\n"),
        format!("command=\"x\" ssh-ed25519 {ROGUE} ssh-ed25519 {KEY} bob\n"),
        format!("\tssh-ed25519 {ROGUE}\0\n"),
        format!("cert-authority ssh-ed25519 {ROGUE}\n"),
        format!("ED25519 {ROGUE}\n"),
    ];
    for text in bad {
        let host = Host::new();
        host.write("home/bob/.ssh/authorized_keys", &text);
        for pattern in [published(), format!("ssh-ed25519 {}", KEY.replace('+', "\\+"))] {
            let findings = keys_search(&host, &pattern);
            let start: String = text.chars().take(60).collect();
            assert_eq!(
                host.found(&findings),
                ["home/bob/.ssh/authorized_keys"],
                "{start} {pattern}"
            );
            assert_eq!(findings.exit_code(), 1);
        }
    }
}

#[test]
fn a_root_does_not_take_in_its_neighbour() {
    let host = Host::new();
    host.write("home/bob/x", "1");
    host.write("home/bobby/x", "1");
    let findings = host.search("home/bob", |search| search.add_name("^x$").expect("a name"));
    assert_eq!(host.found(&findings), ["home/bob/x"]);
}

#[test]
fn depth_counts_from_what_lies_in_the_path() {
    let host = Host::new();
    for path in ["a", "b/a", "b/c/a"] {
        host.write(path, "1");
    }
    for (depth, expected) in [(1, 1), (2, 2), (3, 3), (0, 3)] {
        let findings = host.search("", |search| search.options().maxdepth = depth);
        assert_eq!(findings.found.len(), expected, "{depth}");
    }
}

#[test]
fn nested_and_missing_paths_and_files_as_paths() {
    let host = Host::new();
    host.write("home/bob/.ssh/keys", "1");
    let search = |name: &str, path: &str| {
        let mut search = Search::named(name);
        search.add_path(&host.text(path)).expect("a path");
        search.options().maxdepth = 1;
        search.checked().expect("a search")
    };
    let searches = [
        search("top", "home"),
        search("inner", "home/bob/.ssh"),
        search("file", "home/bob/.ssh/keys"),
        search("none", "home/ann/.ssh"),
    ];
    let findings = investigate(&searches, None);
    assert_eq!(findings.found.iter().map(|found| found.search).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((findings.counts.missing, findings.counts.paths), (1, 4));
    let findings = investigate(&searches[3..], None);
    assert_eq!(findings.exit_code(), 4, "there was nothing to look at");
}

#[test]
fn links_out_are_said_and_not_followed_unless_asked() {
    let host = Host::new();
    host.write("srv/keys", "rogue");
    host.write("home/bob/inside", "rogue");
    host.link(host.path("srv/keys"), "home/bob/keys");
    host.link("inside", "home/bob/near");
    host.link(host.path("srv"), "home/bob/.ssh");
    let rogue = |follow| {
        host.search("home/bob", |search| {
            search.add_content("rogue").expect("a content");
            search.options().follow = follow;
        })
    };
    let findings = rogue(false);
    assert_eq!(host.found(&findings), ["home/bob/inside", "home/bob/near"]);
    assert_eq!(findings.links.len(), 2);
    assert!(findings.links.iter().all(|link| !link.followed));
    let findings = rogue(true);
    assert_eq!(host.found(&findings).len(), 4);
    assert!(findings.links.iter().all(|link| link.followed));
    // Behind a searched path there is always looked, and said.
    host.link(host.path("srv"), "home/ann/.ssh");
    let findings = host.search("home/ann/.ssh", |search| search.add_content("rogue").expect("one"));
    assert_eq!(host.found(&findings), ["home/ann/.ssh/keys"]);
    assert!(findings.links[0].followed);
}

#[test]
fn what_hides_behind_a_link_is_not_taken_for_nothing() {
    let host = Host::new();
    host.write("srv/keys", "rogue");
    host.link(host.path("srv/keys"), "home/bob/keys");
    let findings = host.search("home/bob", |search| search.add_content("rogue").expect("one"));
    assert_eq!(findings.exit_code(), 6);
}

#[test]
fn what_hides_in_a_folder_behind_a_link_is_not_taken_for_nothing() {
    let host = Host::new();
    host.write("srv/ssh/keys", "rogue");
    host.write("home/bob/x", "1");
    host.link(host.path("srv/ssh"), "home/bob/.ssh");
    let search = |depth| {
        host.search("home/bob", |search| {
            search.add_content("rogue").expect("one");
            search.options().maxdepth = depth;
        })
    };
    assert_eq!(search(2).exit_code(), 6);
    assert_eq!(search(1).exit_code(), 0, "nothing looks there");
}

#[test]
fn a_path_within_another_of_the_same_search_is_looked_at_once() {
    let host = Host::new();
    host.write("c/bar/x", "1");
    let found = host.search("c", |search| {
        search.add_path(&host.text("c/bar")).expect("a path");
        search.add_name("^x$").expect("a name");
    });
    assert_eq!((host.found(&found).len(), found.counts.found), (1, 1));
}

#[test]
fn a_name_may_have_any_octet() {
    let host = Host::new();
    host.write("www/shell\n.php", "x");
    for name in [r"\.php$", "^shell", "shell", r"^shell\s\.php$", "(?s)^shell..php$"] {
        let found = host.search("www", |search| search.add_name(name).expect("a name"));
        assert_eq!(found.found.len(), 1, "{name}");
    }
    let found = host.search("www", |search| search.add_name("^shell..php$").expect("a name"));
    assert_eq!(found.found.len(), 0, "`.` is no LF");
}

#[test]
fn a_ring_of_links_ends() {
    let host = Host::new();
    host.write("a/x", "1");
    host.write("b/y", "1");
    host.link(host.path("b"), "a/to-b");
    host.link(host.path("a"), "b/to-a");
    host.link(host.path("b"), "b/to-b");
    let findings = host.search("a", |search| search.options().follow = true);
    assert!(host.found(&findings).contains(&"a/to-b/y".to_owned()));
}

#[test]
fn a_fifo_is_never_opened() {
    let host = Host::new();
    host.write("home/x", "1");
    let fifo = host.path("home/keys");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let watch = inotify::init(CreateFlags::NONBLOCK).expect("inotify");
    inotify::add_watch(&watch, &fifo, WatchFlags::OPEN).expect("it is watched");
    let mut event = [0; 64];
    let findings = host.search("home", |search| search.add_content("1").expect("a content"));
    assert_eq!(host.found(&findings), ["home/x"]);
    let findings = host.search("home", |search| search.add_mode("^p").expect("a mode"));
    assert_eq!(host.found(&findings), ["home/keys"]);
    // Looked up by its name.
    let findings = host.search("home", |search| {
        search.add_name("^keys$").expect("a name");
        search.add_content("1").expect("a content");
        search.options().maxdepth = 1;
    });
    assert!(findings.found.is_empty());
    assert_eq!(rustix::io::read(&watch, &mut event), Err(Errno::AGAIN));
    drop(File::options().read(true).write(true).open(&fifo).expect("a FIFO"));
    assert!(rustix::io::read(&watch, &mut event).is_ok(), "the watch sees who opens it");
}

#[test]
fn what_cannot_be_read_is_an_error_and_not_a_miss() {
    let host = Host::new();
    host.write("home/archive.gz", [0x1f, 0x8b, 8, 0, 1, 2, 3]);
    let findings = host.search("home", |search| {
        search.add_content("x").expect("a content");
        search.options().decompress = true;
    });
    assert_eq!((findings.counts.errors, findings.errors.len()), (1, 1));
    assert_eq!(findings.exit_code(), 6);
}

#[test]
fn criteria_of_facts() {
    let host = Host::new();
    host.write("small", "12345");
    host.write("big", vec![0; 3000]);
    host.mode("small", 0o4755);
    host.mode("big", 0o600);
    let by = |fill: &dyn Fn(&mut Search)| host.found(&host.search("", fill));
    assert_eq!(by(&|s| s.add_size("<1k").expect("a size")), ["small"]);
    assert_eq!(by(&|s| s.add_size(">2k").expect("a size")), ["big"]);
    assert_eq!(by(&|s| s.add_size("5").expect("a size")), ["small"]);
    assert_eq!(by(&|s| s.add_mode("^-rws").expect("a mode")), ["small"]);
    assert_eq!(by(&|s| s.add_mode("^urwx").expect("a mode")), ["small"]);
    assert_eq!(by(&|s| s.add_mode("^-rw-------$").expect("a mode")), ["big"]);
    assert_eq!(by(&|s| s.add_name("!^big$").expect("a name")), ["small"]);
    assert_eq!(by(&|s| s.add_mtime("<1h").expect("an age")).len(), 2);
    assert!(by(&|s| s.add_mtime(">1h").expect("an age")).is_empty());
    let any = by(&|s| {
        s.add_name("^big$").expect("a name");
        s.add_size("5").expect("a size");
        s.options().matchall = false;
    });
    assert_eq!(any, ["big", "small"]);
    let turned = by(&|s| {
        s.add_name("^big$").expect("a name");
        s.add_mismatch("name").expect("a kind");
    });
    assert_eq!(turned, ["small"]);
}

#[test]
fn contents_are_lines() {
    let host = Host::new();
    host.write("x", "one two\nthree\r\n");
    let holds = |all: bool, contents: &[&str]| {
        let findings = host.search("", |search| {
            contents.iter().for_each(|content| search.add_content(*content).expect("a content"));
            search.options().matchall = all;
        });
        !findings.found.is_empty()
    };
    assert!(holds(true, &["^one", "three$"]));
    assert!(!holds(true, &["^one", "four"]));
    assert!(holds(false, &["^one", "four"]));
    assert!(!holds(true, &["two.*three"]));
    assert!(holds(true, &["!four", r"^t\w+e$"]));
    assert!(!holds(true, &["!three"]));
}

#[test]
fn every_line_must_fit_all_contents() {
    let host = Host::new();
    host.write("x", "alpha 1\nbeta 2\n");
    let fits = |all: bool, contents: &[&str]| {
        let findings = host.search("", |search| {
            contents.iter().for_each(|content| search.add_content(*content).expect("a content"));
            search.options().macroal = true;
            search.options().matchall = all;
        });
        !findings.found.is_empty()
    };
    for all in [true, false] {
        assert!(fits(all, &[r"^\w+ \d$"]));
        assert!(!fits(all, &["^alpha"]));
        assert!(fits(all, &["!gamma"]));
        assert!(!fits(all, &["!beta"]));
    }
    assert!(fits(true, &[r"^\w+ \d$", "a"]));
    assert!(!fits(true, &[r"^\w+ \d$", "^alpha"]));
    // Where one is enough, each line may have its own.
    assert!(fits(false, &["^alpha", "^beta"]));
    assert!(!fits(false, &["^alpha", "^gamma"]));
}

#[test]
fn a_list_of_keys_is_judged_beside_other_contents() {
    let host = Host::new();
    host.write("home/bob/.ssh/authorized_keys", format!("ssh-ed25519 {KEY} bob\n"));
    let fits = |content: &str| {
        let findings = host.search("home", |search| {
            search.add_name("^authorized_keys$").expect("a name");
            search.add_content(published()).expect("a content");
            search.add_content(content).expect("a content");
            search.options().macroal = true;
        });
        !findings.found.is_empty()
    };
    assert!(fits(" bob$"));
    assert!(!fits(" alice$"));
}

#[test]
fn limits_are_each_searchs_own() {
    let host = Host::new();
    (0..20).for_each(|number| drop(host.write(&format!("x{number}"), "1")));
    let searches: Vec<Search> = [3, 0, 100]
        .iter()
        .map(|limit| {
            let mut search = Search::named("s");
            search.add_path(&host.text("")).expect("a path");
            *search.options() = Options { matchlimit: *limit, ..Options::default() };
            search.checked().expect("a search")
        })
        .collect();
    let findings = investigate(&searches, None);
    let of = |search| findings.found.iter().filter(|found| found.search == search).count();
    assert_eq!([of(0), of(1), of(2)], [3, 20, 20]);
    assert_eq!(findings.counts.found, 60);
}

#[test]
fn what_its_name_finds_is_found_without_its_digest() {
    // A file whose first octet nobody has mapped: reading it fails, for root too.
    let mut search = Search::named("s1");
    search.add_path("/proc/self").expect("a path");
    search.add_name("^mem$").expect("a name");
    *search.options() = Options { returnsha256: true, maxdepth: 1, ..Options::default() };
    let found = investigate(&[search.checked().expect("a search")], None);
    assert_eq!((found.found.len(), found.errors.len()), (1, 1));
    assert_eq!(found.found[0].sha256, None);
}

#[test]
fn digests_and_their_return() {
    let host = Host::new();
    host.write("abc", "abc");
    host.write("other", "abcd");
    let sha256 = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
    let sha3 = "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532";
    for (family, hex) in [
        (Family::Md5, "900150983cd24fb0d6963f7d28e17f72"),
        (Family::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (Family::Sha2, sha256),
        (Family::Sha3, sha3),
    ] {
        let digest = Digest::new(family, hex).expect("a digest");
        let findings = host.search("", |search| {
            search.add_digest(digest, family);
            search.options().returnsha256 = true;
        });
        assert_eq!(host.found(&findings), ["abc"], "{family:?}");
        assert_eq!(findings.found[0].sha256, Some(sha256.to_ascii_lowercase()));
    }
    Digest::new(Family::Md5, "90").expect_err("too short");
}

#[test]
fn compressed_files_and_archives() {
    let host = Host::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"Hacked By x\n").expect("room");
    let gzip = gzip.finish().expect("room");
    host.write("page.gz", &gzip);
    let mut tar = tar::Builder::new(Vec::new());
    for (name, text) in [("in/good", "fine"), ("in/bad", "Hacked By y")] {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, text.as_bytes()).expect("room");
    }
    let tar = tar.into_inner().expect("room");
    host.write("pages.tar", &tar);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).expect("room");
    host.write("pages.tar.gz", gzip.finish().expect("room"));
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("page.html", options).expect("room");
    zip.write_all(b"Hacked By z").expect("room");
    host.write("pages.zip", zip.finish().expect("room").into_inner());
    let search = |decompress| {
        host.search("", |search| {
            search.add_content("^Hacked By").expect("a content");
            search.options().decompress = decompress;
        })
    };
    assert_eq!(
        host.found(&search(true)),
        ["page.gz", "pages.tar:in/bad", "pages.tar.gz:in/bad", "pages.zip:page.html"]
    );
    assert!(host.found(&search(false)).is_empty());
}

#[test]
fn the_time_ends_a_pass() {
    let host = Host::new();
    host.write("x", "1");
    let mut search = Search::named("s1");
    search.add_path(&host.text("")).expect("a path");
    let past = Instant::now().checked_sub(Duration::from_secs(1)).expect("there was one");
    let findings = investigate(&[search.checked().expect("a search")], Some(past));
    assert!(findings.expired);
    assert_eq!(findings.exit_code(), 6);
}

#[test]
fn an_action_reads_both_spellings_and_names_its_mistakes() {
    for (version, digest) in [("version", "sha2"), ("syntaxversion", "sha256")] {
        let action = format!(
            r#"{{"name": "n", "target": "t", "{version}": 2, "operations": [{{"module": "file", "parameters":
            {{"searches": {{"a": {{"paths": ["/etc"], "{digest}": ["{}"]}}}}}}}}]}}"#,
            "0".repeat(64)
        );
        let task = Task::from_json(action.as_bytes()).expect("an action");
        assert_eq!((&*task.name, &*task.target), ("n", "t"));
        let searches = task.searches().expect("searches only");
        assert_eq!((searches.len(), searches[0].name.as_str()), (1, "a"));
    }
    // Both at once, and `null` for what is not asked for, as programs write it that have no word for nothing.
    let nothing = r#"{"version": 2, "syntaxversion": 2, "operations": [{"module": "file", "parameters": {"searches": {
        "a": {"paths": ["/etc"], "names": null, "sizes": null, "sha2": null, "options": {"mismatch": null, "macroal": null}},
        "b": {"paths": ["/etc"], "options": null}}}}]}"#;
    let searches = Task::from_json(nothing.as_bytes()).expect("an action").searches();
    assert_eq!(searches.expect("searches only").len(), 2);
    let newer = nothing.replace(r#""syntaxversion": 2"#, r#""syntaxversion": 3"#);
    assert!(Task::from_json(newer.as_bytes()).is_err());
    let with = |search: &str| {
        let text = format!(
            r#"{{"operations": [{{"module": "file", "parameters": {{"searches": {{"a": {search}}}}}}}]}}"#
        );
        Task::from_json(text.as_bytes()).expect_err("a mistake").to_string()
    };
    insta::assert_snapshot!(with(r#"{"paths": ["/etc"], "names": ["("]}"#).lines().next().expect("a line"),
        @"search 'a': `(` is no regular expression: regex parse error:");
    insta::assert_snapshot!(with(r#"{"paths": ["etc"]}"#), @"search 'a': the path `etc` is not absolute");
    insta::assert_snapshot!(with(r#"{"names": ["x"]}"#), @"search 'a': no path to search in");
    insta::assert_snapshot!(with(r#"{"paths": ["/etc"], "options": {"mismatch": ["x"]}}"#),
        @"search 'a': mismatch `x`: expected name, size, mode, mtime, content, md5, sha1, sha2 or sha3");
    insta::assert_snapshot!(with(r#"{"paths": ["/etc"], "sizes": ["x"]}"#),
        @"search 'a': `x` is no size: expected `<10m`, `>1k` or `968`; units are k, m, g, t (of 1024)");
}

/// A search for one name, which is looked up without reading its folder, says what a search by a regex of that name
/// says.
#[test]
fn one_name_is_looked_up_as_it_would_be_found() {
    let host = Host::new();
    let rogue = format!("ssh-ed25519 {ROGUE} x\n");
    let good = format!("ssh-ed25519 {KEY} x\n");
    for (home, text) in [("good", &good), ("rogue", &rogue), ("linked", &rogue)] {
        host.write(&format!("home/{home}/.ssh/authorized_keys"), text);
        host.write(&format!("home/{home}/.ssh/authorized_keys2"), &rogue);
    }
    host.write("outside/authorized_keys", &rogue);
    host.write("home/beside/keys", &rogue);
    host.link(host.path("outside"), "home/link-to-folder/.ssh");
    host.link(host.path("outside/authorized_keys"), "home/link-to-file/.ssh/authorized_keys");
    host.link("../keys", "home/beside/.ssh/authorized_keys");
    host.link("nowhere", "home/dangling/.ssh/authorized_keys");
    host.link(host.path("home/linked"), "home/link-to-home");
    host.write("home/a-folder/.ssh/authorized_keys/x", &rogue);
    host.write("home/none/.ssh/config", "x");
    host.write("home/a-file/.ssh", &rogue);
    host.write("home/fifo/.ssh/x", "x");
    let fifo = host.path("home/fifo/.ssh/authorized_keys");
    assert!(Command::new("mkfifo").arg(fifo).status().expect("mkfifo").success());
    let homes = [
        "good",
        "rogue",
        "linked",
        "link-to-folder",
        "link-to-file",
        "beside",
        "dangling",
        "link-to-home",
        "a-folder",
        "none",
        "a-file",
        "fifo",
        "nobody",
    ];
    let by_name = |name: &str, more: &dyn Fn(&mut Search)| {
        let searches = homes.map(|home| {
            let mut search = Search::named(home);
            search.add_path(&host.text(&format!("home/{home}/.ssh"))).expect("a path");
            search.add_name(name).expect("a name");
            search.add_content(published()).expect("a content");
            search.options().macroal = true;
            search.options().maxdepth = 1;
            search.add_mismatch("content").expect("a kind");
            more(&mut search);
            search.checked().expect("a search")
        });
        let mut findings = investigate(&searches, None);
        // Entries of folders that were read: the one thing that differs.
        (findings.counts.files, findings.counts.folders) = (0, 0);
        findings
    };
    let more: [&dyn Fn(&mut Search); 6] = [
        &|_| {},
        &|search| search.options().follow = true,
        &|search| search.options().returnsha256 = true,
        &|search| search.options().matchall = false,
        &|search| search.add_mismatch("name").expect("a kind"),
        &|search| search.add_size(">10k").expect("a size"),
    ];
    for (at, more) in more.iter().enumerate() {
        let one = by_name("^authorized_keys$", more);
        let regex = by_name("^authorized_key[s]$", more);
        assert_eq!(format!("{one:?}"), format!("{regex:?}"), "{at}");
        assert_eq!(one.found.is_empty(), at == 5, "{at}");
    }
    assert_eq!(
        host.found(&by_name("^authorized_keys$", &|_| {})),
        [
            "home/rogue/.ssh/authorized_keys",
            "home/linked/.ssh/authorized_keys",
            "home/link-to-folder/.ssh/authorized_keys",
            "home/link-to-home/.ssh/authorized_keys",
        ]
    );
}

#[test]
fn what_the_kernel_makes_up_is_read_by_a_search_that_begins_there() {
    let search = |path: &str, depth: u32| {
        let mut search = Search::named("s1");
        search.add_path(path).expect("a path");
        search.add_name("^version$").expect("a name");
        search.add_content("^Linux version ").expect("a content");
        search.options().maxdepth = depth;
        investigate(&[search.checked().expect("a search")], None)
    };
    let version = Path::new("/proc/version");
    let there = search("/proc", 1);
    assert!(there.found.iter().any(|found| found.path == version) && there.unread.is_empty());
    let by = search("/", 2);
    assert!(!by.found.iter().any(|found| found.path == version), "{:?}", by.found);
    assert!(by.unread.iter().any(|unread| unread.path == Path::new("/proc")), "{:?}", by.unread);
}

/// What the name alone decides is found, also where its digest cannot be made.
#[test]
fn a_damaged_archive_has_a_name_too() {
    let host = Host::new();
    host.write("home/bob/notes.gz", b"\x1f\x8b damaged");
    for decompress in [false, true] {
        let findings = host.search("home", |search| {
            search.add_name("^notes").expect("a name");
            search.options().returnsha256 = true;
            search.options().decompress = decompress;
        });
        assert_eq!((findings.counts.found, findings.exit_code()), (1, 1), "{findings:?}");
        assert_eq!(findings.counts.errors, u64::from(decompress));
    }
}
