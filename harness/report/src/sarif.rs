//! SARIF 2.1.0: a rule for each case, a result for each assertion that did not hold.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use edgeproof_runner::event::{CaseResult, Failure, Verdict};
use serde_json::{Value, json};
use serde_sarif::sarif::{
    self, ArtifactLocation, Invocation, Location, Message, MultiformatMessageString, Notification,
    PhysicalLocation, PropertyBag, Region, ReportingConfiguration, ReportingDescriptor, ResultKind,
    ResultLevel, Sarif, Suppression, Tool, ToolComponent,
};

use crate::{
    Baseline, Level, Options, Run, Summary,
    again::told,
    exit_code,
    trouble::troubles,
    visible::{visible, visible_line},
};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

pub(crate) fn render(run: &Run, options: &Options, writer: &mut impl Write) -> io::Result<()> {
    let outcomes = run.outcomes();
    let mut rules = Rules::default();
    let mut results = Vec::new();
    for outcome in &outcomes {
        let rule = rules.of(outcome.case());
        results.extend(results_of(outcome.case(), rule, options));
    }
    let driver = ToolComponent::builder()
        .name("edgeproof")
        .full_name(line(&run.tool))
        .version(run.tool.rsplit(' ').next().unwrap_or_default().to_owned())
        .rules(rules.list)
        .build();
    let run = sarif::Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .invocations(vec![invocation(run, options)])
        // Failure::column counts characters.
        .column_kind(json!("unicodeCodePoints"))
        .results(results)
        .build();
    let log = Sarif::builder().schema(SCHEMA).version(json!("2.1.0")).runs(vec![run]).build();
    serde_json::to_writer_pretty(&mut *writer, &log)?;
    writer.write_all(b"\n")
}

/// The cases met so far, each once, whatever the number of its targets.
#[derive(Default)]
struct Rules {
    list: Vec<ReportingDescriptor>,
    places: BTreeMap<String, i64>,
}

impl Rules {
    fn of(&mut self, case: &CaseResult) -> i64 {
        if let Some(place) = self.places.get(&case.id) {
            return *place;
        }
        let place = self.list.len() as i64;
        self.places.insert(case.id.clone(), place);
        self.list.push(rule(case));
        place
    }
}

fn rule(case: &CaseResult) -> ReportingDescriptor {
    let explain = case.explain.as_deref().map(|text| format!("\n\n{}", visible(text)));
    let help = format!("{}\n\n{} ({})", line(&case.name), line(&case.spec), case.level)
        + &explain.unwrap_or_default();
    let mut tags = Vec::new();
    for tag in [case.family.as_str(), case.level.as_str()]
        .into_iter()
        .chain(case.tags.iter().map(String::as_str))
        .map(line)
    {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let configuration = ReportingConfiguration::builder().level(json!(level(case))).build();
    ReportingDescriptor::builder()
        .id(line(&case.id))
        .short_description(multiformat(line(&case.name)))
        .help(multiformat(help))
        .default_configuration(configuration)
        .properties(properties(tags, [("spec", json!(line(&case.spec)))]))
        .build()
}

fn level(case: &CaseResult) -> ResultLevel {
    match case.level {
        Level::Must => ResultLevel::Error,
        Level::Should => ResultLevel::Warning,
        Level::May | Level::Observe => ResultLevel::Note,
    }
}

fn results_of(case: &CaseResult, rule: i64, options: &Options) -> Vec<sarif::Result> {
    match case.verdict {
        Verdict::Pass | Verdict::Skip | Verdict::Error => Vec::new(),
        Verdict::Fixed => {
            let text = format!(
                "passes on {0} and is listed as a known failure: take it out of that target.yaml",
                line(&case.target)
            );
            let mut result =
                result(case, rule, text, place(&case.file, case.line, None, options), options);
            result.kind = Some(ResultKind::Informational);
            result.level = Some(ResultLevel::None);
            vec![result]
        }
        Verdict::Fail | Verdict::KnownFail => {
            let failures = case.failures.iter();
            failures.map(|failure| failed(case, rule, failure, options)).collect()
        }
    }
}

fn failed(case: &CaseResult, rule: i64, failure: &Failure, options: &Options) -> sarif::Result {
    let text = format!("on {}: {}", line(&case.target), line(&failure.message));
    let location = place(&failure.file, failure.line, Some(failure.column), options);
    let mut result = result(case, rule, text, location, options);
    let fingerprint = format!("{}@{}/{}", case.id, case.target, failure.path);
    result.partial_fingerprints =
        Some(BTreeMap::from([("edgeproof/v1".to_owned(), line(&fingerprint))]));
    if case.verdict == Verdict::KnownFail {
        let reason = line(case.reason.as_deref().unwrap_or_default());
        let suppression = Suppression::builder()
            .kind(json!("external"))
            .status(json!("accepted"))
            .justification(reason);
        result.suppressions = Some(vec![suppression.build()]);
    }
    result
}

/// Was this found in the baseline too? A known failure was the same finding before it was known.
fn baseline_state(case: &CaseResult, baseline: &Baseline) -> &'static str {
    let failed = |verdict| matches!(verdict, Verdict::Fail | Verdict::KnownFail);
    match baseline.verdict(&case.id, &case.target) {
        Some(was) if was == case.verdict || (failed(was) && failed(case.verdict)) => "unchanged",
        _ => "new",
    }
}

fn result(
    case: &CaseResult,
    rule: i64,
    text: String,
    location: Location,
    options: &Options,
) -> sarif::Result {
    let facts = [
        ("target", json!(line(&case.target))),
        ("verdict", json!(case.verdict.as_str())),
        ("reproduce", json!(line(&case.reproduce))),
    ];
    let mut result = sarif::Result::builder()
        .rule_id(line(&case.id))
        .rule_index(rule)
        .level(level(case))
        .message(Message::builder().text(text).build())
        .locations(vec![location])
        .properties(properties(Vec::new(), facts))
        .build();
    let baseline = options.baseline.as_deref();
    result.baseline_state = baseline.map(|baseline| json!(baseline_state(case, baseline)));
    result
}

fn place(file: &str, line: usize, column: Option<usize>, options: &Options) -> Location {
    let mut region = Region::builder().start_line(line.max(1) as i64).build();
    region.start_column = column.map(|column| column.max(1) as i64);
    let artifact = ArtifactLocation::builder().uri(uri(&options.relative(file))).build();
    let physical = PhysicalLocation::builder().artifact_location(artifact).region(region).build();
    Location::builder().physical_location(physical).build()
}

/// What broke, is no longer played or was played again is no finding about a requirement: it stands with the
/// invocation.
fn invocation(run: &Run, options: &Options) -> Invocation {
    let troubles = troubles(run, options).into_iter();
    let mut errors: Vec<_> = troubles.map(|it| (visible(&it.why), None)).collect();
    let mut warnings = Vec::new();
    for outcome in run.outcomes() {
        let case = outcome.case();
        let about = |why: &str| {
            let text = format!("{} on {}: {}", line(&case.id), line(&case.target), visible(why));
            (text, Some(place(&case.file, case.line, None, options)))
        };
        let broke = || case.reason.clone().unwrap_or_else(|| "no reason was given".to_owned());
        let broke = (case.verdict == Verdict::Error).then(broke);
        if let Some(why) = broke.or_else(|| options.no_longer_played(case)) {
            errors.push(about(&why));
        }
        warnings.extend(
            outcome.played_again().map(|case| about(&format!("played again: {}", told(case)))),
        );
    }
    let code = exit_code(&Summary::of(run, options.baseline.as_deref()), options.gate);
    let is_successful = errors.is_empty();
    let notify = |level: &'static str| {
        move |(text, location): (String, Option<Location>)| {
            let message = Message::builder().text(text).build();
            let mut notification =
                Notification::builder().level(json!(level)).message(message).build();
            notification.locations = location.map(|location| vec![location]);
            notification
        }
    };
    let errors = errors.into_iter().map(notify("error"));
    let notifications: Vec<Notification> =
        errors.chain(warnings.into_iter().map(notify("warning"))).collect();
    let mut invocation = Invocation::builder()
        .execution_successful(is_successful)
        .exit_code(i64::from(code.code()))
        .exit_code_description(code.meaning())
        .tool_execution_notifications(notifications)
        .build();
    invocation.start_time_utc = Some(run.started.clone()).filter(|time| !time.is_empty());
    invocation
}

fn multiformat(text: String) -> MultiformatMessageString {
    MultiformatMessageString::builder().text(text).build()
}

fn properties<const N: usize>(tags: Vec<String>, facts: [(&str, Value); N]) -> PropertyBag {
    let facts = facts.into_iter().map(|(key, value)| (key.to_owned(), value));
    let mut bag =
        PropertyBag::builder().additional_properties(facts.collect::<BTreeMap<_, _>>()).build();
    bag.tags = Some(tags).filter(|tags| !tags.is_empty());
    bag
}

/// A relative reference of RFC 3986 §4.2: what is no path character (§3.3) is percent-encoded.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn line(text: &str) -> String {
    visible_line(text)
}
