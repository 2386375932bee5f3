//! RFC 9111 as pure functions of (request, stored response, now, policy), and stores in memory and in
//! Redis.
//!
//! ```text
//!   client's request                                origin's response
//!         │                                               │
//!      lookup ──── Forward ──▶ prepare, send ──▶ received ┴─▶ Pass + Writer ─▶ push… finish ─▶ store
//!         │  │                        │              └──────▶ Reply (304, or instead of a 5xx)
//!         │  └── OnlyIfCached: 504    └─ no answer ─▶ failed ─▶ Reply | 504 | the proxy's error
//!         └───── Reply (hit)
//! ```
//!
//! A proxy needs no more than this order:
//!
//! 1. [`Cache::lookup`] with the request as received. [`Lookup::Reply`] is sent as it says (status,
//!    fields, Age, Cache-Status, content), [`Lookup::OnlyIfCached`] is a 504. With
//!    [`Lookup::Wait`] another request is on its way for the same thing: wait, then look up again.
//! 2. For a [`Forward`]: make the request for the origin, let [`Forward::prepare`] change its
//!    fields, send it. 1xx responses go past the cache.
//! 3. With the final response's header: [`Cache::received`], given the client's request again. It
//!    may answer from the store after all, or ask to forward [`Received::Again`] (prepare anew
//!    from the client's fields). Otherwise the response passes, and where there is a [`Writer`]
//!    its content is pushed there too and finished with its trailers once it is whole. A
//!    writer that is dropped stores nothing.
//! 4. With no response: [`Cache::failed`].
//! 5. A reply may carry a validation for the background: [`Reply::take_refresh`].
//! 6. [`Cache::purge`] for PURGE.
//!
//! The rules lie in modules of their own, named as the RFC names them, and can be asked alone:
//! [`directives`], [`date`], [`age`], [`freshness`], [`storing`], [`vary`], [`reuse`],
//! [`validation`], [`conditional`], [`range`].
//!
//! Left to others: reading and writing messages, Via, who may PURGE, any waiting, and the clock:
//! every function that depends on time takes it as a [`Moment`].
#![forbid(unsafe_code)]

pub mod age;
mod cache;
mod collapsing;
pub mod conditional;
mod content;
pub mod date;
mod delta;
pub mod directives;
mod etag;
mod forward;
pub mod freshness;
mod invalidation;
mod key;
mod list;
mod message;
mod moment;
mod partial;
mod policy;
pub mod range;
mod reply;
pub mod reuse;
mod sabotage;
mod status;
mod store;
mod stored;
pub mod storing;
mod targeted;
pub mod validation;
pub mod vary;
mod writer;

pub use cache::{Cache, Failed, Lookup, Received};
pub use delta::DeltaSeconds;
pub use directives::{RequestDirectives, ResponseDirectives};
pub use etag::EntityTag;
pub use forward::Forward;
pub use message::{Facts, Request, Response, Scheme, Times};
pub use moment::Moment;
pub use policy::Policy;
pub use reply::{Form, Reply};
pub use status::{CacheStatus, Fwd};
pub use store::{
    Limits, Purge, PurgeOwed, RedisAddressError, RedisSettings, RedisStats, Stats, Store, Turn,
    Wait, Warn,
};
pub use stored::Stored;
pub use writer::Writer;
