//! How a run is to be made.

use std::ffi::OsString;
use std::net::SocketAddr;

use edgeproof_scenario::model::Setting;

/// How a run is to be made.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Cases at a time (`--jobs`); 0 counts as 1.
    pub jobs: usize,
    /// How often each case is played (`--repeat`); 0 counts as 1.
    pub repeat: usize,
    /// The most sites in one configuration of a target; 0 counts as 1. What does not fit is played on
    /// the target started anew: a proxy may spend a thread or an open file on each site.
    pub most_sites: usize,
    /// Targets whose absence is an error (`--require`).
    pub require: Vec<String>,
    /// Where the scripted origin listens (`--origin-listen`); any free loopback port when absent.
    /// Without it, cases with an origin are skipped on a target given as a URL.
    pub origin_listen: Option<SocketAddr>,
    /// May targets lie beyond loopback (`--allow-remote`)?
    pub allow_remote: bool,
    /// Are the values of Authorization, Cookie, Set-Cookie and Proxy-Authorization shown in events?
    pub show_secrets: bool,
    /// The most octets of one message in an event.
    pub most_octets: usize,
    /// Is a target's work folder kept after a failure or an error on it?
    pub keep_failed: bool,
    /// The field of the harness's marks: a request with it leaves a line with its value in a WAF's log,
    /// so that the lines of cases that share the log can be told apart.
    pub mark_field: String,
    /// How the ids of rules stand in a WAF's log, where in no known way: a pattern whose first group is
    /// the id.
    pub rule_ids: Option<String>,
    /// What holds for every case's site, in place of what the case says (`--site`).
    pub settings: Vec<Setting>,
    /// Is a case played on after a step that failed (`--every-step`)? Then what each of its requests came
    /// to can be counted.
    pub every_step: bool,
    /// Further words of the command that plays a case of another format again.
    pub foreign_words: Vec<String>,
    /// What calls itself the tool in [`crate::event::Event::RunStarted`].
    pub tool: String,
    /// The supervisor's command, where it is not the running program with `supervise`.
    pub supervisor: Option<Vec<OsString>>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            jobs: 32,
            repeat: 1,
            most_sites: 2500,
            require: Vec::new(),
            origin_listen: None,
            allow_remote: false,
            show_secrets: false,
            most_octets: 16 * 1024,
            keep_failed: true,
            mark_field: "X-CRS-Test".to_owned(),
            rule_ids: None,
            settings: Vec::new(),
            every_step: false,
            foreign_words: Vec::new(),
            tool: concat!("edgeproof ", env!("CARGO_PKG_VERSION")).to_owned(),
            supervisor: None,
        }
    }
}

impl RunOptions {
    pub(super) fn origin_address(&self) -> SocketAddr {
        self.origin_listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
    }
}

/// The harness itself cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No threads or no event queue.
    #[error("the runner cannot start: {0}")]
    Runtime(std::io::Error),
    /// The origin's address is taken, or not this machine's.
    #[error("the scripted origin cannot listen: {0}")]
    Origin(std::io::Error),
    /// [`RunOptions::rule_ids`] is no pattern.
    #[error("the pattern of rule ids: {0}")]
    RuleIds(String),
    /// A fault in the runner.
    #[error("the runner broke: {0}")]
    Broken(String),
}
