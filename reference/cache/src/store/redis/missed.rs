//! Removals that could not be carried out: they are owed, and until they are done nothing is read of
//! what they cover.

use std::collections::HashSet;
use std::rc::Rc;

use crate::store::Pattern;

/// URLs remembered one by one; more of them cost the whole store.
const MOST: usize = 10_000;

/// What is to be removed.
#[derive(Clone, Debug)]
pub(super) enum Removal {
    /// Every response of a URL.
    Url(Box<[u8]>),
    /// Every response whose URL matches what is for more than one.
    Matching(Box<Pattern>),
    /// Every response.
    Everything,
}

impl Removal {
    fn covers(&self, url: &[u8]) -> bool {
        match self {
            Self::Url(own) => **own == *url,
            Self::Matching(pattern) => pattern.matches(url),
            Self::Everything => true,
        }
    }
}

/// The removals that are owed.
#[derive(Debug, Default)]
pub(super) struct Missed {
    urls: HashSet<Box<[u8]>>,
    patterns: Vec<Pattern>,
    everything: bool,
    /// Those that are being carried out.
    underway: Vec<Rc<Removal>>,
}

impl Missed {
    pub(super) fn add(&mut self, removal: Removal) {
        match removal {
            _ if self.everything => {}
            Removal::Url(url) => {
                self.urls.insert(url);
            }
            Removal::Matching(pattern) => self.patterns.push(*pattern),
            Removal::Everything => self.everything = true,
        }
        // A pattern costs a walk over all keys, as everything does.
        self.everything |= self.urls.len() > MOST || self.patterns.len() > MOST / 100;
        if self.everything {
            self.urls = HashSet::new();
            self.patterns = Vec::new();
        }
    }

    /// The next one to be done; it is owed until it has [`Self::ended`].
    pub(super) fn begin(&mut self) -> Option<Rc<Removal>> {
        let removal = Rc::new(self.take()?);
        self.underway.push(Rc::clone(&removal));
        Some(removal)
    }

    fn take(&mut self) -> Option<Removal> {
        if std::mem::take(&mut self.everything) {
            return Some(Removal::Everything);
        }
        if let Some(pattern) = self.patterns.pop() {
            return Some(Removal::Matching(Box::new(pattern)));
        }
        let url = self.urls.iter().next()?.clone();
        self.urls.take(&url).map(Removal::Url)
    }

    /// One that was begun is carried out no more. It has to be added again if it is not done.
    pub(super) fn ended(&mut self, removal: &Rc<Removal>) {
        self.underway.retain(|other| !Rc::ptr_eq(other, removal));
    }

    /// Whether what is held of this URL is to be removed yet.
    pub(super) fn covers(&self, url: &[u8]) -> bool {
        self.everything
            || self.urls.contains(url)
            || self.patterns.iter().any(|pattern| pattern.matches(url))
            || self.underway.iter().any(|removal| removal.covers(url))
    }

    /// How many are owed.
    pub(super) fn len(&self) -> usize {
        let untouched = self.urls.len() + self.patterns.len() + usize::from(self.everything);
        untouched + self.underway.len()
    }
}

#[cfg(test)]
mod tests {
    use edgeproof_http1::Fields;

    use super::*;
    use crate::{Purge, Request, Scheme};

    fn url(number: usize) -> Removal {
        Removal::Url(number.to_string().into_bytes().into())
    }

    fn pattern(number: usize) -> Removal {
        let target = format!("/{number}*");
        let request = Request {
            method: b"PURGE",
            scheme: Scheme::Http,
            authority: b"a.test",
            target: target.as_bytes(),
            fields: &Fields::new(),
        };
        Removal::Matching(Box::new(Pattern::new(Purge::Wildcard, &request)))
    }

    #[test]
    fn what_is_owed_is_taken_once() {
        let mut missed = Missed::default();
        missed.add(url(1));
        missed.add(url(1));
        assert!(matches!(missed.take(), Some(Removal::Url(_))));
        assert!(missed.len() == 0 && missed.take().is_none());
    }

    #[test]
    fn what_is_owed_covers_its_urls_until_it_is_done() {
        let mut missed = Missed::default();
        let one = b"http://a.test/1";
        missed.add(Removal::Url(Box::new(*one)));
        missed.add(pattern(2));
        for _ in 0..2 {
            assert_eq!(missed.len(), 2);
            assert!(missed.covers(one) && missed.covers(b"http://a.test/22"));
            assert!(!missed.covers(b"http://a.test/3"));
            missed.begin().expect("one of two");
        }
        let begun = missed.underway.clone();
        begun.iter().for_each(|removal| missed.ended(removal));
        assert!(missed.len() == 0 && !missed.covers(one) && !missed.covers(b"http://a.test/22"));
    }

    #[test]
    fn too_many_cost_everything() {
        let mut missed = Missed::default();
        (0..MOST).for_each(|number| missed.add(url(number)));
        assert_eq!(missed.len(), MOST);
        missed.add(url(MOST));
        assert_eq!(missed.len(), 1);
        // What everything takes in is no more.
        missed.add(url(0));
        missed.add(pattern(0));
        assert_eq!(missed.len(), 1);
        assert!(matches!(missed.take(), Some(Removal::Everything)));
        assert!(missed.take().is_none());
    }

    #[test]
    fn too_many_patterns_too() {
        let mut missed = Missed::default();
        (0..MOST / 100).for_each(|number| missed.add(pattern(number)));
        missed.add(url(1));
        assert_eq!(missed.len(), MOST / 100 + 1);
        assert!(matches!(missed.take(), Some(Removal::Matching(_))));
        missed.add(pattern(0));
        missed.add(pattern(0));
        assert_eq!(missed.len(), 1);
        assert!(matches!(missed.take(), Some(Removal::Everything)));
        assert!(missed.take().is_none());
    }
}
