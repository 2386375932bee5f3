//! RFC 9111 as pure functions, and a store
