//! Bugs in reuse, validation, invalidation and conditions (RFC 9111 §4, RFC 9110 §13).
