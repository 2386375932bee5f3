//! Finds texts of which each match of a pattern must hold at least one, so that most values need not be matched.
//!
//! Texts are in lower case and stand for any case: the prefilter that looks for them does not tell cases apart.

use crate::operator::byte_set::ByteSet;
use memchr::memmem;

use super::syntax::{Node, Repeat};

/// Sets of texts beyond this are of no use to a prefilter.
const MOST: usize = 512;
/// What a text is at most; a start of it says nearly as much.
const LONGEST: usize = 16;
/// How often a set may be found in ordinary values and still be worth looking for, as `cost` reckons.
const DEAREST: f32 = 0.9;

/// Texts of which every match holds one; `None` where nothing can be said that is worth looking for.
pub(super) fn required(node: &Node) -> Option<Vec<Box<[u8]>>> {
    let mut best = shortest(facts(node).best()?);
    if cost(&best) > DEAREST {
        return None;
    }
    best.sort_unstable();
    Some(best.into_iter().map(Vec::into_boxed_slice).collect())
}

type Texts = Vec<Vec<u8>>;

/// What is known of the matches of a piece of a pattern.
#[derive(Default)]
struct Facts {
    /// All of them, where they are few.
    all: Option<Texts>,
    /// Texts of which each holds one.
    one_of: Option<Texts>,
}

impl Facts {
    fn all(texts: Texts) -> Self {
        Self { all: Some(texts), one_of: None }
    }

    /// The set that is least often found in vain.
    fn best(self) -> Option<Texts> {
        cheaper(self.all.and_then(useful), self.one_of)
    }
}

fn facts(node: &Node) -> Facts {
    match node {
        Node::Empty | Node::Assert(_) | Node::Look(_) | Node::Keep => Facts::all(vec![Vec::new()]),
        Node::Set(set) => of_set(*set),
        Node::Backreference { .. } => Facts::default(),
        Node::Capture(_, node) | Node::Atomic(node) => facts(node),
        Node::Alternate(branches) => of_alternatives(branches),
        Node::Concat(items) => of_sequence(items.iter().map(facts)),
        Node::Repeat(repeat) => of_repetition(repeat),
    }
}

fn of_set(set: ByteSet) -> Facts {
    // Beyond some sixteen bytes a position tells little.
    if set.len() > 32 {
        return Facts::default();
    }
    let mut texts: Texts = set.bytes().map(|byte| vec![byte.to_ascii_lowercase()]).collect();
    texts.sort_unstable();
    texts.dedup();
    if texts.len() > 16 { Facts::default() } else { Facts::all(texts) }
}

fn of_alternatives(branches: &[Node]) -> Facts {
    let mut all = Some(Texts::new());
    let mut one_of = Some(Texts::new());
    for branch in branches {
        let facts = facts(branch);
        all = all.zip(facts.all.as_ref()).and_then(|(mut all, more)| {
            all.extend_from_slice(more);
            (all.len() <= MOST).then_some(all)
        });
        one_of = one_of.zip(facts.best()).and_then(|(mut one_of, more)| {
            one_of.extend(more);
            (one_of.len() <= MOST).then_some(one_of)
        });
        if all.is_none() && one_of.is_none() {
            break;
        }
    }
    let all = all.map(distinct).filter(|all| all.len() <= MOST);
    Facts { all, one_of: one_of.and_then(useful) }
}

fn of_sequence(items: impl Iterator<Item = Facts>) -> Facts {
    // All texts of the pieces since the last of which not all are known.
    let mut run: Texts = vec![Vec::new()];
    let mut whole = true;
    let mut one_of = None;
    for item in items {
        let joined = item.all.as_ref().and_then(|all| product(&run, all));
        if let Some(joined) = joined {
            run = joined;
            continue;
        }
        whole = false;
        one_of = cheaper(one_of, useful(std::mem::take(&mut run)));
        one_of = cheaper(one_of, item.one_of);
        run = item.all.unwrap_or_else(|| vec![Vec::new()]);
    }
    if whole {
        return Facts::all(run);
    }
    Facts { all: None, one_of: cheaper(one_of, useful(run)) }
}

fn of_repetition(repeat: &Repeat) -> Facts {
    let body = facts(&repeat.node);
    match (repeat.min, repeat.max) {
        (0, Some(1)) => {
            let all = body.all.map(|mut all| {
                all.push(Vec::new());
                distinct(all)
            });
            Facts { all, one_of: None }
        }
        (0, _) => Facts::default(),
        (min, max) => {
            // The first rounds are all there; four of them tell enough.
            let rounds = min.min(4);
            let all = body.all.clone();
            let exact = max == Some(rounds);
            let end = if exact { None } else { Some(Facts::default()) };
            let one_of = body.best();
            let rounds = (0..rounds).map(|_| Facts { all: all.clone(), one_of: one_of.clone() });
            of_sequence(rounds.chain(end))
        }
    }
}

/// Each of the first followed by each of the second, if those are not too many.
fn product(first: &[Vec<u8>], second: &[Vec<u8>]) -> Option<Texts> {
    let count = first.len().checked_mul(second.len())?;
    let longest = |texts: &[Vec<u8>]| texts.iter().map(Vec::len).max().unwrap_or(0);
    // A single long text is fine, many are not.
    if count > MOST || count > 1 && longest(first) + longest(second) > 64 {
        return None;
    }
    Some(first.iter().flat_map(|a| second.iter().map(move |b| [&a[..], b].concat())).collect())
}

/// The texts without repetitions.
fn distinct(mut texts: Texts) -> Texts {
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// The set as one to look for: without repetitions, texts cut to length. `None` where one of them is empty, as that
/// is found everywhere, or where they are too many.
fn useful(mut texts: Texts) -> Option<Texts> {
    for text in &mut texts {
        text.truncate(LONGEST);
    }
    let texts = distinct(texts);
    let empty = texts.first().is_none_or(Vec::is_empty);
    (!empty && texts.len() <= MOST).then_some(texts)
}

/// The set without texts that hold another one of it.
fn shortest(mut texts: Texts) -> Texts {
    texts.sort_by_key(Vec::len);
    let mut kept = Texts::new();
    for text in texts {
        if !kept.iter().any(|short| memmem::find(&text, short).is_some()) {
            kept.push(text);
        }
    }
    kept
}

fn cheaper(first: Option<Texts>, second: Option<Texts>) -> Option<Texts> {
    match (first, second) {
        (Some(first), Some(second)) => {
            Some(if cost(&first) <= cost(&second) { first } else { second })
        }
        (first, second) => first.or(second),
    }
}

/// Roughly how likely it is that an ordinary value of some thirty bytes holds one of the texts.
fn cost(texts: &[Vec<u8>]) -> f32 {
    texts.iter().map(|text| 30.0 * text.iter().map(|byte| frequency(*byte)).product::<f32>()).sum()
}

/// How often a byte stands in ordinary requests, letters of either case taken together.
pub(super) fn frequency(byte: u8) -> f32 {
    match byte {
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 0.06,
        b'h' | b'l' | b'd' | b'c' | b'u' | b'm' => 0.03,
        b'a'..=b'z' => 0.015,
        b' ' => 0.08,
        b'0'..=b'9' => 0.02,
        b'/' | b'.' | b'-' | b'_' | b',' => 0.01,
        b'=' | b';' | b':' | b'&' | b'%' | b'+' | b'*' | b'(' | b')' | b'"' | b'\'' => 0.003,
        0x80.. => 0.003,
        _ => 0.0008,
    }
}
