//! The writer against real files, pipes and full devices.

use std::{
    collections::BTreeSet,
    fs,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use edgeproof_accesslog::{OpenError, Options, Stats, Writer};

/// Lines are gathered for so long that only a flush, a close or a full queue ends the wait.
fn patient() -> Options {
    let mut options = Options::default();
    options.gather = Duration::from_secs(3600);
    options
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn what_was_handed_over_is_there_after_a_flush_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    fs::write(&path, "before\n").unwrap();
    let writer = Writer::open(&path, patient()).unwrap();
    assert!(writer.write(b"one\n"));
    assert!(writer.write(b"two"));
    assert_eq!(writer.stats().queued, 2);
    writer.flush().unwrap();
    assert_eq!(lines(&path), ["before", "one", "two"]);
    assert_eq!(writer.stats(), Stats { written: 2, lost: 0, queued: 0 });
}

#[test]
fn a_close_and_a_drop_write_everything() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    let writer = Writer::open(&path, patient()).unwrap();
    writer.write(b"one\n");
    assert_eq!(writer.close(), Stats { written: 1, lost: 0, queued: 0 });
    let writer = Writer::open(&path, patient()).unwrap();
    writer.write(b"two\n");
    drop(writer);
    assert_eq!(lines(&path), ["one", "two"]);
}

#[test]
fn a_line_comes_without_being_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("log");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut reader = fs::OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
    let writer = Writer::open(&fifo, Options::default()).unwrap();
    writer.write(b"one\n");
    let mut line = [0; 4];
    reader.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"one\n");
}

#[test]
fn the_log_is_not_for_everybody() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    let _writer = Writer::open(&path, patient()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0);
}

#[test]
fn a_moved_log_is_opened_again_unasked() {
    let directory = tempfile::tempdir().unwrap();
    let (path, old) = (directory.path().join("access.log"), directory.path().join("access.log.1"));
    let writer = Writer::open(&path, patient()).unwrap();
    writer.write(b"one\n");
    writer.flush().unwrap();
    fs::rename(&path, &old).unwrap();
    writer.write(b"two\n");
    writer.flush().unwrap();
    assert_eq!(lines(&old), ["one"]);
    assert_eq!(lines(&path), ["two"]);
    fs::remove_file(&path).unwrap();
    writer.write(b"three\n");
    writer.flush().unwrap();
    assert_eq!(lines(&path), ["three"]);
}

#[test]
fn a_reopen_is_done_when_the_flush_after_it_returns() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    let writer = Writer::open(&path, patient()).unwrap();
    fs::remove_file(&path).unwrap();
    writer.reopen();
    writer.flush().unwrap();
    assert!(path.exists());
}

#[test]
fn rotation_under_load_loses_and_tears_no_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    let writer = Writer::open(&path, Options::default()).unwrap();
    let done = AtomicBool::new(false);
    let rotations = std::thread::scope(|scope| {
        let rotator = scope.spawn(|| {
            let mut rotations = 0;
            // One even where the clients are done before it begins.
            while rotations == 0 || !done.load(Ordering::Relaxed) {
                rotations += 1;
                fs::rename(&path, directory.path().join(format!("access.log.{rotations}")))
                    .unwrap();
                writer.reopen();
                writer.flush().unwrap();
            }
            rotations
        });
        let clients: Vec<_> = (0..4)
            .map(|client| {
                let writer = &writer;
                scope.spawn(move || {
                    for request in 0..5_000 {
                        assert!(
                            writer.write(format!("client {client} request {request}\n").as_bytes())
                        );
                    }
                })
            })
            .collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
        done.store(true, Ordering::Relaxed);
        rotator.join().unwrap()
    });
    assert_eq!(writer.close(), Stats { written: 20_000, lost: 0, queued: 0 });
    assert!(rotations > 0);
    let found: Vec<String> = fs::read_dir(directory.path())
        .unwrap()
        .flat_map(|entry| lines(&entry.unwrap().path()))
        .collect();
    assert_eq!(found.len(), 20_000);
    let expected: BTreeSet<String> = (0..4)
        .flat_map(|client| {
            (0..5_000).map(move |request| format!("client {client} request {request}"))
        })
        .collect();
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn a_slow_reader_costs_lines_never_time_and_they_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("log");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // Opened for both, so that neither side waits for the other; nothing is read yet.
    let mut reader = fs::OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
    let mut options = Options::default();
    options.queue = 1 << 20;
    let writer = Writer::open(&fifo, options).unwrap();
    let line = [b"x".repeat(999), b"\n".to_vec()].concat();
    let accepted = (0..3_000).filter(|_| writer.write(&line)).count() as u64;
    let stats = writer.stats();
    assert!(stats.lost > 0 && accepted > 0);
    assert_eq!(stats.lost + accepted, 3_000);
    assert_eq!(stats.written + stats.queued, accepted);
    let read = std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            let mut all = vec![0; usize::try_from(accepted).unwrap() * 1_000];
            reader.read_exact(&mut all).unwrap();
            // Held open until here: without a reader a pipe breaks.
            (all, reader)
        });
        writer.flush().unwrap();
        reading.join().unwrap().0
    });
    assert!(read.chunks(1_000).all(|chunk| chunk == line));
    assert_eq!(writer.stats(), Stats { written: accepted, lost: stats.lost, queued: 0 });
}

#[test]
fn a_full_disk_keeps_lines_waiting_says_so_once_and_counts_the_lost() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let mut options = patient();
    options.queue = 10;
    let telling = Arc::clone(&told);
    options.trouble =
        Some(Box::new(move |trouble| telling.lock().unwrap().push(trouble.to_string())));
    let writer = Writer::open("/dev/full", options).unwrap();
    assert!(writer.write(b"12345\n"));
    let refused = writer.flush().unwrap_err();
    assert_eq!(refused.queued, 1);
    assert!(!writer.write(b"67890\n"));
    writer.flush().unwrap_err();
    assert_eq!(writer.stats(), Stats { written: 0, lost: 1, queued: 1 });
    assert_eq!(writer.close(), Stats { written: 0, lost: 2, queued: 0 });
    insta::assert_snapshot!(told.lock().unwrap().join("\n"), @r"
    writing the log /dev/full fails, lines wait in memory: No space left on device (os error 28)
    the log /dev/full lost lines: 1 more, 1 in all
    the log /dev/full lost lines: 1 more, 2 in all
    ");
}

#[test]
fn a_removed_directory_keeps_lines_until_it_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let logs = directory.path().join("logs");
    let path = logs.join("access.log");
    fs::create_dir(&logs).unwrap();
    let writer = Writer::open(&path, patient()).unwrap();
    fs::remove_dir_all(&logs).unwrap();
    writer.write(b"one\n");
    let refused = writer.flush().unwrap_err();
    assert!(refused.cause.contains("does not exist"), "{refused}");
    fs::create_dir(&logs).unwrap();
    writer.flush().unwrap();
    assert_eq!(lines(&path), ["one"]);
}

#[test]
fn a_log_that_cannot_be_opened_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let missing = Writer::open(directory.path().join("no/access.log"), patient()).unwrap_err();
    assert!(matches!(missing, OpenError::NoDirectory { .. }));
    let is_directory = Writer::open(directory.path(), patient()).unwrap_err();
    let shown =
        format!("{missing}\n{is_directory}").replace(directory.path().to_str().unwrap(), "/logs");
    insta::assert_snapshot!(shown, @r"
    can't open the log /logs/no/access.log: its directory /logs/no does not exist
    can't open the log /logs for appending: Is a directory (os error 21)
    ");
}

#[test]
fn a_pipe_without_a_reader_is_no_log() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("log");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let refused = Writer::open(&fifo, patient()).unwrap_err();
    let shown = refused.to_string().replace(directory.path().to_str().unwrap(), "/logs");
    insta::assert_snapshot!(shown, @"can't open the log /logs/log: it is a pipe that nobody reads; start its reader first");
}

/// What waits is written once somebody reads again.
#[test]
fn a_pipe_may_change_its_reader() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("log");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let reader = || fs::OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
    let first = reader();
    let writer = Writer::open(&fifo, patient()).unwrap();
    drop(first);
    writer.write(b"one\n");
    assert!(writer.flush().unwrap_err().cause.contains("pipe"));
    let mut second = reader();
    writer.flush().unwrap();
    let mut line = [0; 4];
    second.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"one\n");
}
