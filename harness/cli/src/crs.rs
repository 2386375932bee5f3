//! `edgeproof crs`: the OWASP Core Rule Set for the reference's firewall.

use std::path::Path;
use std::time::Duration;

use edgeproof_proxy::{CoreRuleSet, folders};
use edgeproof_report::ExitCode;

use crate::args::CrsInstall;
use crate::failure::Failure;

/// Where the project publishes its releases.
const RELEASES: &str = "https://github.com/coreruleset/coreruleset/archive/refs/tags/v";
/// Bytes that an archive may have: version 4 has 3 MB.
const ARCHIVE_MAX: u64 = 64 << 20;

pub(crate) fn install(arguments: &CrsInstall) -> Result<ExitCode, Failure> {
    let archive = archive(&arguments.source)?;
    let own = folders::installed_rules();
    let installed = CoreRuleSet::install(&archive, arguments.sha256.as_deref(), &own)
        .map_err(|error| Failure::Usage(format!("{}: {error}", arguments.source)))?;
    let done = if installed.was_there { "is there already" } else { "is installed" };
    println!("Core Rule Set {} {done}: {}", installed.version, installed.folder.display());
    println!("sha256 {}", installed.sha256);
    Ok(ExitCode::Good)
}

/// A file's bytes, or those behind an address; a version is one of the project's releases.
fn archive(source: &str) -> Result<Vec<u8>, Failure> {
    if source.starts_with("http://") || source.starts_with("https://") {
        return download(source);
    }
    let file = Path::new(source);
    let is_version = source.starts_with(|first: char| first.is_ascii_digit())
        && source.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if is_version && !file.exists() {
        return download(&format!("{RELEASES}{source}.tar.gz"));
    }
    std::fs::read(file).map_err(|error| Failure::read(file, &error))
}

fn download(url: &str) -> Result<Vec<u8>, Failure> {
    let failed = |error: ureq::Error| Failure::Usage(format!("cannot get {url}: {error}"));
    let config =
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(120))).build();
    let mut answer = ureq::Agent::new_with_config(config).get(url).call().map_err(failed)?;
    answer.body_mut().with_config().limit(ARCHIVE_MAX).read_to_vec().map_err(failed)
}
