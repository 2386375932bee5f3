//! Carrying out removals. That of many URLs is a walk over all keys, which takes as long as there are
//! keys: the time limit is that of each step.

use std::rc::Rc;
use std::time::Duration;

use redis::{Cmd, Pipeline, Value};

use super::desk::{Desk, Failure, within};
use super::history::{History, mark_of_origin, mark_of_url};
use super::link::Link;
use super::missed::Removal;
use super::names;
use super::scripts::{MARK_MANY, REMOVE, SWEEP, evaluate};

/// Keys that one step of a walk over all of them looks at, and that one call removes.
const PAGE: usize = 500;

/// A connection over which something is removed.
pub(super) struct Remover {
    pub(super) link: Link,
    /// Time for each step.
    pub(super) step: Duration,
    /// Is told how far the history has come.
    pub(super) desk: Rc<Desk>,
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
        let keys = [names::removals(), names::responses(url)];
        self.mark(&evaluate(REMOVE, &keys, &[mark_of_url(url).as_bytes()])).await
    }

    /// Carries out what makes a mark; says how many responses that removed.
    async fn mark(&mut self, command: &Cmd) -> Result<usize, Failure> {
        let (removed, epoch, count): (usize, Value, Value) =
            within(self.step, self.link.query(command)).await?;
        if let Some(history) = History::of(&epoch, &count) {
            self.desk.has_come_to(history);
        }
        Ok(removed)
    }

    async fn remove_many(
        &mut self,
        prefix: &[u8],
        matches: impl Fn(&[u8]) -> bool,
    ) -> Result<usize, Failure> {
        // First of all nothing that was asked for before may be stored any more.
        let mark = mark_of_origin(prefix);
        self.mark(&evaluate(MARK_MANY, &[names::removals()], &[mark.as_bytes()])).await?;
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
