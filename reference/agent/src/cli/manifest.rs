//! `edgeproof agent manifest make|check …`

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::integrity::say;
use super::run::{self, Failure, Settings};
use crate::flags::{self, Known};
use crate::integrity::{Hash, Manifest, make_manifest};

const MAKE: Known<'static> =
    Known { values: &["t", "e", "format", "nice", "memory", "o", "hash"], switches: &["idle"] };
const CHECK: Known<'static> = Known {
    values: &["t", "e", "format", "nice", "memory", "older", "folder"],
    switches: &["idle", "allownew"],
};

pub(crate) fn run(words: &[String]) -> Result<u8, Failure> {
    match words.split_first() {
        Some((first, rest)) if first == "make" => make(rest),
        Some((first, rest)) if first == "check" => check(rest),
        _ => Err(usage("expected `manifest make FOLDER` or `manifest check FILE`")),
    }
}

fn usage(text: impl Into<String>) -> Failure {
    Failure::Usage(text.into())
}

fn one<'w>(others: &'w [String], what: &str) -> Result<&'w Path, Failure> {
    match others {
        [one] => Ok(Path::new(one)),
        [] => Err(usage(format!("expected {what}"))),
        [_, second, ..] => Err(usage(format!("`{second}` is too much: expected {what}"))),
    }
}

fn make(words: &[String]) -> Result<u8, Failure> {
    let (given, others) = flags::read(words, MAKE)?;
    let folder = one(&others, "one folder: `manifest make FOLDER`")?;
    let mut settings = Settings::default();
    let mut hash = Hash::default();
    let mut to = None;
    for flag in &given {
        match flag.name.as_str() {
            "hash" => hash = flag.value.parse().map_err(Failure::Usage)?,
            "o" => to = Some(PathBuf::from(&flag.value)),
            "e" => return Err(usage("-e: a manifest of a part would find no fault in the rest")),
            _ => drop(settings.take(flag)?),
        }
    }
    if folder.is_file() {
        let text = format!("{}: this is a file, expected a folder", folder.display());
        return Err(usage(text));
    }
    settings.start()?;
    // Told before the folder is read, which may take long; but made after that, so that who is ended meanwhile leaves none.
    to.as_deref().map(|to| check_place(to, folder)).transpose()?;
    let manifest = make_manifest(folder, hash).map_err(|(path, error)| {
        usage(format!("{}: {error}; no manifest was made", path.display()))
    })?;
    match to {
        None => run::print(&manifest.to_text())?,
        Some(to) => {
            let file = File::create_new(&to).map_err(|error| not_made(&to, &error))?;
            write(file, &manifest).map_err(|error| discard(&to, error))?;
            run::print(&format!("{} files in {}\n", manifest.len(), to.display()))?;
        }
    }
    Ok(0)
}

/// Whether a new file can be made, which does not lie in the folder that it will describe.
fn check_place(to: &Path, folder: &Path) -> Result<(), Failure> {
    let wrong = |error: &dyn std::fmt::Display| usage(format!("{}: {error}", to.display()));
    let above = to.parent().filter(|above| !above.as_os_str().is_empty());
    let above = above.unwrap_or(Path::new(".")).canonicalize().map_err(|error| wrong(&error))?;
    if folder.canonicalize().is_ok_and(|folder| above.starts_with(folder)) {
        return Err(wrong(&"it would lie in the folder that it describes, as a new file"));
    }
    if std::fs::symlink_metadata(to).is_ok() {
        return Err(not_made(to, &io::ErrorKind::AlreadyExists.into()));
    }
    access(&above, Access::WRITE_OK).map_err(|error| wrong(&error))
}

fn not_made(to: &Path, error: &io::Error) -> Failure {
    let text = match error.kind() {
        io::ErrorKind::AlreadyExists => {
            "it is there already; keep it, an earlier manifest tells old content".to_owned()
        }
        _ => error.to_string(),
    };
    usage(format!("{}: {text}", to.display()))
}

fn write(mut file: File, manifest: &Manifest) -> io::Result<()> {
    file.write_all(manifest.to_text().as_bytes())?;
    file.sync_all()
}

/// Half a manifest is none.
fn discard(to: &Path, error: io::Error) -> Failure {
    let _ = std::fs::remove_file(to);
    Failure::Output(error)
}

fn check(words: &[String]) -> Result<u8, Failure> {
    let (given, others) = flags::read(words, CHECK)?;
    let file = one(&others, "one manifest: `manifest check FILE`")?;
    let mut settings = Settings::default();
    let mut older = Vec::new();
    let mut folder = None;
    let mut allow_new = false;
    for flag in &given {
        match flag.name.as_str() {
            "older" => older.push(PathBuf::from(&flag.value)),
            "folder" => folder = Some(PathBuf::from(&flag.value)),
            "allownew" => allow_new = flag.is_on()?,
            _ => drop(settings.take(flag)?),
        }
    }
    let deadline = settings.start()?;
    let mut manifest = read(file)?;
    let older =
        older.iter().map(|file| older_one(file, &manifest)).collect::<Result<Vec<_>, _>>()?;
    if let Some(folder) = folder {
        let real = folder.canonicalize();
        let wrong = |error| usage(format!("-folder {}: {error}", folder.display()));
        manifest.moved_to(real.map_err(wrong)?);
    }
    let mut found = manifest.check(&older, deadline);
    if allow_new {
        found.new.clear();
    }
    say(&found, &settings)
}

fn older_one(file: &Path, manifest: &Manifest) -> Result<Manifest, Failure> {
    let older = read(file)?;
    match older.hash() == manifest.hash() {
        true => Ok(older),
        false => {
            let text = "its digests are others than the manifest's: they cannot be compared";
            Err(usage(format!("-older {}: {text}", file.display())))
        }
    }
}

fn read(file: &Path) -> Result<Manifest, Failure> {
    let wrong = |error: &dyn std::fmt::Display| usage(format!("{}: {error}", file.display()));
    let text = std::fs::read(file).map_err(|error| wrong(&error))?;
    String::from_utf8_lossy(&text).parse().map_err(|error| wrong(&error))
}
