//! Log lines of a case. A target may write them a little after its answer, so what must be there is waited
//! for; and before something is said not to be there, the target is made to write what it has.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use edgeproof_scenario::model::{AccessLog, LogAct, LogCheck, RulesCheck};
use edgeproof_target::LineReader;

use super::{Player, Stop};
use crate::client::{Client, raw};
use crate::event::LogExcerpt;
use crate::expect::{Scope, log_mismatches, rules_mismatches};
use crate::logs::{CaseLog, Lines};
use crate::origin::MARKER;
use crate::variables::Variables;

/// Lines that must come are waited for so long.
const TO_BE_WRITTEN: Duration = Duration::from_secs(2);
/// The line of the harness's own mark is waited for so long.
const TO_BE_MARKED: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// A line that is not there this long after the answer may never come.
const BEFORE_A_MARK: Duration = Duration::from_millis(20);
/// When a later request's line is there, one that still lacks is waited for so long.
const AFTER_A_MARK: Duration = Duration::from_millis(200);
const MOST_LINES: usize = 32;
const LONGEST_LINE: usize = 4096;

/// Which log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Log {
    Access,
    Waf,
    Upstream,
}

/// What is looked for in a log.
struct Wanted<'w> {
    /// Is anything said not to be there? That must not be what has not been written yet.
    settled: bool,
    holds: &'w (dyn Fn(&Lines) -> bool + Sync),
    /// Can more lines make it hold?
    could_heal: &'w (dyn Fn(&Lines) -> bool + Sync),
}

impl Player {
    /// The case's lines, once they satisfy the check or it is clear that they do not.
    pub(super) async fn lines(&self, log: Log, check: &LogCheck, variables: &Variables) -> Lines {
        let scope = Scope { variables, now: self.clock.now(), secrets: self.carry.secrets };
        let reader = match log {
            Log::Access => self.log_reader(),
            Log::Waf | Log::Upstream => None,
        };
        let reader = reader.as_deref();
        let wanted = Wanted {
            settled: check.none.is_some()
                || check.count.is_some()
                || check.every.is_some()
                || check.distinct,
            holds: &|lines| log_mismatches("", check, Some(lines), reader, &scope).is_empty(),
            could_heal: &|lines| could_heal(check, lines),
        };
        self.wanted_lines(log, &wanted).await
    }

    /// The rules that the case's lines of the WAF's log tell of; as [`Player::lines`].
    pub(super) async fn rules(&self, check: &RulesCheck) -> Result<BTreeSet<u64>, String> {
        let rules = |lines: &Lines| match lines {
            Ok(lines) => Ok(self.rule_ids.of(lines)),
            Err(why) => Err(why.clone()),
        };
        let holds = |lines: &Lines| rules_mismatches(check, Some(&rules(lines))).is_empty();
        let wanted = Wanted {
            settled: !check.excludes.is_empty() || !check.only.is_empty(),
            holds: &holds,
            // A rule that is there stays there.
            could_heal: &|lines| {
                let excluded =
                    |rules: BTreeSet<u64>| check.excludes.iter().any(|id| rules.contains(id));
                rules(lines).is_ok_and(|rules| !excluded(rules))
            },
        };
        let lines = self.wanted_lines(Log::Waf, &wanted).await?;
        Ok(self.rule_ids.of(&lines))
    }

    async fn wanted_lines(&self, log: Log, wanted: &Wanted<'_>) -> Lines {
        let followed = match log {
            Log::Access => &self.access_log,
            Log::Waf => &self.waf_log,
            Log::Upstream => &self.upstream_log,
        };
        let followed = followed.as_ref().map_err(Clone::clone)?;
        let marks = self.marks.as_ref().filter(|_| log == Log::Waf);
        let mut patience = TO_BE_WRITTEN;
        // With a mark there is no waiting in vain for what will never come.
        let mut to_mark = marks;
        if wanted.settled {
            match to_mark.take() {
                Some(marks) => {
                    self.mark(marks, followed).await?;
                    patience = AFTER_A_MARK;
                }
                None => self.settle_logs().await,
            }
        }
        let mut began = Instant::now();
        loop {
            let lines = followed.lines();
            if (wanted.holds)(&lines) || !(wanted.could_heal)(&lines) || began.elapsed() > patience
            {
                return lines;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            if began.elapsed() > BEFORE_A_MARK
                && let Some(marks) = to_mark.take()
            {
                self.mark(marks, followed).await?;
                (began, patience) = (Instant::now(), AFTER_A_MARK);
            }
        }
    }

    /// Makes sure that all requests so far have their lines: by the control socket, else by a request of
    /// the harness whose own line comes after them.
    async fn settle_logs(&self) {
        if let Some(control) = self.surface.control()
            && let Ok(true) = control.flush_logs().await
        {
            return;
        }
        let Ok(log) = &self.access_log else { return };
        if !self.format_shows_paths() {
            return;
        }
        let mark = format!("{MARKER}{}", self.dialer.host.replace('.', "-"));
        let host = &self.dialer.host;
        let request = format!("GET {mark} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let outgoing = raw(request.into_bytes(), 1, self.dialer.http.is_none(), false);
        let mut client = Client::default();
        let sent = client.exchange(&self.dialer, &outgoing, || false);
        if tokio::time::timeout(TO_BE_MARKED, sent).await.is_err() {
            return;
        }
        let began = Instant::now();
        while began.elapsed() < TO_BE_MARKED && log.has_mark(&mark) == Ok(false) {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// How the lines of the case's access log are read, where the target says so.
    pub(super) fn log_reader(&self) -> Option<Arc<LineReader>> {
        let preset = match &self.case.site.access_log {
            Some(AccessLog { format: Some(_), .. }) => return None,
            Some(log) => log.preset.as_deref(),
            None => None,
        };
        self.surface.log_reader(preset.unwrap_or("default"))
    }

    /// Something befalls the file of the access log.
    pub(super) fn befall_log(&self, act: LogAct) -> Result<(), Stop> {
        let log = self.access_log.as_ref().map_err(|why| Stop::Broken(why.clone()))?;
        let failed = |error: std::io::Error| Stop::Broken(format!("the access log: {error}"));
        log.befall(act).map_err(failed)?;
        if act.is_told() && !self.surface.reopen_logs() {
            let why =
                "the target does not say how it is told to open its logs again (`logs.reopen`)";
            return Err(Stop::Broken(why.to_owned()));
        }
        Ok(())
    }

    /// Only a line that shows the path can be told to be the harness's own.
    fn format_shows_paths(&self) -> bool {
        let format = self.case.site.access_log.as_ref().and_then(|log| log.format.as_ref());
        format
            .is_none_or(|format| format.contains("{request}") || format.contains("{request_path}"))
    }
}

/// Can more lines make it hold? Not where there are as many as there may be.
fn could_heal(check: &LogCheck, lines: &Lines) -> bool {
    match (lines, check.count) {
        (Err(_), _) => false,
        (Ok(lines), Some(count)) => (lines.len() as u64) < count.max,
        (Ok(_), None) => true,
    }
}

/// The last lines for the report; nothing when the log is not the case's own or has none.
pub(super) fn excerpt(name: &str, log: &Result<CaseLog, String>) -> Option<LogExcerpt> {
    let lines = log.as_ref().ok().filter(|log| log.is_own())?.lines().ok()?;
    let shown = lines[lines.len().saturating_sub(MOST_LINES)..].iter();
    let lines: Vec<String> = shown
        .map(|line| String::from_utf8_lossy(&line[..line.len().min(LONGEST_LINE)]).into_owned())
        .collect();
    (!lines.is_empty()).then(|| LogExcerpt { log: name.to_owned(), lines })
}
