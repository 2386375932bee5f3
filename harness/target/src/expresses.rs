//! What of a case's `site` a target's configuration can say.

use edgeproof_diagnostics::{Diagnostic, Value, suggest};
use edgeproof_scenario::model::SiteSpec;

/// The dotted keys of a site ([`SiteSpec::keys`]). `host` is not among them: every target serves the
/// host names that its template is given.
const KEYS: [&str; 23] = [
    "any_host",
    "cache",
    "cache.policy",
    "cache.ttl",
    "cache.size",
    "cache.purge_from",
    "waf",
    "waf.profile",
    "waf.mode",
    "waf.paranoia",
    "access_log",
    "access_log.format",
    "access_log.preset",
    "access_log.dialect",
    "trusted_peers",
    "clock",
    "upstream",
    "upstream.listen",
    "upstream.idle",
    "upstream.start_limit",
    "upstream.stop_grace",
    "upstream.environment",
    "upstream.files",
];

/// `expresses:` of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expresses {
    /// `expresses: all`.
    all: bool,
    /// A key, and the only values that it can take; `None`: any.
    keys: Vec<(String, Option<Vec<String>>)>,
}

impl Expresses {
    /// Reads `all`, or a list of keys and of keys with their values.
    pub(crate) fn bind(value: Value<'_>) -> Self {
        if value.node().and_then(|node| node.as_str()) == Some("all") {
            return Self { all: true, keys: Vec::new() };
        }
        let entries = if value.is_present() { value.items() } else { None };
        let mut keys = Vec::new();
        for entry in entries.into_iter().flatten() {
            if entry.node().is_some_and(|node| node.as_mapping().is_some()) {
                for (key, values) in entry.entries().into_iter().flatten() {
                    let known = known(key.value, &key.span, entry);
                    let values = values.list(|value| value.str().map(str::to_owned));
                    keys.extend(known.map(|key| (key, values)));
                }
            } else if let (Some(key), Some(span)) = (entry.str(), entry.span()) {
                keys.extend(known(key, span, entry).map(|key| (key, None)));
            }
        }
        Self { all: false, keys }
    }

    /// Of a target that somebody else configured: what belongs to the features that it is said to
    /// have, as far as it needs no configuration by the harness.
    pub(crate) fn of_a_running_target(declares: &[String]) -> Self {
        // Its answer to a host name that the harness made up is taken for granted in any case.
        let mut keys = vec![("any_host".to_owned(), None)];
        let mut add = |feature: &str, key: &str, values: Option<&[&str]>| {
            if declares.iter().any(|declared| declared == feature) {
                let values = values.map(|values| values.iter().map(ToString::to_string).collect());
                keys.push((key.to_owned(), values));
            }
        };
        add("cache", "cache", None);
        add("cache", "cache.policy", Some(&["rfc9111"]));
        add("purge", "cache.purge_from", None);
        add("waf", "waf", None);
        add("waf", "waf.profile", None);
        add("waf", "waf.mode", Some(&["block"]));
        Self { all: false, keys }
    }

    /// Can it configure such a site?
    ///
    /// # Errors
    /// The reason of the skip.
    pub fn site(&self, site: &SiteSpec) -> Result<(), String> {
        for (key, value) in site.keys() {
            if self.all || key == "host" {
                continue;
            }
            match self.keys.iter().find(|(known, _)| known == key) {
                None => return Err(format!("its configuration cannot express site.{key}")),
                Some((_, Some(values))) if !values.contains(&value) => {
                    return Err(format!("its configuration cannot express site.{key}: {value}"));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

fn known(key: &str, span: &edgeproof_diagnostics::Span, value: Value<'_>) -> Option<String> {
    if KEYS.contains(&key) {
        return Some(key.to_owned());
    }
    let help = match suggest(key, KEYS) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known keys are `{}`", KEYS.join("`, `")),
    };
    value.report(Diagnostic::error(format!("a site has no key `{key}`")).at(span).help(help))
}
