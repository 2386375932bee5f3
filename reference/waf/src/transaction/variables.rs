//! What the variables hold in the course of a transaction.

use super::held::Held;
use super::texts::{Text, Texts};
use super::tx::{Names, TxName, TxVars};
use super::value::{Key, Pair, Value};
use crate::plan::Members;
use crate::rules::{Selection, Target};
use crate::variable::Variable;

/// The number of variables.
const COUNT: usize = Variable::ALL.len();

/// The values. Those that change by themselves (TIME, DURATION, MATCHED_VAR_NAME) are made by
/// [`super::dynamic`].
#[derive(Debug)]
pub(crate) struct Variables {
    singles: [Option<Text>; COUNT],
    /// Those of the query first.
    pub(crate) args: Vec<Pair>,
    /// How many of the arguments are the query's.
    pub(crate) of_query: usize,
    pub(crate) cookies: Vec<Pair>,
    pub(crate) request_headers: Vec<Pair>,
    pub(crate) response_headers: Vec<Pair>,
    /// Form field and name on the client.
    pub(crate) files: Vec<Pair>,
    /// Form field and size.
    pub(crate) file_sizes: Vec<Pair>,
    /// Form field and content, where a rule looks at it.
    pub(crate) file_contents: Vec<Pair>,
    /// Part and header line.
    pub(crate) part_headers: Vec<Pair>,
    pub(crate) env: Vec<Pair>,
    /// For each XPath of the rule set what it finds.
    pub(crate) xml: Vec<Vec<Text>>,
    pub(crate) has_xml: bool,
    pub(crate) tx: TxVars,
    pub(crate) held: Vec<Held>,
    /// What matched last.
    pub(crate) matched: Option<Value>,
    /// What the current rule matched so far.
    pub(crate) all_matched: Vec<Value>,
}

/// Which of name and value of a pair a variable shows.
#[derive(Clone, Copy)]
enum Side {
    Name,
    Value,
}

impl Variables {
    pub(crate) fn new(names: &Names) -> Self {
        Self {
            singles: [None; COUNT],
            args: Vec::new(),
            of_query: 0,
            cookies: Vec::new(),
            request_headers: Vec::new(),
            response_headers: Vec::new(),
            files: Vec::new(),
            file_sizes: Vec::new(),
            file_contents: Vec::new(),
            part_headers: Vec::new(),
            env: Vec::new(),
            xml: Vec::new(),
            has_xml: false,
            tx: TxVars::new(names),
            held: Vec::new(),
            matched: None,
            all_matched: Vec::new(),
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        let Self {
            singles,
            args,
            of_query,
            cookies,
            request_headers,
            response_headers,
            files,
            file_sizes,
            file_contents,
            part_headers,
            env,
            xml,
            has_xml,
            tx,
            held,
            matched,
            all_matched,
        } = self;
        singles.fill(None);
        *of_query = 0;
        for pairs in [
            args,
            cookies,
            request_headers,
            response_headers,
            files,
            file_sizes,
            file_contents,
            part_headers,
            env,
        ] {
            pairs.clear();
        }
        xml.clear();
        *has_xml = false;
        tx.clear();
        held.clear();
        *matched = None;
        all_matched.clear();
    }

    /// Gives a variable without members its value.
    pub(crate) fn set(&mut self, variable: Variable, text: Text) {
        self.singles[variable as usize] = Some(text);
    }

    /// Takes a variable's value away.
    pub(crate) fn unset(&mut self, variable: Variable) {
        self.singles[variable as usize] = None;
    }

    /// The value of a variable without members.
    pub(crate) fn single(&self, variable: Variable) -> Option<Text> {
        match variable {
            Variable::MatchedVar => self.matched.map(|matched| matched.text),
            _ => self.singles[variable as usize],
        }
    }

    /// The collection that a transaction holds, if a rule has asked for it.
    pub(crate) fn held(&self, variable: Variable) -> Option<&Held> {
        self.held.iter().find(|held| held.variable() == variable)
    }

    /// The same, to change it.
    pub(crate) fn held_mut(&mut self, variable: Variable) -> Option<&mut Held> {
        self.held.iter_mut().find(|held| held.variable() == variable)
    }

    /// The pairs that a collection of the request or the response is made of.
    fn pairs(&self, variable: Variable) -> Option<(&[Pair], Side)> {
        use Side::{Name, Value};
        Some(match variable {
            Variable::Args => (&self.args, Value),
            Variable::ArgsNames => (&self.args, Name),
            Variable::ArgsGet => (&self.args[..self.of_query], Value),
            Variable::ArgsGetNames => (&self.args[..self.of_query], Name),
            Variable::ArgsPost => (&self.args[self.of_query..], Value),
            Variable::ArgsPostNames => (&self.args[self.of_query..], Name),
            Variable::RequestCookies => (&self.cookies, Value),
            Variable::RequestCookiesNames => (&self.cookies, Name),
            Variable::RequestHeaders => (&self.request_headers, Value),
            Variable::RequestHeadersNames => (&self.request_headers, Name),
            Variable::ResponseHeaders => (&self.response_headers, Value),
            Variable::ResponseHeadersNames => (&self.response_headers, Name),
            Variable::Files => (&self.files, Value),
            Variable::FilesNames => (&self.files, Name),
            Variable::FilesSizes => (&self.file_sizes, Value),
            Variable::FilesTmpContent => (&self.file_contents, Value),
            Variable::MultipartPartHeaders => (&self.part_headers, Value),
            Variable::Env => (&self.env, Value),
            _ => return None,
        })
    }

    /// Appends the values of a variable that do not change during a phase.
    pub(crate) fn collect_steady(
        &self,
        variable: Variable,
        members: &Members,
        texts: &Texts,
        out: &mut Vec<Value>,
    ) {
        let Some((pairs, side)) = self.pairs(variable) else {
            match members {
                Members::Path(path) => {
                    let found = self.xml.get(*path).map(Vec::as_slice).unwrap_or_default();
                    out.extend(found.iter().map(|&text| Value::single(variable, text)));
                }
                Members::All | Members::Name(_) if variable == Variable::Xml => {}
                Members::All | Members::Name(_) => {
                    out.extend(self.single(variable).map(|text| Value::single(variable, text)));
                }
            }
            return;
        };
        let wanted = |pair: &&Pair| match members {
            Members::Name(name) => texts.get(pair.name).eq_ignore_ascii_case(name),
            Members::All | Members::Path(_) => true,
        };
        out.extend(pairs.iter().filter(wanted).map(|pair| match side {
            Side::Name => Value::member(variable, pair.name, pair.name),
            Side::Value => Value::member(variable, pair.name, pair.value),
        }));
    }

    /// The first value of a variable of the request or the response, of that name where one is
    /// asked for.
    pub(crate) fn first(
        &self,
        variable: Variable,
        member: Option<&[u8]>,
        texts: &Texts,
    ) -> Option<Text> {
        let Some((pairs, side)) = self.pairs(variable) else { return self.single(variable) };
        let wanted = |pair: &&Pair| {
            member.is_none_or(|name| texts.get(pair.name).eq_ignore_ascii_case(name))
        };
        pairs.iter().find(wanted).map(|pair| match side {
            Side::Name => pair.name,
            Side::Value => pair.value,
        })
    }

    /// Appends the values of a target that has members or is one of the plain variables; see
    /// [`super::dynamic`] for the others.
    pub(crate) fn collect(
        &self,
        target: &Target,
        texts: &Texts,
        names: &Names,
        out: &mut Vec<Value>,
    ) {
        let variable = target.variable;
        if let Some((pairs, side)) = self.pairs(variable) {
            let wanted = |pair: &&Pair| target.takes(texts.get(pair.name));
            out.extend(pairs.iter().filter(wanted).map(|pair| {
                let text = match side {
                    Side::Name => pair.name,
                    Side::Value => pair.value,
                };
                Value::member(variable, pair.name, text)
            }));
            return;
        }
        match variable {
            Variable::Tx => self.collect_tx(target, texts, names, out),
            Variable::Xml => self.collect_xml(target, out),
            Variable::MatchedVars => {
                out.extend(self.all_matched.iter().filter(|value| {
                    target.takes_all() || target.takes(&full_name(value, texts, names))
                }));
            }
            _ => out.extend(self.single(variable).map(|text| Value::single(variable, text))),
        }
    }

    fn collect_tx(&self, target: &Target, texts: &Texts, names: &Names, out: &mut Vec<Value>) {
        if let Selection::Slot(slot) = target.selection {
            let value = |text| Value { variable: Variable::Tx, key: Key::Slot(slot), text };
            out.extend(self.tx.get(slot).map(value));
            return;
        }
        if !target.takes_slots() {
            let taken = self.tx.others().filter(|(name, _)| target.takes(texts.get(*name)));
            let value = |(name, text)| Value::member(Variable::Tx, name, text);
            return out.extend(taken.map(value));
        }
        out.extend(self.tx.iter().filter_map(|(name, text)| {
            let (key, taken) = match name {
                TxName::Slot(slot) => (Key::Slot(slot), target.takes_slot(slot, names)),
                TxName::Other(name) => (Key::Text(name), target.takes(texts.get(name))),
            };
            taken.then_some(Value { variable: Variable::Tx, key, text })
        }));
    }

    fn collect_xml(&self, target: &Target, out: &mut Vec<Value>) {
        if let Selection::Path(path) = target.selection {
            let found = self.xml.get(path).map(Vec::as_slice).unwrap_or_default();
            let excluded =
                |one: &Selection| matches!(one, Selection::Path(other) if *other == path);
            let hidden = |one: &Selection| matches!(one, Selection::All) || excluded(one);
            if !target.except.iter().any(hidden) {
                out.extend(found.iter().map(|&text| Value::single(Variable::Xml, text)));
            }
        }
    }
}

/// The whole name of a value, such as `ARGS:id`.
pub(crate) fn full_name(value: &Value, texts: &Texts, names: &Names) -> Vec<u8> {
    let mut name = Vec::new();
    value.write_name(texts, names, &mut name);
    name
}
