//! The keys of a host's accounts, and a real sshd's word on which it accepts.

mod host;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use edgeproof_agent::{Allowed, AllowedError, KeyFindings, Scope, Task, assert_keys};
use host::Host;

const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJcsjVXCCyRVPxWaGXHFq3+YsyVNKnTOcWVLNr8rRSjk";
const ROGUE: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIA1hZ0VYcm9ndWVyb2d1ZXJvZ3Vlcm9ndWVyb2d1ZXJv";

fn host(config: Option<&str>) -> Host {
    let host = Host::new();
    host.write(
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nbob:x:1000:1000::/home/bob:/bin/sh\n\
         nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\nhomeless:x:7:7:::\n",
    );
    if let Some(config) = config {
        host.write("etc/ssh/sshd_config", config);
    }
    host
}

fn look(host: &Host) -> KeyFindings {
    let allowed = Allowed::read(format!("ssh-ed25519 {KEY} all\n").as_bytes()).expect("a list");
    let scope = Scope { root: host.path(""), ..Scope::default() };
    assert_keys(&scope, &allowed, None).expect("a host")
}

fn strange(host: &Host) -> Vec<String> {
    let findings = look(host);
    let one = |strange: &edgeproof_agent::Strange| {
        let user = strange.user.as_deref().unwrap_or("all");
        format!("{user} {}:{}", strange.file.display(), strange.line)
    };
    findings.strange.iter().map(one).collect()
}

fn rogue() -> String {
    format!("ssh-ed25519 {ROGUE} rogue\n")
}

#[test]
fn the_default_files_of_every_account() {
    let host = host(None);
    host.write("root/.ssh/authorized_keys", format!("ssh-ed25519 {KEY}\n"));
    host.write(
        "home/bob/.ssh/authorized_keys2",
        format!("# {}\n\n{}", "x".repeat(100 << 10), rogue()),
    );
    assert_eq!(strange(&host), ["bob /home/bob/.ssh/authorized_keys2:3"]);
    let findings = look(&host);
    assert_eq!((findings.accounts, findings.files, findings.allowed), (4, 2, 1));
    assert_eq!(findings.exit_code(), 1);
    assert_eq!(
        findings.strange[0].key.fingerprint(),
        "SHA256:GfLVDSXfPQL4KpTk5PlDXgtD7yclQygThUaK3Q9q+M4"
    );
}

#[test]
fn files_that_the_configuration_names() {
    let config = "Include /etc/ssh/sshd_config.d/*.conf\n\
                  authorizedkeysfile = \"/etc/keys/%u\" .ssh/authorized_keys\n\
                  Match User root\n AuthorizedKeysFile /etc/root-keys\n\
                  Match Address 10.0.0.0/8\n AuthorizedKeysFile /etc/near/%U\n";
    let host = host(Some(config));
    for file in ["etc/keys/bob", "etc/keys/root", "etc/root-keys", "etc/near/1000", "etc/late"] {
        host.write(file, rogue());
    }
    host.write("etc/ssh/sshd_config.d/ca.conf", "TrustedUserCAKeys /etc/ca.pub\n");
    host.write("etc/ssh/sshd_config.d/.hidden.conf", "AuthorizedKeysFile /etc/late\n");
    host.write("etc/ca.pub", rogue());
    assert_eq!(
        strange(&host),
        [
            "all /etc/ca.pub:1",
            "bob /etc/keys/bob:1",
            "bob /etc/near/1000:1",
            "root /etc/root-keys:1"
        ]
    );
}

#[test]
fn accounts_and_files_as_sshd_reads_them() {
    let config = "AuthorizedKeysFile .ssh/authorized_keys ~/.ssh/roots ~bob/.ssh/bobs /etc/a\\ b \"/etc/q\\\"q\" /etc/a\\'b\n";
    let host = host(Some(config));
    let mut passwd = fs::read(host.path("etc/passwd")).expect("accounts");
    passwd.extend_from_slice(
        b"rel:x:8:8::home/rel:/bin/sh\nblank:x: 3020:3020::/home/blank:/bin/sh\n",
    );
    passwd.extend_from_slice(
        b"latin:x:9:9::/home/l\xe9on:/bin/sh\n+nis:x:10:10::/home/nis:/bin/sh\n",
    );
    host.write("etc/passwd", passwd);
    for home in ["", "home/rel/", "home/blank/", "home/nis/"] {
        host.write(&format!("{home}.ssh/authorized_keys"), rogue());
    }
    let latin = host.path("home").join(OsStr::from_bytes(b"l\xe9on/.ssh"));
    fs::create_dir_all(&latin).expect("a home");
    fs::write(latin.join("authorized_keys"), rogue()).expect("a file");
    let own: Vec<String> = strange(&host);
    assert_eq!(
        own,
        [
            "blank /home/blank/.ssh/authorized_keys:1",
            "homeless /.ssh/authorized_keys:1",
            "latin /home/l\u{fffd}on/.ssh/authorized_keys:1",
            "rel /home/rel/.ssh/authorized_keys:1",
        ]
    );
    for file in ["root/.ssh/roots", "home/bob/.ssh/bobs", "etc/a b", "etc/q\"q", "etc/a'b"] {
        host.write(file, rogue());
        let found = strange(&host);
        assert!(found.contains(&format!("bob /{file}:1")), "{file}: {found:?}");
    }
}

#[test]
fn links_lead_to_places_below_the_root() {
    let host = host(None);
    host.write("srv/ssh/authorized_keys", rogue());
    fs::create_dir_all(host.path("home/bob")).expect("a home");
    host.link("/srv/ssh", "home/bob/.ssh");
    assert_eq!(strange(&host), ["bob /home/bob/.ssh/authorized_keys:1"]);
}

#[test]
fn what_cannot_be_looked_at_is_said() {
    let host = host(Some("AuthorizedKeysCommand /usr/bin/keys-of %u\n"));
    let findings = look(&host);
    assert_eq!((findings.troubles.len(), findings.exit_code()), (1, 6));
}

#[test]
fn an_export_of_a_directory() {
    let ldif = format!(
        "version: 1\n\ndn: uid=bob,dc=x\nuid: bob\nsshPublicKey: ssh-ed25519 {}\n {} bob\n\n\
         dn: uid=ann,dc=x\nuid: ann\nsshPublicKey;x-a:: {}\n",
        &KEY[..20],
        &KEY[20..],
        "c3NoLWVkMjU1MTkgQUFBQUMzTnphQzFsWkRJMU5URTVBQUFBSUExaFowVlljbTluZFdWeWIyZDFaWEp2WjNWbGNtOW5kV1Z5YjJk\
         MVpYSnYK"
    );
    let allowed = Allowed::read(ldif.as_bytes()).expect("an export");
    assert_eq!(allowed.len(), 2);
    let host = host(None);
    host.write("home/bob/.ssh/authorized_keys", format!("ssh-ed25519 {KEY}\n{}", rogue()));
    let scope = Scope { root: host.path(""), ..Scope::default() };
    assert_eq!(assert_keys(&scope, &allowed, None).expect("a host").exit_code(), 0);
    let scope = Scope { by_user: true, ..scope };
    let findings = assert_keys(&scope, &allowed, None).expect("a host");
    assert_eq!(findings.strange.len(), 1, "ann's key is not bob's");
    assert_eq!(Allowed::read(b"# none\n").expect_err("nothing"), AllowedError::Empty);
    host.write("etc/passwd", "");
    let none = assert_keys(&scope, &allowed, None).expect_err("no account");
    assert_eq!(none.to_string(), "/etc/passwd names none");
}

/// Lines that hold `{R}`, a key that is not allowed, and `{G}`, one that is.
const LINES: [&str; 33] = [
    "{R} rogue\n",
    "{R}",
    "{G} good\r\n{R} rogue\r\n",
    "   \t{R}\n",
    "\n\n#\n# x\n{R}\n",
    "no-pty,command=\"echo \\\"a b\\\"\" {R}\n",
    "from=\"127.0.0.1,::1,UNKNOWN\"\t{R}\n",
    "# {LONG}\n{R}\n",
    "environment=\"A={LONG}\" {R}\n",
    "{LONG}\n{R}\n",
    "{R} {LONG}\n",
    "{TAB} rogue\n",
    "{UPPER}\n",
    "{R}\0\n",
    "x\0\n{R}\n",
    "unknown-option {R}\n",
    "ssh-rsa {BLOB}\n",
    "\u{feff}{R}\n",
    "\"{R}\n",
    "{G} {R}\n",
    "{R} {G}\n",
    "{R}=\n",
    "# {R}\n",
    "\r{R}\n",
    // What stands in an option's quotes is no key, whatever it looks like.
    "command=\"ssh-ed25519 {GOOD} ok\" {R}\n",
    "command=\"{G}\" {R}\n",
    "command=\"x AAAA\" {R}\n",
    "environment=\"A=B AAAA\" {R}\n",
    "command=\"/bin/sh AAAA b\",no-pty {R}\n",
    // What sshd's decoder passes over.
    "ssh-ed25519 \x0b{BLOB} c\n",
    "ssh-ed25519 \x0c{BLOB} c\n",
    "ssh-ed25519 \r{BLOB} c\n",
    "ssh-ed25519 \t {BLOB} c\n",
];

/// An sshd that takes its connection on standard input: no port, no daemon.
struct Sshd {
    host: Host,
    user: String,
    good: String,
    rogue: String,
}

impl Sshd {
    /// `None`, with the reason on standard error, where there is none.
    fn new() -> Option<Self> {
        let has = |path: &str| fs::metadata(path).is_ok();
        if !has("/usr/sbin/sshd") || !has("/usr/bin/ssh") {
            eprintln!("not tried: sshd and ssh are not installed (apt-get install openssh-server)");
            return None;
        }
        let id = |what| {
            let output = Command::new("id").arg(what).output().expect("id");
            String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
        };
        if id("-u") == "0" {
            // Where sshd, as root, goes into before it looks at what clients send.
            fs::create_dir_all("/run/sshd").expect("a folder");
        }
        let host = Host::new();
        for name in ["hostkey", "rogue", "good"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"])
                .arg(host.path(name))
                .status();
            assert!(made.expect("ssh-keygen").success());
        }
        let public = |name: &str| {
            let text = fs::read_to_string(host.path(name)).expect("a key");
            text.trim().to_owned()
        };
        let (good, rogue) = (public("good.pub"), public("rogue.pub"));
        Some(Self { user: id("-un"), good, rogue, host })
    }

    fn text(&self, line: &str) -> String {
        let blob = self.rogue.split(' ').nth(1).expect("a blob");
        line.replace("{R}", &self.rogue)
            .replace("{G}", &self.good)
            .replace("{BLOB}", blob)
            .replace("{GOOD}", self.good.split(' ').nth(1).expect("a blob"))
            .replace("{TAB}", &format!("ssh-ed25519\t{blob}"))
            .replace("{UPPER}", &format!("ED25519 {blob}"))
            .replace("{LONG}", &"x".repeat(100 << 10))
    }

    /// Whether sshd lets the rogue key in with these files of keys.
    fn accepts(&self, config: &str) -> bool {
        let all = format!(
            "HostKey {}\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\n\
             KbdInteractiveAuthentication no\nPermitUserEnvironment yes\nLogLevel ERROR\nPidFile none\n{config}",
            self.host.text("hostkey"),
        );
        let file = self.host.write("sshd_config", all);
        let proxy = format!("ProxyCommand=/usr/sbin/sshd -i -f {}", file.display());
        let rogue = self.host.path("rogue");
        fs::set_permissions(&rogue, fs::Permissions::from_mode(0o600)).expect("a mode");
        let options =
            ["BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "LogLevel=QUIET"];
        let options = options.iter().flat_map(|option| ["-o", option]);
        let unknown = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
        let status = Command::new("ssh")
            .args(["-F", "none", "-T"])
            .args(options)
            .args(unknown)
            .args(["-o", &proxy, "-i"])
            .arg(&rogue)
            .args(["-l", &self.user, "loopback.invalid", "true"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        // 255 is ssh's own; a login that came through ends with the command's.
        status.expect("ssh").code() != Some(255)
    }
}

#[test]
fn no_key_that_sshd_accepts_is_missed() {
    let Some(sshd) = Sshd::new() else { return };
    let allowed = Allowed::read(sshd.good.as_bytes()).expect("a list");
    let scope = Scope {
        root: sshd.host.path(""),
        passwd: "/passwd".into(),
        sshd_config: "/agent_config".into(),
        by_user: false,
    };
    sshd.host.write("passwd", format!("{}:x:0:0::/none:/bin/sh\n", sshd.user));
    sshd.host.write("agent_config", "AuthorizedKeysFile /keys\n");
    let mut accepted = 0;
    for line in LINES {
        let keys = sshd.host.write("keys", sshd.text(line));
        let named = assert_keys(&scope, &allowed, None).expect("a host").exit_code() == 1;
        let accepts = sshd.accepts(&format!("AuthorizedKeysFile {}\n", keys.display()));
        assert!(named || !accepts, "sshd accepts a key that is not named: {line:?}");
        accepted += usize::from(accepts);
        let by_file = sshd.host.search("keys", |search| {
            let blob = sshd.good.split(' ').nth(1).expect("a blob").replace('+', "\\+");
            search
                .add_content(format!(r"^((#.+)|(\s+)|(ssh-ed25519 {blob} .+))$"))
                .expect("a content");
            search.options().macroal = true;
            search.add_mismatch("content").expect("a kind");
        });
        assert!(by_file.exit_code() == 1 || !accepts, "the file module misses {line:?}");
    }
    assert!(
        accepted >= 10,
        "sshd accepts a key on {accepted} of these files: it is not asked rightly"
    );
}

#[test]
fn what_sshd_does_not_read_as_a_key_raises_no_alarm() {
    let host = host(None);
    let text = format!(
        "\n \t\n#\n# ssh-ed25519 {ROGUE}\nssh-ed25519 {KEY}\n  no-pty,command=\"a \\\" b\" ssh-ed25519 {KEY} bob\r\n\
         hello world\nssh-ed25519\n"
    );
    host.write("home/bob/.ssh/authorized_keys", text);
    let findings = look(&host);
    assert_eq!((findings.exit_code(), findings.allowed), (0, 2));
}

#[test]
fn what_the_time_did_not_suffice_for_is_said() {
    let host = host(None);
    host.write("home/bob/.ssh/authorized_keys", format!("ssh-ed25519 {ROGUE}\n"));
    let scope = Scope { root: host.path(""), ..Scope::default() };
    let allowed = Allowed::read(format!("ssh-ed25519 {KEY}\n").as_bytes()).expect("a list");
    let findings = assert_keys(&scope, &allowed, Some(std::time::Instant::now())).expect("a host");
    assert_eq!((findings.exit_code(), findings.files), (6, 0));
    assert!(findings.expired);
}

/// A directory may let users choose their names.
#[test]
fn no_name_of_a_user_commands_a_terminal() {
    let host = host(None);
    host.write("etc/passwd", "a\u{1b}[2J:x:1000:1000::/home/a:/bin/sh\n");
    host.write("home/a/.ssh/authorized_keys", rogue());
    let list = format!("ssh-ed25519 {KEY} all");
    let task = serde_json::json!({ "operations": [{ "module": "keys", "parameters": { "allowed": list } }] });
    let task = Task::from_json(task.to_string().as_bytes()).expect("a task");
    let [outcome] = &task.run(&host.path(""), None)[..] else { panic!("one operation") };
    let [line] = &outcome.lines[..] else { panic!("{outcome:?}") };
    assert!(line.starts_with("a\\x1b[2J: SHA256:"), "{line}");
}

#[test]
fn an_include_may_have_wildcards_in_every_part() {
    for pattern in ["/etc/ssh/*.d/*/k.conf", "sshd_config.d/a/[a-k].conf", "sshd_config.d/a,b.conf"]
    {
        let host = host(Some(&format!("Include {pattern}\n")));
        for file in ["a/k.conf", "a,b.conf"] {
            let file = format!("etc/ssh/sshd_config.d/{file}");
            host.write(&file, "AuthorizedKeysFile /etc/keys/%u\n");
        }
        host.write("etc/keys/bob", rogue());
        assert_eq!(strange(&host), ["bob /etc/keys/bob:1"], "{pattern}");
    }
}
