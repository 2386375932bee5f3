//! A foreign target's clock: libfaketime and the file that it reads the time from.
//!
//! The target is started with `LD_PRELOAD` of the library, `FAKETIME_TIMESTAMP_FILE` naming the file and
//! `FAKETIME_NO_CACHE=1`; it then reads the file at every look at the clock, and a change holds from the
//! next look on. `FAKETIME_DONT_FAKE_MONOTONIC=1` leaves the timers alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file's writer. What it says holds for the whole target: cases that move time go one after
/// another.
#[derive(Debug, Clone)]
pub struct Faketime {
    file: PathBuf,
}

impl Faketime {
    /// Makes the file; time is real at first.
    pub(crate) fn create(file: PathBuf) -> io::Result<Self> {
        let clock = Self { file };
        clock.set_offset(Duration::ZERO)?;
        Ok(clock)
    }

    /// The file itself.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Time runs, ahead of real time by this.
    pub fn set_offset(&self, ahead: Duration) -> io::Result<()> {
        self.write(&format!("+{}.{:09}", ahead.as_secs(), ahead.subsec_nanos()))
    }

    /// Time stands still at this moment of the target's time zone, written `YYYY-MM-DD hh:mm:ss`.
    pub fn freeze(&self, moment: &str) -> io::Result<()> {
        self.write(moment)
    }

    /// In one step: a reader sees the old text or the new one, never half of it.
    fn write(&self, text: &str) -> io::Result<()> {
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{text}\n"))?;
        fs::rename(&next, &self.file)
    }
}

/// Where the library lies: the build for threads first.
pub(crate) fn library() -> Option<PathBuf> {
    let names = ["libfaketimeMT.so.1", "libfaketime.so.1"];
    let mut folders: Vec<PathBuf> =
        vec!["/usr/lib/faketime".into(), "/usr/local/lib/faketime".into()];
    // Debian's multiarch folders: /usr/lib/x86_64-linux-gnu/faketime
    for entry in fs::read_dir("/usr/lib").into_iter().flatten().flatten() {
        folders.push(entry.path().join("faketime"));
    }
    names.iter().find_map(|name| folders.iter().map(|at| at.join(name)).find(|path| path.exists()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_says_what_libfaketime_reads() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Faketime::create(folder.path().join("clock")).unwrap();
        let text = || fs::read_to_string(clock.file()).unwrap();
        assert_eq!(text(), "+0.000000000\n");
        clock.set_offset(Duration::from_millis(61_500)).unwrap();
        assert_eq!(text(), "+61.500000000\n");
        clock.freeze("2018-07-16 10:04:07").unwrap();
        assert_eq!(text(), "2018-07-16 10:04:07\n");
    }
}
