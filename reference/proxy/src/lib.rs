//! The reference reverse proxy: listeners, sites, routing and pools, round the crates for HTTP/1.1
//! (`edgeproof-http1`), caching (`edgeproof-cache`), access logs (`edgeproof-accesslog`) and upstream
//! processes (`edgeproof-upstream`).
//!
//! ```text
//!  client ──► listener ──► connection ──► exchange ──► forward ──► origin ──► the site's origin
//!             (a socket    (requests one   (site,       (hop, forwarded,  (pool, retry,
//!              a thread)    after another)  own answers)  body, tunnel)     1xx, head)
//!                                              │  ▲
//!                                         log ◄┘  └─ reply (framing for this client)
//! ```
//!
//! One thread a core, each with its own runtime, listening sockets (SO_REUSEPORT) and origin pool;
//! a connection never leaves its thread. [`Server`] is the whole, [`run`] adds signals for a
//! process of its own, [`Settings`] is all it needs to know.
//!
//! Bodies stream both ways and wait for the slower side. Time is a value: each site has a clock,
//! the machine's or a virtual one, for its cache, its log and its Date fields; network time limits
//! are always the machine's.
//!
//! Left to others: reading HTTP (http1), what may be stored and reused (cache), how a line is
//! written (accesslog), the command line.

#![forbid(unsafe_code)]

mod answers;
mod backend;
mod body;
mod caching;
mod clock;
mod connection;
mod control;
mod exchange;
mod failure;
mod fill;
mod firewall;
pub mod folders;
mod forward;
mod forwarded;
mod gateway;
mod hit;
mod hop;
mod limits;
mod link;
mod listener;
mod live;
mod log;
mod origin;
mod patience;
mod peer;
mod pool;
mod reply;
mod run;
mod sabotage;
mod server;
mod settings;
mod stats;
mod stream;
mod tls;
mod tunnel;
mod upstream;
mod wire;
mod worker;
mod yaml;

pub use clock::ClockSettings;
pub use edgeproof_cache::Policy;
pub use edgeproof_upstream::keeper;
pub use edgeproof_waf::{
    Bounds as QuarantineBounds, CoreRuleSet, Held, Quarantine, QuarantineError,
};
pub use limits::Limits;
pub use run::{RunError, run};
pub use server::{Server, StartError};
pub use settings::{
    CacheSettings, HostName, HostNameError, LogSettings, QuarantineSettings, Settings,
    SiteSettings, StoreSettings, TlsListener, WafLogFormat, WafRules, WafSettings,
};
pub use upstream::{CommandSettings, Protocol, Upstream, UpstreamError, UpstreamSettings, Urls};
