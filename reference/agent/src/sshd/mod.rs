//! What sshd is told, by its configuration.

pub(crate) mod config;
pub(crate) mod key_files;
pub(crate) mod pattern_list;
