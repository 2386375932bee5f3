//! The subjects of the protocol: `edgeproof.1.…`, a part an agent or an action.

use std::fmt::Write as _;

use crate::id::Id;

/// What streams hold, and what permissions name.
pub const ACTIONS: &str = "edgeproof.1.action.*";
/// Whom an action was sent to.
pub const ROSTERS: &str = "edgeproof.1.roster.*";
/// What agents answer.
pub const ANSWERS: &str = "edgeproof.1.answer.*.*";
/// What agents say of themselves.
pub const PRESENCE: &str = "edgeproof.1.presence.*";
/// Asks all agents to say it now.
pub const ROLL_CALL: &str = "edgeproof.1.rollcall";

/// Where an action is published.
pub fn action(id: Id) -> String {
    format!("edgeproof.1.action.{id}")
}

/// Where it is kept whom an action was sent to.
pub fn roster(id: Id) -> String {
    format!("edgeproof.1.roster.{id}")
}

/// Where one agent answers to an action.
pub fn answer(id: Id, agent: &str) -> String {
    format!("edgeproof.1.answer.{id}.{}", token(agent))
}

/// Where all agents answer to an action.
pub fn answers(id: Id) -> String {
    format!("edgeproof.1.answer.{id}.*")
}

/// Where an agent says what it is.
pub fn presence(agent: &str) -> String {
    format!("edgeproof.1.presence.{}", token(agent))
}

/// Where an agent is asked whether it is there: nobody listens once it is gone.
pub fn call(agent: &str) -> String {
    format!("edgeproof.1.call.{}", token(agent))
}

/// The agent that a subject ends with.
pub fn agent_of(subject: &str) -> Option<String> {
    name(subject.rsplit('.').next()?)
}

/// A name as one part of a subject: what is neither a letter, a digit, `-` nor `_` is `%HH`.
fn token(name: &str) -> String {
    let mut token = String::with_capacity(name.len());
    for octet in name.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => token.push(char::from(octet)),
            other => {
                let _ = write!(token, "%{other:02x}");
            }
        }
    }
    token
}

fn name(token: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(token.len());
    let mut rest = token.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(more.get(..2)?).ok()?;
            octets.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &more[2..];
        } else {
            octets.push(*first);
            rest = more;
        }
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dots_of_a_host_are_not_those_of_a_subject() {
        assert_eq!(presence("web1.example.net"), "edgeproof.1.presence.web1%2eexample%2enet");
        assert_eq!(
            agent_of("edgeproof.1.presence.web1%2eexample%2enet").as_deref(),
            Some("web1.example.net")
        );
        assert_eq!(agent_of("edgeproof.1.presence.%zz"), None);
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in ".{1,20}") {
            let subject = presence(&name);
            prop_assert!(!subject.contains(|c: char| c.is_whitespace() || "*>".contains(c)));
            prop_assert_eq!(subject.matches('.').count(), 3);
            prop_assert_eq!(agent_of(&subject), Some(name));
        }
    }
}
