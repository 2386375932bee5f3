//! Differential mode: requests that two WAFs with the same rules see differently.
//!
//! ```text
//! seed ─▶ Generator (grammar, corpus) ─▶ Request ─wire─▶ octets ─▶ both targets ─▶ Difference of rule ids
//!                                           ▲                                          │
//!                                           └── shrink (over the structure, then over octets) ◀── Ledger ─▶ Cause
//! ```
//!
//! Everything here is pure: the same seed makes the same requests, and whoever shrinks is asked through a
//! closure whether a smaller request still differs. What is found is written as a test in the ftw format
//! ([`kept`]), which plays as it is.

mod grammar;
mod kept;
mod known;
mod ledger;
mod random;
mod reduce;
mod request;
mod seeds;
mod shrink;

pub use grammar::Generator;
pub use kept::kept;
pub use known::{Known, KnownDifference};
pub use ledger::{Cause, Difference, Ledger, Seen, Sides, Wanted};
pub use reduce::{Reduce, Stage};
pub use request::{Body, Content, Element, Framing, Json, Multipart, Part, Request, XmlNode};
pub use seeds::Corpus;
pub use shrink::{Oracle, Shrunk, shrink};
