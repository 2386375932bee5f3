//! `edgeproof proxy`: a thin call of the reference.

use edgeproof_proxy::Settings;
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
    edgeproof_proxy::run(&settings).map_err(|error| Failure::NotStarted(error.to_string()))?;
    Ok(ExitCode::Good)
}

/// JSON is YAML, and quotes every value safely.
fn sites_file(arguments: &Proxy) -> Result<String, Failure> {
    let upstream = arguments.upstream.as_deref().unwrap_or_default();
    if upstream.starts_with("cmd:") {
        return Err(Failure::Usage(
            "--upstream cmd: is not there yet: start the process yourself and give its http:// URL"
                .into(),
        ));
    }
    let mut site = json!({ "hosts": ["*"], "upstream": upstream });
    if arguments.cache {
        let mut cache = json!({ "policy": arguments.cache_policy, "store": arguments.cache_store });
        set(&mut cache, "ttl", arguments.cache_ttl.map(|ttl| format!("{}ms", ttl.as_millis())));
        set(&mut cache, "size", arguments.cache_size);
        if !arguments.purge_from.is_empty() {
            cache["purge_from"] = json!(arguments.purge_from);
        }
        site["cache"] = cache;
    }
    let mut file =
        json!({ "listen": arguments.listen.iter().map(ToString::to_string).collect::<Vec<_>>() });
    if let Some(log) = &arguments.access_log {
        let path = log.to_str().ok_or_else(|| {
            Failure::Usage(format!("--access-log {}: the path is not UTF-8", log.display()))
        })?;
        let mut access_log = json!({ "file": path });
        if let Some(format) = &arguments.access_log_format {
            access_log["format"] = json!(format);
            access_log["dialect"] = json!(arguments.access_log_dialect);
        }
        site["access_log"] = access_log.clone();
        file["access_log"] = access_log;
    }
    set(&mut file, "control", arguments.control.as_deref());
    file["sites"] = json!([site]);
    // One key a line, so that a mistake's place can be read.
    serde_json::to_string_pretty(&file).map_err(|error| Failure::Broken(error.to_string()))
}

fn set(object: &mut Value, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object[key] = value.into();
    }
}
