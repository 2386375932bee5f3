//! Journeys in sentences.

use super::step::{capture, letter, request};
use super::{duration, line, plural};
use crate::model::{JourneySpec, JourneyStep};

/// How many users do it, and how long.
pub(super) fn sentence(journey: &JourneySpec) -> String {
    let often = journey.iterations.map(|times| {
        format!(", {} each", plural(usize::try_from(times).unwrap_or(usize::MAX), "time"))
    });
    let long = journey.time.map(|time| format!(", for at most {}", duration(time)));
    format!(
        "Measure as {} {} at a time{}{}, who",
        journey.name,
        plural(journey.users, "user"),
        often.unwrap_or_default(),
        long.unwrap_or_default()
    )
}

/// What each user does.
pub(super) fn write(journey: &JourneySpec, indent: usize, text: &mut String) {
    for (at, step) in journey.steps.iter().enumerate() {
        let (letter, space) = (letter(at), " ".repeat(indent));
        let below = " ".repeat(indent + letter.len());
        line(text, &format!("{space}{letter}Send {}{}.", request(&step.request), think(step)));
        line(text, &format!("{below}→ the status is {}", step.status));
        step.capture.iter().for_each(|it| line(text, &format!("{below}{}", capture(it))));
    }
}

fn think(step: &JourneyStep) -> String {
    match step.think {
        (_, most) if most.is_zero() => String::new(),
        (least, most) if least == most => format!(", then think for {}", duration(most)),
        (least, most) => {
            format!(", then think for {} to {}", duration(least), duration(most))
        }
    }
}
