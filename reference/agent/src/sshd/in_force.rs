//! What is written and not yet so: files that changed since the daemon read them.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::config::Configuration;
use super::daemon::Daemon;
use super::finding::{Level, Source, Weakness};

/// The kernel tells a process's start in hundredths, and files are written just before.
const JUST_NOW: Duration = Duration::from_secs(1);

/// Since when the daemon has had its configuration: its start, or a reload. A daemon that reads it again (SIGHUP)
/// starts itself anew under the same number, and writes its PidFile.
fn since(daemon: &Daemon, pid_file: Option<&Path>) -> SystemTime {
    let reloaded = pid_file.and_then(|file| {
        let pid: u32 = std::fs::read_to_string(file).ok()?.trim().parse().ok()?;
        (pid == daemon.pid).then_some(file.metadata().ok()?.modified().ok()?)
    });
    reloaded.map_or(daemon.started, |reloaded| reloaded.max(daemon.started))
}

/// When a file was written, moved there, or given other permissions, whichever was last.
fn changed(path: &Path) -> Option<SystemTime> {
    let metadata = path.metadata().ok()?;
    let moved = Duration::new(metadata.ctime().try_into().ok()?, metadata.ctime_nsec() as u32);
    Some(metadata.modified().ok()?.max(UNIX_EPOCH + moved))
}

/// What the daemon has not read yet.
pub(super) fn not_yet(
    daemon: &Daemon,
    configuration: &Configuration,
    pid_file: Option<&Path>,
) -> Vec<Weakness> {
    let since = since(daemon, pid_file);
    let weakness = |directive: &str, value: String, wanted: &str, source: &Path| Weakness {
        level: Level::Should,
        directive: directive.to_owned(),
        value,
        wanted: wanted.to_owned(),
        source: Source::File(source.to_owned()),
        of: Vec::new(),
    };
    let reload = "a reload of sshd, once `sshd -t` has nothing to say";
    let is_new = |path: &&std::path::PathBuf| {
        changed(path).is_some_and(|changed| changed > since + JUST_NOW)
    };
    let mut found: Vec<Weakness> = Vec::new();
    for file in configuration.files.iter().filter(is_new) {
        let value = "not yet in force: newer than what the daemon has read".to_owned();
        found.push(weakness("Include", value, reload, file));
    }
    for folder in configuration.folders.iter().filter(is_new) {
        let value = "not yet in force: files have come or gone since the daemon read it".to_owned();
        found.push(weakness("Include", value, reload, folder));
    }
    if daemon.is_replaced {
        let value =
            "not yet in force: the daemon runs a program that is no longer there".to_owned();
        found.push(weakness("sshd", value, "a restart of sshd", &daemon.program));
    }
    found.sort();
    found.dedup();
    found
}
