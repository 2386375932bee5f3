//! `each`: a table of rows, every one with the same columns.

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Node, Span};

use super::Binder;
use super::scope::BUILTINS;
use crate::table;
use crate::template::{Found, is_name, pieces};

/// A row.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Its id, or its number from 1; nothing where there is no table.
    pub(super) id: Option<String>,
    /// Its columns.
    pub(super) columns: Vec<(String, Vec<u8>)>,
    /// Where the columns' names stand.
    pub(super) places: Vec<Span>,
    /// Where it stands.
    pub(super) span: Option<Span>,
}

/// The rows of `each`.
pub(super) fn rows(node: &Node, diagnostics: &Diagnostics) -> Vec<Row> {
    let binder = Binder::new(diagnostics, &[]);
    let nodes = binder.items(node);
    if node.as_sequence().is_some_and(<[_]>::is_empty) {
        binder.reject::<()>(&node.span, "a row is missing: an empty table has no case");
    }
    let rows: Vec<Row> =
        nodes.iter().enumerate().filter_map(|(at, node)| binder.row(node, at + 1)).collect();
    same_columns(&rows, diagnostics);
    different_ids(&rows, diagnostics);
    rows
}

impl Binder<'_> {
    fn row(&self, node: &Node, number: usize) -> Option<Row> {
        let fields = self.fields(node, &table::COLUMN)?;
        let id = fields.get("id").and_then(|id| self.id(id)).unwrap_or_else(|| number.to_string());
        let mut row = Row { id: Some(id.clone()), span: Some(node.span.clone()), ..Row::default() };
        for (key, value) in fields.others() {
            let name = key.as_str().unwrap_or_default();
            // A cell with a mistake still makes its column known: one message is enough.
            let cell = self.cell(value).unwrap_or_else(|| b"x".to_vec());
            self.placeholders_in_cell(value);
            if self.column_name(key, name) {
                row.columns.push((name.to_owned(), cell));
                row.places.push(key.span.clone());
            }
        }
        row.columns.push(("id".to_owned(), id.into_bytes()));
        Some(row)
    }

    /// Whether a column may be called so; else reports why not.
    fn column_name(&self, key: &Node, name: &str) -> bool {
        if !is_name(name) {
            let message = format!("`{name}` is no name for a column: use letters, digits, `_`");
            self.reject::<()>(&key.span, message);
        } else if BUILTINS.contains(&name) {
            let message = format!("`{name}` is always known: call the column otherwise");
            self.reject::<()>(&key.span, message);
        } else {
            return true;
        }
        false
    }

    /// A cell's bytes: a scalar's text as it stands, never scanned, or a mapping.
    fn cell(&self, node: &Node) -> Option<Vec<u8>> {
        if node.as_mapping().is_some() {
            return self.bytes(node)?.as_literal();
        }
        match node.as_str() {
            Some(text) if !node.is_null() => Some(text.as_bytes().to_vec()),
            Some(_) => self.report(
                Diagnostic::error("expected a text, found nothing")
                    .at(&node.span)
                    .help("write `\"\"` for an empty text"),
            ),
            None => self.reject(&node.span, format!("expected a text, found {}", node.describe())),
        }
    }

    /// A cell is text as it stands. What looks like a placeholder in it is more often one that its author
    /// expects a value for than a payload.
    fn placeholders_in_cell(&self, node: &Node) {
        let Some(text) = node.as_str() else { return };
        for piece in pieces(text).into_iter().filter(|piece| piece.found != Found::Text) {
            let message =
                format!("nothing is put in for `{}` in a column", &text[piece.at.clone()]);
            self.report::<()>(Diagnostic::warning(message).at(&node.span_within(piece.at)).help(
                "write it where the column is used; a payload that is meant so can be written as \
                     `{ base64: … }`",
            ));
        }
    }

    /// An id: a part of a case's id.
    pub(super) fn id(&self, node: &Node) -> Option<String> {
        let id = self.text(node)?;
        if id.is_empty() || id.contains(|it: char| it.is_whitespace() || matches!(it, '/' | '#')) {
            let message = format!("`{id}` is no id: it has no spaces, no `/` and no `#`");
            return self.reject(&node.span, message);
        }
        Some(id)
    }
}

fn same_columns(rows: &[Row], diagnostics: &Diagnostics) {
    let Some((first, others)) = rows.split_first() else { return };
    let has = |row: &Row, name: &str| row.columns.iter().any(|(column, _)| column == name);
    for row in others {
        let places = (row.span.as_ref(), first.span.as_ref());
        let (Some(here), Some(there)) = places else { continue };
        let mistake = |message: String| {
            let error = Diagnostic::error(message).at(&here.first_line());
            error.context(&there.first_line(), "the first row has other columns")
        };
        for (name, _) in first.columns.iter().filter(|(name, _)| !has(row, name)) {
            diagnostics.push(mistake(format!("this row lacks the column `{name}`")));
        }
        for (name, _) in row.columns.iter().filter(|(name, _)| !has(first, name)) {
            diagnostics.push(mistake(format!("only this row has the column `{name}`")));
        }
    }
}

fn different_ids(rows: &[Row], diagnostics: &Diagnostics) {
    for (at, row) in rows.iter().enumerate() {
        let twin = rows[..at].iter().find(|other| other.id == row.id);
        if let (Some(id), Some(here), Some(there)) =
            (&row.id, &row.span, twin.and_then(|twin| twin.span.as_ref()))
        {
            diagnostics.push(
                Diagnostic::error(format!("two rows have the id `{id}`"))
                    .label(&here.first_line(), "the second")
                    .context(&there.first_line(), "the first"),
            );
        }
    }
}
