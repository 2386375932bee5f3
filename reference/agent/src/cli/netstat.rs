//! `edgeproof agent netstat …`

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use serde_json::{Value, json};

use super::run::{self, Failure, Settings};
use crate::flags::{self, Given, Known};
use crate::netstat::{Heard, Hit, KnownHosts, Network, Process, Questions, Socket, TcpState};
use crate::pattern::Pattern;
use crate::report::{Format, escaped};

const KNOWN: Known<'static> = Known {
    values: &[
        "t", "e", "format", "nice", "memory", "lm", "nm", "li", "ni", "ci", "lp", "process",
        "known",
    ],
    switches: &["idle"],
};

pub(crate) fn run(words: &[String]) -> Result<u8, Failure> {
    let (given, others) = flags::read(words, KNOWN)?;
    if let Some(word) = others.first() {
        return Err(Failure::Usage(format!("`{word}` belongs to no flag")));
    }
    let mut settings = Settings::default();
    let mut questions = Questions::default();
    for flag in &given {
        if !settings.take(flag)? {
            take(&mut questions, flag)?;
        }
    }
    if !questions.are_any() {
        let text = "what to look for? Expected -lm, -nm, -li, -ni, -ci, -lp or -known (-process narrows -ci and -lp); \
                    `-lp 0-65535` names everything that listens, `-nm .` every neighbour";
        return Err(Failure::Usage(text.to_owned()));
    }
    settings.start()?;
    let heard = Network::read(&questions).answer(&questions);
    run::print(&match settings.format {
        Format::Json => format!("{:#}\n", json_of(&heard)),
        Format::Human => lines(&heard) + &closing(&heard),
        Format::Mig => lines(&heard),
    })?;
    Ok(heard.exit_code())
}

fn take(questions: &mut Questions, flag: &Given) -> Result<(), Failure> {
    let wrong =
        |reason: &dyn std::fmt::Display| Failure::Usage(format!("-{}: {reason}", flag.name));
    let pattern = || Pattern::new(&flag.value).map_err(|error| wrong(&error));
    let network = || network(&flag.value).map_err(|reason| wrong(&reason));
    match flag.name.as_str() {
        "lm" => questions.local_macs.push(pattern()?),
        "nm" => questions.neighbour_macs.push(pattern()?),
        "process" => questions.processes.push(pattern()?),
        "li" => questions.local_addresses.push(network()?),
        "ni" => questions.neighbour_addresses.push(network()?),
        "ci" => questions.peers.push(network()?),
        "lp" => {
            let ports = flag.value.parse().map_err(|error: String| wrong(&error))?;
            questions.listening.push(ports);
        }
        _ => questions.known = Some(known(Path::new(&flag.value)).map_err(|error| wrong(&error))?),
    }
    Ok(())
}

pub(crate) fn network(text: &str) -> Result<IpNet, String> {
    let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let network = text.parse().ok().or_else(one);
    network.ok_or_else(|| format!("`{text}` is no network: expected `10.0.0.0/8` or `10.0.0.1`"))
}

fn known(file: &Path) -> Result<KnownHosts, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| named(&error))?;
    KnownHosts::read(&text).map_err(|error| named(&error))
}

pub(crate) fn lines(heard: &Heard) -> String {
    let mut text = String::new();
    for hit in &heard.hits {
        let _ = match hit {
            Hit::LocalMac(interface, mac) => writeln!(text, "local {mac} {interface}"),
            Hit::LocalAddress(interface, address) => writeln!(text, "local {address} {interface}"),
            Hit::Neighbour(one) => {
                writeln!(
                    text,
                    "neighbour {} {} {} {}",
                    one.address, one.mac, one.interface, one.state
                )
            }
            Hit::Listening(socket) => {
                writeln!(text, "listening {} {}{}", socket.protocol, socket.local, by(socket))
            }
            Hit::Connected(socket) => {
                let Socket { protocol, local, peer, .. } = socket;
                writeln!(
                    text,
                    "connected {protocol} {local} {peer} {}{}",
                    state(socket),
                    by(socket)
                )
            }
            Hit::Unaccounted(mac) => writeln!(text, "{mac} is not accounted for"),
        };
    }
    text
}

fn state(socket: &Socket) -> &'static str {
    match socket.state {
        TcpState::Listening => "listening",
        TcpState::Connected(state) => state,
    }
}

fn by(socket: &Socket) -> String {
    let owners = socket.owners.iter();
    let owners = owners.map(|Process { pid, name }| format!("{}[{pid}]", escaped(name.as_bytes())));
    match owners.collect::<Vec<_>>().join(" ") {
        none if none.is_empty() => none,
        owners => format!(" by {owners}"),
    }
}

fn closing(heard: &Heard) -> String {
    let mut text = String::new();
    for (what, reason) in &heard.troubles {
        let _ = writeln!(text, "error: {what}: {}", escaped(reason.as_bytes()));
    }
    let _ = writeln!(text, "{} found, {} errors", heard.hits.len(), heard.troubles.len());
    text
}

pub(crate) fn json_of(heard: &Heard) -> Value {
    let found: Vec<Value> = heard.hits.iter().map(one).collect();
    let errors = heard.troubles.iter();
    let errors = errors.map(|(what, reason)| json!({ "what": what, "reason": reason }));
    json!({
        "summary": { "found": heard.hits.len(), "errors": heard.troubles.len() },
        "found": found,
        "errors": errors.collect::<Vec<_>>(),
    })
}

fn one(hit: &Hit) -> Value {
    match hit {
        Hit::LocalMac(interface, mac) => {
            json!({ "kind": "local", "interface": interface, "mac": mac.to_string() })
        }
        Hit::LocalAddress(interface, address) => {
            json!({ "kind": "local", "interface": interface, "address": address.to_string() })
        }
        Hit::Neighbour(one) => json!({
            "kind": "neighbour",
            "address": one.address.to_string(),
            "mac": one.mac.to_string(),
            "interface": one.interface,
            "state": one.state,
        }),
        Hit::Listening(socket) | Hit::Connected(socket) => {
            let owners = socket.owners.iter();
            let owners = owners
                .map(|owner| json!({ "pid": owner.pid, "name": escaped(owner.name.as_bytes()) }));
            let is_connected = matches!(hit, Hit::Connected(_));
            json!({
                "kind": if is_connected { "connected" } else { "listening" },
                "protocol": socket.protocol.to_string(),
                "local": socket.local.to_string(),
                "peer": is_connected.then(|| socket.peer.to_string()),
                "state": state(socket),
                "processes": owners.collect::<Vec<_>>(),
            })
        }
        Hit::Unaccounted(mac) => json!({ "kind": "unaccounted", "mac": mac.to_string() }),
    }
}
