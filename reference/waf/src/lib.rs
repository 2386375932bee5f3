//! A web application firewall's engine for SecLang, the rule language of ModSecurity and the OWASP Core Rule Set.
//!
//! Names are those of ModSecurity's reference manual. Everything works on bytes; nothing here reads a clock or a
//! socket.
#![forbid(unsafe_code)]

pub mod body;
mod operator;
mod plan;
mod profile;
mod quarantine;
mod rules;
pub mod seclang;
mod transaction;
mod transform;
mod variable;

pub use operator::{ByteSet, Captures, Operator, Outcome as Matched};
pub use profile::{
    CoreRuleSet, CoreRuleSetError, Exclusions, InstallError, Installed, Mode, Paranoia, PathGlob,
    PathGlobError, Profile, UnknownName,
};
pub use quarantine::{Bounds, Held, Quarantine, QuarantineError, Reason};
pub use rules::{Rule, RuleSet, Sanitise, Settings};
pub use transaction::{
    BodyVerdict, Collections, Connection, Did, Match, Moment, Outcome, RequestLine, Transaction,
    Verdict,
};
pub use transform::{Transformation, UnicodeMap, UnicodeMapError};
pub use variable::Variable;
