//! Whom a target chooses, and `edgeproof investigate agents`.

use std::fmt::Write as _;

use edgeproof_agent::Format;
use serde_json::json;

use super::words::Words;
use super::{Failure, print, question};
use crate::asker::FleetAsker;
use crate::facts::Facts;
use crate::target::Target;
use crate::time::Moment;

/// The agents of the directory that a target chooses, and how many there are.
///
/// # Errors
/// There is none.
pub(super) async fn chosen(
    asker: &FleetAsker,
    target: &Target,
) -> Result<(Vec<Facts>, usize), Failure> {
    let directory = asker.directory().await?;
    let all: Vec<Facts> = directory.agents(Moment::now()).map(|(facts, _)| facts).collect();
    let count = all.len();
    if all.is_empty() {
        let text = "no agent was ever heard of on this NATS server: does `edgeproof agent serve` run anywhere?";
        return Err(Failure::Nothing(text.to_owned()));
    }
    let unknown: Vec<String> =
        target.unknown(&all.iter().collect::<Vec<_>>()).iter().map(ToString::to_string).collect();
    let online = all.iter().filter(|facts| facts.status == "online").count();
    let chosen: Vec<Facts> = all.into_iter().filter(|facts| target.takes(facts)).collect();
    if chosen.is_empty() {
        let mut text =
            format!("no agent fits this target; {count} are known, {online} of them online");
        if !unknown.is_empty() {
            let _ = write!(text, ". None of them has {}", unknown.join(", "));
        }
        return Err(Failure::Nothing(text));
    }
    Ok((chosen, count))
}

/// `edgeproof investigate agents [-t TARGET]`
pub(super) async fn list(asker: &FleetAsker, words: &Words) -> Result<u8, Failure> {
    let target = words.target.as_deref().unwrap_or("all");
    let target = Target::parse(target).map_err(|error| question::mistake(&error))?;
    let (agents, _) = chosen(asker, &target).await?;
    if words.format == Format::Json {
        print(&format!("{:#}\n", json!({ "agents": agents })))?;
        return Ok(0);
    }
    let mut text = String::new();
    for facts in &agents {
        let ident = facts.environment.get("ident").map_or("?", String::as_str);
        let tags: String =
            facts.tags.iter().map(|(key, value)| format!(" {key}={value}")).collect();
        let line = format!("{} {} {ident}{tags}", facts.name, facts.status);
        let _ = writeln!(text, "{}", super::output::shown(&line));
    }
    print(&text)?;
    Ok(0)
}
