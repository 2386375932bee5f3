use super::*;
use proptest::prelude::*;

const IDLE: Duration = Duration::from_secs(10);

/// A machine at a clock of its own.
struct Bench {
    machine: Machine,
    now: i64,
}

impl Bench {
    fn new() -> Self {
        Self { machine: Machine::new(IDLE, Timestamp::UNIX_EPOCH), now: 0 }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.now).unwrap()
    }

    fn wanted(&mut self) -> (Verdict, Vec<Action>) {
        let now = self.now();
        self.machine.wanted(now)
    }

    fn handle(&mut self, event: Event) -> Vec<Action> {
        let now = self.now();
        self.machine.handle(event, now)
    }

    /// One that runs, with one request in flight.
    fn running() -> Self {
        let mut bench = Self::new();
        assert_eq!(bench.wanted().0, Verdict::Wait);
        bench.handle(Event::Spawned { pid: 7 });
        assert_eq!(
            bench.handle(Event::Ready),
            [Action::Note(Note::Started { pid: 7 }), Action::Serve]
        );
        bench
    }
}

fn exit(code: i32) -> Event {
    Event::Exited(End { code: Some(code), reason: None })
}

#[test]
fn requests_that_come_together_are_one_start() {
    let mut bench = Bench::new();
    assert_eq!(bench.wanted(), (Verdict::Wait, vec![Action::Note(Note::Starting), Action::Spawn]));
    assert_eq!(bench.wanted(), (Verdict::Wait, vec![]));
    bench.handle(Event::Spawned { pid: 7 });
    assert_eq!(bench.wanted(), (Verdict::Wait, vec![]));
    bench.handle(Event::Ready);
    assert_eq!(bench.wanted(), (Verdict::Serve, vec![]));
    assert_eq!((bench.machine.in_flight, bench.machine.starts), (4, 1));
}

#[test]
fn idle_time_begins_when_the_last_request_is_over() {
    let mut bench = Bench::running();
    bench.now = 100;
    assert_eq!(bench.handle(Event::Look), [], "a request is in flight");
    bench.handle(Event::Done);
    bench.now = 109;
    assert_eq!(bench.handle(Event::Look), []);
    bench.now = 110;
    let note = Note::Stopping { pid: 7, why: Why::Idle(IDLE) };
    assert_eq!(bench.handle(Event::Look), [Action::Note(note), Action::Stop]);
    assert_eq!(bench.handle(exit(0)), [], "that is what was asked of it");
    assert_eq!(bench.handle(Event::Gone), [Action::Note(Note::Stopped { pid: 7 })]);
    assert_eq!(bench.machine.state, State::Stopped);
}

#[test]
fn a_request_after_the_idle_time_gets_a_new_process_even_if_nobody_looked() {
    let mut bench = Bench::running();
    bench.handle(Event::Done);
    bench.now = 10;
    let (verdict, actions) = bench.wanted();
    assert_eq!((verdict, actions.last()), (Verdict::Wait, Some(&Action::Stop)));
    assert!(bench.handle(Event::Gone).contains(&Action::Spawn));
}

#[test]
fn zero_is_never() {
    let mut bench = Bench::running();
    bench.machine.idle = None;
    bench.handle(Event::Done);
    bench.now = 1 << 30;
    assert_eq!(bench.handle(Event::Look), []);
}

#[test]
fn a_crash_is_noted_and_the_next_start_waits_longer_each_time() {
    let mut bench = Bench::running();
    let end = End { code: Some(1), reason: None };
    assert_eq!(bench.handle(exit(1)), [Action::Note(Note::Crashed { pid: 7, end: end.clone() })]);
    let refused = |seconds| Verdict::Refuse(Refusal::BackingOff { retry_after: seconds });
    assert_eq!(bench.wanted().0, refused(1), "its children may still be there");
    bench.handle(Event::Gone);
    assert_eq!(bench.wanted().0, refused(1));
    for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(bench.wanted().0, refused(wait));
        bench.now += i64::try_from(wait).unwrap();
        assert_eq!(bench.wanted().0, Verdict::Wait);
        bench.handle(Event::Spawned { pid: 8 });
        let failed =
            [Action::Note(Note::StartFailed(end.clone())), Action::Refuse(Refusal::Failed)];
        assert_eq!(bench.handle(exit(1)), failed);
        assert_eq!(bench.handle(Event::Gone), []);
    }
    assert_eq!(bench.machine.crashes, 9);
}

#[test]
fn who_ran_for_long_has_recovered() {
    let mut bench = Bench::running();
    bench.machine.failures = 5;
    bench.now = 60;
    bench.handle(exit(1));
    assert_eq!(bench.wanted().0, Verdict::Refuse(Refusal::BackingOff { retry_after: 1 }));
}

#[test]
fn a_start_that_never_listens_is_stopped_and_told_as_such() {
    let mut bench = Bench::new();
    bench.wanted();
    bench.handle(Event::Spawned { pid: 7 });
    let actions = bench.handle(Event::StartLimit { reason: "nothing listens".into() });
    assert_eq!(actions[1..], [Action::Refuse(Refusal::Silent), Action::Stop]);
    assert_eq!(bench.handle(Event::Ready), [], "too late");
}

#[test]
fn what_cannot_be_spawned_backs_off_too() {
    let mut bench = Bench::new();
    bench.wanted();
    let actions = bench.handle(Event::CannotSpawn { reason: "taken".into() });
    assert_eq!(actions[1], Action::Refuse(Refusal::Failed));
    assert!(matches!(bench.machine.state, State::BackingOff { .. }));
}

#[test]
fn a_retired_process_serves_what_it_has_and_then_ends() {
    let mut bench = Bench::running();
    assert_eq!(bench.handle(Event::Retire), []);
    assert!(bench.handle(Event::Done).contains(&Action::Stop));
    assert_eq!(bench.handle(Event::Gone).last(), Some(&Action::Ended));
    assert_eq!(bench.wanted().0, Verdict::Refuse(Refusal::Closing));
    let mut idle = Bench::new();
    assert!(idle.handle(Event::Retire).contains(&Action::Ended));
}

fn event() -> impl Strategy<Value = Option<Event>> {
    prop_oneof![
        4 => Just(None),
        2 => Just(Some(Event::Spawned { pid: 7 })),
        2 => Just(Some(Event::Ready)),
        1 => Just(Some(Event::CannotSpawn { reason: String::new() })),
        1 => Just(Some(Event::StartLimit { reason: String::new() })),
        1 => Just(Some(exit(1))),
        2 => Just(Some(Event::Gone)),
        3 => Just(Some(Event::Done)),
        2 => Just(Some(Event::Look)),
        1 => Just(Some(Event::Close)),
    ]
}

proptest! {
    /// Whatever comes in whatever order: nobody waits for ever, and there is never a second process.
    #[test]
    fn nobody_is_forgotten(events in proptest::collection::vec((event(), 0i64..20), 0..60)) {
        let mut bench = Bench::new();
        let (mut waiting, mut alive) = (0usize, false);
        for (event, pause) in events {
            bench.now += pause;
            // What the system tells is about a process that there is, or is being made.
            let is_of_process = matches!(
                event,
                Some(Event::Spawned { .. } | Event::CannotSpawn { .. } | Event::Exited(_) | Event::Gone)
            );
            if is_of_process && !alive {
                continue;
            }
            let ends = matches!(event, Some(Event::CannotSpawn { .. } | Event::Gone));
            alive &= !ends;
            let actions = match event {
                None => {
                    let (verdict, actions) = bench.wanted();
                    waiting += usize::from(verdict == Verdict::Wait);
                    actions
                }
                Some(event) => bench.handle(event),
            };
            for action in actions {
                match action {
                    Action::Spawn => {
                        prop_assert!(!alive, "a second process");
                        alive = true;
                    }
                    Action::Serve | Action::Refuse(_) => waiting = 0,
                    _ => {}
                }
            }
            let can_wait = matches!(
                bench.machine.state,
                State::Starting { .. } | State::Stopping { then: Then::Restart, .. }
            );
            prop_assert!(waiting == 0 || can_wait, "{:?}", bench.machine.state);
        }
    }
}
