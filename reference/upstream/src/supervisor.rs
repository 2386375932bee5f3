//! The thread on which all processes are looked after.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot};

use crate::driver::drive;
use crate::keeper::SUBCOMMAND;
use crate::machine::Event;
use crate::process::{Process, Shared};
use crate::{Journal, Settings};

/// Looks after processes. Dropped, it stops them all, as [`Supervisor::close`] does.
pub struct Supervisor {
    keeper: Arc<[OsString]>,
    runtime: Handle,
    processes: Mutex<Vec<Weak<Shared>>>,
    thread: Mutex<Option<Thread>>,
}

struct Thread {
    stop: oneshot::Sender<()>,
    /// Each driver has one: when all are gone, so are the processes.
    alive: mpsc::Sender<()>,
    handle: JoinHandle<()>,
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("keeper", &self.keeper).finish_non_exhaustive()
    }
}

impl Supervisor {
    /// This very program as a keeper: its own file, even if that was replaced meanwhile.
    #[must_use]
    pub fn own_keeper() -> Vec<OsString> {
        vec!["/proc/self/exe".into(), SUBCOMMAND.into()]
    }

    /// Starts the thread. `keeper` is a program, with its first arguments, that calls
    /// [`keeper::main`](crate::keeper::main); see [`Supervisor::own_keeper`].
    ///
    /// # Errors
    /// What the system has against a thread.
    pub fn new(keeper: Vec<OsString>) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let on = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let (alive, mut living) = mpsc::channel(1);
        let handle = std::thread::Builder::new().name("upstreams".to_owned()).spawn(move || {
            runtime.block_on(async {
                // An error is a stop too: nobody is left who could say so.
                let _ = stopped.await;
                while living.recv().await.is_some() {}
            });
        })?;
        Ok(Self {
            keeper: keeper.into(),
            runtime: on,
            processes: Mutex::default(),
            thread: Mutex::new(Some(Thread { stop, alive, handle })),
        })
    }

    /// Takes on a command. Nothing is started before somebody asks for it, nor, where both listen on the same fixed
    /// place, before nothing is left of the one that it replaces: it waits for that up to its start limit.
    #[must_use]
    pub fn take_on(
        &self,
        settings: Settings,
        journal: Journal,
        replaced: Option<&Process>,
    ) -> Process {
        let before = replaced
            .filter(|old| settings.listen.is_fixed() && old.settings().listen == settings.listen)
            .map(|old| old.shared.over.subscribe());
        let (orders, ordered) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::new(settings, journal, orders));
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        match &*thread {
            Some(thread) => {
                let (alive, keeper) = (thread.alive.clone(), Arc::clone(&self.keeper));
                let driven = Arc::clone(&shared);
                self.runtime.spawn(async move {
                    drive(&driven, ordered, &keeper, before).await;
                    driven.over.send_replace(true);
                    drop(alive);
                });
                let mut processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
                processes.retain(|process| process.strong_count() > 0);
                processes.push(Arc::downgrade(&shared));
            }
            None => shared.feed(Event::Close),
        }
        Process { shared }
    }

    /// Stops all processes, whatever requests they still have, and waits until nothing of them is left:
    /// at most the longest of their graces and a moment.
    pub fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Thread { stop, alive, handle }) = thread else { return };
        let processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        for process in processes.iter().filter_map(Weak::upgrade) {
            process.feed(Event::Close);
        }
        drop((alive, stop));
        // A thread that panicked has said so itself.
        let _ = handle.join();
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.close();
    }
}
