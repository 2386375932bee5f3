//! Rules from their drafts.

use std::collections::BTreeSet;

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Span, Spanned};

use super::describe::describe;
use super::draft::{Draft, DraftLink, Drafts};
use super::members::{Members, Pattern};
use super::rule::{
    Control, Disruptive, Effect, Gate, Link, Place, Rule, RuleBits, RuleNumber, Sanitise,
    TargetRemoval,
};
use super::target::{Selection, Target};
use super::vocabulary::Vocabulary;
use crate::operator::Operator;
use crate::plan::{Cells, Collected, Filter, Pipeline, Pipelines, is_steady};
use crate::seclang::{self, Action, Ctl, Phase, Program, Selector};
use crate::transaction::Slot;
use crate::variable::Variable;

/// Makes rules of drafts.
pub(super) struct Compiler<'d> {
    program: &'d Program,
    drafts: &'d Drafts,
    /// The number of each draft, in the order of the drafts.
    numbers: Vec<RuleNumber>,
    pub(super) vocabulary: Vocabulary,
    pub(super) pipelines: Pipelines,
    pub(super) cells: Cells,
    pub(super) collected: Collected,
    pub(super) removals: Vec<TargetRemoval>,
    diagnostics: &'d Diagnostics,
}

impl<'d> Compiler<'d> {
    pub(super) fn new(
        program: &'d Program,
        drafts: &'d Drafts,
        diagnostics: &'d Diagnostics,
    ) -> Self {
        Self {
            program,
            drafts,
            numbers: numbers(drafts),
            vocabulary: Vocabulary::of(drafts),
            pipelines: Pipelines::new(),
            cells: Cells::default(),
            collected: Collected::default(),
            removals: Vec::new(),
            diagnostics,
        }
    }

    /// The rules of each phase. A rule with a mistake is left out, and told.
    pub(super) fn rules(&mut self) -> [Vec<Rule>; 5] {
        Phase::ALL.map(|phase| {
            let drafts = self.drafts;
            let of_phase = drafts.rules.iter().enumerate().filter(|(_, rule)| rule.phase == phase);
            of_phase.filter_map(|(at, draft)| self.rule(at, draft)).collect()
        })
    }

    fn rule(&mut self, at: usize, draft: &Draft) -> Option<Rule> {
        let before = self.diagnostics.len();
        let links: Vec<_> = draft.links.iter().map(|link| self.link(link)).collect();
        let links: Option<Vec<_>> = links.into_iter().collect();
        let skip_to = self.skip_to(draft);
        let links = links.filter(|_| self.diagnostics.len() == before)?;
        let mut rule = Rule {
            number: self.numbers[at],
            id: draft.id,
            phase: draft.phase,
            links: links.into(),
            disruptive: Disruptive::Pass,
            status: None,
            msg: None,
            logdata: None,
            tags: Box::default(),
            severity: None,
            ver: None,
            rev: None,
            maturity: None,
            accuracy: None,
            log: true,
            auditlog: true,
            skip: 0,
            skip_to,
            span: draft.span.clone(),
        };
        describe(&mut rule, draft.first());
        Some(rule)
    }

    /// Where in its phase a rule with skipAfter goes on.
    fn skip_to(&self, draft: &Draft) -> Option<usize> {
        let (name, span) = draft.first().all().fold(None, |found, action| match &action.value {
            Action::SkipAfter(name) => Some((name, &action.span)),
            _ => found,
        })?;
        let marker = self
            .drafts
            .markers
            .iter()
            .find(|marker| marker.place > draft.place && marker.name == *name);
        let of_phase = || self.drafts.rules.iter().filter(|rule| rule.phase == draft.phase);
        if let Some(marker) = marker {
            return Some(of_phase().filter(|rule| rule.place < marker.place).count());
        }
        let target = self
            .drafts
            .rules
            .iter()
            .find(|rule| rule.place > draft.place && rule.id.to_string() == *name);
        if let Some(target) = target {
            return Some(of_phase().filter(|rule| rule.place <= target.place).count());
        }
        self.diagnostics.push(
            Diagnostic::error(format!("no marker `{name}` follows"))
                .at(span)
                .help("skipAfter needs a SecMarker of that name behind the rule"),
        );
        None
    }

    fn link(&mut self, draft: &DraftLink) -> Option<Link> {
        let operator = match &draft.operator {
            Some(text) => {
                let compiled = Operator::compile(text, self.program.folder(&text.span));
                Some(compiled.map_err(|mistake| self.diagnostics.push(mistake)).ok()?)
            }
            None => None,
        };
        let literals = operator.as_ref().and_then(Operator::required_literals);
        let filter = self.collected.add(literals.unwrap_or_default());
        let bytes = operator.as_ref().map(Operator::required_bytes).unwrap_or_default();
        let mut steps = Vec::new();
        let (mut multi_match, mut capture) = (false, false);
        for action in draft.all() {
            match &action.value {
                Action::Transform(step) => steps.push(*step),
                Action::TransformNone => steps.clear(),
                Action::MultiMatch => multi_match = true,
                Action::Capture => capture = true,
                _ => {}
            }
        }
        let mut targets = match &operator {
            Some(_) => self.targets(&draft.targets)?,
            None => vec![Target::whole(Variable::RemoteAddr)],
        };
        let pipeline = self.pipelines.intern(&steps);
        // With multiMatch each form in between counts, too.
        let in_cells = if multi_match { Pipeline::RAW } else { pipeline };
        for target in targets.iter_mut().filter(|target| has_cell(target)) {
            target.cell = Some(self.cells.intern(target.variable, target.members(), in_cells));
        }
        let cells: Option<Vec<_>> = targets.iter().map(|target| target.cell).collect();
        let group = cells.map(|cells| self.cells.group(&cells));
        let slot = only_slot(&targets).filter(|_| pipeline == Pipeline::RAW);
        let negated = operator.as_ref().is_some_and(|operator| operator.negated);
        let gated = !negated && !multi_match;
        let gate = match (group, slot) {
            (Some(group), _) => {
                Gate::Cells { group, filter: if gated { filter } else { Filter::ANY } }
            }
            (None, Some(slot)) => {
                Gate::Slot { slot, test: operator.as_ref().and_then(Operator::number_test) }
            }
            (None, None) => Gate::Open,
        };
        Some(Link {
            slot,
            targets: targets.into(),
            filter,
            bytes,
            shortest: operator.as_ref().map_or(0, Operator::shortest),
            screen: None,
            group,
            gated,
            gate,
            pipeline,
            multi_match,
            capture,
            effects: draft.all().filter_map(|action| self.effect(action)).collect(),
            operator,
        })
    }

    /// Targets, each with what a later one excludes from it.
    fn targets(&mut self, written: &[Spanned<seclang::Target>]) -> Option<Vec<Target>> {
        let mut targets: Vec<Target> = Vec::new();
        for Spanned { value, span } in written {
            if !value.exclude {
                let selection = self.selection(value, span)?;
                targets.push(Target {
                    variable: value.variable,
                    selection,
                    count: value.count,
                    except: Vec::new(),
                    cell: None,
                });
                continue;
            }
            for target in targets.iter_mut().filter(|one| one.variable == value.variable) {
                target.except.push(self.selection(value, span)?);
            }
        }
        targets.retain(|target| !target.is_nothing());
        Some(targets)
    }

    fn selection(&self, target: &seclang::Target, span: &Span) -> Option<Selection> {
        let names = &self.vocabulary.names;
        Some(match &target.selector {
            Selector::All => Selection::All,
            Selector::Name(name) => match names.get(name) {
                Some(slot) if target.variable == Variable::Tx => Selection::Slot(slot),
                _ => Selection::Name(name.as_slice().into()),
            },
            Selector::Pattern(pattern) => {
                let members = Members::new(pattern, span, names);
                Selection::Pattern(members.map_err(|mistake| self.diagnostics.push(mistake)).ok()?)
            }
            Selector::XPath(written) => match self.vocabulary.path(written) {
                Some(path) => Selection::Path(path),
                None => {
                    let problem = crate::body::xml::XPath::parse(written).err();
                    let problem = problem.map_or_else(String::new, |error| error.to_string());
                    self.diagnostics.push(
                        Diagnostic::error("this XPath is not known here").label(span, problem),
                    );
                    return None;
                }
            },
        })
    }

    fn effect(&mut self, action: &Spanned<Action>) -> Option<Effect> {
        Some(match &action.value {
            Action::SetVar(set) => Effect::SetVar {
                place: self.place(set.collection, &set.name),
                operation: set.operation.clone(),
            },
            Action::ExpireVar { collection, name, seconds } => {
                Effect::Expire { place: self.place(*collection, name), seconds: seconds.clone() }
            }
            Action::DeprecateVar { collection, name, amount, seconds } => Effect::Deprecate {
                place: self.place(*collection, name),
                amount: i64::try_from(*amount).unwrap_or(i64::MAX),
                seconds: i64::try_from(*seconds).unwrap_or(i64::MAX),
            },
            Action::InitCol { collection, key } => {
                Effect::InitCollection { collection: collection.variable(), key: key.clone() }
            }
            Action::SetSid(key) => {
                Effect::InitCollection { collection: Variable::Session, key: key.clone() }
            }
            Action::SetUid(key) => {
                Effect::InitCollection { collection: Variable::User, key: key.clone() }
            }
            Action::SetRsc(key) => {
                Effect::InitCollection { collection: Variable::Resource, key: key.clone() }
            }
            Action::SetEnv { name, value } => {
                Effect::SetEnv { name: name.clone(), value: value.clone() }
            }
            Action::SanitiseArg(name) => Effect::Sanitise(Sanitise::Argument(name.as_str().into())),
            Action::SanitiseRequestHeader(name) => {
                Effect::Sanitise(Sanitise::RequestHeader(name.as_str().into()))
            }
            Action::SanitiseResponseHeader(name) => {
                Effect::Sanitise(Sanitise::ResponseHeader(name.as_str().into()))
            }
            // The whole value is left out, which is more than its bytes.
            Action::SanitiseMatched | Action::SanitiseMatchedBytes { .. } => {
                Effect::Sanitise(Sanitise::Matched)
            }
            Action::Ctl(ctl) => return self.control(ctl, &action.span),
            _ => return None,
        })
    }

    fn place(&self, collection: seclang::Collection, name: &seclang::Template) -> Place {
        let slot = name.literal().and_then(|name| self.vocabulary.names.get(name.as_bytes()));
        match (collection.variable(), slot) {
            (Variable::Tx, Some(slot)) => Place::Slot(slot),
            (variable, _) => Place::Member(variable, name.clone()),
        }
    }

    fn control(&mut self, ctl: &Ctl, span: &Span) -> Option<Effect> {
        let control = match ctl {
            Ctl::RuleEngine(mode) => Control::RuleEngine(*mode),
            Ctl::RequestBodyAccess(on) => Control::RequestBodyAccess(*on),
            Ctl::RequestBodyLimit(limit) => Control::RequestBodyLimit(*limit),
            Ctl::ResponseBodyAccess(on) => Control::ResponseBodyAccess(*on),
            Ctl::ResponseBodyLimit(limit) => Control::ResponseBodyLimit(*limit),
            Ctl::RequestBodyProcessor(processor) => Control::RequestBodyProcessor(*processor),
            Ctl::ForceRequestBodyVariable(on) => Control::ForceRequestBodyVariable(*on),
            Ctl::AuditEngine(audit) => Control::AuditEngine(*audit),
            Ctl::AuditLogParts(change) => Control::AuditLogParts(*change),
            Ctl::DebugLogLevel(_) => return None,
            Ctl::RuleRemoveById(ids) => {
                let found =
                    self.drafts.matching(|rule| ids.iter().any(|ids| ids.contains(&rule.id)));
                Control::RemoveRules(self.bits(&found))
            }
            Ctl::RuleRemoveByTag(tag) => {
                let pattern = self.pattern(tag, span)?;
                Control::RemoveRules(
                    self.bits(&self.drafts.matching(|rule| rule.has_tag(&pattern))),
                )
            }
            Ctl::RuleRemoveByMsg(msg) => {
                let pattern = self.pattern(msg, span)?;
                Control::RemoveRules(
                    self.bits(&self.drafts.matching(|rule| rule.has_msg(&pattern))),
                )
            }
            Ctl::RuleRemoveTargetById { ids, targets } => {
                let found =
                    self.drafts.matching(|rule| ids.iter().any(|ids| ids.contains(&rule.id)));
                self.removal(&found, targets, span)?
            }
            Ctl::RuleRemoveTargetByTag { tag, targets } => {
                let pattern = self.pattern(tag, span)?;
                self.removal(&self.drafts.matching(|rule| rule.has_tag(&pattern)), targets, span)?
            }
            Ctl::RuleRemoveTargetByMsg { msg, targets } => {
                let pattern = self.pattern(msg, span)?;
                self.removal(&self.drafts.matching(|rule| rule.has_msg(&pattern)), targets, span)?
            }
        };
        Some(Effect::Control(control))
    }

    fn removal(
        &mut self,
        found: &BTreeSet<usize>,
        targets: &[seclang::Target],
        span: &Span,
    ) -> Option<Control> {
        let first = self.removals.len();
        for target in targets {
            let selection = self.selection(target, span)?;
            let removal =
                TargetRemoval { rules: self.bits(found), variable: target.variable, selection };
            self.removals.push(removal);
        }
        Some(Control::RemoveTargets(first..self.removals.len()))
    }

    fn pattern(&self, text: &str, span: &Span) -> Option<Pattern> {
        Pattern::new(text, span).map_err(|mistake| self.diagnostics.push(mistake)).ok()
    }

    fn bits(&self, found: &BTreeSet<usize>) -> RuleBits {
        let mut bits = RuleBits::default();
        for &at in found {
            bits.insert(self.numbers[at]);
        }
        bits
    }
}

/// Rules are numbered phase by phase.
fn numbers(drafts: &Drafts) -> Vec<RuleNumber> {
    let mut order: Vec<_> = (0..drafts.rules.len()).collect();
    order.sort_by_key(|&at| drafts.rules[at].phase);
    let mut numbers = vec![RuleNumber(0); order.len()];
    for (number, at) in order.into_iter().enumerate() {
        numbers[at] = RuleNumber(u32::try_from(number).expect("fewer rules than bytes of them"));
    }
    numbers
}

/// The variable of TX that is all that is looked at.
fn only_slot(targets: &[Target]) -> Option<Slot> {
    match targets {
        [Target { selection: Selection::Slot(slot), count: false, except, .. }] => {
            except.is_empty().then_some(*slot)
        }
        _ => None,
    }
}

/// Whether a target's values stay as they are during a phase.
fn has_cell(target: &Target) -> bool {
    !target.count && is_steady(target.variable)
}
