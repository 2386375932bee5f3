//! What a rule set says beside its rules.

use edgeproof_diagnostics::{Diagnostic, Span};

use super::members::Pattern;
use crate::body::CookieFormat;
use crate::seclang::{
    AuditLogFormat, AuditLogType, AuditMode, AuditParts, Directive, LimitAction, Mode, Program,
};
use crate::transform::UnicodeMap;

/// Settings. Those that nobody sets are as ModSecurity 2.9 has them, which runs no rule before
/// `SecRuleEngine` says so.
#[derive(Debug)]
pub struct Settings {
    pub(crate) mode: Mode,
    pub(crate) request_body_access: bool,
    /// In bytes, like all limits of bodies.
    pub(crate) request_body_limit: u64,
    pub(crate) request_body_no_files_limit: u64,
    pub(crate) request_body_limit_action: LimitAction,
    pub(crate) json_depth_limit: u32,
    pub(crate) arguments_limit: u32,
    pub(crate) argument_separator: u8,
    pub(crate) cookie_format: CookieFormat,
    pub(crate) upload_file_limit: Option<usize>,
    pub(crate) response_body_access: bool,
    pub(crate) response_body_limit: u64,
    pub(crate) response_body_limit_action: LimitAction,
    pub(crate) response_body_mime_types: Vec<String>,
    /// In seconds.
    pub(crate) collection_timeout: u64,
    pub(crate) web_app_id: String,
    pub(crate) audit: AuditMode,
    pub(crate) audit_parts: AuditParts,
    pub(crate) audit_relevant_status: Option<Pattern>,
    pub(crate) unicode: UnicodeMap,
    /// SecAuditLog: the file for it.
    pub audit_log: Option<String>,
    /// SecAuditLogFormat.
    pub audit_log_format: AuditLogFormat,
    /// SecAuditLogType.
    pub audit_log_type: AuditLogType,
    /// SecAuditLogStorageDir.
    pub audit_log_storage: Option<String>,
    /// SecComponentSignature: the rule sets and their versions.
    pub signatures: Vec<String>,
    /// Whether SecResponseBodyMimeType stood there.
    chosen_mime_types: bool,
    unicode_file: Option<(String, Span)>,
    code_page: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::Off,
            request_body_access: false,
            request_body_limit: 134_217_728,
            request_body_no_files_limit: 1_048_576,
            request_body_limit_action: LimitAction::Reject,
            json_depth_limit: 10_000,
            arguments_limit: 1000,
            argument_separator: b'&',
            cookie_format: CookieFormat::V0 { separator: None },
            upload_file_limit: None,
            response_body_access: false,
            response_body_limit: 524_288,
            response_body_limit_action: LimitAction::Reject,
            response_body_mime_types: vec!["text/plain".into(), "text/html".into()],
            collection_timeout: 3600,
            web_app_id: "default".into(),
            audit: AuditMode::Off,
            audit_parts: AuditParts::of("ABCFHZ").unwrap_or_default(),
            audit_relevant_status: None,
            unicode: UnicodeMap::us_ascii(),
            audit_log: None,
            audit_log_format: AuditLogFormat::Native,
            audit_log_type: AuditLogType::Serial,
            audit_log_storage: None,
            signatures: Vec::new(),
            chosen_mime_types: false,
            unicode_file: None,
            code_page: None,
        }
    }
}

impl Settings {
    /// Whether rules run, and whether they decide (SecRuleEngine).
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Takes in a directive, if it is a setting.
    pub(super) fn take(&mut self, directive: &Directive, span: &Span) -> Result<(), Diagnostic> {
        match directive {
            Directive::RuleEngine(mode) => self.mode = *mode,
            Directive::RequestBodyAccess(on) => self.request_body_access = *on,
            Directive::RequestBodyLimit(limit) => self.request_body_limit = *limit,
            Directive::RequestBodyNoFilesLimit(limit) => self.request_body_no_files_limit = *limit,
            Directive::RequestBodyLimitAction(action) => self.request_body_limit_action = *action,
            Directive::RequestBodyJsonDepthLimit(limit) => self.json_depth_limit = *limit,
            Directive::ArgumentsLimit(limit) => self.arguments_limit = *limit,
            Directive::ArgumentSeparator(separator) => self.argument_separator = *separator,
            Directive::CookieFormat(0) => self.cookie_format = CookieFormat::V0 { separator: None },
            Directive::CookieFormat(_) => self.cookie_format = CookieFormat::V1,
            Directive::UploadFileLimit(limit) => self.upload_file_limit = Some(*limit as usize),
            Directive::ResponseBodyAccess(on) => self.response_body_access = *on,
            Directive::ResponseBodyLimit(limit) => self.response_body_limit = *limit,
            Directive::ResponseBodyLimitAction(action) => self.response_body_limit_action = *action,
            Directive::ResponseBodyMimeType(types) => self.add_mime_types(types),
            Directive::ResponseBodyMimeTypesClear => {
                self.chosen_mime_types = true;
                self.response_body_mime_types.clear();
            }
            Directive::CollectionTimeout(seconds) => self.collection_timeout = *seconds,
            Directive::WebAppId(id) => self.web_app_id.clone_from(id),
            Directive::UnicodeMap { file, codepage } => {
                self.unicode_file = Some((file.clone(), span.clone()));
                self.code_page = codepage.or(self.code_page);
            }
            Directive::UnicodeCodePage(page) => self.code_page = Some(*page),
            Directive::ComponentSignature(signature) => self.signatures.push(signature.clone()),
            _ => self.take_audit(directive, span)?,
        }
        Ok(())
    }

    fn take_audit(&mut self, directive: &Directive, span: &Span) -> Result<(), Diagnostic> {
        match directive {
            Directive::AuditEngine(mode) => self.audit = *mode,
            Directive::AuditLogParts(parts) => self.audit_parts = *parts,
            Directive::AuditLogRelevantStatus(pattern) => {
                self.audit_relevant_status = Some(Pattern::new(pattern, span)?);
            }
            Directive::AuditLog(file) => self.audit_log = Some(file.clone()),
            Directive::AuditLogFormat(format) => self.audit_log_format = *format,
            Directive::AuditLogType(kind) => self.audit_log_type = *kind,
            Directive::AuditLogStorageDir(folder) => self.audit_log_storage = Some(folder.clone()),
            _ => {}
        }
        Ok(())
    }

    /// The first directive replaces the default types, others add to them.
    fn add_mime_types(&mut self, types: &[String]) {
        if !std::mem::replace(&mut self.chosen_mime_types, true) {
            self.response_body_mime_types.clear();
        }
        self.response_body_mime_types.extend_from_slice(types);
    }

    /// Reads the Unicode map, when all directives are known.
    pub(super) fn read_unicode_map(&mut self, program: &Program) -> Result<(), Diagnostic> {
        let Some((file, span)) = &self.unicode_file else { return Ok(()) };
        let Some(page) = self.code_page else {
            return Err(Diagnostic::error("the code page of the Unicode map is missing")
                .at(span)
                .help("name it behind the file, such as 20127"));
        };
        let map = UnicodeMap::read(&program.folder(span).join(file), page)
            .map_err(|error| Diagnostic::error(error.to_string()).at(span))?;
        self.unicode = map;
        Ok(())
    }
}
