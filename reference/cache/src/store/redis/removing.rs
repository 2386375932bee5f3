//! Carrying out removals. That of many URLs is a walk over all keys, which takes as long as there are
//! keys: the time limit is that of each step.

use std::time::Duration;

use redis::{Cmd, Pipeline};

use super::desk::{Failure, within};
use super::link::{Link, REMOVAL_KEPT, milliseconds};
use super::missed::Removal;
use super::names;
use super::scripts::{MARK_MANY, REMOVE, SWEEP, evaluate};
use crate::store::pattern::origin_of;

/// Keys that one step of a walk over all of them looks at, and that one call removes.
const PAGE: usize = 500;

/// A connection over which something is removed.
pub(super) struct Remover {
    pub(super) link: Link,
    /// Time for each step.
    pub(super) step: Duration,
}

impl Remover {
    /// Carries out a removal; says how many responses that were.
    pub(super) async fn remove(&mut self, removal: &Removal) -> Result<usize, Failure> {
        match removal {
            Removal::Url(url) => self.remove_url(url).await,
            Removal::Matching(pattern) => {
                self.remove_many(pattern.prefix(), |url| pattern.matches(url)).await
            }
            Removal::Everything => self.remove_many(b"", |_| true).await,
        }
    }

    async fn remove_url(&mut self, url: &[u8]) -> Result<usize, Failure> {
        let keys = [names::responses(url), names::removed(url), names::removals()];
        let kept = milliseconds(REMOVAL_KEPT);
        let command = evaluate(REMOVE, &keys, &[kept.as_bytes()]);
        within(self.step, self.link.query(&command)).await
    }

    async fn remove_many(
        &mut self,
        prefix: &[u8],
        matches: impl Fn(&[u8]) -> bool,
    ) -> Result<usize, Failure> {
        // First of all nothing that was asked for before may be stored any more.
        let kept = milliseconds(REMOVAL_KEPT);
        let marks = [names::removed_of(origin_of(prefix)), names::removals()];
        let mark = evaluate(MARK_MANY, &marks, &[kept.as_bytes()]);
        within(self.step, self.link.query::<()>(&mark)).await?;
        let glob = names::glob(prefix);
        let (mut cursor, mut count) = (0u64, 0);
        loop {
            let mut scan = Cmd::new();
            scan.arg("SCAN").arg(cursor).arg("MATCH").arg(&glob).arg("COUNT").arg(PAGE);
            let (next, mut found): (u64, Vec<Vec<u8>>) =
                within(self.step, self.link.query(&scan)).await?;
            found.retain(|name| names::url(name).is_some_and(&matches));
            count += self.sweep(&found).await?;
            if next == 0 {
                return Ok(count);
            }
            cursor = next;
        }
    }

    async fn sweep(&mut self, found: &[Vec<u8>]) -> Result<usize, Failure> {
        if found.is_empty() {
            return Ok(0);
        }
        let mut pipeline = Pipeline::new();
        for page in found.chunks(PAGE) {
            pipeline.add_command(evaluate(SWEEP, page, &[]));
        }
        let counts: Vec<usize> = within(self.step, self.link.query_all(&pipeline)).await?;
        Ok(counts.into_iter().sum())
    }
}
