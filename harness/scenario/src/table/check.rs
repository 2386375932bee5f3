//! `expect`.

use super::step::TEXT_OR_BYTES;
use super::{BYTES, Form, Takes, key, required};

/// How a value is compared.
pub(super) const VALUE_TAKES: Takes = Takes::Either(&[Takes::Text, Takes::Form(|| &VALUE)]);

const COUNT_TAKES: Takes = Takes::Either(&[Takes::Whole(0, u64::MAX), Takes::Form(|| &COUNT)]);
const CODE: Takes = Takes::Whole(100, 999);
const CODES: Takes = Takes::List(&CODE);
const SOME_CODES: Takes = Takes::Some(&CODE);
/// `status`.
pub(super) const STATUS: Takes =
    Takes::Either(&[CODE, SOME_CODES, Takes::Class, Takes::Form(|| &NOT_STATUS)]);
const VALUES: Takes = Takes::Table(&VALUE_TAKES);
const TEXTS: Takes = Takes::Some(&TEXT_OR_BYTES);
const RULE_IDS: Takes = Takes::Some(&Takes::Whole(1, u64::MAX));
const PART: Takes = Takes::Either(&[Takes::Filled, Takes::Form(|| &BYTES)]);

/// `expect`.
pub(crate) static EXPECT: Form = Form {
    name: "expect",
    what: "`expect`",
    about: "What must hold; each line is an assertion of its own.",
    keys: &[
        key("status", STATUS, "`200`, `[200, 206]`, `2xx` or `{ not: 200 }`."),
        key("reason", VALUE_TAKES, "The reason phrase."),
        key("version", VALUE_TAKES, "`HTTP/1.1`."),
        key("headers", VALUES, "Fields of the answer; several lines are joined by `, `."),
        key("trailers", VALUES, "Trailer fields of the answer."),
        key("body", VALUE_TAKES, "The answer's content."),
        key("interim", CODES, "The status codes of the 1xx answers, in order."),
        key(
            "complete",
            Takes::Either(&[Takes::Flag, Takes::Word(&["any"])]),
            "Is the answer's framing whole? `any`: it may be cut off.",
        ),
        key(
            "connection",
            Takes::Word(&["open", "closed"]),
            "The connection after the answer; closed also by a reset.",
        ),
        key("no_answer", Takes::Flag, "Did the target say nothing and close?"),
        key("answered", Takes::Flag, "Did an answer come whose head can be read?"),
        key("answer", VALUE_TAKES, "The whole answer as it came, head and content, up to 64 KiB."),
        key("answers", SOME_CODES, "All status codes, in order (of `parallel`: sorted)."),
        key("time", Takes::Form(|| &TIME), "From the first byte sent to the last byte read."),
        key("origin_requests", COUNT_TAKES, "Requests that the case's origin has had so far."),
        key("origin_connections", COUNT_TAKES, "Connections that they came on."),
        key("origin_saw", Takes::Form(|| &ORIGIN_SAW), "The last request that the origin saw."),
        key("access_log", Takes::Form(|| &LOG_CHECK), "The case's access-log lines."),
        key("waf_log", Takes::Form(|| &LOG_CHECK), "The case's WAF-log lines."),
        key("upstream_log", Takes::Form(|| &LOG_CHECK), "Lines about the site's command."),
        key("waf_rules", Takes::Form(|| &WAF_RULES), "The rules that they tell of, by their ids."),
        key(
            "files",
            Takes::Table(&Takes::Form(|| &FILE_CHECK)),
            "Files; `{{dir}}` is the work folder.",
        ),
        key(
            "processes",
            Takes::Either(&[Takes::Form(|| &PROCESSES), Takes::Some(&Takes::Form(|| &PROCESSES))]),
            "Processes of the target.",
        ),
        key("ssh", VALUES, "What the SSH service said: banner, kex, ciphers_to_client, …"),
        key("config", VALUES, "Lines of the effective SSH configuration, in lower case."),
        key("load", Takes::Table(&COUNT_TAKES), "Of the last load: requests, errors, non_2xx."),
    ],
    others: None,
};

/// How a value is compared, where it is not simply equal.
pub(crate) static VALUE: Form = Form {
    name: "value",
    what: "a comparison",
    about: "How a value is compared; several keys must all hold.",
    keys: &[
        key("equals", TEXT_OR_BYTES, "Equal."),
        key("not", TEXT_OR_BYTES, "Not equal."),
        key("matches", Takes::Filled, "A regex, on bytes, unanchored."),
        key("not_matches", Takes::Filled, "A regex that must not match."),
        key("contains", PART, "A part."),
        key("not_contains", PART, "What must not be a part; holds also when absent."),
        key("absent", Takes::True, "Not there."),
        key("present", Takes::True, "There."),
        key("count", COUNT_TAKES, "So many field lines."),
        key("lines", TEXTS, "Exactly these field lines, in order."),
        key("between", Takes::Pair(&Takes::Number), "A number from … to …"),
        key("size", COUNT_TAKES, "So many octets."),
        key("date", Takes::Form(|| &DATE_RANGE), "An HTTP-date relative to the case's clock."),
        key("includes", TEXTS, "List members that must be there."),
        key("excludes", TEXTS, "List members that must not."),
        key("only", TEXTS, "No member but these, and at least one."),
        key("first", TEXT_OR_BYTES, "The first member."),
        key("one_of", TEXTS, "Equal to one of them."),
    ],
    others: None,
};

/// A range of numbers.
pub(crate) static COUNT: Form = Form {
    name: "count",
    what: "a count",
    about: "A range of whole numbers.",
    keys: &[
        key("between", Takes::Pair(&Takes::Whole(0, u64::MAX)), "From … to …, both included."),
        key("at_least", Takes::Whole(1, u64::MAX), "Not fewer."),
        key("at_most", Takes::Whole(0, u64::MAX), "Not more."),
    ],
    others: None,
};

/// `{ date: … }`.
pub(crate) static DATE_RANGE: Form = Form {
    name: "dateRange",
    what: "`date`",
    about: "A range of dates.",
    keys: &[required("between", Takes::Pair(&Takes::Offset), "From … to …, relative to now.")],
    others: None,
};

/// `{ not: 200 }`.
pub(crate) static NOT_STATUS: Form = Form {
    name: "notStatus",
    what: "`status`",
    about: "What the status must not be.",
    keys: &[required("not", Takes::Either(&[CODE, SOME_CODES]), "None of these.")],
    others: None,
};

/// `time`.
pub(crate) static TIME: Form = Form {
    name: "time",
    what: "`time`",
    about: "Bounds of the real time that the answer took.",
    keys: &[key("above", Takes::Lasting, "At least."), key("below", Takes::Lasting, "At most.")],
    others: None,
};

/// `origin_saw`.
pub(crate) static ORIGIN_SAW: Form = Form {
    name: "originSaw",
    what: "`origin_saw`",
    about: "A request as the origin saw it.",
    keys: &[
        key("all", Takes::Flag, "Every request instead of the last."),
        key("method", VALUE_TAKES, "The method."),
        key("path", VALUE_TAKES, "The path with its query."),
        key("headers", VALUES, "Its fields."),
        key("body", VALUE_TAKES, "Its content."),
        key("trailers", VALUES, "Its trailer fields."),
    ],
    others: None,
};

/// `access_log`, `waf_log` and `upstream_log`.
pub(crate) static LOG_CHECK: Form = Form {
    name: "logCheck",
    what: "a log expectation",
    about: "Lines of a log that this case caused.",
    keys: &[
        key("count", COUNT_TAKES, "How many lines."),
        key("line", VALUE_TAKES, "The last line."),
        key("any", VALUE_TAKES, "At least one line."),
        key("none", VALUE_TAKES, "No line."),
        key("every", VALUE_TAKES, "Each line, and at least one."),
        key("fields", VALUES, "What the last line says: status, user_agent, …"),
        key("distinct", Takes::True, "No two lines are the same, of two at least."),
    ],
    others: None,
};

/// `waf_rules`.
pub(crate) static WAF_RULES: Form = Form {
    name: "wafRules",
    what: "`waf_rules`",
    about: "Which rules the case's lines of the WAF's log tell of.",
    keys: &[
        key("includes", RULE_IDS, "Each of these."),
        key("excludes", RULE_IDS, "None of these."),
        key("only", RULE_IDS, "None but these, and at least one."),
    ],
    others: None,
};

/// `files: { PATH: … }`.
pub(crate) static FILE_CHECK: Form = Form {
    name: "fileCheck",
    what: "a file expectation",
    about: "What a file is like.",
    keys: &[
        key("exists", Takes::Flag, "Is it there?"),
        key("count", COUNT_TAKES, "How many files of a folder: `{{dir}}/FOLDER/*`."),
        key("mode", Takes::Text, "Its permissions in octal digits: `0600`."),
        key("content", VALUE_TAKES, "Its content."),
    ],
    others: None,
};

/// `processes`.
pub(crate) static PROCESSES: Form = Form {
    name: "processes",
    what: "`processes`",
    about: "Processes of the target.",
    keys: &[
        required("matching", Takes::Text, "A regex over the command line."),
        required("count", COUNT_TAKES, "How many."),
    ],
    others: None,
};
