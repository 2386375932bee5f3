//! What a case asks of its site's configuration. A target that cannot express one of these keys skips
//! the case with that reason.

use std::time::Duration;

/// `site:` of a case.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SiteSpec {
    /// `host`: a fixed host name, where a golden line needs one; else the runner makes one.
    pub host: Option<String>,
    /// `any_host`: it answers requests for every host, also such without one, and cases with the same
    /// site share it.
    pub any_host: bool,
    /// `cache`: off when absent.
    pub cache: Option<CacheSite>,
    /// `waf`: off when absent.
    pub waf: Option<WafSite>,
    /// `access_log`: the target's default format when absent.
    pub access_log: Option<AccessLog>,
    /// `trusted_peers`: whose X-Forwarded-For says who the client is, as CIDR; `None` = nobody's.
    pub trusted_peers: Option<Vec<String>>,
    /// `clock`: where the site's virtual clock starts.
    pub clock: Option<SiteClock>,
    /// `upstream`: a command that the target starts instead of asking the case's origin.
    pub upstream: Option<UpstreamSite>,
}

/// `site.upstream`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UpstreamSite {
    /// `command`: `{port}`, `{host}` and `{socket}` in it are the target's to fill in.
    pub command: String,
    /// `listen`: `port` or `socket`; as the command asks if absent.
    pub listen: Option<String>,
    /// `idle`: how long nobody may ask for it before it is stopped; zero: never.
    pub idle: Option<Duration>,
    /// `start_limit`: how long it may take until it listens.
    pub start_limit: Option<Duration>,
    /// `stop_grace`: between SIGTERM and SIGKILL.
    pub stop_grace: Option<Duration>,
    /// `environment`: variables besides those that the target sets itself.
    pub environment: Vec<(String, String)>,
    /// `files`: open files that it may have.
    pub files: Option<u64>,
}

/// `site.cache`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CacheSite {
    /// `policy`: `rfc9111` (default) or `hosting`.
    pub policy: Option<String>,
    /// `ttl`: the lifetime of a response without an explicit one.
    pub ttl: Option<Duration>,
    /// `size`: the store's bound in octets.
    pub size: Option<u64>,
    /// `purge_from`: who may PURGE, as CIDR; `None` = nobody.
    pub purge_from: Option<Vec<String>>,
}

/// `site.waf`.
#[derive(Debug, Clone, PartialEq)]
pub struct WafSite {
    /// `profile`: basic, strong, full, wordpress, drupal (SPEC section 4), or regression.
    pub profile: String,
    /// `mode`: block (default), alert, quarantine.
    pub mode: String,
    /// `paranoia`: the Core Rule Set's level; what the target's set-up says when absent.
    pub paranoia: Option<Paranoia>,
}

/// How much of the Core Rule Set holds: 1 (no false alarm is wanted) to 4 (every attack is to be seen).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Paranoia(u8);

impl Paranoia {
    /// The levels as they are written.
    pub const WORDS: &[&str] = &["1", "2", "3", "4"];

    /// The level of that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::WORDS.contains(&word).then(|| word.parse().ok().map(Self)).flatten()
    }

    /// 1 to 4.
    pub fn level(self) -> u8 {
        self.0
    }
}

impl WafSite {
    /// The profile under which a rule set's own regression tests are run: every rule at the highest
    /// paranoia level, answers inspected too, nothing blocked.
    pub const REGRESSION: &str = "regression";
}

/// `site.access_log`.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessLog {
    /// `format`: text with `{variables}`, or absent for a preset.
    pub format: Option<String>,
    /// `preset`: default, common, combined, json.
    pub preset: Option<String>,
    /// `dialect`: `2018` or `current`.
    pub dialect: Option<String>,
}

/// `site.clock`.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteClock {
    /// `start`: RFC 3339, whose offset is the zone of the log's dates unless `zone` says another.
    pub start: String,
    /// `zone`: an offset such as `+02:00` or an IANA name.
    pub zone: Option<String>,
}

impl SiteSpec {
    /// The dotted keys that this site sets, with their values as text: what a target must be able to
    /// express. `cache`, `cache.policy=hosting`, `cache.ttl=10s`, `access_log.format=…`.
    pub fn keys(&self) -> Vec<(&'static str, String)> {
        let mut keys = Vec::new();
        if self.host.is_some() {
            keys.push(("host", String::new()));
        }
        if self.any_host {
            keys.push(("any_host", String::new()));
        }
        if let Some(cache) = &self.cache {
            keys.push(("cache", String::new()));
            keys.extend(cache.policy.iter().map(|p| ("cache.policy", p.clone())));
            keys.extend(cache.ttl.iter().map(|t| ("cache.ttl", format!("{t:?}"))));
            keys.extend(cache.size.iter().map(|s| ("cache.size", s.to_string())));
            keys.extend(cache.purge_from.iter().map(|p| ("cache.purge_from", p.join(","))));
        }
        if let Some(waf) = &self.waf {
            keys.push(("waf", String::new()));
            keys.push(("waf.profile", waf.profile.clone()));
            // That profile's mode is its own: nothing is blocked.
            if waf.profile != WafSite::REGRESSION {
                keys.push(("waf.mode", waf.mode.clone()));
            }
            keys.extend(waf.paranoia.iter().map(|p| ("waf.paranoia", p.level().to_string())));
        }
        if let Some(log) = &self.access_log {
            keys.push(("access_log", String::new()));
            keys.extend(log.format.iter().map(|f| ("access_log.format", f.clone())));
            keys.extend(log.preset.iter().map(|p| ("access_log.preset", p.clone())));
            keys.extend(log.dialect.iter().map(|d| ("access_log.dialect", d.clone())));
        }
        keys.extend(self.trusted_peers.iter().map(|peers| ("trusted_peers", peers.join(","))));
        if let Some(clock) = &self.clock {
            keys.push(("clock", clock.start.clone()));
        }
        if let Some(upstream) = &self.upstream {
            keys.push(("upstream", String::new()));
            keys.extend(upstream.listen.iter().map(|it| ("upstream.listen", it.clone())));
            keys.extend(upstream.idle.iter().map(|it| ("upstream.idle", format!("{it:?}"))));
            let limit = upstream.start_limit.iter();
            keys.extend(limit.map(|it| ("upstream.start_limit", format!("{it:?}"))));
            let grace = upstream.stop_grace.iter();
            keys.extend(grace.map(|it| ("upstream.stop_grace", format!("{it:?}"))));
            if !upstream.environment.is_empty() {
                keys.push(("upstream.environment", String::new()));
            }
            keys.extend(upstream.files.iter().map(|it| ("upstream.files", it.to_string())));
        }
        keys
    }
}
