//! How answers are told: as they come, and at the end.

use std::fmt::Write as _;
use std::time::Duration;

use edgeproof_agent::{Format, Outcome};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::question::Job;
use super::{Failure, print};
use crate::account::Accounts;
use crate::answer::Done;
use crate::asker::{Followed, Sent};
use crate::roll::Roll;

/// Tells answers.
pub(super) struct Output {
    format: Format,
    job: Job,
    bar: ProgressBar,
    accounts: Accounts,
    agents: Vec<Value>,
    failed: Option<Failure>,
}

impl Output {
    pub(super) fn new(format: Format, job: Job, sent: &Sent) -> Self {
        // indicatif shows nothing where standard error is no terminal.
        let bar = ProgressBar::new(sent.roll.len() as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} answered, {msg}") {
            bar.set_style(style);
        }
        Self { format, job, bar, accounts: Accounts::default(), agents: Vec::new(), failed: None }
    }

    /// Tells what one agent has found.
    pub(super) fn done(&mut self, agent: &str, done: &Done) {
        if let Job::UnknownHosts(_) = self.job {
            done.operations.iter().for_each(|one| self.accounts.add(agent, &one.result));
            return;
        }
        if self.format == Format::Json {
            return self.agents.push(json_of(agent, done));
        }
        let is_human = self.format == Format::Human;
        let mut text = String::new();
        for Outcome { lines, errors, .. } in &done.operations {
            let errors = errors.iter().filter(|_| is_human);
            for line in lines.iter().chain(errors) {
                let _ = writeln!(text, "{} {}", shown(agent), shown(line));
            }
        }
        if !text.is_empty() {
            let printed = self.bar.suspend(|| print(&text));
            self.failed = self.failed.take().or(printed.err());
        }
    }

    pub(super) fn progress(&self, roll: &Roll) {
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_position(roll.count_answered() as u64);
        self.bar.set_message(format!("{} have found results", roll.tally().found));
    }

    /// Tells how it ended. Answers the exit code.
    pub(super) fn end(
        self,
        sent: &Sent,
        took: Duration,
        followed: Followed,
    ) -> Result<u8, Failure> {
        self.bar.finish_and_clear();
        if let Some(failure) = self.failed {
            return Err(failure);
        }
        let (text, found) = match &self.job {
            Job::Tell => (String::new(), sent.roll.tally().found),
            Job::UnknownHosts(known) => {
                let strangers = self.accounts.unaccounted(known.as_ref());
                let mut text = String::new();
                for (mac, seen) in &strangers {
                    let _ = writeln!(text, "{mac} is not accounted for");
                    for seen in seen.iter().filter(|_| self.format == Format::Human) {
                        let _ = writeln!(text, "  seen by {}", shown(seen));
                    }
                }
                (text, strangers.len() as u64)
            }
        };
        let code = match () {
            () if followed == Followed::Stopped => 130,
            () if found > 0 => 1,
            () if !sent.roll.is_whole() => 6,
            () => 0,
        };
        match self.format {
            Format::Json => {
                let object = self.object(sent, took, followed, found);
                print(&format!("{object:#}\n"))?;
            }
            Format::Human => {
                print(&(text + &oddities(sent) + &closing(&self.job, sent, followed)))?;
            }
            Format::Mig => print(&(text + &counts(sent)))?,
        }
        Ok(code)
    }

    fn object(&self, sent: &Sent, took: Duration, followed: Followed, found: u64) -> Value {
        let oddities = sent.roll.oddities().into_iter().map(|(agent, oddity)| {
            let mut one = json!(oddity);
            one["agent"] = json!(agent);
            one["text"] = json!(oddity.to_string());
            one
        });
        let mut summary = json!(sent.roll.tally());
        summary["took_ms"] = json!(took.as_millis() as u64);
        summary["ended"] = json!(match followed {
            Followed::All => "all",
            Followed::TimeOver => "time",
            Followed::Stopped => "stopped",
        });
        let mut object = json!({
            "action": { "id": sent.id, "name": sent.name, "target": sent.target, "size": sent.size,
                        "sent": sent.at, "ends": sent.ends },
            "summary": summary,
            "agents": self.agents,
            "oddities": oddities.collect::<Vec<_>>(),
        });
        if let Job::UnknownHosts(known) = &self.job {
            object["summary"]["unaccounted"] = json!(found);
            let strangers = self.accounts.unaccounted(known.as_ref());
            object["unaccounted"] = strangers
                .into_iter()
                .map(|(mac, seen)| json!({ "mac": mac.to_string(), "seen_by": seen }))
                .collect();
        }
        object
    }
}

fn json_of(agent: &str, done: &Done) -> Value {
    let operations = done.operations.iter().map(|one| {
        json!({ "module": one.module, "found": one.found, "whole": one.is_whole, "errors": one.errors,
                "result": one.result })
    });
    json!({
        "agent": agent,
        "found": done.found(),
        "received": done.received,
        "began": done.began,
        "ended": done.ended,
        "operations": operations.collect::<Vec<_>>(),
    })
}

fn oddities(sent: &Sent) -> String {
    let oddities = sent.roll.oddities();
    let line = |(agent, oddity): &(&str, crate::roll::Oddity)| {
        format!("{}: {}\n", shown(agent), shown(&oddity.to_string()))
    };
    oddities.iter().map(line).collect()
}

fn counts(sent: &Sent) -> String {
    let tally = sent.roll.tally();
    format!(
        "{} sent, {} done, {} succeeded\n{} agents have found results\n",
        tally.sent, tally.done, tally.succeeded, tally.found
    )
}

fn closing(job: &Job, sent: &Sent, followed: Followed) -> String {
    let mut text = String::new();
    let partly = sent.roll.tally().partly;
    if partly > 0 {
        let _ = writeln!(text, "{partly} agents could not look at everything");
    }
    text += &counts(sent);
    if followed != Followed::All {
        let words = match job {
            Job::Tell => "",
            Job::UnknownHosts(_) => "unknown-hosts ",
        };
        let resume = format!("edgeproof investigate {words}-resume {}", sent.id);
        let _ = writeln!(text, "answers are kept for a week: {resume}");
    }
    text
}

/// What somebody else says, on one line and without anything that a terminal would obey.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            hidden if edgeproof_agent::is_hidden(hidden) => {
                for octet in hidden.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(shown, "\\x{octet:02x}");
                }
            }
            plain => shown.push(plain),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_agent_commands_a_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\r\n\u{202e}c"), "a\\x1b[2Jb\\x0d\\x0a\\xe2\\x80\\xaec");
        assert_eq!(shown("/home/zoë/\\x20 €"), "/home/zoë/\\x20 €");
    }
}
