//! What a site asks of its firewall, and the SecLang text that comes of it (Edgeproof specification §4).

mod core_rule_set;
mod exclusions;
mod install;

use std::fmt;
use std::str::FromStr;

pub use core_rule_set::{CoreRuleSet, CoreRuleSetError};
pub use exclusions::{Exclusions, PathGlob, PathGlobError};
pub use install::{InstallError, Installed};

/// Which files of the Core Rule Set hold for a site; each profile has those of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// No rules at all.
    Disabled,
    /// Strict HTTP and malicious bots.
    Basic,
    /// Also remote command execution, cross-site scripting and SQL injection.
    Strong,
    /// Also file inclusion, local and remote, and PHP.
    Full,
    /// All of that, without what WordPress does every day.
    Wordpress,
    /// All of that, without what Drupal does every day.
    Drupal,
}

/// What becomes of a request that the rules would deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It is answered with 403.
    Block,
    /// It passes, and the log says so.
    Alert,
    /// It is answered with 403 and kept for somebody to look at.
    Quarantine,
}

/// A paranoia level of the Core Rule Set, from 1 (few false alarms) to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Paranoia(u8);

impl Paranoia {
    /// The level, if it is from 1 to 4.
    #[must_use]
    pub fn new(level: u8) -> Option<Self> {
        matches!(level, 1..=4).then_some(Self(level))
    }

    /// The setting for version 3 and for version 4, whose names differ.
    fn setting(self, id: u64) -> String {
        let Self(level) = self;
        format!(
            "SecAction \"id:{id},phase:1,pass,nolog,t:none,setvar:tx.paranoia_level={level},\
             setvar:tx.blocking_paranoia_level={level}\"\n"
        )
    }
}

/// A name that stands for no profile or mode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, not {name:?}")]
pub struct UnknownName {
    name: String,
    expected: &'static str,
}

impl Profile {
    const ALL: [(&'static str, Self); 6] = [
        ("disabled", Self::Disabled),
        ("basic", Self::Basic),
        ("strong", Self::Strong),
        ("full", Self::Full),
        ("wordpress", Self::Wordpress),
        ("drupal", Self::Drupal),
    ];

    /// The numbers of the rule files that are neither always there nor an application's.
    fn numbers(self) -> &'static [u32] {
        match self {
            Self::Disabled => &[],
            Self::Basic => &[911, 913, 920, 921, 922],
            Self::Strong => &[911, 913, 920, 921, 922, 932, 941, 942],
            Self::Full | Self::Wordpress | Self::Drupal => {
                &[911, 913, 920, 921, 922, 930, 931, 932, 933, 941, 942]
            }
        }
    }

    /// The application whose exclusions it has.
    fn application(self) -> Option<&'static str> {
        match self {
            Self::Wordpress => Some("wordpress"),
            Self::Drupal => Some("drupal"),
            Self::Disabled | Self::Basic | Self::Strong | Self::Full => None,
        }
    }
}

impl Mode {
    const ALL: [(&'static str, Self); 3] =
        [("block", Self::Block), ("alert", Self::Alert), ("quarantine", Self::Quarantine)];

    /// What SecRuleEngine says in this mode.
    fn engine(self) -> &'static str {
        match self {
            Self::Block | Self::Quarantine => "On",
            Self::Alert => "DetectionOnly",
        }
    }
}

impl FromStr for Profile {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        let expected = "disabled, basic, strong, full, wordpress or drupal";
        found.map(|(_, profile)| *profile).ok_or(UnknownName { name: name.to_owned(), expected })
    }
}

impl FromStr for Mode {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        let expected = "block, alert or quarantine";
        found.map(|(_, mode)| *mode).ok_or(UnknownName { name: name.to_owned(), expected })
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, profile)| profile == self).map(|(name, _)| *name);
        f.write_str(name.unwrap_or_default())
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, mode)| mode == self).map(|(name, _)| *name);
        f.write_str(name.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for (name, profile) in Profile::ALL {
            assert_eq!(name.parse(), Ok(profile));
            assert_eq!(profile.to_string(), name);
        }
        for (name, mode) in Mode::ALL {
            assert_eq!(name.parse(), Ok(mode));
            assert_eq!(mode.to_string(), name);
        }
        let wrong = "Full".parse::<Profile>().unwrap_err();
        insta::assert_snapshot!(wrong, @r#"expected disabled, basic, strong, full, wordpress or drupal, not "Full""#);
    }

    #[test]
    fn each_profile_has_the_files_of_the_one_before() {
        for pair in [Profile::Disabled, Profile::Basic, Profile::Strong, Profile::Full].windows(2) {
            let (less, more) = (pair[0].numbers(), pair[1].numbers());
            assert!(less.iter().all(|number| more.contains(number)) && less.len() < more.len());
        }
    }
}
