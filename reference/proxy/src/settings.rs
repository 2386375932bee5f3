//! The proxy's configuration, as values that cannot be wrong.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use edgeproof_accesslog::{Dialect, Format, FormatError};
use edgeproof_waf::{Bounds, Exclusions, Mode, Paranoia, Profile};
use ipnet::IpNet;

use crate::ClockSettings;
use crate::limits::Limits;
use crate::upstream::UpstreamSettings;

/// Everything that [`crate::run`] needs to know. Made from a YAML file by
/// [`Settings::from_yaml`], or field by field.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The file that SIGHUP reads again.
    pub file: Option<PathBuf>,
    /// Addresses for plain HTTP; port 0 lets the system choose.
    pub listen: Vec<SocketAddr>,
    /// Addresses for TLS.
    pub tls: Vec<TlsListener>,
    /// The path of the control socket.
    pub control: Option<PathBuf>,
    /// Threads that serve; each has a listening socket and an origin pool of its own.
    pub threads: NonZeroUsize,
    /// Limits of size and time.
    pub limits: Limits,
    /// The log of requests that belong to no site.
    pub access_log: Option<LogSettings>,
    /// The sites.
    pub sites: Vec<SiteSettings>,
    /// The program, with its first arguments, that looks after a process that the proxy starts: one that
    /// ends in [`crate::keeper::main`].
    pub keeper: Vec<OsString>,
}

impl Default for Settings {
    /// No listener, no site, a thread for each core, this very program as keeper.
    fn default() -> Self {
        Self {
            file: None,
            listen: Vec::new(),
            tls: Vec::new(),
            control: None,
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            limits: Limits::default(),
            access_log: None,
            sites: Vec::new(),
            keeper: edgeproof_upstream::Supervisor::own_keeper(),
        }
    }
}

/// An address that speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsListener {
    /// The address; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The certificate chain, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// One site: the hosts it answers for and where it gets its answers.
#[derive(Debug, Clone)]
pub struct SiteSettings {
    /// The hosts.
    pub hosts: Vec<HostName>,
    /// Where its answers come from.
    pub upstream: UpstreamSettings,
    /// The cache; none if absent.
    pub cache: Option<CacheSettings>,
    /// The firewall; none if absent.
    pub waf: Option<WafSettings>,
    /// The access log; none if absent.
    pub access_log: Option<LogSettings>,
    /// The clock for cache, log and Date.
    pub clock: ClockSettings,
    /// Peers whose X-Forwarded-For says who the client is.
    pub trusted_peers: Vec<IpNet>,
}

impl SiteSettings {
    /// A site for any host, without cache and log, on the machine's clock.
    #[must_use]
    pub fn new(upstream: impl Into<UpstreamSettings>) -> Self {
        Self {
            hosts: vec![HostName::Any],
            upstream: upstream.into(),
            cache: None,
            waf: None,
            access_log: None,
            clock: ClockSettings::default(),
            trusted_peers: Vec::new(),
        }
    }
}

/// A host that a site answers for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostName {
    /// `*`: any host that no other site names, and requests without one.
    Any,
    /// A name or address, in lower case, without port.
    Named(String),
}

/// Why a text is no host name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostNameError {
    /// It has a scheme, a port, or what a name cannot have.
    #[error("expected a host name without scheme and port, or `*`")]
    Form,
    /// A part of a name is left open, as in `*.example.org`.
    #[error(
        "a name stands for itself alone: name each host, or take `*` for all that no other site names"
    )]
    Wildcard,
}

impl FromStr for HostName {
    type Err = HostNameError;

    fn from_str(text: &str) -> Result<Self, HostNameError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if text.contains('*') {
            return Err(HostNameError::Wildcard);
        }
        let authority = edgeproof_http1::Authority::parse(text.to_owned().into());
        match authority {
            Some(authority) if authority.host().len() == text.len() => {
                Ok(Self::Named(text.trim_end_matches('.').to_ascii_lowercase()))
            }
            _ => Err(HostNameError::Form),
        }
    }
}

/// How a site caches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// What is stored and for how long.
    pub policy: edgeproof_cache::Policy,
    /// Where it is stored.
    pub store: StoreSettings,
    /// Who may PURGE.
    pub purge_from: Vec<IpNet>,
}

/// Where a site's cache holds its responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreSettings {
    /// In the proxy's own memory.
    Memory {
        /// Bytes that they may take.
        size: usize,
    },
    /// In a Redis, which bounds its memory itself. Sites that name the same one share it.
    Redis(edgeproof_cache::RedisSettings),
}

/// What a site's firewall looks for, and what it does and writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WafSettings {
    /// Where its rules come from.
    pub rules: WafRules,
    /// The log of what matched, a line a match; none if absent.
    pub log: Option<PathBuf>,
    /// The form of its lines.
    pub log_format: WafLogFormat,
    /// The audit log, a JSON object a transaction; none if absent, whatever SecAuditLog says.
    pub audit_log: Option<PathBuf>,
    /// Where refused requests are kept; none are if absent.
    pub quarantine: Option<QuarantineSettings>,
}

/// The form of a firewall's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WafLogFormat {
    /// `[date] [waf] - IP "REQUEST" - ID | message with value: ...`
    #[default]
    Short,
    /// As ModSecurity writes into Apache's error log: what tools for that look for.
    ModSecurity,
}

/// Where a firewall's rules come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WafRules {
    /// A profile of the Core Rule Set.
    Profile {
        /// Which of its files hold.
        profile: Profile,
        /// What becomes of a request that they deny.
        mode: Mode,
        /// How much they suspect; as the rule set's own settings say if absent.
        paranoia: Option<Paranoia>,
        /// The Core Rule Set's folder. If absent: the newest that `edgeproof crs install` unpacked, or
        /// Debian's package.
        folder: Option<PathBuf>,
        /// What they leave alone.
        exclusions: Exclusions,
    },
    /// A SecLang file with all that it includes: it also says what becomes of a request.
    File(PathBuf),
}

/// Where and how much a firewall keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineSettings {
    /// The folder, for its owner alone.
    pub folder: PathBuf,
    /// How much it holds.
    pub bounds: Bounds,
}

/// Where and how requests are logged.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// The file; made if it is not there.
    pub file: PathBuf,
    /// The compiled format.
    pub format: Arc<Format>,
}

impl LogSettings {
    /// A log in the format `format`, a preset's name or a text in `dialect`; without one, in the
    /// default format.
    ///
    /// # Errors
    /// The first mistake in the format.
    pub fn new(file: PathBuf, format: Option<&str>, dialect: Dialect) -> Result<Self, FormatError> {
        let format = Format::named_or_compiled(format.unwrap_or("default"), dialect)?;
        Ok(Self { file, format: Arc::new(format) })
    }
}

/// The lifetime that a TTL sets, in whole seconds.
pub(crate) fn ttl_seconds(ttl: Duration) -> edgeproof_cache::DeltaSeconds {
    edgeproof_cache::DeltaSeconds::saturating(i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX))
}
