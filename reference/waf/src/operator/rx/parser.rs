//! Reads PCRE's syntax (pcre2pattern(3), 10.42) as ModSecurity uses it: bytes not UTF-8, `.` takes line feeds
//! (`DOTALL`), and `$` means the very end (`DOLLAR_ENDONLY`).
//!
//! What PCRE refuses is refused here too. Recursion, conditions, callouts, backtracking verbs, branch reset and
//! Unicode properties are refused with their name.

use super::error::{PatternError, Problem};
use super::syntax::{Appetite, Assertion, Node, Pattern, Repeat};
use crate::operator::byte_set::ByteSet;

/// The pattern itself, and this many groups within each other. PCRE allows 250; each takes room on the stack.
const DEEPEST: u32 = 1 + 100;

/// Reads a pattern.
pub(super) fn parse(pattern: &[u8]) -> Result<Pattern, PatternError> {
    let mut parser = Parser {
        pattern,
        at: 0,
        quoting: false,
        depth: 0,
        groups: 0,
        names: Vec::new(),
        furthest: None,
    };
    let node = parser.alternation(&mut Options::default())?;
    if parser.at < pattern.len() {
        return parser.problem(Problem::UnopenedGroup);
    }
    match parser.furthest {
        Some((group, at)) if group > parser.groups => {
            Err(PatternError { at, problem: Problem::UnknownGroup })
        }
        _ => Ok(Pattern { node, groups: parser.groups }),
    }
}

/// The options in force: `(?imsxnU)`.
#[derive(Clone, Copy)]
pub(super) struct Options {
    pub(super) fold: bool,
    pub(super) multi_line: bool,
    pub(super) dot_all: bool,
    pub(super) extended: Extended,
    pub(super) captures: bool,
    pub(super) ungreedy: bool,
}

/// Whether white space is decoration.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extended {
    No,
    /// Outside of classes: `x`.
    Outside,
    /// Also blanks within classes: `xx`.
    Everywhere,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fold: false,
            multi_line: false,
            dot_all: true,
            extended: Extended::No,
            captures: true,
            ungreedy: false,
        }
    }
}

/// What was read, by what may follow it.
pub(super) enum Item {
    /// A quantifier may follow.
    Atom(Node),
    /// No quantifier may follow.
    Place(Node),
    /// Nothing that matches: options, a comment.
    Nothing,
}

pub(super) struct Parser<'p> {
    pub(super) pattern: &'p [u8],
    pub(super) at: usize,
    /// Between `\Q` and `\E`.
    pub(super) quoting: bool,
    pub(super) depth: u32,
    /// Capturing groups opened so far.
    pub(super) groups: u32,
    pub(super) names: Vec<(&'p [u8], u32)>,
    /// The highest group that is referred to, and where.
    pub(super) furthest: Option<(u32, usize)>,
}

impl<'p> Parser<'p> {
    pub(super) fn problem<T>(&self, problem: Problem) -> Result<T, PatternError> {
        Err(PatternError { at: self.at, problem })
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'p [u8] {
        &self.pattern[self.at.min(self.pattern.len())..]
    }

    pub(super) fn eat(&mut self, text: &[u8]) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Takes the bytes up to the first for which `stop` holds.
    pub(super) fn take_until(&mut self, stop: impl Fn(u8) -> bool) -> &'p [u8] {
        let rest = self.rest();
        let len = rest.iter().position(|byte| stop(*byte)).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    /// Alternatives up to a `)` or the end. Options set in one hold in the next ones too.
    pub(super) fn alternation(&mut self, options: &mut Options) -> Result<Node, PatternError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.problem(Problem::TooDeep);
        }
        let mut branches = vec![self.sequence(options)?];
        while self.eat(b"|") {
            branches.push(self.sequence(options)?);
        }
        self.depth -= 1;
        Ok(if branches.len() > 1 { Node::Alternate(branches) } else { branches.remove(0) })
    }

    fn sequence(&mut self, options: &mut Options) -> Result<Node, PatternError> {
        let mut items = Vec::new();
        loop {
            self.skip_decoration(options)?;
            let Some(byte) = self.peek() else { break };
            if matches!(byte, b'|' | b')') && !self.quoting {
                break;
            }
            match self.item(byte, options)? {
                Item::Atom(node) => items.push(self.quantified(node, options)?),
                Item::Place(node) => {
                    self.skip_decoration(options)?;
                    if self.quantifier_here().is_some() {
                        return self.problem(Problem::NothingToRepeat);
                    }
                    items.push(node);
                }
                Item::Nothing => {}
            }
        }
        Ok(match items.len() {
            0 => Node::Empty,
            1 => items.remove(0),
            _ => Node::Concat(items),
        })
    }

    /// Passes over comments, `\E`, and white space where that is decoration.
    pub(super) fn skip_decoration(&mut self, options: &Options) -> Result<(), PatternError> {
        loop {
            if self.eat(b"\\E") {
                self.quoting = false;
            } else if self.quoting {
                return Ok(());
            } else if self.rest().starts_with(b"(?#") {
                let comment = self.rest();
                match comment.iter().position(|byte| *byte == b')') {
                    Some(end) => self.at += end + 1,
                    None => return self.problem(Problem::UnclosedComment),
                }
            } else if options.extended != Extended::No && self.peek().is_some_and(is_space) {
                self.at += 1;
            } else if options.extended != Extended::No && self.eat(b"#") {
                self.take_until(|byte| byte == b'\n');
            } else {
                return Ok(());
            }
        }
    }

    fn item(&mut self, byte: u8, options: &mut Options) -> Result<Item, PatternError> {
        if self.quoting {
            self.at += 1;
            return Ok(Item::Atom(literal(byte, options)));
        }
        match byte {
            b'(' => self.group(options),
            b'[' => self.class(options).map(Item::Atom),
            b'\\' => self.escape(options),
            b'.' => {
                self.at += 1;
                let all_but_line_feed = ByteSet::of(b"\n").complement();
                let set = if options.dot_all { ByteSet::ALL } else { all_but_line_feed };
                Ok(Item::Atom(Node::Set(set)))
            }
            b'^' => {
                self.at += 1;
                let line = options.multi_line;
                let place = if line { Assertion::LineStart } else { Assertion::Start };
                Ok(Item::Place(Node::Assert(place)))
            }
            b'$' => {
                self.at += 1;
                let line = options.multi_line;
                let place = if line { Assertion::LineEnd } else { Assertion::End };
                Ok(Item::Place(Node::Assert(place)))
            }
            _ if self.quantifier_here().is_some() => self.problem(Problem::NothingToRepeat),
            _ => {
                self.at += 1;
                Ok(Item::Atom(literal(byte, options)))
            }
        }
    }

    /// The node with the quantifier that follows, if one does.
    fn quantified(&mut self, node: Node, options: &Options) -> Result<Node, PatternError> {
        self.skip_decoration(options)?;
        let Some((min, max, len)) = self.quantifier_here() else { return Ok(node) };
        if min.max(max.unwrap_or(0)) > 65_535 {
            return self.problem(Problem::QuantifierTooBig);
        }
        if max.is_some_and(|max| max < min) {
            return self.problem(Problem::QuantifierReversed);
        }
        self.at += len;
        self.skip_decoration(options)?;
        let appetite = if self.eat(b"+") {
            Appetite::Possessive
        } else if self.eat(b"?") != options.ungreedy {
            Appetite::Lazy
        } else {
            Appetite::Greedy
        };
        self.skip_decoration(options)?;
        if self.quantifier_here().is_some() {
            return self.problem(Problem::NothingToRepeat);
        }
        Ok(match node {
            // A condition on the place holds as often as one likes; PCRE tries it once at most.
            Node::Look(_) if min == 0 => Node::Alternate(vec![node, Node::Empty]),
            Node::Look(_) => node,
            _ => Node::Repeat(Box::new(Repeat { node, min, max, appetite })),
        })
    }

    /// The least and greatest number and the length of the quantifier that stands here. Braces that hold
    /// anything else are text.
    fn quantifier_here(&self) -> Option<(u32, Option<u32>, usize)> {
        if self.quoting {
            return None;
        }
        match self.peek()? {
            b'*' => Some((0, None, 1)),
            b'+' => Some((1, None, 1)),
            b'?' => Some((0, Some(1), 1)),
            b'{' => {
                let rest = &self.rest()[1..];
                let end = rest.iter().position(|byte| *byte == b'}')?;
                let (first, second) = match rest[..end].iter().position(|byte| *byte == b',') {
                    Some(comma) => (&rest[..comma], Some(&rest[comma + 1..end])),
                    None => (&rest[..end], None),
                };
                let min = decimal(first)?;
                let max = match second {
                    None => Some(min),
                    Some([]) => None,
                    Some(digits) => Some(decimal(digits)?),
                };
                Some((min, max, end + 2))
            }
            _ => None,
        }
    }
}

/// One byte as text.
pub(super) fn literal(byte: u8, options: &Options) -> Node {
    let set = ByteSet::of(&[byte]);
    Node::Set(if options.fold { set.with_both_cases() } else { set })
}

/// A number of at least one decimal digit; what is too large stays too large.
pub(super) fn decimal(digits: &[u8]) -> Option<u32> {
    let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    all_digits.then(|| {
        digits.iter().fold(0u32, |number, digit| {
            number.saturating_mul(10).saturating_add(u32::from(digit - b'0'))
        })
    })
}

/// C's `isspace`.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
