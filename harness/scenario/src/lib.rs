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

pub mod model;
