//! Flags as MIG writes them: one dash or two, `-name value` or `-name=value`, switches alone.

use std::time::Duration;

/// What a command knows: flags with a value, and switches.
#[derive(Clone, Copy, Debug)]
pub struct Known<'n> {
    /// Flags that take a value.
    pub values: &'n [&'n str],
    /// Flags that stand alone.
    pub switches: &'n [&'n str],
}

/// A mistake on the command line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// No command has it.
    #[error("there is no flag -{0}{1}")]
    Unknown(String, String),
    /// Its value is missing.
    #[error("-{0} needs a value")]
    NoValue(String),
    /// A switch with another value.
    #[error("-{0}: `{1}` is not true or false")]
    NotBoolean(String, String),
    /// A value of the wrong kind.
    #[error("-{0}: `{1}` is no {2}")]
    Wrong(String, String, &'static str),
}

/// A flag that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Without its dashes.
    pub name: String,
    /// What stands behind it; `true` for a switch alone.
    pub value: String,
}

impl Given {
    /// Whether a switch is on.
    ///
    /// # Errors
    /// It is neither on nor off.
    pub fn is_on(&self) -> Result<bool, FlagError> {
        match self.value.as_str() {
            "true" | "1" | "t" => Ok(true),
            "false" | "0" | "f" => Ok(false),
            other => Err(FlagError::NotBoolean(self.name.clone(), other.to_owned())),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// It is none.
    pub fn number<N: std::str::FromStr>(&self) -> Result<N, FlagError> {
        self.value.parse().map_err(|_| self.wrong("whole number"))
    }

    /// A time such as `50s`, `1m30s` or `500ms`.
    ///
    /// # Errors
    /// It is none.
    pub fn duration(&self) -> Result<Duration, FlagError> {
        duration(&self.value).ok_or_else(|| self.wrong("time: expected `50s`, `1m30s` or `500ms`"))
    }

    /// A size such as `50m`.
    ///
    /// # Errors
    /// It is none.
    pub fn octets(&self) -> Result<u64, FlagError> {
        let text = self.value.to_ascii_lowercase();
        let end = text.bytes().take_while(u8::is_ascii_digit).count();
        let factor = match &text[end..] {
            "" => Some(1u64),
            "k" | "kib" => Some(1 << 10),
            "m" | "mib" => Some(1 << 20),
            "g" | "gib" => Some(1 << 30),
            _ => None,
        };
        let octets = factor.and_then(|factor| text[..end].parse::<u64>().ok()?.checked_mul(factor));
        octets.ok_or_else(|| self.wrong("size: expected `50m`"))
    }

    fn wrong(&self, what: &'static str) -> FlagError {
        FlagError::Wrong(self.name.clone(), self.value.clone(), what)
    }
}

fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut whole = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let milliseconds = match &rest[digits..digits + unit] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        whole += Duration::from_millis(number.checked_mul(milliseconds)?);
        rest = &rest[digits + unit..];
    }
    (!text.is_empty()).then_some(whole)
}

/// Reads flags and the other words.
///
/// # Errors
/// A flag is unknown, or has no value.
pub fn read(words: &[String], known: Known<'_>) -> Result<(Vec<Given>, Vec<String>), FlagError> {
    let mut given = Vec::new();
    let mut others = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(flag) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
            others.push(word.clone());
            continue;
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (flag, None),
        };
        let value = match (known.switches.contains(&name), known.values.contains(&name), value) {
            (true, _, value) => value.unwrap_or_else(|| "true".to_owned()),
            (_, true, Some(value)) => value,
            (_, true, None) => {
                words.next().cloned().ok_or_else(|| FlagError::NoValue(name.to_owned()))?
            }
            (false, false, _) => return Err(unknown(name, known)),
        };
        given.push(Given { name: name.to_owned(), value });
    }
    Ok((given, others))
}

fn unknown(name: &str, known: Known<'_>) -> FlagError {
    let all = known.values.iter().chain(known.switches);
    let near =
        all.filter(|flag| flag.starts_with(name) || name.starts_with(**flag) && flag.len() > 2);
    let near: Vec<String> = near.map(|flag| format!("-{flag}")).collect();
    let hint = match near.is_empty() {
        true => String::new(),
        false => format!("; did you mean {}?", near.join(" or ")),
    };
    FlagError::Unknown(name.to_owned(), hint)
}
