//! The parameters of an operation, as MIG writes those of its file module.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::{Map, Value};

use super::TaskError;
use crate::file::{Digest, Family, Options, Search, SearchError};

/// An operation's parameters: searches by their names, in order; and whatever else is said, which no file search has.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    searches: Vec<Result<Search, TaskError>>,
    others: Map<String, Value>,
}

impl Parameters {
    /// As those of a module that knows no searches: it refuses them.
    pub(super) fn of_another_module(mut self) -> Value {
        if !self.searches.is_empty() {
            self.others.insert("searches".to_owned(), Value::Null);
        }
        Value::Object(self.others)
    }

    /// The searches that they ask for, in order. Of several mistakes the first is told.
    pub(super) fn searches(self) -> Result<Vec<Search>, TaskError> {
        self.searches.into_iter().collect()
    }
}

/// Searches are read as what they are, with no tree of values in between: there may be thousands of them.
impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Parameters;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("parameters by their names")
            }

            fn visit_unit<E>(self) -> Result<Parameters, E> {
                Ok(Parameters::default())
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Parameters, M::Error> {
                let mut parameters = Parameters::default();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "searches" {
                        parameters.searches = map.next_value::<InOrder>()?.0;
                    } else {
                        parameters.others.insert(name, map.next_value()?);
                    }
                }
                Ok(parameters)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// Searches that are made at once, while the text is read on.
const A_BATCH: usize = 64;

/// The searches in the file's order.
#[derive(Debug, Default)]
struct InOrder(Vec<Result<Search, TaskError>>);

type Made = Vec<Result<Search, TaskError>>;

fn made(batch: Vec<(String, WrittenSearch)>) -> Made {
    let one = |(name, written): (String, WrittenSearch)| {
        search(&name, written).map_err(|error| TaskError::Search(name, error))
    };
    batch.into_iter().map(one).collect()
}

impl<'de> Deserialize<'de> for InOrder {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = InOrder;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("searches by their names")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<InOrder, M::Error> {
                let mut batches: Vec<Arc<OnceLock<Made>>> = Vec::new();
                rayon::in_place_scope(|scope| {
                    loop {
                        let mut batch = Vec::with_capacity(A_BATCH);
                        while batch.len() < A_BATCH
                            && let Some(entry) = map.next_entry()?
                        {
                            batch.push(entry);
                        }
                        let is_last = batch.len() < A_BATCH;
                        let place = Arc::default();
                        batches.push(Arc::clone(&place));
                        scope.spawn(move |_| drop(place.set(made(batch))));
                        if is_last {
                            return Ok(());
                        }
                    }
                })?;
                let taken = batches.into_iter().filter_map(Arc::into_inner);
                Ok(InOrder(taken.filter_map(OnceLock::into_inner).flatten().collect()))
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
    #[serde(default, alias = "path", deserialize_with = "or_null")]
    paths: Vec<String>,
    #[serde(default, alias = "name", deserialize_with = "or_null")]
    names: Vec<String>,
    #[serde(default, alias = "content", deserialize_with = "or_null")]
    contents: Vec<String>,
    #[serde(default, alias = "size", deserialize_with = "or_null")]
    sizes: Vec<String>,
    #[serde(default, alias = "mode", deserialize_with = "or_null")]
    modes: Vec<String>,
    #[serde(default, alias = "mtime", deserialize_with = "or_null")]
    mtimes: Vec<String>,
    #[serde(default, deserialize_with = "or_null")]
    md5: Vec<String>,
    #[serde(default, deserialize_with = "or_null")]
    sha1: Vec<String>,
    #[serde(default, deserialize_with = "or_null")]
    sha2: Vec<String>,
    #[serde(default, deserialize_with = "or_null")]
    sha256: Vec<String>,
    #[serde(default, deserialize_with = "or_null")]
    sha3: Vec<String>,
    #[serde(default, deserialize_with = "or_null")]
    options: WrittenOptions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenOptions {
    maxdepth: Option<f64>,
    matchall: Option<bool>,
    matchlimit: Option<f64>,
    #[serde(deserialize_with = "or_null")]
    macroal: bool,
    #[serde(deserialize_with = "or_null")]
    mismatch: Vec<String>,
    #[serde(deserialize_with = "or_null")]
    returnsha256: bool,
    #[serde(deserialize_with = "or_null")]
    decompress: bool,
    maxerrors: Option<f64>,
    #[serde(deserialize_with = "or_null")]
    follow: bool,
    #[serde(deserialize_with = "or_null")]
    plainlines: bool,
}

/// What programs write for nothing at all is nothing.
fn or_null<'de, D: serde::Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn search(name: &str, written: WrittenSearch) -> Result<Search, SearchError> {
    let options = &written.options;
    let mut search = Search::named(name);
    search.options = options_of(options);
    for kinds in &options.mismatch {
        search.add_mismatch(kinds)?;
    }
    for path in &written.paths {
        search.add_path(path)?;
    }
    for pattern in written.names {
        search.add_name(pattern)?;
    }
    for pattern in written.contents {
        search.add_content(pattern)?;
    }
    for pattern in written.modes {
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
