//! YAML to a tree of nodes with source spans, and errors with carets.
//!
//! Whatever a person writes for this project (scenario files, `target.yaml`, the proxy's file of
//! sites) is read here, so that every mistake of every file is found in one go and shown the same
//! way: path, line, column, the line itself with carets, and a suggestion where there is one.
//!
//! ```text
//!  Source ──parse──▶ Node ──MapReader, Value──▶ the caller's own types
//!    │                 │            │
//!    │                 │ spans      │ wrong types, unknown and missing keys
//!    ▼                 ▼            ▼
//!  syntax errors ──▶ Diagnostics ──render──▶ text for people
//! ```
//!
//! A binder reads on after a mistake; it asks [`Diagnostics::has_errors`] once, at the end:
//!
//! ```
//! use edgeproof_diagnostics::{Colour, Diagnostics, MapReader, Source, parse};
//!
//! let source = Source::new("sites.yaml", "host: shop.example\nidel: 10s\n");
//! let diagnostics = Diagnostics::new();
//! if let Some(node) = parse(&source, &diagnostics) {
//!     let mut site = MapReader::new(&node, &diagnostics, "a site");
//!     let host = site.required("host").str();
//!     let idle = site.optional("idle").duration();
//!     site.finish();
//!     assert_eq!((host, idle), (Some("shop.example"), None));
//! }
//! assert!(diagnostics.has_errors());
//! assert!(diagnostics.render(Colour::Never).contains("did you mean `idle`?"));
//! ```
//!
//! Left to others: reading files, deciding whether a terminal wants colour, and what the values
//! mean. Nothing here knows what a scenario or a site is.

#![forbid(unsafe_code)]

mod bind;
mod collection;
mod diagnostic;
mod node;
mod quantity;
mod render;
mod shown;
mod source;
mod suggest;
mod yaml;

pub use bind::{MapReader, Value};
pub use collection::Diagnostics;
pub use diagnostic::{Diagnostic, Label, Severity};
pub use node::{Kind, Node, Style};
pub use quantity::{QuantityError, parse_duration, parse_size};
pub use render::Colour;
pub use shown::{no_command, one_line};
pub use source::{Position, Source, Span, Spanned};
pub use suggest::{did_you_mean, suggest};
pub use yaml::parse;
