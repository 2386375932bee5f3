//! What the generator itself may run out of: no failure of the server's.

use std::io;

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::plan::LoadError;

/// File descriptors that a load asks for: twice as many as a target has ports. A hard limit may be a thousand
/// million, and there are programs that close all that they may have inherited one by one.
const ENOUGH: u64 = 1 << 17;

/// Lets this process have as many connections as its hard limit allows.
///
/// # Errors
/// When the system does not tell or does not take a limit.
pub(crate) fn raise_limit() -> io::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let wanted = hard.min(ENOUGH);
    if soft < wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
    }
    Ok(())
}

/// What this error of a new connection says of the generator; nothing where it is the server's.
pub(crate) fn of(error: &io::Error) -> Option<LoadError> {
    match Errno::from_raw(error.raw_os_error()?) {
        Errno::EMFILE | Errno::ENFILE => Some(LoadError::Descriptors),
        Errno::EADDRNOTAVAIL => Some(LoadError::Ports),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_is_the_servers_and_want_of_a_port_is_not() {
        let lack = |errno: Errno| of(&io::Error::from(errno));
        assert!(matches!(lack(Errno::EADDRNOTAVAIL), Some(LoadError::Ports)));
        assert!(matches!(lack(Errno::ENFILE), Some(LoadError::Descriptors)));
        assert!(lack(Errno::ECONNREFUSED).is_none());
        assert!(of(&io::Error::other("TLS")).is_none());
    }
}
