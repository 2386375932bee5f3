//! The configuration file: YAML to [`Settings`], every mistake reported in one go.

mod upstream;
mod waf;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use edgeproof_accesslog::Dialect;
use edgeproof_cache::{Policy, RedisSettings};
use edgeproof_diagnostics::{Diagnostic, Diagnostics, MapReader, Node, Source, Span, Value, parse};
use ipnet::IpNet;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

use crate::settings::{
    CacheSettings, HostName, LogSettings, Settings, SiteSettings, StoreSettings, TlsListener,
    ttl_seconds,
};
use crate::{ClockSettings, Limits};

impl Settings {
    /// Reads a configuration file; SIGHUP will read it again.
    ///
    /// # Errors
    /// All its mistakes, or why it cannot be read.
    pub fn from_file(path: &Path) -> Result<Self, Diagnostics> {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let settings = Self::from_yaml(&path.display().to_string(), &text)?;
                Ok(Self { file: Some(path.to_owned()), ..settings })
            }
            Err(error) => {
                let mistakes = Diagnostics::new();
                let message = format!("cannot read {}: {error}", path.display());
                mistakes.push(Diagnostic::error(message));
                Err(mistakes)
            }
        }
    }

    /// Reads a configuration's text; `name` is what mistakes call it. Every key but `sites`, one
    /// of `listen` and `tls`, and a site's `upstream` may be left out:
    ///
    /// ```
    /// # let text = r#"
    /// listen: ["127.0.0.1:8080"]           # port 0: a free one
    /// tls: [{ listen: "127.0.0.1:8443", certificate: chain.pem, key: key.pem }]
    /// control: unix:/run/edgeproof.sock    # mode 0600
    /// threads: 2
    /// limits:
    ///   head: 32KiB                        # of requests and responses, trailers too
    ///   fields: 100
    ///   body: 1GiB                         # of requests
    ///   header_timeout: 10s
    ///   idle_timeout: 60s                  # between requests
    ///   client_timeout: 60s                # for a client that stands still in mid-message
    ///   upstream_connect_timeout: 5s
    ///   upstream_timeout: 60s              # for an exchange that stands still
    ///   stop_timeout: 10s
    /// access_log: { file: other.log }      # for requests that belong to no site
    /// sites:
    ///   - hosts: [a.test]                  # `*`, or absent: any host
    ///     upstream: http://127.0.0.1:9000/prefix    # or a list of them, which take turns
    ///     cache:
    ///       policy: rfc9111
    ///       ttl: 10s
    ///       purge_from: [127.0.0.1/32]
    ///       size: 64MiB     # or `store: redis://127.0.0.1:6379/0`, `store_timeout: 50ms`
    ///     waf:
    ///       profile: full                  # or `conf: entry.conf`, a SecLang file
    ///       mode: quarantine               # block, alert
    ///       paranoia: 2                    # 1 to 4
    ///       rules: /opt/coreruleset        # absent: what is installed
    ///       exclude: { rules: [920300, 942000-942999], paths: ["/api/*"], clients: [10.0.0.0/8] }
    ///       log: waf.log
    ///       log_format: short              # or `modsecurity`
    ///       audit_log: audit.json
    ///       quarantine: { folder: held, requests: 1000, size: 64MiB }
    ///     access_log: { file: a.log, format: "{status} {request}", dialect: current }
    ///     clock: { start: "2018-07-16T12:04:07+02:00", zone: "+02:00" }   # virtual, frozen
    ///     trusted_peers: [127.0.0.1/32]    # whose X-Forwarded-For is believed
    ///   - hosts: [b.test]
    ///     upstream: "cmd:python3 app.py --port {port}"       # started by the first request
    ///   - hosts: [php.test]
    ///     upstream: fastcgi://unix:/run/php-fpm.sock:/srv/www
    ///   - hosts: [c.test]
    ///     upstream:
    ///       command: gunicorn --bind unix:{socket} app:app
    ///       protocol: http                 # or `fastcgi`, then also `root: /srv/www`
    ///       listen: socket                 # port, 127.0.0.1:9000, unix:/run/c.sock; absent: as the command asks
    ///       idle: 10m                      # 0: never stopped
    ///       start_limit: 30s
    ///       stop_grace: 5s                 # between SIGTERM and SIGKILL
    ///       directory: /home/c/app
    ///       environment: { APP_MODE: live }     # besides PATH, HOME, LANG and PORT, HOST or SOCKET
    ///       limits: { memory: 1GiB, files: 1024, processes: 64 }
    ///       log: /home/c/admin/logs/sites/upstream.log      # absent: standard error
    /// # "#;
    /// # edgeproof_proxy::Settings::from_yaml("sites.yaml", text).unwrap();
    /// ```
    ///
    /// # Errors
    /// All its mistakes.
    pub fn from_yaml(name: &str, text: &str) -> Result<Self, Diagnostics> {
        let mistakes = Diagnostics::new();
        let source = Source::new(name, text);
        let settings = parse(&source, &mistakes).and_then(|node| {
            let root = Value::new(&node, &mistakes).map("the configuration")?;
            Some(settings(root, &mistakes))
        });
        match settings {
            Some(settings) if !mistakes.has_errors() => Ok(settings),
            _ => Err(mistakes),
        }
    }
}

/// Binds the whole file. What is wrong is replaced by a default, so that reading can go on; the
/// mistakes decide in the end.
fn settings(mut root: MapReader<'_>, mistakes: &Diagnostics) -> Settings {
    let default = Settings::default();
    let listen = root.optional("listen");
    let tls = root.optional("tls");
    if !listen.is_present() && !tls.is_present() {
        root.required("listen");
    }
    let settings = Settings {
        file: None,
        listen: listen.list(address).unwrap_or_default(),
        tls: tls.list(tls_listener).unwrap_or_default(),
        control: root.optional("control").parse(control),
        threads: root
            .optional("threads")
            .u64_in(1..=1024)
            .and_then(|threads| NonZeroUsize::new(usize::try_from(threads).ok()?))
            .unwrap_or(default.threads),
        limits: limits(root.optional("limits")),
        access_log: access_log(root.optional("access_log")),
        sites: root.required("sites").list(|value| site(value)).unwrap_or_default(),
        keeper: default.keeper,
    };
    if let Some(sites) = root.optional("sites").items() {
        hosts_once(&sites, mistakes);
    }
    root.finish();
    settings
}

fn address(value: Value<'_>) -> Option<SocketAddr> {
    value.parse(|text| {
        SocketAddr::from_str(text)
            .map_err(|_| "expected an address with a port, such as `127.0.0.1:8080`")
    })
}

fn tls_listener(value: Value<'_>) -> Option<TlsListener> {
    let mut map = value.map("a TLS listener")?;
    let listen = address(map.required("listen"));
    let certificate = map.required("certificate").str().map(PathBuf::from);
    let key = map.required("key").str().map(PathBuf::from);
    map.finish();
    Some(TlsListener { listen: listen?, certificate: certificate?, key: key? })
}

fn control(text: &str) -> Result<PathBuf, &'static str> {
    match text.strip_prefix("unix:") {
        Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
        _ => Err("expected `unix:` and a path, such as `unix:/run/edgeproof.sock`"),
    }
}

fn limits(value: Value<'_>) -> Limits {
    let default = Limits::default();
    let Some(mut map) = value.map("the limits") else { return default };
    let size = |value: Value<'_>, otherwise: usize| {
        value.size().and_then(|size| usize::try_from(size).ok()).unwrap_or(otherwise)
    };
    let limits = Limits {
        head: size(map.optional("head"), default.head),
        fields: map
            .optional("fields")
            .u64_in(1..=100_000)
            .and_then(|fields| usize::try_from(fields).ok())
            .unwrap_or(default.fields),
        body: map.optional("body").size().unwrap_or(default.body),
        header_timeout: map.optional("header_timeout").duration().unwrap_or(default.header_timeout),
        idle_timeout: map.optional("idle_timeout").duration().unwrap_or(default.idle_timeout),
        client_timeout: map.optional("client_timeout").duration().unwrap_or(default.client_timeout),
        upstream_connect_timeout: map
            .optional("upstream_connect_timeout")
            .duration()
            .unwrap_or(default.upstream_connect_timeout),
        upstream_timeout: map
            .optional("upstream_timeout")
            .duration()
            .unwrap_or(default.upstream_timeout),
        stop_timeout: map.optional("stop_timeout").duration().unwrap_or(default.stop_timeout),
    };
    map.finish();
    limits
}

fn access_log(value: Value<'_>) -> Option<LogSettings> {
    let mut map = value.map("an access log")?;
    let file = map.required("file").str().map(PathBuf::from);
    let format = map.optional("format");
    let dialects = [("2018", Dialect::Of2018), ("current", Dialect::Current)];
    let dialect = map.optional("dialect").one_of(&dialects).unwrap_or(Dialect::Current);
    map.finish();
    let text = format.str();
    match LogSettings::new(file?, text, dialect) {
        Ok(settings) => Some(settings),
        Err(error) => {
            let span = format.node().map(|node| node.span_within(error.span()));
            let mistake = Diagnostic::error(error.mistake().to_string());
            format.report(match span {
                Some(span) => mistake.at(&span),
                None => mistake,
            })
        }
    }
}

fn site(value: Value<'_>) -> Option<SiteSettings> {
    let mut map = value.map("a site")?;
    let hosts = map.optional("hosts");
    let hosts = match hosts.items() {
        Some(none) if none.is_empty() => hosts.reject("a site without hosts answers nobody"),
        Some(_) => hosts.list(|host| host.parse(HostName::from_str)),
        None => Some(vec![HostName::Any]),
    };
    let upstream = upstream::upstream(map.required("upstream"));
    let cache = cache(map.optional("cache"));
    let waf = waf::waf(map.optional("waf"));
    let access_log = access_log(map.optional("access_log"));
    let clock = clock(map.optional("clock")).unwrap_or_default();
    let trusted_peers = map.optional("trusted_peers").list(network).unwrap_or_default();
    map.finish();
    let hosts = hosts.unwrap_or_default();
    let site = SiteSettings::new(upstream?);
    Some(SiteSettings { cache, waf, access_log, clock, trusted_peers, hosts, ..site })
}

fn cache(value: Value<'_>) -> Option<CacheSettings> {
    let mut map = value.map("a cache")?;
    let names = [("rfc9111", false), ("hosting", true)];
    let hosting = map.optional("policy").one_of(&names).unwrap_or(false);
    let ttl = match hosting {
        // A site that chose this policy says how old its pages may be.
        true => map.required("ttl"),
        false => map.optional("ttl"),
    };
    let ttl = ttl.duration().map(ttl_seconds);
    let store = store(&mut map);
    let purge_from = map.optional("purge_from").list(network).unwrap_or_default();
    map.finish();
    let policy = match (hosting, ttl) {
        (true, Some(ttl)) => Policy::Hosting { ttl },
        (true, None) => return None,
        (false, ttl) => Policy::Rfc9111 { ttl },
    };
    Some(CacheSettings { policy, store: store?, purge_from })
}

/// `store` and the keys that only one kind of it has.
fn store(map: &mut MapReader<'_>) -> Option<StoreSettings> {
    let (store, size) = (map.optional("store"), map.optional("size"));
    let timeout = map.optional("store_timeout");
    let redis = match store.str() {
        None | Some("memory") => None,
        Some(_) => Some(store.parse(RedisSettings::at)?),
    };
    match redis {
        None if timeout.is_present() => timeout.reject("the store in memory has no such time"),
        None => {
            let size = size.size().and_then(|size| usize::try_from(size).ok());
            Some(StoreSettings::Memory { size: size.unwrap_or(64 << 20) })
        }
        Some(_) if size.is_present() => {
            size.reject("a Redis bounds its memory itself, by its own `maxmemory`")
        }
        Some(redis) => Some(StoreSettings::Redis(match timeout.duration() {
            Some(timeout) => redis.with_timeout(timeout),
            None => redis,
        })),
    }
}

/// A network, or one address.
fn network(value: Value<'_>) -> Option<IpNet> {
    value.parse(|text| {
        IpNet::from_str(text)
            .or_else(|_| IpAddr::from_str(text).map(IpNet::from))
            .map_err(|_| "expected a network or an address, such as `10.0.0.0/8` or `::1`")
    })
}

/// `{ start, zone }`: virtual where there is a start.
fn clock(value: Value<'_>) -> Option<ClockSettings> {
    let mut map = value.map("a clock")?;
    let zone = map.optional("zone").parse(zone);
    let start = map.optional("start").parse(instant);
    map.finish();
    Some(match start {
        Some((start, own)) => ClockSettings::Virtual(start.to_zoned(zone.unwrap_or(own))),
        None => ClockSettings::Real(zone.unwrap_or_else(TimeZone::system)),
    })
}

/// An instant and the zone it was written in.
fn instant(text: &str) -> Result<(Timestamp, TimeZone), &'static str> {
    const EXPECTED: &str = "expected a time with its zone, such as `2018-07-16T12:04:07+02:00`";
    if let Ok(zoned) = text.parse::<Zoned>() {
        return Ok((zoned.timestamp(), zoned.time_zone().clone()));
    }
    let timestamp: Timestamp = text.parse().map_err(|_| EXPECTED)?;
    let at = text.rfind(['+', '-', 'Z', 'z']).unwrap_or(text.len());
    Ok((timestamp, zone(&text[at..]).map_err(|_| EXPECTED)?))
}

/// `+02:00`, `Z`, `UTC`, or a name such as `Europe/Paris`.
fn zone(text: &str) -> Result<TimeZone, &'static str> {
    const EXPECTED: &str = "expected a zone, such as `+02:00`, `UTC` or `Europe/Paris`";
    if matches!(text, "Z" | "z" | "UTC") {
        return Ok(TimeZone::UTC);
    }
    let Some(sign @ ('+' | '-')) = text.chars().next() else {
        return TimeZone::get(text).map_err(|_| EXPECTED);
    };
    let (hours, minutes) = text[1..].split_once(':').ok_or(EXPECTED)?;
    let number = |text: &str, most: i32| {
        let two = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        two.then(|| text.parse::<i32>().ok()).flatten().filter(|number| *number <= most)
    };
    let hours = number(hours, 25).ok_or(EXPECTED)?;
    let minutes = number(minutes, 59).ok_or(EXPECTED)?;
    let seconds = (hours * 3600 + minutes * 60) * if sign == '-' { -1 } else { 1 };
    Offset::from_seconds(seconds).map(TimeZone::fixed).map_err(|_| EXPECTED)
}

/// Reports hosts that two sites claim; a site without hosts claims `*`.
fn hosts_once(sites: &[Value<'_>], mistakes: &Diagnostics) {
    let mut first: HashMap<String, &Span> = HashMap::new();
    for site in sites.iter().filter_map(|site| site.node()) {
        let claims: Vec<(String, &Span)> = match site.get("hosts") {
            None => vec![("*".to_owned(), &site.span)],
            Some(hosts) => {
                let named = |host: &'_ Node| host.as_str().map(str::to_ascii_lowercase);
                let hosts = hosts.as_sequence().unwrap_or_default();
                hosts.iter().filter_map(|host| Some((named(host)?, &host.span))).collect()
            }
        };
        for (name, span) in claims {
            match first.get(&name) {
                Some(other) => mistakes.push(
                    Diagnostic::error(format!("the host `{name}` belongs to a site already"))
                        .at(&span.first_line())
                        .context(&other.first_line(), "here"),
                ),
                None => {
                    first.insert(name, span);
                }
            }
        }
    }
}
