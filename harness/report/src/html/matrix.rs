//! What the page shows outright: the targets' cards, the matrix, and the lists round them.

use edgeproof_runner::event::{Figure, Verdict};

use crate::{
    Change, Counts, Difference, Level, Outcome, Run, Summary, TargetCounts,
    again::course,
    html::data::Case,
    number::measured,
    visible::{sentence, visible_line},
};

/// A target at the top of the page.
pub(super) struct Card {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) facts: Vec<String>,
    pub(super) declares: Vec<String>,
    pub(super) negative_control: bool,
    pub(super) counts: Vec<Count>,
    pub(super) levels: Vec<Conformance>,
}

pub(super) struct Count {
    pub(super) verdict: &'static str,
    pub(super) symbol: &'static str,
    pub(super) count: usize,
}

/// How much of a level holds.
pub(super) struct Conformance {
    pub(super) level: &'static str,
    pub(super) held: usize,
    pub(super) judged: usize,
    pub(super) percent: String,
}

impl Card {
    pub(super) fn of(run: &Run, counts: &TargetCounts) -> Card {
        let state = run.targets.iter().find(|state| state.info.name == counts.target);
        let mut facts = Vec::new();
        if let Some(state) = state {
            facts.extend(state.version.as_deref().map(visible_line));
            facts.push(visible_line(&state.info.kind));
            if !state.info.clock.is_empty() {
                facts.push(visible_line(&format!("time moved by: {}", state.info.clock)));
            }
        }
        facts.retain(|fact| !fact.is_empty());
        let title = state.map_or(counts.target.as_str(), |state| &state.info.title);
        let declares = state.map(|state| state.info.declares.as_slice()).unwrap_or_default();
        Card {
            name: visible_line(&counts.target),
            title: visible_line(title),
            facts,
            declares: declares.iter().map(|what| visible_line(what)).collect(),
            negative_control: state.is_some_and(|state| state.info.negative_control),
            counts: count_list(&counts.counts),
            levels: counts.levels.iter().filter_map(conformance).collect(),
        }
    }
}

fn count_list(counts: &Counts) -> Vec<Count> {
    let all = Verdict::ALL.into_iter().map(|verdict| Count {
        verdict: verdict.as_str(),
        symbol: symbol(verdict),
        count: counts.of(verdict),
    });
    all.filter(|count| count.count > 0).collect()
}

fn conformance(entry: &crate::LevelCounts) -> Option<Conformance> {
    let (held, judged) = (entry.counts.held(), entry.counts.judged());
    // Rounded down: only what holds in all is a hundred.
    let share = (held * 100).checked_div(judged)?;
    Some(Conformance { level: entry.level.as_str(), held, judged, percent: format!("{share} %") })
}

/// A sign for each verdict, so that colour alone tells nothing.
pub(super) fn symbol(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Fail => "✕",
        Verdict::KnownFail => "≈",
        Verdict::Fixed => "↑",
        Verdict::Skip => "–",
        Verdict::Error => "!",
    }
}

/// A family of cases.
pub(super) struct Group {
    pub(super) family: String,
    pub(super) cells: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// A case on all targets.
pub(super) struct Row {
    pub(super) place: usize,
    pub(super) id: String,
    pub(super) anchor: String,
    pub(super) name: String,
    pub(super) level: String,
    pub(super) spec: String,
    pub(super) tags: String,
    pub(super) verdicts: String,
    pub(super) cells: Vec<Cell>,
}

/// A verdict in the matrix; `verdict` is empty where the case was not asked of the target.
pub(super) struct Cell {
    pub(super) target: String,
    pub(super) anchor: String,
    pub(super) verdict: &'static str,
    pub(super) symbol: &'static str,
    pub(super) reason: String,
    pub(super) flaky: bool,
    pub(super) played_again: bool,
}

/// The matrix's rows by family, in file order; a family that comes again is the same group.
pub(super) fn groups(run: &Run, cases: &[Case]) -> Vec<Group> {
    let targets: Vec<String> = run.played_targets().into_iter().map(visible_line).collect();
    let mut groups: Vec<Group> = Vec::new();
    for (place, case) in cases.iter().enumerate() {
        let row = Row::of(place, case, &targets);
        match groups.iter_mut().find(|group| group.family == case.family) {
            Some(group) => group.rows.push(row),
            None => {
                let family = case.family.clone();
                groups.push(Group { family, cells: Vec::new(), rows: vec![row] });
            }
        }
    }
    for group in &mut groups {
        group.cells = (0..targets.len()).map(|target| held_in(&group.rows, target)).collect();
    }
    groups
}

/// `31 of 40`, of those that were played.
fn held_in(rows: &[Row], target: usize) -> String {
    let with = |verdicts: &[&str]| {
        let mut cells = rows.iter().map(|row| row.cells[target].verdict);
        cells.by_ref().filter(|verdict| verdicts.contains(verdict)).count()
    };
    match with(&["pass", "fixed", "fail", "known-fail"]) {
        0 => "–".to_owned(),
        judged => format!("{} of {judged}", with(&["pass", "fixed"])),
    }
}

impl Row {
    fn of(place: usize, case: &Case, targets: &[String]) -> Row {
        let cells: Vec<Cell> = targets.iter().map(|target| Cell::of(case, target)).collect();
        let verdicts: Vec<&str> = cells
            .iter()
            .map(|cell| if cell.verdict.is_empty() { "none" } else { cell.verdict })
            .collect();
        Row {
            place,
            id: case.id.clone(),
            anchor: anchor(&case.id),
            name: case.name.clone(),
            level: case.level.as_str().to_owned(),
            spec: case.spec.clone(),
            tags: case.tags.join(" "),
            verdicts: verdicts.join(" "),
            cells,
        }
    }
}

impl Cell {
    fn of(case: &Case, target: &str) -> Cell {
        let result = case.results.iter().find(|result| result.target == target);
        Cell {
            target: target.to_owned(),
            anchor: anchor(&format!("{}@{target}", case.id)),
            verdict: result.map_or("", |result| result.verdict.as_str()),
            symbol: result.map_or("", |result| symbol(result.verdict)),
            reason: result.and_then(|result| result.reason.clone()).unwrap_or_default(),
            flaky: result.and_then(|r| r.flake.as_ref()).is_some_and(|flake| flake.flaky),
            played_again: result.is_some_and(|result| !result.earlier.is_empty()),
        }
    }
}

/// A fragment of RFC 3986 §3.5 for an id.
pub(super) fn anchor(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The levels that occur, from must.
pub(super) fn levels(summary: &Summary) -> Vec<&'static str> {
    let used = |level: &Level| {
        let mut targets = summary.targets.iter();
        targets.any(|target| target.levels.iter().any(|entry| entry.level == *level))
    };
    Level::ALL.into_iter().filter(used).map(Level::as_str).collect()
}

/// What changed since the baseline.
pub(super) struct Changes {
    pub(super) nothing: Option<String>,
    pub(super) compared: usize,
    pub(super) lists: Vec<(&'static str, Vec<ChangeRow>)>,
}

pub(super) struct ChangeRow {
    pub(super) id: String,
    pub(super) anchor: String,
    pub(super) target: String,
    pub(super) level: &'static str,
    pub(super) was: &'static str,
    pub(super) now: &'static str,
    pub(super) symbol: &'static str,
    pub(super) reason: String,
}

impl Changes {
    pub(super) fn of(difference: &Difference) -> Changes {
        let lists = difference
            .lists()
            .map(|(title, changes)| (title, changes.iter().map(ChangeRow::of).collect::<Vec<_>>()));
        let lists = lists.into_iter().filter(|(_, changes)| !changes.is_empty());
        Changes {
            nothing: difference.incomparable().map(|why| visible_line(&sentence(&why))),
            compared: difference.shared,
            lists: lists.collect(),
        }
    }
}

impl ChangeRow {
    fn of(change: &Change) -> ChangeRow {
        ChangeRow {
            id: visible_line(&change.id),
            anchor: anchor(&format!(
                "{}@{}",
                visible_line(&change.id),
                visible_line(&change.target)
            )),
            target: visible_line(&change.target),
            level: change.level.as_str(),
            was: change.was.map_or("none", Verdict::as_str),
            now: change.now.map_or("none", Verdict::as_str),
            symbol: change.now.map_or("", symbol),
            reason: change.reason.as_deref().map(visible_line).unwrap_or_default(),
        }
    }
}

/// A figure of a case on all targets, side by side.
pub(super) struct FigureRow {
    pub(super) id: String,
    pub(super) anchor: String,
    /// The first figure of its case: the only one that names it.
    pub(super) first: bool,
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) cells: Vec<Option<FigureCell>>,
}

pub(super) struct FigureCell {
    pub(super) value: String,
    /// From the least to the greatest of several shots.
    pub(super) range: String,
}

/// All figures, and the targets that have any.
pub(super) struct Figures {
    pub(super) targets: Vec<String>,
    pub(super) rows: Vec<FigureRow>,
}

impl Figures {
    pub(super) fn of(run: &Run) -> Figures {
        let outcomes = run.outcomes();
        let mut targets = run.played_targets();
        targets.retain(|target| {
            let mut cases = outcomes.iter().map(Outcome::case);
            cases.any(|case| case.target == *target && !case.figures.is_empty())
        });
        let rows = figure_rows(&outcomes, &targets);
        Figures { targets: targets.into_iter().map(visible_line).collect(), rows }
    }
}

fn figure_rows(outcomes: &[Outcome<'_>], targets: &[&str]) -> Vec<FigureRow> {
    let mut rows: Vec<FigureRow> = Vec::new();
    for case in outcomes.iter().map(Outcome::case) {
        let id = visible_line(&case.id);
        let column = targets.iter().position(|target| *target == case.target);
        for figure in &case.figures {
            let name = visible_line(&figure.name);
            let unit = visible_line(&measured(figure.value, &figure.unit).1);
            let same = |row: &FigureRow| row.id == id && row.name == name && row.unit == unit;
            let place = rows.iter().position(same).unwrap_or_else(|| {
                let cells = targets.iter().map(|_| None).collect();
                let last = rows.iter().rposition(|row| row.id == id);
                let (id, anchor, first) = (id.clone(), anchor(&id), last.is_none());
                let place = last.map_or(rows.len(), |last| last + 1);
                rows.insert(place, FigureRow { id, anchor, first, name, unit, cells });
                place
            });
            if let Some(column) = column {
                rows[place].cells[column] = Some(FigureCell::of(figure));
            }
        }
    }
    rows
}

impl FigureCell {
    fn of(figure: &Figure) -> FigureCell {
        let shown = |value| measured(value, &figure.unit).0;
        let least = figure.samples.iter().copied().reduce(f64::min);
        let greatest = figure.samples.iter().copied().reduce(f64::max);
        let range = match (least, greatest) {
            (Some(least), Some(greatest)) if figure.samples.len() > 1 => {
                format!("{} shots: {} – {}", figure.samples.len(), shown(least), shown(greatest))
            }
            _ => String::new(),
        };
        FigureCell { value: shown(figure.value), range }
    }
}

/// A reason, how often, and where.
pub(super) struct Reason {
    pub(super) text: String,
    pub(super) count: usize,
    pub(super) targets: String,
}

/// The reasons of all results with this verdict, the most frequent first.
pub(super) fn reasons(run: &Run, verdict: Verdict) -> Vec<Reason> {
    let mut reasons: Vec<(String, usize, Vec<String>)> = Vec::new();
    for outcome in run.outcomes().iter().filter(|outcome| outcome.verdict() == verdict) {
        let case = outcome.case();
        let text = visible_line(case.reason.as_deref().unwrap_or("no reason was given"));
        let target = visible_line(&case.target);
        match reasons.iter_mut().find(|(known, _, _)| *known == text) {
            Some((_, count, targets)) => {
                *count += 1;
                if !targets.contains(&target) {
                    targets.push(target);
                }
            }
            None => reasons.push((text, 1, vec![target])),
        }
    }
    reasons.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
    let rows = reasons.into_iter().map(|(text, count, targets)| Reason {
        text,
        count,
        targets: targets.join(", "),
    });
    rows.collect()
}

/// A case that was played again.
pub(super) struct Again {
    pub(super) id: String,
    pub(super) anchor: String,
    pub(super) target: String,
    pub(super) course: String,
    pub(super) why: String,
}

pub(super) fn played_again(run: &Run) -> Vec<Again> {
    let outcomes = run.outcomes();
    let rows = outcomes.iter().flat_map(Outcome::played_again).map(|case| {
        let (id, target) = (visible_line(&case.id), visible_line(&case.target));
        let why = case.earlier.last().map(|play| visible_line(&play.why)).unwrap_or_default();
        Again { anchor: anchor(&format!("{id}@{target}")), id, target, course: course(case), why }
    });
    rows.collect()
}

pub(super) fn unavailable(run: &Run) -> Vec<(String, String)> {
    let rows = run.unavailable.iter().map(|target| {
        let required = if target.required { " (required)" } else { "" };
        (visible_line(&format!("{}{required}", target.name)), visible_line(&target.reason))
    });
    rows.collect()
}

pub(super) fn failed_targets(run: &Run) -> Vec<(String, String)> {
    let rows = run.targets.iter().filter_map(|state| {
        let failure = state.failure.as_ref()?;
        let what = if failure.died { "died" } else { "did not start" };
        let text = format!("{}\n{}", failure.reason, failure.log);
        let title = format!("{} {what}", state.info.name);
        Some((visible_line(&title), crate::visible::visible(text.trim_end())))
    });
    rows.collect()
}

pub(super) fn notes(run: &Run) -> Vec<String> {
    let rows = run.notes.iter().map(|note| {
        let about = note.target.as_ref().map(|target| format!("{target}: ")).unwrap_or_default();
        visible_line(&format!("{about}{}", note.text))
    });
    rows.collect()
}
