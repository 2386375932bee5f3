//! The words of `load`, `compare` and `plan`.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::some_time;

#[derive(Debug, Args)]
pub(crate) struct Load {
    #[command(flatten)]
    pub(crate) what: What,
    /// Clients at a time; in an open loop the most connections [default: 10, or 1000 in an open loop].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) connections: Option<u16>,
    /// The time of each shot: `60s`. This, -n or a rate with times of its own is needed.
    #[arg(short, long, value_name = "D", value_parser = some_time)]
    pub(crate) time: Option<Duration>,
    /// The requests of each shot.
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) requests: Option<u64>,
    /// Closed loop: how long a client thinks before each request, on average (exponential times): `-c` are users then.
    #[arg(long, value_name = "D", value_parser = some_time, conflicts_with_all = ["rate", "replay", "sweep"])]
    pub(crate) think: Option<Duration>,
    /// Open loop: requests a second, sent by plan whatever the target does. Also a ramp, `100..1000`, or
    /// steps, `100@10s,500..1000@30s`.
    #[arg(short, long, value_name = "RATE")]
    pub(crate) rate: Option<String>,
    /// Open loop: moments independent of each other instead of equal gaps.
    #[arg(long, requires = "rate")]
    pub(crate) poisson: bool,
    /// Open loop: the GET and HEAD requests of an access log, each at its own moment, to the server of the URL.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rate", "urls", "sweep", "method", "body", "body_file"])]
    pub(crate) replay: Option<PathBuf>,
    /// The log's format: a preset, or a format's text as for `logs parse`.
    #[arg(long, value_name = "FORMAT", default_value = "combined", requires = "replay")]
    pub(crate) replay_format: String,
    /// How many times as fast as the log.
    #[arg(long, value_name = "N", default_value = "1", value_parser = positive, requires = "replay")]
    pub(crate) speed: f64,
    /// Open loop: double the rate until the target does not hold it, bisect, and look again for longer.
    /// -r is where it begins [default: 100], -t the time of each rate.
    #[arg(long, conflicts_with_all = ["shots", "poisson", "requests"], requires = "time")]
    pub(crate) sweep: bool,
    /// What must hold: `p99<50ms,errors<0.1%`. With --sweep the highest rate is found that holds it, with 1 % of
    /// errors at most where it does not name them, else a run that breaks it fails.
    #[arg(long, value_name = "SLO", value_parser = slo)]
    pub(crate) slo: Option<edgeproof_load::Slo>,
    /// How many times all of it is done.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) shots: u16,
    /// What does not make the run fail: `non-2xx`, `failed`. A sweep's --slo says how many may: `errors<1%`.
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = ["non-2xx", "failed"], conflicts_with = "sweep")]
    pub(crate) allow: Vec<String>,
    /// The server's process on this machine: its processor time is measured too.
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Option<u32>,
    /// An output, to standard output or to a file: human, json, html.
    #[arg(long, value_name = "F[=FILE]")]
    pub(crate) format: Vec<LoadOutput>,
    /// Add the run to a history, one line of JSON each: what `history` reads.
    #[arg(long, value_name = "FILE", conflicts_with = "sweep")]
    pub(crate) history: Option<PathBuf>,
    /// What the history calls the run: a version, a commit.
    #[arg(long, value_name = "TEXT", requires = "history")]
    pub(crate) label: Option<String>,
    /// Write the latencies as a log for HdrHistogram's own tools.
    #[arg(long, value_name = "FILE")]
    pub(crate) hdr: Option<PathBuf>,
}

/// What is sent, and where.
#[derive(Debug, Args)]
pub(crate) struct What {
    /// One URL or more of one server: http://HOST[:PORT]/PATH, or https.
    #[arg(value_name = "URL", required_unless_present = "urls")]
    pub(crate) url: Vec<String>,
    /// A file of URLs, one a line, each after its weight if it has one: `3 http://127.0.0.1:8080/a`.
    #[arg(long, value_name = "FILE")]
    pub(crate) urls: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) how: How,
}

/// How it is sent.
#[derive(Debug, Args)]
pub(crate) struct How {
    /// A header line: `Accept: text/html`.
    #[arg(short = 'H', long = "header", value_name = "LINE")]
    pub(crate) headers: Vec<String>,
    /// The method [default: GET, or POST where there is a body].
    #[arg(short, long, value_name = "METHOD")]
    pub(crate) method: Option<String>,
    /// The content of each request.
    #[arg(long, value_name = "TEXT", conflicts_with = "body_file")]
    pub(crate) body: Option<String>,
    /// The content of each request, from a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) body_file: Option<PathBuf>,
    /// Basic authentication.
    #[arg(long, value_name = "USER:PASSWORD")]
    pub(crate) basic: Option<String>,
    /// Speak HTTP/1.0, as ab does.
    #[arg(long)]
    pub(crate) http10: bool,
    /// Speak HTTP/2: by prior knowledge, and for https by ALPN.
    #[arg(long, conflicts_with = "http10")]
    pub(crate) http2: bool,
    /// HTTP/2: requests at a time on each connection; in a closed loop each is a client.
    #[arg(long, value_name = "N", default_value_t = NonZeroU16::MIN, requires = "http2")]
    pub(crate) streams: NonZeroU16,
    /// A connection for many requests, or a new one for each.
    #[arg(long, value_name = "on|off", default_value = "on", value_parser = ["on", "off"])]
    pub(crate) keep_alive: String,
    /// The most time of a request.
    #[arg(long, value_name = "D", default_value = "30s", value_parser = some_time)]
    pub(crate) timeout: Duration,
    /// Threads, each with its share of the connections.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
    /// Connect to a unix socket; the URL says Host and path.
    #[arg(long, value_name = "PATH")]
    pub(crate) unix: Option<PathBuf>,
    /// https: trust the certificates of this PEM file instead of the system's.
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// Where chance begins (arrivals, weights): the same number draws the same.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Allow targets beyond loopback. Load only what is yours.
    #[arg(long)]
    pub(crate) allow_remote: bool,
}

/// The formats of `load` and what goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Human,
    Json,
    Html,
}

/// `human`, `json`, `html`, each with `=FILE` or without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoadOutput {
    pub(crate) shape: Shape,
    pub(crate) file: Option<PathBuf>,
}

impl FromStr for LoadOutput {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, file) = text.split_once('=').map_or((text, None), |(w, f)| (w, Some(f)));
        let shape = match word {
            "human" => Shape::Human,
            "json" => Shape::Json,
            "html" => Shape::Html,
            other => {
                return Err(format!("`{other}` is no format of this command: human, json or html"));
            }
        };
        if file == Some("") {
            return Err(format!("`{text}` names no file"));
        }
        Ok(Self { shape, file: file.map(PathBuf::from) })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// A: a result of `load --format json`, its shots the rounds, or a URL that is measured now.
    #[arg(value_name = "A")]
    pub(crate) a: String,
    /// B: the same. The verdict is about B.
    #[arg(value_name = "B")]
    pub(crate) b: String,
    /// The share that is not worth a word: `5%`.
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = share)]
    pub(crate) margin: f64,
    /// What is judged: throughput, p50, p99, cpu [default: all that was measured].
    #[arg(long, value_name = "METRIC", value_delimiter = ',', value_parser = metric)]
    pub(crate) metrics: Vec<edgeproof_load::Metric>,
    /// URLs: pairs of rounds, in a random order within each.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(5..=1000))]
    pub(crate) rounds: u16,
    /// URLs: the time of each round on each side.
    #[arg(short, long, value_name = "D", default_value = "2s", value_parser = some_time)]
    pub(crate) time: Duration,
    /// URLs: clients at a time.
    #[arg(short, long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) connections: u16,
    /// URLs: A's process on this machine; with --pid-b its processor time is compared too.
    #[arg(long, value_name = "PID", requires = "pid_b")]
    pub(crate) pid_a: Option<u32>,
    /// URLs: B's process.
    #[arg(long, value_name = "PID", requires = "pid_a")]
    pub(crate) pid_b: Option<u32>,
    #[command(flatten)]
    pub(crate) how: How,
    /// An output, to standard output or to a file: human, json, html.
    #[arg(long, value_name = "F[=FILE]")]
    pub(crate) format: Vec<LoadOutput>,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// A history that `load --history` wrote: runs of one load on one machine.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The share that is not worth a word: `5%`.
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = share)]
    pub(crate) margin: f64,
    /// What is judged: throughput, p50, p99, cpu [default: all that every run has].
    #[arg(long, value_name = "METRIC", value_delimiter = ',', value_parser = metric)]
    pub(crate) metrics: Vec<edgeproof_load::Metric>,
    /// Changes up to this moment are known and meant: they are told, and fail nothing.
    #[arg(long, value_name = "TIME")]
    pub(crate) accept: Option<jiff::Timestamp>,
    /// Draw the figures over the runs.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// An output, to standard output or to a file: human, json, html.
    #[arg(long, value_name = "F[=FILE]")]
    pub(crate) format: Vec<LoadOutput>,
}

fn slo(text: &str) -> Result<edgeproof_load::Slo, String> {
    text.parse().map_err(|error: edgeproof_load::SloError| error.to_string())
}

/// `5%`, or `0.05`: neither nothing nor all.
fn share(text: &str) -> Result<f64, String> {
    part(text)
        .ok()
        .filter(|share| *share > 0.0 && *share < 1.0)
        .ok_or_else(|| "expected a share such as `5%`".to_owned())
}

/// The same, or nothing, or all.
fn part(text: &str) -> Result<f64, String> {
    let (number, whole) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let value = number.trim().parse::<f64>().ok().map(|number| number / whole);
    value
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "expected a share such as `90%`".to_owned())
}

fn metric(text: &str) -> Result<edgeproof_load::Metric, String> {
    let known = edgeproof_load::Metric::ALL.into_iter().find(|metric| metric.as_str() == text);
    known.ok_or_else(|| format!("`{text}` is no metric: throughput, p50, p99 or cpu"))
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Results of `load --format json`: a sweep, open loops at several rates with --pid, or closed loops
    /// with several -c.
    #[arg(value_name = "REPORT", required = true)]
    pub(crate) reports: Vec<PathBuf>,
    /// Results of requests that the cache does not answer; the others are of hits then, and each counts by its share.
    #[arg(long, value_name = "REPORT", num_args = 1..)]
    pub(crate) misses: Vec<PathBuf>,
    /// The share of hits [default: what --log tells].
    #[arg(long, value_name = "SHARE", value_parser = part, requires = "misses")]
    pub(crate) hits: Option<f64>,
    /// Requests a second, of all machines together.
    #[arg(short, long, value_name = "RATE", value_parser = positive, required_unless_present = "log")]
    pub(crate) rate: Option<f64>,
    /// An access log: without --rate the machines are planned for its busiest hour times its burst factor.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// The log's format: a preset, or a format's text as for `logs parse`.
    #[arg(long, value_name = "FORMAT", default_value = "combined", requires = "log")]
    pub(crate) log_format: String,
    /// Machines that may be gone at any time.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) spare: u32,
    /// How much of what it can do a machine is given.
    #[arg(long, value_name = "SHARE", default_value = "80%", value_parser = share)]
    pub(crate) headroom: f64,
    /// The cores of a machine, where its processor time is known.
    #[arg(long, value_name = "N", default_value = "1", value_parser = positive)]
    pub(crate) cores: f64,
    /// What a machine costs.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) cost: Option<f64>,
    /// Draw throughput and latency over load.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// An output, to standard output or to a file: human, json, html.
    #[arg(long, value_name = "F[=FILE]")]
    pub(crate) format: Vec<LoadOutput>,
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "expected a number above 0".to_owned())
}
