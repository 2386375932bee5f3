//! What a step does.

use std::time::Duration;

use edgeproof_diagnostics::{Diagnostic, Node, suggest};

use super::Binder;
use crate::model::{Action, LoadSpec, LogAct, Ratio, Step};
use crate::table;

impl Binder<'_> {
    /// A verb and what stands under it.
    pub(super) fn action(&self, verb: &str, node: &Node, path: &str) -> Option<Action> {
        match verb {
            "send" => self.request(node).map(Action::Send),
            "raw" => self.raw(node),
            "advance" => self.duration(node).map(Action::Advance),
            "parallel" => self.parallel(node, path),
            "repeat" => self.repeat(node, path),
            "poll" => self.poll(node, path),
            "ssh" => self.ssh(node).map(Action::Ssh),
            "load" => self.load(node).map(Action::Load),
            "journey" => self.journey(node).map(Action::Journey),
            "ratio" => self.ratio(node).map(Action::Ratio),
            "log" => self.log_act(node).map(Action::Log),
            "close" => self.only_true(node).map(|()| Action::Close),
            _ => None,
        }
    }

    fn log_act(&self, node: &Node) -> Option<LogAct> {
        self.need("access-log", &node.span);
        self.need("log-rotation", &node.span);
        let word = self.word_of(node, table::LOG_ACTS)?;
        LogAct::WORDS.iter().find(|(known, _)| *known == word).map(|(_, act)| *act)
    }

    fn parallel(&self, node: &Node, path: &str) -> Option<Action> {
        let fields = self.fields(node, &table::PARALLEL)?;
        let clients = fields.get("clients").and_then(|it| self.size_of(it, 1..=10_000));
        let steps = fields.get("steps").map(|it| self.round(it, &format!("{path}.parallel.steps")));
        Some(Action::Parallel { clients: clients?, steps: steps? })
    }

    fn repeat(&self, node: &Node, path: &str) -> Option<Action> {
        let fields = self.fields(node, &table::REPEAT)?;
        let times = fields.get("times").and_then(|it| self.size_of(it, 1..=1_000_000));
        let steps = fields.get("steps").map(|it| self.round(it, &format!("{path}.repeat.steps")));
        Some(Action::Repeat { times: times?, steps: steps? })
    }

    /// Steps in which `{{index}}` counts.
    fn round(&self, node: &Node, path: &str) -> Vec<Step> {
        self.rounds.set(self.rounds.get() + 1);
        let steps = self.steps(node, path);
        self.rounds.set(self.rounds.get() - 1);
        steps
    }

    fn poll(&self, node: &Node, path: &str) -> Option<Action> {
        let fields = self.fields(node, &table::POLL)?;
        let step = match fields.get("step") {
            Some(step) => self.step(step, &format!("{path}.poll.step")),
            None => Some(Step {
                span: node.span.first_line(),
                action: Action::Look,
                client: "main".to_owned(),
                expect: Vec::new(),
                capture: Vec::new(),
            }),
        };
        let until = fields.get("until").map(|it| self.expect(it, &format!("{path}.poll.until")));
        let every = match fields.get("every") {
            Some(every) => self.duration(every),
            None => Some(Duration::from_millis(50)),
        };
        let within = match fields.get("within") {
            Some(within) => self.lasting(within),
            None => Some(Duration::from_secs(5)),
        };
        let (every, within) = (every?, within?);
        if every > within {
            return self.reject(&node.span, "`every` is longer than `within`");
        }
        Some(Action::Poll { step: Box::new(step?), until: until?, every, within })
    }

    fn load(&self, node: &Node) -> Option<LoadSpec> {
        let fields = self.fields(node, &table::LOAD)?;
        let name = fields.get("name").and_then(|it| self.text(it));
        self.loads.borrow_mut().extend(name.clone());
        let request = fields.get("send").and_then(|it| self.request(it));
        let count = |key, most, usual| match fields.get(key) {
            Some(node) => self.size_of(node, 1..=most),
            None => Some(usual),
        };
        let concurrency = count("concurrency", 10_000, 10);
        let shots = count("shots", 1000, 1);
        let requests = fields.get("requests").and_then(|it| self.whole(it, 1..=u64::MAX));
        let time_limit = match fields.get("time_limit") {
            Some(limit) => self.lasting(limit),
            None => Some(Duration::from_secs(60)),
        };
        let keep_alive = fields.get("keep_alive").and_then(|it| self.flag(it)).unwrap_or(true);
        Some(LoadSpec {
            name: name?,
            request: request?,
            concurrency: concurrency?,
            requests: requests?,
            time_limit: time_limit?,
            shots: shots?,
            keep_alive,
        })
    }

    fn ratio(&self, node: &Node) -> Option<Ratio> {
        let fields = self.fields(node, &table::RATIO)?;
        let name = fields.get("name").and_then(|it| self.text(it));
        let of = self.word(&fields, "of");
        let load = |key| fields.get(key).and_then(|it| self.load_name(it));
        let (numerator, denominator) = (load("numerator"), load("denominator"));
        Some(Ratio {
            name: name?,
            of: of?.to_owned(),
            numerator: numerator?,
            denominator: denominator?,
        })
    }

    /// The name of a load that an earlier step measured.
    fn load_name(&self, node: &Node) -> Option<String> {
        let name = self.text(node)?;
        let loads = self.loads.borrow();
        if loads.contains(&name) {
            return Some(name);
        }
        let help = suggest(&name, loads.iter().map(String::as_str))
            .map(|meant| format!("did you mean `{meant}`?"));
        let message = format!("no earlier step measures a load named `{name}`");
        self.report(Diagnostic::error(message).at(&node.span).maybe_help(help))
    }
}
