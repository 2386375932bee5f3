//! The head of an application's answer (RFC 3875 §6).

use bytes::{Bytes, BytesMut};
use edgeproof_http1::{BodyLength, Error, Limits, ParsedResponse, ResponseParser};

/// Reads the field lines that an application's output begins with, and makes of them the head of an HTTP
/// response: `Status` becomes its status, and a `Location` alone a 302 (RFC 3875 §6.2.3, §6.3.3).
#[derive(Debug)]
pub struct HeadReader {
    parser: ResponseParser,
    /// What has come of it, after a status line that it lacks.
    buf: BytesMut,
}

/// Why an answer's head cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Its lines are no field lines.
    #[error("the application's answer begins with no field lines: {0}")]
    Lines(Error),
    /// RFC 3875 §6.3.3: three digits and a reason.
    #[error("the application's Status is no status from 200 to 999")]
    Status,
    /// RFC 3875 §6.2: one of Content-Type, Location and Status.
    #[error("the application's answer has neither Content-Type nor Location nor Status")]
    Nothing,
    /// The server frames the body.
    #[error("the application's answer has a Transfer-Encoding of its own")]
    TransferEncoding,
}

impl HeadReader {
    /// A reader of the answer to a request with this method.
    #[must_use]
    pub fn new(limits: Limits, method: Bytes) -> Self {
        let buf = BytesMut::from(&b"HTTP/1.1 200 OK\r\n"[..]);
        Self { parser: ResponseParser::new(limits, method), buf }
    }

    /// Takes more of the output. Once the head is complete it is given, with how its body ends
    /// (`UntilClose` with the output itself), and what of the body has come.
    ///
    /// # Errors
    /// What no server can pass on.
    pub fn read(&mut self, output: &[u8]) -> Result<Option<(ParsedResponse, Bytes)>, HeadError> {
        self.buf.extend_from_slice(output);
        let parsed = self.parser.parse(&mut self.buf);
        let Some(mut response) = parsed.map_err(|refused| HeadError::Lines(refused.error))? else {
            return Ok(None);
        };
        let fields = &mut response.head.fields;
        if fields.contains("transfer-encoding") {
            return Err(HeadError::TransferEncoding);
        }
        let status = fields.get("status").map(<[u8]>::to_vec);
        fields.remove("status");
        let is_told = ["content-type", "location"].iter().any(|name| fields.contains(*name));
        match status {
            Some(line) => {
                let (status, reason) = read_status(&line).ok_or(HeadError::Status)?;
                (response.head.status, response.head.reason) = (status, reason);
                if matches!(status, 204 | 304) {
                    response.body = BodyLength::Empty;
                }
            }
            None if fields.contains("location") => {
                response.head.status = 302;
                response.head.reason = "Found".into();
            }
            None if is_told => {}
            None => return Err(HeadError::Nothing),
        }
        Ok(Some((response, self.buf.split().freeze())))
    }
}

/// `404 Not Found`
fn read_status(line: &[u8]) -> Option<(u16, Bytes)> {
    let (code, reason) = line.split_at_checked(3)?;
    let code = std::str::from_utf8(code).ok()?.parse().ok().filter(|code| *code >= 200)?;
    let reason = match reason {
        [] => reason,
        [b' ', reason @ ..] => reason,
        _ => return None,
    };
    Some((code, Bytes::copy_from_slice(reason)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &str) -> String {
        let limits = Limits { line: 1000, fields: 10, head: 1000 };
        match HeadReader::new(limits, "GET".into()).read(output.as_bytes()) {
            Ok(Some((response, body))) => {
                let head = &response.head;
                let lines = head.fields.iter().map(|(name, value)| {
                    format!(" {}={}", name.escape_ascii(), value.escape_ascii())
                });
                format!(
                    "{} {}{} {:?} {}",
                    head.status,
                    head.reason.escape_ascii(),
                    lines.collect::<String>(),
                    response.body,
                    body.escape_ascii()
                )
            }
            Ok(None) => "more".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_answers_head_becomes_a_responses() {
        let told = [
            "Content-Type: text/plain\r\n\r\nbody",
            "Content-Type: text/plain\n\nbody",
            "Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody",
            "Status: 404 Not Found\r\nContent-Type: a\r\n\r\n",
            "Status: 599\r\n\r\nx",
            "Status: 304 Not Modified\r\n\r\n",
            "Location: /there\r\n\r\n",
            "Status: 301 Moved\r\nLocation: /there\r\n\r\n",
            "Content-Type: text/plain\r\n",
            "Status: fine\r\n\r\n",
            "Status: 100 Continue\r\n\r\n",
            "X: y\r\n\r\n",
            "\r\nbody",
            "<html>\r\n\r\n",
            "Content-Type: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        ]
        .map(|output| format!("{output:?}\n    {}\n", read(output)));
        insta::assert_snapshot!(told.concat());
    }
}
