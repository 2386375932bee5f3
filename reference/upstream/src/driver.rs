//! Does what the machine decides: one task for each command.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;

use edgeproof_mutant::{self as mutant, Mutant};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::endpoint::{Chosen, Endpoint, choose, taken};
use crate::journal::Stream;
use crate::keeper::{self, Job, Report, owns_listener};
use crate::machine::Event;
use crate::note::End;
use crate::output;
use crate::process::{Order, Shared};
use crate::settings::Settings;

/// How long the log waits for the last words of a process that has ended.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// Between two attempts to connect, at first and at most.
const PROBE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));

/// Looks after a command until it never runs again. `before` says when nothing is left of the one whose place it
/// takes.
pub(crate) async fn drive(
    shared: &Shared,
    mut orders: mpsc::UnboundedReceiver<Order>,
    keeper: &[OsString],
    mut before: Option<watch::Receiver<bool>>,
) {
    while let Some(order) = orders.recv().await {
        match order {
            Order::Spawn => match begin(shared, keeper, before.take()).await {
                Ok(run) => run.last(&mut orders).await,
                Err(reason) => shared.feed(Event::CannotSpawn { reason }),
            },
            // There is nothing to stop.
            Order::Stop => {}
            Order::End => return,
        }
    }
}

async fn begin<'s>(
    shared: &'s Shared,
    keeper: &[OsString],
    before: Option<watch::Receiver<bool>>,
) -> Result<Run<'s>, String> {
    if let Some(mut over) = before {
        // Whoever still needs the old one keeps it for so long; then it is the port that is taken.
        let _ = timeout(shared.settings.start_limit, over.wait_for(|over| *over)).await;
    }
    Run::begin(shared, keeper).await
}

/// One process, from its start to the end of its last child.
struct Run<'s> {
    shared: &'s Shared,
    chosen: Chosen,
    keeper: Child,
    reports: Lines<BufReader<OwnedReadHalf>>,
    out: OwnedWriteHalf,
    pid: Option<i32>,
    output: JoinSet<()>,
}

impl<'s> Run<'s> {
    async fn begin(shared: &'s Shared, keeper: &[OsString]) -> Result<Self, String> {
        let settings = &shared.settings;
        let chosen = choose(&settings.listen, settings.user.as_ref())?;
        let (keeper, socket) = start_keeper(keeper)
            .map_err(|error| format!("its keeper cannot be started: {error}"))?;
        let (read, mut out) = socket.into_split();
        // A keeper that is gone already is seen as such.
        let _ = out.write_all(keeper::line(&job(settings, &chosen.endpoint)).as_bytes()).await;
        let reports = BufReader::new(read).lines();
        Ok(Self { shared, chosen, keeper, reports, out, pid: None, output: JoinSet::new() })
    }

    async fn last(mut self, orders: &mut mpsc::UnboundedReceiver<Order>) {
        let limit = self.shared.settings.start_limit;
        let endpoint = self.chosen.endpoint.clone();
        let mut probe = std::pin::pin!(timeout(limit, listens(&endpoint)));
        let mut idle = std::pin::pin!(idle(self.shared));
        let mut probing = true;
        loop {
            tokio::select! {
                report = self.reports.next_line() => match report {
                    Ok(Some(line)) => match serde_json::from_str(&line) {
                        Ok(Report::Gone) | Err(_) => break,
                        Ok(report) => {
                            probing &= !matches!(report, Report::Exited { .. } | Report::Failed(_));
                            self.told(report).await;
                        }
                    },
                    Ok(None) | Err(_) => break,
                },
                order = orders.recv() => match order {
                    Some(Order::Stop) | None => self.stop().await,
                    // Neither comes before the end of this process.
                    Some(Order::Spawn | Order::End) => {}
                },
                found = &mut probe, if probing && self.pid.is_some() => {
                    probing = false;
                    self.probed(found.is_ok()).await;
                }
                () = &mut idle => {}
            }
        }
        self.gone().await;
    }

    async fn told(&mut self, report: Report) {
        match report {
            Report::Started(pid) => {
                self.pid = Some(pid);
                self.shared.feed(Event::Spawned { pid });
                let journal = &self.shared.journal;
                if let Some(out) = self.keeper.stdout.take() {
                    self.output.spawn(output::copy(out, journal.clone(), pid, Stream::Out));
                }
                if let Some(err) = self.keeper.stderr.take() {
                    self.output.spawn(output::copy(err, journal.clone(), pid, Stream::Err));
                }
            }
            Report::Failed(reason) => self.shared.feed(Event::Exited(End::because(reason))),
            Report::Exited { code, signal, left } => {
                self.last_words().await;
                let reason = match signal {
                    Some(signal) => Some(format!("killed by {signal}")),
                    None => left.then(|| "it went into the background".to_owned()),
                };
                self.shared.feed(Event::Exited(End { code, reason }));
            }
            Report::Killed => {
                self.shared.feed(Event::Killed { after: self.shared.settings.stop_grace });
            }
            Report::Gone => {}
        }
    }

    /// Something accepts connections there, or nothing did in time.
    async fn probed(&mut self, found: bool) {
        let endpoint = &self.chosen.endpoint;
        if !found {
            let limit = self.shared.settings.start_limit.as_secs_f64();
            let reason = format!("nothing listens on {endpoint} after {limit} s");
            return self.shared.feed(Event::StartLimit { reason });
        }
        let keeper = self.keeper.id().and_then(|id| i32::try_from(id).ok());
        match (endpoint, keeper) {
            // Somebody else's answers must not be taken for this site's.
            (Endpoint::Tcp(address), Some(keeper))
                if owns_listener(keeper, *address) == Some(false) =>
            {
                self.shared.feed(Event::Exited(End::because(taken(address))));
                self.stop().await;
            }
            _ => self.shared.ready(endpoint),
        }
    }

    async fn stop(&mut self) {
        // A keeper that is gone has nothing to stop.
        let _ = self.out.write_all(format!("{}\n", keeper::STOP).as_bytes()).await;
    }

    /// Gives what a process wrote before it ended the time to get into the log before the line of its end.
    async fn last_words(&mut self) {
        let all = async { while self.output.join_next().await.is_some() {} };
        // A child that it left behind may hold its output open.
        let _ = timeout(LAST_WORDS, all).await;
    }

    async fn gone(mut self) {
        self.last_words().await;
        self.output.shutdown().await;
        // It says that it is gone in its last moment, or was killed itself.
        let _ = self.keeper.wait().await;
        drop(self.chosen);
        self.shared.feed(Event::Gone);
    }
}

/// Ends when something accepts connections there.
async fn listens(endpoint: &Endpoint) {
    let (mut pause, longest) = PROBE;
    while !endpoint.answers().await && !mutant::is(Mutant::UpstreamReadyAtOnce) {
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// Has the machine look at the clock each time that it may be idle.
async fn idle(shared: &Shared) {
    loop {
        match shared.idle_at() {
            Some(at) => {
                shared.journal.clock().reaches(at).await;
                shared.feed(Event::Look);
            }
            None => shared.changed.notified().await,
        }
    }
}

fn start_keeper(words: &[OsString]) -> io::Result<(Child, UnixStream)> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let keeper = Command::new(program)
        .args(arguments)
        .arg0("edgeproof")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    Ok((keeper, UnixStream::from_std(ours)?))
}

fn job(settings: &Settings, endpoint: &Endpoint) -> Job {
    let values = endpoint.values();
    let own = |name: &str| std::env::var(name).ok().map(|value| (name.to_owned(), value));
    let home = settings.user.as_ref().map(|user| user.home.to_string_lossy().into_owned());
    let mut environment: Vec<(String, String)> = own("PATH").into_iter().collect();
    environment.extend(home.map(|home| ("HOME".to_owned(), home)).or_else(|| own("HOME")));
    environment.extend(own("LANG"));
    environment.extend(values.iter().map(|(name, value)| (name.to_uppercase(), value.clone())));
    environment.extend(settings.environment.clone());
    if mutant::is(Mutant::UpstreamInheritsEnvironment) {
        environment.extend(std::env::vars());
    }
    Job {
        words: settings.command.words(&values),
        environment,
        directory: settings.directory.clone(),
        user: settings.user.as_ref().map(|user| keeper::User {
            name: user.name.clone(),
            uid: user.uid,
            gid: user.gid,
        }),
        memory: settings.resources.memory,
        files: settings.resources.files,
        processes: settings.resources.processes,
        grace_ms: u64::try_from(settings.stop_grace.as_millis()).unwrap_or(u64::MAX),
        sweep: match (&settings.listen, endpoint) {
            (crate::Listen::FreeSocket, Endpoint::Unix(socket)) => Some(socket.clone()),
            _ => None,
        },
    }
}
