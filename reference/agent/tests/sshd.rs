//! What should be otherwise of an sshd: a real one says what is in effect, and each kind of weakness is found where it
//! is, and not in the hardened configuration.

mod host;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use edgeproof_agent::{Inquiry, Level, Source, SshdFindings, Weakness, assert_sshd};
use edgeproof_diagnostics::{Diagnostics, Node};
use host::Host;
use regex::Regex;

const SSHD: &str = "/usr/sbin/sshd";

/// A host with an sshd's files; `None`, with the reason on standard error, where there is none.
struct Sshd {
    host: Host,
}

impl Sshd {
    fn new() -> Option<Self> {
        if fs::metadata(SSHD).is_err() {
            eprintln!("not tried: sshd is not installed (apt-get install openssh-server)");
            return None;
        }
        if fs::metadata("/root/.").is_ok() {
            // Where sshd, as root, wants to lock itself in.
            let _ = fs::create_dir_all("/run/sshd");
        }
        let host = Host::new();
        let sshd = Self { host };
        sshd.key("host_ed25519", &["-t", "ed25519"]);
        let own = Command::new("id").arg("-u").output().expect("id").stdout;
        let own = String::from_utf8(own).expect("UTF-8");
        // What is root's is right for everybody.
        let uid = if own.trim() == "0" { "1000" } else { own.trim() };
        let accounts = ["root", "ann", "bob"].map(|name| {
            let home = sshd.host.path(&format!("home/{name}"));
            fs::create_dir_all(home.join(".ssh")).expect("a home");
            let number = if name == "root" { "0" } else { uid };
            format!("{name}:x:{number}:1000::{}:/bin/sh\n", home.display())
        });
        sshd.host.write("passwd", accounts.concat());
        sshd.host.write("group", "staff:x:1000:\nsftponly:x:1001:bob\n");
        Some(sshd)
    }

    fn key(&self, name: &str, options: &[&str]) {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-N", "", "-C", "", "-f"])
            .arg(self.host.path(name))
            .args(options)
            .status();
        assert!(made.expect("ssh-keygen").success());
    }

    /// The hardened configuration that the reference stands for.
    fn hardened(&self) -> String {
        let template = include_str!("../../sshd/sshd_config.j2");
        let mut text = template.to_owned();
        for (name, value) in [
            ("port", "2022".to_owned()),
            ("host_key", self.host.text("host_ed25519")),
            ("authorized_keys", ".ssh/authorized_keys".to_owned()),
            ("pid_file", self.host.text("sshd.pid")),
            ("alive_interval | default(300)", "300".to_owned()),
            ("channel_timeout | default('30m')", "30m".to_owned()),
        ] {
            text = text.replace(&format!("{{{{ {name} }}}}"), &value);
        }
        assert!(!text.contains("{{"), "a placeholder that is new");
        text
    }

    /// The hardened configuration behind these lines: of most directives the first value wins.
    fn with(&self, lines: &str) -> PathBuf {
        self.host.write("sshd_config", lines.to_owned() + &self.hardened())
    }

    /// The hardened configuration with these lines in place of its own.
    fn instead(&self, lines: &str) -> String {
        let name = |line: &str| line.split(' ').next().unwrap_or_default().to_lowercase();
        let names: Vec<String> = lines.lines().map(name).collect();
        let hardened = self.hardened();
        let others = hardened.lines().filter(|line| !names.contains(&name(line)));
        lines.lines().chain(others).map(|line| line.to_owned() + "\n").collect()
    }

    fn inquiry(&self) -> Inquiry {
        Inquiry {
            config: Some(self.host.path("sshd_config")),
            passwd: self.host.path("passwd"),
            group: self.host.path("group"),
            ..Inquiry::default()
        }
    }

    fn look(&self) -> SshdFindings {
        assert_sshd(&self.inquiry(), None).expect("an sshd")
    }

    /// The weaknesses of these lines before the hardened configuration, but for the lines that lose to them.
    fn weak(&self, lines: &str) -> Vec<Weakness> {
        self.with(lines);
        let found = self.look();
        assert_eq!(found.troubles, BTreeSet::new(), "{lines}");
        let all = found.servers.into_iter().flat_map(|server| server.weaknesses);
        all.filter(|weakness| !weakness.value.ends_with("without effect")).collect()
    }
}

fn lines(weaknesses: &[Weakness]) -> Vec<String> {
    let line = |weakness: &Weakness| {
        let Weakness { level, directive, value, source, of, .. } = weakness;
        let of = if of.is_empty() { String::new() } else { format!(" for {}", of.join(", ")) };
        let source = match source {
            Source::Line(file, line) => {
                format!("{}:{line}", file.file_name().unwrap_or_default().display())
            }
            other => other.to_string(),
        };
        format!("{} {directive} {value}{of} ({source})", level.name())
    };
    weaknesses.iter().map(line).collect()
}

#[test]
fn the_hardened_one_has_no_weakness() {
    let Some(sshd) = Sshd::new() else { return };
    assert_eq!(lines(&sshd.weak("")), [""; 0]);
    let found = sshd.look();
    assert_eq!((found.exit_code(), found.servers[0].connections), (0, 3), "root, ann and bob");
}

/// What breaks each rule that this machine's sshd can break, and how it is told.
const BROKEN: [(&str, &str); 51] = [
    ("AuthenticationMethods any", "must AuthenticationMethods any"),
    ("PubkeyAuthentication no\nAuthenticationMethods any", "must PubkeyAuthentication no"),
    ("KbdInteractiveAuthentication yes", "must KbdInteractiveAuthentication yes"),
    ("ChallengeResponseAuthentication yes", "must KbdInteractiveAuthentication yes"),
    ("PasswordAuthentication yes", "must PasswordAuthentication yes"),
    ("PermitEmptyPasswords yes", "must PermitEmptyPasswords yes"),
    ("PermitRootLogin yes", "must PermitRootLogin yes"),
    ("PermitUserEnvironment yes", "must PermitUserEnvironment yes"),
    ("StrictModes no", "must StrictModes no"),
    ("HostbasedAuthentication yes", "must HostbasedAuthentication yes"),
    ("IgnoreRhosts no", "must IgnoreRhosts no"),
    ("PubkeyAcceptedAlgorithms ssh-ed25519,ssh-rsa", "must PubkeyAcceptedAlgorithms ssh-rsa"),
    ("HostKeyAlgorithms ssh-ed25519,ssh-rsa", "must HostKeyAlgorithms ssh-rsa"),
    (
        "KexAlgorithms sntrup761x25519-sha512@openssh.com,diffie-hellman-group14-sha1",
        "must KexAlgorithms diffie-hellman-group14-sha1",
    ),
    (
        "KexAlgorithms curve25519-sha256,sntrup761x25519-sha512@openssh.com",
        "should KexAlgorithms curve25519-sha256",
    ),
    (
        "KexAlgorithms sntrup761x25519-sha512@openssh.com,ecdh-sha2-nistp256",
        "may KexAlgorithms ecdh-sha2-nistp256",
    ),
    ("Ciphers aes256-gcm@openssh.com,3des-cbc", "must Ciphers 3des-cbc"),
    ("Ciphers aes256-gcm@openssh.com,aes256-ctr", "may Ciphers aes256-ctr"),
    ("MACs hmac-sha1-etm@openssh.com", "must MACs hmac-sha1-etm@openssh.com"),
    ("MACs hmac-sha2-256", "should MACs hmac-sha2-256"),
    ("CASignatureAlgorithms +ssh-rsa", "should CASignatureAlgorithms ssh-rsa"),
    ("DisableForwarding no", "should DisableForwarding no"),
    ("X11Forwarding yes", "should X11Forwarding yes"),
    ("X11UseLocalhost no", "should X11UseLocalhost no"),
    ("AllowTcpForwarding yes", "should AllowTcpForwarding yes"),
    ("AllowAgentForwarding yes", "should AllowAgentForwarding yes"),
    ("AllowStreamLocalForwarding yes", "should AllowStreamLocalForwarding yes"),
    ("PermitTunnel yes", "should PermitTunnel yes"),
    ("GatewayPorts yes", "should GatewayPorts yes"),
    ("PermitUserRC yes", "should PermitUserRC yes"),
    ("AcceptEnv LANG *", "should AcceptEnv LANG,*"),
    ("MaxAuthTries 5", "should MaxAuthTries 5"),
    ("MaxSessions 11", "should MaxSessions 11"),
    ("LoginGraceTime 0", "should LoginGraceTime 0"),
    ("ClientAliveInterval 301", "should ClientAliveInterval 301"),
    ("ClientAliveCountMax 0", "should ClientAliveCountMax 0"),
    ("TCPKeepAlive yes", "should TCPKeepAlive yes"),
    ("UnusedConnectionTimeout none", "should UnusedConnectionTimeout none"),
    ("AuthorizedKeysFile .ssh/a .ssh/b", "should AuthorizedKeysFile .ssh/a .ssh/b"),
    (
        "AuthorizedKeysCommand /bin/true\nAuthorizedKeysCommandUser nobody",
        "should AuthorizedKeysCommand /bin/true",
    ),
    ("MaxStartups 10:30:200", "should MaxStartups 10:30:200"),
    ("PerSourceMaxStartups none", "should PerSourceMaxStartups none"),
    ("FingerprintHash md5", "should FingerprintHash MD5"),
    ("RequiredRSASize 2048", "should RequiredRSASize 2048"),
    ("LogLevel DEBUG", "should LogLevel DEBUG"),
    ("SyslogFacility USER", "should SyslogFacility USER"),
    ("UseDNS yes", "should UseDNS yes"),
    (
        "Subsystem sftp /usr/lib/openssh/sftp-server",
        "should Subsystem sftp /usr/lib/openssh/sftp-server",
    ),
    ("VersionAddendum x", "may VersionAddendum x"),
    ("RekeyLimit default none", "may RekeyLimit 0 0"),
    ("Compression yes", "may Compression yes"),
];

#[test]
fn each_directive_that_is_wrong_is_named_with_its_line() {
    let Some(sshd) = Sshd::new() else { return };
    for (line, told) in BROKEN {
        sshd.host.write("sshd_config", sshd.instead(line));
        let found = sshd.look();
        let told = format!("{told} (sshd_config:1)");
        let found: Vec<Weakness> =
            found.servers.into_iter().flat_map(|server| server.weaknesses).collect();
        assert!(lines(&found).contains(&told), "{told}: {:#?}", lines(&found));
    }
    let weak = |line: &str| lines(&sshd.weak(line));
    assert_eq!(weak("MaxStartups 10:30:200\n").len(), usize::from(first_counts(&sshd)));
    assert_eq!(
        weak("GSSAPIAuthentication yes\n"),
        ["should GSSAPIAuthentication yes (sshd_config:1)"]
    );
    assert_eq!(weak("UsePAM yes\n"), ["observe UsePAM yes (sshd_config:1)"]);
    sshd.host.write("sshd_config", sshd.instead("UsePAM yes"));
    assert_eq!(sshd.look().exit_code(), 0, "observed, and no mistake");
    let all = weak("ListenAddress 0.0.0.0\n");
    assert_eq!(all, ["should ListenAddress 0.0.0.0:2022,127.0.0.1:2022 (sshd_config:1)"]);
    assert_eq!(weak("Port 22\n"), ["observe Port 22,2022 (sshd_config:1)"]);
    let weak = lines(&sshd.weak("TrustedUserCAKeys /etc/ca\n"));
    assert_eq!(weak, ["observe TrustedUserCAKeys /etc/ca (sshd_config:1)"]);
}

/// Whether of two MaxStartups the first counts, as the manual says; and whichever does not is named.
fn first_counts(sshd: &Sshd) -> bool {
    sshd.with("MaxStartups 10:30:200\n");
    let all = lines(&sshd.look().servers.remove(0).weaknesses);
    let lost: Vec<&String> = all.iter().filter(|line| line.contains("without effect")).collect();
    assert_eq!(lost.len(), 1, "{all:?}");
    lost[0].contains("10:30:60")
}

#[test]
fn a_match_counts_for_those_who_meet_it() {
    let Some(sshd) = Sshd::new() else { return };
    let hardened = sshd.hardened();
    sshd.host.write(
        "sshd_config",
        format!(
            "{hardened}\nMatch User bob\nX11Forwarding yes\nMatch Address 10.0.0.0/8\nPasswordAuthentication yes\n\
             Match User root\nPermitRootLogin yes\nMatch User ann\nPermitRootLogin yes\nMatch Group wheel\nGatewayPorts yes\n"
        ),
    );
    let line = 2 + hardened.lines().count();
    let found = sshd.look();
    let is = [
        format!(
            "must PasswordAuthentication yes for ann from 10.0.0.0/8, bob from 10.0.0.0/8, root from 10.0.0.0/8 (sshd_config:{})",
            line + 3
        ),
        format!("must PermitRootLogin yes (sshd_config:{})", line + 5),
        format!("should X11Forwarding yes for bob (sshd_config:{})", line + 1),
    ];
    let mut weaknesses = found.servers[0].weaknesses.clone();
    weaknesses.iter_mut().for_each(|weakness| weakness.of.sort());
    assert_eq!(lines(&weaknesses), is);
    let notes = &found.servers[0].notes;
    assert!(notes.len() == 1 && notes[0].ends_with(&format!("line {}", line + 8)), "{notes:?}");
}

/// What `sshd -T -C` says of a connection.
fn passwords(sshd: &Sshd, connection: &str) -> String {
    let output = Command::new(SSHD)
        .args(["-T", "-C", connection, "-f"])
        .arg(sshd.host.path("sshd_config"))
        .output()
        .expect("sshd");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let value = text.lines().find_map(|line| line.strip_prefix("passwordauthentication "));
    value.expect("it answers").to_owned()
}

/// Lines, whether passwords are taken in each of their parts; a connection that may use one; whose they are told to be.
/// Where nobody may, there is none.
const OPEN: [(&str, &str, &str); 17] = [
    (
        "no|Match Address 10.0.0.0/16|no|Match Address 10.0.0.0/8|yes|Match all|no",
        "addr=10.1.2.3,host=a,laddr=127.0.0.1,lport=2022",
        "from 10.0.0.0/8 but not 10.0.0.0/16",
    ),
    (
        "no|Match LocalAddress 127.0.0.0/16|no|Match LocalAddress 127.0.0.0/8|yes|Match all|no",
        "addr=192.0.2.1,host=a,laddr=127.1.0.1,lport=2022",
        "to 127.0.0.0/8 but not 127.0.0.0/16",
    ),
    (
        "no|Match Host x.com|no|Match Host *.com|yes|Match all|no",
        "addr=192.0.2.1,host=y.com,laddr=127.0.0.1,lport=2022",
        "from *.com but not x.com",
    ),
    (
        "no|Match Address 10.0.0.0/8|no|Match Address 10.1.0.0/16,192.168.0.0/16|yes",
        "addr=192.168.0.1,host=a,laddr=127.0.0.1,lport=2022",
        "from 10.1.0.0/16,192.168.0.0/16 but not 10.0.0.0/8",
    ),
    (
        "no|Match Address 10.0.0.0/8,!10.0.0.0/16|yes",
        "addr=10.1.0.1,host=a,laddr=127.0.0.1,lport=2022",
        "from 10.0.0.0/8,!10.0.0.0/16",
    ),
    (
        "yes|Match LocalPort 2022|no",
        "addr=192.0.2.1,host=a,laddr=127.0.0.1,lport=2222",
        "to port 2222",
    ),
    (
        "yes|Match Address 192.0.2.0/24|no",
        "addr=198.51.100.1,host=a,laddr=127.0.0.1,lport=2022",
        "from elsewhere",
    ),
    (
        "yes|Match Address 0.0.0.0/0|no",
        "addr=2001:db8::1,host=a,laddr=::1,lport=2022",
        "from elsewhere",
    ),
    (
        "no|Match RDomain x|yes",
        "addr=192.0.2.1,host=a,laddr=127.0.0.1,lport=2022,rdomain=x",
        "in x",
    ),
    (
        "yes|Match RDomain x|no",
        "addr=192.0.2.1,host=a,laddr=127.0.0.1,lport=2022,rdomain=",
        "root, ann and one like it",
    ),
    (
        "no|Match User eve|no|Match User e*|yes|Match all|no",
        "user=e,addr=192.0.2.1,host=a,laddr=127.0.0.1,lport=2022",
        "e",
    ),
    (
        "no|Match Address 10.*|no|Match Address 10.0.0.0/8,1?.*|yes|Match all|no",
        "addr=11.0.0.1,host=a,laddr=127.0.0.1,lport=2022",
        "from 10.0.0.0/8,1?.* but not 10.*",
    ),
    (
        "no|Match Address 2001:db8:1::/48|no|Match Address 2001:db8::/32|yes|Match all|no",
        "addr=2001:db8:2::1,host=a,laddr=::1,lport=2022",
        "from 2001:db8::/32 but not 2001:db8:1::/48",
    ),
    (
        "no|Match Address 10.0.0.0/8 LocalPort 2222 User bob|yes",
        "user=bob,addr=10.0.0.1,host=a,laddr=127.0.0.1,lport=2222",
        "bob to port 2222 from 10.0.0.0/8",
    ),
    ("yes|Match Host *|no|Match Host *.com|yes|Match LocalPort 2222|no", "", ""),
    ("yes|AddressFamily inet|Match Address 0.0.0.0/0|no", "", ""),
    ("yes|ListenAddress 127.0.0.1|Match LocalAddress 127.0.0.0/8|no", "", ""),
];

#[test]
fn an_opening_is_found_wherever_a_match_leaves_one() {
    let Some(sshd) = Sshd::new() else { return };
    let mut wrong = Vec::new();
    for (text, connection, whose) in OPEN {
        let own = ["port", "addressfamily", "listenaddress", "passwordauthentication", "match"];
        let hardened = sshd.hardened();
        let is_other = |line: &&str| {
            let name = line.split_whitespace().next().unwrap_or_default().to_lowercase();
            !own.contains(&name.as_str())
        };
        let matches = hardened.lines().position(|line| line.starts_with("Match "));
        let hardened = hardened.lines().take(matches.unwrap_or(usize::MAX)).filter(is_other);
        let own = text.split('|').map(|part| match part {
            "yes" | "no" => format!("PasswordAuthentication {part}"),
            line => line.to_owned(),
        });
        let ports = ["Port 2022", "Port 2222"].map(str::to_owned);
        let config: Vec<String> =
            ports.into_iter().chain(hardened.map(str::to_owned)).chain(own).collect();
        sshd.host.write("sshd_config", config.join("\n") + "\n");
        let inquiry = Inquiry { level: Level::Must, ..sshd.inquiry() };
        let found = assert_sshd(&inquiry, None).expect("an sshd");
        assert_eq!(found.troubles, BTreeSet::new(), "{text}");
        let [server] = &found.servers[..] else { panic!("{found:?}") };
        let told = lines(&server.weaknesses);
        if connection.is_empty() {
            if found.exit_code() != 0 {
                wrong.push(format!("{text}: {told:?}"));
            }
            continue;
        }
        let connection = match connection.starts_with("user=") {
            true => connection.to_owned(),
            false => format!("user=root,{connection}"),
        };
        assert_eq!(passwords(&sshd, &connection), "yes", "{text}");
        let is_told = |line: &String| {
            line.starts_with("must PasswordAuthentication yes for ")
                && line.contains(&format!("{whose} ("))
        };
        if told.len() != 1 || !told.iter().all(is_told) || found.exit_code() != 1 {
            wrong.push(format!("{text}: {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_match_that_cannot_be_tried_is_not_passed_over() {
    let Some(sshd) = Sshd::new() else { return };
    for (line, exit) in [
        ("Match Address 2001:db8:*", 6),
        ("Match Address 127.0/8", 6),
        ("Match LocalPort ssh", 6),
        ("Match Address !10.0.0.1", 0),
        ("Match Address 10.0.0.0/16,!10.0.0.0/8", 0),
        ("Match Address *", 0),
    ] {
        let hardened = sshd.hardened();
        let global = hardened.split("\nMatch ").next().expect("a text");
        sshd.host.write("sshd_config", format!("{global}\n{line}\nBanner none\n"));
        let found = sshd.look();
        assert_eq!((found.count(), found.exit_code()), (0, exit), "{line}: {found:?}");
        assert_eq!(found.troubles.iter().any(|(_, why)| why.contains("Match of line")), exit == 6);
    }
    // More than anybody would ask about: said, and no case of passing over.
    let many: String = (0..300)
        .map(|one| format!("Match Address 10.{}.{}.0/24\nBanner none\n", one / 200, one % 200))
        .collect();
    let inquiry = scripted(&sshd, "echo port 22; echo permitrootlogin no");
    sshd.host.write("sshd_config", many);
    let found = assert_sshd(&inquiry, None).expect("one");
    assert_eq!(found.servers[0].connections, 256);
    assert!(
        found.troubles.iter().any(|(_, why)| why.contains("more connections apart")),
        "{found:?}"
    );
}

#[test]
fn a_host_key_that_sshd_does_not_take_hides_nothing() {
    let Some(sshd) = Sshd::new() else { return };
    sshd.host.write("sshd_config", sshd.instead("PermitRootLogin yes"));
    let key = sshd.host.path("host_ed25519");
    mode(&key, 0o640);
    let found = sshd.look();
    let told = lines(&found.servers[0].weaknesses);
    let of_key = format!("must HostKey {} is -rw-r----- of", key.display());
    assert!(told.len() == 2 && told[0].starts_with(&of_key), "{told:?}");
    assert_eq!(told[1], "must PermitRootLogin yes (sshd_config:1)");
    assert_eq!(found.troubles, BTreeSet::new());
    // One that is not there explains itself to nobody.
    fs::remove_file(&key).expect("it was there");
    let found = sshd.look();
    assert_eq!(lines(&found.servers[0].weaknesses), ["must PermitRootLogin yes (sshd_config:1)"]);
    let (_, why) = found.troubles.first().expect("a trouble");
    assert!(why.contains("no hostkeys available") && !why.contains(['\r', '@']), "{why}");
}

#[test]
fn what_is_read_first_wins_and_the_line_that_loses_is_named() {
    let Some(sshd) = Sshd::new() else { return };
    let drop_in = sshd.host.write("sshd_config.d/50-installer.conf", "PermitRootLogin yes\n");
    let include = format!("Include {}/*.conf\n", drop_in.parent().expect("a folder").display());
    sshd.with(&include);
    let found = sshd.look().servers.remove(0).weaknesses;
    let root = sshd.hardened().lines().position(|line| line == "PermitRootLogin no").expect("it");
    assert_eq!(
        lines(&found),
        [
            "must PermitRootLogin yes (50-installer.conf:1)".to_owned(),
            format!("should PermitRootLogin no, without effect (sshd_config:{})", root + 2),
        ]
    );
    assert!(found[1].wanted.contains("50-installer.conf line 1 counts"), "{}", found[1].wanted);
    // Below the others it changes nothing, and is the one that loses.
    sshd.host.write(
        "sshd_config",
        sshd.hardened().replace("Match Group", &format!("{include}Match Group")),
    );
    let found = sshd.look().servers.remove(0).weaknesses;
    assert_eq!(lines(&found), ["should PermitRootLogin yes, without effect (50-installer.conf:1)"]);
    // Nor is a line that says the same again a fault, nor a hidden file.
    fs::rename(&drop_in, drop_in.with_file_name(".50.conf")).expect("a name");
    assert_eq!(lines(&sshd.weak("PermitRootLogin no\n")), [""; 0]);
}

#[test]
fn an_old_name_is_that_of_today() {
    let Some(sshd) = Sshd::new() else { return };
    let found = sshd.weak("ChallengeResponseAuthentication yes\n");
    assert_eq!(lines(&found), ["must KbdInteractiveAuthentication yes (sshd_config:1)"]);
    let found = sshd.weak("KeyRegenerationInterval 3600\n");
    assert_eq!(
        lines(&found),
        ["may KeyRegenerationInterval deprecated by this sshd (sshd_config:1)"]
    );
}

#[test]
fn a_configuration_that_sshd_refuses() {
    let Some(sshd) = Sshd::new() else { return };
    let config = sshd.host.path("sshd_config");
    let line = Source::Line(config.clone(), 1);
    for (text, said, source) in [
        ("PubkeyAuthentication no\n", "cannot be satisfied", Source::File(config)),
        ("AuthenticationMethods public key\n", "authentication method", line.clone()),
        ("PermitRoot no\n", "PermitRoot", line),
    ] {
        let found = sshd.weak(text);
        let [refused] = &found[..] else { panic!("{found:?}") };
        assert_eq!((refused.level, &*refused.directive), (Level::Must, "sshd"));
        assert!(refused.value.contains("refuses") && refused.value.contains(said), "{refused:?}");
        assert!(!refused.value.contains(['\r', '\\']), "{refused:?}");
        assert_eq!(refused.source, source);
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

#[test]
fn who_else_may_write_or_read() {
    let Some(sshd) = Sshd::new() else { return };
    let config = sshd.with("");
    let keys = sshd.host.write("home/bob/.ssh/authorized_keys", "");
    let now = |what: &str| -> Vec<String> {
        let found = sshd.look();
        assert_eq!(found.troubles, BTreeSet::new(), "{what}");
        let weaknesses = &found.servers[0].weaknesses;
        weaknesses
            .iter()
            .map(|weakness| format!("{} {}", weakness.directive, weakness.value))
            .collect()
    };
    assert_eq!(now("nothing"), [""; 0]);
    let is_one = |what: &str, path: &Path, wrong: u32, directive: &str, letters: &str| {
        let before = fs::metadata(path).expect("it is there").permissions();
        mode(path, wrong);
        let found = now(what);
        let told = format!("{directive} {} is {letters} of", path.display());
        assert!(found.len() == 1 && found[0].starts_with(&told), "{what}: {told}: {found:?}");
        fs::set_permissions(path, before).expect("as it was");
    };
    is_one("the file", &config, 0o666, "Include", "-rw-rw-rw-");
    is_one("the keys", &keys, 0o664, "AuthorizedKeysFile", "-rw-rw-r--");
    let home = sshd.host.path("home/bob");
    is_one("the home", &home, 0o775, "AuthorizedKeysFile", "drwxrwxr-x");
    is_one("its .ssh", &home.join(".ssh"), 0o757, "AuthorizedKeysFile", "drwxr-xrwx");
    // sshd does not start with it, and tells the rest all the same.
    is_one("the host key", &sshd.host.path("host_ed25519"), 0o640, "HostKey", "-rw-r-----");
    // A folder above: whoever may write there can put another in its place.
    let root = sshd.host.path("");
    mode(&root, 0o777);
    let found = now("the folder");
    let of = |directive: &str| found.iter().filter(|line| line.starts_with(directive)).count();
    assert_eq!((of("Include"), of("HostKey"), of("AuthorizedKeysFile")), (1, 1, 0), "{found:?}");
    mode(&root, 0o1777);
    assert_eq!(now("a folder such as /tmp"), [""; 0]);
    // A shell decides whose home counts; keys count in any case.
    mode(&root, 0o755);
    let accounts = fs::read_to_string(sshd.host.path("passwd")).expect("accounts");
    sshd.host.write("passwd", accounts.replace("/bin/sh", "/usr/sbin/nologin"));
    mode(&home, 0o775);
    assert_eq!(now("keys below").len(), 1);
    fs::remove_file(&keys).expect("it was there");
    assert_eq!(now("no shell and no keys"), [""; 0]);
}

#[test]
fn groups_that_are_too_small_and_short_keys() {
    let Some(sshd) = Sshd::new() else { return };
    let moduli =
        sshd.host.write("moduli", "20120821 2 6 100 2047 2 F\n20120821 2 6 100 4095 2 F\n");
    let file = format!("ModuliFile {}\n", moduli.display());
    assert_eq!(lines(&sshd.weak(&file)), [""; 0], "nobody is given one");
    let offered =
        "KexAlgorithms sntrup761x25519-sha512@openssh.com,diffie-hellman-group-exchange-sha256\n";
    let found = lines(&sshd.weak(&(file.clone() + offered)));
    let told = "1 of 2 groups have less than 3072 bits, the smallest 2048";
    assert!(
        found.contains(&format!("should ModuliFile {told} ({})", moduli.display())),
        "{found:?}"
    );
    sshd.host.write("moduli", "20120821 2 6 100 3071 2 F\n");
    assert!(!lines(&sshd.weak(&(file + offered))).iter().any(|line| line.contains("ModuliFile")));

    sshd.key("rsa", &["-t", "rsa", "-b", "2048"]);
    let rsa = sshd.host.text("rsa");
    let found = lines(&sshd.weak(&format!("HostKey {rsa}\n")));
    assert_eq!(
        found,
        [
            format!("must HostKey {rsa} is RSA of 2048 bits (sshd_config:1)"),
            format!("should HostKey {rsa},{} (sshd_config:1)", sshd.host.text("host_ed25519")),
        ]
    );
}

/// A copy of a program by another process: one that this one wrote could not be started while a child of another test
/// has it open still.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").args([from, to]).status();
    assert!(copied.expect("cp").success());
}

/// A daemon that listens on a port that the system chose.
struct Running(Child);

impl Running {
    fn start(sshd: &Sshd, program: &Path, more: &[&str]) -> Self {
        let pid_file = sshd.host.path("sshd.pid");
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|one| one.local_addr());
        let port = port.expect("a port").port().to_string();
        let child = Command::new(program)
            .args(["-D", "-e", "-f"])
            .arg(sshd.host.path("sshd_config"))
            .args(["-p", &port])
            .args(more)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sshd");
        let running = Self(child);
        running.until(|| fs::read_to_string(&pid_file).is_ok_and(|text| text.ends_with('\n')));
        running
    }

    fn until(&self, is: impl Fn() -> bool) {
        let began = Instant::now();
        while !is() {
            assert!(began.elapsed() < Duration::from_secs(20), "it does not come about");
            std::thread::yield_now();
        }
    }

    fn look(&self, sshd: &Sshd) -> SshdFindings {
        let inquiry = Inquiry { config: None, pid: Some(self.0.id()), ..sshd.inquiry() };
        assert_sshd(&inquiry, None).expect("it runs")
    }

    fn weak(&self, sshd: &Sshd) -> Vec<String> {
        let found = self.look(sshd);
        assert_eq!(found.troubles, BTreeSet::new());
        lines(&found.servers[0].weaknesses)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn set_time(path: &Path, time: SystemTime) {
    File::options()
        .write(true)
        .open(path)
        .and_then(|file| file.set_modified(time))
        .expect("a time");
}

#[test]
fn a_daemon_is_asked_about_with_its_own_arguments() {
    let Some(sshd) = Sshd::new() else { return };
    sshd.with("");
    let daemon =
        Running::start(&sshd, Path::new(SSHD), &["-o", "MaxAuthTries=9", "-oX11Forwarding yes"]);
    let found = daemon.look(&sshd);
    let server = &found.servers[0];
    assert_eq!((server.pid, &server.config), (Some(daemon.0.id()), &sshd.host.path("sshd_config")));
    let own: Vec<String> =
        lines(&server.weaknesses).into_iter().filter(|line| line.contains("argument")).collect();
    assert_eq!(
        own,
        [
            "should MaxAuthTries 9 (argument -o MaxAuthTries=9)",
            "should X11Forwarding yes (argument -o X11Forwarding=yes)"
        ]
    );
    let lost = server.weaknesses.iter().filter(|one| one.value.ends_with("without effect"));
    assert_eq!(lost.count(), 2, "MaxAuthTries and X11Forwarding of the file: {server:?}");
    // By its file it is found too.
    assert_eq!(sshd.look().servers[0].pid, server.pid);
}

#[test]
fn what_is_written_and_not_yet_in_force() {
    let Some(sshd) = Sshd::new() else { return };
    let folder = sshd.host.path("sshd_config.d");
    fs::create_dir(&folder).expect("a folder");
    let include = format!("Include {}/*.conf\n", folder.display());
    let config =
        sshd.host.write("sshd_config", include + &sshd.hardened().replace("Port 2022\n", ""));
    let program = sshd.host.path("sshd");
    copy(Path::new(SSHD), &program);
    let daemon = Running::start(&sshd, &program, &[]);
    assert_eq!(daemon.weak(&sshd), [""; 0]);

    let later = SystemTime::now() + Duration::from_secs(60);
    set_time(&config, later);
    let not_yet = "should Include not yet in force";
    let told = format!("{not_yet}: newer than what the daemon has read ({})", config.display());
    assert_eq!(daemon.weak(&sshd), [told]);
    // A reload: sshd writes its number anew.
    set_time(&sshd.host.path("sshd.pid"), later);
    assert_eq!(daemon.weak(&sshd), [""; 0]);

    File::open(&folder)
        .and_then(|file| file.set_modified(later + Duration::from_secs(60)))
        .expect("a time");
    let told = daemon.weak(&sshd);
    assert!(told.len() == 1 && told[0].contains("files have come or gone"), "{told:?}");
    File::open(&folder).and_then(|file| file.set_modified(later)).expect("a time");

    let newer = sshd.host.path("newer");
    copy(Path::new(SSHD), &newer);
    fs::rename(newer, &program).expect("a new program");
    let told = daemon.weak(&sshd);
    assert_eq!(
        told,
        [format!(
            "should sshd not yet in force: the daemon runs a program that is no longer there ({})",
            program.display()
        )]
    );
}

#[test]
fn a_program_that_others_may_write_is_not_started() {
    let Some(sshd) = Sshd::new() else { return };
    sshd.with("");
    let program = sshd.host.path("sshd");
    copy(Path::new(SSHD), &program);
    let daemon = Running::start(&sshd, &program, &[]);
    let _ = daemon.look(&sshd);
    mode(&program, 0o777);
    let inquiry = Inquiry { config: None, pid: Some(daemon.0.id()), ..sshd.inquiry() };
    let why = assert_sshd(&inquiry, None).expect_err("it is not started").to_string();
    assert!(why.contains("is not started") && why.contains("-rwxrwxrwx"), "{why}");
}

/// An sshd of another version, as far as its answer goes.
fn scripted(sshd: &Sshd, script: &str) -> Inquiry {
    let text = sshd.host.write("other-sshd.sh", format!("#!/bin/sh\n{script}\n"));
    let program = sshd.host.path("other-sshd");
    copy(&text, &program);
    mode(&program, 0o755);
    Inquiry { program: Some(program), ..sshd.inquiry() }
}

#[test]
fn answers_of_older_and_newer_ones() {
    let Some(sshd) = Sshd::new() else { return };
    sshd.with("");
    let told = |script: &str| {
        let found = assert_sshd(&scripted(&sshd, script), None).expect("it answers");
        lines(&found.servers[0].weaknesses)
    };
    let effective = Command::new(SSHD)
        .args(["-T", "-C", "user=x,host=x,addr=127.0.0.1", "-f"])
        .arg(sshd.host.path("sshd_config"))
        .output()
        .expect("sshd");
    sshd.host.write("effective", effective.stdout);
    let file = sshd.host.text("effective");
    assert_eq!(told(&format!("cat {file}")), [""; 0]);
    let newer = format!(
        "sed 's/^permitrootlogin no/PermitRootLogin yes/; s/^logingracetime/LoginGraceTime/' {file}"
    );
    let line =
        1 + sshd.hardened().lines().position(|line| line == "PermitRootLogin no").expect("it");
    assert_eq!(told(&newer), [format!("must PermitRootLogin yes (sshd_config:{line})")]);
    for (line, is) in [
        ("protocol 2,1", "must Protocol 2,1 (default)"),
        (
            "challengeresponseauthentication yes",
            "must ChallengeResponseAuthentication yes (default)",
        ),
        ("useprivilegeseparation no", "must UsePrivilegeSeparation no (default)"),
        ("persourcepenalties no", "should PerSourcePenalties no (default)"),
        ("kerberosauthentication yes", "should KerberosAuthentication yes (sshd_config:"),
    ] {
        let told = told(&format!("grep -v '^kerberosauth' {file}; echo {line}"));
        assert!(told.len() == 1 && told[0].starts_with(is), "{line}: {told:?}");
    }
    let told = told(&format!("grep -v '^channeltimeout' {file}"));
    assert!(told.len() == 1 && told[0].starts_with("should ChannelTimeout not set"), "{told:?}");
}

#[test]
fn what_could_not_be_asked_is_said() {
    let Some(sshd) = Sshd::new() else { return };
    sshd.with("");
    let found =
        assert_sshd(&scripted(&sshd, "echo no hostkeys available >&2; exit 1"), None).expect("one");
    assert_eq!((found.count(), found.troubles.len(), found.exit_code()), (0, 1, 6));
    let inquiry = Inquiry { program: Some("/bin/true".into()), ..sshd.inquiry() };
    let found = assert_sshd(&inquiry, None).expect("one");
    assert_eq!((found.count(), found.exit_code()), (0, 6));
    let (_, why) = found.troubles.first().expect("why");
    assert!(why.starts_with("/bin/true does not print a configuration"), "{why}");
    let soon = Some(Instant::now() + Duration::from_millis(200));
    let found = assert_sshd(&scripted(&sshd, "exec sleep 60"), soon).expect("one");
    assert_eq!((found.expired, found.exit_code()), (true, 6));
    assert!(assert_sshd(&Inquiry { pid: Some(1), ..Inquiry::default() }, None).is_err());
}

/// The scenarios' rows: what a directive must be, or must not be, and how much it matters.
fn rows(file: &str, key: &str) -> Vec<(String, String, Regex)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/sshd").join(file);
    let text = fs::read_to_string(&path).expect("the scenarios");
    let diagnostics = Diagnostics::new();
    let source = edgeproof_diagnostics::Source::new(file, &text);
    let node = edgeproof_diagnostics::parse(&source, &diagnostics).expect("YAML");
    let rows = node.get("each").and_then(Node::as_sequence).expect("rows");
    let row = |row: &Node| {
        let text = |key: &str| row.get(key).and_then(Node::as_str).expect(key).to_owned();
        (text("directive"), text("level"), Regex::new(&text(key)).expect("a regex"))
    };
    rows.iter().map(row).collect()
}

/// Harness and agent share no code; what they ask for must be the same.
#[test]
fn the_values_are_those_of_the_scenarios() {
    let Some(sshd) = Sshd::new() else { return };
    let wanted = rows("config.yaml", "want");
    let unwanted = rows("config-without.yaml", "bad");
    assert!(wanted.len() + unwanted.len() >= 50);
    let weak = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ci/targets/sshd-default/sshd_config.j2"),
    );
    let debian = format!("HostKey {}\n", sshd.host.text("host_ed25519"))
        + &weak
            .expect("the distribution's")
            .lines()
            .filter(|line| !line.contains("{{"))
            .map(|line| line.to_owned() + "\n")
            .collect::<String>();
    let mut texts =
        vec![sshd.hardened(), debian, format!("HostKey {}\n", sshd.host.text("host_ed25519"))];
    for (line, _) in BROKEN {
        texts.push(sshd.instead(line));
    }
    for text in texts {
        let first = text.lines().next().unwrap_or_default();
        let config = sshd.host.write("sshd_config", &text);
        let found = sshd.look();
        let told: BTreeSet<(String, &str)> = found.servers[0]
            .weaknesses
            .iter()
            .filter(|weakness| !weakness.value.ends_with("without effect"))
            .map(|weakness| (weakness.directive.to_lowercase(), weakness.level.name()))
            .collect();
        let output = Command::new(SSHD)
            .args(["-T", "-C", "user=root,host=localhost,addr=127.0.0.1", "-f"])
            .arg(&config)
            .output()
            .expect("sshd");
        let effective = String::from_utf8(output.stdout).expect("UTF-8");
        let value = |directive: &str| {
            let of = |line: &str| Some(line.strip_prefix(directive)?.strip_prefix(' ')?.to_owned());
            let values: Vec<String> = effective.lines().filter_map(of).collect();
            (!values.is_empty()).then(|| values.join(","))
        };
        let broken = |regex: &Regex, directive: &str| {
            !value(directive).is_some_and(|value| regex.is_match(&value))
        };
        let held = |regex: &Regex, directive: &str| {
            value(directive).is_some_and(|value| regex.is_match(&value))
        };
        for (directive, level, want) in &wanted {
            let is_told = told.contains(&(directive.clone(), level.as_str()));
            assert_eq!(
                is_told,
                broken(want, directive),
                "{directive} ({level}) behind {first}: {told:?}"
            );
        }
        for (directive, level, bad) in &unwanted {
            let is_told = told.contains(&(directive.clone(), level.as_str()));
            assert_eq!(
                is_told,
                held(bad, directive),
                "{directive} ({level}) behind {first}: {told:?}"
            );
        }
    }
}

fn agent(words: &[&str]) -> u8 {
    edgeproof_agent::main(words.iter().map(Into::into).collect())
}

#[test]
fn words_and_exit_codes() {
    for wrong in [
        &["sshd", "/etc/ssh/sshd_config"][..],
        &["sshd", "-f", "/nonexistent/sshd_config"],
        &["sshd", "-pid", "x"],
        &["sshd", "-level", "high"],
        &["sshd", "-user", "bob"],
    ] {
        assert_eq!(agent(wrong), 2, "{wrong:?}");
    }
    assert_eq!(agent(&["sshd", "-pid", "1"]), 4, "it is no sshd");
    let Some(sshd) = Sshd::new() else { return };
    let config = sshd.with("X11Forwarding yes\n");
    let (config, passwd) = (config.to_str().expect("UTF-8"), sshd.host.text("passwd"));
    let words =
        |more: &[&str]| agent(&[&["sshd", "-f", config, "-passwd", &passwd][..], more].concat());
    for format in ["human", "mig", "json"] {
        assert_eq!(words(&["-format", format]), 1);
    }
    assert_eq!(words(&["-level", "must"]), 0);
    assert_eq!(words(&["-sshd", "/nonexistent/sshd"]), 4);
    assert_eq!(agent(&["sshd", "-f", config, "-passwd", "/nonexistent/passwd"]), 2);
}
