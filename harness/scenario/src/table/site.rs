//! `site`.

use super::{Form, Takes, key, required};
use crate::model::Paranoia;

const ON: Takes = Takes::True;
const CACHE_TAKES: Takes = Takes::Either(&[ON, Takes::Form(|| &CACHE)]);
const LOG_TAKES: Takes = Takes::Either(&[ON, Takes::Form(|| &ACCESS_LOG)]);

/// `site`.
pub(crate) static SITE: Form = Form {
    name: "site",
    what: "the site",
    about: "What the site must be like; a target that cannot express it skips the case.",
    keys: &[
        key("host", Takes::Text, "A fixed host name, where a golden line needs one."),
        key(
            "any_host",
            Takes::True,
            "It answers for every host; cases with one such site share it.",
        ),
        key("cache", CACHE_TAKES, "A cache in front of the origin; `true` for its defaults."),
        key("waf", Takes::Form(|| &WAF), "A web application firewall."),
        key("access_log", LOG_TAKES, "The access log; `true` for its defaults."),
        key(
            "trusted_peers",
            Takes::Either(&[Takes::Text, Takes::List(&Takes::Text)]),
            "Networks (CIDR) whose X-Forwarded-For says who the client is.",
        ),
        key("clock", Takes::Form(|| &CLOCK), "Where the site's virtual clock starts."),
        key("upstream", Takes::Form(|| &UPSTREAM), "A command that the target starts itself."),
    ],
    others: None,
};

/// `site.cache`.
pub(crate) static CACHE: Form = Form {
    name: "cacheSite",
    what: "`cache`",
    about: "A cache in front of the origin.",
    keys: &[
        key("policy", Takes::Word(&["rfc9111", "hosting"]), "rfc9111 (default) or hosting."),
        key("ttl", Takes::Duration, "The lifetime of a response that has no explicit one."),
        key("size", Takes::Size, "The store's bound."),
        key(
            "purge_from",
            Takes::Either(&[Takes::Text, Takes::List(&Takes::Text)]),
            "Networks (CIDR) that may PURGE.",
        ),
    ],
    others: None,
};

/// Of a WAF.
pub(crate) const PROFILES: &[&str] =
    &["basic", "strong", "full", "wordpress", "drupal", "regression"];
/// What becomes of what a WAF denies.
pub(crate) const MODES: &[&str] = &["block", "alert", "quarantine"];

/// `site.waf`.
pub(crate) static WAF: Form = Form {
    name: "wafSite",
    what: "`waf`",
    about: "A web application firewall.",
    keys: &[
        required("profile", Takes::Word(PROFILES), "Which rules."),
        key("mode", Takes::Word(MODES), "block (default), alert, …"),
        key("paranoia", Takes::Word(Paranoia::WORDS), "The paranoia level, 1 to 4."),
    ],
    others: None,
};

/// `site.access_log`.
pub(crate) static ACCESS_LOG: Form = Form {
    name: "accessLogSite",
    what: "`access_log`",
    about: "The access log: a format or a preset.",
    keys: &[
        key("format", Takes::Text, "Text with `{variables}`."),
        key("preset", Takes::Word(&["default", "common", "combined", "json"]), "A known format."),
        key("dialect", Takes::Word(&["2018", "current"]), "How the format is read."),
    ],
    others: None,
};

/// `site.clock`.
pub(crate) static CLOCK: Form = Form {
    name: "clockSite",
    what: "`clock`",
    about: "Where the site's virtual clock starts.",
    keys: &[
        required("start", Takes::Text, "A date and time with its offset (RFC 3339)."),
        key("zone", Takes::Text, "The zone of the log's dates: `+02:00` or `Europe/Paris`."),
    ],
    others: None,
};

/// `site.upstream`.
pub(crate) static UPSTREAM: Form = Form {
    name: "upstreamSite",
    what: "`upstream`",
    about: "A command that the target starts when somebody asks for the site.",
    keys: &[
        required(
            "command",
            Takes::Text,
            "The program and its arguments; `{port}`, `{host}` and `{socket}` are filled in.",
        ),
        key("listen", Takes::Word(&["port", "socket"]), "Where it listens; as the command asks."),
        key("idle", Takes::Duration, "Nobody asks for so long: it is stopped. `0`: never."),
        key("start_limit", Takes::Duration, "How long it may take until it listens."),
        key("stop_grace", Takes::Duration, "Between SIGTERM and SIGKILL."),
        key("environment", Takes::Table(&Takes::Text), "Variables of its environment."),
        key("files", Takes::Whole(3, 1 << 20), "Open files that it may have."),
    ],
    others: None,
};
