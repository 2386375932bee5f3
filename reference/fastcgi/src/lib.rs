//! FastCGI 1.0 as a web server speaks it (the Responder role), without I/O.
//!
//! ```text
//!  path ──► Script::find ──► which file runs, what follows its name
//!  request + Script ──► variables (RFC 3875 §4.1)
//!  variables, body ──► put_begin / put_variables / put_stdin ──► bytes
//!  bytes ──► RecordReader ──► Answer: standard output, standard error, the end
//!  standard output ──► HeadReader (RFC 3875 §6) ──► an HTTP response's head and its body's length
//! ```
//!
//! Why not a client from crates.io: that of `fastcgi-client` 0.12 takes variables only as UTF-8, sends the whole
//! body before it reads any of the answer (so an application that answers meanwhile can stand still for
//! ever), and ends the answer of an application that died as if it were whole. A proxy that is measured by its
//! verdicts can afford none of the three.

#![forbid(unsafe_code)]

mod head;
mod record;
mod script;
mod variables;

pub use head::{HeadError, HeadReader};
pub use record::{Answer, Outcome, RecordError, RecordReader, put_begin, put_stdin, put_variables};
pub use script::{Application, Found, Script, ScriptError};
pub use variables::{Connection, Variables, variables};
