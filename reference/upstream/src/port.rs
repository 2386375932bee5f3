//! Free ports for processes that bind them some time later.
//!
//! A port that the system itself offers may be given, before the process comes to bind it, to any connection that is
//! made meanwhile: both are taken from one range (ip(7), ip_local_port_range). So ports are chosen below it.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use socket2::{Domain, Socket, Type};

/// Where the system says from which ports it takes those of connections.
const EPHEMERAL: &str = "/proc/sys/net/ipv4/ip_local_port_range";
/// Ports below are commonly somebody's own.
const LOWEST: u16 = 10_000;
/// A smaller choice is none.
const FEWEST: usize = 1000;
/// So many are tried.
const MOST_TRIED: usize = 100;

static CHOSEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// A port of 127.0.0.1 that was free, and is not chosen again in this process before this is dropped.
#[derive(Debug)]
pub(crate) struct FreePort(u16);

impl FreePort {
    /// Chooses one.
    ///
    /// # Errors
    /// The system has none.
    pub(crate) fn choose() -> io::Result<Self> {
        let ephemeral = std::fs::read_to_string(EPHEMERAL).unwrap_or_default();
        let quiet = below(&ephemeral);
        let tries = quiet.into_iter().flat_map(|ports| {
            let random = RandomState::new();
            (0..MOST_TRIED).map(move |attempt| {
                let at = random.hash_one(attempt) % ports.len() as u64;
                ports.start + u16::try_from(at).unwrap_or_default()
            })
        });
        // In the end whatever the system offers.
        for port in tries.chain([0; MOST_TRIED]) {
            let bound = match bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))) {
                Ok(bound) => bound,
                Err(_) if port != 0 => continue,
                Err(error) => return Err(error),
            };
            let port = bound.local_addr()?.as_socket().map_or(port, |address| address.port());
            if chosen().get_or_insert_default().insert(port) {
                return Ok(Self(port));
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.0))
    }
}

impl Drop for FreePort {
    fn drop(&mut self) {
        chosen().get_or_insert_default().remove(&self.0);
    }
}

/// The set is whole after any panic: it is only inserted into and removed from.
fn chosen() -> MutexGuard<'static, Option<HashSet<u16>>> {
    CHOSEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ports below those of connections, of which the system says the first and the last.
fn below(ephemeral: &str) -> Option<Range<u16>> {
    let first: u16 = ephemeral.split_whitespace().next()?.parse().ok()?;
    Some(LOWEST..first).filter(|ports| ports.len() >= FEWEST)
}

/// A socket bound as a server would, which a connection's last moments do not forbid.
pub(crate) fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_that_of_a_connection() {
        assert_eq!(below("32768\t60999\n"), Some(10_000..32_768));
        assert_eq!(below("1024 65535"), None);
        assert_eq!(below("10500 65535"), None);
        assert_eq!(below(""), None);
    }

    #[test]
    fn none_is_chosen_twice_before_it_is_given_back() {
        let ports: Vec<_> = (0..200).map(|_| FreePort::choose().unwrap()).collect();
        let different: HashSet<_> = ports.iter().map(FreePort::address).collect();
        assert_eq!(different.len(), ports.len());
        // No choice is so low: no other test has it.
        chosen().get_or_insert_default().insert(1);
        drop(FreePort(1));
        assert!(!chosen().get_or_insert_default().contains(&1));
    }
}
