//! Where the rules come from, and how they are set up.

use std::fmt;
use std::path::{Path, PathBuf};

use edgeproof_waf::RuleSet;

/// A Core Rule Set on this machine.
pub(crate) struct Source {
    setup: PathBuf,
    rules: PathBuf,
}

/// What the recommended configuration has before the rules. Requests are not stopped, so that all rules run.
const BEFORE: &str = r#"
SecRuleEngine DetectionOnly
SecRequestBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 13107200
SecRequestBodyJsonDepthLimit 20000
SecArgumentsLimit 20000
SecResponseBodyAccess On
SecResponseBodyMimeType text/plain text/html text/xml
SecResponseBodyLimit 524288
SecResponseBodyLimitAction ProcessPartial
SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application(?:/soap\+|/)|text/)xml" \
    "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/json" \
    "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" "id:200002,phase:2,t:none,log,deny,status:400"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" "id:200003,phase:2,t:none,log,deny,status:400"
"#;

impl Source {
    /// The checkout that EDGEPROOF_CRS names, else Debian's package.
    pub(crate) fn find() -> Option<Self> {
        let found = match std::env::var_os("EDGEPROOF_CRS") {
            Some(checkout) => {
                let checkout = Path::new(&checkout).canonicalize().ok()?;
                Self {
                    setup: checkout.join("crs-setup.conf.example"),
                    rules: checkout.join("rules"),
                }
            }
            None => Self {
                setup: "/etc/modsecurity/crs/crs-setup.conf".into(),
                rules: "/usr/share/modsecurity-crs/rules".into(),
            },
        };
        found.rules.is_dir().then_some(found)
    }

    /// Reads the rules at a paranoia level.
    pub(crate) fn load(&self, level: u8) -> RuleSet {
        let text = format!(
            "{BEFORE}\nInclude {}\nSecAction \"id:900005,phase:1,nolog,pass,setvar:tx.paranoia_level={level},\
             setvar:tx.blocking_paranoia_level={level}\"\nInclude {}/*.conf\n",
            self.setup.display(),
            self.rules.display(),
        );
        let folder = tempfile::tempdir().expect("a temporary folder");
        let entry = folder.path().join("entry.conf");
        std::fs::write(&entry, text).expect("a file in it");
        RuleSet::load(&entry).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rules.display().fmt(out)
    }
}
