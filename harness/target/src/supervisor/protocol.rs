//! What the harness and a supervisor say to each other: one line each.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use nix::sys::signal::Signal;

/// From the supervisor, on its standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// `started PID`
    Started(i32),
    /// `failed MESSAGE`: the command could not be started.
    Failed(String),
    /// `exited code N` or `exited signal NAME`: the child ended; its descendants may live on.
    Exited(ExitStatus),
    /// `gone`: neither the child nor any descendant is left.
    Gone,
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// By itself, with this code.
    Code(i32),
    /// By a signal.
    Signal(Signal),
}

impl ExitStatus {
    /// Did it end by itself with code 0?
    pub fn success(self) -> bool {
        self == ExitStatus::Code(0)
    }
}

/// From the harness, on the supervisor's standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// `stop SIGNAL MS`: send the signal to the child, TERM to what it leaves behind, and KILL to
    /// whatever is left after so long.
    Stop {
        /// What the child understands as "stop".
        signal: Signal,
        /// Real time until KILL.
        within: Duration,
    },
    /// `signal SIGNAL`: send it to the child.
    Signal(Signal),
    /// `keep`: leave the work folder alone, whatever happens.
    Keep,
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExitStatus::Code(code) => write!(f, "code {code}"),
            ExitStatus::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Report::Started(pid) => write!(f, "started {pid}"),
            Report::Failed(message) => write!(f, "failed {}", message.replace('\n', " ")),
            Report::Exited(status) => write!(f, "exited {status}"),
            Report::Gone => f.write_str("gone"),
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Order::Stop { signal, within } => write!(f, "stop {signal} {}", within.as_millis()),
            Order::Signal(signal) => write!(f, "signal {signal}"),
            Order::Keep => f.write_str("keep"),
        }
    }
}

/// A line that is none of the above.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a line of the supervisor's protocol: {0:?}")]
pub struct BadLine(String);

impl FromStr for Report {
    type Err = BadLine;

    fn from_str(line: &str) -> Result<Self, BadLine> {
        let bad = || BadLine(line.to_owned());
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "started" => rest.parse().map(Report::Started).map_err(|_| bad()),
            "failed" => Ok(Report::Failed(rest.to_owned())),
            "gone" => Ok(Report::Gone),
            "exited" => match rest.split_once(' ') {
                Some(("code", code)) => code.parse().map(ExitStatus::Code).map_err(|_| bad()),
                Some(("signal", name)) => name.parse().map(ExitStatus::Signal).map_err(|_| bad()),
                _ => Err(bad()),
            }
            .map(Report::Exited),
            _ => Err(bad()),
        }
    }
}

impl FromStr for Order {
    type Err = BadLine;

    fn from_str(line: &str) -> Result<Self, BadLine> {
        let bad = || BadLine(line.to_owned());
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["stop", signal, ms] => Ok(Order::Stop {
                signal: signal.parse().map_err(|_| bad())?,
                within: Duration::from_millis(ms.parse().map_err(|_| bad())?),
            }),
            ["signal", signal] => signal.parse().map(Order::Signal).map_err(|_| bad()),
            ["keep"] => Ok(Order::Keep),
            _ => Err(bad()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_the_pipe() {
        for report in [
            Report::Started(7),
            Report::Failed("no such file".into()),
            Report::Exited(ExitStatus::Code(3)),
            Report::Exited(ExitStatus::Signal(Signal::SIGSEGV)),
            Report::Gone,
        ] {
            assert_eq!(report.to_string().parse(), Ok(report));
        }
        for order in [
            Order::Stop { signal: Signal::SIGQUIT, within: Duration::from_millis(5001) },
            Order::Signal(Signal::SIGUSR1),
            Order::Keep,
        ] {
            assert_eq!(order.to_string().parse(), Ok(order));
        }
    }

    #[test]
    fn other_lines_are_refused() {
        assert!("exited".parse::<Report>().is_err());
        assert!("exited signal SIGNONE".parse::<Report>().is_err());
        assert!("stop SIGTERM".parse::<Order>().is_err());
        assert!("".parse::<Order>().is_err());
    }
}
