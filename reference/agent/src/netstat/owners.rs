//! Whose sockets are: the links in /proc/PID/fd.

use std::collections::{HashMap, HashSet};
use std::io::{self, ErrorKind};
use std::path::Path;

use super::sockets::Socket;

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its name, up to 15 octets, which it may choose itself.
    pub name: String,
}

/// Names the owners of sockets, as far as they may be seen: other users' only by root. Answers whether all could be.
pub(super) fn name(proc: &Path, sockets: &mut [Socket]) -> bool {
    let mut all_seen = true;
    let wanted: HashSet<u64> = sockets.iter().map(|socket| socket.inode).collect();
    let mut owners: HashMap<u64, Vec<Process>> = HashMap::new();
    for entry in std::fs::read_dir(proc).into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let inodes = inodes(&entry.path()).unwrap_or_else(|error| {
            all_seen &= error.kind() != ErrorKind::PermissionDenied;
            HashSet::new()
        });
        let mut inodes = inodes.intersection(&wanted).peekable();
        if inodes.peek().is_none() {
            continue;
        }
        let name = std::fs::read(entry.path().join("comm")).unwrap_or_default();
        let name = String::from_utf8_lossy(name.trim_ascii_end()).into_owned();
        for inode in inodes {
            owners.entry(*inode).or_default().push(Process { pid, name: name.clone() });
        }
    }
    for socket in sockets {
        socket.owners = owners.get(&socket.inode).cloned().unwrap_or_default();
        socket.owners.sort();
    }
    all_seen
}

/// The sockets that a process has open. It may have ended, or be another user's.
fn inodes(process: &Path) -> io::Result<HashSet<u64>> {
    let links = std::fs::read_dir(process.join("fd"))?.flatten();
    let inode = |link: std::fs::DirEntry| {
        let target = std::fs::read_link(link.path()).ok()?;
        target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    };
    Ok(links.filter_map(inode).collect())
}
