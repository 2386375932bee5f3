//! `journey`.

use super::step::{CAPTURES, REQUEST_TAKES};
use super::{Form, Takes, check, key, required};

/// `journey`.
pub(crate) static JOURNEY: Form = Form {
    name: "journey",
    what: "`journey`",
    about: "Users who do several things one after another, measured.",
    keys: &[
        required("name", Takes::Text, "The name under which its figures are reported."),
        key("users", Takes::Whole(1, 10_000), "Users at a time (10); `{{index}}` counts from 0."),
        key("iterations", Takes::Whole(1, u64::MAX), "How often each user does all steps."),
        key("time", Takes::Lasting, "The most real time (the case's `time_limit`)."),
        required("steps", Takes::Some(&Takes::Form(|| &JOURNEY_STEP)), "What each user does."),
    ],
    others: None,
};

/// A step of a journey.
pub(crate) static JOURNEY_STEP: Form = Form {
    name: "journeyStep",
    what: "a step of a journey",
    about: "One request, with the user's cookies, and what it must come to.",
    keys: &[
        key("name", Takes::Text, "The name under which its figures are reported (its number)."),
        required("send", REQUEST_TAKES, "The request."),
        key("expect", Takes::Form(|| &JOURNEY_EXPECT), "What must hold, or it is an error."),
        key("capture", CAPTURES, "Variables for the same user's later steps."),
        key(
            "think",
            Takes::Either(&[Takes::Duration, Takes::Pair(&Takes::Duration)]),
            "Real time before the user goes on, or from … to …, drawn evenly (0).",
        ),
    ],
    others: None,
};

/// What a step of a journey must come to.
pub(crate) static JOURNEY_EXPECT: Form = Form {
    name: "journeyExpect",
    what: "what a step of a journey expects",
    about: "Any other answer is an error of the journey.",
    keys: &[required(
        "status",
        check::STATUS,
        "`200`, `[200, 206]`, `2xx` or `{ not: 200 }` (2xx).",
    )],
    others: None,
};
