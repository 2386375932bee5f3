//! `@detectSQLi` and `@detectXSS`.
//!
//! Both judge as libinjection 3.9 does, which ModSecurity carries: a value is read as SQL or HTML would be where an
//! application put it, from several contexts, and known shapes are told. The code is this project's own; the words
//! and fingerprints of SQL, in `sql.txt`, are libinjection's.
//!
//! One thing is other than in C, where a `char` has a sign: the byte 0xFF there reads as the end of HTML, so that
//! what stands behind it goes unseen. Here it is a byte like others, as it is in C on machines whose `char` has none.

mod fold;
mod html;
mod sqli;
mod tokens;
mod words;
mod xss;

use super::Captures;

/// Whether the value reads as a piece of SQL injected into a query. What is captured is the fingerprint: the kinds
/// of its tokens.
pub(super) fn is_sqli(value: &[u8], captures: Option<&mut Captures>) -> bool {
    let fingerprint = sqli::fingerprint(value);
    if let (Some(fingerprint), Some(captures)) = (&fingerprint, captures) {
        captures.set_text(fingerprint.as_bytes());
    }
    fingerprint.is_some()
}

/// Whether the value reads as HTML with a script in it. What is captured is the value.
pub(super) fn is_xss(value: &[u8], captures: Option<&mut Captures>) -> bool {
    let found = xss::is_xss(value);
    if found && let Some(captures) = captures {
        captures.set_value(value);
    }
    found
}

#[cfg(test)]
mod tests;
