//! `edgeproof agent serve …`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use edgeproof_agent::flags::{self, Given, Known};
use edgeproof_agent::{Limits, real_root, way_to};
use edgeproof_diagnostics::Colour;
use tokio::sync::Semaphore;

use super::{Failure, access, interrupted, log, runtime};
use crate::agent::{Settings, looking, serve};
use crate::host::{facts, host_name};
use crate::memory::Memory;
use crate::nats::Access;
use crate::time::Moment;
use crate::trust::Trust;

/// The shortest time between heartbeats: a fleet of thousands shares one server.
const FASTEST: Duration = Duration::from_millis(100);
/// The most actions at a time.
const MOST_JOBS: usize = 256;

#[derive(Debug)]
struct Words {
    access: Access,
    trust: Option<PathBuf>,
    name: String,
    tags: BTreeMap<String, String>,
    root: PathBuf,
    state: Option<PathBuf>,
    heartbeat: Duration,
    jobs: usize,
    limits: Limits,
}

pub(super) fn run(words: &[String]) -> Result<u8, Failure> {
    let words = read(words)?;
    let Some(file) = &words.trust else {
        let text =
            "whose actions shall it take? Expected -trust FILE; docs/fleet.md tells what is in it";
        return Err(Failure::Usage(text.to_owned()));
    };
    access::checked(&words.access)?;
    let trust = trust(file)?;
    let root = real_root(&words.root)
        .map_err(|error| Failure::Usage(format!("-root {}: {error}", words.root.display())))?;
    let memory = memory(&words)?;
    // Before there are threads, which then all have them.
    words.limits.set()?;
    let settings = Settings {
        facts: facts(&words.name, words.tags.clone(), &root),
        trust: Arc::new(trust),
        root,
        heartbeat: words.heartbeat,
        longest: words.limits.expiry.unwrap_or(Duration::MAX),
        work: looking(),
        workers: Arc::new(Semaphore::new(words.jobs)),
        log: log(),
    };
    let runtime = runtime(2)?;
    let outcome = runtime.block_on(async {
        let stop = interrupted()?;
        let name = format!("edgeproof agent {}", words.name);
        let client = words.access.connect(&name, Arc::clone(&settings.log)).await?;
        let served = serve(client, settings, memory, stop).await;
        served.map_err(|error| Failure::Broken(error.to_string()))
    });
    // What still looks is not waited for: its asker is told that this agent is gone.
    runtime.shutdown_background();
    outcome.map(|()| 0)
}

fn read(words: &[String]) -> Result<Words, Failure> {
    let own = ["trust", "name", "tag", "root", "state", "heartbeat", "jobs", "e", "nice", "memory"];
    let values = [&own[..], &access::FLAGS[..]].concat();
    let (given, others) = flags::read(words, Known { values: &values, switches: &["idle"] })?;
    if let Some(word) = others.first() {
        return Err(Failure::Usage(format!("`{word}` belongs to no flag")));
    }
    let mut words = Words {
        access: Access::default(),
        trust: None,
        name: host_name(),
        tags: BTreeMap::new(),
        root: "/".into(),
        state: None,
        heartbeat: Duration::from_secs(10),
        jobs: 1,
        limits: Limits::default(),
    };
    for flag in &given {
        if !access::take(&mut words.access, flag) {
            take(&mut words, flag)?;
        }
    }
    if words.name.is_empty() || words.name.len() > 200 {
        return Err(Failure::Usage("-name: expected 1 to 200 octets".to_owned()));
    }
    Ok(words)
}

fn take(words: &mut Words, flag: &Given) -> Result<(), Failure> {
    let value = &flag.value;
    match flag.name.as_str() {
        "trust" => words.trust = Some(value.into()),
        "name" => words.name.clone_from(value),
        "tag" => match value.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                words.tags.insert(key.to_owned(), value.to_owned());
            }
            _ => return Err(Failure::Usage(format!("-tag: `{value}` is no tag: expected K=V"))),
        },
        "root" => words.root = value.into(),
        "state" => words.state = Some(value.into()),
        "heartbeat" => words.heartbeat = flag.duration()?.max(FASTEST),
        "jobs" => match flag.number()? {
            0 => return Err(Failure::Usage("-jobs: with 0 it would do nothing".to_owned())),
            jobs if jobs > MOST_JOBS => {
                return Err(Failure::Usage(format!("-jobs {jobs}: expected 1 to {MOST_JOBS}")));
            }
            jobs => words.jobs = jobs,
        },
        "e" => words.limits.expiry = Some(flag.duration()?),
        "nice" => words.limits.nice = flag.number::<u8>()?.min(19),
        "memory" => words.limits.memory = Some(flag.octets()?),
        _ => words.limits.idle = flag.is_on()?,
    }
    Ok(())
}

fn trust(file: &Path) -> Result<Trust, Failure> {
    let wrong = |reason: &dyn std::fmt::Display| {
        Failure::Usage(format!("-trust {}: {reason}", file.display()))
    };
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    // Who can write it, asks with this agent's rights.
    if let Some(fault) = way_to(file, rustix::process::geteuid().as_raw()) {
        return Err(wrong(&format_args!("others could change it: {fault}")));
    }
    Trust::read(&file.display().to_string(), &text).map_err(|diagnostics| {
        Failure::Usage(format!(
            "mistakes in what is trusted\n{}",
            diagnostics.render(Colour::of(&std::io::stderr())).trim_end()
        ))
    })
}

/// By default in the user's state folder (XDG), by the agent's name.
fn memory(words: &Words) -> Result<Memory, Failure> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let home = || Some(variable("HOME")?.join(".local/state"));
    let folder = match (&words.state, variable("XDG_STATE_HOME").or_else(home)) {
        (Some(state), _) => state.clone(),
        (None, Some(states)) => states.join("edgeproof/agent").join(words.name.replace('/', "%2f")),
        (None, None) => {
            let text =
                "where shall it remember what it took? Expected -state DIR (there is no HOME)";
            return Err(Failure::Usage(text.to_owned()));
        }
    };
    Memory::in_folder(&folder, Moment::now())
        .map_err(|error| Failure::Usage(format!("-state {}: {error}", folder.display())))
}
