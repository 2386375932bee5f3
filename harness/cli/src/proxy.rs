//! `edgeproof proxy`: a thin call of the reference.

use std::path::Path;

use edgeproof_diagnostics::Colour;
use edgeproof_proxy::{RunError, Settings, StartError};
use edgeproof_report::ExitCode;
use serde_json::{Value, json};

use crate::args::Proxy;
use crate::failure::Failure;

pub(crate) fn proxy(arguments: &Proxy) -> Result<ExitCode, Failure> {
    let settings = match &arguments.config {
        Some(file) => Settings::from_file(file),
        // The flags are the file of one site, so that there is one way to say a thing and one to refuse it.
        None => Settings::from_yaml("the command line", &sites_file(arguments)?),
    };
    let settings = settings.map_err(|mistakes| Failure::mistakes(&mistakes))?;
    edgeproof_proxy::run(&settings).map_err(|error| match error {
        RunError::Start(StartError::Rules(mistakes)) => {
            Failure::Mistakes(mistakes.render(Colour::of(&std::io::stderr())))
        }
        other => Failure::NotStarted(other.to_string()),
    })?;
    Ok(ExitCode::Good)
}

/// JSON is YAML, and quotes every value safely.
fn sites_file(arguments: &Proxy) -> Result<String, Failure> {
    let mut site = json!({ "hosts": ["*"], "upstream": upstream(arguments)? });
    if arguments.cache {
        let mut cache = json!({ "policy": arguments.cache_policy, "store": arguments.cache_store });
        set(&mut cache, "ttl", arguments.cache_ttl.map(|ttl| format!("{}ms", ttl.as_millis())));
        set(&mut cache, "size", arguments.cache_size);
        if !arguments.purge_from.is_empty() {
            cache["purge_from"] = json!(arguments.purge_from);
        }
        site["cache"] = cache;
    }
    if let Some(waf) = firewall(arguments)? {
        site["waf"] = waf;
    }
    let mut file =
        json!({ "listen": arguments.listen.iter().map(ToString::to_string).collect::<Vec<_>>() });
    if let Some(log) = &arguments.access_log {
        let mut access_log = json!({ "file": text("--access-log", log)? });
        if let Some(format) = &arguments.access_log_format {
            access_log["format"] = json!(format);
            access_log["dialect"] = json!(arguments.access_log_dialect);
        }
        site["access_log"] = access_log;
    }
    set(&mut file, "control", arguments.control.as_deref());
    file["sites"] = json!([site]);
    // One key a line, so that a mistake's place can be read.
    serde_json::to_string_pretty(&file).map_err(|error| Failure::Broken(error.to_string()))
}

/// Where the flags say that requests go.
fn upstream(arguments: &Proxy) -> Result<Value, Failure> {
    let usage = |text: &str| Err(Failure::Usage(text.into()));
    let command = match &arguments.upstream[..] {
        [one] => one.strip_prefix("cmd:"),
        several if several.iter().any(|one| one.starts_with("cmd:")) => {
            return usage("--upstream: a command is a site's only upstream");
        }
        _ => None,
    };
    let of_command = arguments.upstream_idle.is_some()
        || arguments.upstream_start_limit.is_some()
        || arguments.upstream_log.is_some();
    let Some(command) = command else {
        return match &arguments.upstream[..] {
            _ if of_command => usage(
                "--upstream-idle, --upstream-start-limit and --upstream-log are for `--upstream cmd:…`",
            ),
            [one] => Ok(json!(one)),
            several => Ok(json!(several)),
        };
    };
    let milliseconds = |time: std::time::Duration| format!("{}ms", time.as_millis());
    let mut upstream = json!({ "command": command });
    set(&mut upstream, "idle", arguments.upstream_idle.map(milliseconds));
    set(&mut upstream, "start_limit", arguments.upstream_start_limit.map(milliseconds));
    if let Some(log) = &arguments.upstream_log {
        upstream["log"] = json!(text("--upstream-log", log)?);
    }
    Ok(upstream)
}

/// The firewall that the flags ask for, if they do.
fn firewall(arguments: &Proxy) -> Result<Option<Value>, Failure> {
    let Proxy { waf, waf_conf, waf_mode, .. } = arguments;
    let mut firewall = json!({});
    match (waf, waf_conf) {
        (Some(profile), _) => firewall["profile"] = json!(profile),
        (None, Some(conf)) => firewall["conf"] = json!(text("--waf-conf", conf)?),
        (None, None) => {
            let given = waf_mode.is_some()
                || arguments.waf_log.is_some()
                || arguments.waf_audit_log.is_some();
            return match given {
                true => Err(Failure::Usage(
                    "there is no firewall: name its rules by --waf PROFILE or --waf-conf FILE"
                        .into(),
                )),
                false => Ok(None),
            };
        }
    }
    set(&mut firewall, "mode", waf_mode.as_deref());
    set(&mut firewall, "paranoia", arguments.waf_paranoia);
    set(&mut firewall, "log_format", arguments.waf_log_format.as_deref());
    let files = [
        ("rules", "--waf-rules", &arguments.waf_rules),
        ("log", "--waf-log", &arguments.waf_log),
        ("audit_log", "--waf-audit-log", &arguments.waf_audit_log),
    ];
    for (key, flag, file) in files {
        if let Some(file) = file {
            firewall[key] = json!(text(flag, file)?);
        }
    }
    match (waf_mode.as_deref(), &arguments.waf_quarantine) {
        (Some("quarantine"), folder) => {
            let folder = folder.clone().unwrap_or_else(edgeproof_proxy::folders::quarantine);
            firewall["quarantine"] = json!({ "folder": text("--waf-quarantine", &folder)? });
        }
        (_, Some(_)) => {
            let text = "--waf-quarantine: only `--waf-mode quarantine` keeps requests";
            return Err(Failure::Usage(text.into()));
        }
        (_, None) => {}
    }
    Ok(Some(firewall))
}

/// A path as a configuration has it.
fn text<'p>(flag: &str, path: &'p Path) -> Result<&'p str, Failure> {
    let refused = || Failure::Usage(format!("{flag} {}: the path is not UTF-8", path.display()));
    path.to_str().ok_or_else(refused)
}

fn set(object: &mut Value, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object[key] = value.into();
    }
}
