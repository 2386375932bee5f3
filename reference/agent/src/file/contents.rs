//! The lines of a file, matched against the contents of many searches at once.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use regex_automata::meta;
use regex_automata::util::syntax;
use regex_automata::{Input, PatternSet};
use xxhash_rust::xxh3::xxh3_64;

use super::search::Search;
use crate::authorized;
use crate::pattern::Written;
use crate::pattern::key_words;
use crate::pattern::shape::Alternative;

/// Up to so many alternatives are tried one after another, which is quicker than to look them up.
const FEW: usize = 8;
/// Regexes compiled into one engine, and the octets of their texts.
const AN_ENGINES_PATTERNS: usize = 128;
const AN_ENGINES_OCTETS: usize = 256 << 10;

/// The contents of a group's searches, compiled together.
#[derive(Debug)]
pub(crate) struct Contents {
    searches: Vec<About>,
    /// For each content, whose it is and whether it is inverted.
    owners: Vec<(usize, bool)>,
    /// For each content, the keys that it lists.
    keys: Vec<Option<Keys>>,
    forms: Vec<Form>,
    /// Forms that begin with a literal, by its hash; empty where there are few.
    by_literal: HashMap<u64, Vec<usize>>,
    lengths: Vec<usize>,
    /// Forms that are tried on every line.
    tried: Vec<usize>,
    engines: Vec<Engine>,
}

/// What lines mean to one search.
#[derive(Debug)]
struct About {
    contents: Range<usize>,
    every_line: bool,
    /// Must all contents hold? Else one is enough.
    all: bool,
}

/// A content of a search that every line must fit, where it is a list of keys: the digits of each, in order.
#[derive(Debug)]
struct Keys(Vec<Vec<u8>>);

impl Keys {
    fn of(regex: &str) -> Self {
        let mut words = key_words::key_words(regex);
        words.sort_unstable();
        Self(words)
    }

    /// Is one of them exactly this key?
    fn has(&self, own: &[u8]) -> bool {
        self.0.binary_search_by(|word| (**word).cmp(own)).is_ok()
    }

    /// Is one of them the beginning of this key?
    fn has_beginning(&self, own: &[u8]) -> bool {
        self.0.iter().any(|word| own.starts_with(word))
    }
}

/// A form that a line may have, with the contents that ask for it.
#[derive(Debug)]
struct Form {
    alternative: Alternative,
    names_a_key: bool,
    contents: Vec<usize>,
}

/// Regexes that need an engine, compiled into one.
#[derive(Debug)]
struct Engine {
    regex: meta::Regex,
    contents: Vec<usize>,
}

impl Contents {
    /// Compiles the contents of these searches.
    pub(crate) fn new(searches: &[&Search]) -> Self {
        let mut all = Self {
            searches: Vec::with_capacity(searches.len()),
            owners: Vec::new(),
            keys: Vec::new(),
            forms: Vec::new(),
            by_literal: HashMap::new(),
            lengths: Vec::new(),
            tried: Vec::new(),
            engines: Vec::new(),
        };
        let mut known = HashMap::new();
        let mut complex = Vec::new();
        for (index, search) in searches.iter().enumerate() {
            let first = all.owners.len();
            for pattern in &search.contents {
                let content = all.owners.len();
                all.owners.push((index, pattern.inverted()));
                all.keys.push(keys_of(search, pattern));
                match pattern.shape() {
                    Some(shape) => {
                        for alternative in shape.into_alternatives() {
                            all.add_form(alternative, content, &mut known);
                        }
                    }
                    None => complex.push((content, pattern)),
                }
            }
            all.searches.push(About {
                contents: first..all.owners.len(),
                every_line: search.options.macroal,
                all: search.options.matchall,
            });
        }
        drop(known);
        all.index_forms();
        all.engines = engines(&complex);
        all
    }

    fn add_form(
        &mut self,
        alternative: Alternative,
        content: usize,
        known: &mut HashMap<Alternative, usize>,
    ) {
        let names_a_key =
            alternative.literals().any(|text| text.len() >= 40 && mentions_a_key(text));
        // Keys are seldom the same, and long.
        if !names_a_key {
            if let Some(form) = known.get(&alternative) {
                self.forms[*form].contents.push(content);
                return;
            }
            known.insert(alternative.clone(), self.forms.len());
        }
        self.forms.push(Form { alternative, names_a_key, contents: vec![content] });
    }

    fn index_forms(&mut self) {
        if self.forms.len() <= FEW {
            self.tried = (0..self.forms.len()).collect();
            return;
        }
        for (index, form) in self.forms.iter().enumerate() {
            match form.alternative.first_literal() {
                Some(text) => {
                    self.by_literal.entry(xxh3_64(text)).or_default().push(index);
                    self.lengths.push(text.len());
                }
                None => self.tried.push(index),
            }
        }
        self.lengths.sort_unstable();
        self.lengths.dedup();
    }

    /// Whether all contents of a search are so, or one where one is enough.
    fn of(&self, search: usize, holds: impl FnMut(usize) -> bool) -> bool {
        let about = &self.searches[search];
        let mut contents = about.contents.clone();
        if about.all { contents.all(holds) } else { contents.any(holds) }
    }

    /// Whether a content is inverted.
    pub(crate) fn is_inverted(&self, content: usize) -> bool {
        self.owners[content].1
    }

    /// Calls back with each content whose regex matches the line, and whether a form that names a key did it.
    fn each_match(&self, line: &[u8], mut found: impl FnMut(usize, bool)) {
        let mut form = |index: &usize| {
            let form = &self.forms[*index];
            if form.alternative.matches(line) {
                form.contents.iter().for_each(|content| found(*content, form.names_a_key));
            }
        };
        self.tried.iter().for_each(&mut form);
        for length in self.lengths.iter().take_while(|length| **length <= line.len()) {
            if let Some(forms) = self.by_literal.get(&xxh3_64(&line[..*length])) {
                forms.iter().for_each(&mut form);
            }
        }
        for engine in &self.engines {
            if let [content] = &*engine.contents {
                if engine.regex.is_match(line) {
                    found(*content, false);
                }
                continue;
            }
            let mut which = PatternSet::new(engine.regex.pattern_len());
            engine.regex.which_overlapping_matches(&Input::new(line), &mut which);
            which.iter().for_each(|pattern| found(engine.contents[pattern.as_usize()], false));
        }
    }
}

/// A list of keys that every line must fit is judged by the line's own key.
fn keys_of(search: &Search, content: &Written) -> Option<Keys> {
    let options = &search.options;
    let may = options.macroal && !options.plainlines && !content.inverted();
    (may && mentions_a_key(content.text().as_bytes())).then(|| Keys::of(content.text()))
}

/// Compiles what needs an engine, some regexes an engine. Each has been compiled alone before; where several
/// are too much for one engine, each has its own.
fn engines(patterns: &[(usize, &Written)]) -> Vec<Engine> {
    let (ascii, other): (Vec<_>, Vec<_>) =
        patterns.iter().partition(|(_, pattern)| pattern.text().is_ascii());
    let mut engines = Vec::new();
    for (unicode, mut patterns) in [(false, &*ascii), (true, &*other)] {
        while !patterns.is_empty() {
            let mut octets = 0;
            let fit = patterns.iter().take(AN_ENGINES_PATTERNS).take_while(|(_, pattern)| {
                octets += pattern.text().len();
                octets <= AN_ENGINES_OCTETS
            });
            let (now, later) = patterns.split_at(fit.count().max(1));
            match engine(now, unicode) {
                Some(engine) => engines.push(engine),
                None => engines.extend(now.iter().filter_map(|one| engine(&[*one], unicode))),
            }
            patterns = later;
        }
    }
    engines
}

fn engine(patterns: &[(usize, &Written)], unicode: bool) -> Option<Engine> {
    let texts: Vec<&str> = patterns.iter().map(|(_, pattern)| pattern.text()).collect();
    let regex = meta::Regex::builder()
        .syntax(syntax::Config::new().unicode(unicode).utf8(false))
        .configure(
            meta::Config::new()
                .utf8_empty(false)
                .nfa_size_limit(Some(64 << 20))
                .match_kind(regex_automata::MatchKind::All),
        )
        .build_many(&texts)
        .ok()?;
    Some(Engine { regex, contents: patterns.iter().map(|(content, _)| *content).collect() })
}

/// A file being read: what its lines have said so far.
#[derive(Debug)]
pub(crate) struct Reading {
    contents: Arc<Contents>,
    /// For each content, whether a line matched.
    seen: Vec<bool>,
    unseen: usize,
    /// Searches that every line fitted so far.
    fitting: Vec<usize>,
    /// For each content, the last line that it matched, and the last that it matched by naming no key.
    matched: Vec<u64>,
    matched_plainly: Vec<u64>,
    line: u64,
}

impl Reading {
    /// A file that has not been read, for these searches of the group.
    pub(crate) fn new(contents: Arc<Contents>, wanted: &[usize]) -> Self {
        let total = contents.owners.len();
        let searches = &contents.searches;
        Self {
            seen: vec![false; total],
            unseen: wanted
                .iter()
                .filter(|search| !searches[**search].every_line)
                .map(|search| searches[*search].contents.len())
                .sum(),
            fitting: wanted.iter().copied().filter(|search| searches[*search].every_line).collect(),
            matched: vec![0; total],
            matched_plainly: vec![0; total],
            line: 0,
            contents,
        }
    }

    /// Whether no further line can change anything.
    pub(crate) fn is_settled(&self) -> bool {
        self.unseen == 0 && self.fitting.is_empty()
    }

    /// Reads one line, without its end.
    pub(crate) fn line(&mut self, line: &[u8]) {
        self.line += 1;
        let Self { contents, seen, unseen, matched, matched_plainly, line: number, .. } = self;
        contents.each_match(line, |content, names_a_key| {
            matched[content] = *number;
            if !names_a_key {
                matched_plainly[content] = *number;
            }
            if !seen[content] {
                seen[content] = true;
                let about = &contents.searches[contents.owners[content].0];
                *unseen = unseen.saturating_sub(usize::from(!about.every_line));
            }
        });
        let mut fitting = std::mem::take(&mut self.fitting);
        fitting.retain(|search| self.fits(*search, line));
        self.fitting = fitting;
    }

    /// Takes the answers of a line too long to be held: for each content, whether it matched.
    pub(crate) fn long_line(&mut self, matched: &[bool]) {
        self.line += 1;
        for (content, _) in matched.iter().enumerate().filter(|(_, matched)| **matched) {
            self.matched[content] = self.line;
            self.matched_plainly[content] = self.line;
            self.seen[content] = true;
        }
        let mut fitting = std::mem::take(&mut self.fitting);
        fitting.retain(|search| {
            self.contents.of(*search, |content| self.is_met(&self.matched, content))
        });
        self.fitting = fitting;
    }

    /// Whether the line that was just matched fits a search that every line must fit.
    fn fits(&self, search: usize, line: &[u8]) -> bool {
        self.contents.of(search, |content| match &self.contents.keys[content] {
            Some(keys) if !self.is_met(&self.matched_plainly, content) => {
                self.is_listed(content, keys, line)
            }
            _ => self.is_met(&self.matched, content),
        })
    }

    /// Whether a content answers yes to the line that was just read.
    fn is_met(&self, matched: &[u64], content: usize) -> bool {
        (matched[content] == self.line) != self.contents.is_inverted(content)
    }

    /// Whether the key that sshd would read on the line is one of the list.
    fn is_listed(&self, content: usize, keys: &Keys, line: &[u8]) -> bool {
        let named = self.is_met(&self.matched, content);
        if keys.0.is_empty() {
            return named;
        }
        match authorized::key_on(line).map(|own| own.digits()) {
            // sshd reads no key here: nothing to fear, unless something looks like one.
            None => named || !authorized::effective(line).is_some_and(mentions_a_key),
            // A pattern may name but the beginning of a key.
            Some(own) => keys.has(&own) || named && keys.has_beginning(&own),
        }
    }

    /// Whether a search's contents hold, before any `mismatch`.
    pub(crate) fn holds(&self, search: usize) -> bool {
        if self.contents.searches[search].every_line {
            return self.fitting.contains(&search);
        }
        let seen = |content: usize| self.seen[content] != self.contents.is_inverted(content);
        self.contents.of(search, seen)
    }
}

fn mentions_a_key(line: &[u8]) -> bool {
    memchr::memmem::find(line, b"AAAA").is_some()
}
