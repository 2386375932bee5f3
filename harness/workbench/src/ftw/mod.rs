//! Tests in the ftw format, in which the OWASP Core Rule Set keeps its regression tests.
//!
//! ```text
//! *.yaml ──read──▶ Test ──overrides──▶ Test ──case──▶ model::Case
//!                   ├ input:  one request a stage ──request──▶ octets
//!                   └ output: what must hold, mostly of the WAF's log
//! ```
//!
//! The format is described by its schema (coreruleset/ftw-tests-schema: 1.0, 1.1, 2.x and 3.0); the older
//! form with `stage:` and `test_title:` (0.x) is read as well. A request is made of an input as go-ftw, the
//! format's own player, makes it, since the expectations were written for that.

mod case;
mod files;
mod inputs;
mod model;
mod outputs;
mod overrides;
mod read;
mod request;
mod template;

pub use files::{Suite, load};

/// The family of all these cases: the first part of their ids.
pub const FAMILY: &str = "ftw";
