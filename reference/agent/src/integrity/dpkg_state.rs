//! What dpkg knows of installed packages: /var/lib/dpkg/status, diversions, info/*.md5sums and *.list.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::root::Root;
use crate::sshd::config::Files as _;

const INFO: &str = "/var/lib/dpkg/info";
pub(super) const STATUS: &str = "/var/lib/dpkg/status";

/// An MD5, as the manifests have it.
pub(super) type Md5Sum = [u8; 16];

/// An installed package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) architecture: String,
    /// Its configuration files as it brought them; no digest for one that is out of use.
    pub(super) conffiles: Vec<(PathBuf, Option<Md5Sum>)>,
}

impl Package {
    /// Whether `name` or `name:architecture` is this one.
    pub(super) fn is(&self, name: &str) -> bool {
        let (bare, architecture) = name.split_once(':').unwrap_or((name, &self.architecture));
        bare == self.name && architecture == self.architecture
    }

    /// A file of dpkg's about it, which is named with the architecture where several may be installed.
    fn info(&self, root: &Root, ending: &str) -> PathBuf {
        let Self { name, architecture, .. } = self;
        let file = |stem: &str| Path::new(INFO).join(format!("{stem}.{ending}"));
        let with = file(&format!("{name}:{architecture}"));
        if root.is_there(&with) { with } else { file(name) }
    }

    /// When it was unpacked, in seconds since 1970: then the list of its files was written.
    pub(super) fn unpacked(&self, root: &Root) -> io::Result<i64> {
        root.plain_file(&self.info(root, "list"))?
            .ok_or_else(|| io::Error::other("it is no file"))?
            .metadata()
            .map(|facts| facts.mtime())
    }

    /// The files that it brought, and how many lines of its manifest are none. `None` without a manifest.
    pub(super) fn files(&self, root: &Root) -> io::Result<Option<Manifest>> {
        match root.read(&self.info(root, "md5sums")) {
            Ok(text) => Ok(Some(manifest(&text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Everything that it brought: files, folders and links.
    pub(super) fn list(&self, root: &Root) -> io::Result<Vec<PathBuf>> {
        let list = root.read(&self.info(root, "list"))?;
        let paths = list.split(|octet| *octet == b'\n').filter(|path| path.starts_with(b"/"));
        Ok(paths.map(|path| PathBuf::from(OsString::from_vec(path.to_vec()))).collect())
    }
}

/// The lines of an md5sums file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) files: Vec<(PathBuf, Md5Sum)>,
    /// Lines that are not of the form, which is what a lost block leaves.
    pub(super) broken: usize,
}

pub(super) fn manifest(text: &[u8]) -> Manifest {
    let mut manifest = Manifest::default();
    for line in text.split(|octet| *octet == b'\n').filter(|line| !line.is_empty()) {
        let entry = line.split_at_checked(32).and_then(|(md5, path)| {
            let path = path.strip_prefix(b"  ").or_else(|| path.strip_prefix(b" *"))?;
            let path = path.strip_prefix(b"./").unwrap_or(path);
            let path = OsString::from_vec(path.to_vec());
            Some((Path::new("/").join(path), md5_of(md5)?))
        });
        match entry {
            Some(entry) => manifest.files.push(entry),
            None => manifest.broken += 1,
        }
    }
    manifest
}

fn md5_of(digits: &[u8]) -> Option<Md5Sum> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 32)?;
    let number = digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(digits)?;
    Some(u128::from_str_radix(number, 16).ok()?.to_be_bytes())
}

/// The packages that are unpacked.
pub(super) fn packages(root: &Root) -> io::Result<Vec<Package>> {
    let status = root.read(Path::new(STATUS))?;
    let status = String::from_utf8_lossy(&status);
    Ok(status.split("\n\n").filter_map(package).collect())
}

/// Lists of files whose package the state does not name, installed or not.
pub(super) fn orphans(root: &Root) -> io::Result<Vec<PathBuf>> {
    let status = root.read(Path::new(STATUS))?;
    let status = String::from_utf8_lossy(&status);
    let known: HashSet<&str> =
        status.lines().filter_map(|line| line.strip_prefix("Package:")).map(str::trim).collect();
    let is_known = |list: &PathBuf| {
        let stem = list.file_stem().unwrap_or_default().to_string_lossy();
        known.contains(stem.split_once(':').map_or(&*stem, |(name, _)| name))
    };
    let mut lists = root.listed(Path::new(INFO), "*.list")?;
    lists.retain(|list| !is_known(list));
    Ok(lists)
}

fn package(paragraph: &str) -> Option<Package> {
    let field = |name| paragraph.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let state = field("Status:")?.rsplit(' ').next()?;
    if matches!(state, "not-installed" | "config-files") {
        return None;
    }
    let lines = paragraph.lines().skip_while(|line| !line.starts_with("Conffiles:")).skip(1);
    let conffiles = lines.take_while(|line| line.starts_with(' ')).filter_map(|line| {
        let line = line.trim();
        // What a newer version no longer has (`obsolete`) or never unpacked (`newconffile`) is nothing to check.
        let in_use =
            line.rsplit_once(' ').and_then(|(path, md5)| Some((path, md5_of(md5.as_bytes())?)));
        match in_use {
            Some((path, md5)) => Some((PathBuf::from(path), Some(md5))),
            None => Some((PathBuf::from(line.split(' ').next()?), None)),
        }
    });
    Some(Package {
        name: field("Package:")?.to_owned(),
        architecture: field("Architecture:").unwrap_or_default().to_owned(),
        conffiles: conffiles.collect(),
    })
}

/// dpkg-divert(1): where files of other packages are, and whose file stands in their place.
#[derive(Debug, Default)]
pub(super) struct Diversions(HashMap<PathBuf, (PathBuf, String)>);

impl Diversions {
    pub(super) fn read(root: &Root) -> Self {
        let text = root.read(Path::new("/var/lib/dpkg/diversions")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let (triples, _) = lines.as_chunks::<3>();
        let triples = triples.iter();
        Self(triples.map(|[from, to, by]| (from.into(), (to.into(), (*by).to_owned()))).collect())
    }

    /// Where a package's file is.
    pub(super) fn place(&self, path: PathBuf, package: &str) -> PathBuf {
        match self.0.get(&path) {
            Some((to, by)) if by != package => to.clone(),
            _ => path,
        }
    }
}

/// What files were once: a folder with the md5sums of earlier versions, such as a saved /var/lib/dpkg/info.
#[derive(Debug, Default)]
pub(super) struct Earlier(HashSet<(Arc<Path>, Md5Sum)>);

impl Earlier {
    /// Reads one more folder; answers how many manifests it holds.
    pub(super) fn take(&mut self, folder: &Path) -> io::Result<usize> {
        let folder = Root::open(folder)?;
        let manifests = folder.listed(Path::new("/"), "*.md5sums")?;
        for file in &manifests {
            let files = manifest(&folder.read(file)?).files;
            self.0.extend(files.into_iter().map(|(path, md5)| (Arc::from(path), md5)));
        }
        Ok(manifests.len())
    }

    pub(super) fn has(&self, path: &Path, md5: Md5Sum) -> bool {
        !self.0.is_empty() && self.0.contains(&(Arc::from(path), md5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

    #[test]
    fn only_what_is_unpacked_and_in_use() {
        let status = format!(
            "Package: a\nStatus: install ok installed\nArchitecture: amd64\nConffiles:\n /etc/a b {MD5}\n \
             /etc/gone {MD5} obsolete\n /etc/new newconffile\nDescription: x\n /etc/no {MD5}\n\n\
             Package: b\nStatus: deinstall ok config-files\nArchitecture: all\nConffiles:\n /etc/b {MD5}\n"
        );
        let found: Vec<Package> = status.split("\n\n").filter_map(package).collect();
        assert_eq!(found.len(), 1);
        let conffiles = found[0].conffiles.iter();
        let paths: Vec<_> = conffiles.map(|(path, md5)| (path.to_str(), md5.is_some())).collect();
        let is = [("/etc/a b", true), ("/etc/gone", false), ("/etc/new", false)];
        assert_eq!(paths, is.map(|(path, in_use)| (Some(path), in_use)));
        assert!(found[0].is("a") && found[0].is("a:amd64") && !found[0].is("a:i386"));
    }

    #[test]
    fn a_manifest_with_a_hole() {
        let text = format!("{MD5}  usr/bin/a b\n{MD5}  ./usr/c\n\0\0\0\0\nD41D8CD9  usr/d\n");
        let Manifest { files, broken } = manifest(text.as_bytes());
        let paths: Vec<_> = files.into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, [Path::new("/usr/bin/a b"), Path::new("/usr/c")]);
        assert_eq!(broken, 2);
    }
}
