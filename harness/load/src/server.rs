//! What a process has cost so far, as the kernel says it.

use std::time::Duration;

/// Ticks a second in /proc (`USER_HZ`): 100 on every Linux that this is built for (proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// What a server has spent on a shot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ServerCpu {
    /// Nobody said which process it is.
    NotAsked,
    /// Its process ended, and what it had spent is not told any more.
    Gone,
    Seconds(f64),
}

impl ServerCpu {
    /// Between two answers of [`cpu_of`], where it was asked.
    pub(crate) fn between(
        before: Option<std::io::Result<Duration>>,
        after: Option<std::io::Result<Duration>>,
    ) -> Self {
        match (before, after) {
            (None, _) | (_, None) => Self::NotAsked,
            (Some(Ok(before)), Some(Ok(after))) => {
                Self::Seconds(after.saturating_sub(before).as_secs_f64())
            }
            _ => Self::Gone,
        }
    }

    /// Of two shots together.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Seconds(one), Self::Seconds(other)) => Self::Seconds(one + other),
            (Self::Gone, _) | (_, Self::Gone) => Self::Gone,
            _ => Self::NotAsked,
        }
    }
}

/// User and system time of a process and of its children, all threads: what each that lives has spent itself and what its
/// dead children had (proc(5), stat, fields 14 to 17). A child is counted in one place: the kernel adds its time to its
/// parent's when that has waited for its end, and until then it has a line of its own.
///
/// # Errors
/// When there is no such process.
pub fn cpu_of(pid: u32) -> std::io::Result<Duration> {
    let mut ticks = ticks_of(pid)?;
    let mut parents = vec![pid];
    while let Some(parent) = parents.pop() {
        for child in children(parent) {
            // One that has just gone is no error; the time that it had is its parent's to tell, the next time.
            if let Ok(more) = ticks_of(child) {
                ticks += more;
                parents.push(child);
            }
        }
    }
    Ok(Duration::from_secs_f64(ticks as f64 / TICKS_PER_SECOND))
}

fn ticks_of(pid: u32) -> std::io::Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name may hold anything, parentheses too.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next().and_then(|field| field.parse::<u64>().ok());
    let all: Option<u64> = (0..4).map(|_| ticks()).sum();
    all.ok_or_else(|| std::io::Error::other(format!("/proc/{pid}/stat cannot be understood")))
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let pids = lists.flat_map(|list| {
        list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()
    });
    pids.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_costs_more_than_before() {
        let before = cpu_of(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while cpu_of(std::process::id()).unwrap() < before + Duration::from_millis(30) {
            sum = (0..100_000).fold(sum, |sum, n| std::hint::black_box(sum ^ n));
        }
        assert!(cpu_of(u32::MAX).is_err());
    }

    /// As a server that forks for each request.
    #[test]
    fn what_dead_children_had_spent_counts() {
        use std::io::{BufRead as _, BufReader, Write as _};
        use std::process::{Command, Stdio};
        let script = "(i=0; while [ $i -lt 500000 ]; do i=$((i+1)); done); echo done; read end";
        let mut shell = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "done\n");
        let spent = cpu_of(shell.id()).unwrap();
        shell.stdin.take().unwrap().write_all(b"\n").unwrap();
        shell.wait().unwrap();
        assert!(spent >= Duration::from_millis(30), "{spent:?}");
    }
}
