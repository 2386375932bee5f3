//! May a case be played on a target, and how is its time moved? A pure decision.

use edgeproof_scenario::model::{Action, CaptureFrom, Case, Check, Origin, Step};
use edgeproof_target::TargetSpec;

use super::RunOptions;
use crate::clock::{self, Way};

/// The way in which the case's time is moved, or the reason why it is skipped.
pub(super) fn select(
    case: &Case,
    target: &TargetSpec,
    options: &RunOptions,
) -> Result<Way, String> {
    let name = &target.name;
    // A need that is written and one that follows from the steps may be the same.
    let mut missing: Vec<&str> = Vec::new();
    for need in case.needs.iter().map(|need| need.value.as_str()) {
        if !target.declares(need) && !missing.contains(&need) {
            missing.push(need);
        }
    }
    if !missing.is_empty() {
        return Err(format!("needs {}, which {name} does not declare", missing.join(", ")));
    }
    target.expresses.site(&case.site).map_err(|why| format!("{name}: {why}"))?;
    let preset = case.site.access_log.as_ref().and_then(|log| log.preset.as_deref());
    let preset = preset.unwrap_or("default");
    if !target.negative_control && reads_fields(&case.steps) && target.logs.reader(preset).is_none()
    {
        return Err(format!("{name} does not say how its log lines are read: logs.read.{preset}"));
    }
    let given_as_url = target.kind() == "url" && target.folder.is_none();
    if given_as_url && has_origin(case) && options.origin_listen.is_none() {
        return Err(
            "has an origin of its own, and a URL target needs --origin-listen for it".into()
        );
    }
    if given_as_url && !matches!(case.origin, Origin::Rules(_) | Origin::Reflect(_)) {
        return Err(
            "has an origin that cannot be reached, and that of a URL target always can".into()
        );
    }
    clock::choose(target.clock, target.max_wait, case).map_err(|why| format!("{name}: {why}"))
}

/// Without one of the harness, a reflecting backend of the target's own does as well.
fn has_origin(case: &Case) -> bool {
    match &case.origin {
        Origin::Rules(rules) => !rules.is_empty(),
        Origin::Reflect(fixed) => fixed.is_some() || !case.site.any_host,
        Origin::Refuse | Origin::Reset | Origin::Stall => true,
    }
}

/// Is anything said of the values that a line of the access log shows?
fn reads_fields(steps: &[Step]) -> bool {
    let of = |check: &Check| matches!(check, Check::AccessLog(check) if !check.fields.is_empty());
    steps.iter().any(|step| {
        let within = match &step.action {
            Action::Parallel { steps, .. } | Action::Repeat { steps, .. } => reads_fields(steps),
            Action::Poll { step, until, .. } => {
                until.iter().any(|it| of(&it.check)) || reads_fields(std::slice::from_ref(step))
            }
            _ => false,
        };
        within || step.expect.iter().any(|it| of(&it.check))
    })
}

/// Which logs the case looks at: access, WAF.
pub(super) fn looks_at_logs(case: &Case) -> (bool, bool) {
    let mut looks = (false, false);
    visit(&case.steps, &mut looks);
    looks
}

fn visit(steps: &[Step], looks: &mut (bool, bool)) {
    for step in steps {
        let mut checks: Vec<&Check> = step.expect.iter().map(|it| &it.check).collect();
        match &step.action {
            Action::Parallel { steps, .. } | Action::Repeat { steps, .. } => visit(steps, looks),
            Action::Poll { step, until, .. } => {
                checks.extend(until.iter().map(|it| &it.check));
                visit(std::slice::from_ref(step), looks);
            }
            _ => {}
        }
        looks.0 |= checks.iter().any(|check| matches!(check, Check::AccessLog(_)));
        looks.0 |= step.capture.iter().any(|capture| capture.from == CaptureFrom::AccessLog);
        looks.1 |=
            checks.iter().any(|check| matches!(check, Check::WafLog(_) | Check::WafRules(_)));
    }
}
