//! The ways to make a request smaller in one step.
//!
//! Every way leads to less: fewer octets, or as many of which more are the letter `a`, or a framing and a
//! version that are usual. So it ends.

use super::request::{Body, Content, Element, Framing, Json, Multipart, Part, Request, XmlNode};

/// How fine a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Whole parts go: a field, a cookie, a member of an object.
    Structure,
    /// Octets of a part go, or become the letter `a`: at least so many at a time, or all of them.
    Octets(usize),
}

impl Stage {
    /// One octet after another.
    pub const OCTETS: Stage = Stage::Octets(1);
}

/// A request is cut into so many steps at most: each is a copy of it, and a long one has many octets.
const STEPS: usize = 512;

/// Something that can be made smaller.
pub trait Reduce: Sized {
    /// All that are smaller by one step of that stage, coarse steps first.
    fn reductions(&self, stage: Stage) -> Vec<Self>;
}

/// Smaller texts with the same first octets: without some of the others, then with some of them `a`.
pub(super) fn octets(text: &[u8], stage: Stage, keep: usize) -> Vec<Vec<u8>> {
    let Stage::Octets(grain) = stage else { return Vec::new() };
    if text.len() <= keep {
        return Vec::new();
    }
    let ranges = || ranges(text.len() - keep, grain).map(|(from, to)| (from + keep, to + keep));
    let without = ranges().map(|(from, to)| [&text[..from], &text[to..]].concat());
    let plain = ranges()
        .filter(|(from, to)| text[*from..*to].iter().any(|octet| *octet != b'a'))
        .map(|(from, to)| [&text[..from], &vec![b'a'; to - from], &text[to..]].concat());
    without.chain(plain).collect()
}

/// Ranges that cover so many places: all of them, then halves, quarters, and so on to those of `grain` places.
fn ranges(length: usize, grain: usize) -> impl Iterator<Item = (usize, usize)> {
    let sizes = std::iter::successors(Some(length), |size| (*size > 1).then(|| size.div_ceil(2)));
    sizes.filter(move |size| *size >= grain.min(length).max(1)).flat_map(move |size| {
        (0..length).step_by(size).map(move |from| (from, (from + size).min(length)))
    })
}

/// Shorter lists of at least so many, or lists with one entry made smaller.
fn list<T: Clone>(
    items: &[T],
    stage: Stage,
    least: usize,
    each: impl Fn(&T) -> Vec<T>,
) -> Vec<Vec<T>> {
    let mut all = Vec::new();
    if stage == Stage::Structure {
        for (from, to) in ranges(items.len(), 1) {
            if items.len() - (to - from) >= least {
                all.push([&items[..from], &items[to..]].concat());
            }
        }
    }
    for (at, item) in items.iter().enumerate() {
        for smaller in each(item) {
            let mut list = items.to_vec();
            list[at] = smaller;
            all.push(list);
        }
    }
    all
}

fn texts(items: &[Vec<u8>], stage: Stage) -> Vec<Vec<Vec<u8>>> {
    list(items, stage, 0, |text| octets(text, stage, 0))
}

/// A pair with its value made smaller, or its name.
fn pair<T: Clone>(
    (name, value): &(Vec<u8>, T),
    stage: Stage,
    keep: usize,
    each: impl Fn(&T) -> Vec<T>,
) -> Vec<(Vec<u8>, T)> {
    let values = each(value).into_iter().map(|value| (name.clone(), value));
    let names = octets(name, stage, keep).into_iter().map(|name| (name, value.clone()));
    values.chain(names).collect()
}

impl Reduce for Request {
    fn reductions(&self, stage: Stage) -> Vec<Self> {
        let stage = match stage {
            Stage::Structure => Stage::Structure,
            Stage::Octets(grain) => Stage::Octets(grain.max(self.wire().len() / STEPS)),
        };
        let mut all = Vec::new();
        let mut but = |change: &dyn Fn(&mut Self)| {
            let mut changed = self.clone();
            change(&mut changed);
            all.push(changed);
        };
        if stage == Stage::Structure {
            if self.method.len() > b"GET".len() {
                but(&|it| it.method = b"GET".to_vec());
            }
            if self.version != b"HTTP/1.1" {
                but(&|it| it.version = b"HTTP/1.1".to_vec());
            }
            if self.framing != Framing::Length {
                but(&|it| it.framing = Framing::Length);
            }
            if self.path.len() > 1 {
                but(&|it| it.path.truncate(1));
            }
        }
        for body in self.body.reductions(stage) {
            but(&|it| it.body = body.clone());
        }
        for query in texts(&self.query, stage) {
            but(&|it| it.query.clone_from(&query));
        }
        for cookies in texts(&self.cookies, stage) {
            but(&|it| it.cookies.clone_from(&cookies));
        }
        let field = |field: &_| pair(field, stage, 1, |value: &Vec<u8>| octets(value, stage, 0));
        for fields in list(&self.fields, stage, 0, field) {
            but(&|it| it.fields.clone_from(&fields));
        }
        // Its first octet decides what form the request-target has.
        for path in octets(&self.path, stage, 1) {
            but(&|it| it.path.clone_from(&path));
        }
        // A Host is never taken away: that would be another mistake than the one that is looked for.
        if let Some(host) = self.host.as_ref().filter(|host| *host != b"localhost") {
            if stage == Stage::Structure && host.len() > b"localhost".len() {
                but(&|it| it.host = Some(b"localhost".to_vec()));
            }
            for host in octets(host, stage, 1) {
                but(&|it| it.host = Some(host.clone()));
            }
        }
        all
    }
}

impl Reduce for Body {
    fn reductions(&self, stage: Stage) -> Vec<Self> {
        let mut all = Vec::new();
        if stage == Stage::Structure {
            if self.content != Content::Nothing {
                all.push(Body { content: Content::Nothing, kind: self.kind.clone() });
            }
            if self.kind.is_some() {
                all.push(Body { content: self.content.clone(), kind: None });
            }
        }
        let content = self.content.reductions(stage).into_iter();
        all.extend(content.map(|content| Body { content, kind: self.kind.clone() }));
        let kinds = self.kind.iter().flat_map(|kind| octets(kind, stage, 0));
        all.extend(kinds.map(|kind| Body { kind: Some(kind), content: self.content.clone() }));
        all
    }
}

impl Reduce for Content {
    fn reductions(&self, stage: Stage) -> Vec<Self> {
        match self {
            Content::Nothing => Vec::new(),
            Content::Pieces { pieces, between } => texts(pieces, stage)
                .into_iter()
                .map(|pieces| Content::Pieces { pieces, between })
                .collect(),
            Content::Multipart(form) => {
                form.reductions(stage).into_iter().map(Content::Multipart).collect()
            }
            Content::Json(value) => {
                value.reductions(stage).into_iter().map(Content::Json).collect()
            }
            Content::Xml { prolog, root } => {
                let whole =
                    |prolog: &[u8]| Content::Xml { prolog: prolog.to_vec(), root: root.clone() };
                let mut all = Vec::new();
                if stage == Stage::Structure && !prolog.is_empty() {
                    all.push(whole(b""));
                }
                let roots = root.reductions(stage).into_iter();
                all.extend(roots.map(|root| Content::Xml { prolog: prolog.clone(), root }));
                all.extend(octets(prolog, stage, 0).iter().map(|prolog| whole(prolog)));
                all
            }
        }
    }
}

impl Reduce for Multipart {
    fn reductions(&self, stage: Stage) -> Vec<Self> {
        let parts = list(&self.parts, stage, 1, |part| part.reductions(stage));
        parts.into_iter().map(|parts| Multipart { parts, ..self.clone() }).collect()
    }
}

impl Reduce for Part {
    fn reductions(&self, stage: Stage) -> Vec<Self> {
        let contents = octets(&self.content, stage, 0).into_iter();
        let contents = contents.map(|content| Part { content, lines: self.lines.clone() });
        let lines = texts(&self.lines, stage).into_iter();
        contents.chain(lines.map(|lines| Part { lines, content: self.content.clone() })).collect()
    }
}

impl Reduce for Json {
    fn reductions(&self, stage: Stage) -> Vec<Self> {
        let mut all = Vec::new();
        match self {
            Json::Raw(raw) => all.extend(octets(raw, stage, 0).into_iter().map(Json::Raw)),
            Json::Text(text) => all.extend(octets(text, stage, 0).into_iter().map(Json::Text)),
            Json::List(items) => {
                if stage == Stage::Structure {
                    all.extend(items.iter().cloned());
                }
                let lists = list(items, stage, 0, |item| item.reductions(stage));
                all.extend(lists.into_iter().map(Json::List));
            }
            Json::Object(members) => {
                if stage == Stage::Structure {
                    all.extend(members.iter().map(|(_, value)| value.clone()));
                }
                let each = |it: &_| pair(it, stage, 0, |value: &Json| value.reductions(stage));
                let lists = list(members, stage, 0, each);
                all.extend(lists.into_iter().map(Json::Object));
            }
        }
        all
    }
}

impl Reduce for Element {
    fn reductions(&self, stage: Stage) -> Vec<Self> {
        let mut all = Vec::new();
        if stage == Stage::Structure {
            all.extend(self.children.iter().filter_map(|child| match child {
                XmlNode::Element(element) => Some(element.clone()),
                XmlNode::Text(_) => None,
            }));
        }
        let children = list(&self.children, stage, 0, |child| match child {
            XmlNode::Text(text) => octets(text, stage, 0).into_iter().map(XmlNode::Text).collect(),
            XmlNode::Element(element) => {
                element.reductions(stage).into_iter().map(XmlNode::Element).collect()
            }
        });
        all.extend(children.into_iter().map(|children| Element { children, ..self.clone() }));
        let each = |it: &_| pair(it, stage, 1, |value: &Vec<u8>| octets(value, stage, 0));
        let attributes = list(&self.attributes, stage, 0, each).into_iter();
        all.extend(attributes.map(|attributes| Element { attributes, ..self.clone() }));
        let names = octets(&self.name, stage, 1).into_iter();
        all.extend(names.map(|name| Element { name, ..self.clone() }));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Corpus, Generator};
    use super::*;

    #[test]
    fn ranges_go_from_all_to_one() {
        let all: Vec<_> = ranges(4, 1).collect();
        assert_eq!(all, [(0, 4), (0, 2), (2, 4), (0, 1), (1, 2), (2, 3), (3, 4)]);
        assert_eq!(ranges(0, 1).count(), 0);
        assert_eq!(ranges(1, 1).collect::<Vec<_>>(), [(0, 1)]);
        assert_eq!(ranges(4, 2).count(), 3);
        assert_eq!(ranges(4, 9).collect::<Vec<_>>(), [(0, 4)]);
    }

    /// Each step is a copy: of a long request there must not be one for every octet.
    #[test]
    fn a_long_request_has_no_more_steps_than_memory_is_for() {
        let mut request = Generator::new(1, Corpus::default()).next_request();
        request.query = vec![vec![b'x'; 20_000]];
        assert!(request.reductions(Stage::OCTETS).len() < 8 * STEPS);
    }

    /// What every step makes smaller: so shrinking ends.
    fn weight(request: &Request) -> usize {
        let wire = request.wire();
        let unusual = usize::from(request.framing != Framing::Length) * 4096
            + usize::from(request.version != b"HTTP/1.1") * 64;
        16 * wire.len() + wire.iter().filter(|octet| **octet != b'a').count() + unusual
    }

    #[test]
    fn every_step_leads_to_less() {
        let mut generator = Generator::new(7, Corpus::default());
        for _ in 0..60 {
            let request = generator.next_request();
            for stage in [Stage::Structure, Stage::OCTETS] {
                for smaller in request.reductions(stage) {
                    assert!(weight(&smaller) < weight(&request), "{request:?}\n{smaller:?}");
                }
            }
        }
    }

    #[test]
    fn a_mistake_is_never_put_in() {
        let mut generator = Generator::new(8, Corpus::default());
        for _ in 0..40 {
            let request = generator.next_request();
            for smaller in request.reductions(Stage::Structure) {
                assert!(smaller.framing == request.framing || smaller.framing == Framing::Length);
                assert_eq!(smaller.host.is_some(), request.host.is_some());
            }
        }
    }
}
