//! The file module: many searches, one pass over the disk.
//!
//! ```text
//!  Search… ──▶ Forest (paths as a tree) ──▶ walk (a task a folder, on every core)
//!                 │                            │ names, then sizes, modes, ages
//!                 ▼                            ▼
//!              Group (searches of the      Judge ◀── Reader (lines and digests, streamed; unpacked
//!              same paths; their lines        │              where asked)
//!              matched together)              ▼
//!                                         Findings: files, links not followed, errors
//! ```

mod contents;
mod criteria;
mod decide;
mod digests;
mod finding;
mod forest;
mod judge;
mod lines;
mod long_line;
mod made_up;
mod pass;
mod read;
mod search;
mod unpack;
mod walk;

use std::path::Path;
use std::time::{Instant, SystemTime};

pub use criteria::{AgeBound, Algorithm, CriterionError, Digest, Family, SizeBound};
pub use finding::{Counts, Findings, Found, Link, Trouble, Unread};
pub use search::{Kind, Options, Search, SearchError};

/// Makes all searches in one pass over the disk, which ends at the deadline.
pub fn investigate(searches: &[Search], deadline: Option<Instant>) -> Findings {
    pass_over(searches, None, deadline)
}

/// Makes all searches below a folder that stands for `/`: searched paths and what is found are as seen from there,
/// and no link is followed out of it.
pub fn investigate_below(
    root: &Path,
    mut searches: Vec<Search>,
    deadline: Option<Instant>,
) -> Findings {
    if root == Path::new("/") {
        return investigate(&searches, deadline);
    }
    searches.iter_mut().for_each(|search| search.move_below(root));
    let mut findings = pass_over(&searches, Some(root), deadline);
    findings.seen_from(root);
    findings
}

fn pass_over(searches: &[Search], within: Option<&Path>, deadline: Option<Instant>) -> Findings {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let pass = pass::Pass::new(searches, within, now, deadline);
    walk::walk(&pass);
    pass.findings()
}
