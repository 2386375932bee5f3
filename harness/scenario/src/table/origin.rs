//! `origin`.

use super::step::{self, TEXT_OR_BYTES};
use super::{Form, Takes, check, key, required};

/// A list of rules.
pub(super) const RULES: Takes = Takes::List(&Takes::Form(|| &RULE));
/// `origin`.
pub(super) const ORIGIN: Takes =
    Takes::Either(&[RULES, Takes::Word(&["reflect"]), Takes::Form(|| &CONNECTION)]);

const ANSWERS: Takes =
    Takes::Either(&[Takes::Form(|| &ANSWER), Takes::List(&Takes::Form(|| &ANSWER))]);
const FIELD: Takes = Takes::Either(&[TEXT_OR_BYTES, Takes::Form(|| &DATE), Takes::Null]);
const FIELDS: Takes =
    Takes::Either(&[Takes::Table(&Takes::Either(&[FIELD, Takes::List(&FIELD)])), step::LINES]);

/// `origin: { connection: … }`.
pub(crate) static CONNECTION: Form = Form {
    name: "connection",
    what: "`origin`",
    about: "An origin that answers no request.",
    keys: &[required(
        "connection",
        Takes::Word(&["refuse", "reset", "stall"]),
        "Nothing listens; every connection is reset; connections are accepted and never answered.",
    )],
    others: None,
};

/// A rule.
pub(crate) static RULE: Form = Form {
    name: "rule",
    what: "a rule of the origin",
    about: "Which requests get which answer; the first rule that fits answers.",
    keys: &[
        required(
            "on",
            Takes::Either(&[Takes::Text, Takes::Form(|| &WHEN)]),
            "`GET /doc`, `/doc` (any method), or a mapping.",
        ),
        required("respond", ANSWERS, "An answer, or a sequence of which the last repeats."),
    ],
    others: None,
};

/// `on`.
pub(crate) static WHEN: Form = Form {
    name: "when",
    what: "`on`",
    about: "Which requests a rule answers.",
    keys: &[
        key("method", Takes::Text, "The method; any if not said."),
        key("path", Takes::Text, "The path with its query; `*` at the end stands for any rest."),
        key("headers", Takes::Table(&check::VALUE_TAKES), "Field lines that must be there."),
    ],
    others: None,
};

/// An answer.
pub(crate) static ANSWER: Form = Form {
    name: "answer",
    what: "an answer",
    about: "What the origin answers.",
    keys: &[
        key("status", Takes::Whole(100, 999), "The status code (200)."),
        key("reason", Takes::Text, "The reason phrase; the registered one if not said."),
        key(
            "headers",
            FIELDS,
            "Field lines in order. Content-Length, Transfer-Encoding and Date are added unless named; null leaves one out.",
        ),
        key("body", Takes::Either(&[TEXT_OR_BYTES, Takes::Form(|| &ORIGIN_BODY)]), "The content."),
        key("delay", Takes::Duration, "Real time before the answer begins."),
        key("advance", Takes::Duration, "The case's clock moves by so much before the answer."),
        key(
            "chunked",
            Takes::Either(&[Takes::Flag, Takes::List(&Takes::Whole(1, u64::MAX))]),
            "Chunked coding; a list gives the sizes of the first chunks.",
        ),
        key("trailers", step::NAMED_TEXTS, "Trailer fields; the answer is chunked then."),
        key(
            "interim",
            Takes::List(&Takes::Either(&[Takes::Whole(100, 199), Takes::Form(|| &INTERIM)])),
            "1xx answers before it.",
        ),
        key("break", Takes::Form(|| &BREAK), "Where the answer breaks off."),
        key("close", Takes::Flag, "Close the connection after the answer."),
        key("raw", TEXT_OR_BYTES, "The whole answer as bytes instead of all the above."),
    ],
    others: None,
};

/// The body of an answer, where it is a mapping.
pub(crate) static ORIGIN_BODY: Form = Form {
    name: "originBody",
    what: "the body",
    about: "Content that is not text.",
    keys: &[
        key("base64", Takes::Text, "Bytes in base64."),
        key("hex", Takes::Text, "Bytes in hexadecimal."),
        key("fill", Takes::Text, "A pattern repeated up to `size`."),
        key("size", Takes::Size, "How many octets in all."),
        key("echo", Takes::Word(&["request"]), "The request as the origin read it."),
    ],
    others: None,
};

/// `{ date: -60s }`.
pub(crate) static DATE: Form = Form {
    name: "date",
    what: "a date",
    about: "An HTTP-date relative to the case's clock.",
    keys: &[required("date", Takes::Offset, "After, or with `-` before, now.")],
    others: None,
};

/// A 1xx answer.
pub(crate) static INTERIM: Form = Form {
    name: "interim",
    what: "an interim answer",
    about: "A 1xx answer.",
    keys: &[
        required("status", Takes::Whole(100, 199), "100 to 199, not 101."),
        key("headers", step::NAMED_TEXTS, "Its field lines."),
    ],
    others: None,
};

/// `break`.
pub(crate) static BREAK: Form = Form {
    name: "break",
    what: "`break`",
    about: "Where an answer breaks off.",
    keys: &[
        required("after", Takes::Size, "Octets of the body that are still sent."),
        key("how", Takes::Word(&["close", "reset"]), "An orderly close (default) or a TCP reset."),
    ],
    others: None,
};
