//! What is in effect, in sshd's own words: `sshd -T -C user=…,host=…,addr=…`.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::daemon::Arguments;

/// sshd's answer has some ten KiB.
const MOST: u64 = 1 << 20;
/// It may have to ask a directory for a user; without a deadline of the agent's it is given so long.
const LONGEST: Duration = Duration::from_secs(10);

/// What keeps it from answering and is no fault of its configuration: keys that only root may read, and folders that
/// its service makes.
const HINDRANCES: [&str; 3] = ["no hostkeys available", "rivilege separation", "Permission denied"];

/// The directives that are in effect, in lower case: those on several lines have several values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effective(BTreeMap<String, Vec<String>>);

impl Effective {
    /// One directive a line. Names are in lower case until OpenSSH 10.3, and as the manual writes them since.
    fn read(text: &str) -> Self {
        let mut directives: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in text.lines() {
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            directives.entry(name.to_ascii_lowercase()).or_default().push(value.trim().to_owned());
        }
        Self(directives)
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

/// Asks an sshd.
pub(crate) fn ask(
    program: &Path,
    arguments: &Arguments,
    connection: &Connection,
    deadline: Option<Instant>,
) -> Result<Told, NoAnswer> {
    let failed = |error: std::io::Error| {
        NoAnswer::NotAsked(format!("{} cannot be started: {error}", program.display()))
    };
    let until = deadline.unwrap_or_else(|| Instant::now() + LONGEST);
    if until <= Instant::now() {
        return Err(NoAnswer::Expired);
    }
    let mut sshd = Command::new(program)
        .args(arguments.words())
        .args(["-T", "-C", &connection.words()])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
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
        return Ok(Told { effective: Effective::read(&out), warnings });
    }
    let said = said.trim().replace('\n', "; ");
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
        );
        assert_eq!(read.value("Port").as_deref(), Some("22,2222"));
        assert_eq!(read.value("PermitRootLogin").as_deref(), Some("no"));
        assert_eq!(read.value("Subsystem").as_deref(), Some("sftp internal-sftp"));
        assert_eq!(read.value("Protocol"), None);
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
