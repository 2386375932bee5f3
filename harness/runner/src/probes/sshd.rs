//! The effective configuration of an sshd: `sshd -T -C user=…,host=…,addr=… -f CONFIG`.

use std::process::Stdio;
use std::time::Duration;

use edgeproof_target::SshdPaths;
use tokio::process::Command;

use crate::expect::Facts;

const LONGEST: Duration = Duration::from_secs(10);

/// Who connects, as the `Match` blocks see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connecting {
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) addr: String,
}

/// Asks the daemon itself, so that Include order, defaults and Match blocks are its own business.
pub(crate) async fn effective(paths: &SshdPaths, who: &Connecting) -> Result<Facts, String> {
    let Connecting { user, host, addr } = who;
    let asked = Command::new(&paths.binary)
        .arg("-T")
        .arg("-f")
        .arg(&paths.config)
        .arg("-C")
        .arg(format!("user={user},host={host},addr={addr}"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let binary = paths.binary.display();
    let output = tokio::time::timeout(LONGEST, asked)
        .await
        .map_err(|_| format!("{binary} -T gave no answer in {LONGEST:?}"))?
        .map_err(|error| format!("cannot run {binary}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(format!("{binary} -T refused the configuration ({}): {said}", output.status));
    }
    Ok(directives(&String::from_utf8_lossy(&output.stdout)))
}

/// One directive a line, its name in lower case (OpenSSH 10.4 and later print it as the manual writes it); a directive on several lines has several values.
pub(crate) fn directives(text: &str) -> Facts {
    let mut facts = Facts::default();
    for line in text.lines() {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        if !name.is_empty() {
            facts.add(&name.to_ascii_lowercase(), value.trim());
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directive_on_several_lines_has_several_values() {
        let facts =
            directives("port 22\nhostkey /a\nhostkey /b\nauthenticationmethods publickey\n");
        assert_eq!(facts.0["hostkey"], [b"/a".to_vec(), b"/b".to_vec()]);
        assert_eq!(facts.0["authenticationmethods"], [b"publickey".to_vec()]);
    }

    #[test]
    fn names_are_the_same_in_whatever_case_they_are_printed() {
        let facts = directives("PermitRootLogin no\nLogLevel VERBOSE\n");
        assert_eq!(facts.0["permitrootlogin"], [b"no".to_vec()]);
        assert_eq!(facts.0["loglevel"], [b"VERBOSE".to_vec()]);
    }
}
