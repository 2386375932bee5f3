//! A test as a case: its stages are steps of raw octets, its outputs assertions.

use std::time::Duration;

use edgeproof_diagnostics::{Span, Spanned};
use edgeproof_scenario::model::{
    Action, Answer, Assertion, Capture, CaptureFrom, Case, CaseId, Check, FieldValue, Foreign,
    Level, LogCheck, Origin, Part, RulesCheck, SiteSpec, Status, Step, Template, Value, WafSite,
};

use super::FAMILY;
use super::model::{Input, Output, Response, Stage, Test};
use super::request::{Later, request};

/// The most real time of a stage, its marks in the log included.
const STAGE_LIMIT: Duration = Duration::from_secs(15);
/// The variables of later stages.
const TARGET: &str = "redirect_target";
const HOST: &str = "redirect_host";
const COOKIES: &str = "cookie_line";

/// The case of a test whose file has that name among all files.
pub(super) fn case(test: &Test, file: &str) -> Case {
    let rule = match test.rule {
        Some(rule) => format!("rule {rule}"),
        None => "a rule".to_owned(),
    };
    let (name, explain) = words(test, &rule);
    let number = u32::try_from(test.stages.len()).unwrap_or(u32::MAX);
    Case {
        id: CaseId(format!("{FAMILY}/{file}/{}", test.id)),
        source: test.source.clone(),
        span: test.span.clone(),
        name,
        spec: match test.rule {
            Some(900_000..=999_999) => format!("OWASP CRS, {rule}"),
            _ => rule,
        },
        explain,
        level: Level::Must,
        needs: needs(test),
        tags: test.tags.clone(),
        site: SiteSpec {
            any_host: true,
            waf: Some(WafSite {
                paranoia: None,
                profile: WafSite::REGRESSION.to_owned(),
                mode: "alert".to_owned(),
            }),
            ..SiteSpec::default()
        },
        origin: Origin::Reflect(
            test.stages.iter().find_map(|it| it.input.response.as_ref()).map(answer),
        ),
        steps: steps(&test.stages),
        time_limit: STAGE_LIMIT * number,
        alone: false,
        row: Vec::new(),
        foreign: Some(Foreign {
            format: FAMILY,
            retry_once: test.stages.iter().any(|stage| stage.output.retry_once),
            mark_host: test.stages.iter().find_map(|stage| mark_host(&stage.input)),
            settled: test.settled.clone(),
        }),
    }
}

/// The first line of the description, and all of it where there is more.
fn words(test: &Test, rule: &str) -> (String, Option<String>) {
    let Some(description) = &test.description else {
        return (format!("Test {} of {rule}", test.number), None);
    };
    let description = description.trim();
    let first = description.lines().next().unwrap_or_default().trim().to_owned();
    let more = description.lines().nth(1).is_some();
    (first, more.then(|| description.to_owned()))
}

fn needs(test: &Test) -> Vec<Spanned<String>> {
    let need = |word: &str, span: &Span| Spanned::new(word.to_owned(), span.clone());
    let mut needs = vec![need("http", &test.span), need("waf", &test.span)];
    let log = test.stages.iter().find_map(|stage| stage.output.looks_at_log());
    needs.extend(log.map(|span| need("waf-log", span)));
    let tls = test.stages.iter().find(|stage| stage.input.tls);
    needs.extend(tls.map(|stage| need("tls", &stage.span)));
    needs
}

fn mark_host(input: &Input) -> Option<String> {
    let host = input.fields("host").next().map(str::to_owned);
    host.filter(|host| input.virtual_host && !host.is_empty())
}

fn answer(response: &Response) -> Box<Answer> {
    let field = |(name, value): &(String, String)| {
        (name.clone(), FieldValue::Text(Template::literal(value.as_str())))
    };
    let headers = response.headers.iter().map(field).collect();
    let body = response.body.clone();
    Box::new(Answer { headers, ..Answer::plain(response.status, body) })
}

fn steps(stages: &[Stage]) -> Vec<Step> {
    let mut steps = Vec::with_capacity(stages.len());
    let mut saved = false;
    for (number, stage) in stages.iter().enumerate() {
        let follows = stage.input.follow_redirect && number > 0;
        let later = Later {
            target: follows.then_some(TARGET),
            host: follows.then_some(HOST),
            cookies: saved.then_some(COOKIES),
        };
        let bytes = request(&stage.input, later, &stage.span);
        let next_follows = stages.get(number + 1).is_some_and(|next| next.input.follow_redirect);
        // Against this one the redirect that it may get is resolved.
        let target = match follows {
            true => variable(TARGET, &stage.span),
            false => Template::literal(stage.input.uri.as_deref().unwrap_or("/")),
        };
        saved |= stage.input.save_cookie;
        let mut capture = Vec::new();
        let mut take = |name: &str, from: CaptureFrom| {
            let (name, span) = (name.to_owned(), stage.span.clone());
            capture.push(Capture { name, from, matches: None, may_be_empty: true, span });
        };
        if stage.input.save_cookie {
            take(COOKIES, CaptureFrom::CookieLine);
        }
        if next_follows {
            let otherwise = stage.input.fields("host").next().unwrap_or("localhost").to_owned();
            take(TARGET, CaptureFrom::RedirectTarget { from: target });
            take(HOST, CaptureFrom::RedirectHost { otherwise });
        }
        steps.push(Step {
            span: stage.span.clone(),
            action: Action::Raw { bytes, answers: 1, tls: stage.input.tls, half_close: false },
            // A connection of its own: what a stage leaves behind is not the next one's business.
            client: format!("stage {}", number + 1),
            expect: assertions(&stage.output, &stage.span, number),
            capture,
        });
    }
    steps
}

fn variable(name: &str, span: &Span) -> Template {
    let (name, filters, span) = (name.to_owned(), Vec::new(), span.clone());
    Template { parts: vec![Part::Variable { name, filters, span }] }
}

/// One assertion for each thing that must hold, at its place.
fn assertions(output: &Output, stage: &Span, number: usize) -> Vec<Assertion> {
    let assertion = |key: &str, span: &Span, check: Check| Assertion {
        span: span.clone(),
        path: format!("stages[{number}].output{key}"),
        check,
    };
    if let Some(span) = &output.expect_error {
        // Nothing else is looked at: there is nothing to look at.
        return vec![assertion(".expect_error", span, Check::Answered(false))];
    }
    let mut all = Vec::new();
    match &output.status {
        Some(codes) => {
            let check = Check::Status(Status::OneOf(codes.value.clone()));
            all.push(assertion(".status", &codes.span, check));
        }
        None => all.push(assertion("", stage, Check::Answered(true))),
    }
    let pattern = |pattern: &str| Value::Matches(Template::literal(pattern));
    if let Some(regex) = &output.response_contains {
        let check = Check::Answer(pattern(&regex.value));
        all.push(assertion(".response_contains", &regex.span, check));
    }
    if let Some(ids) = &output.expect_ids {
        let check = RulesCheck { includes: ids.value.clone(), ..RulesCheck::default() };
        all.push(assertion(".log.expect_ids", &ids.span, Check::WafRules(check)));
        if let Some(span) = &output.isolated {
            let check = RulesCheck { only: ids.value.clone(), ..RulesCheck::default() };
            all.push(assertion(".isolated", span, Check::WafRules(check)));
        }
    }
    if let Some(regex) = &output.match_regex {
        let check = LogCheck { any: Some(pattern(&regex.value)), ..LogCheck::default() };
        all.push(assertion(".log.match_regex", &regex.span, Check::WafLog(check)));
    }
    if let Some(ids) = &output.no_expect_ids {
        let check = RulesCheck { excludes: ids.value.clone(), ..RulesCheck::default() };
        all.push(assertion(".log.no_expect_ids", &ids.span, Check::WafRules(check)));
    }
    if let Some(regex) = &output.no_match_regex {
        let check = LogCheck { none: Some(pattern(&regex.value)), ..LogCheck::default() };
        all.push(assertion(".log.no_match_regex", &regex.span, Check::WafLog(check)));
    }
    all
}
