//! SecLang as text: read into a [`Program`], and written again.
//!
//! ```text
//!  file ──lines──▶ a line a directive ──words──▶ name, arguments ──┬─ targets, operator, actions ─▶ Rule
//!   ▲              (comments out,        (quotes and escapes       ├─ a setting's value ──────────▶ …
//!   │               `\` joins)            away, places kept)       └─ Include ─┐
//!   └──────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Text is parted as Apache with ModSecurity 2.9 does it: `\"` and `\\` are the only escapes of an argument, `\'` and
//! `\\` those of a quoted value within it. Every mistake of every file is told in one go, each at its place; a
//! directive with a mistake is left out, and nothing is told twice because of it.
//!
//! Left to others: what an operator's argument means, whether a marker or a rule to remove is there, and what
//! directives do to each other.

mod action;
mod directive;
mod glob;
mod lines;
mod list;
mod mistakes;
mod operator;
mod pattern;
mod print;
mod program;
mod reader;
mod rule;
mod setting;
mod target;
mod template;
mod text;
mod words;

pub use action::{
    Action, AllowKind, AuditMode, AuditParts, AuditPartsChange, Collection, Ctl, Mode, Phase,
    Processor, SetOperation, SetVar, Severity,
};
pub use directive::{AuditLogFormat, AuditLogType, Directive, LimitAction, RuleText};
pub use mistakes::Mistakes;
pub use operator::{OperatorName, OperatorText};
pub use program::{Program, parse_file, parse_text};
pub use target::{Selector, Target};
pub use template::{MacroError, Piece, Template};
