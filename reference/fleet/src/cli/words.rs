//! Flags of `investigate` beside those of a module.

use std::path::PathBuf;
use std::time::Duration;

use edgeproof_agent::Format;
use edgeproof_agent::flags::{Given, Known};

use super::{Failure, access};
use crate::id::Id;
use crate::nats::Access;

const VALUES: [&str; 5] = ["t", "e", "format", "key", "resume"];

/// How long agents have, where nothing else is said.
pub(super) const LASTS: Duration = Duration::from_secs(50);

/// What the flags say.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    pub(super) access: Access,
    pub(super) target: Option<String>,
    /// How long the agents have, where it is said.
    pub(super) lasts: Option<Duration>,
    pub(super) format: Format,
    pub(super) key: Option<PathBuf>,
    pub(super) resume: Option<Id>,
    pub(super) is_dry: bool,
}

/// Calls with all the names, which live as long as the call.
pub(super) fn with_names<T>(more: &[&str], call: impl FnOnce(Known<'_>) -> T) -> T {
    let values = [&VALUES[..], &access::FLAGS[..], more].concat();
    call(Known { values: &values, switches: &["dry"] })
}

impl Words {
    /// A flag that only an action has which is yet to be sent.
    pub(super) fn of_a_new_action(&self) -> Option<&'static str> {
        [
            (self.target.is_some(), "-t"),
            (self.key.is_some(), "-key"),
            (self.lasts.is_some(), "-e"),
            (self.is_dry, "-dry"),
        ]
        .into_iter()
        .find_map(|(is_said, flag)| is_said.then_some(flag))
    }

    /// Takes flags.
    pub(super) fn take(&mut self, given: &[Given]) -> Result<(), Failure> {
        for flag in given {
            let value = &flag.value;
            match flag.name.as_str() {
                "t" => self.target = Some(value.clone()),
                "e" => self.lasts = Some(lasts(flag)?),
                "format" => self.format = value.parse().map_err(Failure::Usage)?,
                "key" => self.key = Some(value.into()),
                "resume" => {
                    let id = value.parse();
                    let wrong = |error| Failure::Usage(format!("-resume: `{value}` is {error}"));
                    self.resume = Some(id.map_err(wrong)?);
                }
                "dry" => self.is_dry = flag.is_on()?,
                _ => drop(access::take(&mut self.access, flag)),
            }
        }
        Ok(())
    }
}

fn lasts(flag: &Given) -> Result<Duration, Failure> {
    let lasts = flag.duration()?;
    match lasts {
        _ if lasts < Duration::from_secs(1) => Err(Failure::Usage(
            "-e: less than a second is over before agents have heard of it".to_owned(),
        )),
        _ if lasts > crate::admission::LONGEST => Err(Failure::Usage(
            "-e: agents take no action that is good for more than a day".to_owned(),
        )),
        _ => Ok(lasts),
    }
}
