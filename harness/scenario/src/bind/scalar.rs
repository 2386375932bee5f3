//! Numbers, durations, words: values that are read when the file is.
//!
//! A column of `each` is put into the text before it is read, so that `status: "{{status}}"` is a
//! number.

use std::ops::RangeInclusive;
use std::time::Duration;

use edgeproof_diagnostics::{Diagnostic, Kind, Node, Span, Style, Value, parse_duration, suggest};

use super::Binder;
use super::fields::Fields;
use crate::template::{Found, apply, pieces};

impl Binder<'_> {
    /// The node with its columns put in: then a plain scalar, which may be a number. Anything else
    /// in double braces is a mistake here.
    fn filled(&self, node: &Node) -> Option<Node> {
        let text = node.as_str().unwrap_or_default();
        for piece in pieces(text) {
            if let Found::Variable(name, _) = &piece.found
                && self.column(name).is_none()
            {
                return self.no_column(name, &node.span_within(piece.at));
            }
        }
        Some(self.with_columns(node))
    }

    /// A variable that is not a column, where only columns can stand. Always None.
    fn no_column<T>(&self, name: &str, span: &Span) -> Option<T> {
        let columns = self.columns.iter().map(|(name, _)| name.as_str());
        let help = match suggest(name, columns) {
            Some(meant) => format!("did you mean `{{{{{meant}}}}}`?"),
            None => "only columns of `each` are known here; \
                     write `{{hex:7b7b}}` for a literal `{{`"
                .to_owned(),
        };
        let message = format!("`{{{{{name}}}}}` cannot stand here");
        self.report(Diagnostic::error(message).at(span).help(help))
    }

    /// The node with its columns put in and everything else as it stands.
    fn with_columns(&self, node: &Node) -> Node {
        let Some(text) = node.as_str() else { return node.clone() };
        let mut filled = String::new();
        let mut changed = false;
        for piece in pieces(text) {
            let column = match &piece.found {
                Found::Variable(name, filters) => self.column(name).map(|value| {
                    filters.iter().fold(value.to_vec(), |value, filter| apply(*filter, &value))
                }),
                _ => None,
            };
            match column {
                Some(value) => {
                    changed = true;
                    filled.push_str(&String::from_utf8_lossy(&value));
                }
                None => filled.push_str(&text[piece.at]),
            }
        }
        if !changed {
            return node.clone();
        }
        Node { span: node.span.clone(), kind: Kind::Scalar { text: filled, style: Style::Plain } }
    }

    /// A whole number.
    pub(super) fn whole(&self, node: &Node, range: RangeInclusive<u64>) -> Option<u64> {
        let node = self.filled(node)?;
        let value = Value::new(&node, self.diagnostics);
        if *range.end() < u64::MAX {
            return value.u64_in(range);
        }
        let number = value.u64()?;
        if range.contains(&number) {
            return Some(number);
        }
        value.reject(format!("expected a whole number, at least {}, found {number}", range.start()))
    }

    /// A whole number that counts things in memory.
    pub(super) fn size_of(&self, node: &Node, range: RangeInclusive<u64>) -> Option<usize> {
        self.whole(node, range).and_then(|number| usize::try_from(number).ok())
    }

    /// A status code.
    pub(super) fn status_code(&self, node: &Node) -> Option<u16> {
        self.whole(node, 100..=999).and_then(|code| u16::try_from(code).ok())
    }

    /// A finite number.
    pub(super) fn number(&self, node: &Node) -> Option<f64> {
        let node = self.filled(node)?;
        Value::new(&node, self.diagnostics).f64()
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, node: &Node) -> Option<bool> {
        let node = self.filled(node)?;
        Value::new(&node, self.diagnostics).bool()
    }

    /// Only `true`: leaving the key out says the contrary.
    pub(super) fn only_true(&self, node: &Node) -> Option<()> {
        match self.flag(node)? {
            true => Some(()),
            false => self.report(
                Diagnostic::error("expected `true`, found `false`")
                    .at(&node.span)
                    .help("leave the key out to say the contrary"),
            ),
        }
    }

    /// A duration in which something can happen.
    pub(super) fn lasting(&self, node: &Node) -> Option<Duration> {
        let duration = self.duration(node)?;
        match duration.is_zero() {
            false => Some(duration),
            true => self.vacuous(
                node,
                "nothing can happen in no time at all",
                "write a duration with its unit, such as `10s`",
            ),
        }
    }

    /// `10s`.
    pub(super) fn duration(&self, node: &Node) -> Option<Duration> {
        let node = self.filled(node)?;
        Value::new(&node, self.diagnostics).duration()
    }

    /// `64KiB`.
    pub(super) fn size(&self, node: &Node) -> Option<u64> {
        let node = self.filled(node)?;
        Value::new(&node, self.diagnostics).size()
    }

    /// `-10s`, in milliseconds.
    pub(super) fn offset(&self, node: &Node) -> Option<i64> {
        let node = self.filled(node)?;
        Value::new(&node, self.diagnostics).parse(|text| {
            let (sign, rest) = match text.strip_prefix('-') {
                Some(rest) => (-1, rest),
                None => (1, text.strip_prefix('+').unwrap_or(text)),
            };
            let duration = parse_duration(rest)?;
            // The longest duration is 1000 years.
            Ok::<_, edgeproof_diagnostics::QuantityError>(
                sign * i64::try_from(duration.as_millis()).unwrap_or(i64::MAX),
            )
        })
    }

    /// One of the words that the table knows for a key.
    pub(super) fn word(&self, fields: &Fields<'_>, key: &str) -> Option<&'static str> {
        self.word_of(fields.get(key)?, fields.words(key))
    }

    /// One of some words.
    pub(super) fn word_of(
        &self,
        node: &Node,
        words: &'static [&'static str],
    ) -> Option<&'static str> {
        let choices: Vec<(&str, &'static str)> = words.iter().map(|word| (*word, *word)).collect();
        let node = self.filled(node)?;
        Value::new(&node, self.diagnostics).one_of(&choices)
    }

    /// A text in which only columns of `each` may stand.
    pub(super) fn text(&self, node: &Node) -> Option<String> {
        let written = Value::new(node, self.diagnostics).str()?;
        for piece in pieces(written) {
            let span = node.span_within(piece.at);
            match &piece.found {
                Found::Variable(name, _) if self.column(name).is_none() => {
                    self.no_column::<()>(name, &span);
                }
                Found::Mistake { message, help } => {
                    let mistake = Diagnostic::error(message).at(&span).maybe_help(help.clone());
                    self.report::<()>(mistake);
                }
                Found::Variable(..) | Found::Text | Found::Bytes(_) => {}
            }
        }
        Some(self.spelled(written))
    }

    /// A text for people: columns are put in, any other braces stay as they stand.
    pub(super) fn prose(&self, node: &Node) -> Option<String> {
        Value::new(node, self.diagnostics).str()?;
        Some(self.with_columns(node).as_str().unwrap_or_default().trim_end().to_owned())
    }

    /// The text with columns and `{{hex:…}}` put in.
    fn spelled(&self, text: &str) -> String {
        let mut bytes = Vec::new();
        for piece in pieces(text) {
            match piece.found {
                Found::Bytes(literal) => bytes.extend_from_slice(&literal),
                Found::Variable(name, filters) => {
                    let value = self.column(&name).unwrap_or_default().to_vec();
                    let encoded = filters.iter().fold(value, |value, it| apply(*it, &value));
                    bytes.extend_from_slice(&encoded);
                }
                Found::Text | Found::Mistake { .. } => {
                    bytes.extend_from_slice(&text.as_bytes()[piece.at]);
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// One or several texts.
    pub(super) fn texts(&self, node: &Node) -> Vec<String> {
        let values = Value::new(node, self.diagnostics).one_or_more().unwrap_or_default();
        values.into_iter().filter_map(|value| self.text(value.node()?)).collect()
    }

    /// A list's entries; nothing, with a report, if it is no list.
    pub(super) fn items<'n>(&self, node: &'n Node) -> &'n [Node] {
        match node.as_sequence() {
            Some(items) => items,
            None => {
                Value::new(node, self.diagnostics).wrong_type::<()>("a list");
                &[]
            }
        }
    }

    /// A mapping's entries; nothing, with a report, if it is no mapping.
    pub(super) fn entries<'n>(&self, node: &'n Node) -> &'n [(Node, Node)] {
        match node.as_mapping() {
            Some(entries) => entries,
            None => {
                Value::new(node, self.diagnostics).wrong_type::<()>("a mapping");
                &[]
            }
        }
    }

    /// Exactly two values.
    pub(super) fn pair<T: PartialOrd>(
        &self,
        node: &Node,
        read: impl Fn(&Node) -> Option<T>,
    ) -> Option<(T, T)> {
        let [from, to] = node.as_sequence().unwrap_or_default() else {
            return Value::new(node, self.diagnostics).wrong_type("a list of two, from and to");
        };
        let (low, high) = (read(from), read(to));
        let (low, high) = (low?, high?);
        if low > high {
            return self.vacuous(
                node,
                "the first of the two is larger than the second",
                "write the smaller one first: nothing lies between them so",
            );
        }
        Some((low, high))
    }
}
