//! What this host is, as facts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::facts::Facts;

/// The name that a host gives itself.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Facts of the host whose files lie below a folder.
pub fn facts(name: &str, tags: BTreeMap<String, String>, root: &Path) -> Facts {
    let system = rustix::system::uname();
    let release = fs::read_to_string(root.join("etc/os-release")).unwrap_or_default();
    let mut environment = BTreeMap::from([
        ("os".to_owned(), system.sysname().to_string_lossy().to_lowercase()),
        ("kernel".to_owned(), system.release().to_string_lossy().into_owned()),
        ("arch".to_owned(), system.machine().to_string_lossy().into_owned()),
    ]);
    if let Some(ident) = ident(&release) {
        environment.insert("ident".to_owned(), ident);
    }
    Facts {
        name: name.to_owned(),
        status: "online".to_owned(),
        mode: "daemon".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        environment,
        tags,
    }
}

/// The system's name of os-release(5).
fn ident(release: &str) -> Option<String> {
    let value = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?.trim();
    let bare = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    Some(bare('"').or_else(|| bare('\'')).unwrap_or(value).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_named_as_it_names_itself() {
        let release = "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(ident(release).as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!(ident("PRETTY_NAME=Alpine\n").as_deref(), Some("Alpine"));
        assert_eq!(ident("ID=x\n"), None);
    }
}
