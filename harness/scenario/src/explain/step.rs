//! Steps in sentences.

use super::check::assertion;
use super::journey;
use super::{duration, line, plural, quoted, shown};
use crate::model::{
    Action, BodySpec, Capture, CaptureFrom, Forwarding, Framing, LoadSpec, LogAct, Request,
    SshClient, SshProbe, Step,
};

/// Writes a step as a line, and below it what must hold, what is captured, and its inner steps.
pub(super) fn write(step: &Step, number: &str, indent: usize, text: &mut String) {
    let space = " ".repeat(indent);
    let client = match step.client.as_str() {
        "main" => String::new(),
        client => format!("Client {client}: "),
    };
    let (inner, indent) = (inner(&step.action), indent + number.len());
    let is_journey = matches!(step.action, Action::Journey(_));
    let end = if inner.is_empty() && !is_journey { '.' } else { ':' };
    line(text, &format!("{space}{number}{client}{}{end}", action(&step.action)));
    let below = " ".repeat(indent);
    for (at, step) in inner.iter().enumerate() {
        write(step, &letter(at), indent, text);
    }
    if let Action::Journey(journey) = &step.action {
        journey::write(journey, indent, text);
    }
    if let Action::Poll { until, .. } = &step.action {
        until.iter().for_each(|it| line(text, &format!("{below}until {}", assertion(&it.check))));
    }
    step.expect.iter().for_each(|it| line(text, &format!("{below}→ {}", assertion(&it.check))));
    step.capture.iter().for_each(|it| line(text, &format!("{below}{}", capture(it))));
}

/// `a) `, `b) `.
pub(super) fn letter(at: usize) -> String {
    format!("{}) ", char::from(b'a' + u8::try_from(at % 26).unwrap_or_default()))
}

fn inner(action: &Action) -> &[Step] {
    match action {
        Action::Parallel { steps, .. } | Action::Repeat { steps, .. } => steps,
        Action::Poll { step, .. } if step.action != Action::Look => std::slice::from_ref(step),
        _ => &[],
    }
}

fn action(action: &Action) -> String {
    match action {
        Action::Send(request) => format!("Send {}", self::request(request)),
        Action::Raw { bytes, answers, tls, half_close } => {
            let tls = if *tls { " through TLS" } else { "" };
            let half = if *half_close { ", shut the sending half" } else { "" };
            let answers = plural(*answers, "answer");
            format!("Send the bytes {}{tls}{half} and read {answers}", shown(bytes))
        }
        Action::Advance(by) => format!("The clock moves by {}", duration(*by)),
        Action::Parallel { clients, .. } => {
            format!("{} at the same time, each", plural(*clients, "client"))
        }
        Action::Repeat { times, .. } => format!("{}, one after another", plural(*times, "time")),
        Action::Poll { every, within, .. } => {
            let (every, within) = (duration(*every), duration(*within));
            format!("Try every {every}, for at most {within}")
        }
        Action::Ssh(probe) => ssh(probe),
        Action::Load(load) => self::load(load),
        Action::Journey(journey) => journey::sentence(journey),
        Action::Ratio(ratio) => format!(
            "Report as {} the {} of {} divided by that of {}",
            ratio.name, ratio.of, ratio.numerator, ratio.denominator
        ),
        Action::Log(act) => log(*act).to_owned(),
        Action::Close => "Close the connection".to_owned(),
        Action::Look => "Look".to_owned(),
    }
}

fn log(act: LogAct) -> &'static str {
    match act {
        LogAct::Rotate => "Move the access log aside and tell the target to open it again",
        LogAct::Move => "Move the access log aside",
        LogAct::Remove => "Remove the access log",
        LogAct::FillDisk => {
            "Put the access log on a full disk and tell the target to open it again"
        }
        LogAct::Bar => {
            "Put what nobody can open in the access log's place and tell the target to open it again"
        }
        LogAct::Unbar => "Let the access log be opened and tell the target to do so",
        LogAct::FreeDisk => "Let the disk have room and tell the target to open its log again",
    }
}

pub(super) fn request(request: &Request) -> String {
    let mut text =
        quoted(&format!("{} {}", request.method.to_display(), request.target.to_display()));
    if request.version != "HTTP/1.1" {
        text.push_str(&format!(" as {}", request.version));
    }
    if request.tls {
        text.push_str(" through TLS");
    }
    for (name, value) in &request.headers {
        let name = name.to_display();
        text.push_str(&match value {
            Some(value) => format!(", {}", quoted(&format!("{name}: {}", value.to_display()))),
            None => format!(", no {name}"),
        });
    }
    match &request.body {
        BodySpec::None => {}
        BodySpec::Bytes(bytes) => text.push_str(&format!(", body {}", shown(bytes))),
        BodySpec::Fill { size, .. } => text.push_str(&format!(", a body of {size} octets")),
    }
    if request.framing == Framing::Chunked {
        text.push_str(", chunked");
    }
    if request.expect_continue {
        text.push_str(", waiting for 100 (Continue)");
    }
    if let Some(pause) = request.pause {
        text.push_str(&format!(", pausing {} before the content", duration(pause)));
    }
    if let Some(octets) = request.abort_after {
        text.push_str(&format!(", going away after {octets} octets of the answer"));
    }
    text
}

fn ssh(probe: &SshProbe) -> String {
    match probe {
        SshProbe::Handshake => "Begin an SSH handshake".to_owned(),
        SshProbe::Methods { user } => format!("Ask which authentication methods {user} has"),
        SshProbe::Password { user, password } if password.is_empty() => {
            format!("Log in as {user} with an empty password")
        }
        SshProbe::Password { user, .. } => format!("Log in as {user} with a password"),
        SshProbe::Config { user, host, addr } => {
            format!("Ask for the effective SSH configuration of {user} from {host} ({addr})")
        }
        SshProbe::Guess { user, times, connections } => format!(
            "Offer {} that nobody has as {user}, on {}",
            plural(*times, "key"),
            plural(*connections, "connection")
        ),
        SshProbe::Unfinished { connections } => {
            format!("Open {} at a time and never log in", plural(*connections, "connection"))
        }
        SshProbe::Wait { client, within } => {
            let who = match client {
                SshClient::Stranger => "a client that never logs in".to_owned(),
                SshClient::Silent { user } => format!("{user}'s client, which answers nothing"),
                SshClient::Quiet { user } => format!("{user}'s client, whose session is idle"),
            };
            format!("Wait up to {} until the server ends {who}", duration(*within))
        }
        SshProbe::Forward { kind, user } => {
            let word = Forwarding::WORDS.iter().find(|(_, known)| known == kind);
            let word = word.map_or("", |(word, _)| word);
            format!("Log in as {user} and ask for {word} forwarding")
        }
        SshProbe::Run { command, user } => format!("Log in as {user} and run {command}"),
        SshProbe::Files { folder, user } => format!("Log in as {user} and list {folder} by SFTP"),
        SshProbe::Reach { from, knock } if knock.is_empty() => format!("Connect from {from}"),
        SshProbe::Reach { from, knock } => {
            let ports: Vec<String> = knock.iter().map(u16::to_string).collect();
            format!("Knock at {} from {from}, then connect", ports.join(", "))
        }
    }
}

fn load(load: &LoadSpec) -> String {
    format!(
        "Measure as {} {} of {}, {} at a time, with {}",
        load.name,
        plural(usize::try_from(load.requests).unwrap_or(usize::MAX), "request"),
        request(&load.request),
        load.concurrency,
        plural(load.shots, "shot")
    )
}

pub(super) fn capture(capture: &Capture) -> String {
    let from = match &capture.from {
        CaptureFrom::Header(name) => format!("the field {name}"),
        CaptureFrom::Body => "the body".to_owned(),
        CaptureFrom::Json(pointer) => format!("what {} leads to", quoted(pointer)),
        CaptureFrom::Status => "the status".to_owned(),
        CaptureFrom::AccessLog => "the last access-log line".to_owned(),
        CaptureFrom::OriginHeader(name) => format!("the field {name} that the origin saw"),
        CaptureFrom::RedirectTarget { .. } => "where the redirect leads to".to_owned(),
        CaptureFrom::RedirectHost { .. } => "the host that the redirect leads to".to_owned(),
        CaptureFrom::CookieLine => "the cookies that were set".to_owned(),
    };
    let part = capture.matches.as_ref().map(|regex| format!(" (what {} matches)", quoted(regex)));
    format!("Remember {from}{} as {}", part.unwrap_or_default(), capture.name)
}
