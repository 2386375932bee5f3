//! The scenarios' negative control: the reference with one deliberate bug at a time, and for each bug the
//! cases that catch it and that pass without it.
//!
//! Runs the binary `edgeproof-mutant` (cargo feature `mutants`), which chooses its bug by the environment
//! variable `EDGEPROOF_MUTANT`. `EDGEPROOF_BUGS=NAME,NAME…` tries only those bugs.

mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use table::{file_of, root};

/// Bug → the case that must fail under it, beside those in the table of requirements.
const CAUGHT_BY: &[(&str, &str)] = &[
    // cache: what no RFC asks
    ("purges-nothing", "cache/purge/purge/exact"),
    ("hosting-stores-set-cookie", "cache/hosting/policy/not-stored#set-cookie"),
    ("ttl-overrides-explicit", "cache/hosting/policy/explicit-is-not-lengthened"),
    ("never-collapses", "cache/collapsing/cold"),
    ("stores-respelled", "cache/key/respelled"),
    ("takes-late-responses", "cache/concurrent/late/older"),
    // access log
    ("logs-raw-quotes", "logs/escaping#quote"),
    ("logs-raw-controls", "logs/escaping#tab"),
    ("logs-raw-backslash", "logs/escaping#backslash"),
    ("logs-raw-high-bytes", "logs/escaping#high-byte"),
    ("missing-is-empty", "logs/places/missing"),
    ("dash-not-escaped", "logs/escaping#dash"),
    ("duration-six-decimals-in-2018", "logs/golden/protocol-and-duration"),
    ("utc-always", "logs/golden/default-format"),
    ("expands-placeholders-again", "logs/formats/not-expanded-again"),
    ("json-passes-bytes", "logs/presets/json-bytes"),
    ("logs-first-field-line", "logs/variables#request_header"),
    ("keeps-date-for-a-minute", "logs/zones/seconds"),
    ("request-time-is-completion", "logs/variables#request_time"),
    ("logs-path-without-query", "logs/variables#request_path"),
    ("logs-decoded-target", "logs/lossless/target#percent-crlf"),
    ("size-counts-framing", "logs/missing/chunked"),
    ("trusts-every-forwarded-for", "logs/clients/nobody-trusted"),
    ("takes-first-forwarded-for", "logs/clients/trusted#last"),
    ("no-log-for-hits", "logs/outcomes/hit"),
    ("no-log-for-blocked", "logs/outcomes/blocked"),
    ("no-octets-of-upgrades", "logs/outcomes/upgrade"),
    ("loses-a-line-in-a-thousand", "logs/many"),
    ("doubles-a-line-in-a-thousand", "logs/many"),
    ("joins-a-line-in-a-thousand", "logs/many"),
    ("never-reopens-logs", "logs/rotation/told"),
    ("ignores-moved-logs", "logs/rotation/removed"),
    ("loses-lines-at-reopening", "logs/rotation/under-load"),
    ("forgets-unwritten-lines", "logs/rotation/full-disk-kept"),
    ("loses-lines-without-its-place", "logs/rotation/barred-kept"),
    ("waits-for-the-disk", "logs/rotation/full-disk"),
    ("never-reopens-logs", "logs/rotation/barred"),
    // upstream processes
    ("upstream-stderr-unmarked", "upstreams/output#stderr"),
    ("upstream-log-raw", "upstreams/output#escape"),
    ("upstream-keeps-partial-lines", "upstreams/output#unended"),
    ("upstream-never-idle", "upstreams/life/idle-stop"),
    ("upstream-idle-while-used", "upstreams/life/used-is-not-idle"),
    ("upstream-refuses-while-starting", "upstreams/life/together"),
    ("upstream-ready-at-once", "upstreams/slow-start"),
    ("upstream-no-back-off", "upstreams/crash/mid-answer"),
    ("upstream-back-off-stays", "upstreams/start#exits"),
    ("upstream-crash-untold", "upstreams/crash/signal"),
    ("upstream-never-kills", "upstreams/stubborn"),
    ("upstream-forgets-descendants", "upstreams/life/descendants"),
    ("upstream-inherits-environment", "upstreams/given/environment"),
    ("upstream-unlimited", "upstreams/given/files"),
    ("upstream-shares-session", "upstreams/life/session"),
    // proxy
    ("keeps-hop-by-hop", "front/fields/hop-by-hop#keep-alive"),
    ("keeps-connection-named", "front/fields/connection-named"),
    ("tunnels-anything", "front/fields/other-upgrades#h2c"),
    ("no-via", "front/fields/via"),
    ("no-forwarded-for", "front/fields/forwarded-for"),
    ("keeps-lookalikes", "front/fields/lookalikes#real-ip"),
    ("keeps-lookalikes", "front/fields/forwarded-trailer"),
    ("drops-trailers", "front/messages/trailers"),
    ("accepts-both-lengths", "front/tolerated/both-lengths-refused"),
    ("accepts-bare-lf", "front/refused/bare-lf"),
    ("accepts-two-hosts", "front/smuggling#two-hosts"),
    ("host-rewritten", "front/fields/host-kept"),
    ("head-with-body", "front/messages/head"),
    ("swallows-1xx", "front/messages/early-hints"),
    ("pools-broken-connection", "front/messages/after-an-abort"),
    ("no-log-for-400", "logs/refused#nul"),
    // firewall
    ("engine-panics", "waf/innocent/forms/form#login"),
    ("held-for-all", "waf/held/whole#short"),
    ("held-without-body", "waf/held/whole#short"),
    ("held-without-body", "waf/held/whole#long"),
    ("holds-only-one", "waf/held/each"),
    ("audits-all", "waf/audit/innocent"),
    ("audit-without-rules", "waf/audit/blocked#sqli"),
    ("audit-without-rules", "waf/audit/blocked#xss"),
    ("audit-raw", "waf/audit/one-line#line"),
];

/// Every bug that is to be caught, with its cases.
fn caught_by() -> BTreeMap<String, BTreeSet<String>> {
    let mut pairs = table::pairs(&table::requirements());
    for (mutant, case) in CAUGHT_BY {
        pairs.entry((*mutant).to_owned()).or_default().insert((*case).to_owned());
    }
    if let Ok(chosen) = std::env::var("EDGEPROOF_BUGS") {
        pairs.retain(|mutant, _| chosen.split(',').any(|it| it == mutant));
        assert!(!pairs.is_empty(), "EDGEPROOF_BUGS={chosen} names no bug that a case catches");
    }
    pairs
}

/// Every bug that there is.
fn existing() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_edgeproof-mutant"))
        .arg("list-mutants")
        .output()
        .expect("edgeproof-mutant runs");
    let known = String::from_utf8(output.stdout).expect("text");
    known.split_whitespace().map(str::to_owned).collect()
}

/// The arguments that play some cases, and read no other files than theirs.
fn arguments(cases: &BTreeSet<String>) -> Vec<String> {
    let files: BTreeSet<_> = cases.iter().map(|case| file_of(case)).collect();
    let filter = cases.iter().map(|id| format!("id:\"{id}\"")).collect::<Vec<_>>().join(" or ");
    let mut arguments = vec!["run".to_owned()];
    arguments.extend(files);
    arguments.extend(["--target", "reference", "-k", &filter].map(str::to_owned));
    arguments
}

/// A case's verdict, and its reason where it has one.
struct Verdict {
    name: String,
    reason: String,
}

/// Each case's verdict against the reference of this binary, or what went wrong before one could be had.
fn verdicts(
    cases: &BTreeSet<String>,
    mutant: Option<&str>,
) -> Result<BTreeMap<String, Verdict>, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeproof-mutant"));
    command.current_dir(root()).env_remove("EDGEPROOF_MUTANT");
    // Each bug is a failure on purpose: nobody will look at its logs.
    command.args(arguments(cases)).args(["--discard", "--format", "json"]);
    if let Some(mutant) = mutant {
        command.env("EDGEPROOF_MUTANT", mutant);
    }
    let output = command.output().expect("edgeproof-mutant runs");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let cases = report["cases"].as_array().expect("cases");
    let text = |case: &serde_json::Value, key: &str| case[key].as_str().unwrap_or("").to_owned();
    let verdict = |case| Verdict { name: text(case, "verdict"), reason: text(case, "reason") };
    Ok(cases.iter().map(|case| (text(case, "id"), verdict(case))).collect())
}

/// The cases whose verdict is not `expected`, each a line that ends with how to play it.
fn disagreements(cases: &BTreeSet<String>, mutant: Option<&str>, expected: &str) -> Vec<String> {
    let bug = mutant.unwrap_or("no bug");
    let found = match verdicts(cases, mutant) {
        Ok(found) => found,
        Err(mistake) => return vec![format!("{bug}: nothing could be played: {mistake}")],
    };
    let mut wrong = Vec::new();
    for case in cases {
        match found.get(case) {
            Some(verdict) if verdict.name == expected => {}
            Some(Verdict { name, reason }) => {
                wrong.push(format!("{bug}: {case} is {name}, not {expected}: {reason}"));
            }
            None => wrong.push(format!("{bug}: {case} is unknown")),
        }
    }
    wrong
}

/// What is wrong with each bug, tried in as many processes at once as there are cores.
fn try_all(pairs: BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let left = Mutex::new(pairs.into_iter());
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    // Taken in a statement of its own, so that the lock is not held while a bug is tried.
                    let next = left.lock().expect("no worker panics").next();
                    let Some((mutant, cases)) = next else { break };
                    let found = disagreements(&cases, Some(&mutant), "fail");
                    wrong.lock().expect("no worker panics").extend(found);
                }
            });
        }
    });
    wrong.into_inner().expect("no worker panics")
}

#[test]
fn each_mutant_is_caught_by_its_cases() {
    let mut pairs = caught_by();
    let existing = existing();
    let named: BTreeSet<String> = pairs.values().flatten().cloned().collect();
    let mut wrong = disagreements(&named, None, "pass");
    pairs.retain(|mutant, _| {
        let exists = existing.contains(mutant);
        if !exists {
            wrong.push(format!("{mutant}: there is no such bug in reference/mutant/src/lib.rs"));
        }
        exists
    });
    wrong.extend(try_all(pairs));
    wrong.sort();
    assert!(
        wrong.is_empty(),
        "{}\n\n{} disagreements. To see one: EDGEPROOF_MUTANT=BUG {} run FILE --target reference -k 'id:\"CASE\"'",
        wrong.join("\n"),
        wrong.len(),
        env!("CARGO_BIN_EXE_edgeproof-mutant"),
    );
}

/// A firewall whose engine fails in the midst of a request: what blocks answers with 500, what only tells lets it
/// through, and the connection stays.
#[test]
fn what_the_engine_cannot_judge_goes_the_safe_way() {
    let output = Command::new(env!("CARGO_BIN_EXE_edgeproof-mutant"))
        .current_dir(root())
        .args(["run", "harness/cli/tests/rules/engine.yaml", "--discard"])
        .env("EDGEPROOF_MUTANT", "engine-panics")
        .output()
        .expect("edgeproof-mutant runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("3 passed"), "{told}");
}

/// A bug that no table names would be a bug that nobody looks for.
#[test]
fn every_mutant_is_in_a_table() {
    let named = table::pairs(&table::requirements());
    let unnamed: Vec<_> = existing()
        .into_iter()
        .filter(|mutant| !named.contains_key(mutant))
        .filter(|mutant| CAUGHT_BY.iter().all(|(it, _)| it != mutant))
        .collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
}
