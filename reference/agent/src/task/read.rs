//! Reads a task: MIG's JSON, with this agent's modules beside `file`.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::searches::Parameters;
use super::{Module, Operation, Task};
use crate::cli::netstat::network;
use crate::file::SearchError;
use crate::integrity::Packages;
use crate::keys::{Allowed, AllowedError, Scope};
use crate::netstat::{KnownError, KnownHosts, Questions};
use crate::pattern::{Pattern, PatternError};
use crate::sshd::Inquiry;

/// A task that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// Not JSON, or not of a task's form.
    #[error("no action: {0}")]
    Json(#[from] serde_json::Error),
    /// Parameters that are not the module's.
    #[error("operation {0} ({1}): {2}")]
    Parameters(usize, Module, serde_json::Error),
    /// A module that this agent does not have.
    #[error(
        "operation {0}: there is no module `{1}`: expected file, keys, netstat, integrity, sshd or ping"
    )]
    Module(usize, String),
    /// A version that is written after this agent.
    #[error("the action's syntax is version {0}: this agent reads up to 2")]
    Version(f64),
    /// A search that cannot be made.
    #[error("search '{0}': {1}")]
    Search(String, SearchError),
    /// A pattern that is none.
    #[error("{0}")]
    Pattern(#[from] PatternError),
    /// A list of keys that is none.
    #[error("the list of allowed keys: {0}")]
    Allowed(#[from] AllowedError),
    /// A list of known hosts that is none.
    #[error("the list of known hosts: {0}")]
    Known(#[from] KnownError),
    /// A network, a port or a level that is none.
    #[error("{0}")]
    Value(String),
    /// Nothing to do.
    #[error("the action asks for nothing")]
    Nothing,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    name: String,
    #[serde(default)]
    target: String,
    #[serde(default)]
    version: Option<f64>,
    /// The same by another name.
    #[serde(default)]
    syntaxversion: Option<f64>,
    operations: Vec<WrittenOperation>,
}

#[derive(Deserialize)]
struct WrittenOperation {
    module: String,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct WrittenKeys {
    allowed: String,
    peruser: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct WrittenNetstat {
    lm: Vec<String>,
    nm: Vec<String>,
    li: Vec<String>,
    ni: Vec<String>,
    ci: Vec<String>,
    lp: Vec<String>,
    process: Vec<String>,
    known: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct WrittenIntegrity {
    packages: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct WrittenSshd {
    level: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct WrittenPing {}

impl Task {
    /// Reads a task.
    ///
    /// # Errors
    /// It is none, or something of it cannot be done: the first is named.
    pub fn from_json(text: &[u8]) -> Result<Self, TaskError> {
        let written: Written = serde_json::from_slice(text)?;
        let versions = [written.version, written.syntaxversion];
        if let Some(version) = versions.into_iter().flatten().find(|version| *version > 2.0) {
            return Err(TaskError::Version(version));
        }
        let mut operations = Vec::new();
        for (index, one) in written.operations.into_iter().enumerate() {
            let module: Module =
                one.module.parse().map_err(|()| TaskError::Module(index + 1, one.module))?;
            operations.push(operation(module, one.parameters, index + 1)?);
        }
        if operations.is_empty() {
            return Err(TaskError::Nothing);
        }
        Ok(Self { name: written.name, target: written.target, operations })
    }
}

fn operation(
    module: Module,
    parameters: Parameters,
    number: usize,
) -> Result<Operation, TaskError> {
    fn read<P: DeserializeOwned>(
        module: Module,
        parameters: Parameters,
        number: usize,
    ) -> Result<P, TaskError> {
        serde_json::from_value(parameters.of_another_module())
            .map_err(|error| TaskError::Parameters(number, module, error))
    }
    Ok(match module {
        Module::File => {
            let searches = parameters.searches()?;
            if searches.is_empty() {
                return Err(TaskError::Nothing);
            }
            Operation::File(searches)
        }
        Module::Keys => {
            let written: WrittenKeys = read(module, parameters, number)?;
            let allowed = Allowed::read(written.allowed.as_bytes())?;
            if written.peruser {
                allowed.by_user()?;
            }
            let scope = Scope { by_user: written.peruser, ..Scope::default() };
            Operation::Keys(Box::new((allowed, scope)))
        }
        Module::Netstat => {
            let written: WrittenNetstat = read(module, parameters, number)?;
            Operation::Netstat(Box::new(questions(&written)?))
        }
        Module::Integrity => {
            let written: WrittenIntegrity = read(module, parameters, number)?;
            Operation::Integrity(Packages { names: written.packages, ..Packages::default() })
        }
        Module::Sshd => {
            let written: WrittenSshd = read(module, parameters, number)?;
            let mut inquiry = Inquiry::default();
            if let Some(level) = &written.level {
                inquiry.level = level.parse().map_err(TaskError::Value)?;
            }
            Operation::Sshd(inquiry)
        }
        Module::Ping => {
            let WrittenPing {} = read(module, parameters, number)?;
            Operation::Ping
        }
    })
}

fn questions(written: &WrittenNetstat) -> Result<Questions, TaskError> {
    let patterns = |texts: &[String]| {
        texts.iter().map(|text| Ok(Pattern::new(text)?)).collect::<Result<Vec<_>, TaskError>>()
    };
    let networks = |texts: &[String]| {
        let read = |text: &String| network(text).map_err(TaskError::Value);
        texts.iter().map(read).collect::<Result<Vec<_>, _>>()
    };
    let ports = |text: &String| text.parse().map_err(TaskError::Value);
    let questions = Questions {
        local_macs: patterns(&written.lm)?,
        neighbour_macs: patterns(&written.nm)?,
        local_addresses: networks(&written.li)?,
        neighbour_addresses: networks(&written.ni)?,
        peers: networks(&written.ci)?,
        listening: written.lp.iter().map(ports).collect::<Result<_, _>>()?,
        processes: patterns(&written.process)?,
        known: written.known.as_deref().map(KnownHosts::read).transpose()?,
    };
    if questions.are_any() { Ok(questions) } else { Err(TaskError::Nothing) }
}
