//! The one table of keys: what a scenario file may say, and what each key takes.
//!
//! The binder refuses what is not in it and the JSON Schema is printed from it, so the two cannot
//! drift apart.

mod case;
mod check;
mod journey;
mod origin;
mod site;
mod ssh;
mod step;

pub(crate) use case::{CASE, CASE_OF_MANY, COLUMN, FRAGMENT, MANY};
pub(crate) use check::{
    COUNT, DATE_RANGE, EXPECT, FILE_CHECK, LOG_CHECK, NOT_STATUS, ORIGIN_SAW, PROCESSES, TIME,
    VALUE, WAF_RULES,
};
pub(crate) use journey::{JOURNEY, JOURNEY_EXPECT, JOURNEY_STEP};
pub(crate) use origin::{ANSWER, BREAK, CONNECTION, DATE, INTERIM, ORIGIN_BODY, RULE, WHEN};
pub(crate) use site::{ACCESS_LOG, CACHE, CLOCK, MODES, PROFILES, SITE, UPSTREAM, WAF};
pub(crate) use ssh::{SSH, SSH_CONFIG};
pub(crate) use step::{
    BYTES, CAPTURE, CONTENT, LOAD, LOG_ACTS, PARALLEL, POLL, RATIO, RAW, REPEAT, REQUEST, STEP,
};

/// A mapping with known keys.
#[derive(Debug)]
pub(crate) struct Form {
    /// Its name in the schema's `$defs`.
    pub(crate) name: &'static str,
    /// As messages call it: "a step".
    pub(crate) what: &'static str,
    /// One sentence for the schema.
    pub(crate) about: &'static str,
    /// The keys, in the order of the manual.
    pub(crate) keys: &'static [Key],
    /// What further keys that the author chooses take, if there may be any.
    pub(crate) others: Option<Takes>,
}

/// A key of a [`Form`].
#[derive(Debug)]
pub(crate) struct Key {
    /// As it is written.
    pub(crate) name: &'static str,
    /// What may stand under it.
    pub(crate) takes: Takes,
    /// Must it be there?
    pub(crate) required: bool,
    /// One sentence for the schema.
    pub(crate) about: &'static str,
}

/// What may stand under a key.
#[derive(Debug)]
pub(crate) enum Takes {
    /// A scalar.
    Text,
    /// A scalar that is not the empty text.
    Filled,
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag,
    /// Only `true`.
    True,
    /// A whole number within these bounds.
    Whole(u64, u64),
    /// A number.
    Number,
    /// `10s`.
    Duration,
    /// `10s`, not `0s`.
    Lasting,
    /// `-10s`.
    Offset,
    /// `64KiB`.
    Size,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `2xx`.
    Class,
    /// A part of a case's id.
    Id,
    /// A mapping with known keys.
    Form(fn() -> &'static Form),
    /// A mapping whose keys the author chooses.
    Table(&'static Takes),
    /// A list.
    List(&'static Takes),
    /// A list with something in it.
    Some(&'static Takes),
    /// Exactly two.
    Pair(&'static Takes),
    /// Any of these.
    Either(&'static [Takes]),
    /// Any YAML.
    Anything,
}

const fn key(name: &'static str, takes: Takes, about: &'static str) -> Key {
    Key { name, takes, required: false, about }
}

const fn required(name: &'static str, takes: Takes, about: &'static str) -> Key {
    Key { name, takes, required: true, about }
}

impl Form {
    /// The names of its keys.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().map(|key| key.name)
    }
}
