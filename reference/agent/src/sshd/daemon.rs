//! The daemons that run: their programs, their arguments, since when.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::permissions;

/// An sshd that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Daemon {
    pub(crate) pid: u32,
    pub(crate) program: PathBuf,
    /// Its program's file is another one now.
    pub(crate) is_replaced: bool,
    /// Those of its arguments that say something of its configuration.
    pub(crate) arguments: Arguments,
    pub(crate) started: SystemTime,
}

/// Arguments of sshd(8), each option with its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments(Vec<(char, String)>);

/// What an argument says of a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Argument {
    /// In lower case.
    pub(crate) keyword: String,
    pub(crate) value: String,
    /// The argument itself, for people.
    pub(crate) text: String,
}

/// Options with a value.
const WITH_VALUE: &str = "bCcEfghkopuV";
/// What changes the configuration. -h and -c name keys, -4 and -6 a family of addresses.
const OF_CONFIGURATION: &str = "46cfghopu";

impl Arguments {
    /// A configuration's file.
    pub(crate) fn of_file(file: &Path) -> Self {
        Self(vec![('f', file.display().to_string())])
    }

    /// Reads words. A value may have blanks in it where a process's title has joined the words: it goes on to
    /// the next option.
    pub(crate) fn read<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let mut read: Vec<(char, String)> = Vec::new();
        let mut is_open = false;
        for word in words {
            let Some(mut letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
                if let Some((_, value)) = read.last_mut().filter(|_| is_open) {
                    if !value.is_empty() {
                        value.push(' ');
                    }
                    value.push_str(word);
                }
                continue;
            };
            is_open = false;
            while let Some(letter) = letters.chars().next() {
                letters = &letters[letter.len_utf8()..];
                is_open = WITH_VALUE.contains(letter);
                read.push((letter, String::new()));
                if let Some((_, value)) = read.last_mut().filter(|_| is_open) {
                    value.push_str(letters);
                    break;
                }
            }
        }
        Self(read)
    }

    fn has(&self, letters: &str) -> bool {
        self.0.iter().any(|(letter, _)| letters.contains(*letter))
    }

    /// For `sshd -T`.
    pub(crate) fn words(&self) -> Vec<String> {
        let own = self.0.iter().filter(|(letter, _)| OF_CONFIGURATION.contains(*letter));
        own.flat_map(|(letter, value)| match value.is_empty() {
            true => vec![format!("-{letter}")],
            false => vec![format!("-{letter}"), value.clone()],
        })
        .collect()
    }

    /// The configuration's file; the last one counts.
    pub(crate) fn file(&self) -> PathBuf {
        let file = self.0.iter().rev().find(|(letter, _)| *letter == 'f');
        file.map_or_else(|| "/etc/ssh/sshd_config".into(), |(_, value)| value.into())
    }

    /// What they say of directives: it comes before any file.
    pub(crate) fn directives(&self) -> Vec<Argument> {
        let directive = |(letter, value): &(char, String)| {
            let (keyword, value) = match letter {
                'o' => value.split_once(['=', ' ', '\t']).unwrap_or((value, "")),
                'p' => ("port", value.as_str()),
                'h' => ("hostkey", value.as_str()),
                'g' => ("logingracetime", value.as_str()),
                'c' => ("hostcertificate", value.as_str()),
                '4' => ("addressfamily", "inet"),
                '6' => ("addressfamily", "inet6"),
                _ => return None,
            };
            let text = match letter {
                'o' => format!("-o {keyword}={}", value.trim()),
                '4' | '6' => format!("-{letter}"),
                _ => format!("-{letter} {value}"),
            };
            let (keyword, value) = (keyword.to_ascii_lowercase(), value.trim().to_owned());
            Some(Argument { keyword, value, text })
        };
        self.0.iter().filter_map(directive).collect()
    }
}

/// What a process says of itself.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Listens(Arguments),
    /// The title is cut off before its end.
    CutOff,
    /// A session, or sshd asked for something else.
    Other,
}

/// A listener's title is `sshd: PROGRAM ARGUMENTS [listener] 0 of 10-100 startups`, of OpenSSH before 8.2 the
/// plain arguments; that of a session names its user.
fn said(cmdline: &[u8]) -> Said {
    let text = String::from_utf8_lossy(cmdline);
    if let Some(title) = text.strip_prefix("sshd: ") {
        let title = title.trim_end_matches('\0');
        return match title.rsplit_once(" [listener]") {
            Some((words, _)) => {
                Said::Listens(Arguments::read(words.split_ascii_whitespace().skip(1)))
            }
            None if title.starts_with('/') => Said::CutOff,
            None => Said::Other,
        };
    }
    let arguments = Arguments::read(text.trim_end_matches('\0').split('\0').skip(1));
    // Asked for its configuration, started for one connection, or the part of it that serves one.
    match arguments.has("tTGiRVz") || text.is_empty() {
        true => Said::Other,
        false => Said::Listens(arguments),
    }
}

/// The daemons of this host, by number. Those that cannot be looked at are named.
pub(crate) fn running(proc: &Path, troubles: &mut Vec<(PathBuf, String)>) -> Vec<Daemon> {
    let mut daemons = Vec::new();
    for entry in std::fs::read_dir(proc).into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let process = entry.path();
        let comm = std::fs::read(process.join("comm")).unwrap_or_default();
        if comm.trim_ascii_end() != b"sshd" {
            continue;
        }
        match daemon(proc, &process, pid) {
            Ok(daemon) => daemons.extend(daemon),
            Err(reason) => troubles.push((process, reason)),
        }
    }
    daemons.sort_by_key(|daemon| daemon.pid);
    daemons
}

fn daemon(proc: &Path, process: &Path, pid: u32) -> Result<Option<Daemon>, String> {
    // One that has ended meanwhile is none.
    let Ok(cmdline) = std::fs::read(process.join("cmdline")) else { return Ok(None) };
    let arguments = match said(&cmdline) {
        Said::Listens(arguments) => arguments,
        Said::CutOff => return Err("an sshd whose arguments are cut off".to_owned()),
        Said::Other => return Ok(None),
    };
    let seen =
        |error: std::io::Error| format!("an sshd of which not everything can be seen: {error}");
    let owner = process.metadata().map_err(seen)?.uid();
    let own = rustix::process::geteuid().as_raw();
    if owner != 0 && owner != own {
        return Err(format!("an sshd that the user number {owner} started: it is not asked"));
    }
    let namespace = |of: &Path| std::fs::read_link(of.join("ns/mnt"));
    if namespace(process).map_err(seen)? != namespace(&proc.join("self")).map_err(seen)? {
        return Err(
            "an sshd that sees other files, such as a container's: it is not asked".to_owned()
        );
    }
    let exe = std::fs::read_link(process.join("exe")).map_err(seen)?;
    let text = exe.display().to_string();
    let (program, is_replaced) = match text.strip_suffix(" (deleted)") {
        Some(program) => (PathBuf::from(program), true),
        None => (exe, false),
    };
    // It will be started, perhaps by root: nobody else may have had a hand in it.
    if let Some(fault) = permissions::way_to(&program, own) {
        return Err(format!("its program is not started: {fault}"));
    }
    if !arguments.file().is_absolute() {
        return Err(format!("an sshd with the relative path -f {}", arguments.file().display()));
    }
    let started = started(proc, process).ok_or("when it started cannot be read")?;
    Ok(Some(Daemon { pid, program, is_replaced, arguments, started }))
}

/// The start of a process: proc_pid_stat(5)'s 22nd field, in ticks since the machine's start.
fn started(proc: &Path, process: &Path) -> Option<SystemTime> {
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    // The name in parentheses may have blanks and parentheses of its own.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: f64 = fields.split_ascii_whitespace().nth(19)?.parse().ok()?;
    let uptime = std::fs::read_to_string(proc.join("uptime")).ok()?;
    let uptime: f64 = uptime.split_ascii_whitespace().next()?.parse().ok()?;
    let ago = uptime - ticks / rustix::param::clock_ticks_per_second() as f64;
    SystemTime::now().checked_sub(Duration::try_from_secs_f64(ago.max(0.0)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listens(cmdline: &str) -> Arguments {
        match said(cmdline.as_bytes()) {
            Said::Listens(arguments) => arguments,
            other => panic!("{cmdline}: {other:?}"),
        }
    }

    #[test]
    fn the_title_of_a_listener_is_its_arguments() {
        let arguments = listens(
            "sshd: /usr/sbin/sshd -D -e -f /srv/my sshd/config -p2022 -o Port 22 -oUsePAM=no -4 [listener] 0 of 10-100 startups\0\0",
        );
        assert_eq!(arguments.file(), Path::new("/srv/my sshd/config"));
        assert_eq!(
            arguments.words(),
            ["-f", "/srv/my sshd/config", "-p", "2022", "-o", "Port 22", "-o", "UsePAM=no", "-4"]
        );
        let said = arguments.directives();
        let said: Vec<_> =
            said.iter().map(|one| (&*one.keyword, &*one.value, &*one.text)).collect();
        assert_eq!(
            said,
            [
                ("port", "2022", "-p 2022"),
                ("port", "22", "-o Port=22"),
                ("usepam", "no", "-o UsePAM=no"),
                ("addressfamily", "inet", "-4")
            ]
        );
    }

    #[test]
    fn plain_arguments_are_read_too() {
        let arguments = listens("/usr/sbin/sshd\0-Df\0/etc/other config\0");
        assert_eq!(arguments.file(), Path::new("/etc/other config"));
        assert_eq!(listens("/usr/sbin/sshd\0-D\0").file(), Path::new("/etc/ssh/sshd_config"));
    }

    #[test]
    fn sessions_and_questions_are_no_daemons() {
        for other in [
            "sshd: bob [priv]\0",
            "sshd: bob@pts/0",
            "/usr/sbin/sshd\0-T\0",
            "/usr/sbin/sshd\0-D\0-R\0",
            "sshd\0-i\0",
            "",
        ] {
            assert_eq!(said(other.as_bytes()), Said::Other, "{other}");
        }
        assert_eq!(said(b"sshd: /usr/sbin/sshd -D -f /a/long/pa\0"), Said::CutOff);
    }
}
