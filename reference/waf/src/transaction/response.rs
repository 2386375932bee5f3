//! The answer: its header becomes variables in phase 3, its body in phase 4.

use std::sync::Arc;

use super::Transaction;
use super::outcome::{BodyVerdict, Verdict};
use super::value::Pair;
use crate::seclang::{AllowKind, LimitAction, Mode, Phase};
use crate::variable::Variable;

/// The status in place of an answer that is too long.
const TOO_LONG: u16 = 500;

/// The body of an answer as it comes.
#[derive(Debug, Default)]
pub(super) struct ResponseBody {
    /// Whether its media type is one of those looked at.
    wanted: bool,
    gathered: Vec<u8>,
    /// Nothing more is gathered.
    full: bool,
    status: Option<u16>,
}

impl Transaction {
    /// The status line and the header of the answer are there: phase 3. `reason` is the text behind
    /// the status. To be called for answers of the proxy's own as well; for those that a rule
    /// caused no rule runs.
    pub fn response<'h>(
        &mut self,
        version: &[u8],
        status: u16,
        reason: &[u8],
        headers: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
    ) -> Verdict {
        self.answer.status = Some(status);
        let line = [status.to_string().as_bytes(), b" ", reason].concat();
        self.set(Variable::StatusLine, &line);
        self.set(Variable::ResponseStatus, status.to_string().as_bytes());
        self.set(Variable::ResponseProtocol, version);
        for (name, value) in headers {
            let (name, value) = (self.texts.add(name), self.texts.add(value));
            self.variables.response_headers.push(Pair { name, value });
        }
        let header = |transaction: &Self, name| {
            transaction.variables.first(Variable::ResponseHeaders, Some(name), &transaction.texts)
        };
        if let Some(media_type) = header(self, b"content-type") {
            self.variables.set(Variable::ResponseContentType, media_type);
        }
        match header(self, b"content-length") {
            Some(length) => self.variables.set(Variable::ResponseContentLength, length),
            None => self.set(Variable::ResponseContentLength, b"0"),
        }
        let verdict = self.enter(Phase::ResponseHeaders);
        self.answer.wanted = self.is_media_type_wanted();
        verdict
    }

    /// SecResponseBodyMimeType: parameters and case do not count; without Content-Type it is
    /// `(null)`.
    fn is_media_type_wanted(&self) -> bool {
        let media_type = self.variables.single(Variable::ResponseContentType);
        let wanted = &self.rules.settings().response_body_mime_types;
        let Some(media_type) = media_type else {
            return wanted.iter().any(|one| matches!(&**one, "null" | "(null)"));
        };
        let media_type = self.texts.get(media_type);
        let end = memchr::memchr(b';', media_type).unwrap_or(media_type.len());
        let media_type = media_type[..end].trim_ascii_end();
        wanted.iter().any(|one| one.as_bytes().eq_ignore_ascii_case(media_type))
    }

    /// Whether the rules want to see the body before it goes to the client. Known after phase 3.
    #[must_use]
    pub fn wants_response_body(&self) -> bool {
        let over = self.verdict != Verdict::Pass || self.controls.mode == Mode::Off;
        let allowed = self.allowed == Some(AllowKind::All);
        let wanted = self.controls.response_body_access && self.answer.wanted;
        wanted && !over && !allowed && !self.answer.full
    }

    /// A part of the answer's body, as it comes, content codings taken away.
    pub fn response_body(&mut self, part: &[u8]) -> BodyVerdict {
        if !self.wants_response_body() {
            return BodyVerdict::Enough;
        }
        let limit = usize::try_from(self.controls.response_body_limit).unwrap_or(usize::MAX);
        let room = limit - self.answer.gathered.len().min(limit);
        self.answer.gathered.extend_from_slice(&part[..part.len().min(room)]);
        if part.len() <= room {
            return BodyVerdict::Continue;
        }
        self.answer.full = true;
        self.set(Variable::OutboundDataError, b"1");
        let action = self.rules.settings().response_body_limit_action;
        if self.controls.mode == Mode::On && action == LimitAction::Reject {
            BodyVerdict::Reject { status: TOO_LONG }
        } else {
            BodyVerdict::Enough
        }
    }

    /// The answer is complete, or as much of it as is looked at: phase 4.
    pub fn response_end(&mut self) -> Verdict {
        if self.answer.wanted && self.controls.response_body_access {
            let body = std::mem::take(&mut self.answer.gathered);
            self.set(Variable::ResponseBody, &body);
        }
        self.enter(Phase::ResponseBody)
    }

    /// Whether the status is one for the audit log (SecAuditLogRelevantStatus).
    pub(super) fn has_relevant_status(&self) -> bool {
        let rules = Arc::clone(&self.rules);
        let status = self.verdict.status().or(self.answer.status);
        let (Some(status), Some(pattern)) = (status, &rules.settings().audit_relevant_status)
        else {
            return false;
        };
        pattern.is_in(status.to_string().as_bytes())
    }
}
