//! The target's processes, from /proc.

use std::collections::BTreeSet;
use std::fs;

/// The command lines of these processes and of all their descendants, arguments with a space between.
/// Processes that end meanwhile are left out, and so are those that ended and wait for their parent.
pub(crate) fn command_lines(roots: &[i32]) -> Vec<String> {
    let parents = parents();
    let mut family: BTreeSet<i32> = roots.iter().copied().collect();
    // Children can have smaller numbers than their parents: until nothing is added.
    loop {
        let children = parents.iter().filter(|(_, parent)| family.contains(parent));
        let found: Vec<i32> =
            children.map(|(pid, _)| *pid).filter(|pid| !family.contains(pid)).collect();
        if found.is_empty() {
            break;
        }
        family.extend(found);
    }
    family.into_iter().filter_map(command_line).collect()
}

/// Every process with its parent.
fn parents() -> Vec<(i32, i32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| Some((pid, parent(pid)?))).collect()
}

fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets can hold anything, also brackets; the state and the parent follow it.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn command_line(pid: i32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let arguments = bytes.strip_suffix(&[0]).unwrap_or(&bytes);
    let line = String::from_utf8_lossy(arguments).replace('\0', " ");
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_found_under_its_parent() {
        let mut child = std::process::Command::new("sleep").arg("31.4159").spawn().unwrap();
        let me = i32::try_from(std::process::id()).unwrap();
        let is_there = || command_lines(&[me]).iter().any(|line| line.ends_with("sleep 31.4159"));
        // Between fork and the new program's start it has no command line of its own yet.
        let began = std::time::Instant::now();
        while !is_there() {
            assert!(began.elapsed().as_secs() < 10, "{:?}", command_lines(&[me]));
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_there());
    }
}
