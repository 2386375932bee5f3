//! The scenario file: its model, its binding from YAML, its validation and its JSON Schema.
//!
//! ```text
//! *.yaml ──diagnostics──▶ Node tree ──bind──▶ model::Case ──select──▶ runner
//!                             └── every mistake of every file, with its caret
//! ```
//!
//! This crate knows no network and no target. It reads files only through [`load`], and everything
//! that it hands on is validated: a [`model::Case`] has at least one assertion, uses no variable that
//! nothing captures, and has an id of its own.
//! How a case is played is the runner's business.
//!
//! ```
//! let (cases, diagnostics) = edgeproof_scenario::bind_text(
//!     "scenarios/front/plain.yaml",
//!     "name: An answer comes through\nspec: RFC 9110 §3.7\n\
//!      steps: [{ send: GET /, expect: { status: 200 } }]\n",
//! );
//! assert!(!diagnostics.has_errors());
//! assert_eq!(cases[0].id.to_string(), "front/plain");
//! ```

#![forbid(unsafe_code)]

mod ability;
mod bind;
mod capture;
mod explain;
mod load;
pub mod model;
mod schema;
mod select;
mod table;
mod template;

pub use ability::{ABILITIES, misspelt_ability};
pub use bind::compile_regex;
pub use capture::{NoPart, Part, at_pointer};
pub use explain::{Listing, explain, listing};
pub use load::{bind_text, load, path_of};
pub use schema::schema;
pub use select::Selection;
pub use template::MissingVariable;
