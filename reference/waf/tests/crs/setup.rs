//! The set-up that the rule set documents for its tests.

use std::path::Path;

use edgeproof_waf::RuleSet;
use edgeproof_waf::seclang::Mistakes;

/// What stands before the rule set: the engine's settings, and how bodies are read.
const BEFORE: &str = r#"
SecRuleEngine DetectionOnly
SecRequestBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 131072
SecRequestBodyJsonDepthLimit 512
SecArgumentsLimit 1000
SecResponseBodyAccess On
SecResponseBodyMimeType text/plain text/html text/xml application/json
SecResponseBodyLimit 1048576
SecResponseBodyLimitAction ProcessPartial
SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application(?:/soap\+|/)|text/)xml" \
    "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/(?:[a-z0-9.-]+[+])?json" \
    "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" \
    "id:200002,phase:2,t:none,log,deny,status:400,msg:'The body cannot be read',\
    logdata:'%{reqbody_error_msg}',severity:2"
"#;

/// What the tests want of the rule set.
const WANTED: &str = r#"
SecAction "id:900005,phase:1,nolog,pass,\
    setvar:tx.blocking_paranoia_level=4,\
    setvar:tx.crs_validate_utf8_encoding=1,\
    setvar:tx.arg_name_length=100,\
    setvar:tx.arg_length=400,\
    setvar:tx.total_arg_length=64000,\
    setvar:tx.max_num_args=255,\
    setvar:tx.max_file_size=64100,\
    setvar:tx.combined_file_sizes=65535"
"#;

/// Loads the rule set of a checkout.
pub(crate) fn load(checkout: &Path) -> Result<RuleSet, Mistakes> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let checkout = checkout.canonicalize().expect("the checkout");
    let checkout = checkout.display();
    let text = format!(
        "{BEFORE}\nInclude {checkout}/crs-setup.conf.example\n{WANTED}\n\
         Include {checkout}/rules/*.conf\n"
    );
    let entry = folder.path().join("entry.conf");
    std::fs::write(&entry, text).expect("a file in it");
    RuleSet::load(&entry)
}
