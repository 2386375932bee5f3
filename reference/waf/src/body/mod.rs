//! From the bytes of a request to the names and values that rules look at.
//!
//! ```text
//!  request target ──► RequestTarget   REQUEST_URI, REQUEST_FILENAME, QUERY_STRING, ...
//!  query, form    ──► urlencoded ─┐
//!  Cookie field   ──► cookies     ├─► Pairs: Arguments (ARGS*), PairList (REQUEST_COOKIES*)
//!  JSON           ──► json::parse ┘
//!  multipart      ──► Multipart       MULTIPART_*, FILES*; its fields go to Arguments
//!  XML            ──► Xml             XML:/*, XML://@* and a few other paths
//! ```
//!
//! What a body means follows ModSecurity 2.9.7 under Apache, since the Core Rule Set's regression
//! tests are written against it; where version 3 is followed instead, the module says why.
//!
//! Three things hold for every parser here:
//! - **A mistake hides nothing.** The first mistake is reported (REQBODY_ERROR), but what was read
//!   before it stays, reading goes on where the next step is beyond doubt, and what was not read is
//!   named. ModSecurity drops the arguments of a multipart body with a mistake; an application
//!   with a more forgiving parser would get them unseen.
//! - **Time and memory are linear in the body.** No recursion, no search from the start again, no
//!   expansion of one byte into many: what could grow faster (names of nested JSON values, text
//!   of nested XML elements) has a budget. The tests count steps.
//! - **Nothing outside the body is touched**: no file, no network, no clock.

mod arguments;
mod cookies;
pub mod json;
pub mod multipart;
mod percent;
mod steps;
mod target;
mod urlencoded;
#[cfg(test)]
mod worst_case;
pub mod xml;

pub use arguments::{Adding, Argument, Arguments, Full, Origin, Pair, PairList, Pairs};
pub use cookies::{CookieFormat, cookies};
pub use target::{RequestTarget, TargetView};
pub use urlencoded::{UrlencodedErrors, urlencoded};
