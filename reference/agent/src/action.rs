//! MIG's investigation as a JSON file: a name, a target, operations, each a module with its parameters.

use std::fmt;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};

use crate::file::{Digest, Family, Options, Search, SearchError};

/// An action that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// Not JSON, or not of an action's form.
    #[error("no action: {0}")]
    Json(#[from] serde_json::Error),
    /// A module that this agent does not have.
    #[error("operation {0}: there is no module `{1}` in an action: expected `file`")]
    Module(usize, String),
    /// A search that cannot be made.
    #[error("search '{0}': {1}")]
    Search(String, SearchError),
    /// A version that is written after this agent.
    #[error("the action's syntax is version {0}: this agent reads up to 2")]
    Version(f64),
    /// Nothing to do.
    #[error("the action has no search")]
    Nothing,
}

impl From<(String, SearchError)> for ActionError {
    fn from((name, error): (String, SearchError)) -> Self {
        ActionError::Search(name, error)
    }
}

/// What an action's file says.
#[derive(Debug, Deserialize)]
struct Written {
    #[serde(default)]
    name: String,
    #[serde(default)]
    target: String,
    #[serde(default, alias = "syntaxversion")]
    version: Option<SyntaxVersion>,
    operations: Vec<Operation>,
}

/// The version of an action's syntax.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct SyntaxVersion(pub(crate) f64);

#[derive(Debug, Deserialize)]
struct Operation {
    module: String,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Parameters {
    #[serde(default)]
    searches: InOrder,
}

impl Parameters {
    /// The searches that they ask for, in order. Of several mistakes the first is told.
    pub(crate) fn searches<E: From<(String, SearchError)>>(self) -> Result<Vec<Search>, E> {
        let made: Vec<Result<Search, (String, SearchError)>> = self
            .searches
            .0
            .into_par_iter()
            .map(|(name, written)| search(&name, &written).map_err(|error| (name, error)))
            .collect();
        made.into_iter().map(|search| search.map_err(E::from)).collect()
    }
}

/// The searches in the file's order.
#[derive(Debug, Default)]
struct InOrder(Vec<(String, WrittenSearch)>);

impl<'de> Deserialize<'de> for InOrder {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = InOrder;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("searches by their names")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<InOrder, M::Error> {
                let mut searches = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    searches.push(entry);
                }
                Ok(InOrder(searches))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSearch {
    #[serde(default, rename = "description")]
    _description: serde::de::IgnoredAny,
    #[serde(default, alias = "path")]
    paths: Vec<String>,
    #[serde(default, alias = "name")]
    names: Vec<String>,
    #[serde(default, alias = "content")]
    contents: Vec<String>,
    #[serde(default, alias = "size")]
    sizes: Vec<String>,
    #[serde(default, alias = "mode")]
    modes: Vec<String>,
    #[serde(default, alias = "mtime")]
    mtimes: Vec<String>,
    #[serde(default)]
    md5: Vec<String>,
    #[serde(default)]
    sha1: Vec<String>,
    #[serde(default)]
    sha2: Vec<String>,
    #[serde(default)]
    sha256: Vec<String>,
    #[serde(default)]
    sha3: Vec<String>,
    #[serde(default)]
    options: WrittenOptions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenOptions {
    maxdepth: Option<f64>,
    matchall: Option<bool>,
    matchlimit: Option<f64>,
    macroal: bool,
    mismatch: Vec<String>,
    returnsha256: bool,
    decompress: bool,
    maxerrors: Option<f64>,
    follow: bool,
    plainlines: bool,
}

/// An investigation.
#[derive(Debug)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// For whom it is meant.
    pub target: String,
    /// Its searches, in order.
    pub searches: Vec<Search>,
}

impl Action {
    /// Reads an action.
    ///
    /// # Errors
    /// It is not one, or a search of it cannot be made: the first is named.
    pub fn from_json(text: &[u8]) -> Result<Self, ActionError> {
        let written: Written = serde_json::from_slice(text)?;
        match written.version {
            Some(SyntaxVersion(version)) if version > 2.0 => {
                return Err(ActionError::Version(version));
            }
            _ => {}
        }
        let mut searches = Vec::new();
        for (index, operation) in written.operations.into_iter().enumerate() {
            if operation.module != "file" {
                return Err(ActionError::Module(index + 1, operation.module));
            }
            searches.extend(operation.parameters.searches::<ActionError>()?);
        }
        if searches.is_empty() {
            return Err(ActionError::Nothing);
        }
        Ok(Self { name: written.name, target: written.target, searches })
    }
}

fn search(name: &str, written: &WrittenSearch) -> Result<Search, SearchError> {
    let options = &written.options;
    let mut search = Search::named(name);
    search.options = options_of(options);
    for kinds in &options.mismatch {
        search.add_mismatch(kinds)?;
    }
    for path in &written.paths {
        search.add_path(path)?;
    }
    for pattern in &written.names {
        search.add_name(pattern)?;
    }
    for pattern in &written.contents {
        search.add_content(pattern)?;
    }
    for pattern in &written.modes {
        search.add_mode(pattern)?;
    }
    for size in &written.sizes {
        search.add_size(size)?;
    }
    for age in &written.mtimes {
        search.add_mtime(age)?;
    }
    let digests = [
        (Family::Md5, &written.md5),
        (Family::Sha1, &written.sha1),
        (Family::Sha2, &written.sha2),
        (Family::Sha2, &written.sha256),
        (Family::Sha3, &written.sha3),
    ];
    for (family, texts) in digests {
        for text in texts {
            search.add_digest(Digest::new(family, text)?, family);
        }
    }
    search.checked()
}

/// Numbers as MIG writes them: any JSON number, of which the whole part counts.
fn options_of(written: &WrittenOptions) -> Options {
    let default = Options::default();
    let number =
        |given: Option<f64>, default: u64| given.map_or(default, |given| given.max(0.0) as u64);
    Options {
        maxdepth: u32::try_from(number(written.maxdepth, default.maxdepth.into()))
            .unwrap_or(u32::MAX),
        matchall: written.matchall.unwrap_or(default.matchall),
        matchlimit: number(written.matchlimit, default.matchlimit),
        macroal: written.macroal,
        mismatch: Vec::new(),
        returnsha256: written.returnsha256,
        decompress: written.decompress,
        maxerrors: number(written.maxerrors, default.maxerrors),
        follow: written.follow,
        plainlines: written.plainlines,
    }
}
