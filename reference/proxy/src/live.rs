//! A configuration at work: sites with their clocks, logs and caches. A reload makes a new one,
//! which takes over from the old one whatever has not changed.

use std::collections::HashMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use edgeproof_accesslog::{Options, Writer};
use edgeproof_cache::{Cache, RedisSettings, Store};
use edgeproof_upstream::{Journal, Process, Supervisor};
use tokio_rustls::TlsAcceptor;

use crate::backend::{Backend, Balancer};
use crate::clock::Clock;
use crate::firewall::{Firewall, Loader, Outlet};
use crate::log::Log;
use crate::settings::{
    CacheSettings, HostName, LogSettings, Settings, SiteSettings, StoreSettings,
};
use crate::upstream::UpstreamSettings;
use crate::{ClockSettings, StartError, tls};

/// A site at work.
pub(crate) struct Site {
    pub(crate) settings: SiteSettings,
    pub(crate) backend: Backend,
    pub(crate) clock: Arc<Clock>,
    pub(crate) log: Option<Log>,
    pub(crate) cache: Option<Cache>,
    pub(crate) firewall: Option<Arc<Firewall>>,
}

/// All of the configuration that a request needs.
pub(crate) struct Live {
    pub(crate) limits: crate::limits::Limits,
    pub(crate) sites: Vec<Arc<Site>>,
    by_host: HashMap<Vec<u8>, usize>,
    any: Option<usize>,
    /// For requests that belong to no site.
    pub(crate) log: Option<Log>,
    pub(crate) clock: Clock,
    /// By configured address.
    pub(crate) tls: HashMap<SocketAddr, TlsAcceptor>,
    /// Looks after the processes behind sites, if there is any.
    pub(crate) upstreams: Option<Arc<Supervisor>>,
}

impl Live {
    /// Puts `settings` to work; what `previous` had the same way stays as it is.
    pub(crate) fn new(settings: &Settings, previous: Option<&Live>) -> Result<Self, StartError> {
        let mut writers: HashMap<&Path, Arc<Writer>> = HashMap::new();
        let mut firewalls = Loader::default();
        let mut sites: Vec<Arc<Site>> = Vec::new();
        let (mut by_host, mut any) = (HashMap::new(), None);
        let mut upstreams = previous.and_then(|live| live.upstreams.clone());
        for (at, site) in settings.sites.iter().enumerate() {
            for host in &site.hosts {
                match host {
                    HostName::Any => any = Some(at),
                    HostName::Named(name) => {
                        by_host.insert(name.clone().into_bytes(), at);
                    }
                }
            }
            let log = match &site.access_log {
                Some(log) => Some(open_log(log, &mut writers, previous)?),
                None => None,
            };
            let old = previous.and_then(|live| same_site(live, site));
            let cache = match &site.cache {
                Some(cache) => Some(cache_of(cache, old, &sites, previous)?),
                None => None,
            };
            let firewall = match &site.waf {
                Some(waf) => {
                    let old = old.and_then(|old| old.firewall.as_deref());
                    let mut open = |path| open_file(path, Duration::ZERO, &mut writers, previous);
                    let log = waf.log.as_deref().map(&mut open).transpose()?;
                    let audit = waf.audit_log.as_deref().map(&mut open).transpose()?;
                    let outlet = Outlet::new(log, waf.log_format, audit);
                    Some(Arc::new(firewalls.firewall(waf, first_host(site), outlet, old)?))
                }
                None => None,
            };
            let clock = clock_of(site, old);
            let backend = match &site.upstream {
                UpstreamSettings::Urls(urls) => Backend::Urls(Balancer::new(urls.all())),
                UpstreamSettings::Command(command) => {
                    let mut open = |path| open_file(path, gather(), &mut writers, previous);
                    let process = &command.process;
                    let writer = process.log.as_deref().map(&mut open).transpose()?;
                    let journal = Journal::new(writer, Arc::clone(&clock) as Arc<_>);
                    let supervisor = supervisor(&mut upstreams, &settings.keeper)?;
                    let process = process_of(process, journal, supervisor, old, &clock);
                    Backend::Process(process, command.protocol.clone())
                }
            };
            sites.push(Arc::new(Site {
                backend,
                clock,
                cache,
                firewall,
                log,
                settings: site.clone(),
            }));
        }
        let log = match &settings.access_log {
            Some(log) => Some(open_log(log, &mut writers, previous)?),
            None => None,
        };
        let tls =
            settings.tls.iter().map(|listener| Ok((listener.listen, tls::acceptor(listener)?)));
        let tls = tls.collect::<Result<_, StartError>>()?;
        let limits = settings.limits.clone();
        let clock = Clock::new(&ClockSettings::default());
        Ok(Self { limits, sites, by_host, any, log, clock, tls, upstreams })
    }

    /// The site for a host, as written in a request and without its port.
    pub(crate) fn site(&self, host: Option<&[u8]>) -> Option<&Arc<Site>> {
        let named = host.and_then(|host| {
            let host = host.strip_suffix(b".").unwrap_or(host);
            match host.iter().any(u8::is_ascii_uppercase) {
                true => self.by_host.get(&host.to_ascii_lowercase()),
                false => self.by_host.get(host),
            }
        });
        named.copied().or(self.any).map(|at| &self.sites[at])
    }

    /// Each store once.
    pub(crate) fn stores(&self) -> Vec<&Arc<Store>> {
        let mut stores: Vec<&Arc<Store>> = Vec::new();
        for cache in self.sites.iter().filter_map(|site| site.cache.as_ref()) {
            if !stores.iter().any(|store| Arc::ptr_eq(store, cache.store())) {
                stores.push(cache.store());
            }
        }
        stores
    }

    /// The processes, each with its site.
    pub(crate) fn processes(&self) -> impl Iterator<Item = (&Site, &Process)> {
        self.sites.iter().filter_map(|site| match &site.backend {
            Backend::Process(process, _) => Some((&**site, &**process)),
            Backend::Urls(_) => None,
        })
    }

    /// Has the processes that `next` no longer has end once no request needs them.
    pub(crate) fn retire_processes(&self, next: &Live) {
        for (_, process) in self.processes() {
            if !next.processes().any(|(_, kept)| std::ptr::eq(kept, process)) {
                process.retire();
            }
        }
    }

    /// Each log file once.
    pub(crate) fn writers(&self) -> Vec<&Arc<Writer>> {
        let mut writers: Vec<&Arc<Writer>> = Vec::new();
        let logs = self.sites.iter().filter_map(|site| site.log.as_ref()).chain(&self.log);
        let firewalls = self.sites.iter().filter_map(|site| site.firewall.as_ref());
        let of_firewalls = firewalls.flat_map(|firewall| firewall.outlet().writers());
        let of_processes = self.processes().filter_map(|(_, process)| process.journal().writer());
        for one in logs.map(|log| &log.writer).chain(of_firewalls).chain(of_processes) {
            if !writers.iter().any(|writer| Arc::ptr_eq(writer, one)) {
                writers.push(one);
            }
        }
        writers
    }
}

/// The site that answered for one of the same hosts before.
fn same_site<'l>(live: &'l Live, site: &SiteSettings) -> Option<&'l Site> {
    let shares = |old: &&Arc<Site>| old.settings.hosts.iter().any(|host| site.hosts.contains(host));
    live.sites.iter().find(shares).map(|site| &**site)
}

/// The old site's clock if it is to be the same, else a new one.
fn clock_of(site: &SiteSettings, old: Option<&Site>) -> Arc<Clock> {
    match old.filter(|old| old.settings.clock == site.clock) {
        Some(old) => Arc::clone(&old.clock),
        None => Arc::new(Clock::new(&site.clock)),
    }
}

/// The one that looks after processes, made for the first of them.
fn supervisor<'s>(
    upstreams: &'s mut Option<Arc<Supervisor>>,
    keeper: &[OsString],
) -> Result<&'s Supervisor, StartError> {
    match upstreams {
        Some(supervisor) => Ok(supervisor),
        none => {
            let supervisor = Supervisor::new(keeper.to_vec()).map_err(StartError::Thread)?;
            Ok(none.insert(Arc::new(supervisor)))
        }
    }
}

/// The old site's process if it is to be the same, else one that is still to be started.
fn process_of(
    settings: &edgeproof_upstream::Settings,
    journal: Journal,
    supervisor: &Supervisor,
    old: Option<&Site>,
    clock: &Arc<Clock>,
) -> Arc<Process> {
    let replaced = old.and_then(|old| match &old.backend {
        Backend::Process(process, _) => Some((process, Arc::ptr_eq(&old.clock, clock))),
        Backend::Urls(_) => None,
    });
    match replaced {
        Some((process, true)) if process.settings() == settings => Arc::clone(process),
        _ => {
            let replaced = replaced.map(|(process, _)| &**process);
            Arc::new(supervisor.take_on(settings.clone(), journal, replaced))
        }
    }
}

/// How long lines of logs are gathered.
fn gather() -> Duration {
    Options::default().gather
}

/// A cache over the old site's store if that is the same, else over another one.
fn cache_of(
    settings: &CacheSettings,
    old: Option<&Site>,
    sites: &[Arc<Site>],
    previous: Option<&Live>,
) -> Result<Cache, StartError> {
    let store = match &settings.store {
        StoreSettings::Memory { size } => {
            let limits = edgeproof_cache::Limits::of_capacity(*size);
            let store = old.and_then(|old| old.cache.as_ref()).map(Cache::store);
            match store.filter(|store| store.limits() == limits) {
                Some(store) => Arc::clone(store),
                None => Arc::new(Store::new(limits)),
            }
        }
        StoreSettings::Redis(redis) => {
            let before = previous.map_or(&[][..], |live| &live.sites);
            match sites.iter().chain(before).find_map(|site| store_in(site, redis)) {
                Some(store) => Arc::clone(store),
                None => {
                    let warn = Box::new(|line: &str| eprintln!("{line}"));
                    Arc::new(Store::redis(redis, warn).map_err(StartError::Thread)?)
                }
            }
        }
    };
    Ok(Cache::new(store, settings.policy))
}

/// The site's store, if it is this Redis: all sites share one connection.
fn store_in<'s>(site: &'s Site, redis: &RedisSettings) -> Option<&'s Arc<Store>> {
    match &site.settings.cache.as_ref()?.store {
        StoreSettings::Redis(other) if other == redis => site.cache.as_ref().map(Cache::store),
        _ => None,
    }
}

/// What a site is called where only one name fits.
pub(crate) fn first_host(site: &SiteSettings) -> String {
    match site.hosts.first() {
        Some(HostName::Named(name)) => name.clone(),
        Some(HostName::Any) | None => "*".to_owned(),
    }
}

/// An access log.
fn open_log<'s>(
    settings: &'s LogSettings,
    writers: &mut HashMap<&'s Path, Arc<Writer>>,
    previous: Option<&Live>,
) -> Result<Log, StartError> {
    let writer = open_file(&settings.file, gather(), writers, previous)?;
    Ok(Log { writer, format: Arc::clone(&settings.format) })
}

/// A log's file; one file has one writer, whoever writes to it.
fn open_file<'s>(
    path: &'s Path,
    gather: Duration,
    writers: &mut HashMap<&'s Path, Arc<Writer>>,
    previous: Option<&Live>,
) -> Result<Arc<Writer>, StartError> {
    if let Some(writer) = writers.get(path) {
        return Ok(Arc::clone(writer));
    }
    let old = previous.and_then(|live| {
        live.writers().into_iter().find(|writer| writer.path() == path).map(Arc::clone)
    });
    let writer = match old {
        Some(writer) => writer,
        None => {
            let mut options = Options::default();
            options.gather = gather;
            options.trouble = Some(Box::new(|trouble| eprintln!("{trouble}")));
            Arc::new(Writer::open(path, options).map_err(StartError::Log)?)
        }
    };
    writers.insert(path, Arc::clone(&writer));
    Ok(writer)
}
