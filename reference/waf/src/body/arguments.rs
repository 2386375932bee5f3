//! Ordered names and values in one arena, and the arguments of a request made of them.

/// Where a parser puts the names and values that it reads.
pub trait Pairs {
    /// Adds a pair whose bytes the closures append, the name first.
    ///
    /// # Errors
    /// [`Full`] where the limit is reached; the closures have not run then.
    fn add_with(
        &mut self,
        name: impl FnOnce(&mut Vec<u8>),
        value: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Full>;

    /// Adds a pair.
    ///
    /// # Errors
    /// [`Full`] where the limit is reached.
    fn add(&mut self, name: &[u8], value: &[u8]) -> Result<(), Full> {
        self.add_with(|out| out.extend_from_slice(name), |out| out.extend_from_slice(value))
    }
}

/// No more arguments are taken: SecArgumentsLimit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("SecArgumentsLimit exceeded")]
pub struct Full;

/// A name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The name, decoded.
    pub name: &'a [u8],
    /// The value, decoded.
    pub value: &'a [u8],
}

/// Names and values in the order in which they were read; names may repeat. All bytes lie in one
/// arena.
#[derive(Debug, Clone, Default)]
pub struct PairList {
    bytes: Vec<u8>,
    ends: Vec<Ends>,
}

/// Where a pair's name and value end in the arena; it starts where the one before ends.
#[derive(Debug, Clone, Copy)]
struct Ends {
    name: usize,
    value: usize,
}

impl PairList {
    /// The number of pairs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The pair at `index`, counted from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Pair<'_>> {
        let ends = self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1].value };
        Some(Pair {
            name: &self.bytes[start..ends.name],
            value: &self.bytes[ends.name..ends.value],
        })
    }

    /// All pairs in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Pair<'_>> + '_ {
        let mut start = 0;
        self.ends.iter().map(move |ends| {
            let from = std::mem::replace(&mut start, ends.value);
            Pair { name: &self.bytes[from..ends.name], value: &self.bytes[ends.name..ends.value] }
        })
    }

    /// The pairs of that name, the case of ASCII letters ignored.
    pub fn named<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = Pair<'a>> + 'a {
        self.iter().filter(move |pair| pair.name.eq_ignore_ascii_case(name))
    }

    /// The bytes of all names and values together.
    #[must_use]
    pub fn combined_size(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets all pairs and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

impl Pairs for PairList {
    fn add_with(
        &mut self,
        name: impl FnOnce(&mut Vec<u8>),
        value: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Full> {
        name(&mut self.bytes);
        let name = self.bytes.len();
        value(&mut self.bytes);
        self.ends.push(Ends { name, value: self.bytes.len() });
        Ok(())
    }
}

/// Whence an argument comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The query of the request target: ARGS_GET.
    Get,
    /// The body, of whatever kind: ARGS_POST.
    Post,
}

/// An argument of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument<'a> {
    /// The name, decoded.
    pub name: &'a [u8],
    /// The value, decoded.
    pub value: &'a [u8],
    /// Whence it comes.
    pub origin: Origin,
}

/// The arguments of a request: those of the query, then those of the body (ARGS).
#[derive(Debug, Clone)]
pub struct Arguments {
    get: PairList,
    post: PairList,
    limit: usize,
    refused: bool,
}

impl Arguments {
    /// No arguments yet, and `limit` (SecArgumentsLimit) at most.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { get: PairList::default(), post: PairList::default(), limit, refused: false }
    }

    /// Those of the query: ARGS_GET.
    #[must_use]
    pub fn get(&self) -> &PairList {
        &self.get
    }

    /// Those of the body: ARGS_POST.
    #[must_use]
    pub fn post(&self) -> &PairList {
        &self.post
    }

    /// All in order: ARGS.
    pub fn iter(&self) -> impl Iterator<Item = Argument<'_>> + '_ {
        let with = |origin| move |Pair { name, value }| Argument { name, value, origin };
        self.get.iter().map(with(Origin::Get)).chain(self.post.iter().map(with(Origin::Post)))
    }

    /// All of that name, the case of ASCII letters ignored: `ARGS:name`.
    pub fn named<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = Argument<'a>> + 'a {
        self.iter().filter(move |argument| argument.name.eq_ignore_ascii_case(name))
    }

    /// The number of arguments.
    #[must_use]
    pub fn len(&self) -> usize {
        self.get.len() + self.post.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// ARGS_COMBINED_SIZE: the bytes of all names and values together.
    #[must_use]
    pub fn combined_size(&self) -> usize {
        self.get.combined_size() + self.post.combined_size()
    }

    /// Whether an argument was left out because of the limit, which is an error of the request's
    /// body (REQBODY_ERROR) even where the argument was one of the query.
    #[must_use]
    pub fn limit_exceeded(&self) -> bool {
        self.refused
    }

    /// Where a parser puts arguments of that origin.
    pub fn adding(&mut self, origin: Origin) -> Adding<'_> {
        Adding { arguments: self, origin }
    }

    /// Forgets all arguments and keeps the memory.
    pub fn clear(&mut self) {
        self.get.clear();
        self.post.clear();
        self.refused = false;
    }
}

/// Puts pairs among the arguments of a request, up to their limit.
#[derive(Debug)]
pub struct Adding<'a> {
    arguments: &'a mut Arguments,
    origin: Origin,
}

impl Pairs for Adding<'_> {
    fn add_with(
        &mut self,
        name: impl FnOnce(&mut Vec<u8>),
        value: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Full> {
        if self.arguments.len() >= self.arguments.limit {
            self.arguments.refused = true;
            return Err(Full);
        }
        match self.origin {
            Origin::Get => self.arguments.get.add_with(name, value),
            Origin::Post => self.arguments.post.add_with(name, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_keep_their_order_and_their_duplicates() {
        let mut list = PairList::default();
        for (name, value) in [("b", "1"), ("a", ""), ("B", "2"), ("", "3")] {
            list.add(name.as_bytes(), value.as_bytes()).unwrap();
        }
        let read: Vec<_> = list.iter().map(|pair| (pair.name, pair.value)).collect();
        let wanted: [(&[u8], &[u8]); 4] = [(b"b", b"1"), (b"a", b""), (b"B", b"2"), (b"", b"3")];
        assert_eq!(read, wanted);
        assert_eq!(list.get(2), Some(Pair { name: b"B", value: b"2" }));
        assert_eq!(list.get(4), None);
        assert_eq!(list.combined_size(), 6);
        assert_eq!(list.named(b"b").map(|pair| pair.value).collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(list.named(b"").count(), 1);
    }

    #[test]
    fn arguments_of_the_query_come_first_and_the_limit_holds_for_both() {
        let mut arguments = Arguments::new(3);
        arguments.adding(Origin::Post).add(b"x", b"post").unwrap();
        arguments.adding(Origin::Get).add(b"X", b"get").unwrap();
        arguments.adding(Origin::Get).add(b"y", b"").unwrap();
        assert!(!arguments.limit_exceeded());
        let untouched = |_: &mut Vec<u8>| panic!("nothing is written beyond the limit");
        assert_eq!(arguments.adding(Origin::Post).add_with(untouched, untouched), Err(Full));
        assert!(arguments.limit_exceeded());
        assert_eq!(arguments.len(), 3);
        assert_eq!(arguments.combined_size(), 10);
        let found: Vec<_> = arguments.named(b"x").map(|one| (one.value, one.origin)).collect();
        assert_eq!(found, [(&b"get"[..], Origin::Get), (&b"post"[..], Origin::Post)]);
        arguments.clear();
        assert!(arguments.is_empty() && !arguments.limit_exceeded());
    }
}
