//! Container images, built once from a recipe: the tag is the hash of the recipe and its base.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use crate::engine::Engine;
use crate::programs;
use crate::requirements::Unavailable;
use crate::spec::Container;

/// Overrides the base image of every recipe.
const BASE_VARIABLE: &str = "EDGEPROOF_BASE_IMAGE";
/// What `ci/images/base/build` makes where no registry can be reached.
const OWN_BASE: &str = "edgeproof-base:latest";

/// The image of that container, built now if it is not there. Blocks while it is built.
pub(crate) fn ready(
    engine: &Engine,
    container: &Container,
) -> Result<(String, String), Unavailable> {
    let Some(recipe) = &container.build else {
        let (name, tag) = container.image.split_once(':').unwrap_or((&container.image, "latest"));
        return Ok((name.to_owned(), tag.to_owned()));
    };
    let base = base(engine, container.base.as_deref());
    let tag = hash(recipe, base.as_deref())
        .map_err(|error| unavailable(format!("cannot read {}: {error}", recipe.display())))?;
    let image = format!("{}:{tag}", container.image);
    if !engine.has_image(&image).map_err(unavailable)? {
        build(engine, recipe, &image, base.as_deref())?;
    }
    Ok((container.image.clone(), tag))
}

fn unavailable(reason: String) -> Unavailable {
    Unavailable { reason, hint: None }
}

/// The override, else the recipe's base if it is here, else the self-made one if it is here, else the
/// recipe's base, which the engine then pulls.
fn base(engine: &Engine, wanted: Option<&str>) -> Option<String> {
    let override_ = std::env::var(BASE_VARIABLE).ok().filter(|name| !name.is_empty());
    let here = |name: &str| engine.has_image(name).unwrap_or(false);
    override_.or_else(|| match wanted {
        Some(wanted) if !here(wanted) && here(OWN_BASE) => Some(OWN_BASE.to_owned()),
        wanted => wanted.map(str::to_owned),
    })
}

/// 64 bits of a SHA-256 over the names and contents of all files of the recipe, and the base.
fn hash(recipe: &Path, base: Option<&str>) -> io::Result<String> {
    let mut files = Vec::new();
    list(recipe, &mut files)?;
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let name = file.strip_prefix(recipe).unwrap_or(&file).display().to_string();
        let content = fs::read(&file)?;
        hash.update(format!("{name}\0{}\0", content.len()));
        hash.update(content);
    }
    hash.update(base.unwrap_or_default());
    Ok(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            list(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// On the host's network, as the containers later: an engine without a bridge can build too.
fn build(
    engine: &Engine,
    recipe: &Path,
    image: &str,
    base: Option<&str>,
) -> Result<(), Unavailable> {
    let program = programs::find("docker").ok_or_else(|| {
        unavailable(format!("the docker command, which builds {image}, is missing"))
    })?;
    let mut command = Command::new(program);
    command.env("DOCKER_HOST", engine.address()).stdin(Stdio::null());
    command.args(["build", "--quiet", "--network", "host", "--tag", image]);
    if let Some(base) = base {
        command.args(["--build-arg", &format!("BASE={base}")]);
    }
    let output = command
        .arg(recipe)
        .output()
        .map_err(|error| unavailable(format!("cannot run docker build: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let end: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let end = end[end.len().saturating_sub(3)..].join("; ");
    Err(Unavailable {
        reason: format!("the image {image} cannot be built: {end}"),
        hint: Some(format!("without a registry: ci/images/base/build makes {OWN_BASE}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_follows_every_file_and_the_base() {
        let recipe = tempfile::tempdir().unwrap();
        let at = |name: &str| recipe.path().join(name);
        fs::write(at("Dockerfile"), "ARG BASE\nFROM $BASE\n").unwrap();
        let first = hash(recipe.path(), Some("debian")).unwrap();
        assert_eq!(hash(recipe.path(), Some("debian")).unwrap(), first);
        assert_ne!(hash(recipe.path(), Some("debian:12")).unwrap(), first);
        fs::create_dir(at("etc")).unwrap();
        fs::write(at("etc/x"), "").unwrap();
        assert_ne!(hash(recipe.path(), Some("debian")).unwrap(), first);
        assert_eq!(first.len(), 16);
    }
}
