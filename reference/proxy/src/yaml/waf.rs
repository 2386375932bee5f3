//! `waf`: a site's firewall.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use edgeproof_diagnostics::{MapReader, Node, Value};
use edgeproof_waf::{Bounds, Exclusions, Mode, Paranoia, PathGlob, Profile};

use super::network;
use crate::settings::{QuarantineSettings, WafLogFormat, WafRules, WafSettings};

pub(super) fn waf(value: Value<'_>) -> Option<WafSettings> {
    let mut map = value.map("a firewall")?;
    let mode = map.optional("mode");
    let kept = map.optional("quarantine");
    let is_quarantine = is_quarantine(mode);
    let rules = rules(value, &mut map, mode);
    let quarantine = match (is_quarantine, kept.is_present()) {
        (true, true) => quarantine(kept),
        (true, false) => {
            mode.reject("the mode `quarantine` has to know where: `quarantine: { folder: DIR }`")
        }
        (false, true) => kept.reject("only the mode `quarantine` keeps requests"),
        (false, false) => None,
    };
    let log = map.optional("log").str().map(PathBuf::from);
    let forms = [("short", WafLogFormat::Short), ("modsecurity", WafLogFormat::ModSecurity)];
    let log_format = map.optional("log_format").one_of(&forms).unwrap_or_default();
    let audit_log = map.optional("audit_log").str().map(PathBuf::from);
    map.finish();
    Some(WafSettings { rules: rules?, log, log_format, audit_log, quarantine })
}

/// `profile` and the keys that go with it, or `conf`.
fn rules(firewall: Value<'_>, map: &mut MapReader<'_>, mode: Value<'_>) -> Option<WafRules> {
    let (conf, profile) = (map.optional("conf"), map.optional("profile"));
    let (folder, paranoia) = (map.optional("rules"), map.optional("paranoia"));
    let exclude = map.optional("exclude");
    if !conf.is_present() {
        if !profile.is_present() {
            let rules =
                "a firewall has rules: `profile`, such as `strong`, or `conf`, a SecLang file";
            return firewall.reject(rules);
        }
        let mode = if mode.is_present() { mode.parse(Mode::from_str) } else { Some(Mode::Block) };
        let levels =
            paranoia.u64_in(1..=4).and_then(|level| Paranoia::new(u8::try_from(level).ok()?));
        return Some(WafRules::Profile {
            profile: profile.parse(Profile::from_str)?,
            mode: mode?,
            paranoia: levels,
            folder: folder.str().map(PathBuf::from),
            exclusions: exclusions(exclude).unwrap_or_default(),
        });
    }
    for other in [profile, folder, paranoia, exclude] {
        if other.is_present() {
            other.reject::<()>("a SecLang file of your own (`conf`) says this itself");
        }
    }
    if mode.is_present() && !is_quarantine(mode) {
        mode.reject::<()>(
            "a SecLang file of your own (`conf`) says this itself, with SecRuleEngine",
        );
    }
    conf.str().map(|file| WafRules::File(PathBuf::from(file)))
}

fn exclusions(value: Value<'_>) -> Option<Exclusions> {
    let mut map = value.map("exclusions")?;
    let exclusions = Exclusions {
        rules: map.optional("rules").list(rule_ids).unwrap_or_default(),
        paths: map
            .optional("paths")
            .list(|path| path.parse(PathGlob::from_str))
            .unwrap_or_default(),
        clients: map.optional("clients").list(network).unwrap_or_default(),
    };
    map.finish();
    Some(exclusions)
}

fn is_quarantine(mode: Value<'_>) -> bool {
    mode.node().and_then(Node::as_str) == Some("quarantine")
}

/// `942100`, or `942000-942999`.
fn rule_ids(value: Value<'_>) -> Option<RangeInclusive<u64>> {
    match value.node().and_then(Node::as_u64) {
        Some(id) => Some(id..=id),
        None => value.parse(range),
    }
}

fn range(text: &str) -> Result<RangeInclusive<u64>, &'static str> {
    const EXPECTED: &str =
        "expected a rule's id or a range of them, such as `942100` or `942000-942999`";
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let id = |text: &str| text.trim().parse::<u64>().map_err(|_| EXPECTED);
    let ids = id(first)?..=id(last)?;
    if ids.is_empty() { Err(EXPECTED) } else { Ok(ids) }
}

fn quarantine(value: Value<'_>) -> Option<QuarantineSettings> {
    let mut map = value.map("a quarantine")?;
    let folder = map.required("folder").str().map(PathBuf::from);
    let default = Bounds::default();
    let requests = map.optional("requests").u64_in(1..=1_000_000);
    let requests = requests.and_then(|requests| usize::try_from(requests).ok());
    let bounds = Bounds {
        requests: requests.unwrap_or(default.requests),
        bytes: map.optional("size").size().unwrap_or(default.bytes),
    };
    map.finish();
    Some(QuarantineSettings { folder: folder?, bounds })
}
