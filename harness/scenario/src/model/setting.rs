//! A setting that holds for every case of a run, in place of what each says of its own site: the same
//! family is so played at every paranoia level, or without rules.

use std::fmt;
use std::str::FromStr;

use edgeproof_diagnostics::did_you_mean;

use super::{Paranoia, SiteSpec, WafSite};
use crate::table::{MODES, PROFILES};

/// `KEY=VALUE`. It changes only sites that have what it is about: a site without a WAF stays without
/// one, and what a rule set's own tests need (the profile `regression`) stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// `waf=none`: no WAF where the case asks for one. A negative control.
    NoWaf,
    /// `waf.profile=WORD`.
    Profile(&'static str),
    /// `waf.mode=WORD`.
    Mode(&'static str),
    /// `waf.paranoia=N`.
    Paranoia(Paranoia),
}

const KEYS: [&str; 4] = ["waf", "waf.profile", "waf.mode", "waf.paranoia"];

/// A setting that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// No `=` in it.
    #[error("`{0}` sets nothing: write KEY=VALUE, as in `waf.paranoia=3`")]
    NoValue(String),
    /// A key that cannot be set for all cases.
    #[error("`{key}` cannot be set for all cases: expected one of {}{suggestion}", KEYS.join(", "))]
    Key {
        /// The key.
        key: String,
        /// `; did you mean …?`, or nothing.
        suggestion: String,
    },
    /// A value that the key does not take.
    #[error("`{value}` is no value of `{key}`: expected one of {}{suggestion}", words.join(", "))]
    Value {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
        /// What it takes.
        words: Vec<&'static str>,
        /// `; did you mean …?`, or nothing.
        suggestion: String,
    },
}

impl FromStr for Setting {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(SettingError::NoValue(text.to_owned()));
        };
        match key {
            "waf" => one_of("waf", value, &["none"]).map(|_| Setting::NoWaf),
            // The tests of a rule set bring their own site.
            "waf.profile" => {
                let profiles: Vec<_> =
                    PROFILES.iter().copied().filter(|it| *it != WafSite::REGRESSION).collect();
                one_of("waf.profile", value, &profiles).map(Setting::Profile)
            }
            "waf.mode" => one_of("waf.mode", value, MODES).map(Setting::Mode),
            "waf.paranoia" => {
                let word = one_of("waf.paranoia", value, Paranoia::WORDS)?;
                Paranoia::of(word)
                    .map(Setting::Paranoia)
                    .ok_or_else(|| no_value("waf.paranoia", value, Paranoia::WORDS))
            }
            _ => {
                Err(SettingError::Key { key: key.to_owned(), suggestion: did_you_mean(key, KEYS) })
            }
        }
    }
}

fn one_of(
    key: &'static str,
    value: &str,
    words: &[&'static str],
) -> Result<&'static str, SettingError> {
    let known = words.iter().copied().find(|word| *word == value);
    known.ok_or_else(|| no_value(key, value, words))
}

fn no_value(key: &'static str, value: &str, words: &[&'static str]) -> SettingError {
    let suggestion = did_you_mean(value, words.iter().copied());
    SettingError::Value { key, value: value.to_owned(), words: words.to_vec(), suggestion }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::NoWaf => f.write_str("waf=none"),
            Setting::Profile(word) => write!(f, "waf.profile={word}"),
            Setting::Mode(word) => write!(f, "waf.mode={word}"),
            Setting::Paranoia(paranoia) => write!(f, "waf.paranoia={}", paranoia.level()),
        }
    }
}

impl Setting {
    /// Is there anything in this site that it is about?
    pub fn concerns(&self, site: &SiteSpec) -> bool {
        site.waf.as_ref().is_some_and(|waf| waf.profile != WafSite::REGRESSION)
    }

    /// Changes a site that it concerns.
    pub fn apply(&self, site: &mut SiteSpec) {
        if !self.concerns(site) {
            return;
        }
        let Some(waf) = &mut site.waf else { return };
        match self {
            Setting::NoWaf => site.waf = None,
            Setting::Profile(word) => waf.profile = (*word).to_owned(),
            Setting::Mode(word) => waf.mode = (*word).to_owned(),
            Setting::Paranoia(paranoia) => waf.paranoia = Some(*paranoia),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(profile: &str) -> SiteSpec {
        let waf = WafSite { profile: profile.into(), mode: "block".into(), paranoia: None };
        SiteSpec { waf: Some(waf), ..SiteSpec::default() }
    }

    /// The keys of a site after a setting that is also written as it was read.
    fn set(text: &str, mut site: SiteSpec) -> Vec<(&'static str, String)> {
        let setting: Setting = text.parse().unwrap();
        assert_eq!(setting.to_string(), text);
        setting.apply(&mut site);
        site.keys()
    }

    fn waf(profile: &str, mode: &str) -> Vec<(&'static str, String)> {
        vec![
            ("waf", String::new()),
            ("waf.profile", profile.to_owned()),
            ("waf.mode", mode.to_owned()),
        ]
    }

    #[test]
    fn a_setting_takes_the_place_of_the_cases_own() {
        assert_eq!(set("waf.profile=basic", site("full")), waf("basic", "block"));
        assert_eq!(set("waf.mode=alert", site("full")), waf("full", "alert"));
        let mut third = waf("full", "block");
        third.push(("waf.paranoia", "3".to_owned()));
        assert_eq!(set("waf.paranoia=3", site("full")), third);
        assert_eq!(set("waf=none", site("full")), []);
    }

    #[test]
    fn what_has_no_waf_and_what_tests_the_rules_stay_as_they_are() {
        assert_eq!(set("waf.paranoia=3", SiteSpec::default()), []);
        let regression = site(WafSite::REGRESSION);
        assert_eq!(set("waf=none", regression.clone()), regression.keys());
    }

    #[test]
    fn mistakes_say_what_is_known() {
        let told = |text: &str| text.parse::<Setting>().unwrap_err().to_string();
        assert_eq!(told("waf"), "`waf` sets nothing: write KEY=VALUE, as in `waf.paranoia=3`");
        insta::assert_snapshot!(told("waf.paranoya=3"), @"`waf.paranoya` cannot be set for all cases: expected one of waf, waf.profile, waf.mode, waf.paranoia; did you mean `waf.paranoia`?");
        insta::assert_snapshot!(told("waf.paranoia=5"), @"`5` is no value of `waf.paranoia`: expected one of 1, 2, 3, 4");
        insta::assert_snapshot!(told("waf.profile=regression"), @"`regression` is no value of `waf.profile`: expected one of basic, strong, full, wordpress, drupal");
        insta::assert_snapshot!(told("waf=off"), @"`off` is no value of `waf`: expected one of none");
    }
}
