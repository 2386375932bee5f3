//! What a process writes, read and put into the log in whole lines.

use std::time::Duration;

use edgeproof_mutant::{self as mutant, Mutant};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::{Instant, timeout_at};

use crate::journal::{Journal, Stream};
use crate::lines::Lines;

/// How long the beginning of a line waits for its end.
const PARTIAL: Duration = Duration::from_secs(1);
/// Bytes read at once, and so the most that one batch of lines is made of.
const READ: usize = 64 << 10;

/// Reads until the stream ends, which is when the last process that has it is gone.
pub(crate) async fn copy<R: AsyncRead + Unpin>(
    mut from: R,
    journal: Journal,
    pid: i32,
    stream: Stream,
) {
    let mut lines = Lines::default();
    let mut buffer = vec![0; READ];
    // When the line that waits began.
    let mut begun = Instant::now();
    loop {
        let read = match lines.is_waiting() && !mutant::is(Mutant::UpstreamKeepsPartialLines) {
            true => timeout_at(begun + PARTIAL, from.read(&mut buffer)).await,
            false => Ok(from.read(&mut buffer).await),
        };
        let mut batch = journal.batch(pid, stream);
        match read {
            Err(_) => lines.flush(|line| batch.line(line)),
            Ok(Ok(count @ 1..)) => {
                let mut renewed = !lines.is_waiting();
                lines.push(&buffer[..count], |line| {
                    batch.line(line);
                    renewed = true;
                });
                if renewed {
                    begun = Instant::now();
                }
            }
            Ok(Ok(0) | Err(_)) => return lines.flush(|line| batch.line(line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Arc;

    use edgeproof_accesslog::{Options, Writer};
    use jiff::{Timestamp, Zoned};
    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::Clock;

    struct Frozen;

    impl Clock for Frozen {
        fn now(&self) -> Zoned {
            "2018-07-14T10:04:21+02:00[Europe/Paris]".parse().unwrap()
        }

        fn reaches(&self, _: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            Box::pin(std::future::pending())
        }
    }

    #[test]
    fn a_line_without_end_is_written_after_a_second_and_the_rest_is_another() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("upstream.log");
        let writer = Arc::new(Writer::open(&path, Options::default()).unwrap());
        let journal = Journal::new(Some(Arc::clone(&writer)), Arc::new(Frozen));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut process, pipe) = tokio::io::duplex(100);
            let copying = tokio::spawn(copy(pipe, journal, 7, Stream::Out));
            process.write_all(b"50 %").await.unwrap();
            while writer.stats().written == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            process.write_all(b" done\nand").await.unwrap();
            drop(process);
            copying.await.unwrap();
        });
        writer.flush().unwrap();
        let date = "[14/Jul/2018:10:04:21 +0200] [7]";
        let expected = format!("{date} 50 %\n{date}  done\n{date} and\n");
        assert_eq!(std::fs::read_to_string(path).unwrap(), expected);
    }
}
