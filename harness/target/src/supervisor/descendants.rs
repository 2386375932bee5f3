//! Who descends from a process, read from /proc.

use std::collections::HashMap;
use std::fs;

use nix::unistd::Pid;

/// All living descendants of a process, parents before their children. Zombies are left out: they hold
/// nothing any more.
///
/// A process that forks while this looks can be missed; whoever needs them all asks again.
pub fn descendants(of: Pid) -> Vec<Pid> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for (pid, parent) in running() {
        children.entry(parent).or_default().push(pid);
    }
    let mut found = vec![of.as_raw()];
    let mut next = 0;
    while let Some(parent) = found.get(next) {
        found.extend(children.remove(parent).unwrap_or_default());
        next += 1;
    }
    found.into_iter().skip(1).map(Pid::from_raw).collect()
}

/// Every process that is no zombie, with its parent.
fn running() -> impl Iterator<Item = (i32, i32)> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        parent(&stat).map(|parent| (pid, parent))
    })
}

/// The parent in a line of /proc/PID/stat (proc(5)); `None` for a zombie. The command name stands in
/// parentheses and may itself hold parentheses and spaces.
fn parent(stat: &str) -> Option<i32> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.next()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::parent;

    #[test]
    fn the_parent_stands_after_the_last_parenthesis() {
        assert_eq!(parent("12 (a) S 9) S 7 12 12 0"), Some(7));
        assert_eq!(parent("12 (gone) Z 7 12 12 0"), None);
        assert_eq!(parent(""), None);
    }
}
