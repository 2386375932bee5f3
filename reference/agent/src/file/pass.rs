//! What all threads of a pass share: the searches, the limits, what was found.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::finding::{Counts, Findings, Found, Link, Trouble};
use super::forest::Forest;
use super::made_up::MadeUp;
use super::search::Search;

/// Links that are named; the others are counted.
const MOST_LINKS: usize = 1000;

/// A pass over the disk.
#[derive(Debug)]
pub(crate) struct Pass<'s> {
    pub(crate) searches: &'s [Search],
    pub(crate) forest: Forest,
    pub(crate) made_up: MadeUp,
    /// Seconds since 1970, for ages.
    pub(crate) now: i64,
    /// Nothing outside of this folder is looked at.
    within: Option<&'s Path>,
    deadline: Option<Instant>,
    expired: AtomicBool,
    most_errors: u64,
    of_search: Vec<AtomicU64>,
    tally: Tally,
    entered: Mutex<HashSet<PathBuf>>,
    found: Mutex<Vec<Found>>,
    links: Mutex<Vec<Link>>,
    errors: Mutex<Vec<Trouble>>,
}

/// Counters that threads add to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) folders: AtomicU64,
    pub(crate) files: AtomicU64,
    pub(crate) read: AtomicU64,
    pub(crate) octets: AtomicU64,
    pub(crate) missing: AtomicU64,
    pub(crate) links: AtomicU64,
    errors: AtomicU64,
}

/// Adds to a counter.
pub(crate) fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

impl<'s> Pass<'s> {
    pub(crate) fn new(
        searches: &'s [Search],
        within: Option<&'s Path>,
        now: i64,
        deadline: Option<Instant>,
    ) -> Self {
        Self {
            forest: Forest::new(searches),
            made_up: MadeUp::below(searches),
            now,
            within,
            deadline,
            expired: AtomicBool::new(false),
            most_errors: searches.iter().map(|search| search.options.maxerrors).max().unwrap_or(0),
            of_search: searches.iter().map(|_| AtomicU64::new(0)).collect(),
            tally: Tally::default(),
            entered: Mutex::default(),
            found: Mutex::default(),
            links: Mutex::default(),
            errors: Mutex::default(),
            searches,
        }
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether a real path may be looked at at all.
    pub(crate) fn may_enter(&self, real: &Path) -> bool {
        self.within.is_none_or(|within| real.starts_with(within))
    }

    /// Whether the time is over.
    pub(crate) fn is_over(&self) -> bool {
        if self.expired.load(Ordering::Relaxed) {
            return true;
        }
        let over = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if over {
            self.expired.store(true, Ordering::Relaxed);
        }
        over
    }

    /// A search has found a file. Each has a limit of its own.
    pub(crate) fn found(&self, found: Found) {
        let before = self.of_search[found.search].fetch_add(1, Ordering::Relaxed);
        let limit = self.searches[found.search].options.matchlimit;
        if limit == 0 || before < limit {
            self.found.lock().unwrap_or_else(PoisonError::into_inner).push(found);
        }
    }

    /// Whether a folder behind a link is entered for the first time.
    pub(crate) fn enters(&self, folder: &Path) -> bool {
        self.entered.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned())
    }

    /// A link is said.
    pub(crate) fn link(&self, link: Link) {
        count(&self.tally.links, u64::from(!link.followed));
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        if links.len() < MOST_LINKS || link.hides {
            links.push(link);
        }
    }

    /// Something could not be looked at.
    pub(crate) fn trouble(&self, path: &Path, reason: &dyn std::fmt::Display) {
        count(&self.tally.errors, 1);
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        if (errors.len() as u64) < self.most_errors {
            errors.push(Trouble { path: PathBuf::from(path), reason: reason.to_string() });
        }
    }

    /// What the pass has found, once all threads are done.
    pub(crate) fn findings(self) -> Findings {
        let take = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut found = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut links = self.links.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut errors = self.errors.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_unstable();
        links.sort_unstable();
        links.dedup();
        errors.sort_unstable();
        let counts = Counts {
            searches: self.searches.len() as u64,
            folders: take(&self.tally.folders),
            files: take(&self.tally.files),
            read: take(&self.tally.read),
            octets: take(&self.tally.octets),
            found: self.of_search.iter().map(take).sum(),
            named: found.len() as u64,
            missing: take(&self.tally.missing),
            paths: self.searches.iter().map(|search| search.paths.len() as u64).sum(),
            links: take(&self.tally.links),
            errors: take(&self.tally.errors),
        };
        // The answer does not wait for what made it to be cleared away.
        rayon::spawn(move || drop(self.forest));
        let names = self.searches.iter().map(|search| search.name.clone()).collect();
        let unread = self.made_up.told();
        Findings { names, found, links, unread, errors, counts, expired: take_flag(&self.expired) }
    }
}

fn take_flag(flag: &AtomicBool) -> bool {
    flag.load(Ordering::Relaxed)
}
