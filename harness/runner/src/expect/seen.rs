//! What was seen when a step's expectations are looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use edgeproof_target::LineReader;

use crate::client::Heard;
use crate::origin::Record;

/// Names with their values: what SSH and sshd say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Facts(pub(crate) BTreeMap<String, Vec<Vec<u8>>>);

impl Facts {
    pub(crate) fn set(&mut self, key: &str, value: impl Into<Vec<u8>>) {
        self.0.insert(key.to_owned(), vec![value.into()]);
    }

    /// One more value of that name.
    pub(crate) fn add(&mut self, key: &str, value: impl Into<Vec<u8>>) {
        self.0.entry(key.to_owned()).or_default().push(value.into());
    }

    pub(crate) fn set_list<V: Into<Vec<u8>>>(
        &mut self,
        key: &str,
        values: impl IntoIterator<Item = V>,
    ) {
        self.0.insert(key.to_owned(), values.into_iter().map(Into::into).collect());
    }
}

/// What a path is, or what is in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FileState {
    /// Permission bits and content of each file; none when there is nothing.
    pub(crate) files: Vec<(u32, Vec<u8>)>,
    /// Why one could not be read.
    pub(crate) trouble: Option<String>,
}

/// Counts of the last load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoadTotals {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) non_2xx: u64,
    /// What went wrong with the first of the errors, where that is known.
    pub(crate) first_error: Option<String>,
}

/// Everything that can be asserted on. What a step does not look at is not gathered.
#[derive(Debug, Default)]
pub(crate) struct Seen<'a> {
    /// The last exchange of the client.
    pub(crate) heard: Option<&'a Heard>,
    /// The statuses of all final answers of the step (of `parallel`: sorted).
    pub(crate) statuses: Vec<u16>,
    /// Is the client's connection open?
    pub(crate) open: Option<bool>,
    /// The case's origin since the case began.
    pub(crate) origin_requests: u64,
    pub(crate) origin_connections: u64,
    pub(crate) origin_records: Vec<Record>,
    /// Lines of the case; `Err`: why there is no log.
    pub(crate) access_log: Option<Result<Vec<Vec<u8>>, String>>,
    /// How its lines are read; none where the target does not say.
    pub(crate) log_reader: Option<Arc<LineReader>>,
    pub(crate) waf_log: Option<Result<Vec<Vec<u8>>, String>>,
    pub(crate) upstream_log: Option<Result<Vec<Vec<u8>>, String>>,
    /// The rules that the lines of the WAF's log tell of.
    pub(crate) waf_rules: Option<Result<BTreeSet<u64>, String>>,
    /// By path as it was looked at.
    pub(crate) files: BTreeMap<String, FileState>,
    /// Command lines of the target's processes.
    pub(crate) processes: Vec<String>,
    pub(crate) ssh: Option<&'a Facts>,
    pub(crate) config: Option<&'a Facts>,
    pub(crate) load: Option<&'a LoadTotals>,
}

impl Seen<'_> {
    /// From the first octet sent to the last read.
    pub(crate) fn duration(&self) -> Option<Duration> {
        self.heard.map(|heard| heard.duration)
    }
}
