//! `site`.

use std::net::IpAddr;

use edgeproof_diagnostics::{Diagnostic, Node};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Binder;
use crate::model::{AccessLog, CacheSite, Paranoia, SiteClock, SiteSpec, UpstreamSite, WafSite};
use crate::table;

impl Binder<'_> {
    /// `site`, and the needs that follow from it.
    pub(super) fn site(&self, node: &Node) -> SiteSpec {
        let Some(fields) = self.fields(node, &table::SITE) else { return SiteSpec::default() };
        let mut site = SiteSpec::default();
        if let Some(host) = fields.get("host") {
            site.host = self.site_host(host);
        }
        if let Some((key, any)) = fields.entry("any_host") {
            site.any_host = self.only_true(any).is_some();
            if site.host.is_some() {
                self.reject::<()>(&key.span, "a site for every host has no host of its own");
            }
        }
        if let Some((key, cache)) = fields.entry("cache") {
            self.need("cache", &key.span);
            site.cache = self.cache(cache);
        }
        if let Some((key, waf)) = fields.entry("waf") {
            self.need("waf", &key.span);
            site.waf = self.waf(waf);
        }
        if let Some((key, log)) = fields.entry("access_log") {
            self.need("access-log", &key.span);
            site.access_log = self.access_log(log);
        }
        site.trusted_peers = fields.get("trusted_peers").map(|peers| self.networks(peers));
        site.clock = fields.get("clock").and_then(|clock| self.clock(clock));
        if let Some((key, upstream)) = fields.entry("upstream") {
            self.need("upstream-command", &key.span);
            site.upstream = self.upstream(upstream);
        }
        let regression = site.waf.as_ref().is_some_and(|waf| waf.profile == WafSite::REGRESSION);
        if regression && !site.any_host {
            let message = "the profile `regression` is for a site with `any_host: true`";
            self.reject::<()>(&node.span, message);
        }
        site
    }

    fn site_host(&self, node: &Node) -> Option<String> {
        let host = self.text(node)?;
        let letter = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '.' | '_');
        if host.is_empty() || !host.chars().all(letter) {
            return self.reject(&node.span, format!("`{host}` is no host name"));
        }
        Some(host)
    }

    fn cache(&self, node: &Node) -> Option<CacheSite> {
        if node.as_bool().is_some() {
            return self.only_true(node).map(|()| CacheSite::default());
        }
        let fields = self.fields(node, &table::CACHE)?;
        let purge_from = fields.entry("purge_from").map(|(key, value)| {
            self.need("purge", &key.span);
            self.networks(value)
        });
        Some(CacheSite {
            policy: self.word(&fields, "policy").map(str::to_owned),
            ttl: fields.get("ttl").and_then(|ttl| self.duration(ttl)),
            size: fields.get("size").and_then(|size| self.size(size)),
            purge_from,
        })
    }

    fn networks(&self, node: &Node) -> Vec<String> {
        let nodes = node.as_sequence().unwrap_or(std::slice::from_ref(node));
        nodes.iter().filter_map(|node| self.network(node)).collect()
    }

    fn network(&self, node: &Node) -> Option<String> {
        let network = self.text(node)?;
        if is_network(&network) {
            return Some(network);
        }
        let help = "write one such as `127.0.0.0/8` or `::1`";
        let message = format!("`{network}` is no network");
        self.report(Diagnostic::error(message).at(&node.span).help(help))
    }

    fn waf(&self, node: &Node) -> Option<WafSite> {
        let fields = self.fields(node, &table::WAF)?;
        let profile = self.word(&fields, "profile").map(str::to_owned);
        let mode = self.word(&fields, "mode").unwrap_or("block").to_owned();
        let paranoia = self.word(&fields, "paranoia").and_then(Paranoia::of);
        Some(WafSite { profile: profile?, mode, paranoia })
    }

    fn access_log(&self, node: &Node) -> Option<AccessLog> {
        let mut log = AccessLog { format: None, preset: None, dialect: None };
        if node.as_bool().is_some() {
            return self.only_true(node).map(|()| log);
        }
        let fields = self.fields(node, &table::ACCESS_LOG)?;
        fields.one_of(self, &["format", "preset"]);
        log.format = fields.get("format").and_then(|format| self.text(format));
        log.preset = self.word(&fields, "preset").map(str::to_owned);
        log.dialect = self.word(&fields, "dialect").map(str::to_owned);
        Some(log)
    }

    fn upstream(&self, node: &Node) -> Option<UpstreamSite> {
        let fields = self.fields(node, &table::UPSTREAM)?;
        let duration = |key| fields.get(key).and_then(|it| self.duration(it));
        let environment = fields.get("environment").map_or(&[][..], |it| self.entries(it));
        let variable = |(name, value): &(Node, Node)| Some((self.text(name)?, self.text(value)?));
        let upstream = UpstreamSite {
            command: String::new(),
            listen: self.word(&fields, "listen").map(str::to_owned),
            idle: duration("idle"),
            start_limit: duration("start_limit"),
            stop_grace: duration("stop_grace"),
            environment: environment.iter().filter_map(variable).collect(),
            files: fields.get("files").and_then(|it| self.whole(it, 3..=1 << 20)),
        };
        let command = fields.get("command").and_then(|it| self.text(it))?;
        Some(UpstreamSite { command, ..upstream })
    }

    fn clock(&self, node: &Node) -> Option<SiteClock> {
        let fields = self.fields(node, &table::CLOCK)?;
        let zone = fields.get("zone").and_then(|zone| self.zone(zone));
        let start = fields.get("start")?;
        let text = self.text(start)?;
        if let Err(error) = text.parse::<Timestamp>() {
            return self.report(
                Diagnostic::error("expected a date and time with its offset")
                    .at(&start.span)
                    .with_note(error.to_string())
                    .help("write one such as `2018-07-16T12:04:07+02:00`"),
            );
        }
        Some(SiteClock { start: text, zone })
    }

    fn zone(&self, node: &Node) -> Option<String> {
        let zone = self.text(node)?;
        let known = match zone.starts_with(['+', '-']) {
            true => format!("1970-01-01T00:00:00{zone}").parse::<Timestamp>().is_ok(),
            false => TimeZone::get(&zone).is_ok() || jiff::tz::db().is_definitively_empty(),
        };
        if known {
            return Some(zone);
        }
        self.reject(
            &node.span,
            format!("`{zone}` is neither an offset such as `+02:00` nor a known zone"),
        )
    }
}

/// `ADDRESS` or `ADDRESS/LENGTH`.
fn is_network(text: &str) -> bool {
    let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let most = if address.is_ipv4() { 32 } else { 128 };
    length.is_none_or(|length| length.parse::<u8>().is_ok_and(|length| length <= most))
}
