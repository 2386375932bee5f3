//! Access logs: formats compiled once, values escaped without loss, and a file writer that is
//! never in a request's way.
//!
//! ```text
//!  "{client_ip} [{completion_date:…}] …"      Record (one answered request)
//!        │ Format::compile                        │
//!        ▼                                        ▼
//!     Format ───────────── Format::write ──────▶ one line ──▶ Writer::write ─▶ bounded queue
//!        │                                        │                                │ thread
//!        └──────────────── Format::parse ◀────────┘                                ▼
//!                              │   (parse_foreign: nginx, Apache)        whole lines, O_APPEND
//!                              ▼
//!                      Parsed == what the record held ──▶ put_json
//! ```
//!
//! The promise: for every format that compiles and every record, whatever bytes a client sent,
//! `Format::parse` gives back what was logged, the line is one line, and it holds nothing outside
//! printable ASCII but the literal text that the site's owner wrote.
//!
//! Left to others: which address is the client's (the proxy knows who is trusted), the time zone
//! (a record's instants carry it), signals (SIGUSR1 ends in [`Writer::reopen`]), and the clock:
//! nothing here reads one for what it writes.
#![forbid(unsafe_code)]

mod compile;
mod date;
mod escape;
mod file;
mod format;
mod json;
mod mistake;
mod number;
mod parse;
mod record;
mod scribe;
mod slot;
mod variable;
mod writer;

pub use compile::Dialect;
pub use escape::put_escaped;
pub use file::OpenError;
pub use format::{Format, Preset, UnknownPreset};
pub use mistake::{FormatError, Mistake};
pub use parse::{ParseError, Parsed, Unreadable};
pub use record::{Fields, NoFields, Record, When};
pub use writer::{FlushError, Listener, Options, Stats, Trouble, Writer};
