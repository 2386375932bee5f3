//! Plays a case against a target and emits events
