//! One case, once for each row of its table.

use std::time::Duration;

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Node, Source, Spanned};

use super::Binder;
use super::fields::Fields;
use super::rows::{Row, rows};
use crate::ability::misspelt_ability;
use crate::model::{Case, CaseId, Level, Origin};
use crate::table::Form;

/// The most real time of a case that does not say another.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// The cases that a node makes: one, or one for each row of `each`. None of those with a mistake.
pub(super) fn cases(
    node: &Node,
    form: &'static Form,
    id: &str,
    source: &Source,
    diagnostics: &Diagnostics,
) -> Vec<Case> {
    let rows = match node.get("each") {
        Some(each) => rows(each, diagnostics),
        None => vec![Row::default()],
    };
    let mut cases = Vec::new();
    let mut told: Vec<Vec<Diagnostic>> = Vec::new();
    for row in &rows {
        let of_row = Diagnostics::new();
        let binder = Binder::new(&of_row, &row.columns);
        let id = match &row.id {
            Some(row) => format!("{id}#{row}"),
            None => id.to_owned(),
        };
        let case = binder.case(node, form, CaseId(id), source);
        if told.is_empty() && !of_row.has_errors() {
            binder.unused_columns(row);
        }
        cases.extend(case.filter(|_| !of_row.has_errors()));
        told.push(of_row.into_vec());
    }
    tell(&rows, told, diagnostics);
    cases
}

/// Hands on what was told of the rows: what is the same in all rows once, else with the rows' ids.
fn tell(rows: &[Row], told: Vec<Vec<Diagnostic>>, diagnostics: &Diagnostics) {
    let mut gathered: Vec<(Diagnostic, Vec<&str>)> = Vec::new();
    for (row, of_row) in rows.iter().zip(told) {
        for one in of_row {
            let id = row.id.as_deref().unwrap_or_default();
            match gathered.iter_mut().find(|(known, _)| *known == one) {
                Some((_, ids)) if ids.last() == Some(&id) => {}
                Some((_, ids)) => ids.push(id),
                None => gathered.push((one, vec![id])),
            }
        }
    }
    for (one, ids) in gathered {
        diagnostics.push(match ids.as_slice() {
            ids if ids.len() == rows.len() => one,
            [id] => one.with_note(format!("in the row `{id}` of `each`")),
            ids => one.with_note(format!("in the rows `{}` of `each`", ids.join("`, `"))),
        });
    }
}

impl Binder<'_> {
    fn case(&self, node: &Node, form: &'static Form, id: CaseId, source: &Source) -> Option<Case> {
        let fields = self.fields(node, form)?;
        let name = fields.get("name").and_then(|it| self.prose(it));
        let spec = fields.get("spec").and_then(|it| self.prose(it));
        if fields.get("spec").is_none()
            && !form.keys.iter().any(|key| key.name == "spec" && key.required)
        {
            let message = "missing `spec` in a case, and none is shared above";
            self.reject::<()>(&node.span, message);
        }
        self.blank(&fields, "name", name.as_deref());
        self.blank(&fields, "spec", spec.as_deref());
        let needs = fields.get("needs").map(|it| self.written_needs(it)).unwrap_or_default();
        self.needs.replace(needs);
        let site = fields.get("site").map(|it| self.site(it)).unwrap_or_default();
        let steps = fields.get("steps").map(|it| self.steps(it, "steps"));
        // After the steps: an answer may use whatever a step captures.
        let origin = fields.get("origin").map(|it| self.origin(it)).unwrap_or_default();
        if site.any_host && !matches!(origin, Origin::Reflect(_)) {
            self.without_reflection(&fields, node);
        }
        if steps.is_some() && self.assertions.get() == 0 {
            self.without_assertion(&fields, node);
        }
        self.close_scope(source);
        let explain = fields.get("explain").and_then(|it| self.prose(it));
        let level = self.level(&fields);
        let tags = fields.get("tags").map(|it| self.texts(it)).unwrap_or_default();
        let alone = fields.get("alone").and_then(|it| self.flag(it)).unwrap_or(false);
        let time_limit = match fields.get("time_limit") {
            Some(limit) => self.lasting(limit),
            None => Some(TIME_LIMIT),
        };
        Some(Case {
            id,
            source: source.clone(),
            span: fields.span("name")?.first_line(),
            name: name?,
            spec: spec?,
            explain,
            level: level?,
            needs: self.needs.take(),
            tags,
            site,
            origin,
            steps: steps?,
            time_limit: time_limit?,
            alone,
            row: self.columns.to_vec(),
            foreign: None,
        })
    }

    fn blank(&self, fields: &Fields<'_>, key: &str, text: Option<&str>) {
        if let (Some(""), Some(node)) = (text, fields.get(key)) {
            self.reject::<()>(&node.span, format!("`{key}` says nothing"));
        }
    }

    fn written_needs(&self, node: &Node) -> Vec<Spanned<String>> {
        let need = |node: &Node| {
            let word = self.text(node)?;
            if let Some(meant) = misspelt_ability(&word) {
                let message = format!("no target of this project declares `{word}`");
                let help = format!("did you mean `{meant}`? Else nothing is wrong");
                self.report::<()>(Diagnostic::warning(message).at(&node.span).help(help));
            }
            Some(Spanned::new(word, node.span.clone()))
        };
        self.items(node).iter().filter_map(need).collect()
    }

    fn level(&self, fields: &Fields<'_>) -> Option<Level> {
        let Some(node) = fields.get("level") else { return Some(Level::Must) };
        let word = self.word_of(node, &["must", "should", "may", "observe"])?;
        Level::ALL.into_iter().find(|level| level.as_str() == word)
    }

    fn without_assertion(&self, fields: &Fields<'_>, node: &Node) {
        let span = fields.span("name").unwrap_or_else(|| node.span.clone());
        self.report::<()>(
            Diagnostic::error("this case asserts nothing")
                .at(&span.first_line())
                .help("say under `expect` of a step what must hold after it"),
        );
    }

    /// Cases that share a site share its origin too, which cannot tell whose requests come.
    fn without_reflection(&self, fields: &Fields<'_>, node: &Node) {
        let span = fields.span("site").unwrap_or_else(|| node.span.clone());
        self.report::<()>(
            Diagnostic::error("a site for every host needs `origin: reflect`")
                .at(&span.first_line())
                .help("its cases share it, and an origin of one case could not tell its requests"),
        );
    }

    /// A column that nothing uses is a mistake as often as not.
    fn unused_columns(&self, row: &Row) {
        for ((name, _), place) in row.columns.iter().zip(&row.places) {
            if !self.used_columns.borrow().contains(name) {
                let message = format!("the column `{name}` is used nowhere");
                self.report::<()>(Diagnostic::warning(message).at(place));
            }
        }
    }
}
