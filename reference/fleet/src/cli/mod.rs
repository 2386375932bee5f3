//! `edgeproof agent serve|keygen …` and `edgeproof investigate …`: words in, a result on standard output, an exit
//! code.

mod access;
mod agents;
mod investigate;
mod keygen;
mod output;
mod question;
mod serve;
mod words;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::sync::Arc;

use edgeproof_agent::flags::FlagError;
use edgeproof_agent::{LimitError, TaskError, WordError};

use crate::asker::AskError;
use crate::key::KeyFileError;
use crate::nats::{AccessError, StoreError};

const AGENT_HELP: &str = "
Of a fleet (docs/fleet.md):
       edgeproof agent keygen -o FILE          a key that signs actions; FILE.pub goes to the agents
       edgeproof agent serve --nats URL --trust FILE   waits for actions; `edgeproof investigate` sends them

Flags of serve, beside -e (the longest time an action may look), -nice, -idle, -memory:
  -trust FILE   whose actions are taken, and which modules each may use
  -name NAME    its name [the host's]             -tag K=V       a tag; again for more
  -root DIR     what stands for /                 -state DIR     where it remembers what it took
  -heartbeat T  time between signs of life [10s]  -jobs N        actions at a time [1]
Flags of reaching NATS:
  -nats URL     nats://HOST:PORT or tls://HOST:PORT; again for more servers
  -creds FILE, -nkey FILE, -user NAME -password-file FILE     who one is
  -ca FILE, -cert FILE -cert-key FILE                         TLS
  -inbox NAME   what one hears answers under, where the server gives each user a subject of their own
";

/// Why a command gives up.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    NotStarted(String),
    #[error("{0}")]
    Nothing(String),
    #[error("{0}")]
    Broken(String),
}

impl Failure {
    /// DESIGN's exit codes.
    fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::NotStarted(_) => 3,
            Failure::Nothing(_) => 4,
            Failure::Broken(_) => 7,
        }
    }
}

impl From<FlagError> for Failure {
    fn from(error: FlagError) -> Self {
        Failure::Usage(error.to_string())
    }
}

impl From<WordError> for Failure {
    fn from(error: WordError) -> Self {
        Failure::Usage(error.to_string())
    }
}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Self {
        Failure::Usage(error.to_string())
    }
}

impl From<KeyFileError> for Failure {
    fn from(error: KeyFileError) -> Self {
        Failure::Usage(error.to_string())
    }
}

impl From<LimitError> for Failure {
    fn from(error: LimitError) -> Self {
        Failure::Broken(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Broken(error.to_string())
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::NotThere(..) | AccessError::NotAllowed(..) | AccessError::Tls(..) => {
                Failure::NotStarted(error.to_string())
            }
            _ => Failure::Usage(error.to_string()),
        }
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Store(StoreError::NoJetStream) => Failure::NotStarted(error.to_string()),
            AskError::Store(StoreError::NoAction(_)) => Failure::Nothing(error.to_string()),
            _ => Failure::Broken(error.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        AskError::from(error).into()
    }
}

/// `edgeproof agent …`: what the fleet adds, and the agent's own commands.
pub fn agent_main(words: Vec<OsString>) -> u8 {
    match words.first().and_then(|word| word.to_str()) {
        Some("serve") => ended(texts(&words[1..]).and_then(|words| serve::run(&words))),
        Some("keygen") => ended(texts(&words[1..]).and_then(|words| keygen::run(&words))),
        Some("help" | "-h" | "-help" | "--help") => {
            let code = edgeproof_agent::main(words);
            ended(print(AGENT_HELP).map(|()| code))
        }
        _ => edgeproof_agent::main(words),
    }
}

/// `edgeproof investigate …`
pub fn investigate_main(words: &[OsString]) -> u8 {
    ended(texts(words).and_then(|words| investigate::run(&words)))
}

fn texts(words: &[OsString]) -> Result<Vec<String>, Failure> {
    let text = |word: &OsString| {
        let wrong = || Failure::Usage(format!("`{}` is not UTF-8", word.display()));
        word.to_str().map(ToOwned::to_owned).ok_or_else(wrong)
    };
    words.iter().map(text).collect()
}

fn ended(outcome: Result<u8, Failure>) -> u8 {
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.code()
        }
    }
}

/// Tells on standard error what a command does meanwhile, a line at a time, whatever an action or a server says. One who
/// has stopped reading is no reason to end.
fn log() -> crate::agent::Log {
    Arc::new(|text| {
        let _ = writeln!(io::stderr(), "{}", output::shown(text));
    })
}

/// Prints. A reader that has gone is no failure.
fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn runtime(threads: usize) -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    Ok(builder.worker_threads(threads).enable_all().build()?)
}

/// Becomes true at the first SIGINT or SIGTERM.
fn interrupted() -> io::Result<tokio::sync::watch::Receiver<bool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (tell, told) = tokio::sync::watch::channel(false);
    let (mut int, mut term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = int.recv() => {}
            _ = term.recv() => {}
        }
        // Kept until all that listen have gone.
        let _ = tell.send(true);
        tell.closed().await;
    });
    Ok(told)
}
