//! Directives as SecLang again, in the shape that the Core Rule Set uses.
//!
//! What is printed reads back as what it was: a pattern keeps its bytes, escapes are written where they are needed.

mod action;
mod directive;
mod quotes;
mod rule;
