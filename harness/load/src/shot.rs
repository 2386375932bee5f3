//! One shot: the clients of a plan, let go together, until the requests or the time are used up.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::answer::AnswerReader;
use crate::plan::{LoadError, LoadPlan};

/// What one shot, or one thread of it, measured.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    /// Latencies in microseconds, one for each whole answer.
    pub(crate) latency: Histogram<u64>,
    pub(crate) errors: u64,
    pub(crate) non_2xx: u64,
    pub(crate) unfinished: u64,
    pub(crate) bytes: u64,
    pub(crate) cpu: Duration,
    /// From the first request's beginning to the last answer's end.
    pub(crate) elapsed: Duration,
}

/// Latencies from 1 µs to 1 h with 3 significant digits.
const HIGHEST_US: u64 = 3_600_000_000;

impl Tally {
    pub(crate) fn new() -> Result<Self, LoadError> {
        let latency = Histogram::new_with_bounds(1, HIGHEST_US, 3)
            .map_err(|error| LoadError::Histogram(error.to_string()))?;
        let (cpu, elapsed) = (Duration::ZERO, Duration::ZERO);
        Ok(Self { latency, errors: 0, non_2xx: 0, unfinished: 0, bytes: 0, cpu, elapsed })
    }

    /// Adds what another thread, or another shot, measured; `elapsed` is the caller's to say.
    pub(crate) fn add(&mut self, other: &Tally) -> Result<(), LoadError> {
        self.latency
            .add(&other.latency)
            .map_err(|error| LoadError::Histogram(error.to_string()))?;
        self.errors += other.errors;
        self.non_2xx += other.non_2xx;
        self.unfinished += other.unfinished;
        self.bytes += other.bytes;
        self.cpu += other.cpu;
        Ok(())
    }
}

/// What the threads of a shot share.
struct Shared<'a> {
    plan: &'a LoadPlan,
    /// Requests begun so far.
    begun: AtomicU64,
    start: Barrier,
}

impl Shared<'_> {
    /// May one more request be made?
    fn next(&self) -> bool {
        self.begun.fetch_add(1, Ordering::Relaxed) < self.plan.requests
    }
}

/// Fires one shot and waits for its end.
pub(crate) fn fire(plan: &LoadPlan) -> Result<Tally, LoadError> {
    let threads = plan.threads.min(plan.connections);
    let shared = Shared { plan, begun: AtomicU64::new(0), start: Barrier::new(threads) };
    std::thread::scope(|scope| {
        let mut running = Vec::with_capacity(threads);
        for thread in 0..threads {
            let clients = (plan.connections + threads - 1 - thread) / threads;
            let shared = &shared;
            running.push(
                std::thread::Builder::new()
                    .name(format!("load-{thread}"))
                    .spawn_scoped(scope, move || one_thread(shared, clients))?,
            );
        }
        let mut total = Tally::new()?;
        for thread in running {
            let part = thread
                .join()
                .map_err(|_| LoadError::System(std::io::Error::other("a thread panicked")))??;
            total.add(&part)?;
            total.elapsed = total.elapsed.max(part.elapsed);
        }
        Ok(total)
    })
}

fn one_thread(shared: &Shared<'_>, clients: usize) -> Result<Tally, LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let tally = Tally::new();
    // Reached also when there is no runtime, or the other threads would wait for ever.
    shared.start.wait();
    let (runtime, tally) = (runtime?, Rc::new(RefCell::new(tally?)));
    let cpu_before = cpu_time()?;
    let began = Instant::now();
    let deadline = tokio::time::Instant::from_std(began + shared.plan.time_limit);
    runtime.block_on(async {
        let clients = (0..clients).map(|_| async {
            let mut client = Client { shared, tally: &tally, connection: None, in_flight: false };
            if tokio::time::timeout_at(deadline, client.run()).await.is_err() {
                tally.borrow_mut().unfinished += u64::from(client.in_flight);
            }
        });
        futures_util::future::join_all(clients).await;
    });
    let elapsed = began.elapsed();
    let cpu = cpu_time()?.saturating_sub(cpu_before);
    let mut tally =
        Rc::try_unwrap(tally).map_or_else(|shared| shared.borrow().clone(), RefCell::into_inner);
    (tally.cpu, tally.elapsed) = (cpu, elapsed);
    Ok(tally)
}

/// Processor time that this thread has used, user and system.
fn cpu_time() -> Result<Duration, LoadError> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).map_err(std::io::Error::from)?;
    let microseconds =
        usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(microseconds).unwrap_or(0)))
}

/// One client: a connection and the loop round it.
struct Client<'a> {
    shared: &'a Shared<'a>,
    tally: &'a RefCell<Tally>,
    connection: Option<TcpStream>,
    in_flight: bool,
}

impl Client<'_> {
    async fn run(&mut self) {
        let mut buffer = Vec::with_capacity(64 * 1024);
        while self.shared.next() {
            self.in_flight = true;
            let began = Instant::now();
            let outcome = self.exchange(&mut buffer).await;
            self.in_flight = false;
            let mut tally = self.tally.borrow_mut();
            match outcome {
                Ok(status) => {
                    let latency = u64::try_from(began.elapsed().as_micros()).unwrap_or(HIGHEST_US);
                    tally.latency.saturating_record(latency.max(1));
                    tally.non_2xx += u64::from(!(200..300).contains(&status));
                }
                Err(Broken) => {
                    tally.errors += 1;
                    self.connection = None;
                }
            }
        }
    }

    async fn exchange(&mut self, buffer: &mut Vec<u8>) -> Result<u16, Broken> {
        let plan = self.shared.plan;
        let reused = self.connection.is_some();
        match self.exchange_on(buffer).await {
            // A kept connection that the target closed before this request reached it is no error of
            // the target's: one new connection is tried (RFC 9112 §9.3.1), within the same latency.
            Err(Ended::BeforeAnswer) if reused && plan.keep_alive => {
                self.connection = None;
                self.exchange_on(buffer).await.map_err(|_| Broken)
            }
            other => other.map_err(|_| Broken),
        }
    }

    async fn exchange_on(&mut self, buffer: &mut Vec<u8>) -> Result<u16, Ended> {
        let plan = self.shared.plan;
        if self.connection.is_none() {
            let stream = TcpStream::connect(plan.address).await.map_err(|_| Ended::Midway)?;
            stream.set_nodelay(true).map_err(|_| Ended::Midway)?;
            self.connection = Some(stream);
        }
        let Some(stream) = self.connection.as_mut() else { return Err(Ended::Midway) };
        stream.write_all(&plan.request).await.map_err(|_| Ended::BeforeAnswer)?;
        buffer.clear();
        let mut reader = AnswerReader::new(plan.is_head());
        let mut received = 0;
        while !reader.is_done() {
            let size = match stream.read_buf(buffer).await {
                Ok(0) if reader.is_done_at_eof() => break,
                Ok(0) | Err(_) if received == 0 => return Err(Ended::BeforeAnswer),
                Ok(0) | Err(_) => return Err(Ended::Midway),
                Ok(size) => size as u64,
            };
            received += size;
            let taken = reader.take(buffer).map_err(|_| Ended::Midway)?;
            buffer.drain(..taken);
        }
        self.tally.borrow_mut().bytes += received;
        if !plan.keep_alive || !reader.keeps_alive() {
            self.connection = None;
        }
        Ok(reader.status())
    }
}

/// The exchange gave no whole answer.
struct Broken;

/// Where the exchange broke.
enum Ended {
    /// Not one octet of an answer came.
    BeforeAnswer,
    /// No connection, or the answer broke off or cannot be read.
    Midway,
}
