//! What this host is, as facts.

use std::collections::BTreeMap;
use std::path::Path;

use edgeproof_agent::read_below;

use crate::facts::Facts;

/// The name that a host gives itself.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Facts of the host whose files lie below a folder.
pub fn facts(name: &str, tags: BTreeMap<String, String>, root: &Path) -> Facts {
    let system = rustix::system::uname();
    let mut environment = BTreeMap::from([
        ("os".to_owned(), system.sysname().to_string_lossy().to_lowercase()),
        ("kernel".to_owned(), system.release().to_string_lossy().into_owned()),
        ("arch".to_owned(), system.machine().to_string_lossy().into_owned()),
    ]);
    if let Some(ident) = ident(root) {
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

/// The system's name: of os-release(5), or of Red Hat's file, which is older.
fn ident(root: &Path) -> Option<String> {
    let text = |path: &str| {
        let octets = read_below(root, Path::new(path)).ok()?;
        Some(String::from_utf8_lossy(&octets).into_owned())
    };
    let release = text("/etc/os-release").or_else(|| text("/usr/lib/os-release"));
    release.as_deref().and_then(pretty_name).or_else(|| {
        let release = text("/etc/redhat-release")?;
        let line = release.lines().next()?.trim();
        (!line.is_empty()).then(|| line.to_owned())
    })
}

fn pretty_name(release: &str) -> Option<String> {
    let value = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?.trim();
    let bare = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    Some(bare('"').or_else(|| bare('\'')).unwrap_or(value).to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::target::Target;

    #[test]
    fn the_system_is_named_as_it_names_itself() {
        let release = "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(pretty_name(release).as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!(pretty_name("PRETTY_NAME=Alpine\n").as_deref(), Some("Alpine"));
        assert_eq!(pretty_name("ID=x\n"), None);
    }

    #[test]
    fn a_system_from_before_os_release_has_a_name_too() {
        let root = tempfile::tempdir().expect("a folder");
        let root = root.path();
        fs::create_dir_all(root.join("etc")).expect("a folder");
        assert_eq!(ident(root), None);
        let release = "Red Hat Enterprise Linux Server release 6.6 (Santiago)\n";
        fs::write(root.join("etc/redhat-release"), release).expect("a file");
        let facts = facts("web1", BTreeMap::new(), root);
        let target = "environment->>'ident' LIKE 'Red Hat Enterprise Linux Server release 6.6%'";
        assert!(Target::parse(target).expect("a target").takes(&facts), "{facts:?}");
        // A link that seems to lead out of the root leads to a place below it.
        std::os::unix::fs::symlink("/usr/lib/os-release", root.join("etc/os-release"))
            .expect("a link");
        assert_eq!(ident(root).as_deref(), Some(release.trim()), "it leads nowhere");
        fs::create_dir_all(root.join("usr/lib")).expect("a folder");
        fs::write(root.join("usr/lib/os-release"), "PRETTY_NAME=Own\n").expect("a file");
        assert_eq!(ident(root).as_deref(), Some("Own"));
    }
}
