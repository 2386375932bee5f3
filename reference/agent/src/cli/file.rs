//! `edgeproof agent file …`: one search, from flags.

use std::path::{Component, Path, PathBuf};

use super::action::answer;
use super::run::{Failure, Settings};
use crate::file::{Digest, Family, Search, SearchError};
use crate::flags::{self, Given, Known};

const KNOWN: Known<'static> = Known {
    values: &[
        "t",
        "e",
        "format",
        "nice",
        "memory",
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
        "idle",
        "matchall",
        "macroal",
        "returnsha256",
        "decompress",
        "follow",
        "plainlines",
    ],
};

pub(crate) fn run(words: &[String]) -> Result<u8, Failure> {
    let (given, others) = flags::read(words, KNOWN)?;
    if let Some(word) = others.first() {
        let text = format!("`{word}` belongs to no flag: a path is written `-path {word}`");
        return Err(Failure::Usage(text));
    }
    let mut settings = Settings::default();
    let mut search = Search::named("s1");
    for flag in &given {
        if !settings.take(flag)? {
            take(&mut search, flag)?;
        }
    }
    let search = search.checked().map_err(|error| Failure::Usage(error.to_string()))?;
    let deadline = settings.start()?;
    answer(&[search], &settings, deadline)
}

fn take(search: &mut Search, flag: &Given) -> Result<(), Failure> {
    let value = flag.value.as_str();
    let options = &mut search.options;
    match flag.name.as_str() {
        "maxdepth" => options.maxdepth = flag.number()?,
        "matchlimit" => options.matchlimit = flag.number()?,
        "maxerrors" => options.maxerrors = flag.number()?,
        "matchall" => options.matchall = flag.is_on()?,
        "macroal" => options.macroal = flag.is_on()?,
        "returnsha256" => options.returnsha256 = flag.is_on()?,
        "decompress" => options.decompress = flag.is_on()?,
        "follow" => options.follow = flag.is_on()?,
        "plainlines" => options.plainlines = flag.is_on()?,
        "searchname" => value.clone_into(&mut search.name),
        criterion => {
            return ask(search, criterion, value)
                .map_err(|error| Failure::Usage(format!("-{criterion}: {error}")));
        }
    }
    Ok(())
}

fn ask(search: &mut Search, criterion: &str, value: &str) -> Result<(), SearchError> {
    let family = match criterion {
        "md5" => Family::Md5,
        "sha1" => Family::Sha1,
        "sha2" | "sha256" => Family::Sha2,
        "sha3" => Family::Sha3,
        "path" if value.is_empty() => return Err(SearchError::NoPath),
        "path" => return search.add_path(&absolute(value)),
        "name" => return search.add_name(value),
        "content" => return search.add_content(value),
        "mode" => return search.add_mode(value),
        "size" => return search.add_size(value),
        "mtime" => return search.add_mtime(value),
        _ => return search.add_mismatch(value),
    };
    search.add_digest(Digest::new(family, value)?, family);
    Ok(())
}

/// A path on the command line is one from here.
fn absolute(path: &str) -> String {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let mut whole = PathBuf::new();
    for part in here.join(path).components() {
        match part {
            Component::CurDir => {}
            // What lies above a link's folder is told by the file system, not by the text.
            Component::ParentDir => {
                let real = whole.canonicalize().unwrap_or(whole);
                whole = real.parent().unwrap_or(Path::new("/")).to_owned();
            }
            other => whole.push(other),
        }
    }
    whole.to_string_lossy().into_owned()
}
