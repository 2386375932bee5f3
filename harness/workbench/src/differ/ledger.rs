//! What was found so far: differences by their cause, so that one cause is reported once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::known::Known;
use super::request::Request;

/// The names of the two targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sides {
    /// The one that is looked at.
    pub first: String,
    /// The one that it is compared with.
    pub second: String,
}

/// What two targets made of one request, where it is not the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Rules that only the first fired.
    pub first: BTreeSet<u64>,
    /// Rules that only the second fired.
    pub second: BTreeSet<u64>,
    /// Rules that both fired.
    pub both: BTreeSet<u64>,
    /// The statuses of the answers, the first's first, where any of them is a refusal: then the rules that differ
    /// are those that the one came to before it refused the request, and the other did not.
    pub answers: Option<[Option<u16>; 2]>,
}

/// Rules of the Core Rule Set that only sum up what others found: 949, 959 and 980.
fn sums_up(rule: u64) -> bool {
    matches!(rule / 1000, 949 | 959 | 980)
}

/// The backend answers 200, or what a test asks of it.
fn refuses(answer: Option<u16>) -> bool {
    answer.is_none_or(|status| status >= 400)
}

impl Difference {
    /// Of what both fired, and of the statuses with which they answered.
    pub fn between(fired: [&BTreeSet<u64>; 2], answers: [Option<u16>; 2]) -> Self {
        let [first, second] = fired;
        Self {
            first: first.difference(second).copied().collect(),
            second: second.difference(first).copied().collect(),
            both: first.intersection(second).copied().collect(),
            answers: Some(answers).filter(|answers| answers.iter().any(|it| refuses(*it))),
        }
    }

    /// Do both fire the same rules?
    pub fn is_empty(&self) -> bool {
        self.first.is_empty() && self.second.is_empty()
    }

    /// Is any rule on the same side in both?
    pub fn meets(&self, other: &Self) -> bool {
        !self.first.is_disjoint(&other.first) || !self.second.is_disjoint(&other.second)
    }

    /// Is every rule on the same side in the other?
    pub fn is_within(&self, other: &Self) -> bool {
        self.first.is_subset(&other.first) && self.second.is_subset(&other.second)
    }

    /// The rules that the other one has not.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self {
            first: self.first.difference(&other.first).copied().collect(),
            second: self.second.difference(&other.second).copied().collect(),
            both: self.both.clone(),
            answers: self.answers,
        }
    }

    /// Without the rules that only sum up, where there are others.
    #[must_use]
    pub fn causing(&self) -> Self {
        let not_sums = |rules: &BTreeSet<u64>| -> BTreeSet<u64> {
            rules.iter().copied().filter(|rule| !sums_up(*rule)).collect()
        };
        let (first, second) = (not_sums(&self.first), not_sums(&self.second));
        match first.is_empty() && second.is_empty() {
            true => self.clone(),
            false => Self { first, second, ..self.clone() },
        }
    }

    /// In words, with the targets' names.
    pub fn told(&self, sides: &Sides) -> String {
        let Sides { first, second } = sides;
        let status = |status: Option<u16>| status.map_or("nothing".to_owned(), |it| it.to_string());
        let answers = self.answers.map(|[one, other]| {
            format!("{first} answers {}, {second} {}", status(one), status(other))
        });
        let only = |name: &str, rules: &BTreeSet<u64>| {
            let rules: Vec<String> = rules.iter().map(u64::to_string).collect();
            (!rules.is_empty()).then(|| format!("only {name}: {}", rules.join(", ")))
        };
        let told = [answers, only(first, &self.first), only(second, &self.second)];
        told.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

/// `942100-941100` for the name of a file: those of the first, then those of the second, four at most.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.first.iter().chain(&self.second).map(u64::to_string);
        f.write_str(&rules.take(4).collect::<Vec<_>>().join("-"))
    }
}

/// What a smaller request must still be like, to be the same difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    whole: Difference,
    /// At least one of these.
    new: Difference,
}

impl Wanted {
    /// Does a request with that difference differ in the same way, and in no new one?
    pub fn is_met_by(&self, found: &Difference) -> bool {
        let meets = match self.whole.answers {
            Some(_) => !found.is_empty(),
            None => found.meets(&self.new),
        };
        found.answers == self.whole.answers && meets && found.causing().is_within(&self.whole)
    }
}

/// Differences that are taken for one: those whose smallest request differs in the same rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The rules in which the smallest requests differ.
    pub difference: Difference,
    /// How many requests differed in any of these rules on these sides.
    pub requests: u64,
    /// The smallest requests, the first that was found first.
    pub examples: Vec<Request>,
}

impl Cause {
    /// Is it that difference? What both fire beside it does not matter.
    fn is(&self, difference: &Difference) -> bool {
        let of = |it: &Difference| (it.first.clone(), it.second.clone(), it.answers);
        of(&self.difference) == of(difference)
    }

    /// May it be the cause of that difference?
    fn may_explain(&self, difference: &Difference) -> bool {
        self.difference.answers == difference.answers
            && match difference.answers {
                Some(_) => self.difference.is_within(difference),
                None => self.difference.meets(difference),
            }
    }
}

/// What is to be done about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Both agree.
    Same,
    /// They differ only as is listed.
    Known,
    /// They differ in what has been looked into often enough.
    Counted,
    /// It is worth while to make it smaller.
    New(Wanted),
}

/// What is looked into so many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    /// A rule that only the first, or only the second (`true`), fires.
    Rule(u64, bool),
    /// A pair of statuses.
    Answers([Option<u16>; 2]),
}

/// One pair of statuses has more causes than one rule has.
const ANSWERS_ARE_WORTH: usize = 8;

/// All causes of a run.
#[derive(Debug, Clone)]
pub struct Ledger {
    sides: Sides,
    known: Known,
    /// So many smallest requests are looked for of each sort.
    examples: usize,
    looks: BTreeMap<Sort, usize>,
    causes: Vec<Cause>,
    /// Requests that each entry of the list explains something of.
    explained: Vec<u64>,
    differing: u64,
}

impl Ledger {
    /// Nothing is found yet.
    pub fn new(sides: Sides, known: Known, examples: usize) -> Self {
        let explained = vec![0; known.entries().len()];
        let examples = examples.max(1);
        let (looks, causes) = (BTreeMap::new(), Vec::new());
        Self { sides, known, examples, looks, causes, explained, differing: 0 }
    }

    /// Takes down a request's difference.
    pub fn see(&mut self, wire: &[u8], difference: &Difference) -> Seen {
        if difference.is_empty() {
            return Seen::Same;
        }
        self.differing += 1;
        let left = self.unexplained(wire, difference);
        if left.is_empty() {
            return Seen::Known;
        }
        for cause in self.causes.iter_mut().filter(|cause| cause.may_explain(&left)) {
            cause.requests += 1;
        }
        let worth = |sort: &Sort| {
            let times = if matches!(sort, Sort::Answers(_)) { ANSWERS_ARE_WORTH } else { 1 };
            self.looks.get(sort).is_none_or(|looks| *looks < self.examples * times)
        };
        let new: Vec<Sort> = sorts(&left).into_iter().filter(worth).collect();
        if new.is_empty() {
            return Seen::Counted;
        }
        for sort in &new {
            *self.looks.entry(*sort).or_default() += 1;
        }
        let has = |rule: u64, second| new.contains(&Sort::Rule(rule, second));
        let new = Difference {
            first: left.first.iter().copied().filter(|rule| has(*rule, false)).collect(),
            second: left.second.iter().copied().filter(|rule| has(*rule, true)).collect(),
            ..left
        };
        Seen::New(Wanted { whole: difference.clone(), new })
    }

    /// What of it is not listed, without the rules that only sum up.
    fn unexplained(&mut self, wire: &[u8], difference: &Difference) -> Difference {
        let (left, entries) = self.known.explain(&self.sides, wire, &difference.causing());
        for entry in entries {
            self.explained[entry] += 1;
        }
        left
    }

    /// Takes down a smallest request; `false` if it says nothing new.
    pub fn found(&mut self, request: Request, difference: &Difference) -> bool {
        let left = self.unexplained(&request.wire(), difference);
        if left.is_empty() {
            return false;
        }
        match self.causes.iter_mut().find(|cause| cause.is(&left)) {
            Some(cause) => {
                if cause.examples.len() >= self.examples || cause.examples.contains(&request) {
                    return false;
                }
                cause.examples.push(request);
            }
            None => {
                self.causes.push(Cause { difference: left, requests: 1, examples: vec![request] });
            }
        }
        true
    }

    /// The causes in the order in which they were found.
    pub fn causes(&self) -> &[Cause] {
        &self.causes
    }

    /// The names of the two.
    pub fn sides(&self) -> &Sides {
        &self.sides
    }

    /// How many requests differed, also as is listed.
    pub fn differing(&self) -> u64 {
        self.differing
    }

    /// The reasons of the list, and how many requests each explains something of.
    pub fn explained(&self) -> impl Iterator<Item = (&str, u64)> {
        let reasons = self.known.entries().iter().map(|entry| entry.reason.as_str());
        reasons.zip(self.explained.iter().copied())
    }
}

/// What a difference is counted as: its answers where they differ, else each of its rules.
fn sorts(difference: &Difference) -> Vec<Sort> {
    if let Some(answers) = difference.answers {
        return vec![Sort::Answers(answers)];
    }
    let first = difference.first.iter().map(|rule| Sort::Rule(*rule, false));
    first.chain(difference.second.iter().map(|rule| Sort::Rule(*rule, true))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Corpus, Generator};
    use super::*;

    fn difference(first: &[u64], second: &[u64]) -> Difference {
        let set = |ids: &[u64]| ids.iter().copied().collect();
        Difference { first: set(first), second: set(second), ..Difference::default() }
    }

    fn sides() -> Sides {
        Sides { first: "a".into(), second: "b".into() }
    }

    fn refused(first: &[u64]) -> Difference {
        Difference { answers: Some([Some(200), Some(400)]), ..difference(first, &[]) }
    }

    fn wanted(seen: Seen) -> Wanted {
        let Seen::New(wanted) = seen else { panic!("{seen:?}") };
        wanted
    }

    #[test]
    fn a_difference_is_of_sides() {
        let set = |ids: &[u64]| ids.iter().copied().collect::<BTreeSet<_>>();
        let same = [Some(200), Some(200)];
        let found = Difference::between([&set(&[1, 2, 3]), &set(&[2, 4])], same);
        assert_eq!(found, Difference { both: set(&[2]), ..difference(&[1, 3], &[4]) });
        assert_eq!(found.told(&sides()), "only a: 1, 3; only b: 4");
        assert_eq!(found.to_string(), "1-3-4");
        assert!(found.meets(&difference(&[3], &[])) && !found.meets(&difference(&[4], &[3])));
        assert_eq!(found.without(&difference(&[1], &[1])).told(&sides()), "only a: 3; only b: 4");
        let refuses = Difference::between([&set(&[1]), &set(&[])], [Some(200), None]);
        assert_eq!(refuses.told(&sides()), "a answers 200, b nothing; only a: 1");
    }

    #[test]
    fn what_only_sums_up_counts_only_where_it_is_all_there_is() {
        assert_eq!(difference(&[1, 949_110], &[980_130]).causing(), difference(&[1], &[]));
        let sums = difference(&[949_110], &[959_100]);
        assert_eq!(sums.causing(), sums);
    }

    #[test]
    fn a_rule_is_looked_into_so_many_times() {
        let mut generator = Generator::new(1, Corpus::default());
        let mut ledger = Ledger::new(sides(), Known::default(), 2);
        assert_eq!(ledger.see(b"", &difference(&[], &[])), Seen::Same);
        let one = difference(&[1], &[]);
        for _ in 0..2 {
            wanted(ledger.see(b"", &one));
            let request = generator.next_request();
            assert!(ledger.found(request.clone(), &one));
            assert!(!ledger.found(request, &one), "the same again says nothing new");
        }
        let both = wanted(ledger.see(b"", &difference(&[1, 2], &[])));
        // Of the first there are enough, of the second none.
        assert!(
            both.is_met_by(&difference(&[1, 2], &[])) && both.is_met_by(&difference(&[2], &[]))
        );
        assert!(!both.is_met_by(&one), "that is not what is looked for");
        assert!(!both.is_met_by(&difference(&[2, 3], &[])), "that is another difference");
        assert!(!both.is_met_by(&refused(&[2])), "that is a refusal");
        assert_eq!(ledger.see(b"", &one), Seen::Counted);
        let counts: Vec<_> =
            ledger.causes().iter().map(|it| (it.requests, it.examples.len())).collect();
        assert_eq!((counts, ledger.differing()), (vec![(4, 2)], 4));
    }

    #[test]
    fn a_refusal_is_another_cause_than_a_rule() {
        let request = Generator::new(1, Corpus::default()).next_request();
        let mut ledger = Ledger::new(sides(), Known::default(), 1);
        let refusal = wanted(ledger.see(b"", &refused(&[1, 2])));
        assert!(refusal.is_met_by(&refused(&[2])) && !refusal.is_met_by(&difference(&[2], &[])));
        assert!(ledger.found(request, &refused(&[2])));
        wanted(ledger.see(b"", &difference(&[2], &[])));
        assert_eq!(ledger.causes()[0].requests, 1);
        ledger.see(b"", &refused(&[2, 3]));
        assert_eq!(ledger.causes()[0].requests, 2);
    }
}
