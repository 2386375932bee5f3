//! `--target http://127.0.0.1:8080`: a target without a folder.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use edgeproof_scenario::misspelt_ability;
use nix::sys::signal::Signal;

use super::{
    ClockKind, Logs, Ready, ReadyWhen, Requirements, Run, Service, Services, Stop, TargetSpec, Text,
};
use crate::expresses::Expresses;
use crate::known::KnownFailures;

/// Why a URL cannot be a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not one of the three schemes.
    #[error("expected http://HOST:PORT, https://HOST:PORT or ssh://HOST:PORT, found {0:?}")]
    Scheme(String),
    /// Something behind the port.
    #[error("{0:?} has a path: a target is a whole server, give only scheme, host and port")]
    Path(String),
    /// No address for the host.
    #[error("cannot find the address of {host}: {reason}")]
    Unresolved {
        /// The host and port.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// The WAF log's path has a template's delimiter in it.
    #[error("the path {0:?} cannot be used: it has `{{{{`, `{{%` or `{{#` in it")]
    Log(String),
    /// Nearly a word that a target can declare.
    #[error("{found:?} is nothing that a target can declare; did you mean `{meant}`?")]
    Ability {
        /// The word.
        found: String,
        /// The one that is near.
        meant: &'static str,
    },
    /// Beyond loopback.
    #[error(
        "{host} is not on this machine; scenarios fire attacks and load: only with --allow-remote, \
         and only against what is yours"
    )]
    Remote {
        /// The host and port.
        host: String,
    },
}

/// A scheme with its default port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
    Ssh,
}

/// Splits `http://HOST[:PORT][/]` into the scheme and `HOST:PORT`.
pub(crate) fn split(url: &str) -> Result<(Scheme, String), UrlError> {
    let (scheme, rest) = url.split_once("://").ok_or_else(|| UrlError::Scheme(url.into()))?;
    let (scheme, port) = match scheme {
        "http" => (Scheme::Http, 80),
        "https" => (Scheme::Https, 443),
        "ssh" => (Scheme::Ssh, 22),
        _ => return Err(UrlError::Scheme(url.into())),
    };
    let host = rest.strip_suffix('/').unwrap_or(rest);
    if host.is_empty() {
        return Err(UrlError::Scheme(url.into()));
    }
    if host.contains(['/', '?', '#', '@']) {
        return Err(UrlError::Path(url.into()));
    }
    let has_port = host.rsplit_once(':').is_some_and(|(name, port)| {
        port.parse::<u16>().is_ok() && (!name.contains(':') || name.ends_with(']'))
    });
    Ok((scheme, if has_port { host.to_owned() } else { format!("{host}:{port}") }))
}

/// The address of `HOST:PORT`, which must be on this machine unless `allow_remote`.
pub(crate) fn resolve(host: &str, allow_remote: bool) -> Result<SocketAddr, UrlError> {
    let unresolved = |reason: String| UrlError::Unresolved { host: host.to_owned(), reason };
    let addresses: Vec<SocketAddr> =
        host.to_socket_addrs().map_err(|error| unresolved(error.to_string()))?.collect();
    // A name with one address elsewhere is elsewhere: it is not known which one is taken later.
    if !allow_remote && addresses.iter().any(|address| !address.ip().is_loopback()) {
        return Err(UrlError::Remote { host: host.to_owned() });
    }
    addresses.first().copied().ok_or_else(|| unresolved("no address".into()))
}

pub(super) fn target(
    url: &str,
    declares: &[String],
    allow_remote: bool,
) -> Result<TargetSpec, UrlError> {
    for word in declares {
        if let Some(meant) = misspelt_ability(word) {
            return Err(UrlError::Ability { found: word.clone(), meant });
        }
    }
    let (scheme, host) = split(url)?;
    let address = resolve(&host, allow_remote)?;
    let written = match scheme {
        Scheme::Http => format!("http://{address}"),
        Scheme::Https => format!("https://{address}"),
        Scheme::Ssh => format!("ssh://{address}"),
    };
    let service = Service {
        run: Run::Url(Text::literal(&written)),
        address: None,
        tls: None,
        ready: Ready { when: ReadyWhen::Connect, within: Duration::from_secs(5) },
        stop: Stop { signal: Signal::SIGTERM, within: Duration::ZERO },
        sshd: None,
    };
    let mut features = match scheme {
        Scheme::Http => vec!["http".to_owned()],
        Scheme::Https => vec!["http".to_owned(), "tls".to_owned()],
        Scheme::Ssh => vec!["ssh".to_owned()],
    };
    features.extend(
        declares.iter().filter(|feature| !features.contains(feature)).cloned().collect::<Vec<_>>(),
    );
    let services = match scheme {
        Scheme::Ssh => Services { ssh: Some(service), ..Services::default() },
        Scheme::Http | Scheme::Https => Services { http: Some(service), ..Services::default() },
    };
    Ok(TargetSpec {
        name: url.to_owned(),
        title: url.to_owned(),
        folder: None,
        version: None,
        available: Requirements::default(),
        negative_control: false,
        vars: Vec::new(),
        files: Vec::new(),
        services,
        logs: Logs::default(),
        expresses: Expresses::of_a_running_target(&features),
        declares: features,
        warnings: Vec::new(),
        clock: ClockKind::Backdate,
        max_wait: None,
        known_failures: KnownFailures::default(),
    })
}
