//! Whether an open loop stays awake while it waits.
//!
//! A thread that sleeps is late by what it takes to wake it: tens of microseconds where its core has gone to rest meanwhile,
//! milliseconds where another thread was given the core. All of that would be told as the server's latency. One that asks
//! again and again what has come has a whole core to itself instead. It does so only close to its work, and only as long
//! as nobody waits for a core. Where processor time is rationed (a container's quota), it would use up the server's
//! share with its own, and never does.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// Before a moment that is planned, and after the last that was sent or received, the loop is awake for so long.
const NEAR: Duration = Duration::from_millis(1);
/// How often is asked whether anybody waits for a core.
const LOOK: Duration = Duration::from_millis(100);
/// The share of that time in which somebody may have waited.
const MAY_WAIT: f64 = 0.3;
/// How often in that time another thread may have been given the loop's own core: where a server shares it, that is at
/// each request.
const MAY_SHARE: f64 = 5.0;
/// A loop that is asked again only after so long meanwhile did something else, or had lost its core for long.
const LONG: Duration = Duration::from_micros(500);
/// How often in the time above it may have lost it for long: what comes now and then is no reason to sleep.
const MAY_LOSE_LONG: u32 = 1;
/// Where it was more, the loop sleeps between its moments for so long, before it tries again: each time twice as long as the
/// time before, unless it had its core for as long meanwhile.
const GIVES_WAY: Duration = Duration::from_secs(1);
/// But no longer than this.
const MOST_WAY: Duration = Duration::from_secs(60);

/// One thread's vigil.
#[derive(Debug)]
pub(crate) struct Awake {
    /// None where the system does not tell: then the loop sleeps.
    pressure: Option<Pressure>,
    looked: Instant,
    /// How long threads had waited by then.
    waited: Duration,
    /// How often this one had lost its core.
    lost: i64,
    /// How often it lost it for long since then.
    lost_long: u32,
    /// How often it had lost its core when that was counted last.
    counted: i64,
    /// When it was last told to stay awake, if that was what it was told last.
    stayed: Option<Instant>,
    gives_way_until: Instant,
    /// For how long the last time.
    gave_way: Duration,
    acted: Instant,
}

impl Awake {
    pub(crate) fn new(now: Instant) -> Self {
        let pressure = Pressure::of_processors().filter(|_| !is_rationed());
        let waited = pressure.as_ref().and_then(Pressure::waited).unwrap_or_default();
        Self {
            pressure,
            looked: now,
            waited,
            lost: lost(),
            lost_long: 0,
            counted: lost(),
            stayed: None,
            gives_way_until: now,
            gave_way: Duration::ZERO,
            acted: now,
        }
    }

    /// Something was sent or received.
    pub(crate) fn acts(&mut self, now: Instant) {
        self.acted = now;
    }

    /// Whether it stays awake now, with the next request `due`, and an answer to come or none.
    pub(crate) fn stays(&mut self, now: Instant, due: Option<Instant>, awaits: bool) -> bool {
        let is_close = due.is_some_and(|due| due.saturating_duration_since(now) <= NEAR)
            || (awaits && now.saturating_duration_since(self.acted) <= NEAR);
        let stays = is_close && self.has_a_core(now);
        self.stayed = stays.then_some(now);
        stays
    }

    fn has_a_core(&mut self, now: Instant) -> bool {
        let Some(pressure) = &self.pressure else { return false };
        let since = now.saturating_duration_since(self.looked);
        if since >= LOOK
            && let Some(waited) = pressure.waited()
        {
            self.look(now, since, waited, lost());
        }
        if self.stayed.is_some_and(|stayed| now.saturating_duration_since(stayed) > LONG) {
            self.was_away(now, lost());
        }
        now >= self.gives_way_until
    }

    fn look(&mut self, now: Instant, since: Duration, waited: Duration, lost: i64) {
        let share = waited.saturating_sub(self.waited).as_secs_f64() / since.as_secs_f64();
        let often = (lost - self.lost) as f64 * LOOK.as_secs_f64() / since.as_secs_f64();
        (self.looked, self.waited, self.lost, self.lost_long) = (now, waited, lost, 0);
        if share > MAY_WAIT || often > MAY_SHARE {
            self.give_way(now);
        }
    }

    /// It was told to stay awake, and was not for long.
    fn was_away(&mut self, now: Instant, lost: i64) {
        if lost > self.counted {
            self.counted = lost;
            self.lost_long += 1;
        }
        if self.lost_long > MAY_LOSE_LONG {
            self.lost_long = 0;
            self.give_way(now);
        }
    }

    fn give_way(&mut self, now: Instant) {
        let had_it = now.saturating_duration_since(self.gives_way_until);
        let longer = if had_it < self.gave_way { self.gave_way * 2 } else { GIVES_WAY };
        self.gave_way = longer.min(MOST_WAY);
        self.gives_way_until = now + self.gave_way;
    }
}

/// How long threads of this machine, or of this container, have waited for a core (Linux, accounting/psi).
#[derive(Debug)]
struct Pressure(File);

impl Pressure {
    fn of_processors() -> Option<Self> {
        let found = Self(File::open("/proc/pressure/cpu").ok()?);
        found.waited().is_some().then_some(found)
    }

    /// In all, since the machine was started.
    fn waited(&self) -> Option<Duration> {
        let mut text = [0; 256];
        let size = self.0.read_at(&mut text, 0).ok()?;
        waited(std::str::from_utf8(&text[..size]).ok()?)
    }
}

/// Whether this process, or one of the groups that it is in, may use only so much processor time (cgroups(7)): by
/// `cpu.max`, or `cpu.cfs_quota_us` of the older kind. A container sees its own group at the root.
fn is_rationed() -> bool {
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let newer = Path::new("/sys/fs/cgroup").join(own);
    let newer = newer.ancestors().take_while(|group| group.starts_with("/sys/fs/cgroup"));
    let older = ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"].map(PathBuf::from);
    newer
        .map(|group| group.join("cpu.max"))
        .chain(older.map(|group| group.join("cpu.cfs_quota_us")))
        .filter_map(|file| std::fs::read_to_string(file).ok())
        .any(|quota| {
            quota.split_whitespace().next().is_some_and(|first| first.parse::<u64>().is_ok())
        })
}

/// How often this thread was to go on and another was given its core (getrusage(2), `ru_nivcsw`).
fn lost() -> i64 {
    getrusage(UsageWho::RUSAGE_THREAD).map_or(0, |usage| usage.involuntary_context_switches())
}

/// The microseconds in `some avg10=0.00 avg60=0.00 avg300=0.00 total=123`.
fn waited(text: &str) -> Option<Duration> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = some.split(' ').find_map(|word| word.strip_prefix("total="))?;
    Some(Duration::from_micros(total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use tempfile::NamedTempFile;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// A vigil of a machine whose threads have waited for as long as `told` says, and its beginning.
    fn vigil() -> (Awake, Instant, NamedTempFile) {
        let (now, told) = (Instant::now(), NamedTempFile::new().unwrap());
        wait_in_all(&told, 0);
        let pressure = Some(Pressure(told.reopen().unwrap()));
        let waited = Duration::ZERO;
        (
            Awake {
                pressure,
                looked: now,
                waited,
                lost: 0,
                lost_long: 0,
                // Of the thread that tests, nothing is counted.
                counted: i64::MAX,
                stayed: None,
                gives_way_until: now,
                gave_way: Duration::ZERO,
                acted: now,
            },
            now,
            told,
        )
    }

    fn wait_in_all(told: &NamedTempFile, milliseconds: u64) {
        std::fs::write(told.path(), format!("some avg10=0.00 total={}\n", milliseconds * 1000))
            .unwrap();
    }

    #[test]
    fn it_is_awake_close_to_its_work_only() {
        let (mut awake, start, _told) = vigil();
        let now = start + 10 * MS;
        assert!(awake.stays(now, Some(now + MS), false), "a request is due");
        assert!(!awake.stays(now, Some(now + 2 * MS), false), "it is not due yet");
        assert!(!awake.stays(now, None, true), "the answer takes long");
        awake.acts(now);
        assert!(awake.stays(now + MS, None, true), "an answer may come");
        assert!(!awake.stays(now + MS, None, false), "none is to come");
    }

    #[test]
    fn it_gives_way_for_a_second_to_who_waits_for_a_core() {
        let (mut awake, start, told) = vigil();
        let mut stays = |ms: u32| {
            awake.lost = lost();
            awake.stays(start + ms * MS, Some(start + ms * MS), false)
        };
        assert!(stays(99));
        wait_in_all(&told, 29);
        assert!(stays(100), "so long waits who is woken");
        wait_in_all(&told, 60);
        assert!(stays(199) && !stays(200), "so long waits who has no core");
        assert!(!stays(1199));
        assert!(stays(1200), "nobody has waited since");
        wait_in_all(&told, 500);
        assert!(!stays(1300) && !stays(3299), "twice as long");
        assert!(stays(3300) && stays(5400));
        wait_in_all(&told, 600);
        assert!(!stays(5500) && stays(6500), "it had its core for a while");
    }

    #[test]
    fn it_gives_way_to_who_shares_its_core() {
        let (mut awake, now, _told) = vigil();
        awake.look(now, LOOK, Duration::ZERO, 5);
        assert!(awake.stays(now, Some(now), false), "the system's own threads do that");
        awake.look(now, 10 * LOOK, Duration::ZERO, 55);
        assert!(awake.stays(now, Some(now), false), "in a longer time it is as often");
        awake.look(now, LOOK, Duration::ZERO, 61);
        assert!(!awake.stays(now, Some(now), false), "a server does that");
    }

    #[test]
    fn it_gives_way_at_once_to_who_keeps_its_core_for_long() {
        let (mut awake, now, _told) = vigil();
        awake.counted = 7;
        awake.was_away(now, 8);
        awake.was_away(now, 8);
        assert!(awake.stays(now, Some(now), false), "once in a while anybody does that");
        awake.look(now, LOOK, Duration::ZERO, 0);
        awake.was_away(now, 9);
        assert!(awake.stays(now, Some(now), false), "that was a while ago");
        awake.was_away(now, 10);
        assert!(!awake.stays(now, Some(now), false), "twice in a tenth of a second");
        assert!(awake.stays(now + GIVES_WAY, Some(now + GIVES_WAY), false));
    }

    #[test]
    fn where_the_system_does_not_tell_it_sleeps() {
        let (mut awake, now, _told) = vigil();
        awake.pressure = None;
        assert!(!awake.stays(now, Some(now), true));
    }

    #[test]
    fn what_the_system_tells_is_read() {
        let text = "some avg10=1.25 avg60=0.00 avg300=0.00 total=1600\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        assert_eq!(waited(text), Some(Duration::from_micros(1600)));
        for other in ["", "some", "some total=-1", "full total=7"] {
            assert_eq!(waited(other), None, "{other}");
        }
    }
}
