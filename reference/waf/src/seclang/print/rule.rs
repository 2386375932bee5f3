//! Rules: targets, operators, texts with macros.

use std::fmt::{self, Display, Formatter};

use super::quotes::{argument, joined, lines, needs_quotes, quoted, value, word};
use crate::seclang::directive::RuleText;
use crate::seclang::operator::{OperatorName, OperatorText};
use crate::seclang::target::{Selector, Target};
use crate::seclang::template::{Piece, Template};
use crate::seclang::text::is_blank;

/// The arguments of a `SecRule` as they are written.
pub(super) fn words(rule: &RuleText) -> Vec<String> {
    let targets = word(&joined(&rule.targets, "|"));
    let operator = argument(&rule.operator.value.to_string());
    let actions = (!rule.actions.is_empty()).then(|| lines(&rule.actions));
    [targets, operator].into_iter().chain(actions).collect()
}

impl Display for OperatorText {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { negated, name, argument } = self;
        if *name == OperatorName::Rx && argument.starts_with(is_blank) {
            // Behind a name it would not belong to the pattern.
            return formatter.write_str(argument);
        }
        write!(formatter, "{}@{}", if *negated { "!" } else { "" }, name.name())?;
        if argument.is_empty() { Ok(()) } else { write!(formatter, " {argument}") }
    }
}

impl Display for Target {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let sign = match (self.exclude, self.count) {
            (true, _) => "!",
            (false, true) => "&",
            (false, false) => "",
        };
        write!(formatter, "{sign}{}", self.variable.name())?;
        match &self.selector {
            Selector::All => Ok(()),
            Selector::Name(name) => {
                let name = String::from_utf8_lossy(name);
                let bare = !name.is_empty() && !name.starts_with('/') && !needs_quotes(&name);
                write!(formatter, ":{}", if bare { name.into_owned() } else { quoted(&name) })
            }
            Selector::Pattern(pattern) => write!(formatter, ":{}", value(&format!("/{pattern}/"))),
            Selector::XPath(path) => write!(formatter, ":{}", value(path)),
        }
    }
}

impl Display for Template {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.pieces().iter().try_for_each(|piece| match piece {
            Piece::Text(text) => formatter.write_str(text),
            Piece::Macro { variable, selector: None } => {
                write!(formatter, "%{{{}}}", variable.name())
            }
            Piece::Macro { variable, selector: Some(selector) } => {
                write!(formatter, "%{{{}.{selector}}}", variable.name())
            }
        })
    }
}
