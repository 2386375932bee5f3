//! How the rest of a transaction is handled: the settings of the rule set, as ctl actions have
//! changed them.

use crate::rules::{Control, RuleBits, Settings};
use crate::seclang::{AuditMode, AuditParts, AuditPartsChange, Mode, Processor};

/// What ctl can change.
#[derive(Debug)]
pub(crate) struct Controls {
    pub(crate) mode: Mode,
    /// Rules that do not run.
    pub(crate) removed: RuleBits,
    /// What rules do not look at, by number among those of the rule set.
    pub(crate) removed_targets: Vec<usize>,
    pub(crate) request_body_access: bool,
    pub(crate) request_body_limit: u64,
    pub(crate) response_body_access: bool,
    pub(crate) response_body_limit: u64,
    pub(crate) processor: Option<Processor>,
    pub(crate) force_request_body: bool,
    pub(crate) audit: AuditMode,
    pub(crate) audit_parts: AuditParts,
}

impl Controls {
    /// As the rule set says.
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            mode: settings.mode,
            removed: RuleBits::default(),
            removed_targets: Vec::new(),
            request_body_access: settings.request_body_access,
            request_body_limit: settings.request_body_limit,
            response_body_access: settings.response_body_access,
            response_body_limit: settings.response_body_limit,
            processor: None,
            force_request_body: false,
            audit: settings.audit,
            audit_parts: settings.audit_parts,
        }
    }

    /// Carries out a ctl action.
    pub(crate) fn apply(&mut self, control: &Control) {
        match control {
            Control::RuleEngine(mode) => self.mode = *mode,
            Control::RemoveRules(rules) => self.removed.extend(rules),
            Control::RemoveTargets(numbers) => {
                if !self.removed_targets.contains(&numbers.start) {
                    self.removed_targets.extend(numbers.clone());
                }
            }
            Control::RequestBodyAccess(on) => self.request_body_access = *on,
            Control::RequestBodyLimit(limit) => self.request_body_limit = *limit,
            Control::ResponseBodyAccess(on) => self.response_body_access = *on,
            Control::ResponseBodyLimit(limit) => self.response_body_limit = *limit,
            Control::RequestBodyProcessor(processor) => self.processor = Some(*processor),
            Control::ForceRequestBodyVariable(on) => self.force_request_body = *on,
            Control::AuditEngine(audit) => self.audit = *audit,
            Control::AuditLogParts(change) => {
                self.audit_parts = match *change {
                    AuditPartsChange::Set(parts) => parts,
                    AuditPartsChange::Add(parts) => self.audit_parts.with(parts),
                    AuditPartsChange::Remove(parts) => self.audit_parts.without(parts),
                };
            }
        }
    }
}
