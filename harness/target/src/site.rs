//! A case's site, as the runner asks for it and as templates see it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use edgeproof_scenario::model::{Paranoia, SiteSpec};
use serde::Serialize;

/// One case's place in the target's configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteRequest {
    /// Unique in a start, safe in a file's name and in a configuration's identifiers: ASCII letters,
    /// digits and `_`.
    pub id: String,
    /// The host name: unique unless the case fixes it.
    pub host: String,
    /// The scripted origin: the shared listener, or a port leased for this case.
    pub upstream: SocketAddr,
    /// The unique path prefix by which the origin tells cases of one host apart; may be empty.
    pub prefix: String,
    /// What the case asks for.
    pub spec: SiteSpec,
}

/// A site as a template sees it. Every key is there; what a case does not set is `none`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Site {
    id: String,
    host: String,
    any_host: bool,
    /// `http://127.0.0.1:8080`
    upstream: String,
    /// `127.0.0.1:8080`
    upstream_address: String,
    prefix: String,
    cache: Option<Cache>,
    waf: Option<Waf>,
    access_log: Option<AccessLog>,
    trusted_peers: Option<Vec<String>>,
    clock: Option<Clock>,
    command: Option<Command>,
    pub(crate) log: Log,
}

/// `site.upstream` of a case, beside the address of its origin.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Command {
    line: String,
    listen: Option<String>,
    idle_ms: Option<u128>,
    start_limit_ms: Option<u128>,
    stop_grace_ms: Option<u128>,
    environment: BTreeMap<String, String>,
    files: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Cache {
    policy: Option<String>,
    ttl_ms: Option<u128>,
    size: Option<u64>,
    purge_from: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Waf {
    profile: String,
    mode: String,
    paranoia: Option<u8>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct AccessLog {
    format: Option<String>,
    preset: Option<String>,
    dialect: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Clock {
    start: String,
    zone: Option<String>,
}

/// Where the target writes about the site.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(crate) struct Log {
    pub(crate) access: Option<String>,
    pub(crate) waf: Option<String>,
    pub(crate) upstream: Option<String>,
    pub(crate) audit: Option<String>,
    pub(crate) held: Option<String>,
}

impl From<&SiteRequest> for Site {
    fn from(request: &SiteRequest) -> Self {
        let spec = request.spec.clone();
        Self {
            id: request.id.clone(),
            host: request.host.clone(),
            any_host: spec.any_host,
            upstream: format!("http://{}", request.upstream),
            upstream_address: request.upstream.to_string(),
            prefix: request.prefix.clone(),
            cache: spec.cache.map(|cache| Cache {
                policy: cache.policy,
                ttl_ms: cache.ttl.map(|ttl| ttl.as_millis()),
                size: cache.size,
                purge_from: cache.purge_from,
            }),
            waf: spec.waf.map(|waf| Waf {
                profile: waf.profile,
                mode: waf.mode,
                paranoia: waf.paranoia.map(Paranoia::level),
            }),
            access_log: spec.access_log.map(|log| AccessLog {
                format: log.format,
                preset: log.preset,
                dialect: log.dialect,
            }),
            trusted_peers: spec.trusted_peers,
            clock: spec.clock.map(|clock| Clock { start: clock.start, zone: clock.zone }),
            command: spec.upstream.map(|upstream| Command {
                line: upstream.command,
                listen: upstream.listen,
                idle_ms: upstream.idle.map(|time| time.as_millis()),
                start_limit_ms: upstream.start_limit.map(|time| time.as_millis()),
                stop_grace_ms: upstream.stop_grace.map(|time| time.as_millis()),
                environment: upstream.environment.into_iter().collect(),
                files: upstream.files,
            }),
            log: Log::default(),
        }
    }
}
