//! Where the deliberate bugs of `edgeproof-mutant` sit, so that the rules stay readable: each function
//! here is called once, at the end of the rule that it spoils, with what the rule found, and gives
//! that back unless a bug is chosen. Without the feature `mutants` no bug ever is, and nothing of
//! this is left in the program.

pub(crate) mod conditions;
pub(crate) mod fields;
pub(crate) mod parts;
pub(crate) mod reuse;
pub(crate) mod storing;
