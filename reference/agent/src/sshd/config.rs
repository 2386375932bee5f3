//! sshd_config(5) with all that it includes, as a list of directives, each under its Match.

use std::path::{Path, PathBuf};

use super::pattern_list;

/// Files included within files beyond this depth are a mistake, for sshd too.
const DEEPEST: u8 = 16;

/// How files are read: sshd's own are on a disk, or below another root.
pub(crate) trait Files {
    /// The content of a file.
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>>;
    /// The files of a folder whose names fit a pattern, sorted; none where there is no such folder.
    fn listed(&self, folder: &Path, pattern: &str) -> std::io::Result<Vec<PathBuf>>;
}

/// A directive in the order of reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directive {
    /// In lower case.
    pub(crate) keyword: String,
    pub(crate) arguments: Vec<String>,
    /// The Match lines that it stands under, outermost first; none for what is said of all.
    pub(crate) under: Vec<Condition>,
    pub(crate) place: Place,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    /// From 1.
    pub(crate) line: usize,
}

/// The criteria of a Match line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition(Vec<String>);

/// A configuration with all that it includes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Configuration {
    pub(crate) directives: Vec<Directive>,
    /// Every Match line, behind those that it stands under.
    pub(crate) matches: Vec<(Vec<Condition>, Place)>,
    /// The files that were read.
    pub(crate) files: Vec<PathBuf>,
    /// The folders that were searched for files to include.
    pub(crate) folders: Vec<PathBuf>,
}

/// Whether a Match applies to an account, as far as can be told without a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Applies {
    Never,
    Perhaps,
    Always,
}

impl Condition {
    /// Each criterion in lower case with its value; `all` and `invalid-user` have an empty one.
    pub(crate) fn criteria(&self) -> Vec<(String, &str)> {
        let mut words = self.0.iter();
        let mut criteria = Vec::new();
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word.as_str(), None),
            };
            let name = name.to_ascii_lowercase();
            let stands_alone = matches!(name.as_str(), "all" | "invalid-user");
            let value = match value {
                None if !stands_alone => words.next().map(String::as_str),
                value => value,
            };
            criteria.push((name, value.unwrap_or_default()));
        }
        criteria
    }

    /// Whether it applies to logins of this user: a Match on groups, addresses and the like may.
    pub(crate) fn applies(&self, user: &str) -> Applies {
        let mut applies = Applies::Always;
        for (name, value) in self.criteria() {
            let this = match name.as_str() {
                "all" => Applies::Always,
                "invalid-user" => Applies::Never,
                "user" if pattern_list::takes_in(value, user) => Applies::Always,
                "user" => Applies::Never,
                _ => Applies::Perhaps,
            };
            applies = applies.min(this);
        }
        applies
    }
}

impl Directive {
    /// Whether it applies to logins of this user.
    pub(crate) fn applies(&self, user: &str) -> Applies {
        self.under.iter().map(|condition| condition.applies(user)).min().unwrap_or(Applies::Always)
    }
}

/// Reads a configuration. Files that cannot be read are named in `troubles`.
pub(crate) fn read(
    files: &dyn Files,
    path: &Path,
    troubles: &mut Vec<(PathBuf, String)>,
) -> Configuration {
    let mut read = Configuration::default();
    include(files, path, &[], 0, &mut read, troubles);
    read
}

fn include(
    files: &dyn Files,
    path: &Path,
    under: &[Condition],
    depth: u8,
    read: &mut Configuration,
    troubles: &mut Vec<(PathBuf, String)>,
) {
    let text = match files.read(path) {
        Ok(text) => text,
        Err(error) => return troubles.push((path.to_owned(), error.to_string())),
    };
    read.files.push(path.to_owned());
    // A Match lasts to the next one or the end of its file.
    let mut here = under.to_vec();
    for (index, line) in String::from_utf8_lossy(&text).lines().enumerate() {
        let Some((keyword, arguments)) = words(line) else { continue };
        let place = Place { file: path.to_owned(), line: index + 1 };
        match keyword.as_str() {
            "match" => {
                here.truncate(under.len());
                here.push(Condition(arguments));
                read.matches.push((here.clone(), place));
            }
            "include" if depth == DEEPEST => {
                troubles.push((path.to_owned(), "too many files included in files".to_owned()));
            }
            "include" => {
                for pattern in &arguments {
                    for file in included(files, pattern, &mut read.folders, troubles) {
                        include(files, &file, &here, depth + 1, read, troubles);
                    }
                }
            }
            _ => {
                let under = here.clone();
                read.directives.push(Directive { keyword, arguments, under, place });
            }
        }
    }
}

/// The files that an Include names, sorted; a relative one is in /etc/ssh. As in glob(3) every part of the path may have
/// wildcards. The folders that were searched are added to `searched`.
fn included(
    files: &dyn Files,
    pattern: &str,
    searched: &mut Vec<PathBuf>,
    troubles: &mut Vec<(PathBuf, String)>,
) -> Vec<PathBuf> {
    let path = Path::new("/etc/ssh").join(pattern);
    let mut found = vec![PathBuf::from("/")];
    let mut parts = path.components().skip(1).peekable();
    while let Some(part) = parts.next() {
        let name = part.as_os_str().to_string_lossy();
        let is_plain = !name.contains(['*', '?', '[']);
        if is_plain && parts.peek().is_some() {
            found.iter_mut().for_each(|folder| folder.push(part));
            continue;
        }
        let mut fitting = Vec::new();
        for folder in found {
            match files.listed(&folder, &name) {
                Ok(entries) => fitting.extend(entries),
                Err(error) => troubles.push((folder.clone(), error.to_string())),
            }
            searched.push(folder);
        }
        found = fitting;
    }
    found.sort();
    found
}

/// A line's keyword in lower case and its arguments; quotes hold blanks together, and so does a backslash before one,
/// which also takes their meaning from quotes and from itself; `#` ends the line.
fn words(line: &str) -> Option<(String, Vec<String>)> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() && !rest.starts_with('#') {
        let mut word = String::new();
        let mut quote = None;
        let mut end = rest.len();
        let mut characters = rest.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            match (quote, character) {
                (_, '\\') => {
                    let means_itself = |next: char| {
                        matches!(next, '\'' | '"' | '\\') || next == ' ' && quote.is_none()
                    };
                    let next = characters.next_if(|(_, next)| means_itself(*next));
                    word.push(next.map_or(character, |(_, next)| next));
                }
                (Some(open), close) if close == open => quote = None,
                (None, '"' | '\'') => quote = Some(character),
                (None, blank)
                    if blank.is_ascii_whitespace() || words.is_empty() && blank == '=' =>
                {
                    end = at;
                    break;
                }
                _ => word.push(character),
            }
        }
        words.push(word);
        rest = rest[end..].trim_start();
        if words.len() == 1 {
            rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
        }
    }
    let mut words = words.into_iter();
    let keyword = words.next()?.to_ascii_lowercase();
    Some((keyword, words.collect()))
}
