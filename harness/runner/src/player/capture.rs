//! Remembering values for later steps.

use edgeproof_scenario::model::{Capture, CaptureFrom, Step};
use edgeproof_scenario::{NoPart, at_pointer};

use super::{Actor, Player, Stop, redirect};
use crate::expect::broken;
use crate::visible::quoted;

impl Player {
    /// Takes what the step captures; a value that is not there fails the case.
    pub(super) fn capture(&self, actor: &mut Actor, step: &Step, path: &str) -> Result<(), Stop> {
        for capture in &step.capture {
            match self.captured(actor, capture) {
                Ok(value) => {
                    self.origin.set_variable(&capture.name, &value);
                    actor.variables.set(&capture.name, value);
                }
                Err(why) => {
                    let path = format!("{path}.capture.{}", capture.name);
                    return Err(self.fails(broken(&capture.span, &path, &why)));
                }
            }
        }
        Ok(())
    }

    fn captured(&self, actor: &Actor, capture: &Capture) -> Result<Vec<u8>, String> {
        let answer = actor.last.heard.as_ref().and_then(|heard| heard.answers.last());
        let value = match &capture.from {
            CaptureFrom::Header(name) => answer.and_then(|answer| answer.fields.joined(name)),
            CaptureFrom::Body => answer.map(|answer| answer.content.bytes.clone()),
            CaptureFrom::Json(pointer) => {
                answer.and_then(|answer| at_pointer(&answer.content.bytes, pointer))
            }
            CaptureFrom::Status => answer.map(|answer| answer.status.to_string().into_bytes()),
            CaptureFrom::AccessLog => match &self.access_log {
                Ok(log) => log.lines()?.pop(),
                Err(why) => return Err(why.clone()),
            },
            CaptureFrom::OriginHeader(name) => {
                self.origin.records(0).last().and_then(|record| record.fields.joined(name))
            }
            CaptureFrom::RedirectTarget { from } => {
                let from = actor.variables.fill(from, self.clock.now());
                let from = from.map_err(|missing| missing.to_string())?;
                Some(redirect::target(answer, &from)?)
            }
            CaptureFrom::RedirectHost { otherwise } => {
                Some(redirect::host(answer)?.unwrap_or_else(|| otherwise.clone().into_bytes()))
            }
            CaptureFrom::CookieLine => {
                let before = actor.variables.get(&capture.name).unwrap_or_default();
                Some(redirect::cookie_line(before, answer))
            }
        };
        let value = value.ok_or_else(|| format!("nothing to capture as `{}`", capture.name))?;
        let part = capture.part().map_err(|error| error.to_string())?.of(&value);
        part.map_err(|why| {
            let name = &capture.name;
            let of = match (why, &capture.matches) {
                (NoPart::NoMatch | NoPart::NoGroup, Some(regex)) => {
                    format!(" of /{regex}/ in {}", quoted(&value))
                }
                _ => String::new(),
            };
            format!("nothing to capture as `{name}`: {why}{of}")
        })
    }
}
