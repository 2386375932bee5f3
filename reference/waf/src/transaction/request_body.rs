//! The request's body: gathered up to its limit, read as what it is, phase 2.

use std::sync::Arc;

use super::Transaction;
use super::outcome::{BodyVerdict, Verdict};
use super::request::Sink;
use super::texts::{Text, Texts};
use super::value::Pair;
use crate::body::multipart::{Limits, Multipart};
use crate::body::xml::Xml;
use crate::body::{Full, RequestTarget, json, urlencoded};
use crate::seclang::{AllowKind, LimitAction, Mode, Phase, Processor};
use crate::variable::Variable;

/// The status of a request whose body is too long.
const TOO_LONG: u16 = 413;

/// A body as it comes.
#[derive(Debug, Default)]
pub(super) struct RequestBody {
    target: Option<RequestTarget>,
    /// Whether the header announces a body, or one has begun to come.
    expected: bool,
    gathered: Vec<u8>,
    /// `gathered` as a text, when all is there.
    text: Option<Text>,
    /// Nothing more is gathered.
    full: bool,
}

impl RequestBody {
    /// Takes the target apart, for this phase and the next.
    pub(super) fn target(&mut self, method: &[u8], target: &[u8]) -> RequestTarget {
        let target = RequestTarget::new(method, target);
        self.target = Some(target.clone());
        target
    }

    /// The header announces a body.
    pub(super) fn expect(&mut self) {
        self.expected = true;
    }

    /// What came so far.
    pub(super) fn received<'a>(&'a self, texts: &'a Texts) -> &'a [u8] {
        self.text.map_or(&self.gathered, |text| texts.get(text))
    }
}

impl Transaction {
    /// Whether the rules want to see the body before the request goes on. Known after phase 1.
    #[must_use]
    pub fn wants_request_body(&self) -> bool {
        let over = self.verdict != Verdict::Pass || self.controls.mode == Mode::Off;
        let allowed = matches!(self.allowed, Some(AllowKind::All | AllowKind::Request));
        self.controls.request_body_access && !over && !allowed && !self.body.full
    }

    /// What the rules have of the request's body.
    #[must_use]
    pub fn received_body(&self) -> &[u8] {
        self.body.received(&self.texts)
    }

    /// A part of the body, as it comes. A body whose length is known to be over the limit can be
    /// refused at once, with [`Transaction::announce_body`].
    pub fn request_body(&mut self, part: &[u8]) -> BodyVerdict {
        if !self.wants_request_body() {
            return BodyVerdict::Enough;
        }
        self.body.expected = true;
        let limit = usize::try_from(self.controls.request_body_limit).unwrap_or(usize::MAX);
        let room = limit - self.body.gathered.len().min(limit);
        self.body.gathered.extend_from_slice(&part[..part.len().min(room)]);
        if part.len() <= room { BodyVerdict::Continue } else { self.too_long() }
    }

    /// The length of the body is known (Content-Length).
    pub fn announce_body(&mut self, length: u64) -> BodyVerdict {
        if !self.wants_request_body() {
            return BodyVerdict::Enough;
        }
        let over = length > self.controls.request_body_limit;
        if over && self.rejects() { self.too_long() } else { BodyVerdict::Continue }
    }

    /// Whether a request whose body is too long is refused.
    fn rejects(&self) -> bool {
        self.controls.mode == Mode::On
            && self.rules.settings().request_body_limit_action == LimitAction::Reject
    }

    fn too_long(&mut self) -> BodyVerdict {
        self.body.full = true;
        self.set(Variable::InboundDataError, b"1");
        if !self.rejects() {
            return BodyVerdict::Enough;
        }
        self.verdict = Verdict::TooLong;
        BodyVerdict::Reject { status: TOO_LONG }
    }

    /// The body is there, or as much of it as is looked at: it is read, and phase 2 runs.
    pub fn request_end(&mut self) -> Verdict {
        if self.verdict != Verdict::Pass || self.controls.mode == Mode::Off {
            return self.verdict.clone();
        }
        if let Some(target) = self.body.target.take() {
            self.show_target(target.resolved());
            self.set_or_unset(Variable::PathInfo, target.path_info());
        }
        if self.controls.request_body_access && self.body.expected {
            self.read_body();
        }
        self.show_processor();
        self.count_arguments();
        self.enter(Phase::RequestBody)
    }

    fn read_body(&mut self) {
        let body = std::mem::take(&mut self.body.gathered);
        let text = self.texts.add(&body);
        self.body.text = Some(text);
        self.set(Variable::RequestBodyLength, body.len().to_string().as_bytes());
        let files = match self.controls.processor {
            Some(Processor::Urlencoded) => {
                self.variables.set(Variable::RequestBody, text);
                self.read_form(&body);
                0
            }
            Some(Processor::Multipart) => self.read_multipart(text, &body),
            Some(Processor::Json) => {
                self.read_json(&body);
                0
            }
            Some(Processor::Xml) => {
                self.read_xml(&body);
                0
            }
            None => 0,
        };
        let unread = self.controls.processor.is_none() || self.has_body_error();
        if self.controls.force_request_body && unread {
            self.variables.set(Variable::RequestBody, text);
        }
        self.check_length(body.len() - files);
    }

    /// SecRequestBodyNoFilesLimit, for all of the body that is no file.
    fn check_length(&mut self, length: usize) {
        let counted = self.controls.processor.is_some() || self.controls.force_request_body;
        if !counted || (length as u64) < self.rules.settings().request_body_no_files_limit {
            return;
        }
        self.set(Variable::InboundDataError, b"1");
        self.body_error("Request body no files data length is larger than the configured limit.");
        if self.rejects() {
            self.verdict = Verdict::TooLong;
        }
    }

    fn read_form(&mut self, body: &[u8]) {
        let rules = Arc::clone(&self.rules);
        let (separator, limit) =
            (rules.settings().argument_separator, rules.settings().arguments_limit);
        let Self { texts, variables, .. } = self;
        let mut sink = Sink::limited(texts, &mut variables.args, limit);
        let errors = urlencoded(body, separator, &mut sink);
        let full = sink.is_full();
        if errors.any() {
            self.set(Variable::UrlencodedError, b"1");
        }
        if full {
            self.body_error(&Full.to_string());
        }
    }

    fn read_json(&mut self, body: &[u8]) {
        let rules = Arc::clone(&self.rules);
        let settings = rules.settings();
        let Self { texts, variables, .. } = self;
        let mut sink = Sink::limited(texts, &mut variables.args, settings.arguments_limit);
        if let Err(error) = json::parse(body, settings.json_depth_limit, &mut sink) {
            self.body_error(&error.to_string());
        }
    }

    fn read_xml(&mut self, body: &[u8]) {
        let rules = Arc::clone(&self.rules);
        let xml = Xml::parse(body);
        let found = rules
            .paths
            .iter()
            .map(|path| path.values(&xml).into_iter().map(|value| self.texts.add(value)).collect());
        let found: Vec<Vec<Text>> = found.collect();
        self.variables.has_xml = found.iter().any(|values| !values.is_empty());
        self.variables.xml = found;
        if let Some(error) = xml.error() {
            self.body_error(&error.to_string());
        }
    }

    /// Says how many bytes of the body are files.
    fn read_multipart(&mut self, text: Text, body: &[u8]) -> usize {
        let rules = Arc::clone(&self.rules);
        let settings = rules.settings();
        let content_type = self.header(b"content-type");
        let content_type = content_type.map(|value| self.texts.get(value).to_vec());
        let limits = Limits { kept_files: settings.upload_file_limit };
        let multipart = Multipart::parse(body, content_type.as_deref(), limits);
        self.show_flags(&multipart);
        self.show_parts(&multipart, text, rules.uses(Variable::FilesTmpContent));
        let Self { texts, variables, .. } = self;
        let mut sink = Sink::limited(texts, &mut variables.args, settings.arguments_limit);
        let full = multipart.arguments(body, &mut sink).err();
        if let Some(error) = &multipart.error {
            self.body_error(&error.to_string());
        } else if let Some(full) = full {
            self.body_error(&full.to_string());
        }
        multipart.files_combined_size()
    }

    fn show_flags(&mut self, multipart: &Multipart) {
        let flags = &multipart.flags;
        let shown = [
            (Variable::MultipartBoundaryQuoted, flags.boundary_quoted),
            (Variable::MultipartBoundaryWhitespace, flags.boundary_whitespace),
            (Variable::MultipartCrlfLfLines, flags.crlf_lf_lines()),
            (Variable::MultipartDataAfter, flags.data_after),
            (Variable::MultipartDataBefore, flags.data_before),
            (Variable::MultipartFileLimitExceeded, flags.file_limit_exceeded),
            (Variable::MultipartHeaderFolding, flags.header_folding),
            (Variable::MultipartInvalidHeaderFolding, flags.invalid_header_folding),
            (Variable::MultipartInvalidPart, flags.invalid_part),
            (Variable::MultipartInvalidQuoting, flags.invalid_quoting),
            (Variable::MultipartLfLine, flags.lf_line),
            (Variable::MultipartMissingSemicolon, flags.missing_semicolon),
            (Variable::MultipartStrictError, flags.strict_error()),
            (Variable::MultipartUnmatchedBoundary, flags.unmatched_boundary),
        ];
        for (variable, _) in shown.into_iter().filter(|(_, raised)| *raised) {
            self.set(variable, b"1");
        }
        self.set_or_unset(Variable::MultipartName, multipart.last_name.as_deref());
        self.set_or_unset(Variable::MultipartFilename, multipart.last_filename.as_deref());
        let size = multipart.files_combined_size().to_string();
        self.set(Variable::FilesCombinedSize, size.as_bytes());
    }

    fn show_parts(&mut self, multipart: &Multipart, body: Text, contents: bool) {
        let Self { texts, variables, .. } = self;
        for part in &multipart.parts {
            let name = texts.add(&part.name);
            let pair = |value| Pair { name, value };
            for line in &part.header_lines {
                variables.part_headers.push(pair(texts.add(line)));
            }
            let Some(filename) = &part.filename else { continue };
            variables.files.push(pair(texts.add(filename)));
            let size = texts.add(part.content.len().to_string().as_bytes());
            variables.file_sizes.push(pair(size));
            if contents {
                variables.file_contents.push(pair(texts.part(body, part.content.clone())));
            }
        }
    }

    /// REQBODY_ERROR and its text; the first error counts.
    pub(super) fn body_error(&mut self, message: &str) {
        if self.has_body_error() {
            return;
        }
        for variable in [Variable::ReqbodyError, Variable::ReqbodyProcessorError] {
            self.set(variable, b"1");
        }
        for variable in [Variable::ReqbodyErrorMsg, Variable::ReqbodyProcessorErrorMsg] {
            self.set(variable, message.as_bytes());
        }
    }

    fn has_body_error(&self) -> bool {
        let error = self.variables.single(Variable::ReqbodyError);
        error.is_some_and(|error| self.texts.get(error) == b"1")
    }
}
