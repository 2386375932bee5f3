//! Reads classes: `[…]`.

use super::error::{PatternError, Problem};
use super::escape::{DIGIT, LETTER, SPACE, WORD, escaped_set};
use super::parser::{Extended, Options, Parser};
use super::syntax::Node;
use crate::operator::byte_set::ByteSet;

/// A member of a class.
enum Member {
    Byte(u8),
    Set(ByteSet),
}

impl Parser<'_> {
    /// The class at this `[`.
    pub(super) fn class(&mut self, options: &Options) -> Result<Node, PatternError> {
        let open = self.at;
        if matches!(self.rest(), [b'[', b'[', b':', b'<' | b'>', b':', b']', b']', ..]) {
            let problem = Problem::Unsupported("the classes [[:<:]] and [[:>:]]");
            return Err(PatternError { at: open, problem });
        }
        self.at += 1;
        let negated = self.eat(b"^");
        let mut set = ByteSet::EMPTY;
        let mut first = true;
        loop {
            self.skip_class_decoration(options);
            let Some(byte) = self.peek() else {
                return Err(PatternError { at: open, problem: Problem::UnclosedClass });
            };
            if byte == b']' && !first && !self.quoting {
                self.at += 1;
                break;
            }
            first = false;
            set = set.union(self.member_or_range(byte, options)?);
        }
        if options.fold {
            set = set.with_both_cases();
        }
        Ok(Node::Set(if negated { set.complement() } else { set }))
    }

    fn member_or_range(&mut self, byte: u8, options: &Options) -> Result<ByteSet, PatternError> {
        let start = self.at;
        let member = self.member(byte)?;
        self.skip_class_decoration(options);
        let dash = self.at;
        let range = !self.quoting && self.eat(b"-");
        if range {
            self.skip_class_decoration(options);
        }
        let upper = self.peek().filter(|upper| range && (*upper != b']' || self.quoting));
        let Some(upper) = upper else {
            // A dash that ends the class stands for itself.
            self.at = dash;
            return Ok(match member {
                Member::Byte(byte) => ByteSet::of(&[byte]),
                Member::Set(set) => set,
            });
        };
        let Member::Byte(low) = member else {
            return Err(PatternError { at: dash, problem: Problem::RangeOfClass });
        };
        match self.member(upper)? {
            Member::Set(_) => Err(PatternError { at: dash, problem: Problem::RangeOfClass }),
            Member::Byte(high) if high < low => {
                Err(PatternError { at: start, problem: Problem::RangeReversed })
            }
            Member::Byte(high) => Ok(ByteSet::range(low, high)),
        }
    }

    /// Passes over `\E` and `\Q`, and blanks under `xx`.
    fn skip_class_decoration(&mut self, options: &Options) {
        loop {
            if self.eat(b"\\E") {
                self.quoting = false;
            } else if self.quoting {
                return;
            } else if self.eat(b"\\Q") {
                self.quoting = true;
            } else if options.extended == Extended::Everywhere
                && matches!(self.peek(), Some(b' ' | b'\t'))
            {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn member(&mut self, byte: u8) -> Result<Member, PatternError> {
        let start = self.at;
        if byte == b'[' && !self.quoting && self.is_named_class() {
            return self.named_class().map(Member::Set);
        }
        self.at += 1;
        if byte != b'\\' || self.quoting {
            return Ok(Member::Byte(byte));
        }
        let Some(letter) = self.peek() else {
            return Err(PatternError { at: start, problem: Problem::TrailingBackslash });
        };
        self.at += 1;
        if let Some(set) = escaped_set(letter) {
            return Ok(Member::Set(set));
        }
        match letter {
            b'b' => Ok(Member::Byte(0x08)),
            b'1'..=b'7' => {
                self.at -= 1;
                self.octal(start).map(Member::Byte)
            }
            b'8' | b'9' => Ok(Member::Byte(letter)),
            b'N' | b'R' | b'B' | b'X' => {
                Err(PatternError { at: start, problem: Problem::NotInClass })
            }
            b'p' | b'P' => {
                Err(PatternError { at: start, problem: Problem::Unsupported("Unicode properties") })
            }
            _ => self.escaped_byte(start, letter).map(Member::Byte),
        }
    }

    /// Whether the `[` here starts `[:…:]`, or the `[.….]` and `[=…=]` that PCRE knows only to refuse: its end
    /// must come before any other bracket that counts.
    fn is_named_class(&self) -> bool {
        let [b'[', sign @ (b':' | b'.' | b'='), rest @ ..] = self.rest() else { return false };
        let mut at = 0;
        while let [byte, next, ..] = rest[at..] {
            match (byte, next) {
                (b'\\', b']' | b'\\') => at += 1,
                (b']', _) => return false,
                (b'[', next) if next == *sign => return false,
                (byte, b']') if byte == *sign => return true,
                _ => {}
            }
            at += 1;
        }
        false
    }

    fn named_class(&mut self) -> Result<ByteSet, PatternError> {
        let start = self.at;
        let error = |problem| Err(PatternError { at: start, problem });
        self.at += 1;
        if !self.eat(b":") {
            return error(Problem::Unsupported("collating elements"));
        }
        let negated = self.eat(b"^");
        let name = self.take_until(|byte| byte == b':');
        let Some(set) = posix(name).filter(|_| self.eat(b":]")) else {
            return error(Problem::UnknownClassName);
        };
        Ok(if negated { set.complement() } else { set })
    }
}

/// The POSIX classes in the C locale.
fn posix(name: &[u8]) -> Option<ByteSet> {
    let graph = ByteSet::range(b'!', b'~');
    let alnum = LETTER.union(DIGIT);
    Some(match name {
        b"alnum" => alnum,
        b"alpha" => LETTER,
        b"ascii" => ByteSet::range(0, 0x7f),
        b"blank" => ByteSet::of(b"\t "),
        b"cntrl" => ByteSet::range(0, 0x1f).union(ByteSet::of(b"\x7f")),
        b"digit" => DIGIT,
        b"graph" => graph,
        b"lower" => ByteSet::range(b'a', b'z'),
        b"print" => graph.union(ByteSet::of(b" ")),
        b"punct" => graph.without(alnum),
        b"space" => SPACE,
        b"upper" => ByteSet::range(b'A', b'Z'),
        b"word" => WORD,
        b"xdigit" => DIGIT.union(ByteSet::range(b'a', b'f').with_both_cases()),
        _ => return None,
    })
}
