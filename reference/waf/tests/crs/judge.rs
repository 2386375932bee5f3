//! Whether what came is what was expected.

use regex::bytes::Regex;

use crate::corpus::Expected;
use crate::play::Played;

/// The reason why it is not.
pub(crate) fn judge(expected: &Expected, played: &Played) -> Result<(), String> {
    if expected.error {
        return match played.status {
            None => Ok(()),
            Some(status) => Err(format!("no answer expected, {status} came")),
        };
    }
    let logged: Vec<_> = played.matches.iter().filter(|one| one.log).collect();
    let ids: Vec<u64> = logged.iter().map(|one| one.rule).collect();
    let shown = || {
        let mut ids = ids.clone();
        ids.dedup();
        ids
    };
    if let Some(status) = expected.status.filter(|status| played.status != Some(*status)) {
        return Err(format!("status {status} expected, {:?} came", played.status));
    }
    if let Some(id) = expected.ids.iter().find(|id| !ids.contains(id)) {
        return Err(format!("{id} expected, but fired {:?}", shown()));
    }
    if let Some(id) = expected.no_ids.iter().find(|id| ids.contains(id)) {
        let found = logged.iter().find(|one| one.rule == *id).expect("it is among them");
        let value = found.value.escape_ascii();
        let name = found.variable.escape_ascii();
        return Err(format!("{id} must not fire, but did on {name}: {value}"));
    }
    let lines: Vec<u8> =
        logged.iter().flat_map(|one| [one.native_line(), b"\n".to_vec()].concat()).collect();
    let found = |pattern: &str| Regex::new(pattern).expect("a pattern").is_match(&lines);
    let text = || String::from_utf8_lossy(&lines).into_owned();
    match (&expected.matches, &expected.no_match) {
        (Some(pattern), _) if !found(pattern) => Err(format!("{pattern} is not in {}", text())),
        (_, Some(pattern)) if found(pattern) => Err(format!("{pattern} is in {}", text())),
        _ => Ok(()),
    }
}
