//! From the node tree of a target.yaml to a [`TargetSpec`]. Reads on after every mistake.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Kind, MapReader, Node, Value};
use edgeproof_scenario::misspelt_ability;
use regex::Regex;

use super::{
    ClockKind, FileTemplate, Logs, Requirements, TargetSpec, Text, VersionProbe, known_failures,
    services,
};
use crate::expresses::Expresses;
use crate::log_reader::{Escapes, LineReader};

pub(super) fn bind(node: &Node, folder: &Path, diagnostics: &Diagnostics) -> Option<TargetSpec> {
    let mut map = MapReader::new(node, diagnostics, "a target");
    let title = map.required("title").str().map(str::to_owned);
    let version = map.optional("version").map("the version's probe").and_then(version);
    let available = map.optional("available").map("what must be there").map(requirements);
    let negative_control = map.optional("negative_control").bool().unwrap_or(false);
    let vars = settings(map.optional("vars"));
    let files = files(map.optional("files"), folder);
    let services = map.required("services");
    let services =
        services.map("the services").and_then(|map| services::bind(map, folder, services));
    let logs = map.optional("logs").map("the logs").map(logs).unwrap_or_default();
    let declared = map.required("declares");
    let declares = declared.list(feature);
    let expresses = Expresses::bind(map.optional("expresses"));
    let clock = map.required("clock");
    let kind = clock.one_of(&[
        ("control", ClockKind::Control),
        ("faketime", ClockKind::Faketime),
        ("backdate", ClockKind::Backdate),
        ("wait", ClockKind::Wait),
        ("none", ClockKind::None),
    ]);
    let max_wait = map.optional("max_wait");
    let known_failures = known_failures::read(map.optional("known_failures"), folder, diagnostics);
    map.finish();

    if max_wait.is_present() && kind.is_some_and(|kind| kind != ClockKind::Wait) {
        return max_wait.reject("`max_wait` is only for `clock: wait`");
    }
    let max_wait = max_wait.duration();
    let services = services?;
    if kind == Some(ClockKind::Control) && services.control.is_none() {
        return clock.reject("`clock: control` needs `services.control.unix`, the control socket");
    }
    let declares = declares?;
    // A negative control declares what it does not have; anybody else would fail every such case alike.
    for (word, key, log) in [
        ("access-log", "access", &logs.access),
        ("waf-log", "waf", &logs.waf),
        ("waf-audit", "audit", &logs.audit),
        ("waf-held", "held", &logs.held),
        ("upstream-log", "upstream", &logs.upstream),
    ] {
        if !negative_control && log.is_none() && declares.iter().any(|known| known == word) {
            return declared
                .reject(format!("`{word}` needs `logs.{key}`, where what it writes is"));
        }
    }
    Some(TargetSpec {
        name: name(folder),
        title: title?,
        folder: Some(folder.to_owned()),
        version,
        available: available.unwrap_or_default(),
        negative_control,
        vars,
        files: files?,
        services,
        logs,
        declares,
        expresses,
        clock: kind?,
        max_wait,
        warnings: Vec::new(),
        known_failures,
    })
}

fn name(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned()
}

fn version(mut map: MapReader<'_>) -> Option<VersionProbe> {
    let command = map.required("command").list(Text::read);
    let matches = map.optional("matches").parse(Regex::new);
    map.finish();
    Some(VersionProbe { command: command?, matches })
}

fn requirements(mut map: MapReader<'_>) -> Requirements {
    let text = |value: Value<'_>| value.str().map(str::to_owned);
    let requirements = Requirements {
        commands: map.optional("commands").list(text).unwrap_or_default(),
        files: map
            .optional("files")
            .list(|value| value.str().map(PathBuf::from))
            .unwrap_or_default(),
        environment: map.optional("environment").list(text).unwrap_or_default(),
        docker: map.optional("docker").bool().unwrap_or(false),
        hint: text(map.optional("hint")),
    };
    map.finish();
    requirements
}

/// `vars:` is free: scalars, lists and mappings as they stand.
fn settings(value: Value<'_>) -> Vec<(String, minijinja::Value)> {
    let entries = if value.is_present() { value.entries() } else { None };
    let read = |(name, value): (edgeproof_diagnostics::Spanned<&str>, Value<'_>)| {
        Some((name.value.to_owned(), template_value(value.node()?)))
    };
    entries.into_iter().flatten().filter_map(read).collect()
}

fn template_value(node: &Node) -> minijinja::Value {
    match &node.kind {
        Kind::Sequence(items) => items.iter().map(template_value).collect(),
        Kind::Mapping(entries) => {
            minijinja::Value::from_pairs(entries.iter().map(|(key, value)| {
                (key.as_str().unwrap_or_default().to_owned(), template_value(value))
            }))
        }
        Kind::Scalar { text, .. } => {
            if node.is_null() {
                ().into()
            } else if let Some(truth) = node.as_bool() {
                truth.into()
            } else if let Some(number) = node.as_i64() {
                number.into()
            } else {
                text.clone().into()
            }
        }
    }
}

/// `NAME: TEMPLATE`, or a mapping with `template`, `mode` and `with`. `None` after a mistake.
fn files(value: Value<'_>, folder: &Path) -> Option<Vec<FileTemplate>> {
    let entries = if value.is_present() { value.entries()? } else { Vec::new() };
    let read: Vec<Option<FileTemplate>> =
        entries.into_iter().map(|(path, value)| file(path.value, value, folder)).collect();
    read.into_iter().collect()
}

fn file(path: &str, value: Value<'_>, folder: &Path) -> Option<FileTemplate> {
    let (mut permissions, mut with, mut template) = (None, Vec::new(), value);
    if value.node().is_some_and(|node| node.as_mapping().is_some()) {
        let mut map = value.map("a rendered file")?;
        template = map.required("template");
        permissions = map.optional("mode").parse(mode);
        with = services::environment(map.optional("with"));
        map.finish();
    }
    let path = PathBuf::from(path);
    let below = path.components().all(|part| matches!(part, Component::Normal(_)));
    if !below {
        value.reject::<()>("a rendered file's name is a path below the work folder");
    }
    let name = template.str()?;
    let Ok(file) = folder.join(name).canonicalize() else {
        return template.reject(format!("there is no template {}", folder.join(name).display()));
    };
    let (mode, span) = (permissions.unwrap_or(0o600), template.span()?.clone());
    below.then_some(FileTemplate { path, template: file, mode, with, span })
}

fn mode(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    match u32::from_str_radix(digits, 8) {
        Ok(mode) if mode <= 0o777 => Ok(mode),
        _ => Err(format!("expected permission bits in octal such as `0755`, found `{text}`")),
    }
}

fn logs(mut map: MapReader<'_>) -> Logs {
    let logs = Logs {
        access: Text::read(map.optional("access")),
        waf: Text::read(map.optional("waf")),
        audit: Text::read(map.optional("audit")),
        held: Text::read(map.optional("held")),
        read: readers(map.optional("read")),
        reopen: map.optional("reopen").one_of(&services::SIGNALS),
        upstream: Text::read(map.optional("upstream")),
    };
    map.finish();
    logs
}

/// Presets, each with how its lines are read.
fn readers(value: Value<'_>) -> Vec<(String, Arc<LineReader>)> {
    let entries = if value.is_present() { value.entries() } else { None };
    let read = |(name, value): (edgeproof_diagnostics::Spanned<&str>, Value<'_>)| {
        let mut map = value.map("how lines are read")?;
        let pattern = map.optional("pattern");
        let escapes = map.required("escapes").one_of(&Escapes::WORDS);
        map.finish();
        let pattern = pattern.is_present().then(|| pattern.parse(pattern_of_lines));
        let reader = LineReader::new(pattern.flatten(), escapes?);
        match reader {
            Ok(reader) => Some((name.value.to_owned(), Arc::new(reader))),
            Err(why) => value.reject(why),
        }
    };
    entries.into_iter().flatten().filter_map(read).collect()
}

fn pattern_of_lines(text: &str) -> Result<regex::bytes::Regex, String> {
    let regex = regex::bytes::RegexBuilder::new(text).unicode(false).build();
    regex.map_err(|error| error.to_string())
}

fn feature(value: Value<'_>) -> Option<String> {
    let text = value.str()?;
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    if text.is_empty() || !text.chars().all(good) {
        return value.reject(format!(
            "expected a feature such as `cache` or `access-log` (lower case, digits, `-`), found `{text}`"
        ));
    }
    if let (Some(meant), Some(span)) = (misspelt_ability(text), value.span()) {
        let warning = Diagnostic::warning(format!("no case of this project needs `{text}`"));
        let help = format!("did you mean `{meant}`? Else nothing is wrong");
        value.report::<()>(warning.at(span).help(help));
    }
    Some(text.to_owned())
}
