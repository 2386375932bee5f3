//! The reference reverse proxy
