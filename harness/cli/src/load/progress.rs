//! What is to be seen while a load runs: on a terminal only.

use std::io::IsTerminal;
use std::sync::mpsc;
use std::time::Duration;

use edgeproof_load::{Second, Watch};
use indicatif::{ProgressBar, ProgressStyle};

/// How often the line is drawn again.
const REDRAW: Duration = Duration::from_millis(250);
const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Seconds in the sparkline.
const WIDTH: usize = 30;

/// Runs `work`, with a line about it where both outputs are terminals.
pub(crate) fn shown<T>(watch: &Watch, limit: Duration, work: impl FnOnce() -> T) -> T {
    if !(std::io::stderr().is_terminal() && std::io::stdout().is_terminal()) {
        return work();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    let (over, is_over) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let drawn = &bar;
        scope.spawn(move || {
            while is_over.recv_timeout(REDRAW) == Err(mpsc::RecvTimeoutError::Timeout) {
                drawn.set_message(line(&watch.seconds(), limit));
                drawn.tick();
            }
            drawn.finish_and_clear();
        });
        let result = work();
        drop(over);
        result
    })
}

fn line(seconds: &[Second], limit: Duration) -> String {
    let Some(last) = seconds.last() else { return "the first second".to_owned() };
    let errors: u64 = seconds.iter().map(|second| second.errors).sum();
    format!(
        "{} s of {} s  {} req/s  p50 {:.2} ms  p99 {:.2} ms  {errors} errors  {}",
        last.second + 1,
        limit.as_secs(),
        last.requests,
        last.p50_us as f64 / 1e3,
        last.p99_us as f64 / 1e3,
        sparkline(seconds),
    )
}

fn sparkline(seconds: &[Second]) -> String {
    let shown = &seconds[seconds.len().saturating_sub(WIDTH)..];
    let most = shown.iter().map(|second| second.requests).max().unwrap_or(0).max(1);
    let spark = |requests: u64| SPARKS[usize::try_from(requests * 7 / most).unwrap_or(7).min(7)];
    shown.iter().map(|second| spark(second.requests)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_of_the_last_second_and_all_errors() {
        let second = |second, requests| Second {
            second,
            requests,
            errors: 1,
            p50_us: 900,
            p99_us: 3_100,
            max_us: 5_000,
        };
        let seconds = [second(0, 0), second(1, 700), second(2, 350)];
        assert_eq!(
            line(&seconds, Duration::from_secs(60)),
            "3 s of 60 s  350 req/s  p50 0.90 ms  p99 3.10 ms  3 errors  ▁█▄"
        );
    }
}
