//! One log that all cases write to at once, read once: each line goes to the cases whose client it names.
//!
//! Every such case connects from a loopback address of its own (127.0.0.0/8 is all loopback), which WAFs
//! write into their lines.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Mutex;

use memchr::memmem;

use super::Lines;
use crate::locking::lock;

/// The first two octets of every client's address, which nothing else is likely to have.
const NETWORK: [u8; 2] = [127, 77];
/// More lines of one client are not kept.
const MOST_LINES: usize = 4096;

/// The address for the case with this number. Numbers further apart than any cases that run at the same
/// time may share one.
pub(crate) fn client_address(number: usize) -> Ipv4Addr {
    let [.., high, low] = (number % usize::from(u16::MAX)).to_be_bytes();
    Ipv4Addr::new(NETWORK[0], NETWORK[1], high, low)
}

/// Does the line name this address?
pub(crate) fn names(line: &[u8], client: Ipv4Addr) -> bool {
    clients_in(line).any(|found| found == client)
}

/// A log that is followed for many clients.
#[derive(Debug)]
pub(crate) struct Tail {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    read: u64,
    /// The beginning of a line that is not whole yet.
    rest: Vec<u8>,
    lines: HashMap<Ipv4Addr, Vec<Vec<u8>>>,
}

impl Tail {
    /// Follows the log from its present end on.
    pub(crate) fn new(path: PathBuf) -> Self {
        let read = super::length(&path);
        let state = State { read, rest: Vec::new(), lines: HashMap::new() };
        Self { path, state: Mutex::new(state) }
    }

    /// From now on lines that name the client are kept; those before are forgotten.
    pub(crate) fn begin(&self, client: Ipv4Addr) {
        let mut state = lock(&self.state);
        // What is there already is nobody's: it is read before the client is known.
        state.lines.remove(&client);
        let _ = state.read_on(&self.path);
        state.lines.insert(client, Vec::new());
    }

    /// Forgets the client.
    pub(crate) fn end(&self, client: Ipv4Addr) {
        lock(&self.state).lines.remove(&client);
    }

    /// All whole lines that name the client, without their ends.
    pub(crate) fn lines_of(&self, client: Ipv4Addr) -> Lines {
        let mut state = lock(&self.state);
        state.read_on(&self.path).map_err(|error| format!("{}: {error}", self.path.display()))?;
        Ok(state.lines.get(&client).cloned().unwrap_or_default())
    }
}

impl State {
    /// Reads what was written since the last time.
    fn read_on(&mut self, path: &std::path::Path) -> std::io::Result<()> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            // Made with its first line.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if file.metadata()?.len() < self.read {
            // Begun anew by somebody.
            (self.read, self.rest) = (0, Vec::new());
        }
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = std::mem::take(&mut self.rest);
        self.read += file.read_to_end(&mut bytes)? as u64;
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', &bytes) {
            self.sort(&bytes[from..end]);
            from = end + 1;
        }
        self.rest = bytes.split_off(from);
        Ok(())
    }

    /// Gives the line to those whom it names.
    fn sort(&mut self, line: &[u8]) {
        let mut given: Option<Ipv4Addr> = None;
        for client in clients_in(line) {
            // A line names its client more than once, as a rule.
            if given == Some(client) {
                continue;
            }
            if let Some(lines) = self.lines.get_mut(&client)
                && lines.len() < MOST_LINES
            {
                lines.push(line.to_vec());
                given = Some(client);
            }
        }
    }
}

/// The addresses of clients that a line names, in order.
fn clients_in(line: &[u8]) -> impl Iterator<Item = Ipv4Addr> {
    memmem::find_iter(line, b"127.77.").filter_map(|at| {
        let starts = at == 0 || !matches!(line[at - 1], b'0'..=b'9' | b'.');
        let (third, rest) = octet(&line[at + b"127.77.".len()..])?;
        let (fourth, rest) = octet(rest.strip_prefix(b".")?)?;
        let ends = !matches!(rest, [b'.', b'0'..=b'9', ..]);
        (starts && ends).then(|| Ipv4Addr::new(NETWORK[0], NETWORK[1], third, fourth))
    })
}

/// A decimal number up to 255, and what comes after it.
fn octet(text: &[u8]) -> Option<(u8, &[u8])> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    Some((std::str::from_utf8(number).ok()?.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn each_client_gets_its_own_lines_and_only_whole_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("waf.log");
        std::fs::write(&path, "client 127.77.0.1 before\n").unwrap();
        let tail = Tail::new(path.clone());
        let (one, two) = (client_address(1), client_address(2));
        tail.begin(one);
        tail.begin(two);
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        write!(
            file,
            "[client 127.77.0.1:4242] [client 127.77.0.1] a\n127.77.0.2 b\nnobody\n127.77.0.1 ha"
        )
        .unwrap();
        let first = b"[client 127.77.0.1:4242] [client 127.77.0.1] a".to_vec();
        assert_eq!(tail.lines_of(one).unwrap(), std::slice::from_ref(&first));
        writeln!(file, "lf").unwrap();
        assert_eq!(tail.lines_of(two).unwrap(), [b"127.77.0.2 b".to_vec()]);
        assert_eq!(tail.lines_of(one).unwrap(), [first, b"127.77.0.1 half".to_vec()]);
        tail.begin(one);
        tail.end(two);
        writeln!(file, "127.77.0.2 late, 127.77.0.1 new").unwrap();
        assert_eq!(tail.lines_of(one).unwrap().len(), 1);
        assert_eq!(tail.lines_of(two).unwrap(), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn a_log_that_is_begun_anew_is_read_from_its_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("waf.log");
        std::fs::write(&path, "long line of another day\n").unwrap();
        let tail = Tail::new(path.clone());
        let client = client_address(7);
        tail.begin(client);
        std::fs::write(&path, "127.77.0.7\n").unwrap();
        assert_eq!(tail.lines_of(client).unwrap(), [b"127.77.0.7".to_vec()]);
    }

    #[test]
    fn an_address_is_found_whole_or_not_at_all() {
        let found = |line: &str| clients_in(line.as_bytes()).collect::<Vec<_>>();
        assert_eq!(client_address(258), Ipv4Addr::new(127, 77, 1, 2));
        assert_eq!(found("client: 127.77.1.2, server"), [client_address(258)]);
        assert_eq!(found("127.77.1.2."), [client_address(258)]);
        for other in
            ["1127.77.1.2", "9.127.77.1.2", "127.77.1.2.3", "127.77.1.256", "127.77.1", "127.77."]
        {
            assert_eq!(found(other), Vec::<Ipv4Addr>::new(), "{other}");
        }
    }
}
