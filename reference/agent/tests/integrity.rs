//! Files against package manifests and manifests of one's own: what lost block updates leave behind is found.

mod host;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use edgeproof_agent::{
    Fault, Hash, Integrity, Manifest, ManifestError, PackageError, Packages, check_packages,
    make_manifest,
};
use host::Host;
use md5::{Digest as _, Md5};

const DAY: u64 = 86_400;

fn age(path: &Path, seconds: u64) {
    let then = SystemTime::now() - Duration::from_secs(seconds);
    File::options().write(true).open(path).expect("a file").set_modified(then).expect("a time");
}

fn md5(content: &str) -> String {
    Md5::digest(content).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A host whose packages were unpacked now, with files that were made ten days ago.
struct Debian {
    host: Host,
    status: String,
}

impl Debian {
    fn new() -> Self {
        Self { host: Host::new(), status: String::new() }
    }

    /// Installs a package; a path in /etc is a configuration file.
    fn install(&mut self, package: &str, files: &[(&str, &str)]) {
        let mut sums = String::new();
        let mut list = String::from("/.\n");
        let mut conffiles = String::new();
        for (path, content) in files {
            age(&self.host.write(path, content), 10 * DAY);
            list += &format!("/{path}\n");
            match path.starts_with("etc/") {
                true => conffiles += &format!(" /{path} {}\n", md5(content)),
                false => sums += &format!("{}  {path}\n", md5(content)),
            }
        }
        self.status += &format!(
            "Package: {package}\nStatus: install ok installed\nArchitecture: amd64\n\
             Conffiles:\n{conffiles}Version: 1\n\n"
        );
        self.host.write("var/lib/dpkg/status", &self.status);
        self.host.write(&format!("var/lib/dpkg/info/{package}.md5sums"), sums);
        self.host.write(&format!("var/lib/dpkg/info/{package}.list"), list);
    }

    /// Other content, without a trace in the times.
    fn garble(&self, path: &str, content: &str) {
        age(&self.host.write(path, content), 10 * DAY);
    }

    fn packages(&self) -> Packages {
        Packages { root: self.host.path(""), ..Packages::default() }
    }

    fn check(&self) -> Integrity {
        check_packages(&self.packages(), None).expect("packages")
    }
}

fn faults(found: &Integrity) -> Vec<(String, Fault)> {
    let damaged = found.damaged.iter();
    damaged.map(|damaged| (damaged.path.display().to_string(), damaged.fault)).collect()
}

fn fault(path: &str, fault: Fault) -> (String, Fault) {
    (path.to_owned(), fault)
}

#[test]
fn a_host_as_it_was_installed() {
    let mut debian = Debian::new();
    debian.install("a", &[("usr/bin/a", "a"), ("etc/a.conf", "conf")]);
    let found = debian.check();
    assert_eq!((faults(&found), found.checked, found.exit_code()), (vec![], 3, 0));
    assert_eq!(found.troubles, []);
}

#[test]
fn three_faults_of_lost_blocks_in_packages() {
    let mut debian = Debian::new();
    debian.install("a", &[("usr/bin/gone", "a"), ("usr/bin/random", "b"), ("usr/bin/good", "c")]);
    debian.install("b", &[("usr/lib/old", "new"), ("usr/lib/edited", "e"), ("usr/lib/fifo", "f")]);
    fs::remove_file(debian.host.path("usr/bin/gone")).expect("it was there");
    debian.garble("usr/bin/random", "\0\0");
    debian.garble("usr/lib/old", "old");
    let list = debian.host.path("var/lib/dpkg/info/b.list");
    // The upgrade was a day after the files that are there now: they are still the earlier version's.
    let upgrade = SystemTime::now() + Duration::from_secs(DAY);
    File::options().write(true).open(&list).expect("a list").set_modified(upgrade).expect("a time");
    let edited = debian.host.write("usr/lib/edited", "by hand");
    let after = upgrade + Duration::from_secs(1);
    File::options().write(true).open(edited).expect("a file").set_modified(after).expect("a time");
    let fifo = debian.host.path("usr/lib/fifo");
    fs::remove_file(&fifo).expect("it was there");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());

    let found = debian.check();
    assert_eq!(
        faults(&found),
        [
            fault("/usr/bin/gone", Fault::Vanished),
            fault("/usr/bin/random", Fault::RandomContent),
            fault("/usr/lib/edited", Fault::Changed),
            fault("/usr/lib/fifo", Fault::NoFile),
            fault("/usr/lib/old", Fault::OldContent),
        ]
    );
    assert_eq!((found.packages(), found.exit_code()), (vec!["a", "b"], 1));
}

#[test]
fn folders_and_links_vanish_too() {
    let mut debian = Debian::new();
    debian.install("a", &[("usr/bin/a", "a")]);
    debian.host.link("nowhere", "usr/bin/link");
    let list = debian.host.path("var/lib/dpkg/info/a.list");
    fs::write(list, "/.\n/usr\n/usr/bin\n/usr/bin/a\n/usr/bin/link\n/usr/lost\n").expect("a list");
    let found = debian.check();
    assert_eq!(faults(&found), [fault("/usr/lost", Fault::Vanished)]);
    assert_eq!((found.checked, found.exit_code()), (6, 1));
    fs::remove_file(debian.host.path("usr/bin/link")).expect("it was there");
    assert_eq!(debian.check().damaged.len(), 2);
}

#[test]
fn a_saved_manifest_tells_old_content() {
    let mut debian = Debian::new();
    debian.install("a", &[("usr/bin/a", "new"), ("usr/bin/b", "new")]);
    debian.garble("usr/bin/a", "old");
    debian.garble("usr/bin/b", "noise");
    let saved = debian.host.write("saved/a.md5sums", format!("{}  usr/bin/a\n", md5("old")));
    let older = vec![saved.parent().expect("a folder").to_owned()];
    let found = check_packages(&Packages { older, ..debian.packages() }, None).expect("packages");
    let is = [fault("/usr/bin/a", Fault::OldContent), fault("/usr/bin/b", Fault::RandomContent)];
    assert_eq!(faults(&found), is);
}

#[test]
fn configuration_is_told_apart() {
    let mut debian = Debian::new();
    debian.install("a", &[("etc/a.conf", "a"), ("etc/b.conf", "b"), ("etc/c.conf", "c")]);
    debian.garble("etc/a.conf", "kept over an upgrade");
    fs::remove_file(debian.host.path("etc/b.conf")).expect("it was there");
    let found = debian.check();
    let is = [fault("/etc/a.conf", Fault::Changed), fault("/etc/b.conf", Fault::Vanished)];
    assert_eq!(faults(&found), is);
    assert!(found.damaged.iter().all(|damaged| damaged.is_conffile));
    assert_eq!((found.packages().len(), found.exit_code()), (0, 0));
}

#[test]
fn what_is_elsewhere_or_was_left_out_has_not_vanished() {
    let mut debian = Debian::new();
    debian.install("a", &[("usr/bin/sh", "dash"), ("usr/share/man/de/a.1", "x"), ("bin/x", "y")]);
    fs::rename(debian.host.path("usr/bin/sh"), debian.host.path("usr/bin/sh.real")).expect("moved");
    debian.host.write("var/lib/dpkg/diversions", "/usr/bin/sh\n/usr/bin/sh.real\nother\n");
    fs::remove_file(debian.host.path("usr/share/man/de/a.1")).expect("it was there");
    debian.host.write("etc/dpkg/dpkg.cfg.d/small", "path-exclude=/usr/share/man/*\n");
    // /bin became a link to /usr/bin, as on every Debian by now.
    fs::rename(debian.host.path("bin/x"), debian.host.path("usr/bin/x")).expect("moved");
    fs::remove_dir(debian.host.path("bin")).expect("it is empty");
    debian.host.link("/usr/bin", "bin");
    let found = debian.check();
    assert_eq!((faults(&found), found.checked), (vec![], 4));
    // The package whose file stands there instead is not spared.
    debian.install("other", &[("usr/bin/sh", "bash")]);
    debian.garble("usr/bin/sh", "noise");
    assert_eq!(faults(&debian.check()), [fault("/usr/bin/sh", Fault::RandomContent)]);
}

#[test]
fn damage_of_the_manifests_is_said() {
    let mut debian = Debian::new();
    debian.install("a", &[("usr/bin/a", "a")]);
    debian.install("b", &[("usr/bin/b", "b")]);
    debian.install("c", &[("usr/bin/c", "c")]);
    fs::remove_file(debian.host.path("var/lib/dpkg/info/a.md5sums")).expect("it was there");
    debian.host.write("var/lib/dpkg/info/b.md5sums", "\0\0\0\0\n");
    fs::remove_file(debian.host.path("var/lib/dpkg/info/c.list")).expect("it was there");
    let found = debian.check();
    let reasons: Vec<_> = found.troubles.iter().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(reasons[0].contains("no md5sums") && reasons[1].contains("1 lines"), "{reasons:?}");
    assert_eq!((found.checked, found.exit_code()), (5, 6));
}

#[test]
fn what_dpkg_itself_has_lost() {
    let mut debian = Debian::new();
    debian.install("a", &[("usr/bin/a", "a"), ("etc/a.conf", "a")]);
    debian.install("b", &[("etc/b.conf", "b")]);
    debian.host.write("var/lib/dpkg/info/b.md5sums", "");
    assert_eq!(debian.check().exit_code(), 0, "a package of configuration alone has no md5sums");
    let lost = |path: &str, content: &str, reason: &str| {
        let before = fs::read(debian.host.path(path)).expect("it is there");
        debian.host.write(path, content);
        let found = debian.check();
        let troubles = &found.troubles;
        assert!(troubles.len() == 1 && troubles[0].1.contains(reason), "{path}: {troubles:?}");
        assert_eq!(found.exit_code(), 6);
        debian.host.write(path, before);
    };
    lost("var/lib/dpkg/info/a.md5sums", "", "no md5sums");
    lost("var/lib/dpkg/info/a.list", "", "list of files is empty");
    let first = debian.status.split_inclusive("\n\n").next().expect("a package");
    lost("var/lib/dpkg/status", first, "no package of this name");
}

#[test]
fn what_a_person_can_get_wrong() {
    let mut debian = Debian::new();
    let wrong = |packages: &Packages| check_packages(packages, None).expect_err("a mistake");
    assert!(matches!(wrong(&debian.packages()), PackageError::NoState(_)));
    debian.host.write("var/lib/dpkg/status", "");
    assert!(matches!(wrong(&debian.packages()), PackageError::EmptyState));
    debian.install("a", &[("usr/bin/a", "a")]);
    let named = |name: &str| Packages { names: vec![name.to_owned()], ..debian.packages() };
    assert!(matches!(wrong(&named("b")), PackageError::NoPackage(name) if name == "b"));
    assert!(matches!(wrong(&named("a:i386")), PackageError::NoPackage(_)));
    assert_eq!(check_packages(&named("a:amd64"), None).expect("installed").checked, 2);
    let older = |folder: PathBuf| Packages { older: vec![folder], ..debian.packages() };
    for folder in [debian.host.path("usr"), debian.host.path("none")] {
        assert!(matches!(wrong(&older(folder)), PackageError::Older(..)));
    }
    let root = Packages { root: debian.host.path("none"), ..Packages::default() };
    assert!(matches!(wrong(&root), PackageError::Root(..)));
}

#[test]
fn the_time_is_over() {
    let mut debian = Debian::new();
    debian.install("a", &[("usr/bin/a", "a")]);
    let found = check_packages(&debian.packages(), Some(Instant::now())).expect("packages");
    assert_eq!((found.expired, found.checked, found.exit_code()), (true, 0, 6));
}

/// dpkg's own word on this host: we name no file that it does not, and none that it names is missing.
#[test]
fn this_hosts_packages() {
    if !Path::new("/var/lib/dpkg/status").exists() {
        eprintln!("not tried: this host has no dpkg");
        return;
    }
    let names: Vec<String> =
        ["base-files", "bash", "coreutils", "dpkg", "tar"].map(str::to_owned).to_vec();
    let found = check_packages(&Packages { names: names.clone(), ..Packages::default() }, None);
    let found = found.expect("packages of every Debian");
    assert!(found.checked > 100, "{}", found.checked);
    let output = Command::new("dpkg").arg("--verify").args(&names).output().expect("dpkg");
    let output = String::from_utf8(output.stdout).expect("UTF-8");
    let theirs: BTreeSet<String> =
        output.lines().filter_map(|line| Some(line[line.find(" /")? + 1..].to_owned())).collect();
    let ours: BTreeSet<String> = faults(&found).into_iter().map(|(path, _)| path).collect();
    // dpkg calls missing what it was told not to unpack.
    let excluded = |path: &&String| !Path::new(path).exists();
    let missed: Vec<_> = theirs.difference(&ours).filter(|path| !excluded(path)).collect();
    assert_eq!((ours.difference(&theirs).collect::<Vec<_>>(), missed), (vec![], vec![]));
}

fn folder() -> Host {
    let host = Host::new();
    for name in ["gone", "random", "old", "changed", "good", "mode", "deep/er/a b%\n"] {
        age(&host.write(&format!("www/{name}"), format!("{name} 2")), 10 * DAY);
        host.mode(&format!("www/{name}"), 0o644);
    }
    host.link("/etc/passwd", "www/link");
    host
}

#[test]
fn three_faults_of_lost_blocks_in_a_folder() {
    for hash in [Hash::Blake3, Hash::Sha256] {
        let host = folder();
        let path = |name: &str| host.path("www").join(name).display().to_string();
        let made = make_manifest(&host.path("www"), hash).expect("a manifest");
        let manifest: Manifest = made.to_text().parse().expect("what was written");
        assert_eq!((manifest.len(), manifest.check(&[], None).exit_code()), (7, 0));

        fs::remove_file(host.path("www/gone")).expect("it was there");
        let facts = fs::metadata(host.path("www/random")).expect("it is there");
        let random = host.write("www/random", "\0 noise");
        let random = File::options().write(true).open(random).expect("a file");
        random.set_modified(facts.modified().expect("a time")).expect("a time");
        age(&host.write("www/old", "old 1"), 20 * DAY);
        host.write("www/changed", "by somebody");
        host.mode("www/mode", 0o4755);
        host.write("www/shell.php", "new");

        let found = manifest.check(&[], None);
        assert_eq!(
            faults(&found),
            [
                (path("changed"), Fault::Changed),
                (path("gone"), Fault::Vanished),
                (path("mode"), Fault::Mode),
                (path("old"), Fault::OldContent),
                (path("random"), Fault::RandomContent),
            ]
        );
        assert_eq!(found.new, [host.path("www/shell.php")]);
        assert_eq!((found.checked, found.exit_code()), (7, 1));
    }
}

#[test]
fn an_earlier_manifest_tells_old_content() {
    let host = folder();
    let first = make_manifest(&host.path("www"), Hash::Blake3).expect("a manifest");
    host.write("www/old", "old 3");
    let second = make_manifest(&host.path("www"), Hash::Blake3).expect("a manifest");
    // Restored with a new time: only the content tells.
    let restored = host.write("www/old", "old 2");
    let later = SystemTime::now() + Duration::from_secs(DAY);
    File::options()
        .write(true)
        .open(restored)
        .expect("a file")
        .set_modified(later)
        .expect("a time");
    let is = |older: &[Manifest]| second.check(older, None).damaged[0].fault;
    assert_eq!(is(&[]), Fault::Changed);
    assert_eq!(is(&[first]), Fault::OldContent);
}

#[test]
fn a_folder_that_is_gone_or_moved() {
    let host = folder();
    let mut manifest = make_manifest(&host.path("www"), Hash::Blake3).expect("a manifest");
    fs::rename(host.path("www"), host.path("moved")).expect("moved");
    let found = manifest.check(&[], None);
    assert!(found.damaged.iter().all(|damaged| damaged.fault == Fault::Vanished));
    assert_eq!((found.damaged.len(), found.exit_code()), (7, 1));
    manifest.moved_to(host.path("moved"));
    assert_eq!(manifest.check(&[], None).exit_code(), 0);
    let (path, _) = make_manifest(&host.path("www"), Hash::Blake3).expect_err("it is gone");
    assert_eq!(path, host.path("www"));
}

#[test]
fn a_manifest_that_is_none() {
    let text = make_manifest(&folder().path("www"), Hash::Blake3).expect("a manifest").to_text();
    let error = |text: &str| text.parse::<Manifest>().expect_err("damaged");
    assert_eq!(error("root:x:0:0\n"), ManifestError::Start);
    assert_eq!(error(&text[..text.len() / 2]), ManifestError::CutOff);
    assert_eq!(error(&text.replacen(" 644 ", " x ", 1)), ManifestError::Line(2));
    assert_eq!(error(&text.replacen(" 644 ", " 755 ", 1)), ManifestError::Damaged);
}

fn agent(words: &[&str]) -> u8 {
    edgeproof_agent::main(words.iter().map(Into::into).collect())
}

#[test]
fn on_the_command_line() {
    let host = folder();
    let (www, list) = (host.text("www"), host.text("www.manifest"));
    assert_eq!(agent(&["manifest", "make", &www, "-o", &list, "-hash", "sha256"]), 0);
    assert_eq!(agent(&["manifest", "check", &list]), 0);
    assert_eq!(agent(&["manifest", "make", &www, "-o", &list]), 2, "it is there already");
    assert_eq!(agent(&["manifest", "make", &www, "-o", &host.text("www/m")]), 2, "in the folder");
    let other = host.text("other.manifest");
    assert_eq!(agent(&["manifest", "make", &www, "-o", &other]), 0);
    assert_eq!(agent(&["manifest", "check", &list, "-older", &other]), 2, "other digests");
    host.write("www/new", "");
    assert_eq!(agent(&["manifest", "check", &list]), 1);
    assert_eq!(agent(&["manifest", "check", &list, "-allownew"]), 0);
    let none = host.text("none");
    for wrong in [
        &["manifest"][..],
        &["manifest", "make"],
        &["manifest", "make", &list],
        &["manifest", "make", &none, "-o", &host.text("x")],
        &["manifest", "make", &www, "-hash", "md5"],
        &["manifest", "make", &www, "-e", "5s"],
        &["manifest", "check", &none],
        &["manifest", "check", &list, &other],
        &["manifest", "check", &list, "-folder", &none],
        &["integrity", "bash"],
        &["integrity", "-root", &none],
        &["integrity", "-root", &www],
    ] {
        assert_eq!(agent(wrong), 2, "{wrong:?}");
    }
    assert!(!host.path("x").exists(), "no half a manifest");
}

/// Who is ended while the folder is read leaves nothing that is in the way later.
#[test]
fn a_manifest_that_was_not_finished_is_none() {
    let host = Host::new();
    host.write("www/long", "");
    // It takes long to read, and no room.
    let long = File::options().write(true).open(host.path("www/long")).expect("a file");
    long.set_len(1 << 40).expect("a length");
    let test = std::env::current_exe().expect("this test");
    let program = test.parent().and_then(Path::parent).expect("the build's folder");
    let mut process = Command::new(program.join("examples/agent"))
        .args(["manifest", "make", &host.text("www"), "-o", &host.text("www.manifest")])
        .spawn()
        .expect("it is built with the tests");
    let open = format!("/proc/{}/fd", process.id());
    let reads = || {
        let mut open = fs::read_dir(&open).into_iter().flatten().flatten();
        open.any(|fd| fs::read_link(fd.path()).is_ok_and(|file| file.ends_with("www/long")))
    };
    while !reads() {
        assert_eq!(process.try_wait().expect("a process"), None, "it ends before it reads");
    }
    process.kill().expect("a process");
    process.wait().expect("a process");
    assert!(!host.path("www.manifest").exists());
}
