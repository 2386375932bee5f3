//! Bugs in reading directives and other fields (RFC 9111 §5, RFC 9213, RFC 9211, RFC 5861, RFC 8246).
