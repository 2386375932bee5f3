//! A search: where to look, what to look for, and how the answers make one.

use std::path::{Path, PathBuf};

use super::criteria::{AgeBound, CriterionError, Digest, Family, SizeBound};
use crate::pattern::{Pattern, PatternError, Written};

/// The kinds of criteria; `mismatch` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The file's name.
    Name,
    /// Its size.
    Size,
    /// Its mode.
    Mode,
    /// When it was changed.
    Mtime,
    /// Its lines.
    Content,
    /// Its MD5.
    Md5,
    /// Its SHA-1.
    Sha1,
    /// Its SHA-2, also called `sha256`.
    Sha2,
    /// Its SHA-3.
    Sha3,
}

impl Kind {
    /// Reads a name as `mismatch` has it.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "name" | "names" => Kind::Name,
            "size" | "sizes" => Kind::Size,
            "mode" | "modes" => Kind::Mode,
            "mtime" | "mtimes" => Kind::Mtime,
            "content" | "contents" => Kind::Content,
            "md5" => Kind::Md5,
            "sha1" => Kind::Sha1,
            "sha2" | "sha256" => Kind::Sha2,
            "sha3" => Kind::Sha3,
            _ => return None,
        })
    }
}

/// How a search is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Levels of folders below a path; 1 is what lies in it. 0 is no limit.
    pub maxdepth: u32,
    /// Every criterion must hold; otherwise one is enough.
    pub matchall: bool,
    /// Files that this search may name; the others are counted. 0 is no limit.
    pub matchlimit: u64,
    /// Every line must fit the contents ("Match All Content Regexes On All Lines"): all, or with `matchall` off one.
    pub macroal: bool,
    /// Kinds whose answer is turned round.
    pub mismatch: Vec<Kind>,
    /// Each file found comes with its SHA-256.
    pub returnsha256: bool,
    /// Look into gzip, xz, tar and zip files.
    pub decompress: bool,
    /// Errors that are named; the others are counted.
    pub maxerrors: u64,
    /// Follow links to anywhere.
    pub follow: bool,
    /// Judge lists of keys as any other text, by the regexes alone.
    pub plainlines: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            maxdepth: 1000,
            matchall: true,
            matchlimit: 1000,
            macroal: false,
            mismatch: Vec::new(),
            returnsha256: false,
            decompress: false,
            maxerrors: 30,
            follow: false,
            plainlines: false,
        }
    }
}

/// What is wrong with a search.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SearchError {
    /// There is no path.
    #[error("no path to search in")]
    NoPath,
    /// A path that is not absolute says another thing in every folder.
    #[error("the path `{0}` is not absolute")]
    Relative(String),
    /// A path with `..` is not what it seems where links are.
    #[error("the path `{0}` has a `..` in it")]
    Upwards(String),
    /// A pattern is none.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A size, an age or a digest is none.
    #[error(transparent)]
    Criterion(#[from] CriterionError),
    /// Mismatch of an unknown kind.
    #[error("mismatch `{0}`: expected name, size, mode, mtime, content, md5, sha1, sha2 or sha3")]
    Mismatch(String),
    /// Every line must fit nothing.
    #[error("macroal without a content")]
    NothingToFit,
}

/// A search that can be made.
#[derive(Clone, Debug)]
pub struct Search {
    /// Its name in the results.
    pub name: String,
    /// Absolute folders or files.
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) names: Vec<Pattern>,
    pub(crate) contents: Vec<Written>,
    pub(crate) sizes: Vec<SizeBound>,
    pub(crate) modes: Vec<Pattern>,
    pub(crate) mtimes: Vec<AgeBound>,
    pub(crate) digests: Vec<(Kind, Digest)>,
    /// How it is made.
    pub(crate) options: Options,
}

impl Search {
    /// An empty search of that name, to be filled.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            paths: Vec::new(),
            names: Vec::new(),
            contents: Vec::new(),
            sizes: Vec::new(),
            modes: Vec::new(),
            mtimes: Vec::new(),
            digests: Vec::new(),
            options: Options::default(),
        }
    }

    /// How it is made, to be changed.
    pub fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    /// Adds a place to look in.
    ///
    /// # Errors
    /// It is relative, or goes upwards.
    pub fn add_path(&mut self, path: &str) -> Result<(), SearchError> {
        let given = PathBuf::from(path);
        if !given.is_absolute() {
            return Err(SearchError::Relative(path.to_owned()));
        }
        if given.components().any(|part| part == std::path::Component::ParentDir) {
            return Err(SearchError::Upwards(path.to_owned()));
        }
        // One spelling for one place: no `//`, no `/.`, no slash at the end.
        self.paths.push(given.components().collect());
        Ok(())
    }

    /// Adds a regex of the name.
    ///
    /// # Errors
    /// It is none.
    pub fn add_name(&mut self, pattern: impl Into<String>) -> Result<(), SearchError> {
        self.names.push(Pattern::new(pattern)?);
        Ok(())
    }

    /// Adds a regex of a line.
    ///
    /// # Errors
    /// It is none.
    pub fn add_content(&mut self, pattern: impl Into<String>) -> Result<(), SearchError> {
        self.contents.push(Written::new(pattern)?);
        Ok(())
    }

    /// Adds a regex of the mode in letters.
    ///
    /// # Errors
    /// It is none.
    pub fn add_mode(&mut self, pattern: impl Into<String>) -> Result<(), SearchError> {
        self.modes.push(Pattern::new(pattern)?);
        Ok(())
    }

    /// Adds a bound of the size.
    ///
    /// # Errors
    /// It is none.
    pub fn add_size(&mut self, bound: &str) -> Result<(), SearchError> {
        self.sizes.push(bound.parse()?);
        Ok(())
    }

    /// Adds a bound of the age.
    ///
    /// # Errors
    /// It is none.
    pub fn add_mtime(&mut self, bound: &str) -> Result<(), SearchError> {
        self.mtimes.push(bound.parse()?);
        Ok(())
    }

    /// Adds a digest.
    pub fn add_digest(&mut self, digest: Digest, family: Family) {
        let kind = match family {
            Family::Md5 => Kind::Md5,
            Family::Sha1 => Kind::Sha1,
            Family::Sha2 => Kind::Sha2,
            Family::Sha3 => Kind::Sha3,
        };
        self.digests.push((kind, digest));
    }

    /// Adds kinds whose answer is turned round.
    ///
    /// # Errors
    /// There is no such kind.
    pub fn add_mismatch(&mut self, kinds: &str) -> Result<(), SearchError> {
        for kind in kinds.split(',').map(str::trim).filter(|kind| !kind.is_empty()) {
            let kind = Kind::named(kind).ok_or_else(|| SearchError::Mismatch(kind.to_owned()))?;
            self.options.mismatch.push(kind);
        }
        Ok(())
    }

    /// Checks what can only be told of the whole.
    ///
    /// # Errors
    /// It has no path, or `macroal` has nothing that lines could fit.
    pub fn checked(mut self) -> Result<Self, SearchError> {
        if self.paths.is_empty() {
            return Err(SearchError::NoPath);
        }
        if self.options.macroal && self.contents.is_empty() {
            return Err(SearchError::NothingToFit);
        }
        self.paths.sort();
        self.paths.dedup();
        Ok(self)
    }

    /// Looks below a folder that stands for `/`.
    pub(super) fn move_below(&mut self, root: &Path) {
        for path in &mut self.paths {
            *path = root.join(path.strip_prefix("/").unwrap_or(path));
        }
    }

    /// The only name that a file may have to be found, where the search says one, and nothing below a folder is looked
    /// at.
    pub(crate) fn only_name(&self) -> Option<&[u8]> {
        let may =
            self.options.matchall && self.options.maxdepth == 1 && !self.is_turned(Kind::Name);
        self.names.iter().find_map(Pattern::only).filter(|_| may)
    }

    /// Whether the answer of a kind is turned round.
    pub(crate) fn is_turned(&self, kind: Kind) -> bool {
        self.options.mismatch.contains(&kind)
    }

    /// Whether what is in a file decides.
    pub(crate) fn judges_content(&self) -> bool {
        !self.contents.is_empty() || !self.digests.is_empty()
    }

    /// Whether a file must be read for the result.
    pub(crate) fn reads(&self) -> bool {
        self.judges_content() || self.options.returnsha256
    }
}
