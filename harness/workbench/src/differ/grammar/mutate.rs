//! A request of the corpus with some things changed.

use super::super::request::{Content, Framing, Json, Request, XmlNode};
use super::Generator;
use super::disguise::disguised;
use super::heads::in_line;

/// What one change may add; a text that is longer than that stays as long as it is.
const MOST_ADDED: usize = 4096;

impl Generator {
    pub(super) fn changed_seed(&mut self) -> Request {
        let mut request = self.random.pick(&self.corpus.requests).clone();
        for _ in 0..self.random.below(4) {
            self.change(&mut request);
        }
        if request.framing == Framing::Length && self.random.one_in(30) {
            request.framing = self.framing(request.body.content != Content::Nothing);
        }
        request
    }

    fn change(&mut self, request: &mut Request) {
        match self.random.below(12) {
            0 => {
                let pair = self.pair();
                let pair = self.in_target(&pair);
                request.query.push(pair);
            }
            1 => request.fields.extend(self.fields(true)),
            2 => request.cookies.extend(self.cookies()),
            3 => request.body = self.body(),
            4 => {
                // The same payload in another place.
                if let Some(pair) = request.query.pop() {
                    match self.random.below(3) {
                        0 => request.cookies.push(pair),
                        1 => request.fields.push((b"Referer".to_vec(), pair)),
                        _ => {
                            request.method = b"POST".to_vec();
                            request.body = self.body();
                            if let Content::Pieces { pieces, .. } = &mut request.body.content {
                                pieces.push(pair);
                            }
                        }
                    }
                }
            }
            5 => request.method = self.method(request.body.content != Content::Nothing),
            _ => self.change_a_text(request),
        }
    }

    fn change_a_text(&mut self, request: &mut Request) {
        let (in_head, in_content) =
            (head_texts(request), content_texts(&mut request.body.content).len());
        let chosen = self.random.below(in_head + in_content);
        if chosen >= in_head {
            let mut texts = content_texts(&mut request.body.content);
            let text = &mut texts[chosen - in_head];
            **text = self.changed(text);
            return;
        }
        let is_target = chosen <= request.query.len();
        let text = head_text(request, chosen);
        let changed = self.changed(text);
        // What must not end its line, or the request-target, does not.
        *text = if is_target { without_breaks(&in_line(changed)) } else { in_line(changed) };
    }

    fn changed(&mut self, text: &[u8]) -> Vec<u8> {
        if text.len() > MOST_ADDED {
            return text.to_vec();
        }
        let at = self.random.below(text.len() + 1);
        let (before, after) = text.split_at(at);
        match self.random.below(6) {
            0 => [before, &self.fragment(), after].concat(),
            1 => [before, &[self.random.octet()], after].concat(),
            2 => [before, &after[self.random.below(after.len() + 1)..]].concat(),
            3 => [text, text].concat(),
            4 => [before, &disguised(after, &mut self.random)].concat(),
            _ => disguised(text, &mut self.random),
        }
    }
}

/// The texts of the head that can be changed: path, pairs of the query, cookies, values of fields.
fn head_texts(request: &Request) -> usize {
    1 + request.query.len() + request.cookies.len() + request.fields.len()
}

fn head_text(request: &mut Request, number: usize) -> &mut Vec<u8> {
    let Request { path, query, cookies, fields, .. } = request;
    let values = fields.iter_mut().map(|(_, value)| value);
    let texts = query.iter_mut().chain(cookies).chain(values);
    match number.checked_sub(1) {
        Some(number) => texts.into_iter().nth(number).unwrap_or(path),
        None => path,
    }
}

/// Every text of a content.
fn content_texts(content: &mut Content) -> Vec<&mut Vec<u8>> {
    match content {
        Content::Nothing => Vec::new(),
        Content::Pieces { pieces, .. } => pieces.iter_mut().collect(),
        Content::Multipart(form) => form.parts.iter_mut().map(|part| &mut part.content).collect(),
        Content::Json(value) => json_texts(value),
        Content::Xml { root, .. } => root
            .children
            .iter_mut()
            .filter_map(|child| match child {
                XmlNode::Text(text) => Some(text),
                XmlNode::Element(_) => None,
            })
            .collect(),
    }
}

fn json_texts(value: &mut Json) -> Vec<&mut Vec<u8>> {
    match value {
        Json::Raw(text) | Json::Text(text) => vec![text],
        Json::List(items) => items.iter_mut().flat_map(json_texts).collect(),
        Json::Object(members) => {
            members.iter_mut().flat_map(|(_, value)| json_texts(value)).collect()
        }
    }
}

/// A request-target ends with its first space.
fn without_breaks(text: &[u8]) -> Vec<u8> {
    text.iter()
        .flat_map(|octet| if *octet == b' ' { b"%20".to_vec() } else { vec![*octet] })
        .collect()
}
