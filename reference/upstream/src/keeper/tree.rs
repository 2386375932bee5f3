//! Who descends from a process and what it listens on, read from /proc (proc(5)).

use std::collections::{HashMap, HashSet};
use std::fs;
use std::net::{IpAddr, SocketAddr};

/// All living descendants of a process. Zombies hold nothing any more and are left out. One that is being
/// born while this looks can be missed: whoever needs them all asks again.
pub(super) fn descendants(of: i32) -> Vec<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for (pid, parent) in living() {
        children.entry(parent).or_default().push(pid);
    }
    let mut found = vec![of];
    let mut at = 0;
    while let Some(parent) = found.get(at) {
        found.extend(children.remove(parent).unwrap_or_default());
        at += 1;
    }
    found.split_off(1)
}

fn living() -> impl Iterator<Item = (i32, i32)> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        Some((pid, parent(&stat)?))
    })
}

/// The parent in a line of /proc/PID/stat, where the program's name stands in parentheses and may hold any
/// itself; `None` for a zombie.
fn parent(stat: &str) -> Option<i32> {
    let (_, after) = stat.rsplit_once(") ")?;
    let (state, rest) = after.split_once(' ')?;
    (!matches!(state, "Z" | "X")).then(|| rest.split(' ').next()?.parse().ok())?
}

/// Whether a descendant of `keeper` listens on `address`. `None` if that cannot be told, as where /proc
/// hides what others have open.
pub(crate) fn owns_listener(keeper: i32, address: SocketAddr) -> Option<bool> {
    let table = if address.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    let mut tables = fs::read_to_string(table).ok()?;
    if address.is_ipv4() {
        // A server for both families has one socket, in the other's table.
        tables += &fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
    }
    let sockets: HashSet<String> =
        tables.lines().filter_map(|line| listening(line, address)).collect();
    if sockets.is_empty() {
        return None;
    }
    let mut all_seen = true;
    for pid in descendants(keeper) {
        let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else {
            all_seen = false;
            continue;
        };
        for file in open.flatten() {
            let target = fs::read_link(file.path()).unwrap_or_default();
            if target.to_str().is_some_and(|target| sockets.contains(target)) {
                return Some(true);
            }
        }
    }
    all_seen.then_some(false)
}

/// The socket of a line of /proc/net/tcp as /proc/PID/fd names it, if it listens for `address`.
fn listening(line: &str, address: SocketAddr) -> Option<String> {
    const LISTEN: &str = "0A";
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
    let (host, port) = local.split_once(':')?;
    let here = u16::from_str_radix(port, 16).ok()? == address.port();
    let any = host.bytes().all(|digit| digit == b'0');
    (*state == LISTEN && here && (any || host == hex(address.ip())))
        .then(|| format!("socket:[{inode}]"))
}

/// An address as the table writes it: words of four bytes, each in the machine's order.
fn hex(ip: IpAddr) -> String {
    let bytes = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = bytes.as_chunks().0.iter().map(|&word| u32::from_ne_bytes(word));
    words.map(|word| format!("{word:08X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_stands_after_the_last_parenthesis() {
        assert_eq!(parent("12 (a) S 9) S 7 12 12 0"), Some(7));
        assert_eq!(parent("12 (gone) Z 7 12 12 0"), None);
        assert_eq!(parent(""), None);
    }

    #[test]
    fn a_listener_is_its_owners() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let parent = std::os::unix::process::parent_id().cast_signed();
        assert_eq!(owns_listener(parent, address), Some(true));
        // It has no descendant that could.
        let mut other = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert_eq!(owns_listener(other.id().cast_signed(), address), Some(false));
        other.kill().unwrap();
        other.wait().unwrap();
        drop(listener);
        assert_eq!(owns_listener(parent, address), None);
    }
}
