//! `upstream`: where a site's answers come from.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use edgeproof_diagnostics::Value;
use edgeproof_upstream::{CommandLine, Listen, Privileges, Resources, Settings};

use crate::upstream::{CommandSettings, Protocol, Upstream, UpstreamSettings, Urls};

/// `http://…`, a list of such, `cmd:…`, or a mapping with `command`.
pub(super) fn upstream(value: Value<'_>) -> Option<UpstreamSettings> {
    let node = value.node()?;
    if node.as_sequence().is_some() {
        let urls = value.list(|url| url.parse(Upstream::from_str))?;
        return match Urls::new(urls) {
            Ok(urls) => Some(UpstreamSettings::Urls(urls)),
            Err(mistake) => value.reject(mistake.to_string()),
        };
    }
    if node.as_mapping().is_some() {
        return command(value).map(|settings| UpstreamSettings::Command(Box::new(settings)));
    }
    match node.as_str().and_then(|text| text.strip_prefix("cmd:")) {
        Some(_) => {
            let command = value.parse(|text| text["cmd:".len()..].parse::<CommandLine>())?;
            let process = Settings::new(command);
            let settings = CommandSettings { process, protocol: Protocol::Http };
            Some(UpstreamSettings::Command(Box::new(settings)))
        }
        None => value.parse(Upstream::from_str).map(UpstreamSettings::from),
    }
}

fn command(value: Value<'_>) -> Option<CommandSettings> {
    let mut map = value.map("an upstream")?;
    let command = map.required("command").parse(CommandLine::from_str);
    let listen = map.optional("listen").parse(listen);
    let (idle, start_limit) = (map.optional("idle"), map.optional("start_limit"));
    let stop_grace = map.optional("stop_grace");
    let directory = map.optional("directory").str().map(PathBuf::from);
    let environment = environment(map.optional("environment"));
    let user = map.optional("user").parse(Privileges::of);
    let resources = resources(map.optional("limits")).unwrap_or_default();
    let log = map.optional("log").str().map(PathBuf::from);
    let protocol = protocol(map.optional("protocol"), map.optional("root"));
    map.finish();
    let usual = Settings::new(command?);
    let process = Settings {
        listen: listen.unwrap_or(usual.listen),
        idle: idle.duration().unwrap_or(usual.idle),
        start_limit: start_limit.duration().unwrap_or(usual.start_limit),
        stop_grace: stop_grace.duration().unwrap_or(usual.stop_grace),
        command: usual.command,
        directory,
        environment,
        user,
        resources,
        log,
    };
    Some(CommandSettings { process, protocol: protocol? })
}

/// `http`, or `fastcgi` with a folder of scripts or without.
fn protocol(name: Value<'_>, root: Value<'_>) -> Option<Protocol> {
    let is_fastcgi = name.parse(|text| match text {
        "http" => Ok(false),
        "fastcgi" => Ok(true),
        _ => Err("expected `http` or `fastcgi`"),
    });
    let folder = root.parse(|text| match text.starts_with('/') {
        true => Ok(PathBuf::from(text)),
        false => Err("expected a path from the root"),
    });
    match (is_fastcgi.unwrap_or(false), folder) {
        (true, folder) => Some(Protocol::fastcgi(folder)),
        (false, None) => Some(Protocol::Http),
        (false, Some(_)) => root.reject("only `protocol: fastcgi` has a folder of scripts"),
    }
}

/// `port`, `socket`, `127.0.0.1:9000` or `unix:/run/app.sock`.
fn listen(text: &str) -> Result<Listen, &'static str> {
    match text {
        "port" => Ok(Listen::FreePort),
        "socket" => Ok(Listen::FreeSocket),
        _ => match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(Listen::Unix(PathBuf::from(path))),
            _ => SocketAddr::from_str(text).map(Listen::Tcp).map_err(|_| {
                "expected `port`, `socket`, an address such as `127.0.0.1:9000`, or `unix:` and a path from the root"
            }),
        },
    }
}

fn environment(value: Value<'_>) -> BTreeMap<String, String> {
    let entries = value.entries().unwrap_or_default();
    let variables = entries.into_iter().filter_map(|(name, value)| {
        let text = value.str()?;
        let bad = name.value.is_empty() || name.value.contains(['=', '\0']) || text.contains('\0');
        match bad {
            true => value.reject("no environment can hold this: a name without `=`, and no NUL"),
            false => Some((name.value.to_owned(), text.to_owned())),
        }
    });
    variables.collect()
}

fn resources(value: Value<'_>) -> Option<Resources> {
    let mut map = value.map("limits")?;
    let resources = Resources {
        memory: map.optional("memory").size(),
        files: map.optional("files").u64_in(3..=1 << 20),
        processes: map.optional("processes").u64_in(1..=1 << 20),
    };
    map.finish();
    Some(resources)
}
