//! What can be written on the command line.

mod load;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use edgeproof_report::{Level, Output};
use edgeproof_scenario::model::Setting;

pub(crate) use load::{Compare, History, How, Load, LoadOutput, Plan, Shape, What};

/// Proves edge proxies: plays scenario files against a proxy and says where it conforms.
#[derive(Debug, Parser)]
#[command(name = "edgeproof", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 all good · 1 a must failed · 2 usage or bad scenario · 3 a target did not start
            4 nothing ran · 5 regression against the baseline · 6 inconclusive
            7 an error verdict · 130 interrupted";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play scenarios against one target or more.
    Run(Box<Run>),
    /// Send the same random requests to two targets with a WAF and find those that fire other rules.
    Differ(Differ),
    /// Look for mistakes in scenario files, all of them in one go.
    Check(Check),
    /// Print the JSON Schema of the scenario file, for editors.
    Schema,
    /// List cases: id, level, section, name.
    List(List),
    /// Tell one case in words, with its section of the standard.
    Explain(Explain),
    /// Make any format from a recorded stream of events.
    Report(Report),
    /// Load a server and measure it: closed loop as ApacheBench, or by a schedule.
    Load(Box<Load>),
    /// Say whether B is better or worse than A, or neither: two results of `load`, or two URLs.
    Compare(Box<Compare>),
    /// Where a figure of `load` changed its level over many runs, and whether it is worse now.
    History(Box<History>),
    /// How many machines a rate needs, from results of `load`.
    Plan(Box<Plan>),
    /// Write scenarios from what others wrote.
    #[command(subcommand)]
    Import(Import),
    /// Run the reference proxy.
    Proxy(Box<Proxy>),
    /// Read access logs.
    #[command(subcommand)]
    Logs(Logs),
    /// Investigate this host: files, keys and more; `agent help` tells.
    #[command(disable_help_flag = true)]
    Agent(Agent),
    /// Investigate a fleet of hosts over NATS; `investigate help` tells.
    #[command(disable_help_flag = true)]
    Investigate(Agent),
    /// Install the OWASP Core Rule Set for the reference's firewall.
    #[command(subcommand)]
    Crs(Crs),
    /// Start a command and end all its descendants when standard input closes (used by `run`).
    #[command(hide = true, disable_help_flag = true)]
    Supervise(Supervise),
    /// Look after a process that the reference proxy started (used by `proxy`).
    #[command(hide = true, disable_help_flag = true, name = edgeproof_proxy::keeper::SUBCOMMAND)]
    UpstreamKeeper(Supervise),
}

#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Files or folders of scenarios; `ftw:PATH` for the Core Rule Set's tests, or any in the ftw format.
    #[arg(value_name = "PATH", default_value = "scenarios")]
    pub(crate) paths: Vec<PathBuf>,
    /// Only cases that fit: part of an id, `family:cache`, `level:must`, `tag:x`, `spec:"9111 §4.2"`,
    /// joined by `and`, `or`, `not` and parentheses.
    #[arg(short = 'k', value_name = "FILTER")]
    pub(crate) filter: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// A target: a name below ci/targets, a folder with a target.yaml, a URL, or `all` (every target
    /// that is available here and is no negative control).
    #[arg(long, value_name = "NAME|DIR|URL", default_value = "reference")]
    pub(crate) target: Vec<String>,
    /// A target that must be available (it is played too).
    #[arg(long, value_name = "NAME|DIR|URL")]
    pub(crate) require: Vec<String>,
    /// The least binding level whose failure fails the run: must, should or may.
    #[arg(long, value_name = "LEVEL", default_value = "must")]
    pub(crate) level: Level,
    /// An output, to standard output or to a file: human, json, junit, tap, sarif, github, markdown,
    /// html, events; of a WAF's scenarios also waf-rates (Markdown) and waf-chart (SVG).
    #[arg(long, value_name = "F[=FILE]")]
    pub(crate) format: Vec<Output>,
    /// A former json or events output: only what got worse since then fails the run.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Cases at a time on each target.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: u16,
    /// Play each case N times and report how often its verdict changes.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) repeat: u16,
    /// What holds for the WAF of every case's site, in place of what the case says: `waf.profile=basic`,
    /// `waf.mode=alert`, `waf.paranoia=3`; `waf=none` takes it away, a negative control.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) site: Vec<Setting>,
    /// Play a case on after a step that failed, so that what each request came to can be counted.
    #[arg(long)]
    pub(crate) every_step: bool,
    /// The address that the scripted origin listens on, for a target that is a URL.
    #[arg(long, value_name = "ADDR")]
    pub(crate) origin_listen: Option<std::net::SocketAddr>,
    /// What a target that is a URL can do: `cache`, `waf`, …
    #[arg(long, value_name = "ABILITY", value_delimiter = ',')]
    pub(crate) declare: Vec<String>,
    /// The log in which the WAF of a target that is a URL says which rules matched.
    #[arg(long, value_name = "FILE")]
    pub(crate) waf_log: Option<PathBuf>,
    /// What differs for this platform in tests of the ftw format: platform overrides, or a
    /// configuration of go-ftw with `testoverride`.
    #[arg(long, value_name = "FILE")]
    pub(crate) ftw_overrides: Vec<PathBuf>,
    /// Allow targets beyond loopback. Scenarios fire attacks and load: only at what is yours.
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Keep no target's configuration and logs, not even after a failure.
    #[arg(long)]
    pub(crate) discard: bool,
    /// Show the values of Authorization, Cookie and Set-Cookie in reports.
    #[arg(long)]
    pub(crate) show_secrets: bool,
    /// Where targets are looked up by name.
    #[arg(long, value_name = "DIR", default_value = "ci/targets")]
    pub(crate) targets_dir: PathBuf,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("end").required(true).multiple(true).args(["requests", "time"]))]
pub(crate) struct Differ {
    /// The two targets, names below ci/targets or folders with a target.yaml: the one that is looked at,
    /// then the one that it is compared with.
    #[arg(long, value_name = "NAME|DIR", required = true)]
    pub(crate) target: Vec<String>,
    /// End after so many requests, those for making others smaller not counted.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) requests: Option<u64>,
    /// End after that time: `10m`.
    #[arg(long, value_name = "D", value_parser = duration)]
    pub(crate) time: Option<Duration>,
    /// The seed of the requests: the same makes the same.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Scenarios, or tests as `ftw:PATH`, whose requests and payloads are changed and sent too.
    #[arg(long, value_name = "PATH")]
    pub(crate) corpus: Vec<PathBuf>,
    /// Differences that are known and stay, beside the file differences.yaml of each target's folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) known: Vec<PathBuf>,
    /// Write each smallest request there, as a test in the ftw format that plays as it is.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// How many smallest requests are looked for in each cause.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) examples: u16,
    /// An output, to standard output or to a file: human or json.
    #[arg(long, value_name = "F[=FILE]")]
    pub(crate) format: Vec<Output>,
    /// Requests at a time on each target.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: u16,
    /// Where targets are looked up by name.
    #[arg(long, value_name = "DIR", default_value = "ci/targets")]
    pub(crate) targets_dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Files or folders of scenarios, or of tests in the ftw format as `ftw:PATH`.
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) selection: Selection,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The case's id, as `list` prints it, or a file.
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// Files or folders of scenarios.
    #[arg(long, value_name = "PATH", default_value = "scenarios")]
    pub(crate) suite: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// A scenario from tests in the ftw format, in which the Core Rule Set keeps its own.
    Ftw(ImportFtw),
}

#[derive(Debug, Args)]
pub(crate) struct ImportFtw {
    /// Files or folders of tests.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Only tests that fit, as for `run`: `-k 920100/4` for one.
    #[arg(short = 'k', value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// Write a file for each file of tests there, instead of one scenario to standard output.
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// A recording made by `run --format events=FILE`; `-` is standard input. Of several, only rates of
    /// WAFs are made.
    #[arg(value_name = "EVENTS", required = true)]
    pub(crate) events: Vec<PathBuf>,
    /// As for `run`.
    #[arg(long, value_name = "F[=FILE]")]
    pub(crate) format: Vec<Output>,
    /// As for `run`.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// As for `run`.
    #[arg(long, value_name = "LEVEL", default_value = "must")]
    pub(crate) level: Level,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("how").required(true).args(["config", "listen"]))]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
pub(crate) struct Proxy {
    #[command(subcommand)]
    pub(crate) also: Option<ProxyCommand>,
    /// A YAML file of sites; everything else can be said there.
    #[arg(long, value_name = "FILE", conflicts_with = "listen")]
    pub(crate) config: Option<PathBuf>,
    /// The address to listen on; port 0 takes a free one and prints it.
    #[arg(long, value_name = "ADDR", requires = "upstream")]
    pub(crate) listen: Option<std::net::SocketAddr>,
    /// Where requests go: http://HOST:PORT, or HOST:PORT for short; given several times, they take turns.
    /// fastcgi://HOST:PORT/ROOT or fastcgi://unix:/PATH:/ROOT for PHP, with the folder of its scripts.
    /// Or 'cmd:COMMAND': a process that the first request starts, told where to listen by {port} or {socket}
    /// in the command, or by PORT or SOCKET in its environment.
    #[arg(long, value_name = "URL|cmd:COMMAND", requires = "listen")]
    pub(crate) upstream: Vec<String>,
    /// Stop the command when nobody has asked for it for so long; 0: never [default: 10m].
    #[arg(long, value_name = "D", requires = "upstream", value_parser = duration)]
    pub(crate) upstream_idle: Option<Duration>,
    /// How long the command may take until it listens [default: 30s].
    #[arg(long, value_name = "D", requires = "upstream", value_parser = duration)]
    pub(crate) upstream_start_limit: Option<Duration>,
    /// Where the command's output goes, and what becomes of it [default: standard error].
    #[arg(long, value_name = "FILE", requires = "upstream")]
    pub(crate) upstream_log: Option<PathBuf>,
    /// Cache responses (RFC 9111).
    #[arg(long, requires = "listen")]
    pub(crate) cache: bool,
    /// What may be stored: all that the RFC allows, or what is safe for sites that never thought of caches.
    #[arg(long, requires = "cache", default_value = "rfc9111", value_parser = ["rfc9111", "hosting"])]
    pub(crate) cache_policy: String,
    /// The lifetime of a response without one: `10s`. The policy `hosting` needs it.
    #[arg(
        long,
        value_name = "D",
        requires = "cache",
        required_if_eq("cache_policy", "hosting"),
        value_parser = duration
    )]
    pub(crate) cache_ttl: Option<Duration>,
    /// The most that is stored: `256MiB`.
    #[arg(long, value_name = "N", requires = "cache", value_parser = size)]
    pub(crate) cache_size: Option<u64>,
    /// Where it is stored: `memory`, or a Redis, `redis://127.0.0.1:6379/0`.
    #[arg(long, value_name = "STORE", requires = "cache", default_value = "memory")]
    pub(crate) cache_store: String,
    /// Who may PURGE.
    #[arg(long, value_name = "CIDR", requires = "cache")]
    pub(crate) purge_from: Vec<String>,
    /// Put a firewall before the upstream, a profile of the OWASP Core Rule Set: disabled, basic, strong,
    /// full, wordpress or drupal.
    #[arg(long, value_name = "PROFILE", requires = "listen", conflicts_with = "waf_conf")]
    pub(crate) waf: Option<String>,
    /// What becomes of a request that its rules deny.
    #[arg(long, value_name = "MODE", requires = "listen", value_parser = ["block", "alert", "quarantine"])]
    pub(crate) waf_mode: Option<String>,
    /// The paranoia level, 1 to 4.
    #[arg(long, value_name = "N", requires = "waf", value_parser = clap::value_parser!(u8).range(1..=4))]
    pub(crate) waf_paranoia: Option<u8>,
    /// The Core Rule Set's folder; without it what `crs install` unpacked, or Debian's package.
    #[arg(long, value_name = "DIR", requires = "waf")]
    pub(crate) waf_rules: Option<PathBuf>,
    /// A SecLang file with all that it includes, instead of a profile.
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub(crate) waf_conf: Option<PathBuf>,
    /// Write what the firewall's rules match, a line a match.
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub(crate) waf_log: Option<PathBuf>,
    /// The form of its lines: `short`, or `modsecurity` for tools that read ModSecurity's.
    #[arg(long, value_name = "FORM", requires = "waf_log", value_parser = ["short", "modsecurity"])]
    pub(crate) waf_log_format: Option<String>,
    /// Write the firewall's audit log, a JSON object a transaction.
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub(crate) waf_audit_log: Option<PathBuf>,
    /// Where the mode quarantine keeps requests [default: edgeproof/quarantine in the user's state folder].
    #[arg(long, value_name = "DIR", requires = "waf_mode")]
    pub(crate) waf_quarantine: Option<PathBuf>,
    /// Write an access log.
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub(crate) access_log: Option<PathBuf>,
    /// Its format: text with {variables}.
    #[arg(long, value_name = "S", requires = "access_log")]
    pub(crate) access_log_format: Option<String>,
    /// How the format is read.
    #[arg(long, requires = "access_log", default_value = "current", value_parser = ["2018", "current"])]
    pub(crate) access_log_dialect: String,
    /// A control socket: clock, purge, statistics.
    #[arg(long, value_name = "unix:PATH", requires = "listen")]
    pub(crate) control: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Logs {
    /// Print each line of an access log as a JSON object: the reference's, nginx's, Apache httpd's, or
    /// any that the format fits. Lines that do not fit are told on standard error; exit code 1 then.
    Parse(LogsParse),
}

#[derive(Debug, Args)]
pub(crate) struct LogsParse {
    /// The log's format: default, common, combined, json, or text with {variables}.
    #[arg(long, value_name = "F", default_value = "default")]
    pub(crate) format: String,
    /// How the format is read.
    #[arg(long, default_value = "current", value_parser = ["2018", "current"])]
    pub(crate) dialect: String,
    /// Take only what the reference writes itself, byte for byte: what another hand wrote does not fit.
    #[arg(long)]
    pub(crate) strict: bool,
    /// The log; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Crs {
    /// Unpack a release into the user's data folder, where `proxy --waf` finds the newest.
    Install(CrsInstall),
}

#[derive(Debug, Args)]
pub(crate) struct CrsInstall {
    /// A release's version, such as 4.20.0, fetched from the project; or a .tar.gz, a file or an address.
    #[arg(value_name = "VERSION|FILE|URL")]
    pub(crate) source: String,
    /// The archive's SHA-256, in hexadecimal digits: nothing else is unpacked.
    #[arg(long, value_name = "HEX")]
    pub(crate) sha256: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProxyCommand {
    /// Look at the requests that a firewall in the mode quarantine has kept.
    Quarantine(Quarantine),
}

#[derive(Debug, Args)]
pub(crate) struct Quarantine {
    #[command(subcommand)]
    pub(crate) command: QuarantineCommand,
    /// The folder [default: edgeproof/quarantine in the user's state folder].
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// List what is kept, the oldest first: id, time, client, site, what matched.
    List,
    /// Print one request: why it was kept, then the request with everything unprintable escaped.
    Show {
        /// The request's id.
        id: String,
        /// Print the bytes as they were received, and nothing else.
        #[arg(long)]
        raw: bool,
    },
    /// Send one request again, as it was received, and print the answer.
    Replay {
        /// The request's id.
        id: String,
        /// Where to: http://HOST:PORT. Only what is yours.
        #[arg(long, value_name = "URL")]
        to: String,
        /// Allow an address beyond loopback.
        #[arg(long)]
        allow_remote: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Agent {
    /// The agent's own words, with flags as MIG writes them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) words: Vec<std::ffi::OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Supervise {
    /// The supervisor's own words.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) words: Vec<std::ffi::OsString>,
}

fn duration(text: &str) -> Result<Duration, String> {
    edgeproof_diagnostics::parse_duration(text)
        .map_err(|_| "expected a duration such as `10s`, `500ms` or `1m`".to_owned())
}

/// A duration in which something can happen.
fn some_time(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("expected more than no time at all, such as `10s`".to_owned()),
        some => Ok(some),
    }
}

fn size(text: &str) -> Result<u64, String> {
    edgeproof_diagnostics::parse_size(text)
        .map_err(|_| "expected a size such as `256MiB` or `64KB`".to_owned())
}
