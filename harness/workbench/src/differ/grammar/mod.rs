//! Requests from a grammar, and from seeds that are changed.
//!
//! Every request says `Connection: close`, and nothing in it can become a second one.

mod bodies;
mod disguise;
mod fragments;
mod heads;
mod mutate;
mod texts;

use super::random::Random;
use super::request::{Body, Content, Framing, Request};
use super::seeds::Corpus;

/// Makes requests, without end. The same seed and the same corpus make the same.
#[derive(Debug, Clone)]
pub struct Generator {
    random: Random,
    corpus: Corpus,
}

impl Generator {
    /// With a corpus, every second request is one of it, changed.
    pub fn new(seed: u64, corpus: Corpus) -> Self {
        Self { random: Random::new(seed), corpus }
    }

    /// The next one.
    pub fn next_request(&mut self) -> Request {
        if !self.corpus.requests.is_empty() && self.random.one_in(2) {
            return self.changed_seed();
        }
        let body = if self.random.one_in(2) { self.body() } else { no_body() };
        let method = self.method(body.content != Content::Nothing);
        let usual = !self.random.one_in(20);
        Request {
            method,
            path: self.path(),
            query: self.query(),
            version: self.version(),
            host: self.host(),
            usual,
            fields: self.fields(usual),
            cookies: self.cookies(),
            framing: self.framing(body.content != Content::Nothing),
            body,
        }
    }

    /// Right, but once in a while.
    fn framing(&mut self, has_content: bool) -> Framing {
        match (has_content, self.random.below(60)) {
            (false, 0..10) => Framing::EvenNothing,
            (true, 0..6) => Framing::Chunked(1 + self.random.below(200)),
            (true, 6) => Framing::Both,
            (true, 7) => Framing::Twice,
            (true, 8) => Framing::Short(1 + self.random.below(9)),
            (true, 9) => Framing::Long(1 + self.random.below(9)),
            _ => Framing::Length,
        }
    }

    /// About so many of something, none as a rule.
    fn some<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.random.below(most + 1)).map(|_| make(self)).collect()
    }
}

fn no_body() -> Body {
    Body { kind: None, content: Content::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn corpus() -> Corpus {
        let request = Request {
            method: b"POST".to_vec(),
            path: b"/seed".to_vec(),
            query: vec![b"a=1".to_vec()],
            version: b"HTTP/1.1".to_vec(),
            host: Some(b"localhost".to_vec()),
            usual: false,
            fields: vec![(b"Accept".to_vec(), b"*/*".to_vec())],
            cookies: Vec::new(),
            body: Body {
                kind: Some(b"text/plain".to_vec()),
                content: Content::Pieces { pieces: vec![b"seed".to_vec()], between: b"&" },
            },
            framing: Framing::Length,
        };
        Corpus { requests: vec![request], texts: vec![b"payload".to_vec()] }
    }

    fn made(seed: u64, corpus: &Corpus, number: usize) -> Vec<Request> {
        let mut generator = Generator::new(seed, corpus.clone());
        (0..number).map(|_| generator.next_request()).collect()
    }

    proptest! {
        #[test]
        fn a_seed_stands_for_one_sequence(seed: u64) {
            for corpus in [Corpus::default(), corpus()] {
                prop_assert_eq!(made(seed, &corpus, 20), made(seed, &corpus, 20));
            }
        }

        /// Content-Length is that of the content, unless the framing is wrong on purpose; and no head holds
        /// an empty line before its end, so that there is one request.
        #[test]
        fn every_request_is_one_and_its_length_is_right(seed: u64) {
            for request in made(seed, &corpus(), 40) {
                let wire = request.wire();
                let end = wire.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
                let head = String::from_utf8_lossy(&wire[..end]).into_owned();
                prop_assert!(head.ends_with("\r\nConnection: close"), "{}", head);
                let lengths: Vec<usize> = head
                    .lines()
                    .filter_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok())
                    .collect();
                let chunked = head.lines().any(|line| line == "Transfer-Encoding: chunked");
                let content = wire.len() - end - 4;
                let right = request.body.content.octets().len();
                match request.framing {
                    Framing::Length if right == 0 => prop_assert!(lengths.is_empty()),
                    Framing::Length | Framing::EvenNothing => {
                        prop_assert_eq!((&lengths[..], content), (&[right][..], right));
                    }
                    Framing::Twice => prop_assert_eq!(lengths, [right, right]),
                    Framing::Chunked(_) => prop_assert!(lengths.is_empty() && chunked),
                    Framing::Both => prop_assert!(lengths == [right] && chunked),
                    Framing::Short(less) => {
                        prop_assert_eq!(lengths, [right.saturating_sub(less)]);
                    }
                    Framing::Long(more) => prop_assert_eq!(lengths, [right + more]),
                }
            }
        }
    }

    #[test]
    fn all_kinds_of_content_come_and_most_requests_are_sound() {
        let all = made(1, &Corpus::default(), 2000);
        let counts = |fits: &dyn Fn(&Request) -> bool| all.iter().filter(|it| fits(it)).count();
        assert!(counts(&|it| matches!(it.body.content, Content::Pieces { .. })) > 100);
        assert!(counts(&|it| matches!(it.body.content, Content::Multipart(_))) > 100);
        assert!(counts(&|it| matches!(it.body.content, Content::Json(_))) > 100);
        assert!(counts(&|it| matches!(it.body.content, Content::Xml { .. })) > 50);
        assert!(counts(&|it| it.framing != Framing::Length) < 600);
        assert!(counts(&|it| it.host.is_none()) < 60);
        let longest = all.iter().map(|it| it.wire().len()).max().unwrap_or(0);
        assert!(longest < 16 * 1024, "{longest}");
    }
}
