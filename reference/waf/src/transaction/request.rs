//! The request line and the header fields become variables; phase 1.

use std::io::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use super::number;
use super::outcome::Verdict;
use super::places::Places;
use super::texts::{Text, Texts};
use super::value::Pair;
use super::{Connection, Transaction};
use crate::body::{Full, Pairs, TargetView, cookies, urlencoded};
use crate::seclang::{Phase, Processor};
use crate::variable::Variable;

/// A request line, as much of it as could be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestLine<'a> {
    /// The whole line, without its end.
    pub line: &'a [u8],
    /// The method.
    pub method: Option<&'a [u8]>,
    /// The target.
    pub target: Option<&'a [u8]>,
    /// The version, such as `HTTP/1.1`.
    pub version: Option<&'a [u8]>,
}

/// Variables that are 0 where nothing says otherwise.
const ZERO: [Variable; 23] = [
    Variable::ArgsCombinedSize,
    Variable::FilesCombinedSize,
    Variable::InboundDataError,
    Variable::MscPcreLimitsExceeded,
    Variable::MultipartBoundaryQuoted,
    Variable::MultipartBoundaryWhitespace,
    Variable::MultipartCrlfLfLines,
    Variable::MultipartDataAfter,
    Variable::MultipartDataBefore,
    Variable::MultipartFileLimitExceeded,
    Variable::MultipartHeaderFolding,
    Variable::MultipartInvalidHeaderFolding,
    Variable::MultipartInvalidPart,
    Variable::MultipartInvalidQuoting,
    Variable::MultipartLfLine,
    Variable::MultipartMissingSemicolon,
    Variable::MultipartStrictError,
    Variable::MultipartUnmatchedBoundary,
    Variable::OutboundDataError,
    Variable::ReqbodyError,
    Variable::ReqbodyProcessorError,
    Variable::RequestBodyLength,
    Variable::UrlencodedError,
];

/// Variables that are empty where nothing says otherwise.
const EMPTY: [Variable; 3] =
    [Variable::ReqbodyErrorMsg, Variable::ReqbodyProcessor, Variable::ReqbodyProcessorErrorMsg];

/// What this engine calls itself in MODSEC_BUILD: the number of ModSecurity 2.9.7, whose behaviour
/// it has, made as that does.
const BUILD: &[u8] = b"020907090";

impl Transaction {
    /// What is known before the request is.
    pub(super) fn begin(&mut self, connection: Connection, id: &str) {
        let (client, server) = (connection.client, connection.server);
        // Writing to memory does not fail.
        let mut add = |ip: IpAddr| self.texts.add_with(|out| drop(write!(out, "{ip}")));
        let client_address = add(client.ip().to_canonical());
        let server_address = add(server.ip().to_canonical());
        let (zero, empty) = (self.texts.add(b"0"), self.texts.add(b""));
        for variable in ZERO {
            self.variables.set(variable, zero);
        }
        for variable in EMPTY {
            self.variables.set(variable, empty);
        }
        self.variables.set(Variable::RemoteAddr, client_address);
        self.variables.set(Variable::RemoteHost, client_address);
        self.variables.set(Variable::ServerAddr, server_address);
        self.variables.set(Variable::ServerName, server_address);
        let rules = Arc::clone(&self.rules);
        for (variable, port) in
            [(Variable::RemotePort, client.port()), (Variable::ServerPort, server.port())]
        {
            let text = self.texts.add_with(|out| number::write(port.into(), out));
            self.variables.set(variable, text);
        }
        self.set(Variable::UniqueId, id.as_bytes());
        self.set(Variable::ModsecBuild, BUILD);
        self.set(Variable::WebappId, rules.settings().web_app_id.as_bytes());
    }

    /// Gives a variable a value.
    pub(super) fn set(&mut self, variable: Variable, value: &[u8]) {
        let text = self.texts.add(value);
        self.variables.set(variable, text);
    }

    /// Gives a variable a value or none.
    pub(super) fn set_or_unset(&mut self, variable: Variable, value: Option<&[u8]>) {
        match value {
            Some(value) => self.set(variable, value),
            None => self.variables.unset(variable),
        }
    }

    /// The request line and the header are there, or as much of them as could be read: phase 1.
    ///
    /// Header fields are given one a line, as received. Rules see those of one name as one value,
    /// joined by `, ` (RFC 9110 §5.3), as Apache shows them to ModSecurity; each Cookie line is
    /// taken apart by itself.
    pub fn request<'h>(
        &mut self,
        line: RequestLine<'_>,
        headers: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
    ) -> Verdict {
        self.take_line(line);
        self.take_headers(headers);
        self.take_query();
        self.count_arguments();
        self.prepare_body();
        self.enter(Phase::RequestHeaders)
    }

    fn take_line(&mut self, line: RequestLine<'_>) {
        self.set(Variable::RequestLine, line.line);
        self.set_or_unset(Variable::RequestMethod, line.method);
        self.set_or_unset(Variable::RequestProtocol, line.version);
        self.set_or_unset(Variable::RequestUriRaw, line.target);
        if let Some(target) = line.target {
            let target = self.body.target(line.method.unwrap_or_default(), target);
            self.set_or_unset(Variable::QueryString, target.query_string());
            self.show_target(target.received());
        }
    }

    /// REQUEST_URI and its parts.
    pub(super) fn show_target(&mut self, view: TargetView<'_>) {
        let uri = view.uri().map(|uri| self.texts.add(uri));
        let Some(uri) = uri else { return };
        self.variables.set(Variable::RequestUri, uri);
        let path = view.filename().map_or(0, <[u8]>::len);
        let base = path - view.basename().map_or(0, <[u8]>::len);
        let filename = self.texts.part(uri, 0..path);
        let basename = self.texts.part(uri, base..path);
        self.variables.set(Variable::RequestFilename, filename);
        self.variables.set(Variable::RequestBasename, basename);
    }

    fn take_headers<'h>(&mut self, headers: impl IntoIterator<Item = (&'h [u8], &'h [u8])>) {
        let mut fields = Fields::default();
        let rules = Arc::clone(&self.rules);
        let format = rules.settings().cookie_format;
        for (name, value) in headers {
            let value_text = fields.add(name, value, &mut self.texts);
            if name.eq_ignore_ascii_case(b"cookie") {
                let Self { texts, variables, .. } = self;
                let field = texts.get(value_text).to_vec();
                cookies(&field, format, &mut Sink::unlimited(texts, &mut variables.cookies));
            }
        }
        self.variables.request_headers = fields.finish(&mut self.texts);
        if let Some(host) = self.header(b"host") {
            // As httpd has it: in lower case, without the dot of a name that is complete (RFC 1034 section 3.1).
            let host = self.texts.get(host);
            let name = &host[..host_length(host)];
            let name = name.strip_suffix(b".").unwrap_or(name).to_ascii_lowercase();
            let name = self.texts.add(&name);
            self.variables.set(Variable::ServerName, name);
        }
    }

    /// The value of a header field of the request.
    pub(super) fn header(&self, name: &[u8]) -> Option<Text> {
        self.variables.first(Variable::RequestHeaders, Some(name), &self.texts)
    }

    fn take_query(&mut self) {
        let Some(query) = self.variables.single(Variable::QueryString) else { return };
        let rules = Arc::clone(&self.rules);
        let query = self.texts.get(query).to_vec();
        let Self { texts, variables, .. } = self;
        let mut sink = Sink::limited(texts, &mut variables.args, rules.settings().arguments_limit);
        let errors = urlencoded(&query, rules.settings().argument_separator, &mut sink);
        let full = sink.is_full();
        self.variables.of_query = self.variables.args.len();
        if errors.any() {
            self.set(Variable::UrlencodedError, b"1");
        }
        if full {
            self.body_error(&Full.to_string());
        }
    }

    /// ARGS_COMBINED_SIZE.
    pub(super) fn count_arguments(&mut self) {
        let length = |text| self.texts.get(text).len();
        let args = self.variables.args.iter();
        let size: usize = args.map(|pair| length(pair.name) + length(pair.value)).sum();
        self.set(Variable::ArgsCombinedSize, size.to_string().as_bytes());
    }

    /// How the body, if there is one, is to be read, as far as its media type says so.
    fn prepare_body(&mut self) {
        let begins = |transaction: &Self, wanted: &[u8]| {
            let media_type = transaction.header(b"content-type");
            let media_type = media_type.map(|text| transaction.texts.get(text));
            let begin = media_type.and_then(|media_type| media_type.get(..wanted.len()));
            begin.is_some_and(|begin| begin.eq_ignore_ascii_case(wanted))
        };
        self.controls.processor = if begins(self, b"application/x-www-form-urlencoded") {
            Some(Processor::Urlencoded)
        } else if begins(self, b"multipart/form-data") {
            Some(Processor::Multipart)
        } else {
            None
        };
        self.show_processor();
        let chunked = self.header(b"transfer-encoding").is_some_and(|coding| {
            self.texts.get(coding).windows(7).any(|part| part.eq_ignore_ascii_case(b"chunked"))
        });
        if chunked || self.header(b"content-length").is_some() {
            self.body.expect();
        }
    }

    /// REQBODY_PROCESSOR.
    pub(super) fn show_processor(&mut self) {
        let name = self.controls.processor.map_or("", Processor::name);
        self.set(Variable::ReqbodyProcessor, name.as_bytes());
    }
}

/// The length of a Host value without its port.
fn host_length(host: &[u8]) -> usize {
    let from = if host.starts_with(b"[") { memchr::memchr(b']', host).unwrap_or(0) } else { 0 };
    memchr::memchr(b':', &host[from..]).map_or(host.len(), |colon| from + colon)
}

/// Header fields, those of one name joined.
#[derive(Default)]
struct Fields {
    pairs: Vec<Pair>,
    places: Places,
    /// Further values for a place, in order.
    more: Vec<(usize, Text)>,
}

impl Fields {
    fn add(&mut self, name: &[u8], value: &[u8], texts: &mut Texts) -> Text {
        let value = texts.add(value);
        let pairs = &self.pairs;
        match self.places.find(name, pairs.len(), |place| texts.get(pairs[place].name)) {
            None => self.pairs.push(Pair { name: texts.add(name), value }),
            Some(place) => self.more.push((place, value)),
        }
        value
    }

    fn finish(mut self, texts: &mut Texts) -> Vec<Pair> {
        self.more.sort_by_key(|(place, _)| *place);
        for group in self.more.chunk_by(|one, next| one.0 == next.0) {
            let place = group[0].0;
            let mut joined = texts.get(self.pairs[place].value).to_vec();
            for (_, value) in group {
                joined.extend_from_slice(b", ");
                joined.extend_from_slice(texts.get(*value));
            }
            self.pairs[place].value = texts.add(&joined);
        }
        self.pairs
    }
}

/// Puts names and values among the texts of the transaction.
pub(super) struct Sink<'a> {
    texts: &'a mut Texts,
    pairs: &'a mut Vec<Pair>,
    limit: usize,
    full: bool,
}

impl<'a> Sink<'a> {
    /// `limit` is that of all pairs, those counted that are there.
    pub(super) fn limited(texts: &'a mut Texts, pairs: &'a mut Vec<Pair>, limit: u32) -> Self {
        Self { texts, pairs, limit: limit as usize, full: false }
    }

    pub(super) fn unlimited(texts: &'a mut Texts, pairs: &'a mut Vec<Pair>) -> Self {
        Self { texts, pairs, limit: usize::MAX, full: false }
    }

    /// Whether something was refused.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }
}

impl Pairs for Sink<'_> {
    fn add_with(
        &mut self,
        name: impl FnOnce(&mut Vec<u8>),
        value: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Full> {
        if self.pairs.len() >= self.limit {
            self.full = true;
            return Err(Full);
        }
        let name = self.texts.add_with(name);
        let value = self.texts.add_with(value);
        self.pairs.push(Pair { name, value });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_one_name_are_one_value() {
        let mut texts = Texts::new(0);
        let mut fields = Fields::default();
        for (name, value) in [("A", "1"), ("b", "2"), ("a", "3"), ("B", ""), ("a", "4")] {
            fields.add(name.as_bytes(), value.as_bytes(), &mut texts);
        }
        let pairs = fields.finish(&mut texts);
        let read: Vec<_> =
            pairs.iter().map(|pair| (texts.get(pair.name), texts.get(pair.value))).collect();
        assert_eq!(read, [(&b"A"[..], &b"1, 3, 4"[..]), (b"b", b"2, ")]);
    }

    #[test]
    fn a_host_ends_at_its_port() {
        for (host, wanted) in [
            ("localhost", 9),
            ("localhost:80", 9),
            ("[::1]:80", 5),
            ("[::1]", 5),
            ("", 0),
            (":", 0),
        ] {
            assert_eq!(host_length(host.as_bytes()), wanted, "{host}");
        }
    }
}
