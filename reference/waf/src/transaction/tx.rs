//! TX: the variables of one transaction.
//!
//! Nearly all their names stand in the rules, so each of those has a slot, found when the rules are
//! loaded; names that are made of values while rules run are kept beside them. Case is ignored.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use smallvec::SmallVec;

use super::places::Places;
use super::ready::Ready;
use super::texts::{Text, Texts};

/// The place of a name that stands in the rules. The first ten are the captured groups, `0` to `9`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot(u32);

/// The number of slots for captured groups: TX:0 to TX:9.
pub(crate) const CAPTURES: usize = 10;

impl Slot {
    /// TX:0 to TX:9.
    pub(crate) fn capture(group: usize) -> Self {
        debug_assert!(group < CAPTURES);
        Self(group as u32)
    }

    /// Its number, from 0.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The names of TX that stand in the rules, as they are first spelled there.
#[derive(Debug)]
pub(crate) struct Names {
    /// By hash, those of the captured groups excepted; the few that share one are told apart by their names.
    slots: HashMap<u64, SmallVec<[Slot; 1]>, BuildHasherDefault<Ready>>,
    spelled: Vec<Box<[u8]>>,
}

impl Names {
    /// Those of the captured groups.
    pub(crate) fn new() -> Self {
        let groups = (0..CAPTURES).map(|group| group.to_string().into_bytes().into());
        Self { slots: HashMap::default(), spelled: groups.collect() }
    }

    /// The slot of a name, made where there is none yet.
    pub(crate) fn intern(&mut self, name: &[u8]) -> Slot {
        if let Some(slot) = self.get(name) {
            return slot;
        }
        let slot =
            Slot(u32::try_from(self.spelled.len()).expect("fewer names than bytes of rules"));
        self.slots.entry(hash(name)).or_default().push(slot);
        self.spelled.push(name.into());
        slot
    }

    /// The slot of a name.
    pub(crate) fn get(&self, name: &[u8]) -> Option<Slot> {
        // Most macros are of captured groups.
        if let [digit @ b'0'..=b'9'] = name {
            return Some(Slot::capture(usize::from(digit - b'0')));
        }
        let mut slots = self.slots.get(&hash(name))?.iter();
        // It is nearly always spelled the same way, and that is seen sooner.
        let is_it = |spelled: &[u8]| spelled == name || spelled.eq_ignore_ascii_case(name);
        slots.find(|slot| is_it(self.name(**slot))).copied()
    }

    /// The name of a slot.
    pub(crate) fn name(&self, slot: Slot) -> &[u8] {
        &self.spelled[slot.index()]
    }

    /// All names with their slots.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &[u8])> {
        (0..).map(Slot).zip(self.spelled.iter().map(AsRef::as_ref))
    }

    /// The number of slots.
    pub(crate) fn len(&self) -> usize {
        self.spelled.len()
    }
}

/// A hash of a name, case ignored: names that share one are compared. Only names of the rules are
/// looked up by it.
fn hash(name: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    const CASE: u64 = 0x2020_2020_2020_2020;
    let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ (word | CASE)).wrapping_mul(FACTOR);
    let (words, rest) = name.as_chunks::<8>();
    let hash = name.len() as u64;
    let hash = words.iter().fold(hash, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let hash = mix(hash, u64::from_le_bytes(last));
    hash ^ hash >> 29
}

/// The variables that are set.
#[derive(Debug)]
pub(crate) struct TxVars {
    slots: Vec<Option<Text>>,
    /// The slots, captured groups excepted, in the order in which they were first set.
    order: Vec<Entry>,
    ordered: Vec<bool>,
    /// Where a name without a slot stands in `others`.
    places: Places,
    others: Vec<Other>,
}

#[derive(Clone, Copy, Debug)]
enum Entry {
    Slot(Slot),
    Other(usize),
}

#[derive(Debug)]
struct Other {
    name: Text,
    value: Option<Text>,
}

/// How a variable of TX is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TxName {
    /// By a name of the rules.
    Slot(Slot),
    /// By this.
    Other(Text),
}

impl TxVars {
    /// None set.
    pub(crate) fn new(names: &Names) -> Self {
        Self {
            slots: vec![None; names.len()],
            order: Vec::with_capacity(names.len()),
            ordered: vec![false; names.len()],
            places: Places::default(),
            others: Vec::new(),
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        let Self { slots, order, ordered, places, others } = self;
        slots.fill(None);
        order.clear();
        ordered.fill(false);
        places.clear();
        others.clear();
    }

    /// The value in a slot.
    #[inline]
    pub(crate) fn get(&self, slot: Slot) -> Option<Text> {
        self.slots[slot.index()]
    }

    /// The value of that name.
    pub(crate) fn get_named(&self, name: &[u8], names: &Names, texts: &Texts) -> Option<Text> {
        match names.get(name) {
            Some(slot) => self.get(slot),
            None => self.others[self.place(name, texts)?].value,
        }
    }

    fn place(&self, name: &[u8], texts: &Texts) -> Option<usize> {
        self.places.find(name, self.others.len(), |place| texts.get(self.others[place].name))
    }

    /// Sets or, with None, removes what is in a slot.
    pub(crate) fn set(&mut self, slot: Slot, value: Option<Text>) {
        let index = slot.index();
        self.slots[index] = value;
        if value.is_some() && !self.ordered[index] && index >= CAPTURES {
            self.ordered[index] = true;
            self.order.push(Entry::Slot(slot));
        }
    }

    /// Sets or, with None, removes the variable of that name.
    pub(crate) fn set_named(
        &mut self,
        name: &[u8],
        value: Option<Text>,
        names: &Names,
        texts: &mut Texts,
    ) {
        if let Some(slot) = names.get(name) {
            return self.set(slot, value);
        }
        if let Some(place) = self.place(name, texts) {
            self.others[place].value = value;
        } else if value.is_some() {
            self.order.push(Entry::Other(self.others.len()));
            self.others.push(Other { name: texts.add(name), value });
        }
    }

    /// Those that are set and whose names do not stand in the rules, in the order of first setting.
    pub(crate) fn others(&self) -> impl Iterator<Item = (Text, Text)> + '_ {
        self.others.iter().filter_map(|&Other { name, value }| Some((name, value?)))
    }

    /// All that are set, in the order of first setting; captured groups come last.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (TxName, Text)> + '_ {
        let ordered = self.order.iter().filter_map(|&entry| match entry {
            Entry::Slot(slot) => Some((TxName::Slot(slot), self.get(slot)?)),
            Entry::Other(place) => {
                let Other { name, value } = &self.others[place];
                Some((TxName::Other(*name), (*value)?))
            }
        });
        let captures = (0..CAPTURES).filter_map(|group| {
            let slot = Slot::capture(group);
            Some((TxName::Slot(slot), self.get(slot)?))
        });
        ordered.chain(captures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_rules_and_others_are_found_in_any_case() {
        let mut names = Names::new();
        let score = names.intern(b"Anomaly_Score");
        assert_eq!(names.intern(b"anomaly_SCORE"), score);
        assert_eq!(names.name(score), b"Anomaly_Score");
        assert_eq!(names.intern(b"3"), Slot::capture(3));
        let mut texts = Texts::new(0);
        let mut tx = TxVars::new(&names);
        let [five, six, seven] = [b"5", b"6", b"7"].map(|text| texts.add(text));
        tx.set(Slot::capture(0), Some(seven));
        tx.set_named(b"Other", Some(five), &names, &mut texts);
        tx.set_named(b"ANOMALY_score", Some(six), &names, &mut texts);
        assert_eq!(tx.get(score), Some(six));
        assert_eq!(tx.get_named(b"oTHER", &names, &texts), Some(five));
        assert_eq!(tx.get_named(b"0", &names, &texts), Some(seven));
        assert_eq!(tx.get_named(b"1", &names, &texts), None);
        assert_eq!(tx.get_named(b"unknown", &names, &texts), None);
        let all: Vec<_> = tx.iter().map(|(_, value)| texts.get(value)).collect();
        assert_eq!(all, [b"5", b"6", b"7"]);
    }

    #[test]
    fn what_is_removed_is_gone_and_can_come_back() {
        let mut names = Names::new();
        let slot = names.intern(b"a");
        let mut texts = Texts::new(0);
        let value = texts.add(b"1");
        let mut tx = TxVars::new(&names);
        for name in [b"a", b"b"] {
            tx.set_named(name, Some(value), &names, &mut texts);
            tx.set_named(name, None, &names, &mut texts);
            assert_eq!(tx.get_named(name, &names, &texts), None);
        }
        assert_eq!(tx.iter().count(), 0);
        tx.set_named(b"never", None, &names, &mut texts);
        for name in [b"b", b"a"] {
            tx.set_named(name, Some(value), &names, &mut texts);
        }
        let all: Vec<_> = tx.iter().map(|(name, _)| name).collect();
        assert_eq!(all[0], TxName::Slot(slot));
        assert!(matches!(all[1], TxName::Other(name) if texts.get(name) == b"b"));
        assert_eq!(all.len(), 2);
    }
}
