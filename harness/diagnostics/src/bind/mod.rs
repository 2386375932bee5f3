//! From nodes to the caller's own types, without stopping at the first mistake.

mod map;
mod value;

pub use map::MapReader;
pub use value::Value;
