//! Patterns that are literals with little between them: told from a regex's text in one quick pass, and
//! matched without a regex engine.
//!
//! A list of keys is thousands of such patterns (`^\s*(ssh-rsa AAAA… ann@desk|ssh-ed25519 AAAA…( .*)?)$`), and
//! to compile them takes longer than to read every file that they are about. What is not of this form is
//! [`None`], and a regex engine's job. The verdict is the regex's in either case: `tests/shapes.rs` holds it.

use memchr::memmem;

/// Alternatives beyond this many by expanding optional parts are a regex engine's job.
const MOST_EXPANSIONS: usize = 16;
/// More repeated parts than this in an alternative may cost too many attempts.
const MOST_REPEATS: usize = 4;
/// Octets that are reserved for a literal at once.
const MOST_RESERVED: usize = 2048;
/// Groups within groups beyond this depth are a regex engine's job.
const DEEPEST: u8 = 16;

/// The kinds of octets that a part may stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// What stands before or behind a pattern without an anchor.
    Octet,
    /// `.`: no LF.
    Any,
    /// `\s`
    Space,
    /// `\S`
    NonSpace,
}

impl Class {
    fn has(self, octet: u8) -> bool {
        let space = matches!(octet, b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | b' ');
        match self {
            Class::Octet => true,
            Class::Any => octet != b'\n',
            Class::Space => space,
            Class::NonSpace => !space,
        }
    }
}

/// One part of an alternative.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// These octets.
    Literal(Box<[u8]>),
    /// Exactly one of a class.
    One(Class),
    /// Any number of a class from `least` on.
    Many {
        /// Of what.
        class: Class,
        /// 0 or 1.
        least: usize,
    },
}

/// What a whole line must be, part by part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Alternative(pub(crate) Vec<Part>);

impl Alternative {
    /// Whether the whole line is of this form.
    pub(crate) fn matches(&self, line: &[u8]) -> bool {
        matches_parts(&self.0, line)
    }

    /// The literal that the line must begin with, if the form begins with one.
    pub(crate) fn first_literal(&self) -> Option<&[u8]> {
        match self.0.first() {
            Some(Part::Literal(text)) => Some(text),
            _ => None,
        }
    }

    /// All its literals.
    pub(crate) fn literals(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter_map(|part| match part {
            Part::Literal(text) => Some(&**text),
            Part::One(_) | Part::Many { .. } => None,
        })
    }
}

/// Whether a line is these parts one after another. Repeated parts are tried from the shortest on; where
/// all octets may be skipped, a search for the literal that follows does it.
fn matches_parts(parts: &[Part], line: &[u8]) -> bool {
    let Some((part, rest)) = parts.split_first() else { return line.is_empty() };
    match part {
        Part::Literal(text) => {
            line.strip_prefix(&**text).is_some_and(|line| matches_parts(rest, line))
        }
        Part::One(class) => line
            .split_first()
            .is_some_and(|(octet, line)| class.has(*octet) && matches_parts(rest, line)),
        Part::Many { class, least } => {
            let run = line.iter().take_while(|octet| class.has(**octet)).count();
            match rest.first() {
                None => run == line.len() && run >= *least,
                Some(Part::Literal(text)) => {
                    let mut from = *least;
                    while from <= run {
                        let Some(found) = line.get(from..).and_then(|l| memmem::find(l, text))
                        else {
                            return false;
                        };
                        if from + found > run {
                            return false;
                        }
                        if matches_parts(rest, &line[from + found..]) {
                            return true;
                        }
                        from += found + 1;
                    }
                    false
                }
                Some(_) => (*least..=run).any(|skip| matches_parts(rest, &line[skip..])),
            }
        }
    }
}

/// A pattern as the forms that a whole line may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    alternatives: Vec<Alternative>,
}

impl Shape {
    /// Reads a regex, or says that it needs an engine.
    pub(crate) fn of(regex: &str) -> Option<Self> {
        Self::read(regex, true)
    }

    /// Whether a regex can do without an engine.
    pub(crate) fn suits(regex: &str) -> bool {
        Self::read(regex, false).is_some()
    }

    fn read(regex: &str, keeps: bool) -> Option<Self> {
        let mut reader = Reader { text: regex.as_bytes(), at: 0, keeps };
        let branches = reader.branches(0)?;
        (reader.at == reader.text.len()).then_some(())?;
        let mut alternatives = Vec::with_capacity(branches.len());
        for branch in branches {
            alternatives.push(anchored(branch)?);
        }
        Some(Self { alternatives })
    }

    /// The forms.
    pub(crate) fn into_alternatives(self) -> Vec<Alternative> {
        self.alternatives
    }

    /// The only text that has this form, if there is but one.
    pub(crate) fn only(&self) -> Option<&[u8]> {
        match &*self.alternatives {
            [alone] => match &*alone.0 {
                [Part::Literal(text)] => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the regex matches somewhere in the line.
    pub(crate) fn matches(&self, line: &[u8]) -> bool {
        self.alternatives.iter().any(|alternative| alternative.matches(line))
    }
}

/// What the reader knows of a branch before anchors are settled.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    Part(Part),
    Start,
    End,
}

type Branch = Vec<Item>;

/// Anchors stand at the ends, or a regex engine has to look; without them anything may stand before or after.
fn anchored(branch: Branch) -> Option<Alternative> {
    let anything = || Part::Many { class: Class::Octet, least: 0 };
    let start = branch.iter().take_while(|item| **item == Item::Start).count();
    let end = branch.iter().rev().take_while(|item| **item == Item::End).count();
    if start + end > branch.len() {
        return None;
    }
    let inner = branch.len() - start - end;
    let mut parts = Vec::with_capacity(inner + 2);
    if start == 0 {
        parts.push(anything());
    }
    for item in branch.into_iter().skip(start).take(inner) {
        match (item, parts.last_mut()) {
            (Item::Part(Part::Literal(more)), Some(Part::Literal(text))) => {
                *text = [&**text, &*more].concat().into_boxed_slice();
            }
            (Item::Part(part), _) => parts.push(part),
            (Item::Start | Item::End, _) => return None,
        }
    }
    if end == 0 {
        parts.push(anything());
    }
    // What may be anything takes in a `.*` beside it.
    let takes_in = |part: &Part, next: &Part| {
        *part == anything()
            && matches!(next, Part::Many { class: Class::Octet | Class::Any, least: 0 })
    };
    parts.dedup_by(|next, part| {
        let both = takes_in(part, next) || takes_in(next, part);
        if both {
            *part = anything();
        }
        both
    });
    let repeats = parts.iter().filter(|part| matches!(part, Part::Many { .. })).count();
    (repeats <= MOST_REPEATS).then_some(Alternative(parts))
}

/// Reads a regex's text; `None` at the first thing that it does not know.
struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    /// Whether literals are kept; without them the same is read, and answered, in less time.
    keeps: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, octet: u8) -> bool {
        let taken = self.peek() == Some(octet);
        self.at += usize::from(taken);
        taken
    }

    /// Branches up to the end or the closing parenthesis, which is left.
    fn branches(&mut self, depth: u8) -> Option<Vec<Branch>> {
        let mut all = Vec::new();
        loop {
            all.extend(self.branch(depth)?);
            if !self.take(b'|') {
                return Some(all);
            }
        }
    }

    /// One branch; groups and optional parts within make several of it.
    fn branch(&mut self, depth: u8) -> Option<Vec<Branch>> {
        let mut open: Vec<Branch> = vec![Vec::new()];
        while let Some(octet) = self.peek() {
            let item = match octet {
                b'|' | b')' => break,
                b'(' => {
                    open = joined(open, self.group(depth)?)?;
                    continue;
                }
                b'^' => self.anchor(Item::Start)?,
                b'$' => self.anchor(Item::End)?,
                _ => match self.literal_run() {
                    Some(text) => Item::Part(Part::Literal(text)),
                    None => {
                        let (part, may_lack) = self.single()?;
                        let item = Item::Part(part);
                        if may_lack {
                            open = joined(open, vec![vec![item], Vec::new()])?;
                            continue;
                        }
                        item
                    }
                },
            };
            match &mut *open {
                [branch] => branch.push(item),
                many => many.iter_mut().for_each(|branch| branch.push(item.clone())),
            }
        }
        Some(open)
    }

    fn anchor(&mut self, item: Item) -> Option<Item> {
        self.at += 1;
        (!self.at_quantifier()).then_some(item)
    }

    fn at_quantifier(&self) -> bool {
        matches!(self.peek(), Some(b'*' | b'+' | b'?' | b'{'))
    }

    fn group(&mut self, depth: u8) -> Option<Vec<Branch>> {
        if depth == DEEPEST {
            return None;
        }
        self.at += 1;
        if self.take(b'?') && !self.take(b':') {
            return None;
        }
        let mut inner = self.branches(depth + 1)?;
        if !self.take(b')') {
            return None;
        }
        if self.take(b'?') {
            inner.push(Vec::new());
        }
        (!self.at_quantifier()).then_some(inner)
    }

    /// As many literal octets as no quantifier is about.
    fn literal_run(&mut self) -> Option<Box<[u8]>> {
        // As long as an alternative, up to a bound: long literals are seldom anything else.
        let near = &self.text[self.at..self.text.len().min(self.at + MOST_RESERVED)];
        let mut run = match self.keeps {
            true => Vec::with_capacity(memchr::memchr2(b'|', b')', near).unwrap_or(near.len())),
            false => Vec::new(),
        };
        let (mut length, mut last_length) = (0, 1);
        loop {
            let plain = plain_length(&self.text[self.at..]);
            if self.keeps {
                run.extend_from_slice(&self.text[self.at..self.at + plain]);
            }
            self.at += plain;
            length += plain;
            if plain > 0 {
                last_length = 1;
            }
            match self.text.get(self.at..) {
                Some([b'\\', octet, ..]) if escapable(*octet) => {
                    if self.keeps {
                        run.push(*octet);
                    }
                    self.at += 2;
                    length += 1;
                    last_length = 2;
                }
                _ => break,
            }
        }
        if self.at_quantifier() && length > 0 {
            // The last octet is the quantifier's.
            run.pop();
            self.at -= last_length;
            length -= 1;
        }
        (length > 0).then(|| run.into_boxed_slice())
    }

    /// One octet or class with its quantifier, and whether it may lack.
    fn single(&mut self) -> Option<(Part, bool)> {
        let octet = self.peek()?;
        let (one, class, length) = match (octet, self.text.get(self.at + 1)) {
            (b'.', _) => (Part::One(Class::Any), Some(Class::Any), 1),
            (b'\\', Some(b's')) => (Part::One(Class::Space), Some(Class::Space), 2),
            (b'\\', Some(b'S')) => (Part::One(Class::NonSpace), Some(Class::NonSpace), 2),
            (b'\\', Some(octet)) if escapable(*octet) => {
                (Part::Literal(Box::new([*octet])), None, 2)
            }
            (octet, _) if PLAIN[usize::from(octet)] => (Part::Literal(Box::new([octet])), None, 1),
            _ => return None,
        };
        self.at += length;
        let choice = match (self.peek(), class) {
            (Some(b'?'), _) => (one, true),
            (Some(b'*'), Some(class)) => (Part::Many { class, least: 0 }, false),
            (Some(b'+'), Some(class)) => (Part::Many { class, least: 1 }, false),
            (Some(b'*' | b'+' | b'{'), _) => return None,
            _ => return Some((one, false)),
        };
        self.at += 1;
        (!self.at_quantifier()).then_some(choice)
    }
}

/// Every branch so far followed by every choice.
fn joined(mut open: Vec<Branch>, mut choices: Vec<Branch>) -> Option<Vec<Branch>> {
    if let [choice] = &mut *choices {
        match &mut *open {
            [branch] => branch.append(choice),
            many => many.iter_mut().for_each(|branch| branch.extend_from_slice(choice)),
        }
        return Some(open);
    }
    if let [branch] = &*open
        && branch.iter().all(|item| !matches!(item, Item::Part(Part::Literal(_))))
    {
        // A long list of alternatives behind `^` or `^\s*`: nothing of size is copied.
        let behind = |mut choice: Branch| {
            choice.splice(..0, branch.iter().cloned());
            choice
        };
        return Some(choices.into_iter().map(behind).collect());
    }
    if choices.len() > MOST_EXPANSIONS && open.len() > 1
        || open.len() > MOST_EXPANSIONS && choices.len() > 2
    {
        return None;
    }
    Some(
        open.iter()
            .flat_map(|branch| choices.iter().map(|choice| [&**branch, &**choice].concat()))
            .collect(),
    )
}

/// Whether a backslash before it makes it a literal and nothing else.
fn escapable(octet: u8) -> bool {
    octet.is_ascii_punctuation() && !matches!(octet, b'<' | b'>')
}

/// How many octets stand for themselves before one that does not.
fn plain_length(text: &[u8]) -> usize {
    text.iter().take_while(|octet| PLAIN[usize::from(**octet)]).count()
}

/// Octets that stand for themselves.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut octet = 0x20;
    while octet < 0x7f {
        plain[octet] = !matches!(
            octet as u8,
            b'\\'
                | b'.'
                | b'+'
                | b'*'
                | b'?'
                | b'('
                | b')'
                | b'|'
                | b'['
                | b']'
                | b'{'
                | b'}'
                | b'^'
                | b'$'
        );
        octet += 1;
    }
    plain
};
