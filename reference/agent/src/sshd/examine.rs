//! One sshd after the other: what is in effect, and what should be otherwise.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::config::{self, Condition, Configuration};
use super::connection::{self, Connection, Member};
use super::daemon::{self, Argument, Arguments, Daemon};
use super::effective::{Effective, NoAnswer, Oracle, Told};
use super::finding::{Level, Source, Weakness};
use super::rules::RULES;
use super::to_ask::{self, to_ask};
use super::{in_force, key_files, moduli, permissions, shadowed};
use crate::authorized::key_on;
use crate::keys::{Key, accounts};
use crate::root::Root;

/// Below it, an RSA key has less than 128 bits of strength (NIST SP 800-57 part 1 §5.6).
const RSA_BITS: usize = 3072;

/// What to look at.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// Only what is told by this file; else by that of each daemon, or /etc/ssh/sshd_config.
    pub config: Option<PathBuf>,
    /// The sshd to ask; else the daemon's own, or /usr/sbin/sshd.
    pub program: Option<PathBuf>,
    /// Only this daemon.
    pub pid: Option<u32>,
    /// The accounts (passwd(5)).
    pub passwd: PathBuf,
    /// Their groups (group(5)).
    pub group: PathBuf,
    /// What matters less is not told.
    pub level: Level,
}

impl Default for Inquiry {
    fn default() -> Self {
        Self {
            config: None,
            program: None,
            pid: None,
            passwd: "/etc/passwd".into(),
            group: "/etc/group".into(),
            level: Level::Observe,
        }
    }
}

/// One sshd.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The daemon's number; `None` where none runs.
    pub pid: Option<u32>,
    /// The program that was asked.
    pub program: PathBuf,
    /// The configuration's file.
    pub config: PathBuf,
    /// About how many connections it was asked.
    pub connections: usize,
    /// What should be otherwise, the gravest first.
    pub weaknesses: Vec<Weakness>,
    /// What is worth knowing: a Match that nobody known meets.
    pub notes: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct SshdFindings {
    /// Each sshd.
    pub servers: Vec<Examined>,
    /// What could not be looked at, and why.
    pub troubles: BTreeSet<(PathBuf, String)>,
    /// The deadline came before the end.
    pub expired: bool,
}

impl SshdFindings {
    /// How many weaknesses there are, without what is only observed.
    pub fn count(&self) -> usize {
        let all = self.servers.iter().flat_map(|server| &server.weaknesses);
        all.filter(|weakness| weakness.level < Level::Observe).count()
    }

    /// DESIGN's exit code: 1 something should be otherwise, 6 not everything could be looked at, 0 all good.
    pub fn exit_code(&self) -> u8 {
        match (self.count(), self.troubles.is_empty() && !self.expired) {
            (1.., _) => 1,
            (0, false) => 6,
            (0, true) => 0,
        }
    }
}

/// There is nothing to look at.
#[derive(Debug, thiserror::Error)]
pub enum NoSshd {
    /// No such daemon.
    #[error("no sshd with the number {0} listens that could be looked at{1}")]
    Daemon(u32, String),
    /// Not installed.
    #[error("there is no sshd: {0} is not there (apt-get install openssh-server)")]
    Program(PathBuf),
    /// The configuration that was asked for.
    #[error("{0}: {1}")]
    Config(PathBuf, std::io::Error),
    /// The accounts.
    #[error("the accounts cannot be read: {0}: {1}")]
    Accounts(PathBuf, std::io::Error),
}

/// Looks at every sshd that runs, or at the one that would; until the deadline.
///
/// # Errors
/// There is none.
pub fn assert_sshd(inquiry: &Inquiry, deadline: Option<Instant>) -> Result<SshdFindings, NoSshd> {
    let mut findings = SshdFindings::default();
    let servers = servers(inquiry, &mut findings)?;
    let read = |file: &Path| {
        let text = std::fs::read(file).map_err(|error| NoSshd::Accounts(file.to_owned(), error))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    let members = connection::members(accounts(&read(&inquiry.passwd)?), &read(&inquiry.group)?);
    for server in servers {
        let mut examined = Server::read(server, &members).examine(&mut findings, deadline);
        examined.weaknesses.retain(|weakness| weakness.level <= inquiry.level);
        examined.weaknesses.sort();
        examined.weaknesses.dedup();
        findings.servers.push(examined);
    }
    Ok(findings)
}

/// A program with arguments, and the daemon that it is, if one runs.
struct Asked {
    program: PathBuf,
    arguments: Arguments,
    daemon: Option<Daemon>,
}

fn servers(inquiry: &Inquiry, findings: &mut SshdFindings) -> Result<Vec<Asked>, NoSshd> {
    let mut troubles = Vec::new();
    let mut daemons = daemon::running(Path::new("/proc"), &mut troubles);
    if let Some(pid) = inquiry.pid {
        daemons.retain(|daemon| daemon.pid == pid);
        troubles.retain(|(process, _)| process.ends_with(pid.to_string()));
        if daemons.is_empty() {
            let why = troubles.pop().map_or(String::new(), |(_, why)| format!(": {why}"));
            return Err(NoSshd::Daemon(pid, why));
        }
    }
    if let Some(config) = &inquiry.config {
        let real = |file: &Path| file.canonicalize();
        let wanted = real(config).map_err(|error| NoSshd::Config(config.clone(), error))?;
        daemons.retain(|daemon| real(&daemon.arguments.file()).is_ok_and(|file| file == wanted));
        troubles.clear();
    }
    findings.troubles.extend(troubles);
    let program = |of_daemon: Option<&Daemon>| {
        let own = of_daemon.map(|daemon| daemon.program.clone());
        inquiry.program.clone().or(own).unwrap_or_else(|| "/usr/sbin/sshd".into())
    };
    let mut servers: Vec<Asked> = Vec::new();
    for daemon in daemons {
        let program = program(Some(&daemon));
        let arguments = daemon.arguments.clone();
        servers.push(Asked { program, arguments, daemon: Some(daemon) });
    }
    if servers.is_empty() {
        let arguments = match &inquiry.config {
            // sshd is asked in another folder.
            Some(config) => Arguments::of_file(&config.canonicalize().unwrap_or(config.clone())),
            None => Arguments::default(),
        };
        let program = program(None);
        if !program.exists() {
            return Err(NoSshd::Program(program));
        }
        servers.push(Asked { program, arguments, daemon: None });
    }
    Ok(servers)
}

/// What sshd said.
#[derive(Default)]
struct Answers {
    /// What holds for all.
    first: Option<Told>,
    /// Of each connection.
    told: Vec<(Connection, Told)>,
    /// What was to be asked; the connections are among the answers.
    asked: to_ask::Asked,
    /// It takes none of its host keys, in its words.
    lacks_key: Option<String>,
    /// Why there are no more answers.
    missing: Option<NoAnswer>,
}

/// What is known of a server before it is asked.
struct Server<'m> {
    asked: Asked,
    said: Vec<Argument>,
    configuration: Configuration,
    members: &'m [Member],
    troubles: Vec<(PathBuf, String)>,
}

impl<'m> Server<'m> {
    fn read(asked: Asked, members: &'m [Member]) -> Self {
        let mut troubles = Vec::new();
        let file = asked.arguments.file();
        let configuration = match Root::open(Path::new("/")) {
            Ok(root) => config::read(&root, &file, &mut troubles),
            Err(error) => {
                troubles.push(("/".into(), error.to_string()));
                Configuration::default()
            }
        };
        let said = asked.arguments.directives();
        Self { asked, said, configuration, members, troubles }
    }

    fn examine(mut self, findings: &mut SshdFindings, deadline: Option<Instant>) -> Examined {
        let Answers { first, told, asked, lacks_key, missing } = self.answers(deadline);
        let mut examined = Examined {
            pid: self.asked.daemon.as_ref().map(|daemon| daemon.pid),
            program: self.asked.program.clone(),
            config: self.asked.arguments.file(),
            connections: told.len(),
            weaknesses: Vec::new(),
            notes: asked
                .unmet
                .iter()
                .map(|place| format!("nobody known meets the Match of {}", Source::from(place)))
                .collect(),
        };
        if asked.too_many {
            let reason = "its Match lines tell more connections apart than were asked about";
            self.troubles.push((examined.config.clone(), reason.to_owned()));
        }
        for place in asked.unclear {
            let how = "write networks (10.0.0.0/8) and numbers, or ask `sshd -T -C` yourself";
            let reason = format!(
                "not every connection that meets the Match of line {} was asked about: {how}",
                place.line
            );
            self.troubles.push((place.file, reason));
        }
        if let Some(why) = missing {
            self.unanswered(why, &mut examined, findings);
        }
        let files = &self.configuration.files;
        examined
            .weaknesses
            .extend(files.iter().filter_map(|file| permissions::configuration(file)));
        let effective = first.as_ref().map(|first| &first.effective);
        let lost = shadowed::lines(&self.configuration, &self.said, effective);
        examined.weaknesses.extend(lost);
        examined.weaknesses.extend(self.of_rules(&told));
        if let Some(first) = &first {
            examined.weaknesses.extend(self.of_files(&first.effective));
            // A key that sshd does not take for its permissions is told as such.
            let keys = first.effective.values("HostKey");
            let is_told = keys.iter().any(|key| permissions::is_open_to_others(Path::new(key)));
            let untold = lacks_key.filter(|_| !is_told);
            self.troubles.extend(untold.map(|why| (examined.config.clone(), why)));
            examined.weaknesses.extend(warnings(first));
        }
        let pid_file = effective.and_then(|effective| effective.value("PidFile"));
        if let Some(daemon) = &self.asked.daemon {
            let pid_file = pid_file.as_deref().map(Path::new);
            examined.weaknesses.extend(in_force::not_yet(daemon, &self.configuration, pid_file));
        }
        findings.troubles.extend(self.troubles);
        examined
    }

    /// Asks sshd first what holds for all and where it listens, then about who may come there; until it does not answer.
    fn answers(&self, deadline: Option<Instant>) -> Answers {
        let Asked { program, arguments, .. } = &self.asked;
        let matches = &self.configuration.matches;
        let mut oracle = Oracle { program, arguments, deadline, lacks_key: None };
        let mut answers = Answers::default();
        match oracle.ask(&Connection::first(matches)) {
            Ok(first) => {
                answers.asked = to_ask(matches, self.members, &first.effective.listens());
                answers.first = Some(first);
            }
            Err(why) => answers.missing = Some(why),
        }
        for connection in std::mem::take(&mut answers.asked.connections) {
            match oracle.ask(&connection) {
                Ok(answer) => answers.told.push((connection, answer)),
                Err(why) => {
                    answers.missing = Some(why);
                    break;
                }
            }
        }
        answers.lacks_key = oracle.lacks_key;
        answers
    }

    fn unanswered(&mut self, why: NoAnswer, examined: &mut Examined, findings: &mut SshdFindings) {
        match why {
            NoAnswer::Refused(said, place) => examined.weaknesses.push(Weakness {
                level: Level::Must,
                directive: "sshd".to_owned(),
                value: format!("refuses its configuration: {said}"),
                wanted: "one that it can start with".to_owned(),
                source: match place {
                    Some((file, line)) => Source::Line(file, line),
                    None => Source::File(examined.config.clone()),
                },
                of: Vec::new(),
            }),
            NoAnswer::NotAsked(reason) => {
                self.troubles.push((examined.config.clone(), reason));
            }
            NoAnswer::Expired => findings.expired = true,
        }
    }

    /// Each rule that is broken, once for each value and place, with whose connections it is about.
    fn of_rules(&self, told: &[(Connection, Told)]) -> Vec<Weakness> {
        let mut found = Vec::new();
        for rule in &RULES {
            let concerned = |connection: &Connection| connection.is_root || !rule.is_of_root();
            let all: Vec<&Connection> = told
                .iter()
                .map(|(connection, _)| connection)
                .filter(|one| concerned(one))
                .collect();
            let mut broken: Vec<(String, Source, Vec<&Connection>)> = Vec::new();
            for (connection, answer) in told.iter().filter(|(one, _)| concerned(one)) {
                let Some(value) = rule.broken(&answer.effective) else { continue };
                let in_effect = answer.effective.value(rule.directive);
                let meets = |under: &[Condition]| connection.meets(under);
                let source = self.source(rule.directive, in_effect.as_deref(), meets);
                match broken.iter_mut().find(|(one, from, _)| (one, from) == (&value, &source)) {
                    Some((.., of)) => of.push(connection),
                    None => broken.push((value, source, vec![connection])),
                }
            }
            found.extend(broken.into_iter().map(|(value, source, of)| Weakness {
                level: rule.level,
                directive: rule.directive.to_owned(),
                value,
                wanted: rule.wanted.to_owned(),
                source,
                of: connection::names(&of, &all),
            }));
        }
        found
    }

    fn source(
        &self,
        directive: &str,
        in_effect: Option<&str>,
        meets: impl Fn(&[Condition]) -> bool,
    ) -> Source {
        shadowed::source(&self.configuration, &self.said, directive, in_effect, meets)
    }

    /// Of the files that the configuration names: host keys, groups, keys of the accounts.
    fn of_files(&mut self, effective: &Effective) -> Vec<Weakness> {
        let mut found = Vec::new();
        for file in effective.values("HostKey") {
            let source = self.source("HostKey", Some(file), |_| false);
            let file = Path::new(file);
            found.extend(permissions::host_key(file, &source, &mut self.troubles));
            found.extend(small_rsa(file, source));
        }
        let file = PathBuf::from(effective.value("ModuliFile").unwrap_or_default());
        if shadowed::exchanges_groups(effective)
            && let Ok(text) = std::fs::read_to_string(&file)
            && let Some(value) = moduli::groups(&text).said()
        {
            found.push(Weakness {
                level: Level::Should,
                directive: "ModuliFile".to_owned(),
                value,
                wanted: "groups of 3072 bits or more, and no diffie-hellman-group-exchange"
                    .to_owned(),
                source: Source::File(file),
                of: Vec::new(),
            });
        }
        for Member { account, .. } in self.members {
            let accounts = self.members.iter().map(|one| &one.account);
            let directives = &self.configuration.directives;
            let mut files = key_files::key_files(directives, account, &accounts);
            let words = effective.words("AuthorizedKeysFile");
            files.extend(words.filter_map(|pattern| key_files::expanded(pattern, account)));
            let meets = |under: &[Condition]| {
                let applies = |one: &Condition| one.applies(&account.name);
                under.iter().map(applies).min() > Some(config::Applies::Never)
            };
            let source = self.source("AuthorizedKeysFile", None, meets);
            found.extend(permissions::home(account, &files, &source, &mut self.troubles));
        }
        found
    }
}

/// An RSA host key that is too short, by the public half beside it.
fn small_rsa(file: &Path, source: Source) -> Option<Weakness> {
    let mut public = file.as_os_str().to_owned();
    public.push(".pub");
    let text = std::fs::read(public).ok()?;
    let bits = Key::of(&key_on(&text)?)?.rsa_bits().filter(|bits| *bits < RSA_BITS)?;
    Some(Weakness {
        level: Level::Must,
        directive: "HostKey".to_owned(),
        value: format!("{} is RSA of {bits} bits", crate::report::path_text(file)),
        wanted: "Ed25519, or RSA of 3072 bits".to_owned(),
        source,
        of: Vec::new(),
    })
}

/// What sshd itself finds strange: directives of old.
fn warnings(told: &Told) -> Vec<Weakness> {
    let of_option = |(file, line, text): &(PathBuf, usize, String)| {
        let (fault, option) = text.split_once(" option ")?;
        Some(Weakness {
            level: Level::May,
            directive: option.to_owned(),
            value: format!("{} by this sshd", fault.to_lowercase()),
            wanted: "no such line".to_owned(),
            source: Source::Line(file.clone(), *line),
            of: Vec::new(),
        })
    };
    told.warnings.iter().filter_map(of_option).collect()
}
