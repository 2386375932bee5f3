//! `services:` of a target.yaml.

use std::path::Path;
use std::time::Duration;

use edgeproof_diagnostics::{MapReader, Value};
use nix::sys::signal::Signal;
use regex::Regex;

use super::{Container, Process, Ready, ReadyWhen, Run, Service, Services, Sshd, Stop, Text};

const READY_WITHIN: Duration = Duration::from_secs(30);
/// The signals that a target.yaml can name.
pub(super) const SIGNALS: [(&str, Signal); 8] = [
    ("TERM", Signal::SIGTERM),
    ("QUIT", Signal::SIGQUIT),
    ("INT", Signal::SIGINT),
    ("HUP", Signal::SIGHUP),
    ("USR1", Signal::SIGUSR1),
    ("USR2", Signal::SIGUSR2),
    ("WINCH", Signal::SIGWINCH),
    ("KILL", Signal::SIGKILL),
];
const STOP: Stop = Stop { signal: Signal::SIGTERM, within: Duration::from_secs(5) };

pub(super) fn bind(mut map: MapReader<'_>, folder: &Path, value: Value<'_>) -> Option<Services> {
    let (http, ssh) = (map.optional("http"), map.optional("ssh"));
    let control = map.optional("control");
    let some = http.is_present() || ssh.is_present();
    let services = Services {
        http: http.map("the service http").and_then(|map| service(map, folder, http)),
        ssh: ssh.map("the service ssh").and_then(|map| service(map, folder, ssh)),
        control: control.map("the control socket").and_then(socket),
    };
    map.finish();
    if !some {
        return value.reject("a target serves `http` or `ssh` or both");
    }
    Some(services)
}

fn socket(mut map: MapReader<'_>) -> Option<Text> {
    let path = Text::read(map.required("unix"));
    map.finish();
    path
}

fn service(mut map: MapReader<'_>, folder: &Path, value: Value<'_>) -> Option<Service> {
    let (process, container) = (map.optional("process"), map.optional("container"));
    let url = map.optional("url");
    let kinds = [process, container, url].iter().filter(|kind| kind.is_present()).count();
    let run = process
        .map("a process")
        .and_then(|map| self::process(map).map(Run::Process))
        .or_else(|| container.map("a container").and_then(|map| self::container(map, folder)))
        .or_else(|| Text::read(url).map(Run::Url));
    let (address, tls) = (map.optional("address"), map.optional("tls"));
    let ready = map.optional("ready");
    let ready = ready.map("the readiness").and_then(|map| self::ready(map, ready));
    let stop = map.optional("stop").map("the stop").map_or(STOP, stop);
    let sshd = map.optional("sshd").map("the sshd").and_then(sshd);
    let service = Service {
        address: Text::read(address),
        tls: Text::read(tls),
        ready: ready.unwrap_or(Ready { when: ReadyWhen::Connect, within: READY_WITHIN }),
        stop,
        sshd,
        run: match run {
            Some(run) if kinds == 1 => run,
            _ => {
                map.finish();
                return match kinds {
                    // The kind is there, and its own mistakes are reported.
                    1 => None,
                    _ => value.reject("expected exactly one of `process`, `container` and `url`"),
                };
            }
        },
    };
    map.finish();
    let addressed = address.is_present() || tls.is_present();
    if matches!(service.run, Run::Url(_)) && addressed {
        return value.reject("a `url` is an address already: leave out `address` and `tls`");
    }
    if !matches!(service.run, Run::Url(_)) && !addressed {
        return value.reject("where does it listen? `address` or `tls` is missing");
    }
    Some(service)
}

fn process(mut map: MapReader<'_>) -> Option<Process> {
    let command = command(map.required("command"));
    let env = environment(map.optional("env"));
    let root = map.optional("root").bool().unwrap_or(false);
    map.finish();
    Some(Process { command: command?, env, root })
}

fn command(value: Value<'_>) -> Option<Vec<Text>> {
    let command = value.list(Text::read)?;
    if command.is_empty() {
        return value.reject("the command is empty");
    }
    Some(command)
}

/// A mapping of free names to templates.
pub(super) fn environment(value: Value<'_>) -> Vec<(String, Text)> {
    let entries = if value.is_present() { value.entries() } else { None };
    let read = |(name, value): (edgeproof_diagnostics::Spanned<&str>, Value<'_>)| {
        Some((name.value.to_owned(), Text::read(value)?))
    };
    entries.into_iter().flatten().filter_map(read).collect()
}

fn container(mut map: MapReader<'_>, folder: &Path) -> Option<Run> {
    let image = map.required("image").str().map(str::to_owned);
    let build = map.optional("build");
    let recipe = build.str().map(|name| folder.join(name));
    let base = map.optional("base").str().map(str::to_owned);
    let command = map.optional("command").list(Text::read).unwrap_or_default();
    let env = environment(map.optional("env"));
    let mounts = map.optional("mounts").list(Text::read).unwrap_or_default();
    map.finish();
    if let Some(recipe) = &recipe
        && !recipe.join("Dockerfile").is_file()
    {
        return build.reject(format!("there is no {}", recipe.join("Dockerfile").display()));
    }
    let (build, image) = (recipe, image?);
    Some(Run::Container(Container { image, build, base, command, env, mounts }))
}

fn ready(mut map: MapReader<'_>, value: Value<'_>) -> Option<Ready> {
    let connect = map.optional("connect");
    let (path, status) = (map.optional("http"), map.optional("status"));
    let line = map.optional("line");
    let within = map.optional("within").duration().unwrap_or(READY_WITHIN);
    map.finish();
    if [connect, path, line].iter().filter(|kind| kind.is_present()).count() > 1 {
        return value.reject("expected one of `connect`, `http` and `line`, found several");
    }
    let when = if path.is_present() {
        let status = status.u64_in(100..=599).and_then(|status| u16::try_from(status).ok());
        let path = path.str()?.to_owned();
        ReadyWhen::Http { path, status: status.unwrap_or(200) }
    } else if line.is_present() {
        ReadyWhen::Line(line.parse(Regex::new)?)
    } else {
        if connect.is_present() && connect.bool() == Some(false) {
            return connect.reject("`connect` is what is always waited for: leave it out");
        }
        ReadyWhen::Connect
    };
    Some(Ready { when, within })
}

fn stop(mut map: MapReader<'_>) -> Stop {
    let signal = map.optional("signal").one_of(&SIGNALS);
    let within = map.optional("within").duration();
    map.finish();
    Stop { signal: signal.unwrap_or(STOP.signal), within: within.unwrap_or(STOP.within) }
}

fn sshd(mut map: MapReader<'_>) -> Option<Sshd> {
    let binary = Text::read(map.required("binary"));
    let config = Text::read(map.required("config"));
    map.finish();
    Some(Sshd { binary: binary?, config: config? })
}
