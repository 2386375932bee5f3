//! `edgeproof proxy quarantine`: for the person who looks at what a firewall has kept.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use edgeproof_proxy::{Held, Quarantine as Folder, QuarantineBounds, QuarantineError, folders};
use edgeproof_report::ExitCode;

use crate::args::{Quarantine, QuarantineCommand};
use crate::failure::Failure;

/// How long an answer may stand still.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn quarantine(arguments: &Quarantine) -> Result<ExitCode, Failure> {
    let folder = arguments.folder.clone().unwrap_or_else(folders::quarantine);
    if !folder.is_dir() {
        return Err(Failure::Usage(format!("{}: there is no such folder", folder.display())));
    }
    let open = Folder::open(&folder, QuarantineBounds::default()).map_err(|error| usage(&error))?;
    let mut out = io::stdout().lock();
    let written = match &arguments.command {
        QuarantineCommand::List => list(&open.list().map_err(|error| usage(&error))?, &mut out),
        QuarantineCommand::Show { id, raw } => {
            let (held, request) = open.show(id).map_err(|error| usage(&error))?;
            if *raw { out.write_all(&request) } else { show(&held, &request, &mut out) }
        }
        QuarantineCommand::Replay { id, to, allow_remote } => {
            let (_, request) = open.show(id).map_err(|error| usage(&error))?;
            let address = address(to, *allow_remote)?;
            let failed = |error| Failure::NotStarted(format!("{to}: {error}"));
            replay(&request, address, &mut out).map_err(failed)?;
            Ok(())
        }
    };
    written.map_err(|error| Failure::write("standard output", &error))?;
    Ok(ExitCode::Good)
}

fn usage(error: &QuarantineError) -> Failure {
    Failure::Usage(error.to_string())
}

fn list(all: &[Held], out: &mut impl Write) -> io::Result<()> {
    for held in all {
        let rules: Vec<String> = held.matches.iter().map(|one| one.rule.to_string()).collect();
        let Held { id, time, client, site, .. } = held;
        writeln!(out, "{id}  {time:.0}  {client}  {site}  {}", rules.join(" "))?;
    }
    Ok(())
}

fn show(held: &Held, request: &[u8], out: &mut impl Write) -> io::Result<()> {
    let scheme = if held.secure { "https" } else { "http" };
    let cut = if held.is_cut { ", cut" } else { "" };
    let Held { id, time, client, site, .. } = held;
    writeln!(
        out,
        "{id}: {} bytes from {client} for {site} ({scheme}{cut}), {time:.0}",
        request.len()
    )?;
    for one in &held.matches {
        writeln!(out, "  {} | {}", one.rule, escaped(one.message.as_bytes()))?;
    }
    writeln!(out)?;
    for line in request.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        writeln!(out, "{}", escaped(text))?;
    }
    Ok(())
}

/// What a terminal can be shown.
fn escaped(text: &[u8]) -> String {
    text.escape_ascii().to_string().replace("\\\"", "\"").replace("\\'", "'")
}

fn address(to: &str, allow_remote: bool) -> Result<SocketAddr, Failure> {
    let expected = || Failure::Usage(format!("--to {to}: expected http://HOST:PORT"));
    let authority = to.strip_prefix("http://").ok_or_else(expected)?.trim_end_matches('/');
    let mut addresses = authority.to_socket_addrs().map_err(|_| expected())?;
    let address = addresses.next().ok_or_else(expected)?;
    if !address.ip().is_loopback() && !allow_remote {
        let text = format!(
            "--to {to}: a request that was denied is sent to loopback only; --allow-remote lifts that"
        );
        return Err(Failure::Usage(text));
    }
    Ok(address)
}

/// Sends the bytes and prints what comes, until it ends or stands still.
fn replay(request: &[u8], address: SocketAddr, out: &mut impl Write) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    // The request says nothing of closing: that there is no more to come ends the connection.
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut part = [0; 16 << 10];
    loop {
        match stream.read(&mut part)? {
            0 => return out.flush(),
            read => out.write_all(&part[..read])?,
        }
    }
}
