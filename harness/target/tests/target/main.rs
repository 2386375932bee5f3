//! Behaviour through the public surface, in one program.

mod shipped;
mod spec;
mod start;
mod supervisor;
mod support;
