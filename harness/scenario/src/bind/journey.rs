//! `journey`.

use std::time::Duration;

use edgeproof_diagnostics::{Diagnostic, Node};

use super::Binder;
use crate::model::{Capture, CaptureFrom, JourneySpec, JourneyStep, Request, Status};
use crate::table;

/// What a user of a journey leaves to its HTTP library.
const OF_THE_WIRE: [&str; 8] =
    ["version", "chunked", "framing", "trailers", "tls", "expect_continue", "pause", "abort_after"];

impl Binder<'_> {
    /// Its captures are each user's own: later steps of the case do not know them.
    pub(super) fn journey(&self, node: &Node) -> Option<JourneySpec> {
        let fields = self.fields(node, &table::JOURNEY)?;
        let name = fields.get("name").and_then(|it| self.text(it));
        self.loads.borrow_mut().extend(name.clone());
        let users = match fields.get("users") {
            Some(users) => self.size_of(users, 1..=10_000),
            None => Some(10),
        };
        let iterations = fields.get("iterations").map(|it| self.whole(it, 1..=u64::MAX));
        let time = fields.get("time").map(|it| self.lasting(it));
        if iterations.is_none() && time.is_none() {
            let message = "a journey without a bound never ends";
            let help = "say `time`, `iterations` (each user's), or both";
            self.report::<()>(Diagnostic::error(message).at(&node.span.first_line()).help(help));
        }
        let outside = self.enter_journey();
        let steps = fields.get("steps").map(|it| self.journey_steps(it));
        self.leave_journey(outside);
        Some(JourneySpec {
            name: name?,
            users: users?,
            iterations: match iterations {
                Some(iterations) => Some(iterations?),
                None => None,
            },
            time: match time {
                Some(time) => Some(time?),
                None => None,
            },
            steps: steps?,
        })
    }

    fn journey_steps(&self, node: &Node) -> Vec<JourneyStep> {
        if node.as_sequence().is_some_and(<[_]>::is_empty) {
            self.reject::<()>(&node.span, "a step is missing");
        }
        let steps = self.items(node).iter().enumerate();
        steps.filter_map(|(at, step)| self.journey_step(step, at + 1)).collect()
    }

    fn journey_step(&self, node: &Node, number: usize) -> Option<JourneyStep> {
        let fields = self.fields(node, &table::JOURNEY_STEP)?;
        let name = match fields.get("name") {
            Some(name) => self.text(name),
            None => Some(number.to_string()),
        };
        let request = fields.get("send").and_then(|it| self.journey_request(it));
        let status = match fields.get("expect") {
            Some(expect) => self.journey_expect(expect),
            None => Some(Status::Class(2)),
        };
        let capture = fields.get("capture").map(|it| self.captures(it)).unwrap_or_default();
        for capture in &capture {
            self.of_the_answer(capture);
            self.captured(&capture.name, &capture.span);
        }
        let think = match fields.get("think") {
            None => Some((Duration::ZERO, Duration::ZERO)),
            Some(range) if range.as_sequence().is_some() => {
                self.pair(range, |bound| self.duration(bound))
            }
            Some(fixed) => self.duration(fixed).map(|fixed| (fixed, fixed)),
        };
        Some(JourneyStep {
            span: node.span.first_line(),
            name: name?,
            request: request?,
            status: status?,
            capture,
            think: think?,
        })
    }

    fn journey_expect(&self, node: &Node) -> Option<Status> {
        let fields = self.fields(node, &table::JOURNEY_EXPECT)?;
        self.status(fields.get("status")?)
    }

    /// A request as an HTTP library sends it.
    fn journey_request(&self, node: &Node) -> Option<Request> {
        let request = self.request(node)?;
        let help =
            "users of a journey send as an HTTP library does; use `send` or `load` for the rest";
        for (key, value) in node.as_mapping().unwrap_or_default() {
            let name = key.as_str().unwrap_or_default();
            if OF_THE_WIRE.contains(&name) {
                let message = format!("a journey cannot say `{name}` of a request");
                self.report::<()>(
                    Diagnostic::error(message).at(&key.span.to(&value.span)).help(help),
                );
            }
        }
        if node.as_mapping().is_none() && request.version != "HTTP/1.1" {
            let message = "a journey cannot say the version of a request";
            self.report::<()>(Diagnostic::error(message).at(&node.span).help(help));
        }
        if request.headers.iter().any(|(_, value)| value.is_none()) {
            let message = "a journey cannot leave out `Host`";
            self.report::<()>(Diagnostic::error(message).at(&node.span.first_line()).help(help));
        }
        let target = request.target.as_literal();
        if target.is_some_and(|target| !target.starts_with(b"/")) {
            let message = "a journey's request-target begins with `/`";
            self.report::<()>(Diagnostic::error(message).at(&node.span.first_line()).help(help));
        }
        Some(request)
    }

    fn of_the_answer(&self, capture: &Capture) {
        if matches!(capture.from, CaptureFrom::AccessLog | CaptureFrom::OriginHeader(_)) {
            let message = "a user of a journey knows only what it was answered";
            let help = "capture `header`, `body`, `json` or `status`";
            self.report::<()>(Diagnostic::error(message).at(&capture.span).help(help));
        }
    }
}
