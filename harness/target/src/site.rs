//! A case's site, as the runner asks for it and as templates see it.

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
    clock: Option<Clock>,
    pub(crate) log: Log,
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
            clock: spec.clock.map(|clock| Clock { start: clock.start, zone: clock.zone }),
            log: Log::default(),
        }
    }
}
