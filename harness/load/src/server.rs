//! What a process has cost so far, as the kernel says it.

use std::time::Duration;

/// Ticks a second in /proc (`USER_HZ`): 100 on every Linux that this is built for (proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// User and system time of a process and of its living children, all threads (proc(5), stat, fields 14 and 15).
///
/// # Errors
/// When there is no such process.
pub fn cpu_of(pid: u32) -> std::io::Result<Duration> {
    let mut ticks = ticks_of(pid)?;
    let mut parents = vec![pid];
    while let Some(parent) = parents.pop() {
        for child in children(parent) {
            // One that has just gone is no error; the time that it had is its parent's to tell.
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
    let both = ticks().zip(ticks()).map(|(user, system)| user + system);
    both.ok_or_else(|| std::io::Error::other(format!("/proc/{pid}/stat cannot be understood")))
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
}
