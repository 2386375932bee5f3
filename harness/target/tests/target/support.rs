//! What the tests of this crate share: the examples they start, and target folders written on the spot.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use edgeproof_diagnostics::Colour;
use edgeproof_scenario::model::SiteSpec;
use edgeproof_target::{SiteRequest, StartOptions, TargetSpec};

/// An example of this crate.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().with_file_name("examples").join(name);
    assert!(program.exists(), "build it: cargo build -p edgeproof-target --examples");
    program
}

pub(crate) fn options() -> StartOptions {
    StartOptions {
        origin: origin(),
        program: example("door"),
        supervisor: vec![example("supervise").into()],
        allow_remote: false,
        moves_time: true,
    }
}

pub(crate) fn origin() -> SocketAddr {
    "127.0.0.1:1".parse().unwrap()
}

/// A folder `NAME` with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("target-").tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

pub(crate) fn load(folder: &Path) -> TargetSpec {
    TargetSpec::load(folder)
        .unwrap_or_else(|diagnostics| panic!("{}", diagnostics.render(Colour::Never)))
}

pub(crate) fn site(id: &str, spec: SiteSpec) -> SiteRequest {
    SiteRequest {
        id: id.into(),
        host: format!("{id}.edgeproof.test"),
        upstream: origin(),
        prefix: format!("/{id}"),
        spec,
    }
}
