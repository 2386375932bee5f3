//! Bugs in what is stored, in parts and in statuses (RFC 9111 §3, RFC 9110 §§14 and 15).
