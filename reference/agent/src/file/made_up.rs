//! File systems that the kernel makes up while they are read. What is in them is nobody's file: it may have no end
//! (/proc/kcore), or be gone once it was read (/proc/kmsg). A search that comes by reads none of it; one that begins
//! there does.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::finding::Unread;
use super::pass::count;
use super::search::Search;

/// Their types, as mounted.
const TYPES: [&[u8]; 17] = [
    b"proc",
    b"sysfs",
    b"cgroup",
    b"cgroup2",
    b"debugfs",
    b"tracefs",
    b"securityfs",
    b"configfs",
    b"bpf",
    b"pstore",
    b"efivarfs",
    b"selinuxfs",
    b"fusectl",
    b"binfmt_misc",
    b"nfsd",
    b"rpc_pipefs",
    b"resctrl",
];

/// Those that lie below a searched path.
#[derive(Debug, Default)]
pub(crate) struct MadeUp(Vec<Mount>);

#[derive(Debug)]
struct Mount {
    /// Major and minor number.
    device: (u32, u32),
    point: PathBuf,
    /// Files that were not read.
    files: AtomicU64,
}

impl MadeUp {
    /// Those of this mount namespace. Where its table cannot be read, there are none.
    pub(crate) fn below(searches: &[Search]) -> Self {
        let table = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
        let paths = || searches.iter().flat_map(|search| &search.paths);
        Self::of(&table, |point| paths().any(|path| point != path && point.starts_with(path)))
    }

    /// A line is `ID PARENT MAJOR:MINOR ROOT POINT OPTIONS … - TYPE SOURCE OPTIONS` (proc_pid_mountinfo(5)).
    fn of(table: &[u8], is_searched: impl Fn(&Path) -> bool) -> Self {
        let mount = |line: &[u8]| {
            let mut words = line.split(|octet| *octet == b' ');
            let (major, minor) = std::str::from_utf8(words.nth(2)?).ok()?.split_once(':')?;
            let point = PathBuf::from(OsString::from_vec(plain(words.nth(1)?)));
            let kind = words.skip_while(|word| *word != b"-").nth(1)?;
            let device = (major.parse().ok()?, minor.parse().ok()?);
            (TYPES.contains(&kind) && is_searched(&point)).then_some(Mount {
                device,
                point,
                files: AtomicU64::new(0),
            })
        };
        Self(table.split(|octet| *octet == b'\n').filter_map(mount).collect())
    }

    /// Whether a file is not to be read by a search that began at a folder. It is counted.
    pub(crate) fn leaves_out(&self, device: u64, path: &Path, began_at: &Path) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let device = (rustix::fs::major(device), rustix::fs::minor(device));
        let mut mounts = self.0.iter();
        let mount = mounts.find(|one| one.device == device && path.starts_with(&one.point));
        match mount.filter(|one| !began_at.starts_with(&one.point)) {
            Some(mount) => {
                count(&mount.files, 1);
                true
            }
            None => false,
        }
    }

    /// What was not read, sorted.
    pub(crate) fn told(self) -> Vec<Unread> {
        let told = |Mount { point, files, .. }: Mount| {
            let files = files.load(Ordering::Relaxed);
            (files > 0).then_some(Unread { path: point, files })
        };
        let mut told: Vec<Unread> = self.0.into_iter().filter_map(told).collect();
        told.sort_unstable();
        told
    }
}

/// A path of the table: blanks and backslashes in it are `\ooo`.
fn plain(word: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((octet, after)) = rest.split_first() {
        let escaped = after.get(..3).filter(|_| *octet == b'\\');
        let escaped = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(escaped) => {
                octets.push(escaped);
                rest = &after[3..];
            }
            None => {
                octets.push(*octet);
                rest = after;
            }
        }
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n\
        23 22 0:21 / /proc rw,nosuid - proc proc rw\n\
        24 22 0:22 / /sys rw shared:2 master:1 - sysfs sysfs rw\n\
        25 24 0:7 / /sys/kernel/debug rw - debugfs none rw\n\
        26 22 0:30 / /srv/a\\040b/proc rw - proc proc rw\n\
        27 22 0:31 / /run rw - tmpfs tmpfs rw\n\nnonsense\n";

    #[test]
    fn only_what_lies_below_a_searched_path() {
        let points = |path: &str| -> Vec<PathBuf> {
            let mounts = MadeUp::of(TABLE, |point| point != path && point.starts_with(path));
            mounts.0.into_iter().map(|mount| mount.point).collect()
        };
        let all = ["/proc", "/sys", "/sys/kernel/debug", "/srv/a b/proc"];
        assert_eq!(points("/"), all.map(PathBuf::from));
        assert_eq!(points("/sys"), [PathBuf::from("/sys/kernel/debug")]);
        assert!(points("/proc").is_empty() && points("/etc").is_empty());
    }

    #[test]
    fn a_search_that_begins_there_reads() {
        let mounts = MadeUp::of(TABLE, |_| true);
        let left_out = |minor, path: &str, began_at: &str| {
            mounts.leaves_out(rustix::fs::makedev(0, minor), Path::new(path), Path::new(began_at))
        };
        assert!(left_out(21, "/proc/kmsg", "/"));
        assert!(!left_out(21, "/proc/1/environ", "/proc/1"));
        assert!(left_out(7, "/sys/kernel/debug/x", "/sys"));
        assert!(!left_out(31, "/run/x", "/") && !left_out(21, "/etc/mtab", "/"));
        let told: Vec<_> = mounts.told().into_iter().map(|one| (one.path, one.files)).collect();
        assert_eq!(told, [("/proc".into(), 1), ("/sys/kernel/debug".into(), 1)]);
    }
}
