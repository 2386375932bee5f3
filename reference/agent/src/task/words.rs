//! An operation from words, as on the command line of the host itself: `netstat -nm '^00:21'`.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::Module;
use crate::flags::{self, FlagError, Given, Known};

/// Words that make no operation.
#[derive(Debug, thiserror::Error)]
pub enum WordError {
    /// A flag that the module does not have, or a wrong value.
    #[error(transparent)]
    Flag(#[from] FlagError),
    /// A word that is no flag.
    #[error("`{0}` belongs to no flag")]
    Stray(String),
    /// A file that a flag names.
    #[error("-{0} {1}: {2}")]
    File(String, String, std::io::Error),
    /// A flag that only the host itself knows.
    #[error("-{0} is for the host itself: every agent looks at its own files")]
    Local(String),
}

/// Flags of the file module: its lists, numbers and switches.
const LISTS: [(&str, &str); 11] = [
    ("path", "paths"),
    ("name", "names"),
    ("content", "contents"),
    ("size", "sizes"),
    ("mode", "modes"),
    ("mtime", "mtimes"),
    ("md5", "md5"),
    ("sha1", "sha1"),
    ("sha2", "sha2"),
    ("sha256", "sha256"),
    ("sha3", "sha3"),
];
const NUMBERS: [&str; 3] = ["maxdepth", "matchlimit", "maxerrors"];

/// The flags of a module, as the command on the host has them.
fn known(module: Module) -> Known<'static> {
    match module {
        Module::File => Known {
            values: &[
                "path",
                "name",
                "content",
                "size",
                "mode",
                "mtime",
                "md5",
                "sha1",
                "sha2",
                "sha256",
                "sha3",
                "maxdepth",
                "matchlimit",
                "mismatch",
                "maxerrors",
                "searchname",
            ],
            switches: &[
                "matchall",
                "macroal",
                "returnsha256",
                "decompress",
                "follow",
                "plainlines",
            ],
        },
        Module::Keys => {
            Known { values: &["allowed", "passwd", "root", "sshd-config"], switches: &["peruser"] }
        }
        Module::Netstat => Known {
            values: &["lm", "nm", "li", "ni", "ci", "lp", "process", "known"],
            switches: &[],
        },
        Module::Integrity => Known { values: &["package", "older", "root"], switches: &[] },
        Module::Sshd => {
            Known { values: &["f", "sshd", "pid", "passwd", "group", "level"], switches: &[] }
        }
        Module::Ping => Known { values: &[], switches: &[] },
    }
}

/// Makes an operation's JSON of a module and its flags. Words that are flags of somebody else's (`others`) are given
/// back. What the values mean is judged when the task is read.
///
/// # Errors
/// A flag is unknown or its value wrong, or a file that it names cannot be read.
pub fn operation(
    module: Module,
    words: &[String],
    others: Known<'_>,
) -> Result<(Value, Vec<Given>), WordError> {
    let own = known(module);
    let values = [own.values, others.values].concat();
    let switches = [own.switches, others.switches].concat();
    let (given, strays) = flags::read(words, Known { values: &values, switches: &switches })?;
    if let Some(word) = strays.into_iter().next() {
        return Err(WordError::Stray(word));
    }
    let is_own = |flag: &Given| {
        let name = flag.name.as_str();
        own.values.contains(&name) || own.switches.contains(&name)
    };
    let (mine, theirs): (Vec<Given>, Vec<Given>) = given.into_iter().partition(is_own);
    let parameters = match module {
        Module::File => file(&mine)?,
        Module::Keys => keys(&mine)?,
        Module::Netstat => netstat(&mine)?,
        Module::Integrity => integrity(&mine)?,
        Module::Sshd => sshd(&mine)?,
        Module::Ping => json!({}),
    };
    Ok((json!({ "module": module.name(), "parameters": parameters }), theirs))
}

fn file(given: &[Given]) -> Result<Value, WordError> {
    let mut name = "s1".to_owned();
    let mut search = Map::new();
    let mut options = Map::new();
    for flag in given {
        let key = flag.name.as_str();
        if let Some((_, list)) = LISTS.iter().find(|(name, _)| *name == key) {
            push(&mut search, list, &flag.value);
        } else if NUMBERS.contains(&key) {
            options.insert(key.to_owned(), json!(flag.number::<u64>()?));
        } else if key == "mismatch" {
            push(&mut options, key, &flag.value);
        } else if key == "searchname" {
            name.clone_from(&flag.value);
        } else {
            options.insert(key.to_owned(), json!(flag.is_on()?));
        }
    }
    search.insert("options".to_owned(), Value::Object(options));
    let mut searches = Map::new();
    searches.insert(name, Value::Object(search));
    Ok(json!({ "searches": searches }))
}

fn keys(given: &[Given]) -> Result<Value, WordError> {
    let mut parameters = Map::new();
    for flag in given {
        let value = match flag.name.as_str() {
            "allowed" => json!(text_of(flag)?),
            "peruser" => json!(flag.is_on()?),
            other => return Err(WordError::Local(other.to_owned())),
        };
        parameters.insert(flag.name.clone(), value);
    }
    Ok(Value::Object(parameters))
}

fn netstat(given: &[Given]) -> Result<Value, WordError> {
    let mut parameters = Map::new();
    for flag in given {
        match flag.name.as_str() {
            "known" => drop(parameters.insert("known".to_owned(), json!(text_of(flag)?))),
            list => push(&mut parameters, list, &flag.value),
        }
    }
    Ok(Value::Object(parameters))
}

fn integrity(given: &[Given]) -> Result<Value, WordError> {
    let mut parameters = Map::new();
    for flag in given {
        match flag.name.as_str() {
            "package" => push(&mut parameters, "packages", &flag.value),
            other => return Err(WordError::Local(other.to_owned())),
        }
    }
    Ok(Value::Object(parameters))
}

fn sshd(given: &[Given]) -> Result<Value, WordError> {
    let mut parameters = Map::new();
    for flag in given {
        match flag.name.as_str() {
            "level" => drop(parameters.insert("level".to_owned(), json!(flag.value))),
            other => return Err(WordError::Local(other.to_owned())),
        }
    }
    Ok(Value::Object(parameters))
}

fn push(into: &mut Map<String, Value>, list: &str, value: &str) {
    let list = into.entry(list).or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        list.push(json!(value));
    }
}

/// The text of a file that a flag names: it travels along.
fn text_of(flag: &Given) -> Result<String, WordError> {
    let read = std::fs::read(Path::new(&flag.value));
    let text =
        read.map_err(|error| WordError::File(flag.name.clone(), flag.value.clone(), error))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
