//! A program's rules in order: defaults merged, chains put together, removals and updates applied
//! to what stands before them.

use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::rc::Rc;

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Span, Spanned};

use super::members::Pattern;
use super::settings::Settings;
use crate::seclang::{Action, Directive, OperatorText, Phase, Piece, Target, Template};

/// What a program says, before rules are compiled.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    pub(super) rules: Vec<Draft>,
    pub(super) markers: Vec<Marker>,
    pub(super) settings: Settings,
}

/// A rule or a chain.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) id: u64,
    pub(super) phase: Phase,
    /// Its place among rules and markers.
    pub(super) place: usize,
    pub(super) links: Vec<DraftLink>,
    pub(super) span: Span,
}

/// One rule of a chain.
#[derive(Debug)]
pub(super) struct DraftLink {
    pub(super) targets: Vec<Spanned<Target>>,
    /// None: SecAction.
    pub(super) operator: Option<Spanned<OperatorText>>,
    /// What its phase's default action says.
    pub(super) defaults: Rc<[Spanned<Action>]>,
    pub(super) actions: Vec<Spanned<Action>>,
}

/// A place to skip to.
#[derive(Debug)]
pub(super) struct Marker {
    pub(super) name: String,
    pub(super) place: usize,
}

/// Reads a program's directives.
pub(super) fn drafts(directives: Vec<Spanned<Directive>>, diagnostics: &Diagnostics) -> Drafts {
    let mut reader = Reader::new(diagnostics);
    for directive in directives {
        reader.take(directive);
    }
    if let Some(chain) = reader.open {
        diagnostics.push(
            Diagnostic::error("the chain ends without its last rule").at(&chain.span.first_line()),
        );
    }
    reader.drafts
}

struct Reader<'d> {
    drafts: Drafts,
    /// The default actions by phase.
    defaults: HashMap<Phase, Rc<[Spanned<Action>]>>,
    none: Rc<[Spanned<Action>]>,
    /// A chain that goes on.
    open: Option<Draft>,
    place: usize,
    diagnostics: &'d Diagnostics,
}

impl<'d> Reader<'d> {
    fn new(diagnostics: &'d Diagnostics) -> Self {
        Self {
            drafts: Drafts::default(),
            defaults: HashMap::new(),
            none: Rc::new([]),
            open: None,
            place: 0,
            diagnostics,
        }
    }

    fn take(&mut self, directive: Spanned<Directive>) {
        let Spanned { value, span } = directive;
        self.place += 1;
        match value {
            Directive::Rule(rule) => {
                self.rule(rule.targets, Some(rule.operator), rule.actions, span);
            }
            Directive::Action(actions) => self.rule(Vec::new(), None, actions, span),
            Directive::DefaultAction(actions) => {
                if let Some(phase) = phase(&actions) {
                    self.defaults.insert(phase, actions.into());
                }
            }
            Directive::Marker(name) => {
                self.drafts.markers.push(Marker { name, place: self.place });
            }
            Directive::RemoveById(ids) => {
                self.drafts.rules.retain(|rule| !ids.iter().any(|range| range.contains(&rule.id)));
            }
            Directive::RemoveByTag(tag) => self.remove(&tag, &span, Draft::has_tag),
            Directive::RemoveByMsg(msg) => self.remove(&msg, &span, Draft::has_msg),
            Directive::UpdateTargetById { ids, targets, replaced } => {
                let update = Update { targets, replaced };
                self.update_by_id(&ids, &update, &span);
            }
            Directive::UpdateTargetByTag { tag, targets, replaced } => {
                let update = Update { targets, replaced };
                self.update(&tag, &span, Draft::has_tag, &update);
            }
            Directive::UpdateTargetByMsg { msg, targets, replaced } => {
                let update = Update { targets, replaced };
                self.update(&msg, &span, Draft::has_msg, &update);
            }
            Directive::UpdateActionById { id, chain_offset, actions } => {
                self.update_actions(id, chain_offset as usize, &actions, &span);
            }
            setting => {
                if let Err(mistake) = self.drafts.settings.take(&setting, &span) {
                    self.diagnostics.push(mistake);
                }
            }
        }
    }

    fn rule(
        &mut self,
        targets: Vec<Spanned<Target>>,
        operator: Option<Spanned<OperatorText>>,
        actions: Vec<Spanned<Action>>,
        span: Span,
    ) {
        let goes_on = actions.iter().any(|action| action.value == Action::Chain);
        let mut draft = match self.open.take() {
            Some(draft) => draft,
            None => {
                let phase = phase(&actions).unwrap_or(Phase::RequestBody);
                let id = actions.iter().find_map(|action| match action.value {
                    Action::Id(id) => Some(id),
                    _ => None,
                });
                let Some(id) = id else {
                    let mistake = Diagnostic::error("a rule needs an id");
                    return self.diagnostics.push(mistake.at(&span.first_line()));
                };
                Draft { id, phase, place: self.place, links: Vec::new(), span }
            }
        };
        let defaults = Rc::clone(self.defaults.get(&draft.phase).unwrap_or(&self.none));
        draft.links.push(DraftLink { targets, operator, defaults, actions });
        if goes_on {
            self.open = Some(draft);
        } else {
            self.drafts.rules.push(draft);
        }
    }

    fn pattern(&self, text: &str, span: &Span) -> Option<Pattern> {
        Pattern::new(text, span).map_err(|mistake| self.diagnostics.push(mistake)).ok()
    }

    fn remove(&mut self, pattern: &str, span: &Span, has: fn(&Draft, &Pattern) -> bool) {
        if let Some(pattern) = self.pattern(pattern, span) {
            self.drafts.rules.retain(|rule| !has(rule, &pattern));
        }
    }

    fn update_by_id(&mut self, ids: &[RangeInclusive<u64>], update: &Update, span: &Span) {
        let mut any = false;
        for rule in &mut self.drafts.rules {
            if ids.iter().any(|range| range.contains(&rule.id)) {
                any = true;
                update.apply(rule);
            }
        }
        self.warn_unless(any, span);
    }

    fn update(
        &mut self,
        pattern: &str,
        span: &Span,
        has: fn(&Draft, &Pattern) -> bool,
        update: &Update,
    ) {
        let Some(pattern) = self.pattern(pattern, span) else { return };
        let mut any = false;
        for rule in &mut self.drafts.rules {
            if has(rule, &pattern) {
                any = true;
                update.apply(rule);
            }
        }
        self.warn_unless(any, span);
    }

    fn update_actions(&mut self, id: u64, offset: usize, actions: &[Spanned<Action>], span: &Span) {
        let rule = self.drafts.rules.iter_mut().find(|rule| rule.id == id);
        let Some(rule) = rule else { return self.warn_unless(false, span) };
        if let Some(phase) = phase(actions) {
            rule.phase = phase;
        }
        match rule.links.get_mut(offset) {
            Some(link) => link.actions.extend_from_slice(actions),
            None => self.warn_unless(false, span),
        }
    }

    fn warn_unless(&self, any: bool, span: &Span) {
        if !any {
            self.diagnostics.push(
                Diagnostic::warning("this changes no rule")
                    .at(&span.first_line())
                    .help("it applies to rules that stand before it"),
            );
        }
    }
}

/// Targets to add, or to put in the place of another.
struct Update {
    targets: Vec<Spanned<Target>>,
    replaced: Option<Spanned<Target>>,
}

impl Update {
    /// All links of a chain are changed, as ModSecurity 2.9 does it.
    fn apply(&self, rule: &mut Draft) {
        for link in &mut rule.links {
            if link.operator.is_none() {
                continue;
            }
            if let Some(replaced) = &self.replaced {
                let before = link.targets.len();
                link.targets.retain(|target| target.value != replaced.value);
                if link.targets.len() == before {
                    continue;
                }
            }
            let known = |new: &Spanned<Target>, targets: &[Spanned<Target>]| {
                targets.iter().any(|target| target.value == new.value)
            };
            for target in &self.targets {
                if !known(target, &link.targets) {
                    link.targets.push(target.clone());
                }
            }
        }
    }
}

impl Draft {
    /// Whether one of its tags matches.
    pub(super) fn has_tag(&self, pattern: &Pattern) -> bool {
        self.first().actions.iter().chain(self.first().defaults.iter()).any(|action| {
            matches!(&action.value, Action::Tag(tag) if pattern.is_in(spelled(tag).as_bytes()))
        })
    }

    /// Whether its message matches.
    pub(super) fn has_msg(&self, pattern: &Pattern) -> bool {
        self.first().actions.iter().any(|action| {
            matches!(&action.value, Action::Msg(msg) if pattern.is_in(spelled(msg).as_bytes()))
        })
    }

    /// The first link: what says how the rule is called and what it does.
    pub(super) fn first(&self) -> &DraftLink {
        &self.links[0]
    }
}

impl DraftLink {
    /// All its actions in order, those of the default action first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Spanned<Action>> {
        self.defaults.iter().chain(&self.actions)
    }
}

impl Drafts {
    /// The rules that a condition holds for, by their places in the list.
    pub(super) fn matching(&self, holds: impl Fn(&Draft) -> bool) -> BTreeSet<usize> {
        let rules = self.rules.iter().enumerate();
        rules.filter(|(_, rule)| holds(rule)).map(|(place, _)| place).collect()
    }
}

/// A template as it is written.
pub(crate) fn spelled(template: &Template) -> String {
    let mut text = String::new();
    for piece in template.pieces() {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Macro { variable, selector } => {
                text.push_str("%{");
                text.push_str(variable.name());
                if let Some(selector) = selector {
                    text.push('.');
                    text.push_str(selector);
                }
                text.push('}');
            }
        }
    }
    text
}

fn phase(actions: &[Spanned<Action>]) -> Option<Phase> {
    actions.iter().find_map(|action| match action.value {
        Action::Phase(phase) => Some(phase),
        _ => None,
    })
}
