//! What runs leave in their temporary folder: nothing, but for the newest failures; and what a killed run
//! left there goes with the next run. Nothing else is touched.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

const GOOD: &str = "name: Holds\nspec: s\norigin: [{ on: /, respond: {} }]\n\
                    steps: [{ send: GET /, expect: { status: 200 } }]\n";
const BAD: &str = "name: Does not hold\nspec: s\norigin: [{ on: /, respond: {} }]\n\
                   steps: [{ send: GET /, expect: { status: 404 } }]\n";
const SLOW: &str = "name: Takes an hour\nspec: s\ntime_limit: 2h\n\
                    origin: [{ on: /, respond: { delay: 1h } }]\n\
                    steps: [{ send: GET /, expect: { status: 200 } }]\n";

/// A place with a target that is the origin itself, three cases, and a temporary folder of its own.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a folder");
        for (name, text) in [
            ("good.yaml", GOOD),
            ("bad.yaml", BAD),
            ("slow.yaml", SLOW),
            (
                "plain/target.yaml",
                "title: The origin\nservices: { http: { url: \"http://{{ origin.address }}\" } }\n\
                 declares: [http]\nexpresses: all\nclock: none\n",
            ),
            ("tmp/not-ours", ""),
        ] {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        Self(place)
    }

    fn tmp(&self) -> PathBuf {
        self.0.path().join("tmp")
    }

    fn run(&self, case: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edgeproof"));
        command.current_dir(self.0.path()).args(["run", case, "--target", "./plain"]).args(more);
        // No run of this test comes near a place of the person who runs it.
        command.env("TMPDIR", self.tmp()).env("XDG_CACHE_HOME", self.0.path().join("cache"));
        command.env_remove("XDG_RUNTIME_DIR").stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Plays a case to its end; whether it held.
    fn play(&self, case: &str, more: &[&str]) -> bool {
        match self.run(case, more).status().expect("edgeproof runs").code() {
            Some(0) => true,
            Some(1) => false,
            other => panic!("{other:?}"),
        }
    }

    /// The names in the temporary folder, but for the file that was there first.
    fn left(&self) -> BTreeSet<String> {
        let name = |entry: std::io::Result<fs::DirEntry>| {
            entry.expect("an entry").file_name().into_string().expect("text")
        };
        let mut names: BTreeSet<String> =
            fs::read_dir(self.tmp()).expect("the folder").map(name).collect();
        assert!(names.remove("not-ours"));
        names
    }

    /// The work folder of a run that goes on, once it is marked.
    fn in_use(&self) -> String {
        let start = Instant::now();
        loop {
            let marked = |name: &String| self.tmp().join(name).join(".edgeproof").exists();
            if let Some(name) = self.left().into_iter().find(marked) {
                return name;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "no work folder appears");
            std::thread::yield_now();
        }
    }
}

/// A folder that only its owner may enter, with that text as its mark.
fn folder(path: &Path, mark: Option<&str>) {
    fs::create_dir(path).expect("a folder");
    fs::write(path.join("precious"), "a file").expect("a file");
    if let Some(mark) = mark {
        fs::write(path.join(".edgeproof"), mark).expect("a mark");
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("its mode");
}

#[test]
fn what_a_killed_run_left_goes_with_the_next_and_nothing_else_does() {
    let place = Place::new();
    let mut run = place.run("slow.yaml", &[]).spawn().expect("edgeproof runs");
    let work = place.in_use();
    assert!(place.play("good.yaml", &[]));
    assert_eq!(place.left(), BTreeSet::from([work.clone()]), "it is still in use");
    run.kill().expect("SIGKILL");
    run.wait().expect("it ends");
    assert_eq!(place.left(), BTreeSet::from([work.clone()]), "nobody was there to remove it");

    let mark = fs::read_to_string(place.tmp().join(&work).join(".edgeproof")).expect("the mark");
    let at = |name: &str| place.tmp().join(name);
    folder(&at("edgeproof-plain-nomark"), None);
    folder(&at("edgeproof-plain-strang"), Some("Something else.\n"));
    folder(&at("edgeproof-notes"), Some(&mark));
    folder(&at("edgeproof-my-notes"), Some(&mark));
    folder(&at("plain-abc123"), Some(&mark));
    folder(&at("edgeproof-plain-opened"), Some(&mark));
    fs::set_permissions(at("edgeproof-plain-opened"), fs::Permissions::from_mode(0o755))
        .expect("its mode");
    folder(&place.0.path().join("elsewhere"), Some(&mark));
    symlink(place.0.path().join("elsewhere"), at("edgeproof-plain-linked")).expect("a link");
    fs::write(at("edgeproof-plain-a1file"), &mark).expect("a file");
    folder(&at("edgeproof-plain-locked"), Some(&mark));
    let lock = fs::File::open(at("edgeproof-plain-locked")).expect("the folder");
    lock.lock_shared().expect("a lock");

    let mut others = place.left();
    assert!(others.remove(&work));
    assert!(place.play("good.yaml", &[]));
    assert_eq!(place.left(), others);
    assert!(place.0.path().join("elsewhere/precious").exists());
    drop(lock);
    others.remove("edgeproof-plain-locked");
    assert!(place.play("good.yaml", &[]));
    assert_eq!(place.left(), others);
}

#[test]
fn failures_are_kept_but_not_all_and_not_for_ever() {
    let place = Place::new();
    assert!(place.play("good.yaml", &[]));
    assert!(!place.play("bad.yaml", &["--discard"]));
    assert!(place.left().is_empty());
    for _ in 0..12 {
        assert!(!place.play("bad.yaml", &[]));
    }
    let failed = place.left();
    assert_eq!(failed.len(), 11, "the last one, and ten of those before it: {failed:?}");
    assert!(place.tmp().join(failed.first().expect("one")).join("log").is_dir());
    assert!(place.play("good.yaml", &[]));
    let kept = place.left();
    assert_eq!(kept.len(), 10);
    let eight_days_ago = SystemTime::now() - Duration::from_secs(8 * 24 * 60 * 60);
    for name in kept.iter().take(9) {
        let mark = place.tmp().join(name).join(".edgeproof");
        let mark = fs::File::options().write(true).open(mark).expect("the mark");
        mark.set_modified(eight_days_ago).expect("its time");
    }
    assert!(place.play("good.yaml", &[]));
    assert_eq!(place.left(), kept.into_iter().skip(9).collect());
}
