//! What a search says of a file: pure decisions.

use super::criteria::Algorithm;
use super::search::{Kind, Search};
use crate::mode;
use crate::pattern::Pattern;

/// What is known of a file without opening it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) size: u64,
    /// `st_mode`.
    pub(crate) mode: u32,
    /// Seconds since 1970.
    pub(crate) mtime: i64,
}

/// A search's answer before the file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// What is in the file decides.
    Open,
}

/// Whether a name is what a search asks for; `true` where it asks nothing.
pub(crate) fn name_holds(search: &Search, name: &[u8]) -> bool {
    asked(search, Kind::Name, search.names.iter().map(|pattern| holds(pattern, &[name])))
        .unwrap_or(true)
}

/// The answer from a file's name and facts, `now` in seconds since 1970.
pub(crate) fn by_facts(search: &Search, name: &[u8], facts: Facts, now: i64) -> Answer {
    let modes = (!search.modes.is_empty()).then(|| [mode::go(facts.mode), mode::ls(facts.mode)]);
    let modes = modes.as_ref().map(|[go, ls]| [go.as_bytes(), ls.as_bytes()]);
    let answers = [
        asked(search, Kind::Name, search.names.iter().map(|pattern| holds(pattern, &[name]))),
        asked(search, Kind::Size, search.sizes.iter().map(|bound| bound.holds(facts.size))),
        asked(
            search,
            Kind::Mode,
            search.modes.iter().map(|pattern| modes.is_some_and(|modes| holds(pattern, &modes))),
        ),
        asked(
            search,
            Kind::Mtime,
            search.mtimes.iter().map(|bound| bound.holds(now - facts.mtime)),
        ),
    ];
    let mut answers = answers.into_iter().flatten().peekable();
    let nothing_asked = answers.peek().is_none();
    match (search.options.matchall, search.judges_content()) {
        (true, opens) => match (answers.all(|holds| holds), opens) {
            (false, _) => Answer::No,
            (true, true) => Answer::Open,
            (true, false) => Answer::Yes,
        },
        (false, opens) => match (answers.any(|holds| holds), opens) {
            (true, _) => Answer::Yes,
            (false, true) => Answer::Open,
            (false, false) if nothing_asked => Answer::Yes,
            (false, false) => Answer::No,
        },
    }
}

/// The answer once a file was read, where that was left open.
pub(crate) fn by_content(
    search: &Search,
    content: Option<bool>,
    digests: &[(Algorithm, String)],
) -> bool {
    let turned = |kind, answer: bool| answer != search.is_turned(kind);
    let content = content.map(|answer| turned(Kind::Content, answer));
    let kinds = [Kind::Md5, Kind::Sha1, Kind::Sha2, Kind::Sha3];
    let by_digest = kinds.into_iter().filter_map(|kind| {
        let mut wanted = search.digests.iter().filter(|(of, _)| *of == kind).peekable();
        wanted.peek()?;
        // No file has two digests of a kind: one of them is enough.
        let is = wanted.any(|(_, digest)| {
            digests.iter().any(|(by, hex)| *by == digest.algorithm() && *hex == digest.hex())
        });
        Some(turned(kind, is))
    });
    let mut answers = content.into_iter().chain(by_digest);
    match search.options.matchall {
        true => answers.all(|holds| holds),
        false => answers.any(|holds| holds),
    }
}

/// The answer of a kind; `None` where nothing is asked of it.
fn asked(
    search: &Search,
    kind: Kind,
    answers: impl ExactSizeIterator<Item = bool>,
) -> Option<bool> {
    let mut answers = answers;
    if answers.len() == 0 {
        return None;
    }
    let holds = match search.options.matchall {
        true => answers.all(|holds| holds),
        false => answers.any(|holds| holds),
    };
    Some(holds != search.is_turned(kind))
}

fn holds(pattern: &Pattern, texts: &[&[u8]]) -> bool {
    texts.iter().any(|text| pattern.matches(text)) != pattern.inverted()
}
