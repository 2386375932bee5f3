//! `steps`.

use super::journey::JOURNEY;
use super::ssh::SSH;
use super::{Form, Takes, check, key, required};

/// A text, or bytes as a mapping.
pub(super) const TEXT_OR_BYTES: Takes = Takes::Either(&[Takes::Text, Takes::Form(|| &BYTES)]);
/// `"Name: value"` lines.
pub(super) const LINES: Takes = Takes::List(&Takes::Text);
/// Names with texts, or lines.
pub(super) const NAMED_TEXTS: Takes = Takes::Either(&[
    Takes::Table(&Takes::Either(&[TEXT_OR_BYTES, Takes::List(&TEXT_OR_BYTES)])),
    LINES,
]);
/// `steps`.
pub(super) const STEPS: Takes = Takes::List(&Takes::Form(|| &STEP));

/// `capture`.
pub(super) const CAPTURES: Takes = Takes::Table(&Takes::Either(&[
    Takes::Word(&["body", "status", "access_log"]),
    Takes::Form(|| &CAPTURE),
]));

const FIELDS: Takes = Takes::Either(&[
    Takes::Table(&Takes::Either(&[TEXT_OR_BYTES, Takes::List(&TEXT_OR_BYTES), Takes::Null])),
    LINES,
]);
/// `send`.
pub(super) const REQUEST_TAKES: Takes = Takes::Either(&[Takes::Text, Takes::Form(|| &REQUEST)]);
/// The words of `log`, which [`crate::model::LogAct`] gives their meaning.
pub(crate) const LOG_ACTS: &[&str] =
    &["rotate", "move", "remove", "fill-disk", "free-disk", "bar", "unbar"];
const MOST: u64 = 1_000_000;

/// A step.
pub(crate) static STEP: Form = Form {
    name: "step",
    what: "a step",
    about: "One verb (or only `expect`), what must hold after it, and what is remembered.",
    keys: &[
        key("send", REQUEST_TAKES, "Send one request and read its answer."),
        key(
            "raw",
            Takes::Either(&[Takes::Text, Takes::Form(|| &RAW)]),
            "Send bytes exactly as they stand and read whatever comes.",
        ),
        key("advance", Takes::Duration, "Move the case's clock."),
        key("parallel", Takes::Form(|| &PARALLEL), "Several clients do the same, let go together."),
        key("repeat", Takes::Form(|| &REPEAT), "The same steps again and again."),
        key("poll", Takes::Form(|| &POLL), "Try a step until something holds."),
        key(
            "ssh",
            Takes::Either(&[Takes::Word(&["handshake", "config"]), Takes::Form(|| &SSH)]),
            "Look at the target's SSH service.",
        ),
        key("load", Takes::Form(|| &LOAD), "Requests under load, measured."),
        key("journey", Takes::Form(|| &JOURNEY), "Users with think times and cookies, measured."),
        key("ratio", Takes::Form(|| &RATIO), "A figure made of two measured loads."),
        key("log", Takes::Word(LOG_ACTS), "Something befalls the file of the access log."),
        key("close", Takes::True, "Close the client's connection."),
        key("include", Takes::Text, "The steps and origin rules of a fragment, put here."),
        key("client", Takes::Text, "Steps of one client share a kept-alive connection (`main`)."),
        key("expect", Takes::Form(|| &check::EXPECT), "What must hold afterwards."),
        key("capture", CAPTURES, "Variables for later steps."),
    ],
    others: None,
};

/// `send`.
pub(crate) static REQUEST: Form = Form {
    name: "request",
    what: "a request",
    about: "A request in full.",
    keys: &[
        key("method", Takes::Text, "The method (GET)."),
        required("path", Takes::Text, "The request-target as it goes on the wire."),
        key("version", Takes::Word(&["HTTP/1.1", "HTTP/1.0"]), "HTTP/1.1 (default) or HTTP/1.0."),
        key(
            "headers",
            FIELDS,
            "Field lines in order; a list value makes several lines; `host: null` leaves Host out.",
        ),
        key("body", Takes::Either(&[TEXT_OR_BYTES, Takes::Form(|| &CONTENT)]), "The content."),
        key("chunked", Takes::Flag, "Transfer-Encoding: chunked."),
        key(
            "framing",
            Takes::Word(&["content-length", "chunked", "as-written"]),
            "How the content's length is told; as-written adds nothing.",
        ),
        key("trailers", NAMED_TEXTS, "Trailer fields; the content is chunked then."),
        key("tls", Takes::Flag, "Through the target's TLS listener."),
        key("expect_continue", Takes::Flag, "Wait for 100 (Continue) before the content."),
        key("pause", Takes::Duration, "Real time between the head and the content."),
        key("abort_after", Takes::Size, "Close after so many octets of the answer's content."),
    ],
    others: None,
};

/// Bytes as a mapping.
pub(crate) static BYTES: Form = Form {
    name: "bytes",
    what: "bytes",
    about: "Bytes that are not text.",
    keys: &[
        key("base64", Takes::Text, "In base64."),
        key("hex", Takes::Text, "In hexadecimal."),
        key("fill", Takes::Text, "A pattern repeated up to `size`."),
        key("size", Takes::Size, "How many octets in all."),
    ],
    others: None,
};

/// The content of a request, where it is a mapping.
pub(crate) static CONTENT: Form = Form {
    name: "content",
    what: "the body",
    about: "Content that is not plain text.",
    keys: &[
        key("base64", Takes::Text, "Bytes in base64."),
        key("hex", Takes::Text, "Bytes in hexadecimal."),
        key("fill", Takes::Text, "A pattern repeated up to `size`."),
        key("size", Takes::Size, "How many octets in all."),
        key("form", NAMED_TEXTS, "A form, encoded, with its content-type."),
        key("json", Takes::Anything, "Any YAML, sent as JSON, with its content-type."),
    ],
    others: None,
};

/// `raw`.
pub(crate) static RAW: Form = Form {
    name: "raw",
    what: "`raw`",
    about: "Bytes exactly as they stand: the lines, each ended by CRLF, then the bytes.",
    keys: &[
        key(
            "lines",
            Takes::Some(&Takes::Text),
            "Lines; each gets CRLF at its end. Write the empty one too.",
        ),
        key("bytes", TEXT_OR_BYTES, "Bytes."),
        key("answers", Takes::Whole(0, MOST), "How many final answers to read (1)."),
        key("tls", Takes::Flag, "Through the target's TLS listener."),
        key("half_close", Takes::Flag, "Shut the sending half afterwards."),
    ],
    others: None,
};

/// `parallel`.
pub(crate) static PARALLEL: Form = Form {
    name: "parallel",
    what: "`parallel`",
    about: "Several clients do the same steps, let go together.",
    keys: &[
        required("clients", Takes::Whole(1, 10_000), "How many; `{{index}}` counts from 0."),
        required("steps", STEPS, "What each does."),
    ],
    others: None,
};

/// `repeat`.
pub(crate) static REPEAT: Form = Form {
    name: "repeat",
    what: "`repeat`",
    about: "The same steps again and again.",
    keys: &[
        required("times", Takes::Whole(1, MOST), "How many times; `{{index}}` counts from 0."),
        required("steps", STEPS, "What is repeated."),
    ],
    others: None,
};

/// `poll`.
pub(crate) static POLL: Form = Form {
    name: "poll",
    what: "`poll`",
    about: "Try a step until something holds.",
    keys: &[
        key("step", Takes::Form(|| &STEP), "What is tried; without it only `until` is looked at."),
        required("until", Takes::Form(|| &check::EXPECT), "What ends it."),
        key("every", Takes::Duration, "Real time between two tries (50ms)."),
        key("within", Takes::Lasting, "Real time after which it is a failure (5s)."),
    ],
    others: None,
};

/// `load`.
pub(crate) static LOAD: Form = Form {
    name: "load",
    what: "`load`",
    about: "A closed loop of clients, measured.",
    keys: &[
        required("name", Takes::Text, "The name under which its figures are reported."),
        required("send", REQUEST_TAKES, "The request."),
        key("concurrency", Takes::Whole(1, 10_000), "Clients at a time (10)."),
        required("requests", Takes::Whole(1, u64::MAX), "Requests in each shot."),
        key("time_limit", Takes::Lasting, "The most real time of a shot (60s)."),
        key("shots", Takes::Whole(1, 1000), "How many shots (1)."),
        key("keep_alive", Takes::Flag, "Kept-alive connections (true)."),
    ],
    others: None,
};

/// `ratio`.
pub(crate) static RATIO: Form = Form {
    name: "ratio",
    what: "`ratio`",
    about: "A figure made of two measured loads.",
    keys: &[
        required("name", Takes::Text, "The figure's name."),
        required("of", Takes::Word(&["rps", "mean"]), "What is divided."),
        required("numerator", Takes::Text, "The load that is divided."),
        required("denominator", Takes::Text, "The load that it is divided by."),
    ],
    others: None,
};

/// `capture: { NAME: … }`.
pub(crate) static CAPTURE: Form = Form {
    name: "capture",
    what: "a capture",
    about: "Where a variable's value comes from.",
    keys: &[
        key("header", Takes::Text, "A field of the answer."),
        key("body", Takes::True, "The answer's content."),
        key(
            "json",
            Takes::Text,
            "What a JSON pointer (RFC 6901) leads to in the answer's content.",
        ),
        key("status", Takes::True, "The answer's status code."),
        key("access_log", Takes::True, "The last access-log line of the case."),
        key("origin_header", Takes::Text, "A field of the last request that the origin saw."),
        key("matches", Takes::Text, "A regex whose first group (or whole match) is taken."),
        key("may_be_empty", Takes::True, "An empty value is one, too; else it fails the step."),
    ],
    others: None,
};
