//! The proxy on real sockets: an origin of the test's own behind it, clients that write and read
//! bytes before it. One file per idea, one binary for all of them.

mod applications;
mod caching;
mod configuration;
mod control;
mod fastcgi;
mod firewall;
mod forwarding;
mod framing;
mod hop_by_hop;
mod life;
mod limits;
#[cfg(feature = "mutants")]
mod mutants;
mod php;
mod pool;
mod processes;
mod refusals;
mod support;
mod tls;
mod upgrade;
