//! A conversation before encryption: identification strings, then packets.

use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::kexinit::{self, KexInit};
use super::wire::{self, Reader};

/// What we call ourselves (RFC 4253 §4.2), without the line's end.
pub(super) const OURS: &str = "SSH-2.0-edgeproof";
const LONGEST_BANNER: usize = 64 * 1024;
/// A conversation that ended is waited for so long, so that it no longer counts.
const TO_PART: Duration = Duration::from_secs(1);

const SSH_MSG_DISCONNECT: u8 = 1;
const SSH_MSG_IGNORE: u8 = 2;
const SSH_MSG_DEBUG: u8 = 4;
const SSH_MSG_KEXINIT: u8 = 20;

/// A connection of which the server's identification string has been read.
#[derive(Debug)]
pub(super) struct Talk {
    stream: TcpStream,
    unread: Vec<u8>,
    /// The server's identification string without its line's end.
    pub(super) banner: Vec<u8>,
}

impl Talk {
    /// Connects (from that address, or one that nothing else uses), says who we are, and reads who the
    /// server is.
    pub(super) async fn open(address: SocketAddr, from: Option<Ipv4Addr>) -> Result<Self, String> {
        let mut stream = super::connect_from(address, from).await?;
        let ours = format!("{OURS}\r\n");
        stream.write_all(ours.as_bytes()).await.map_err(|error| error.to_string())?;
        let mut talk = Self { stream, unread: Vec::new(), banner: Vec::new() };
        loop {
            if let Some((banner, length)) = kexinit::banner(&talk.unread) {
                talk.unread.drain(..length);
                talk.banner = banner;
                return Ok(talk);
            }
            talk.more().await?;
        }
    }

    /// The next message that matters.
    pub(super) async fn message(&mut self) -> Result<Vec<u8>, String> {
        loop {
            let Some((payload, length)) = wire::payload(&self.unread)? else {
                self.more().await?;
                continue;
            };
            self.unread.drain(..length);
            match payload.first() {
                Some(&SSH_MSG_IGNORE | &SSH_MSG_DEBUG) => {}
                Some(&SSH_MSG_DISCONNECT) => {
                    return Err(format!("it said goodbye: {}", why(&payload)));
                }
                _ => return Ok(payload),
            }
        }
    }

    /// The server's KEXINIT: its payload, and its lists.
    pub(super) async fn kexinit(&mut self) -> Result<(Vec<u8>, KexInit), String> {
        let payload = self.message().await?;
        match payload.first() {
            Some(&SSH_MSG_KEXINIT) => {
                let lists = kexinit::parse(&payload)?;
                Ok((payload, lists))
            }
            Some(other) => Err(format!("its first packet is message {other} instead of KEXINIT")),
            None => Err("its first packet is empty".to_owned()),
        }
    }

    pub(super) async fn say(&mut self, payload: &[u8]) -> Result<(), String> {
        self.stream.write_all(&wire::packet(payload)).await.map_err(|error| error.to_string())
    }

    /// So many octets as they come, for what is encrypted.
    pub(super) async fn octets(&mut self, count: usize) -> Result<Vec<u8>, String> {
        while self.unread.len() < count {
            self.more().await?;
        }
        Ok(self.unread.drain(..count).collect())
    }

    /// Ends a conversation and waits, for a bounded time, until the server has ended it too, so that it no
    /// longer counts among those that have not logged in.
    pub(super) async fn end(mut self) {
        let ended = async {
            self.stream.shutdown().await?;
            while self.stream.read_buf(&mut self.unread).await? > 0 {
                self.unread.clear();
            }
            std::io::Result::Ok(())
        };
        // A reset is an end too, and a server that keeps talking is left.
        let _ = tokio::time::timeout(TO_PART, ended).await;
    }

    /// Reads on, saying nothing, until the server ends it.
    pub(super) async fn outlast(&mut self) {
        while let Ok(1..) = self.stream.read_buf(&mut self.unread).await {
            self.unread.clear();
        }
    }

    async fn more(&mut self) -> Result<(), String> {
        if self.banner.is_empty() && self.unread.len() > LONGEST_BANNER {
            return Err("it talks without end before its first packet".to_owned());
        }
        match self.stream.read_buf(&mut self.unread).await {
            Ok(0) => {
                Err(format!("it closed after saying {}", crate::visible::quoted(&self.unread)))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The reason in SSH_MSG_DISCONNECT (RFC 4253 §11.1).
fn why(payload: &[u8]) -> String {
    let mut reader = Reader(payload.get(1..).unwrap_or_default());
    let text = reader.u32().and_then(|_| reader.string());
    crate::visible::quoted(text.unwrap_or_default())
}
