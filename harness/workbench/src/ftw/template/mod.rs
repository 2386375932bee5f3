//! Templates in a text, as Go writes them: `{{ "1" | repeat 64200 }}`.
//!
//! ```text
//! text ─▶ actions {{…}} ─lex─▶ words ─parse─▶ pipeline ─functions─▶ octets
//! ```
//!
//! Only what test data is made with is read: texts, numbers, functions, pipes, parentheses and `.Payload`.
//! What has no such form is text as it stands, so that an attack on templates (`{{7*7}}`, `{{config}}`)
//! stays one; what has it and a mistake in it is a mistake.

mod functions;
mod lex;

use std::ops::Range;

use edgeproof_diagnostics::suggest;

use functions::{FUNCTIONS, Item, call};
use lex::{Word, Words, words};

/// What is wrong in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// Where, in octets of the text.
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// Looks up a variable of the environment.
pub(super) type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Fills the templates of a text in. `payload` is `.Payload`, where the file knows it.
pub(super) fn fill(
    text: &str,
    payload: Option<&str>,
    environment: Environment<'_>,
) -> Result<Vec<u8>, Mistake> {
    let mut filled = Vec::with_capacity(text.len());
    let mut rest = 0;
    while let Some(open) = text[rest..].find("{{").map(|at| rest + at) {
        let Some(action) = Action::at(text, open) else {
            // `{{{` may begin one brace later.
            filled.extend_from_slice(&text.as_bytes()[rest..=open]);
            rest = open + 1;
            continue;
        };
        let before = &text[rest..open];
        let before = if action.trims_before { before.trim_end() } else { before };
        filled.extend_from_slice(before.as_bytes());
        let context = Context { payload, environment };
        if let Some(pipeline) = action.pipeline {
            filled.extend(context.pipeline(&pipeline)?.into_octets());
        }
        rest = action.end;
        if action.trims_after {
            let after = &text[rest..];
            rest += after.len() - after.trim_start().len();
        }
    }
    filled.extend_from_slice(&text.as_bytes()[rest..]);
    Ok(filled)
}

/// `{{ … }}` with something in it that is a template.
struct Action {
    /// Behind the braces.
    end: usize,
    trims_before: bool,
    trims_after: bool,
    /// `None` for a comment.
    pipeline: Option<Pipeline>,
}

/// Commands, each with what comes out of the one before as its last argument.
#[derive(Debug, Clone, PartialEq)]
struct Pipeline(Vec<Command>);

#[derive(Debug, Clone, PartialEq)]
struct Command {
    at: Range<usize>,
    operands: Vec<Operand>,
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Item(Item),
    Payload(Range<usize>),
    Function(String, Range<usize>),
    Inner(Pipeline),
}

impl Action {
    /// The action whose braces open there, if there is one.
    fn at(text: &str, open: usize) -> Option<Self> {
        let inside = open + 2;
        let trims_before = text[inside..].starts_with("- ");
        let from = if trims_before { inside + 2 } else { inside };
        if let Some(comment) = text[from..].trim_start().strip_prefix("/*") {
            let (_, after) = comment.split_once("*/")?;
            let end = text.len() - after.split_once("}}")?.1.len();
            let between = &after[..after.find("}}")?];
            let trims_after = between.trim_start_matches(' ') == "-";
            return (between.trim().is_empty() || trims_after).then_some(Self {
                end,
                trims_before,
                trims_after,
                pipeline: None,
            });
        }
        let Words { words, end, trims_after } = words(text, from)?;
        let mut parser = Parser { words: &words, next: 0 };
        let pipeline = parser.pipeline(0)?;
        (parser.next == words.len() && is_template(&pipeline)).then_some(Self {
            end,
            trims_before,
            trims_after,
            pipeline: Some(pipeline),
        })
    }
}

/// A lone name is a word in braces, which attacks are made of: every function takes something.
fn is_template(pipeline: &Pipeline) -> bool {
    match pipeline.0.as_slice() {
        [Command { operands, .. }] => !matches!(operands.as_slice(), [Operand::Function(..)]),
        _ => true,
    }
}

/// The deepest that parentheses may nest.
const DEEPEST: usize = 32;

struct Parser<'w> {
    words: &'w [(Word, Range<usize>)],
    next: usize,
}

impl Parser<'_> {
    fn pipeline(&mut self, depth: usize) -> Option<Pipeline> {
        let mut commands = vec![self.command(depth)?];
        while matches!(self.words.get(self.next), Some((Word::Pipe, _))) {
            self.next += 1;
            commands.push(self.command(depth)?);
        }
        Some(Pipeline(commands))
    }

    fn command(&mut self, depth: usize) -> Option<Command> {
        let start = self.words.get(self.next)?.1.start;
        let mut end = start;
        let mut operands = Vec::new();
        while let Some((word, at)) = self.words.get(self.next) {
            let operand = match word {
                Word::Pipe | Word::Close => break,
                Word::Item(item) => Operand::Item(item.clone()),
                Word::Payload => Operand::Payload(at.clone()),
                Word::Name(name) => Operand::Function(name.clone(), at.clone()),
                Word::Open => {
                    self.next += 1;
                    let inner = self.pipeline(depth + 1).filter(|_| depth < DEEPEST)?;
                    if !matches!(self.words.get(self.next), Some((Word::Close, _))) {
                        return None;
                    }
                    Operand::Inner(inner)
                }
            };
            end = self.words.get(self.next)?.1.end;
            self.next += 1;
            operands.push(operand);
        }
        (!operands.is_empty()).then_some(Command { at: start..end, operands })
    }
}

struct Context<'c> {
    payload: Option<&'c str>,
    environment: Environment<'c>,
}

impl Context<'_> {
    fn pipeline(&self, pipeline: &Pipeline) -> Result<Item, Mistake> {
        let mut last = None;
        for command in &pipeline.0 {
            last = Some(self.command(command, last)?);
        }
        // There is no pipeline without a command.
        Ok(last.unwrap_or(Item::Text(Vec::new())))
    }

    fn command(&self, command: &Command, last: Option<Item>) -> Result<Item, Mistake> {
        let (first, rest) = command
            .operands
            .split_first()
            .ok_or_else(|| mistake(&command.at, "a command without a word".to_owned(), None))?;
        let mut arguments = Vec::with_capacity(rest.len() + 1);
        for operand in rest {
            arguments.push(self.operand(operand)?);
        }
        arguments.extend(last);
        match first {
            Operand::Function(name, at) => self.call(name, at, &command.at, &arguments),
            // `"text"` alone; with arguments it would have to be a function.
            value if arguments.is_empty() => self.operand(value),
            _ => Err(mistake(&command.at, "only a function takes arguments".to_owned(), None)),
        }
    }

    fn operand(&self, operand: &Operand) -> Result<Item, Mistake> {
        match operand {
            Operand::Item(item) => Ok(item.clone()),
            Operand::Inner(pipeline) => self.pipeline(pipeline),
            Operand::Function(name, at) => self.call(name, at, at, &[]),
            Operand::Payload(at) => match self.payload {
                Some(payload) => Ok(Item::Text(payload.as_bytes().to_vec())),
                None => {
                    let help = "only a test with a `payload`, made from a `template`, has it";
                    Err(mistake(
                        at,
                        "`.Payload` has no value here".to_owned(),
                        Some(help.to_owned()),
                    ))
                }
            },
        }
    }

    fn call(
        &self,
        name: &str,
        at: &Range<usize>,
        command: &Range<usize>,
        arguments: &[Item],
    ) -> Result<Item, Mistake> {
        if !FUNCTIONS.contains(&name) {
            let help = match suggest(name, FUNCTIONS) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known are `{}`", FUNCTIONS.join("`, `")),
            };
            return Err(mistake(
                at,
                format!("unknown function `{name}` in a template"),
                Some(help),
            ));
        }
        call(name, arguments, self.environment).map_err(|why| mistake(command, why, None))
    }
}

fn mistake(at: &Range<usize>, message: String, help: Option<String>) -> Mistake {
    Mistake { at: at.clone(), message, help }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        let environment = |name: &str| (name == "NAME").then(|| "value".to_owned());
        match fill(text, Some("<p>"), &environment) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(mistake) => format!("{:?}: {}", mistake.at, mistake.message),
        }
    }

    #[test]
    fn templates_are_filled_in() {
        for (text, expected) in [
            (r#"a={{ "1" | repeat 3 }}&b"#, "a=111&b"),
            (r#"{{repeat 2 "ab"}}"#, "abab"),
            ("{{ `a\"b` | upper | b64enc }}", "QSJC"),
            (r#"x {{- "y" -}} z{{/* no */}}"#, "xyz"),
            (r#"{{ "\x41\n\u00e9" }}"#, "A\né"),
            (r#"{{ env "NAME" }}{{ env "OTHER" }}"#, "value"),
            (r#"{{ (add 1 2) | print "n" }}"#, "n3"),
            ("q={{.Payload}}", "q=<p>"),
            (r#"{{{ "a" }}}"#, "{a}"),
            (r#"{{ "a}}b" }}"#, "a}}b"),
        ] {
            assert_eq!(filled(text), expected, "{text}");
        }
    }

    #[test]
    fn other_braces_are_text() {
        for text in [
            "{{7*7}}",
            "{{config}}",
            "{{ self.__init__ }}",
            "{{constructor.constructor('alert(1)')()}}",
            "${{<%[%'\"}}%\\",
            "{{",
            "a {{ b",
            "{{}}",
            "{{ | }}",
            "{{ \"open }}",
            "{{#with}}",
            "{{/* }}",
        ] {
            assert_eq!(filled(text), text);
        }
    }

    #[test]
    fn a_mistake_has_its_place() {
        assert_eq!(
            filled(r#"a{{ "1" | repaet 3 }}"#),
            "10..16: unknown function `repaet` in a template"
        );
        assert_eq!(
            filled(r#"{{ repeat "x" 3 }}"#),
            "3..15: `repeat`: expected a number, found the text \"x\""
        );
        assert_eq!(filled(r#"{{ repeat 3 }}"#), "3..11: `repeat` takes 2 arguments, found 1");
        assert_eq!(filled(r#"{{ "a" "b" }}"#), "3..10: only a function takes arguments");
        let none = fill("{{.Payload}}", None, &|_| None).unwrap_err();
        assert_eq!(none.message, "`.Payload` has no value here");
    }
}
