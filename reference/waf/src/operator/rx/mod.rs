//! `@rx`: regular expressions as PCRE2 reads them, matched in linear time.
//!
//! ```text
//!  pattern ──parser──▶ Node ──reduce──▶ Node ──program──▶ automaton: verdict, and extents where asked for
//!                       │                 └──────────────▶ backtracking: look-around, back-references
//!                       └──literals──▶ texts of which a match holds one, for the prefilter
//! ```
//!
//! ModSecurity compiles with `DOTALL` and `DOLLAR_ENDONLY` and without UTF-8; so does this. A pattern that neither
//! looks around nor refers back cannot be made slow by its text. The verdict is always PCRE's. The extent of the match
//! and its groups is, too, but where a round of a repetition is empty (`(a*)*`): PCRE keeps that round and stops, an
//! automaton does not know it from the one before.

mod backtracking;
mod bytes;
mod class;
mod error;
mod escape;
mod group;
mod linear;
mod literals;
mod parser;
mod program;
mod reduce;
mod screen;
mod steps;
mod syntax;

use std::sync::OnceLock;

pub(super) use self::error::{PatternError, Problem};
pub(crate) use self::screen::Screen;

use self::backtracking::Backtracking;
use self::linear::{Extents, Locator, Verdict};
use self::syntax::Pattern;
use super::byte_set::ByteSet;
use super::{Captures, Outcome};

/// The most positions a pattern may have once its repetitions are written out. PCRE's own limit is about as high.
const LARGEST: usize = 200_000;

/// A compiled pattern.
pub(super) struct Rx {
    pattern: Box<[u8]>,
    engine: Engine,
    required: Option<Vec<Box<[u8]>>>,
    required_bytes: Vec<ByteSet>,
    shortest: usize,
}

enum Engine {
    /// It matches all of any text: `^.*$`, by which rules take a value into TX:0.
    Whole,
    /// The second is made when the extent of a match is first asked for.
    Linear(Box<Verdict>, OnceLock<Option<Box<Locator>>>),
    Backtracking(Box<Backtracking>),
}

impl Rx {
    /// Compiles a pattern in PCRE's syntax.
    pub(super) fn compile(pattern: &[u8]) -> Result<Self, PatternError> {
        let parsed = read(pattern)?;
        let required = literals::required(&parsed.node);
        let required_bytes = bytes::required(&parsed.node);
        let shortest = parsed.node.min_len();
        let engine = if parsed.node.is_whole() {
            Ok(Engine::Whole)
        } else if reduce::needs_backtracking(&parsed.node) {
            Backtracking::new(&parsed.node, parsed.groups)
                .map(|engine| Engine::Backtracking(Box::new(engine)))
        } else {
            Verdict::new(&parsed.node)
                .map(|verdict| Engine::Linear(Box::new(verdict), OnceLock::new()))
        };
        let engine = engine.map_err(|error| PatternError {
            at: 0,
            problem: Problem::Automaton(error.to_string().into()),
        })?;
        Ok(Self { pattern: pattern.into(), engine, required, required_bytes, shortest })
    }

    /// Whether it is matched by backtracking, with a limit on its steps.
    #[cfg(test)]
    pub(super) fn backtracks(&self) -> bool {
        matches!(self.engine, Engine::Backtracking(_))
    }

    /// Texts of which each match holds at least one, letters in either case.
    pub(super) fn required(&self) -> Option<&[Box<[u8]>]> {
        self.required.as_deref()
    }

    /// Sets of bytes of each of which every text that matches has at least one.
    pub(super) fn required_bytes(&self) -> &[ByteSet] {
        &self.required_bytes
    }

    /// The length of the shortest text that could match, in bytes.
    pub(super) fn shortest(&self) -> usize {
        self.shortest
    }

    /// Whether any text of these bytes can match.
    pub(super) fn can_match(&self, bytes: ByteSet) -> bool {
        match &self.engine {
            Engine::Whole => true,
            Engine::Linear(verdict, _) => verdict.can_match(bytes),
            Engine::Backtracking(engine) => engine.can_match(bytes),
        }
    }

    /// Matches, and puts down where groups 0 to 9 are if asked for.
    pub(super) fn matches(&self, text: &[u8], captures: Option<&mut Captures>) -> Outcome {
        let verdict = match &self.engine {
            Engine::Whole => Some(true),
            Engine::Linear(verdict, _) => verdict.is_match(text).ok(),
            Engine::Backtracking(engine) => engine.is_match(text).ok(),
        };
        match verdict {
            None => return Outcome::LimitReached,
            Some(false) => return Outcome::NoMatch,
            Some(true) => {}
        }
        if let Some(captures) = captures
            && let Some(extents) = self.locate(text)
        {
            captures.set_groups(&extents);
        }
        Outcome::Match
    }

    fn locate(&self, text: &[u8]) -> Option<Extents> {
        match &self.engine {
            Engine::Whole => Some(linear::whole(text)),
            Engine::Linear(verdict, locator) => {
                let locator = locator.get_or_init(|| {
                    // It was read before without a mistake.
                    let parsed = read(&self.pattern).ok()?;
                    Locator::new(&parsed).ok().map(Box::new)
                });
                locator.as_ref()?.locate(verdict, text).ok()?
            }
            Engine::Backtracking(engine) => engine.locate(text).ok()?,
        }
    }
}

fn read(pattern: &[u8]) -> Result<Pattern, PatternError> {
    let Pattern { node, groups } = parser::parse(pattern)?;
    if node.size() > LARGEST {
        return Err(PatternError { at: 0, problem: Problem::TooLarge });
    }
    Ok(Pattern { node: reduce::reduce(node), groups })
}

#[cfg(test)]
mod tests;
