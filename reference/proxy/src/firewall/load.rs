//! Rules read and made ready, each set once, however many sites have it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use edgeproof_diagnostics::{Colour, Source};
use edgeproof_waf::seclang::{Mistakes, Mode, parse_text};
use edgeproof_waf::{CoreRuleSet, Quarantine, RuleSet};

use super::{Firewall, Outlet};
use crate::StartError;
use crate::folders::installed_rules;
use crate::settings::{QuarantineSettings, WafRules, WafSettings};

/// What the sites of one configuration share.
#[derive(Default)]
pub(crate) struct Loader {
    rules: HashMap<Entry, Arc<RuleSet>>,
    found: HashMap<Option<PathBuf>, CoreRuleSet>,
    quarantines: HashMap<PathBuf, Arc<Quarantine>>,
}

/// Where a set of rules begins.
#[derive(PartialEq, Eq, Hash)]
enum Entry {
    File(PathBuf),
    Text(String),
}

impl Loader {
    /// A site's firewall; what rules remember of clients lives on from `old`.
    pub(crate) fn firewall(
        &mut self,
        settings: &WafSettings,
        site: String,
        outlet: Outlet,
        old: Option<&Firewall>,
    ) -> Result<Firewall, StartError> {
        let rules = self.rules(settings)?;
        let quarantine = match &settings.quarantine {
            Some(kept) => Some(self.quarantine(kept)?),
            None => None,
        };
        let collections = old.map(|old| Arc::clone(&old.collections)).unwrap_or_default();
        Ok(Firewall { rules, collections, outlet, quarantine, site })
    }

    fn rules(&mut self, settings: &WafSettings) -> Result<Arc<RuleSet>, StartError> {
        let entry = match &settings.rules {
            WafRules::File(file) => Entry::File(file.clone()),
            WafRules::Profile { profile, mode, paranoia, folder, exclusions } => {
                let set = self.core_rule_set(folder.as_deref())?;
                let text = set.entry(*profile, *mode, *paranoia, exclusions);
                Entry::Text(text.map_err(StartError::RuleSet)?)
            }
        };
        if let Some(rules) = self.rules.get(&entry) {
            return Ok(Arc::clone(rules));
        }
        let rules = Arc::new(read(&entry).map_err(StartError::Rules)?);
        announce(&entry, &rules, settings.audit_log.is_some());
        self.rules.insert(entry, Arc::clone(&rules));
        Ok(rules)
    }

    /// The rule set in a folder, or the one that is installed.
    fn core_rule_set(&mut self, folder: Option<&Path>) -> Result<&CoreRuleSet, StartError> {
        let key = folder.map(Path::to_owned);
        if !self.found.contains_key(&key) {
            let found = match folder {
                Some(folder) => CoreRuleSet::at(folder),
                None => CoreRuleSet::installed(&installed_rules()),
            };
            let found = found.map_err(StartError::RuleSet)?;
            eprintln!("firewall: Core Rule Set {} in {}", found.version(), found.rules().display());
            self.found.insert(key.clone(), found);
        }
        Ok(&self.found[&key])
    }

    fn quarantine(&mut self, kept: &QuarantineSettings) -> Result<Arc<Quarantine>, StartError> {
        if let Some(open) = self.quarantines.get(&kept.folder) {
            return Ok(Arc::clone(open));
        }
        let open = Quarantine::open(&kept.folder, kept.bounds);
        let open = Arc::new(open.map_err(StartError::Quarantine)?);
        self.quarantines.insert(kept.folder.clone(), Arc::clone(&open));
        Ok(open)
    }
}

fn read(entry: &Entry) -> Result<RuleSet, Mistakes> {
    match entry {
        Entry::File(file) => RuleSet::load(file),
        Entry::Text(text) => {
            let source = Source::new("the firewall's profile", text.clone());
            RuleSet::from_program(parse_text(&source, Path::new("/"))?)
        }
    }
}

/// Tells what a file brings, and what is doubtful in it.
fn announce(entry: &Entry, rules: &RuleSet, has_audit_log: bool) {
    if let Entry::File(file) = entry {
        let signatures = rules.settings().signatures.join(", ");
        let of = if signatures.is_empty() { signatures } else { format!(" ({signatures})") };
        let (count, file) = (rules.rules().count(), file.display());
        let noun = if count == 1 { "rule" } else { "rules" };
        eprintln!("firewall: {count} {noun} from {file}{of}");
        if rules.settings().mode() == Mode::Off {
            eprintln!("firewall: none of them runs, for SecRuleEngine is not on in {file}");
        }
        if rules.settings().audit_log.is_some() && !has_audit_log {
            eprintln!(
                "firewall: SecAuditLog is not used: `audit_log` (--waf-audit-log) names that file"
            );
        }
    }
    for warning in rules.warnings() {
        eprintln!("{}", warning.render(Colour::Never));
    }
}
