//! Looking at the target from outside HTTP: files, processes, its SSH service.

pub(crate) mod files;
pub(crate) mod processes;
pub(crate) mod ssh;
pub(crate) mod sshd;
