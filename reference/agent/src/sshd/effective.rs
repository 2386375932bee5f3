//! What is in effect, in sshd's own words: `sshd -T -C user=…,host=…,addr=…`.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::daemon::Arguments;
use super::lent_key;

/// sshd's answer has some ten KiB.
const MOST: u64 = 1 << 20;
/// It may have to ask a directory for a user; without a deadline of the agent's it is given so long.
const LONGEST: Duration = Duration::from_secs(10);

/// What keeps it from answering and is no fault of its configuration: keys that only root may read, folders that
/// its service makes, and an sshd that knows less of a connection.
const HINDRANCES: [&str; 4] =
    [NO_KEY, "rivilege separation", "Permission denied", "Invalid test mode specification"];
const NO_KEY: &str = "no hostkeys available";
/// Where it finds the key that it is lent.
const LENT: &str = "/dev/stdin";

/// The directives that are in effect, in lower case: those on several lines have several values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effective(BTreeMap<String, Vec<String>>);

impl Effective {
    /// One directive a line; `None` where it is something else. Names are in lower case until OpenSSH 10.3, and as the
    /// manual writes them since.
    fn read(text: &str) -> Option<Self> {
        let mut directives: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in text.lines() {
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            directives.entry(name.to_ascii_lowercase()).or_default().push(value.trim().to_owned());
        }
        // What every sshd has.
        let is_told = ["port", "permitrootlogin"].iter().all(|name| directives.contains_key(*name));
        is_told.then_some(Self(directives))
    }

    /// With its own host keys alone: those of the configuration, else the ones that it looks for by itself.
    fn without_lent_key(mut self) -> Self {
        let keys = self.0.entry("hostkey".to_owned()).or_default();
        keys.retain(|key| key != LENT);
        if keys.is_empty() {
            keys.extend(
                ["rsa", "ecdsa", "ed25519"].map(|kind| format!("/etc/ssh/ssh_host_{kind}_key")),
            );
        }
        self
    }

    /// Where sshd listens; IPv4 first.
    pub(crate) fn listens(&self) -> Vec<SocketAddr> {
        let socket = |value: &String| -> Option<SocketAddr> {
            let socket = value.split(' ').next()?;
            // A link-local address has its interface: `[fe80::1%eth0]:22`.
            match socket.split_once('%') {
                Some((ip, rest)) => format!("{ip}{}", rest.trim_start_matches(|one| one != ']')),
                None => socket.to_owned(),
            }
            .parse()
            .ok()
        };
        let mut listens: Vec<SocketAddr> =
            self.values("ListenAddress").iter().filter_map(socket).collect();
        if listens.is_empty() {
            let ports = self.values("Port").iter().filter_map(|port| port.parse().ok());
            let of_any = |port: u16| {
                [(Ipv4Addr::UNSPECIFIED, port).into(), (Ipv6Addr::UNSPECIFIED, port).into()]
            };
            listens = ports.flat_map(of_any).collect();
        }
        listens.sort_by_key(SocketAddr::is_ipv6);
        listens
    }

    /// A directive's values, joined by commas; `None` where this sshd does not know it or has none.
    pub(crate) fn value(&self, directive: &str) -> Option<String> {
        Some(self.0.get(&directive.to_ascii_lowercase())?.join(","))
    }

    /// Its values, a line each.
    pub(crate) fn values(&self, directive: &str) -> &[String] {
        self.0.get(&directive.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// The words of a directive that takes several.
    pub(crate) fn words(&self, directive: &str) -> impl Iterator<Item = &str> {
        self.values(directive).iter().flat_map(|value| value.split_ascii_whitespace())
    }
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) effective: Effective,
    /// What it found strange: file, line, text.
    pub(crate) warnings: Vec<(PathBuf, usize, String)>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// sshd does not take the configuration: what it said, and of which line where it said so.
    Refused(String, Option<(PathBuf, usize)>),
    /// It could not be asked.
    NotAsked(String),
    /// The time was over.
    Expired,
}

/// An sshd that can be asked.
pub(crate) struct Oracle<'s> {
    pub(crate) program: &'s Path,
    pub(crate) arguments: &'s Arguments,
    pub(crate) deadline: Option<Instant>,
    /// It finds no host key of its own that it takes, and is lent one.
    pub(crate) lacks_key: Option<String>,
}

impl Oracle<'_> {
    /// Asks it; of keys that it does not take, it says so once.
    pub(crate) fn ask(&mut self, connection: &Connection) -> Result<Told, NoAnswer> {
        if self.lacks_key.is_none() {
            match ask(self, connection, Stdio::null(), &[]) {
                Err(NoAnswer::NotAsked(why)) if why.contains(NO_KEY) => self.lacks_key = Some(why),
                answer => return answer,
            }
        }
        let why = || NoAnswer::NotAsked(self.lacks_key.clone().unwrap_or_default());
        let key = lent_key::file().map_err(|_| why())?;
        match ask(self, connection, key.into(), &["-h", LENT]) {
            Ok(Told { effective, warnings }) => {
                Ok(Told { effective: effective.without_lent_key(), warnings })
            }
            Err(NoAnswer::NotAsked(_)) => Err(why()),
            Err(other) => Err(other),
        }
    }
}

/// Asks an sshd once.
fn ask(
    oracle: &Oracle<'_>,
    connection: &Connection,
    stdin: Stdio,
    more: &[&str],
) -> Result<Told, NoAnswer> {
    let Oracle { program, arguments, deadline, .. } = oracle;
    let failed = |error: std::io::Error| {
        NoAnswer::NotAsked(format!("{} cannot be started: {error}", program.display()))
    };
    let until = deadline.unwrap_or_else(|| Instant::now() + LONGEST);
    if until <= Instant::now() {
        return Err(NoAnswer::Expired);
    }
    let mut sshd = Command::new(program)
        .args(arguments.words())
        .args(more)
        .args(["-T", "-C", &connection.words()])
        .env_clear()
        .current_dir("/")
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let (out, said) = (read(sshd.stdout.take()), read(sshd.stderr.take()));
    let left = || until.saturating_duration_since(Instant::now());
    let answers = out.recv_timeout(left()).and_then(|out| Ok((out, said.recv_timeout(left())?)));
    let Ok((out, said)) = answers else {
        end(&mut sshd);
        return Err(NoAnswer::Expired);
    };
    let status = sshd.wait().map_err(failed)?;
    let warnings: Vec<_> = said.lines().filter_map(of_line).collect();
    if status.success() {
        let effective = Effective::read(&out).ok_or_else(|| {
            let what = "does not print a configuration when asked (-T): is it an sshd?";
            NoAnswer::NotAsked(format!("{} {what}", program.display()))
        })?;
        return Ok(Told { effective, warnings });
    }
    let said = said.lines().map(str::trim).filter(|line| !line.starts_with('@'));
    let said = said.collect::<Vec<_>>().join("; ");
    let why = if said.is_empty() { status.to_string() } else { said };
    if HINDRANCES.iter().any(|hindrance| why.contains(hindrance)) {
        return Err(NoAnswer::NotAsked(format!("{} -T: {why}", program.display())));
    }
    let line = warnings.into_iter().next_back().map(|(file, line, _)| (file, line));
    Err(NoAnswer::Refused(why, line))
}

/// Reads to the end in a thread of its own, so that nobody waits longer than they want to.
fn read(from: Option<impl std::io::Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (done, answer) = mpsc::channel();
    std::thread::spawn(move || {
        let mut octets = Vec::new();
        let _ = from.map(|from| from.take(MOST).read_to_end(&mut octets));
        // Who asked may have given up.
        let _ = done.send(String::from_utf8_lossy(&octets).into_owned());
    });
    answer
}

fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// `FILE line N: TEXT`, or `FILE: line N: TEXT`, as sshd says it.
fn of_line(said: &str) -> Option<(PathBuf, usize, String)> {
    let (file, rest) = said.split_once(" line ")?;
    let (line, text) = rest.split_once(": ").or_else(|| rest.split_once('.'))?;
    let file = file.trim_end_matches(':');
    file.starts_with('/').then_some(())?;
    Some((file.into(), line.parse().ok()?, text.trim_end_matches(['\r', '.']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_either_case_and_values_on_several_lines() {
        let read = Effective::read(
            "port 22\nport 2222\nPermitRootLogin no\nsubsystem sftp internal-sftp\n",
        )
        .expect("a configuration");
        assert_eq!(read.value("Port").as_deref(), Some("22,2222"));
        assert_eq!(read.value("PermitRootLogin").as_deref(), Some("no"));
        assert_eq!(read.value("Subsystem").as_deref(), Some("sftp internal-sftp"));
        assert_eq!(read.value("Protocol"), None);
        assert_eq!(read.listens().len(), 4, "both families at both ports");
        let read = Effective::read(
            "port 22\npermitrootlogin no\nlistenaddress [fe80::1%eth0]:22\nlistenaddress 10.0.0.1:22 rdomain x\n",
        );
        let listens: Vec<String> =
            read.expect("a configuration").listens().iter().map(SocketAddr::to_string).collect();
        assert_eq!(listens, ["10.0.0.1:22", "[fe80::1]:22"]);
        assert_eq!(Effective::read("-T -C user=root\n"), None);
    }

    #[test]
    fn the_line_that_sshd_complains_of() {
        let text = "/etc/ssh/sshd_config line 7: Deprecated option KeyRegenerationInterval\r";
        let is =
            ("/etc/ssh/sshd_config".into(), 7, "Deprecated option KeyRegenerationInterval".into());
        assert_eq!(of_line(text), Some(is));
        let text = "/etc/ssh/sshd_config: line 7: Bad configuration option: foo";
        assert_eq!(of_line(text).map(|found| found.1), Some(7));
        assert_eq!(of_line("sshd: no hostkeys available -- exiting."), None);
    }
}
