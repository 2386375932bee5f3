//! The lines that a case caused in one of the target's logs.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;

use edgeproof_target::LogFile;

use crate::origin::MARKER;

/// More of a log is not read for one case.
const MOST_READ: u64 = 16 * 1024 * 1024;
/// The domain below which the harness makes host names.
pub(crate) const DOMAIN: &str = ".edgeproof.test";

/// A log from where it ended when the case began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CaseLog {
    path: PathBuf,
    from: u64,
    /// Other cases write there too, though not while this one runs.
    shared: bool,
    host: String,
}

impl CaseLog {
    /// Begins to follow the log, for a case with that host name.
    pub(crate) fn follow(file: &LogFile, host: &str) -> Self {
        let from = std::fs::metadata(&file.path).map_or(0, |data| data.len());
        Self { path: file.path.clone(), from, shared: file.shared, host: host.to_owned() }
    }

    /// Is every line in it caused by this case?
    pub(crate) fn is_own(&self) -> bool {
        !self.shared
    }

    /// All whole lines so far, without their ends, and without the harness's marks.
    pub(crate) fn lines(&self) -> Result<Vec<Vec<u8>>, String> {
        Ok(self.all()?.into_iter().filter(|line| !contains(line, MARKER)).collect())
    }

    /// Is the harness's mark in it?
    pub(crate) fn has_mark(&self, mark: &str) -> Result<bool, String> {
        Ok(self.all()?.iter().any(|line| contains(line, mark)))
    }

    fn all(&self) -> Result<Vec<Vec<u8>>, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.path.display());
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            // Made with its first line.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        file.seek(SeekFrom::Start(self.from)).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(MOST_READ).read_to_end(&mut bytes).map_err(failed)?;
        let mut lines: Vec<Vec<u8>> = bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
        // What stands behind the last line's end is a line in the making, or nothing.
        lines.pop();
        if self.shared {
            lines.retain(|line| !self.is_of_another(line));
        }
        Ok(lines)
    }

    /// Does the line name another case's host, and not this one's? (A late line of the case before.)
    fn is_of_another(&self, line: &[u8]) -> bool {
        contains(line, DOMAIN) && !contains(line, &self.host)
    }
}

fn contains(line: &[u8], part: &str) -> bool {
    line.windows(part.len()).any(|window| window == part.as_bytes())
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
    }

    #[test]
    fn a_log_that_is_not_there_yet_has_no_lines() {
        let folder = tempfile::tempdir().unwrap();
        let log = LogFile { path: folder.path().join("later.log"), shared: false };
        assert_eq!(CaseLog::follow(&log, "h").lines(), Ok(Vec::new()));
    }
}
