//! What a folder of the server holds, as a user sees it: the few messages of SFTP that it takes
//! (draft-ietf-secsh-filexfer-02, the version that OpenSSH speaks).

use std::net::SocketAddr;

use edgeproof_target::SshLogin;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::session;
use super::wire::{Reader, put_string, put_u32};
use crate::expect::Facts;

const INIT: u8 = 1;
const VERSION: u8 = 2;
const OPENDIR: u8 = 11;
const READDIR: u8 = 12;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const NAME: u8 = 104;
/// Attributes of a file that take room (§5).
const SIZE: u32 = 1;
const OWNERS: u32 = 2;
const PERMISSIONS: u32 = 4;
const TIMES: u32 = 8;
const EXTENDED: u32 = 0x8000_0000;
const LONGEST: u32 = 256 * 1024;
const CUT: &str = "an answer of SFTP is cut short";

/// `entries`: the names in that folder, sorted, without `.` and `..`; none where there is no SFTP.
pub(super) async fn list(
    address: SocketAddr,
    key: &SshLogin,
    user: &str,
    folder: &str,
) -> Result<Facts, String> {
    let connection = session::required(address, key, user).await?;
    let mut channel = connection.channel_open_session().await.map_err(|error| error.to_string())?;
    channel.request_subsystem(true, "sftp").await.map_err(|error| error.to_string())?;
    let mut facts = Facts::default();
    if session::is_granted(&mut channel).await {
        let mut names = entries(&mut channel.into_stream(), folder).await?;
        names.sort();
        facts.set_list("entries", names);
    }
    Ok(facts)
}

async fn entries<S>(stream: &mut S, folder: &str) -> Result<Vec<Vec<u8>>, String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut hello = vec![INIT];
    put_u32(&mut hello, 3);
    expect(ask(stream, &hello).await?, VERSION)?;
    let mut open = request(OPENDIR);
    put_string(&mut open, folder.as_bytes());
    let opened = expect(ask(stream, &open).await?, HANDLE)?;
    let mut reader = Reader(opened.get(5..).unwrap_or_default());
    let handle = reader.string().ok_or(CUT)?;
    let mut read = request(READDIR);
    put_string(&mut read, handle);
    let mut found = Vec::new();
    loop {
        let answer = ask(stream, &read).await?;
        // The end of the folder is a status too.
        if answer.first() == Some(&STATUS) {
            return Ok(found);
        }
        let answer = expect(answer, NAME)?;
        found.extend(names(answer.get(5..).unwrap_or_default()).ok_or(CUT)?);
    }
}

/// A request; one at a time, so that its number tells nothing.
fn request(kind: u8) -> Vec<u8> {
    let mut request = vec![kind];
    put_u32(&mut request, 1);
    request
}

async fn ask<S>(stream: &mut S, message: &[u8]) -> Result<Vec<u8>, String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let failed = |error: std::io::Error| format!("SFTP: {error}");
    let mut packet = Vec::new();
    put_string(&mut packet, message);
    stream.write_all(&packet).await.map_err(failed)?;
    stream.flush().await.map_err(failed)?;
    let length = stream.read_u32().await.map_err(failed)?;
    if !(1..=LONGEST).contains(&length) {
        return Err(format!("an answer of SFTP says that it has {length} octets"));
    }
    let mut answer = vec![0; length as usize];
    stream.read_exact(&mut answer).await.map_err(failed)?;
    Ok(answer)
}

fn expect(answer: Vec<u8>, kind: u8) -> Result<Vec<u8>, String> {
    match answer.first() {
        Some(found) if *found == kind => Ok(answer),
        found => Err(format!("SFTP answered with {found:?} in place of {kind}")),
    }
}

/// The names in SSH_FXP_NAME, behind its number.
fn names(rest: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut reader = Reader(rest);
    let mut names = Vec::new();
    for _ in 0..reader.u32()? {
        let name = reader.string()?;
        let _as_ls_shows_it = reader.string()?;
        skip_attributes(&mut reader)?;
        if name != b"." && name != b".." {
            names.push(name.to_vec());
        }
    }
    Some(names)
}

fn skip_attributes(reader: &mut Reader<'_>) -> Option<()> {
    let flags = reader.u32()?;
    let words = [(SIZE, 2), (OWNERS, 2), (PERMISSIONS, 1), (TIMES, 2)];
    for _ in 0..words.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, words)| words).sum() {
        reader.u32()?;
    }
    if flags & EXTENDED != 0 {
        for _ in 0..reader.u32()? {
            reader.string()?;
            reader.string()?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_past_their_attributes() {
        let mut answer = Vec::new();
        put_u32(&mut answer, 3);
        for (name, flags, octets) in
            [("..", 0, 0), ("etc", SIZE | PERMISSIONS | TIMES, 20), ("x", OWNERS, 8)]
        {
            put_string(&mut answer, name.as_bytes());
            put_string(&mut answer, b"-rw");
            answer.extend(flags.to_be_bytes());
            answer.extend(vec![9; octets]);
        }
        assert_eq!(names(&answer), Some(vec![b"etc".to_vec(), b"x".to_vec()]));
        assert_eq!(names(&answer[..answer.len() - 1]), None);
    }
}
