//! Which way a case's time is moved: a pure decision.

use std::time::Duration;

use edgeproof_scenario::model::{Action, Case, Check, FieldValue, Origin, Step, Value};
use edgeproof_target::ClockKind;

/// How time is moved for one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The case moves no time and the target's clock is the machine's.
    Unmoved,
    /// The target's control socket: a clock a site.
    Control,
    /// libfaketime: one clock for the whole target.
    Faketime,
    /// Before its one `advance`, the origin's dates lie in the past by that much.
    Backdate(Duration),
    /// Real time passes.
    Wait,
    /// The target keeps no state over time: only the case's own idea of now moves.
    Ignored,
}

impl Way {
    /// As reports name it; nothing where time did not have to be moved.
    pub(crate) fn name(self, moves: bool) -> Option<String> {
        let name = match self {
            Way::Unmoved => return None,
            Way::Control => ClockKind::Control.as_str(),
            Way::Faketime => ClockKind::Faketime.as_str(),
            Way::Backdate(_) => ClockKind::Backdate.as_str(),
            Way::Wait => ClockKind::Wait.as_str(),
            Way::Ignored => ClockKind::None.as_str(),
        };
        moves.then(|| name.to_owned())
    }

    /// Must no other case of the target run meanwhile?
    pub(crate) fn is_exclusive(self) -> bool {
        self == Way::Faketime
    }
}

/// Does anything in the case move its clock?
pub(crate) fn moves(case: &Case) -> bool {
    !case.total_advance().is_zero() || origin_moves(case) || case.site.clock.is_some()
}

fn origin_moves(case: &Case) -> bool {
    let Origin::Rules(rules) = &case.origin else { return false };
    rules.iter().flat_map(|rule| &rule.respond).any(|answer| answer.advance.is_some())
}

/// The way for a case on a target, or the reason why it must be skipped.
pub(crate) fn choose(
    kind: ClockKind,
    max_wait: Option<Duration>,
    case: &Case,
) -> Result<Way, String> {
    // A site's clock stands still also where the case does not move it.
    if kind == ClockKind::Control {
        return Ok(Way::Control);
    }
    if !moves(case) {
        return Ok(Way::Unmoved);
    }
    if case.site.clock.is_some() && kind != ClockKind::None {
        return Err("its clock cannot be set to an instant (site.clock)".to_owned());
    }
    match kind {
        ClockKind::Faketime => Ok(Way::Faketime),
        ClockKind::None => Ok(Way::Ignored),
        ClockKind::Backdate => match backdated(case) {
            Some(by) => Ok(Way::Backdate(by)),
            None => wait(
                max_wait.unwrap_or_default(),
                case,
                "backdated answers do not mean the same here, and it would",
            ),
        },
        ClockKind::Wait | ClockKind::Control => {
            wait(max_wait.unwrap_or(Duration::MAX), case, "it would")
        }
    }
}

fn wait(most: Duration, case: &Case, why: &str) -> Result<Way, String> {
    let needed = case.total_advance();
    if needed <= most {
        return Ok(Way::Wait);
    }
    Err(format!("{why} have to wait for {needed:?} of real time (at most {most:?})"))
}

/// Backdated answers mean the same only in the plainest case: the store is primed, time passes once, and
/// nothing before that asks how old anything is.
fn backdated(case: &Case) -> Option<Duration> {
    if origin_moves(case) || case.site.clock.is_some() || dates_by_hand(case) {
        return None;
    }
    let is_advance = |step: &Step| matches!(step.action, Action::Advance(_));
    let at = case.steps.iter().position(is_advance)?;
    let (before, after) = (&case.steps[..at], &case.steps[at + 1..]);
    let moved_later = after.iter().any(|step| !step.total_advance().is_zero());
    let primed_once = matches!(before, [step] if matches!(step.action, Action::Send(_)));
    let asks_age = before.iter().flat_map(|step| &step.expect).any(|it| depends_on_age(&it.check));
    (!moved_later && primed_once && !asks_age).then(|| case.steps[at].total_advance())
}

/// Does the case write `Date` or `Age` itself? Then it means what it writes.
fn dates_by_hand(case: &Case) -> bool {
    let Origin::Rules(rules) = &case.origin else { return false };
    let mut lines = rules.iter().flat_map(|rule| &rule.respond).flat_map(|answer| &answer.headers);
    lines.any(|(name, value)| {
        let is_text = matches!(value, FieldValue::Text(_) | FieldValue::Omit);
        is_text && (name.eq_ignore_ascii_case("date") || name.eq_ignore_ascii_case("age"))
    })
}

fn depends_on_age(check: &Check) -> bool {
    match check {
        Check::Header(name, value) => {
            ["age", "date", "expires", "warning", "cache-status"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
                || matches!(value, Value::DateBetween(..))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(body: &str) -> Case {
        let text = format!("name: A case\nspec: RFC 9111 §4.2\n{body}");
        let (mut cases, diagnostics) = edgeproof_scenario::bind_text("scenarios/a.yaml", &text);
        assert!(
            !diagnostics.has_errors(),
            "{}",
            diagnostics.render(edgeproof_diagnostics::Colour::Never)
        );
        cases.remove(0)
    }

    const PRIMED: &str =
        "origin: [{ on: GET /, respond: { headers: { cache-control: max-age=60 } } }]
steps:
  - { send: GET /, expect: { status: 200, origin_requests: 1 } }
  - advance: 61s
  - { send: GET /, expect: { origin_requests: 2 } }
";

    #[test]
    fn a_case_that_moves_no_time_needs_no_clock() {
        let still = case("steps: [{ send: GET /, expect: { status: 200 } }]\n");
        for kind in [ClockKind::Faketime, ClockKind::Backdate, ClockKind::Wait, ClockKind::None] {
            assert_eq!(choose(kind, None, &still), Ok(Way::Unmoved));
        }
        assert_eq!(choose(ClockKind::Control, None, &still), Ok(Way::Control));
    }

    #[test]
    fn backdating_is_for_the_plainest_case_only() {
        let by = Duration::from_secs(61);
        let way = |text: &str| choose(ClockKind::Backdate, None, &case(text));
        assert_eq!(way(PRIMED), Ok(Way::Backdate(by)));
        let asks_age = PRIMED.replacen("status: 200", "headers: { age: \"0\" }", 1);
        let twice =
            format!("{PRIMED}  - advance: 1s\n  - {{ send: GET /, expect: {{ status: 200 }} }}\n");
        let by_hand = PRIMED.replace("cache-control:", "age: \"3\", cache-control:");
        let origin_moves = PRIMED.replace("respond: {", "respond: { advance: 1s,");
        for text in [asks_age, twice, by_hand, origin_moves] {
            assert!(way(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn waiting_is_bounded_and_an_instant_cannot_be_waited_for() {
        let way = |most| choose(ClockKind::Wait, Some(Duration::from_secs(most)), &case(PRIMED));
        assert_eq!(way(61), Ok(Way::Wait));
        assert_eq!(
            way(60).unwrap_err(),
            "it would have to wait for 61s of real time (at most 60s)"
        );
        let fixed =
            format!("site: {{ clock: {{ start: \"2018-07-16T12:04:07+02:00\" }} }}\n{PRIMED}");
        assert!(
            choose(ClockKind::Faketime, None, &case(&fixed)).unwrap_err().contains("site.clock")
        );
    }
}
