//! Makes few tokens of many: what means the same to a database becomes the same.
//!
//! At most five tokens remain, read from the left; a sixth is looked at where it says what the fifth is. Each rule
//! looks at two or three neighbours. After most of them it is begun again from the left, so their order counts.

use super::tokens::{Token, Tokens};
use super::words::{Kind, LONGEST, word};

/// The most tokens that a fingerprint has.
pub(super) const MOST: usize = 5;

/// What remains of a value: at most [`MOST`] tokens, but for a last one that is evil.
pub(super) struct Folded<'t> {
    tokens: [Option<Token<'t>>; MOST + 3],
    len: usize,
}

impl<'t> Folded<'t> {
    /// The tokens that remain.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &Token<'t>> {
        self.tokens[..self.len].iter().flatten()
    }
}

/// Reads and folds.
pub(super) fn fold<'t>(tokens: &mut Tokens<'t>) -> Folded<'t> {
    let mut folding =
        Folding { tokens, kept: [None; MOST + 3], len: 0, left: 0, more: true, comment: None };
    folding.run();
    let Folding { kept, left, .. } = folding;
    Folded { tokens: kept, len: left }
}

struct Folding<'t, 's> {
    tokens: &'s mut Tokens<'t>,
    kept: [Option<Token<'t>>; MOST + 3],
    /// How many are kept.
    len: usize,
    /// How many of those are done with.
    left: usize,
    /// Whether there may be more to read.
    more: bool,
    /// A comment that nothing has followed yet.
    comment: Option<Token<'t>>,
}

/// What a rule did.
enum Fold {
    /// Begin again at `left`.
    Again,
    /// It does not apply, or changed nothing that others could see.
    On,
    /// Nothing more need be looked at.
    Stop,
}

impl<'t> Folding<'t, '_> {
    fn run(&mut self) {
        if !self.skip_start() {
            return;
        }
        loop {
            if self.len >= MOST {
                self.shorten_full();
            }
            if !self.more || self.left >= MOST {
                self.left = self.len;
                break;
            }
            if !self.read(2) {
                self.left = self.len;
                continue;
            }
            match self.two() {
                Fold::Again => continue,
                Fold::Stop => return,
                Fold::On => {}
            }
            if !self.read(3) {
                self.left = self.len;
                continue;
            }
            if !self.three() {
                self.left += 1;
            }
        }
        if self.left < MOST && self.comment.is_some() {
            self.kept[self.left] = self.comment;
            self.left += 1;
        }
        self.left = self.left.min(MOST);
    }

    /// Passes over comments, parentheses, types and signs that come first. Says whether anything follows.
    fn skip_start(&mut self) -> bool {
        while let Some(token) = self.tokens.next() {
            let skipped =
                matches!(token.kind, Kind::Comment | Kind::LeftParenthesis | Kind::SqlType);
            if !skipped && !token.is_unary_operator() {
                self.kept[0] = Some(token);
                self.len = 1;
                return true;
            }
        }
        false
    }

    /// Reads until there are `count` tokens that are not done with, if there are so many and room for them.
    fn read(&mut self, count: usize) -> bool {
        while self.more && self.len <= MOST && self.len - self.left < count {
            match self.tokens.next() {
                None => self.more = false,
                Some(token) if token.kind == Kind::Comment => self.comment = Some(token),
                Some(token) => {
                    self.comment = None;
                    self.kept[self.len] = Some(token);
                    self.len += 1;
                }
            }
        }
        self.len - self.left >= count
    }

    fn kind(&self, index: usize) -> Option<Kind> {
        self.kept[index].map(|token| token.kind)
    }

    fn set_kind(&mut self, index: usize, kind: Kind) {
        if let Some(token) = &mut self.kept[index] {
            token.kind = kind;
        }
    }

    /// Drops the last `count` tokens and goes on from `left`.
    fn drop_last(&mut self, count: usize, left: usize) -> Fold {
        self.len -= count;
        self.left = left;
        Fold::Again
    }

    /// Some shapes of five tokens mean no more than their first.
    fn shorten_full(&mut self) {
        use Kind::{
            Bareword, Comma, LeftParenthesis as Open, Number, Operator, RightParenthesis as Close,
        };
        let kinds = [0, 1, 2, 3, 4].map(|index| self.kind(index));
        let [Some(a), Some(b), Some(c), Some(d), Some(e)] = kinds else { return };
        let expression = matches!(
            (a, b, c, d, e),
            (Number, Operator | Comma, Open, Number, Close)
                | (Bareword, Operator, Open, Bareword | Number, Close)
                | (Number, Close, Comma, Open, Number)
                | (Bareword, Close, Operator, Open, Bareword)
        );
        if expression {
            if self.len > MOST {
                self.kept[1] = self.kept[MOST];
                self.len = 2;
            } else {
                self.len = 1;
            }
            self.left = 0;
        }
    }

    /// The rules for two neighbours.
    fn two(&mut self) -> Fold {
        let left = self.left;
        let (Some(first), Some(second)) = (self.kept[left], self.kept[left + 1]) else {
            return Fold::On;
        };
        let back = left.saturating_sub(1);
        match (first.kind, second.kind) {
            (Kind::String, Kind::String) | (Kind::Semicolon, Kind::Semicolon) => {
                return self.drop_last(1, left);
            }
            (Kind::Operator | Kind::LogicOperator, kind)
                if second.is_unary_operator() || kind == Kind::SqlType =>
            {
                return self.drop_last(1, 0);
            }
            (Kind::LeftParenthesis, _) if second.is_unary_operator() => {
                return self.drop_last(1, back);
            }
            _ => {}
        }
        if let Some(merged) = merged(&first, &second) {
            self.kept[left] = Some(merged);
            return self.drop_last(1, back);
        }
        match (first.kind, second.kind) {
            // Alone and not within an expression `IF` is a statement.
            (Kind::Semicolon, Kind::Function) if starts_with_if(&second) => {
                self.set_kind(left + 1, Kind::Tsql);
                Fold::Again
            }
            (Kind::Bareword | Kind::Variable, Kind::LeftParenthesis)
                if FUNCTIONS.iter().any(|name| first.is(name)) =>
            {
                self.set_kind(left, Kind::Function);
                Fold::Again
            }
            (Kind::Keyword, next) if first.is("IN") || first.is("NOT IN") => {
                let operator = next == Kind::LeftParenthesis;
                self.set_kind(left, if operator { Kind::Operator } else { Kind::Bareword });
                Fold::Again
            }
            (Kind::Operator, next) if first.is("LIKE") || first.is("NOT LIKE") => {
                if next == Kind::LeftParenthesis {
                    self.set_kind(left, Kind::Function);
                }
                Fold::On
            }
            (
                Kind::SqlType,
                Kind::Bareword
                | Kind::Number
                | Kind::SqlType
                | Kind::LeftParenthesis
                | Kind::Function
                | Kind::Variable
                | Kind::String,
            ) => {
                self.kept[left] = Some(second);
                self.drop_last(1, 0)
            }
            (Kind::Collate, Kind::Bareword) => {
                // There are too many collations to know them all; their names have underscores.
                let name = second.text.split(|byte| *byte == 0).next().unwrap_or_default();
                if name.contains(&b'_') {
                    self.set_kind(left + 1, Kind::SqlType);
                    self.left = 0;
                }
                Fold::On
            }
            (Kind::Backslash, _) if second.is_arithmetic_operator() => {
                self.set_kind(left, Kind::Number);
                self.left = 0;
                Fold::Again
            }
            (Kind::Backslash, _) => {
                self.kept[left] = Some(second);
                self.drop_last(1, 0)
            }
            (Kind::LeftParenthesis, Kind::LeftParenthesis)
            | (Kind::RightParenthesis, Kind::RightParenthesis) => self.drop_last(1, 0),
            (Kind::LeftBrace, Kind::Bareword) if second.text.is_empty() => {
                self.set_kind(left + 1, Kind::Evil);
                self.left = left + 2;
                Fold::Stop
            }
            (Kind::LeftBrace, Kind::Bareword) => self.drop_last(2, 0),
            (_, Kind::RightBrace) => self.drop_last(1, 0),
            _ => Fold::On,
        }
    }

    /// The rules for three neighbours. Says whether one applied.
    fn three(&mut self) -> bool {
        let left = self.left;
        let (Some(first), Some(second), Some(third)) =
            (self.kept[left], self.kept[left + 1], self.kept[left + 2])
        else {
            return false;
        };
        let sign = second.is_unary_operator();
        let dropped = match (first.kind, second.kind, third.kind) {
            (Kind::Number, Kind::Operator, Kind::Number)
            | (Kind::LogicOperator, _, Kind::LogicOperator)
            | (Kind::Variable, Kind::Operator, Kind::Variable | Kind::Number | Kind::Bareword)
            | (Kind::Bareword | Kind::Number, Kind::Operator, Kind::Number | Kind::Bareword)
            | (
                Kind::Bareword | Kind::Number | Kind::String | Kind::Variable,
                Kind::Comma,
                Kind::Number | Kind::Bareword | Kind::String | Kind::Variable,
            )
            | (Kind::Bareword, Kind::Dot, Kind::Bareword) => 2,
            (Kind::Operator, between, Kind::Operator) if between != Kind::LeftParenthesis => 2,
            (
                Kind::Bareword | Kind::Number | Kind::Variable | Kind::String,
                Kind::Operator,
                Kind::SqlType,
            ) if second.text == b"::" => 2,
            (Kind::Expression | Kind::Group | Kind::Comma, _, Kind::LeftParenthesis) if sign => {
                self.replace_second(third, 1)
            }
            (
                Kind::Keyword | Kind::Expression | Kind::Group,
                _,
                Kind::Number | Kind::Bareword | Kind::Variable | Kind::String | Kind::Function,
            ) if sign => self.replace_second(third, 1),
            // The token before is looked at again: `1,-1` is `1`.
            (Kind::Comma, _, Kind::Number | Kind::Bareword | Kind::Variable | Kind::String)
                if sign =>
            {
                self.replace_second(third, 3)
            }
            (Kind::Comma, _, Kind::Function) if sign => self.replace_second(third, 1),
            (Kind::Expression, Kind::Dot, Kind::Bareword) => self.replace_second(third, 1),
            (Kind::Function, Kind::LeftParenthesis, kind) if kind != Kind::RightParenthesis => {
                // With an argument it is not the function.
                if first.is("USER") {
                    self.set_kind(left, Kind::Bareword);
                }
                return false;
            }
            _ => return false,
        };
        self.drop_last(dropped, 0);
        true
    }

    fn replace_second(&mut self, token: Token<'t>, dropped: usize) -> usize {
        self.kept[self.left + 1] = Some(token);
        dropped
    }
}

/// Words that are functions before a parenthesis.
const FUNCTIONS: [&str; 11] = [
    "USER_ID",
    "USER_NAME",
    "DATABASE",
    "PASSWORD",
    "USER",
    "CURRENT_USER",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "LOCALTIME",
    "LOCALTIMESTAMP",
];

fn starts_with_if(token: &Token<'_>) -> bool {
    token.text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(b"IF"))
}

/// Two words that are one of SQL's: `UNION` and `ALL`.
fn merged<'t>(first: &Token<'t>, second: &Token<'t>) -> Option<Token<'t>> {
    let is_word = |kind| {
        matches!(
            kind,
            Kind::Keyword
                | Kind::Bareword
                | Kind::Operator
                | Kind::Union
                | Kind::Function
                | Kind::Expression
                | Kind::Tsql
                | Kind::SqlType
        )
    };
    if !is_word(first.kind) || !(is_word(second.kind) || second.kind == Kind::LogicOperator) {
        return None;
    }
    let mut both = [b' '; LONGEST];
    let end = first.text.len() + 1 + second.text.len();
    let both = both.get_mut(..end)?;
    both[..first.text.len()].copy_from_slice(first.text);
    both[first.text.len() + 1..].copy_from_slice(second.text);
    let (text, kind) = word(both)?;
    Some(Token { kind, text, ..*first })
}
