//! The Core Rule Set where it lies, and the entry text of a profile over it.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

use super::{Exclusions, Mode, Paranoia, Profile};

/// Ids of the rules that a profile adds: of those that are free for local use.
const OWN_IDS: u64 = 10_000;

/// Where Debian's package `modsecurity-crs` puts it.
const DEBIAN: &str = "/usr/share/modsecurity-crs";

/// A Core Rule Set in a folder, as a checkout or a release has it, or as Debian installs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreRuleSet {
    rules: PathBuf,
    setup: PathBuf,
    /// The site's own rules after the set's, where the distribution keeps them apart.
    after: Option<PathBuf>,
    plugins: PathBuf,
    version: String,
}

/// Why there is no such rule set, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum CoreRuleSetError {
    /// There is none on this machine.
    #[error("no Core Rule Set is installed: there is none in {} and none in {DEBIAN}", .0.display())]
    NotInstalled(PathBuf),
    /// The folder has no rule files.
    #[error("{} has no REQUEST-901-INITIALIZATION.conf, nor has its folder `rules`: it is no Core Rule Set", .0.display())]
    NoRules(PathBuf),
    /// Nothing says which options hold.
    #[error("{} has neither crs-setup.conf nor crs-setup.conf.example", .0.display())]
    NoSetup(PathBuf),
    /// A file that says its version nowhere.
    #[error("{} names no version of the Core Rule Set", .0.display())]
    NoVersion(PathBuf),
    /// A rule file of the profile is missing.
    #[error("{} has no rule file {number}, which the profile {profile} needs", .rules.display())]
    NoFile {
        /// The folder.
        rules: PathBuf,
        /// The file's number, such as 941.
        number: u32,
        /// The profile.
        profile: Profile,
    },
    /// The exclusions for an application are a plugin since version 4, and it is not there.
    #[error("the profile {profile} needs the plugin {application}-rule-exclusions in {}", .plugins.display())]
    NoPlugin {
        /// Where plugins are looked for.
        plugins: PathBuf,
        /// The application.
        application: &'static str,
        /// The profile.
        profile: Profile,
    },
    /// A folder or file cannot be read.
    #[error("cannot read {}: {cause}", .path.display())]
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl CoreRuleSet {
    /// The rule set in `root`: a checkout, a release, or the folder of Debian's package
    /// `modsecurity-crs` (`/usr/share/modsecurity-crs`, with its settings in `/etc/modsecurity/crs`).
    ///
    /// # Errors
    /// Where rules, settings or the version are missing or unreadable.
    pub fn at(root: &Path) -> Result<Self, CoreRuleSetError> {
        const FIRST: &str = "REQUEST-901-INITIALIZATION.conf";
        let rules = [root.join("rules"), root.to_owned()];
        let rules = rules.into_iter().find(|folder| folder.join(FIRST).is_file());
        let rules = rules.ok_or_else(|| CoreRuleSetError::NoRules(root.to_owned()))?;
        let local = Path::new("/etc/modsecurity/crs");
        let mut settings = vec![root.to_owned()];
        settings.extend(rules.parent().map(Path::to_owned));
        settings.extend((root == Path::new(DEBIAN)).then(|| local.to_owned()));
        let named = |name: &str| settings.iter().map(|it| it.join(name)).find(|it| it.is_file());
        let setup = named("crs-setup.conf").or_else(|| named("crs-setup.conf.example"));
        let setup = setup.ok_or_else(|| CoreRuleSetError::NoSetup(root.to_owned()))?;
        let after = named("RESPONSE-999-EXCLUSION-RULES-AFTER-CRS.conf");
        let plugins = rules.parent().unwrap_or(root).join("plugins");
        let version = version(&rules.join(FIRST))?;
        Ok(Self { rules, setup, after, plugins, version })
    }

    /// The rule set that is installed here: the newest of those below `own` (one folder each), else that
    /// of Debian's package.
    ///
    /// # Errors
    /// Where there is none, or it cannot be read.
    pub fn installed(own: &Path) -> Result<Self, CoreRuleSetError> {
        let folders = match std::fs::read_dir(own) {
            Ok(entries) => entries.filter_map(Result::ok).map(|entry| entry.path()).collect(),
            Err(_) => Vec::new(),
        };
        let sets = folders.iter().filter_map(|folder| Self::at(folder).ok());
        match sets.max_by_key(|set| order(&set.version)) {
            Some(newest) => Ok(newest),
            None if Path::new(DEBIAN).is_dir() => Self::at(Path::new(DEBIAN)),
            None => Err(CoreRuleSetError::NotInstalled(own.to_owned())),
        }
    }

    /// The version that its files name, such as `4.29.0-dev`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The folder of the rule files.
    #[must_use]
    pub fn rules(&self) -> &Path {
        &self.rules
    }

    /// The SecLang text of a site: settings, exclusions, and the profile's files by Include.
    ///
    /// # Errors
    /// Where a file of the profile is missing.
    pub fn entry(
        &self,
        profile: Profile,
        mode: Mode,
        paranoia: Option<Paranoia>,
        exclusions: &Exclusions,
    ) -> Result<String, CoreRuleSetError> {
        let mut text = settings(if profile == Profile::Disabled { "Off" } else { mode.engine() });
        if profile == Profile::Disabled {
            return Ok(text);
        }
        let mut include = |path: &Path| {
            // Writing to memory does not fail.
            let _ = writeln!(text, "Include \"{}\"", path.display());
        };
        include(&self.setup);
        let exclusive = self.application(profile)?;
        exclusive.before.iter().for_each(|path| include(path));
        let own = exclusions.before(OWN_IDS + 10);
        text.push_str(&exclusive.setting);
        text.extend(paranoia.map(|level| level.setting(OWN_IDS + 5)));
        text.push_str(&own);
        let mut include = |path: &Path| {
            let _ = writeln!(text, "Include \"{}\"", path.display());
        };
        for path in self.files(profile)? {
            include(&path);
        }
        exclusive.after.iter().chain(&self.after).for_each(|path| include(path));
        text.push_str(&exclusions.after());
        Ok(text)
    }

    /// The profile's rule files, in the order of their numbers.
    fn files(&self, profile: Profile) -> Result<Vec<PathBuf>, CoreRuleSetError> {
        let unreadable = |cause| CoreRuleSetError::Unreadable { path: self.rules.clone(), cause };
        let mut all = Vec::new();
        for entry in std::fs::read_dir(&self.rules).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if let Some(number) = number(&path) {
                all.push((number, path));
            }
        }
        all.sort();
        let mut wanted = vec![901, 905, 949, 999];
        wanted.extend(profile.numbers());
        for &number in &wanted {
            // 922 came with 3.3.3, 999 with 4; before there is nothing to leave out.
            if !matches!(number, 922 | 999) && !all.iter().any(|(found, _)| *found == number) {
                let rules = self.rules.clone();
                return Err(CoreRuleSetError::NoFile { rules, number, profile });
            }
        }
        let wanted = all.into_iter().filter(|(number, _)| wanted.contains(number));
        let mut files: Vec<PathBuf> = wanted.map(|(_, path)| path).collect();
        if let Some(application) = profile.application().filter(|_| !self.has_plugins()) {
            let excluding = self.exclusion_file(application)?;
            // After the initialisation, before the rules that it takes things from.
            files.insert(1, excluding);
        }
        Ok(files)
    }

    /// Since version 4 exclusions for applications are plugins.
    fn has_plugins(&self) -> bool {
        !self.version.starts_with(['2', '3'])
    }

    fn exclusion_file(&self, application: &str) -> Result<PathBuf, CoreRuleSetError> {
        let (number, name) = match application {
            "drupal" => ("903.9001", "DRUPAL"),
            _ => ("903.9002", "WORDPRESS"),
        };
        let path = self.rules.join(format!("REQUEST-{number}-{name}-EXCLUSION-RULES.conf"));
        match path.metadata() {
            Ok(_) => Ok(path),
            Err(cause) => Err(CoreRuleSetError::Unreadable { path, cause }),
        }
    }

    /// What an application's exclusions add.
    fn application(&self, profile: Profile) -> Result<Application, CoreRuleSetError> {
        let Some(application) = profile.application() else { return Ok(Application::default()) };
        if !self.has_plugins() {
            let setting = format!(
                "SecAction \"id:{OWN_IDS},phase:1,pass,nolog,t:none,setvar:tx.crs_exclusions_{application}=1\"\n"
            );
            return Ok(Application { setting, ..Application::default() });
        }
        let part = |part: &str| {
            let path = self.plugins.join(format!("{application}-rule-exclusions-{part}.conf"));
            path.is_file().then_some(path)
        };
        let before: Vec<PathBuf> = [part("config"), part("before")].into_iter().flatten().collect();
        if before.is_empty() {
            let plugins = self.plugins.clone();
            return Err(CoreRuleSetError::NoPlugin { plugins, application, profile });
        }
        Ok(Application { setting: String::new(), before, after: part("after") })
    }
}

#[derive(Default)]
struct Application {
    setting: String,
    before: Vec<PathBuf>,
    after: Option<PathBuf>,
}

/// What holds for all sites: bodies are read, as the recommended settings of ModSecurity have it;
/// answers are not inspected, for no profile has rules for them.
fn settings(engine: &str) -> String {
    format!(
        r#"SecRuleEngine {engine}
SecRequestBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 1048576
SecRequestBodyLimitAction ProcessPartial
SecRequestBodyJsonDepthLimit 512
SecArgumentsLimit 1000
SecResponseBodyAccess Off
SecAuditEngine RelevantOnly
SecAuditLogRelevantStatus "^(?:5|40[0-35-9]|4[1-9])"
SecAuditLogParts ABIJFHZ
SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application(?:/soap\+|/)|text/)xml" "id:10001,phase:1,pass,nolog,t:none,t:lowercase,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/(?:[a-z0-9.-]+\+)?json" "id:10002,phase:1,pass,nolog,t:none,t:lowercase,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" "id:10003,phase:2,deny,status:400,log,t:none,msg:'The request body cannot be read',logdata:'%{{REQBODY_ERROR_MSG}}',severity:CRITICAL"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" "id:10004,phase:2,deny,status:400,log,t:none,msg:'The multipart body can be read in two ways',severity:CRITICAL"
"#
    )
}

/// The number of a rule file by its name: `REQUEST-941-...conf`. None for an application's exclusions
/// (`903.9001`), for data and for examples.
fn number(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?.strip_suffix(".conf")?;
    let rest = name.strip_prefix("REQUEST-").or_else(|| name.strip_prefix("RESPONSE-"))?;
    rest.split_once('-')?.0.parse().ok()
}

/// What orders versions: the numbers in them; one with a word behind, such as `-dev`, comes before the
/// one without.
fn order(version: &str) -> (Vec<u64>, bool) {
    let (numbers, word) = version.split_once('-').unwrap_or((version, ""));
    (numbers.split('.').map(|number| number.parse().unwrap_or(0)).collect(), word.is_empty())
}

/// The version in a rule file: what stands in `ver:'OWASP_CRS/VERSION'`.
fn version(path: &Path) -> Result<String, CoreRuleSetError> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| CoreRuleSetError::Unreadable { path: path.to_owned(), cause })?;
    let named = text.split_once("'OWASP_CRS/").and_then(|(_, rest)| rest.split_once('\''));
    let (version, _) = named.ok_or_else(|| CoreRuleSetError::NoVersion(path.to_owned()))?;
    Ok(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rule set of empty files.
    fn set(version: &str, more: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["rules", "plugins"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        std::fs::write(dir.path().join("crs-setup.conf.example"), "").unwrap();
        let first = format!("SecAction \"id:1,ver:'OWASP_CRS/{version}'\"");
        std::fs::write(dir.path().join("rules/REQUEST-901-INITIALIZATION.conf"), first).unwrap();
        for name in [
            "905", "911", "913", "920", "921", "922", "930", "931", "932", "933", "934", "941",
            "942", "949",
        ] {
            std::fs::write(dir.path().join(format!("rules/REQUEST-{name}-X.conf")), "").unwrap();
        }
        for name in more {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        dir
    }

    #[test]
    fn newer_versions_come_later() {
        let mut versions = ["4.10.0", "4.2.0", "3.3.5", "4.10.0-rc1", "10.0.0"];
        versions.sort_by_key(|version| order(version));
        assert_eq!(versions, ["3.3.5", "4.2.0", "4.10.0-rc1", "4.10.0", "10.0.0"]);
    }

    fn included(dir: &tempfile::TempDir, profile: Profile) -> Result<String, CoreRuleSetError> {
        let entry = CoreRuleSet::at(dir.path())?.entry(
            profile,
            Mode::Block,
            None,
            &Exclusions::default(),
        )?;
        let lines =
            entry.lines().filter(|line| line.starts_with("Include") || line.contains("setvar"));
        let lines: Vec<String> =
            lines.map(|line| line.replace(&format!("{}/", dir.path().display()), "")).collect();
        Ok(lines.join("\n"))
    }

    #[test]
    fn a_profile_includes_its_files_in_order() {
        let dir =
            set("4.2.0", &["rules/REQUEST-999-AFTER.conf", "rules/RESPONSE-999-X.conf.example"]);
        insta::assert_snapshot!(included(&dir, Profile::Strong).unwrap(), @r#"
        Include "crs-setup.conf.example"
        Include "rules/REQUEST-901-INITIALIZATION.conf"
        Include "rules/REQUEST-905-X.conf"
        Include "rules/REQUEST-911-X.conf"
        Include "rules/REQUEST-913-X.conf"
        Include "rules/REQUEST-920-X.conf"
        Include "rules/REQUEST-921-X.conf"
        Include "rules/REQUEST-922-X.conf"
        Include "rules/REQUEST-932-X.conf"
        Include "rules/REQUEST-941-X.conf"
        Include "rules/REQUEST-942-X.conf"
        Include "rules/REQUEST-949-X.conf"
        Include "rules/REQUEST-999-AFTER.conf"
        "#);
        assert_eq!(included(&dir, Profile::Disabled).unwrap(), "");
    }

    #[test]
    fn exclusions_for_an_application_are_a_file_of_version_3() {
        let dir = set("3.3.4", &["rules/REQUEST-903.9002-WORDPRESS-EXCLUSION-RULES.conf"]);
        let text = included(&dir, Profile::Wordpress).unwrap();
        let lines: Vec<&str> = text.lines().take(4).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        Include "crs-setup.conf.example"
        SecAction "id:10000,phase:1,pass,nolog,t:none,setvar:tx.crs_exclusions_wordpress=1"
        Include "rules/REQUEST-901-INITIALIZATION.conf"
        Include "rules/REQUEST-903.9002-WORDPRESS-EXCLUSION-RULES.conf"
        "#);
        assert!(included(&dir, Profile::Drupal).is_err());
    }

    #[test]
    fn exclusions_for_an_application_are_a_plugin_of_version_4() {
        let dir = set(
            "4.2.0",
            &[
                "plugins/wordpress-rule-exclusions-before.conf",
                "plugins/wordpress-rule-exclusions-after.conf",
            ],
        );
        let text = included(&dir, Profile::Wordpress).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "Include \"plugins/wordpress-rule-exclusions-before.conf\"");
        assert_eq!(lines.last(), Some(&"Include \"plugins/wordpress-rule-exclusions-after.conf\""));
        let missing = included(&dir, Profile::Drupal).unwrap_err().to_string();
        assert!(
            missing.starts_with("the profile drupal needs the plugin drupal-rule-exclusions in ")
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let dir = set("4.2.0", &[]);
        std::fs::remove_file(dir.path().join("rules/REQUEST-941-X.conf")).unwrap();
        let error = included(&dir, Profile::Full).unwrap_err().to_string();
        assert!(error.ends_with("has no rule file 941, which the profile full needs"), "{error}");
        assert!(included(&dir, Profile::Basic).is_ok());
        std::fs::remove_file(dir.path().join("crs-setup.conf.example")).unwrap();
        assert!(matches!(CoreRuleSet::at(dir.path()), Err(CoreRuleSetError::NoSetup(_))));
        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(CoreRuleSet::at(empty.path()), Err(CoreRuleSetError::NoRules(_))));
    }

    #[test]
    fn debians_package_is_understood() {
        let root = Path::new("/usr/share/modsecurity-crs");
        if !root.exists() {
            let required = std::env::var_os("EDGEPROOF_REQUIRE").is_some_and(|it| it == "1");
            assert!(!required, "Debian's package modsecurity-crs is not installed");
            return eprintln!("not tried: Debian's package modsecurity-crs is not installed");
        }
        let set = CoreRuleSet::at(root).unwrap();
        assert!(set.version().starts_with("3.3"), "{}", set.version());
        for (_, profile) in Profile::ALL {
            set.entry(profile, Mode::Alert, None, &Exclusions::default()).unwrap();
        }
    }
}
