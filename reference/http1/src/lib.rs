//! The HTTP/1.1 codec of the reference, both directions
