//! Plays cases against a target and emits events.
//!
//! ```text
//! scenario::Case ─┐                       ┌─ client (raw HTTP/1.1) ─▶ target ─▶ scripted origin ─┐
//!                 ├─▶ schedule ─▶ player ─┼─ probes: log lines, files, processes, ssh            ├─▶ Event
//! target::Target ─┘                       └─ clock: control, faketime, backdate, wait            ─┘
//! ```
//!
//! Every verdict is reached here; how it is shown is the reporters' business, who know only [`event`].

pub mod event;
