//! The lines that a case caused in one of the target's logs.
//!
//! ```text
//! a log of the case's own ─┐
//! a log for all, alone ────┼─ from where it ended ─▶ lines, without the harness's marks
//! a log for all, at once ──┴─ Tail: by the address of the case's client
//! ```

mod rule_ids;
mod tail;

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use edgeproof_scenario::model::LogAct;
use edgeproof_target::LogFile;

pub(crate) use rule_ids::RuleIds;
pub(crate) use tail::{Tail, client_address, names};

use crate::locking::lock;
use crate::origin::MARKER;

/// More of a log is not read for one case.
const MOST_READ: u64 = 16 * 1024 * 1024;
/// Every write to it fails for lack of room (full(4)).
const FULL_DISK: &str = "/dev/full";
/// How often a target may make its log anew while something else is put in its place.
const REPLACED: usize = 10;
/// The domain below which the harness makes host names.
pub(crate) const DOMAIN: &str = ".edgeproof.test";

/// Lines without their ends, or why there are none.
pub(crate) type Lines = Result<Vec<Vec<u8>>, String>;

/// A log from where it ended when the case began.
#[derive(Debug)]
pub(crate) struct CaseLog(Follows);

#[derive(Debug)]
enum Follows {
    /// What is written from an offset on.
    From {
        path: PathBuf,
        at: Mutex<Place>,
        /// Other cases write there too, though not while this one runs.
        shared: bool,
        /// A line that names another host of the harness is another case's.
        host: String,
    },
    /// The lines that name the case's client, while others write there too.
    Client { tail: Arc<Tail>, client: Ipv4Addr },
}

/// Where a case's lines are.
#[derive(Debug, Default)]
struct Place {
    /// From here on in the log.
    from: u64,
    /// What was moved aside since the case began, each from an offset on.
    aside: Vec<(PathBuf, u64)>,
}

impl CaseLog {
    /// Begins to follow the log, for a case with that host name.
    pub(crate) fn follow(file: &LogFile, host: &str) -> Self {
        let at = Mutex::new(Place { from: length(&file.path), aside: Vec::new() });
        let (path, shared) = (file.path.clone(), file.shared);
        Self(Follows::From { path, at, shared, host: host.to_owned() })
    }

    /// Begins to follow the lines of one client.
    pub(crate) fn of_client(tail: &Arc<Tail>, client: Ipv4Addr) -> Self {
        tail.begin(client);
        Self(Follows::Client { tail: Arc::clone(tail), client })
    }

    /// Is every line in it caused by this case?
    pub(crate) fn is_own(&self) -> bool {
        match &self.0 {
            Follows::From { shared, .. } => !shared,
            Follows::Client { .. } => true,
        }
    }

    /// What was written so far counts no more: the case is played again.
    pub(crate) fn start_over(&self) {
        match &self.0 {
            Follows::From { path, at, .. } => {
                *lock(at) = Place { from: length(path), aside: Vec::new() };
            }
            Follows::Client { tail, client } => tail.begin(*client),
        }
    }

    /// All whole lines so far, without their ends, and without the harness's marks.
    pub(crate) fn lines(&self) -> Lines {
        Ok(self.all()?.into_iter().filter(|line| !contains(line, MARKER)).collect())
    }

    /// Is the harness's mark in it?
    pub(crate) fn has_mark(&self, mark: &str) -> Result<bool, String> {
        Ok(self.all()?.iter().any(|line| contains(line, mark)))
    }

    /// All whole lines so far.
    pub(crate) fn all(&self) -> Lines {
        let (path, at, shared, host) = match &self.0 {
            Follows::From { path, at, shared, host } => (path, at, *shared, host),
            Follows::Client { tail, client } => return tail.lines_of(*client),
        };
        let place = lock(at);
        let mut lines = Vec::new();
        for (path, from) in &place.aside {
            lines.append(&mut whole_lines(path, *from)?);
        }
        lines.append(&mut whole_lines(path, place.from)?);
        if shared {
            lines.retain(|line| !is_of_another(line, host));
        }
        Ok(lines)
    }

    /// Something befalls the file. Lines that were moved aside still count.
    pub(crate) fn befall(&self, act: LogAct) -> std::io::Result<()> {
        let Follows::From { path, at, .. } = &self.0 else {
            return Err(std::io::Error::other("other cases write to it as well"));
        };
        let mut place = lock(at);
        match act {
            LogAct::Rotate | LogAct::Move => place.move_aside(path),
            LogAct::FillDisk => {
                place.replace(path, |path| std::os::unix::fs::symlink(FULL_DISK, path))
            }
            LogAct::Bar => place.replace(path, |path| std::fs::create_dir(path)),
            LogAct::Remove | LogAct::FreeDisk => {
                place.from = 0;
                std::fs::remove_file(path)
            }
            LogAct::Unbar => std::fs::remove_dir(path),
        }
    }
}

impl Place {
    /// Puts something else in the log's place. A target that watches its log may open a new one in between, which
    /// is moved aside like the first.
    fn replace<F>(&mut self, path: &Path, put: F) -> std::io::Result<()>
    where
        F: Fn(&Path) -> std::io::Result<()>,
    {
        for _ in 0..REPLACED {
            self.move_aside(path)?;
            match put(path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                done => return done,
            }
        }
        Err(std::io::Error::other("the target makes it anew again and again"))
    }

    /// Gives the log another name. One that has not been made yet, after it was moved before, needs none.
    fn move_aside(&mut self, path: &Path) -> std::io::Result<()> {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}", self.aside.len() + 1));
        let aside = PathBuf::from(name);
        match std::fs::rename(path, &aside) {
            Ok(()) => {
                self.aside.push((aside, std::mem::take(&mut self.from)));
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::NotFound && !self.aside.is_empty() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The whole lines of a file from an offset on.
fn whole_lines(path: &Path, from: u64) -> Lines {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    // It leads to the full disk, of which nothing can be read, or cannot be opened at all.
    if path.is_symlink() || path.is_dir() {
        return Ok(Vec::new());
    }
    let mut file = match File::open(path) {
        Ok(file) => file,
        // Made with its first line.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    file.seek(SeekFrom::Start(from)).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MOST_READ).read_to_end(&mut bytes).map_err(failed)?;
    let mut lines: Vec<Vec<u8>> = bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    // What stands behind the last line's end is a line in the making, or nothing.
    lines.pop();
    Ok(lines)
}

impl Drop for CaseLog {
    fn drop(&mut self) {
        if let Follows::Client { tail, client } = &self.0 {
            tail.end(*client);
        }
    }
}

/// Of a log that is not there yet: none.
fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |data| data.len())
}

/// Does the line name another case's host, and not this one's? (A late line of the case before.)
fn is_of_another(line: &[u8], host: &str) -> bool {
    contains(line, DOMAIN) && !contains(line, host)
}

fn contains(line: &[u8], part: &str) -> bool {
    memchr::memmem::find(line, part.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn only_whole_lines_of_this_case_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        let log = LogFile { path: path.clone(), shared: true };
        std::fs::write(&path, "before\n").unwrap();
        let case = CaseLog::follow(&log, "c1.edgeproof.test");
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        write!(file, "c0.edgeproof.test late\nc1.edgeproof.test one\nno host\n").unwrap();
        write!(file, "GET {MARKER}x\nhalf a li").unwrap();
        assert_eq!(case.lines().unwrap(), [b"c1.edgeproof.test one".to_vec(), b"no host".to_vec()]);
        assert!(case.has_mark("marker-x").unwrap() && !case.has_mark("marker-y").unwrap());
        case.start_over();
        writeln!(file, "ne").unwrap();
        assert_eq!(case.lines().unwrap(), [b"ne".to_vec()]);
    }

    #[test]
    fn a_log_made_anew_in_between_is_moved_aside_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        std::fs::write(&path, "before\none\n").unwrap();
        let mut place = Place { from: 7, aside: Vec::new() };
        let again = std::cell::Cell::new(2);
        let bar = |path: &Path| {
            if again.get() > 0 {
                again.set(again.get() - 1);
                std::fs::write(path, format!("{}\n", again.get()))?;
            }
            std::fs::create_dir(path)
        };
        place.replace(&path, bar).unwrap();
        assert!(path.is_dir());
        let aside = place.aside.iter().map(|(path, from)| whole_lines(path, *from).unwrap());
        assert_eq!(aside.flatten().collect::<Vec<_>>(), [&b"one"[..], b"1", b"0"]);
    }

    #[test]
    fn lines_that_were_moved_aside_still_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        std::fs::write(&path, "before\n").unwrap();
        let case = CaseLog::follow(&LogFile { path: path.clone(), shared: false }, "h");
        let append = |text: &str| {
            let options = std::fs::OpenOptions::new().append(true).create(true).open(&path);
            options.unwrap().write_all(text.as_bytes()).unwrap();
        };
        append("one\n");
        case.befall(LogAct::Rotate).unwrap();
        case.befall(LogAct::Move).unwrap();
        append("two\n");
        case.befall(LogAct::FillDisk).unwrap();
        assert!(std::fs::write(&path, "lost\n").is_err());
        case.befall(LogAct::FreeDisk).unwrap();
        append("three\n");
        assert_eq!(case.lines().unwrap(), [&b"one"[..], b"two", b"three"]);
        case.befall(LogAct::Remove).unwrap();
        assert_eq!(case.lines().unwrap(), [&b"one"[..], b"two"]);
    }

    #[test]
    fn a_log_that_is_not_there_yet_has_no_lines() {
        let folder = tempfile::tempdir().unwrap();
        let log = LogFile { path: folder.path().join("later.log"), shared: false };
        assert_eq!(CaseLog::follow(&log, "h").lines(), Ok(Vec::new()));
    }
}
