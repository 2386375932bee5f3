//! A rule set: a program made ready to run.
//!
//! ```text
//!  Program ──draft──► rules in order, defaults, removals and updates applied
//!          ──vocabulary──► names of TX, XPaths
//!          ──compile──► five lists of rules, transformations and literals shared
//! ```

mod compile;
mod describe;
mod draft;
mod members;
mod rule;
mod screens;
mod settings;
mod target;
#[cfg(test)]
mod tests;
mod vocabulary;

use std::path::Path;
use std::sync::Arc;

use edgeproof_diagnostics::{Diagnostic, Diagnostics};

pub use rule::{Rule, Sanitise};
pub use settings::Settings;

pub(crate) use draft::spelled;
pub(crate) use rule::{
    Control, Disruptive, Effect, Gate, Link, Place, RuleBits, RuleNumber, TargetRemoval,
};
pub(crate) use target::{Selection, Target};

use crate::body::xml::XPath;
use crate::plan::{Cells, Collected, Filter, Pipelines, Prefilter, Screens, VariableSet};
use crate::seclang::{Mistakes, Phase, Program, parse_file};
use crate::transaction::{Names, Prelude, Spares};
use crate::transform::UnicodeMap;
use crate::variable::Variable;
use compile::Compiler;

/// Rules, ready to run. Transactions share it and never change it.
#[derive(Debug)]
pub struct RuleSet {
    phases: [Vec<Rule>; 5],
    /// One for each rule.
    gates: [Vec<Gate>; 5],
    settings: Settings,
    warnings: Vec<Diagnostic>,
    used: VariableSet,
    pub(crate) names: Names,
    pub(crate) paths: Vec<XPath>,
    pub(crate) pipelines: Pipelines,
    pub(crate) cells: Cells,
    pub(crate) prefilter: Prefilter,
    pub(crate) screens: Screens,
    pub(crate) target_removals: Vec<TargetRemoval>,
    /// What rules of phase 1 come to each time.
    pub(crate) preludes: Vec<Prelude>,
    /// Memory of transactions that are over.
    pub(crate) spares: Spares,
}

impl RuleSet {
    /// Reads a rule file, with all that it includes, and makes it ready.
    ///
    /// # Errors
    /// All mistakes, each with its place.
    pub fn load(entry: &Path) -> Result<Self, Mistakes> {
        Self::from_program(parse_file(entry)?)
    }

    /// Makes a program ready.
    ///
    /// # Errors
    /// All mistakes that only show when rules are seen together or compiled, each with its place.
    pub fn from_program(mut program: Program) -> Result<Self, Mistakes> {
        let diagnostics = Diagnostics::new();
        let directives = std::mem::take(&mut program.directives);
        let mut drafts = draft::drafts(directives, &diagnostics);
        if let Err(mistake) = drafts.settings.read_unicode_map(&program) {
            diagnostics.push(mistake);
        }
        let settings = std::mem::take(&mut drafts.settings);
        let mut compiler = Compiler::new(&program, &drafts, &diagnostics);
        let mut phases = compiler.rules();
        let Compiler { vocabulary, pipelines, cells, collected, removals, .. } = compiler;
        let warnings = if diagnostics.has_errors() {
            return Err(Mistakes::of(diagnostics).expect("there are errors"));
        } else {
            diagnostics.into_vec()
        };
        let mut screens = Screens::default();
        phases.iter_mut().for_each(|rules| screens::screen(rules, &mut screens));
        let rules = Self {
            gates: gates(&phases),
            phases,
            settings,
            warnings,
            used: vocabulary.used,
            names: vocabulary.names,
            paths: vocabulary.paths.into_iter().map(|(_, path)| path).collect(),
            pipelines,
            cells,
            prefilter: collected.build(),
            screens,
            target_removals: removals,
            preludes: Vec::new(),
            spares: Spares::default(),
        };
        Ok(rules.with_preludes())
    }

    /// Has the rules run once that come to the same each time.
    fn with_preludes(self) -> Self {
        let rules = Arc::new(self);
        let preludes = Prelude::all_of(&rules);
        let mut rules = Arc::into_inner(rules).expect("the run is over");
        let [first_phase, ..] = &mut rules.gates;
        for (number, prelude) in preludes.iter().enumerate() {
            first_phase[prelude.places().start] = Gate::Prelude(number);
        }
        rules.preludes = preludes;
        rules
    }

    /// The same rules without anything that passes over them unseen: every operator runs on every
    /// value. It must fire the same rules, only slower.
    #[must_use]
    pub fn without_prefilter(mut self) -> Self {
        for link in self.phases.iter_mut().flatten().flat_map(|rule| &mut rule.links) {
            link.filter = Filter::ANY;
            link.bytes.clear();
            link.shortest = 0;
            link.screen = None;
            link.group = None;
            link.gate = Gate::Open;
            for target in &mut link.targets {
                target.cell = None;
            }
        }
        self.gates = gates(&self.phases);
        self.preludes.clear();
        self.prefilter = Collected::default().build();
        self
    }

    /// What it says beside its rules.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What its author should know though it is no mistake.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// All rules, phase by phase.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.phases.iter().flatten()
    }

    /// The rules of a phase.
    pub(crate) fn phase(&self, phase: Phase) -> &[Rule] {
        &self.phases[usize::from(phase.number()) - 1]
    }

    /// The gates of a phase's rules.
    pub(crate) fn gates(&self, phase: Phase) -> &[Gate] {
        &self.gates[usize::from(phase.number()) - 1]
    }

    /// The rule of that number.
    pub(crate) fn rule(&self, RuleNumber(number): RuleNumber) -> &Rule {
        let mut at = number as usize;
        for rules in &self.phases {
            match rules.get(at) {
                Some(rule) => return rule,
                None => at -= rules.len(),
            }
        }
        unreachable!("numbers are given to rules only")
    }

    /// Whether any rule looks at the variable or writes it into a text.
    pub(crate) fn uses(&self, variable: Variable) -> bool {
        self.used.contains(variable)
    }

    /// For urlDecodeUni.
    pub(crate) fn unicode(&self) -> &UnicodeMap {
        &self.settings.unicode
    }
}

fn gates(phases: &[Vec<Rule>; 5]) -> [Vec<Gate>; 5] {
    phases.each_ref().map(|rules| rules.iter().map(Gate::of).collect())
}
