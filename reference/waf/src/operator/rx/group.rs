//! Reads what starts with a parenthesis.

use super::error::{PatternError, Problem};
use super::parser::{Extended, Item, Options, Parser};
use super::syntax::{Look, Node};

impl<'p> Parser<'p> {
    /// The group, condition or options at this `(`.
    pub(super) fn group(&mut self, options: &mut Options) -> Result<Item, PatternError> {
        let open = self.at;
        self.at += 1;
        if self.eat(b"*") {
            return unsupported(open, "backtracking verbs");
        }
        if !self.eat(b"?") {
            return self.plain_group(open, *options);
        }
        if self.eat(b":") {
            return self.inner(open, *options).map(Item::Atom);
        }
        if self.eat(b">") {
            return Ok(Item::Atom(Node::Atomic(Box::new(self.inner(open, *options)?))));
        }
        for (sign, ahead, negative) in
            [("=", true, false), ("!", true, true), ("<=", false, false), ("<!", false, true)]
        {
            if self.eat(sign.as_bytes()) {
                return self.look(open, *options, ahead, negative);
            }
        }
        for (start, end) in [("P<", b'>'), ("<", b'>'), ("'", b'\'')] {
            if self.eat(start.as_bytes()) {
                let name = self.new_name(end)?;
                self.names.push((name, self.groups + 1));
                return self.capture(open, *options);
            }
        }
        if self.eat(b"P=") {
            return self.named_reference(b')', options);
        }
        match self.rest() {
            [b'P' | b'R' | b'&' | b'+' | b'0'..=b'9', ..] | [b'-', b'0'..=b'9', ..] => {
                unsupported(open, "recursion and calls of groups")
            }
            [b'|', ..] => unsupported(open, "groups with branch reset"),
            [b'(', ..] => unsupported(open, "conditional groups"),
            [b'C', ..] => unsupported(open, "callouts"),
            _ => self.options(open, options),
        }
    }

    fn plain_group(&mut self, open: usize, options: Options) -> Result<Item, PatternError> {
        if options.captures {
            self.capture(open, options)
        } else {
            self.inner(open, options).map(Item::Atom)
        }
    }

    fn capture(&mut self, open: usize, options: Options) -> Result<Item, PatternError> {
        self.groups += 1;
        let group = self.groups;
        Ok(Item::Atom(Node::Capture(group, Box::new(self.inner(open, options)?))))
    }

    /// What stands up to the `)`, and the `)`. Options that are set within end with it.
    fn inner(&mut self, open: usize, mut options: Options) -> Result<Node, PatternError> {
        let node = self.alternation(&mut options)?;
        if self.eat(b")") {
            Ok(node)
        } else {
            Err(PatternError { at: open, problem: Problem::UnclosedGroup })
        }
    }

    fn look(
        &mut self,
        open: usize,
        options: Options,
        ahead: bool,
        negative: bool,
    ) -> Result<Item, PatternError> {
        let node = self.inner(open, options)?;
        let branches = match &node {
            Node::Alternate(branches) => branches.as_slice(),
            one => std::slice::from_ref(one),
        };
        if !ahead && branches.iter().any(|branch| branch.fixed_len().is_none()) {
            return Err(PatternError { at: open, problem: Problem::LookBehindLength });
        }
        Ok(Item::Atom(Node::Look(Box::new(Look { ahead, negative, node }))))
    }

    /// A group's name up to `end`, which is passed over.
    pub(super) fn name(&mut self, end: u8) -> Result<&'p [u8], PatternError> {
        let at = self.at;
        let name = self.take_until(|byte| byte == end);
        let word = name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let starts_well = name.first().is_some_and(|first| !first.is_ascii_digit());
        if word && starts_well && name.len() <= 32 && self.eat(&[end]) {
            Ok(name)
        } else {
            Err(PatternError { at, problem: Problem::BadName })
        }
    }

    fn new_name(&mut self, end: u8) -> Result<&'p [u8], PatternError> {
        let at = self.at;
        let name = self.name(end)?;
        if self.names.iter().any(|(known, _)| *known == name) {
            return Err(PatternError { at, problem: Problem::DuplicateName });
        }
        Ok(name)
    }

    /// `(?i)`, for the rest of the group around it, or `(?i:…)`.
    fn options(&mut self, open: usize, outer: &mut Options) -> Result<Item, PatternError> {
        let mut options = *outer;
        let mut on = true;
        if self.eat(b"^") {
            let plain = Options { dot_all: false, ..Options::default() };
            options = Options { ungreedy: outer.ungreedy, ..plain };
        }
        loop {
            let Some(letter) = self.peek() else {
                return Err(PatternError { at: open, problem: Problem::UnclosedGroup });
            };
            self.at += 1;
            match letter {
                b')' => {
                    *outer = options;
                    return Ok(Item::Nothing);
                }
                b':' => return self.inner(open, options).map(Item::Atom),
                b'-' if on => on = false,
                b'i' => options.fold = on,
                b'm' => options.multi_line = on,
                b's' => options.dot_all = on,
                b'n' => options.captures = !on,
                b'U' => options.ungreedy = on,
                // Two groups of one name are refused all the same.
                b'J' => {}
                b'x' => {
                    let twice = on && self.eat(b"x");
                    options.extended = match (on, twice) {
                        (false, _) => Extended::No,
                        (true, false) => Extended::Outside,
                        (true, true) => Extended::Everywhere,
                    };
                }
                _ => {
                    self.at -= 1;
                    return self.problem(Problem::UnknownOption);
                }
            }
        }
    }
}

fn unsupported(at: usize, what: &'static str) -> Result<Item, PatternError> {
    Err(PatternError { at, problem: Problem::Unsupported(what) })
}
