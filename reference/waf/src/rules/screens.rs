//! Which rules are screened together.
//!
//! The patterns of some rules have no text in them that every match holds, so that the prefilter lets all values through
//! to them: those of the Core Rule Set that look for commands, however their letters are parted. They stand together,
//! look at the same values and begin alike. A value that none of them matches is found out in one go.

use super::rule::{Link, Rule};
use crate::operator::Operator;
use crate::plan::{Filter, Screens};

/// Tells links of the rules of a phase which screen they have.
pub(super) fn screen(rules: &mut [Rule], screens: &mut Screens) {
    let mut from = 0;
    while from < rules.len() {
        let end = end_of_block(rules, from);
        screen_block(&mut rules[from..end], screens);
        from = end;
    }
}

/// Behind the last rule that runs if the one at `from` does: skipAfter leads to none of those between, and none jumps. (`skip`
/// may lead behind some of them: their screen then has patterns that are not asked for.)
fn end_of_block(rules: &[Rule], from: usize) -> usize {
    let jumps = |rule: &Rule| rule.skip > 0 || rule.skip_to.is_some();
    let is_reached = |at: usize| rules[..at].iter().any(|rule| rule.skip_to == Some(at));
    let ends = |at: &usize| jumps(&rules[at - 1]) || is_reached(*at);
    (from + 1..rules.len()).find(ends).unwrap_or(rules.len())
}

fn screen_block(rules: &mut [Rule], screens: &mut Screens) {
    let mut links: Vec<&mut Link> = rules.iter_mut().filter_map(screened).collect();
    if links.len() < 2 {
        return;
    }
    let operators = links.iter().filter_map(|link| link.operator.as_ref());
    let number = Operator::screen(operators).and_then(|screen| screens.add(screen));
    for link in &mut links {
        link.screen = number;
    }
}

/// The link of a rule that a screen is for. The first of a chain often matches, and is no end of it.
fn screened(rule: &mut Rule) -> Option<&mut Link> {
    let [link] = &mut *rule.links else { return None };
    let is_tried_on_all = link.gated && link.group.is_some() && link.filter == Filter::ANY;
    let is_pattern = link.operator.as_ref().is_some_and(Operator::can_be_screened);
    (is_tried_on_all && is_pattern).then_some(link)
}
