//! Folders that belong to the person who runs this (XDG Base Directory Specification).

use std::path::PathBuf;

/// Where `edgeproof crs install` puts rule sets, a folder for each version:
/// `$XDG_DATA_HOME/edgeproof/crs`, or the same below `~/.local/share`.
#[must_use]
pub fn installed_rules() -> PathBuf {
    base("XDG_DATA_HOME", ".local/share", "/usr/local/share").join("edgeproof/crs")
}

/// Where denied requests are kept unless somebody says otherwise:
/// `$XDG_STATE_HOME/edgeproof/quarantine`, or the same below `~/.local/state`.
#[must_use]
pub fn quarantine() -> PathBuf {
    base("XDG_STATE_HOME", ".local/state", "/var/lib").join("edgeproof/quarantine")
}

/// The folder that a variable names, or one below the home, or one of the machine's. A relative one counts as
/// none, as the specification wants it.
fn base(variable: &str, below_home: &str, of_machine: &str) -> PathBuf {
    let folder = |name| std::env::var_os(name).filter(|text| !text.is_empty()).map(PathBuf::from);
    let named = folder(variable).filter(|path| path.is_absolute());
    let own = || Some(folder("HOME")?.join(below_home));
    named.or_else(own).unwrap_or_else(|| of_machine.into())
}
