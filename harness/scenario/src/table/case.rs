//! The top of a file.

use super::site::SITE;
use super::{Form, Key, Takes, key, origin, required, step};

const WORDS: Takes = Takes::List(&Takes::Text);
const LEVEL: Takes = Takes::Word(&["must", "should", "may", "observe"]);
const INCLUDE: Takes = Takes::Either(&[Takes::Text, WORDS]);

const NAME: Key = required("name", Takes::Text, "The requirement in one sentence.");
const EXPLAIN: Key = key("explain", Takes::Text, "Why it matters, in a few sentences.");
const SPEC_ABOUT: &str = "The section of the standard, the rule family or the manual page.";
const LEVEL_KEY: Key =
    key("level", LEVEL, "How binding it is: must (default), should, may or observe.");
const NEEDS: Key = key(
    "needs",
    WORDS,
    "What the target must declare, else the case is skipped; most needs follow from the site and the steps.",
);
const TAGS: Key = key("tags", WORDS, "Free words for `-k tag:…`.");
const SITE_KEY: Key = key("site", Takes::Form(|| &SITE), "What the case's site must be like.");
const ORIGIN: Key =
    key("origin", origin::ORIGIN, "What the origin answers, `reflect`, or how it refuses to.");
const ALONE: Key =
    key("alone", Takes::Flag, "Must no other case run on the target at the same time?");
const TIME_LIMIT: Key =
    key("time_limit", Takes::Lasting, "The most real time that the case may take (10s).");
const EACH: Key = key(
    "each",
    Takes::List(&Takes::Form(|| &COLUMN)),
    "A table: the case is played once for each row, `{{column}}` standing for the row's value.",
);
const INCLUDE_KEY: Key = key(
    "include",
    INCLUDE,
    "Fragments whose steps come before the case's own and whose origin rules come after them.",
);
const STEPS: Key = required("steps", step::STEPS, "What happens, in order.");

/// A file that is one case.
pub(crate) static CASE: Form = Form {
    name: "case",
    what: "a case",
    about: "A case: one requirement, and how it is proved.",
    keys: &[
        NAME,
        required("spec", Takes::Text, SPEC_ABOUT),
        LEVEL_KEY,
        EXPLAIN,
        TAGS,
        NEEDS,
        ALONE,
        TIME_LIMIT,
        EACH,
        INCLUDE_KEY,
        SITE_KEY,
        ORIGIN,
        STEPS,
    ],
    others: None,
};

/// A file of several cases.
pub(crate) static MANY: Form = Form {
    name: "cases",
    what: "a file of cases",
    about: "Several cases; what stands above them is shared.",
    keys: &[
        key("spec", Takes::Text, SPEC_ABOUT),
        LEVEL_KEY,
        TAGS,
        NEEDS,
        SITE_KEY,
        ORIGIN,
        required("cases", Takes::List(&Takes::Form(|| &CASE_OF_MANY)), "The cases."),
    ],
    others: None,
};

/// An entry of `cases`.
pub(crate) static CASE_OF_MANY: Form = Form {
    name: "caseOfMany",
    what: "a case",
    about: "One of several cases in a file.",
    keys: &[
        required("id", Takes::Id, "Its id is the file's, `/` and this."),
        NAME,
        key("spec", Takes::Text, SPEC_ABOUT),
        LEVEL_KEY,
        EXPLAIN,
        TAGS,
        NEEDS,
        ALONE,
        TIME_LIMIT,
        EACH,
        INCLUDE_KEY,
        SITE_KEY,
        ORIGIN,
        STEPS,
    ],
    others: None,
};

/// A file for `include`.
pub(crate) static FRAGMENT: Form = Form {
    name: "fragment",
    what: "a fragment",
    about: "Origin rules and steps for other files to include; no case of its own.",
    keys: &[
        required("fragment", Takes::True, "Says that this file is no case of its own."),
        key("include", INCLUDE, "Further fragments."),
        key("origin", origin::RULES, "Rules put behind those of the case."),
        key("steps", step::STEPS, "Steps put where the fragment is included."),
    ],
    others: None,
};

/// A row of `each`.
pub(crate) static COLUMN: Form = Form {
    name: "row",
    what: "a row of `each`",
    about: "A row: the same columns as in every other row.",
    keys: &[key("id", Takes::Id, "The row's id; its number if not given.")],
    others: Some(step::TEXT_OR_BYTES),
};
