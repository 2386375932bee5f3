//! The table of requirements as a page for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::table::{Id, Pair, Proof, Requirement, file_of, pairs};

const HEAD: &str = "\
<!-- Made from reports/requirements/*.yaml by:
     EDGEPROOF_UPDATE=1 cargo test -p edgeproof --test requirements -->
# What is proved of RFC 9111

Every key word (MUST, SHOULD, MAY and the like) of RFC 9111 and of RFC 9110 §§13 to 15, and those of RFC 5861,
RFC 8246, RFC 9211 and RFC 9213 that the cache takes part in. Each is proved by cases that pass against the reference and fail
under a deliberate bug in it, or has the reason why no case can prove it. The sentences are ours; the RFC's word is
the one that counts. A bug is described where it is named, in
[reference/mutant/src/lib.rs](../reference/mutant/src/lib.rs).
`cargo test -p edgeproof --features mutants --test mutants` plays every case named here, with and without its bug.
";

/// How many requirements there are, of which how many are proved.
#[derive(Default)]
struct Sum {
    all: usize,
    proved: usize,
}

impl Sum {
    fn add(&mut self, requirement: &Requirement) {
        self.all += 1;
        self.proved += usize::from(matches!(requirement.proof, Proof::Cases(_)));
    }

    fn cells(&self) -> String {
        format!("{} | {} | {}", self.all, self.proved, self.all - self.proved)
    }
}

/// The page.
pub(crate) fn page(requirements: &[Requirement]) -> String {
    let mut rows: Vec<&Requirement> = requirements.iter().collect();
    rows.sort_by_key(|row| place(&row.id.value));
    let mut page = HEAD.to_owned();
    sums(&mut page, &rows);
    let bugs = pairs(requirements);
    let cases: BTreeSet<_> = bugs.values().flatten().collect();
    let _ = writeln!(page, "\n{} cases, {} bugs.", cases.len(), bugs.len());
    let chapter = |row: &Requirement| (row.id.value.rfc, row.id.value.section[0]);
    for rows in rows.chunk_by(|a, b| chapter(a) == chapter(b)) {
        let (rfc, section) = chapter(rows[0]);
        let _ = write!(
            page,
            "\n## RFC {rfc} §{section}\n\n| id | level | what it asks | proof |\n|---|---|---|---|\n"
        );
        for row in rows {
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} |",
                row.id.value,
                row.level.value,
                cell(&row.says),
                proof(&row.proof)
            );
        }
    }
    page
}

/// RFC 9111 first, then by number; each in the order of its text.
fn place(id: &Id) -> (bool, &Id) {
    (id.rfc != 9111, id)
}

fn sums(page: &mut String, rows: &[&Requirement]) {
    let mut documents: BTreeMap<(bool, u32), Sum> = BTreeMap::new();
    let mut levels: BTreeMap<&str, Sum> = BTreeMap::new();
    let mut all = Sum::default();
    for row in rows {
        let rfc = row.id.value.rfc;
        documents.entry((rfc != 9111, rfc)).or_default().add(row);
        levels.entry(row.level.value).or_default().add(row);
        all.add(row);
    }
    let head = |what| {
        format!("\n| {what} | requirements | proved | with a reason |\n|---|---:|---:|---:|\n")
    };
    page.push_str(&head("document"));
    for ((_, rfc), sum) in documents {
        let _ = writeln!(page, "| RFC {rfc} | {} |", sum.cells());
    }
    let _ = writeln!(page, "| all | {} |", all.cells());
    page.push_str(&head("level"));
    for (level, sum) in levels {
        let _ = writeln!(page, "| {level} | {} |", sum.cells());
    }
}

fn proof(proof: &Proof) -> String {
    match proof {
        Proof::Reason(reason) => format!("— {}", cell(reason)),
        Proof::Cases(pairs) => pairs.iter().map(fails_under).collect::<Vec<_>>().join("<br>"),
    }
}

fn fails_under(pair: &Pair) -> String {
    let case = |case: &str| format!("[{case}](../{})", file_of(case));
    let cases: Vec<_> = pair.cases.iter().map(|it| case(&it.value)).collect();
    format!("`{}`: {}", pair.mutant.value, cases.join(", "))
}

/// A text in a table of Markdown.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('<', "&lt;")
}
