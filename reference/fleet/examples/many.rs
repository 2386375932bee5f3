//! Many agents in one process, for the benchmark: `many URL TRUST HOSTS FIRST COUNT`. Each has a connection, a name, a
//! root (`HOSTS/hostNNNN`) and a memory of its own; they share the process's threads, and nothing else.
//!
//! Prints `ready` once all of them listen, and ends when its standard input does.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use edgeproof_fleet::{Access, Log, Memory, Moment, Settings, Trust, facts, looking, serve};
use tokio::sync::{Semaphore, mpsc, watch};

/// The longest that an action may look here.
const LONGEST: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, trust, hosts, first, count] = &words[..] else {
        return Err("expected URL TRUST HOSTS FIRST COUNT".into());
    };
    let (first, count): (u32, u32) = (first.parse()?, count.parse()?);
    let text = std::fs::read_to_string(trust)?;
    let trust = Arc::new(Trust::read(trust, &text).map_err(|errors| format!("{errors:?}"))?);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let (tell, mut told) = mpsc::unbounded_channel();
        let log: Log = Arc::new(move |line: &str| {
            if line.contains("waits for actions") {
                let _ = tell.send(());
            } else if line.contains("refused") || line.contains("NATS") {
                eprintln!("{line}");
            }
        });
        let workers = Arc::new(Semaphore::new(1));
        let (_stop, stopped) = watch::channel(false);
        for host in first..first + count {
            let name = format!("host{host:04}");
            let root = Path::new(hosts).join(&name).canonicalize()?;
            let memory = Memory::in_folder(&root.join("var/lib/edgeproof"), Moment::now())?;
            let settings = Settings {
                facts: facts(&name, BTreeMap::new(), &root),
                trust: Arc::clone(&trust),
                root,
                heartbeat: Duration::from_secs(30),
                longest: LONGEST,
                work: looking(),
                workers: Arc::clone(&workers),
                log: Arc::clone(&log),
            };
            let client = Access::to(url.clone()).connect(&name, Arc::clone(&log)).await?;
            tokio::spawn(serve(client, settings, memory, stopped.clone()));
            told.recv().await.ok_or("it ended")?;
        }
        println!("ready");
        let ended = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = tokio::task::spawn_blocking(ended).await;
        Ok(())
    })
}
