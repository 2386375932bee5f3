//! A line too long to be held: each regex runs over its parts as they come, in a lazy DFA.

use std::io;

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

/// The contents of a group's searches, for one long line.
#[derive(Debug)]
pub(crate) struct LongLine {
    /// A run for each pattern that is wanted.
    runs: Vec<Option<Run>>,
    /// A CR that may be the line's last octet, and so no part of it.
    held_back: bool,
}

#[derive(Debug)]
struct Run {
    dfa: DFA,
    cache: Cache,
    state: LazyStateID,
    matched: bool,
}

impl LongLine {
    /// A line of which nothing was read.
    ///
    /// # Errors
    /// A regex is too big for a DFA.
    pub(crate) fn new<'p>(patterns: impl Iterator<Item = Option<&'p str>>) -> io::Result<Self> {
        let run = |text: Option<&str>| text.map(Run::new).transpose().map_err(too_big);
        let runs = patterns.map(run).collect::<io::Result<_>>()?;
        Ok(Self { runs, held_back: false })
    }

    /// Reads on.
    ///
    /// # Errors
    /// A DFA finds no room.
    pub(crate) fn part(&mut self, part: &[u8]) -> io::Result<()> {
        if part.is_empty() {
            return Ok(());
        }
        let (part, held_back) = match part.strip_suffix(b"\r") {
            Some(part) => (part, true),
            None => (part, false),
        };
        for run in self.runs.iter_mut().flatten() {
            if self.held_back {
                run.feed(b"\r").map_err(too_big)?;
            }
            run.feed(part).map_err(too_big)?;
        }
        self.held_back = held_back;
        Ok(())
    }

    /// The line's end: for each pattern, whether it matched.
    ///
    /// # Errors
    /// A DFA finds no room.
    pub(crate) fn end(mut self) -> io::Result<Vec<bool>> {
        let end = |run: &mut Option<Run>| run.as_mut().map_or(Ok(false), Run::end).map_err(too_big);
        self.runs.iter_mut().map(end).collect()
    }
}

#[allow(clippy::needless_pass_by_value, reason = "made for map_err")]
fn too_big(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("a line too long for its patterns: {error}"))
}

impl Run {
    fn new(text: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let dfa = DFA::builder()
            .configure(
                DFA::config()
                    .match_kind(MatchKind::All)
                    .skip_cache_capacity_check(true)
                    .unicode_word_boundary(true),
            )
            .syntax(syntax::Config::new().unicode(!text.is_ascii()).utf8(false))
            .thompson(thompson::Config::new().utf8(false))
            .build(text)?;
        let mut cache = dfa.create_cache();
        let state = dfa.start_state(&mut cache, &start::Config::new().anchored(Anchored::No))?;
        Ok(Self { dfa, cache, state, matched: false })
    }

    fn feed(&mut self, octets: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
        if self.matched {
            return Ok(());
        }
        for octet in octets {
            self.state = self.dfa.next_state(&mut self.cache, self.state, *octet)?;
            if self.state.is_tagged() {
                if self.state.is_match() {
                    self.matched = true;
                    return Ok(());
                }
                if self.state.is_dead() {
                    return Ok(());
                }
                if self.state.is_quit() {
                    return Err("an octet that the pattern cannot be asked about".into());
                }
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<bool, Box<dyn std::error::Error>> {
        if !self.matched {
            let state = self.dfa.next_eoi_state(&mut self.cache, self.state)?;
            self.matched = state.is_match();
        }
        Ok(self.matched)
    }
}
