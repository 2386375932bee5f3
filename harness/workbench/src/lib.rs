//! From the field to a scenario: tests of other formats, and requests that two WAFs see differently.
//!
//! ```text
//! ftw files ──read──▶ ftw::Test ──▶ model::Case, as it is (`run ftw:DIR`)
//! overrides ──────────────┘            └──▶ a scenario file (`import ftw`)
//! ```
//!
//! This crate knows no network and no target: what it makes are cases like any other, which the runner
//! plays. It reads files only through [`ftw::load`].

#![forbid(unsafe_code)]

pub mod differ;
pub mod ftw;
mod import;

pub use import::{Imported, import};
