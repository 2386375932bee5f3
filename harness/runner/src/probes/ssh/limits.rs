//! What a server does with many connections, many failures, and clients that come from somewhere else.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::net::TcpSocket;

use super::login::{self, Offered};
use super::source;
use super::talk::Talk;
use crate::expect::Facts;

/// A banner that has not come after so long does not come.
const TO_GREET: Duration = Duration::from_secs(3);
/// Nor does an answer to a key; sshd takes some milliseconds for one.
const TO_ANSWER: Duration = Duration::from_secs(5);
/// A server, or who reads its log, needs a moment to ban somebody.
const TO_BAN: Duration = Duration::from_secs(8);
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// A knock is a packet; what answers it does not matter.
const KNOCK: Duration = Duration::from_millis(100);
/// The one who knocks is let in after a moment.
const TO_OPEN: Duration = Duration::from_secs(3);

/// `answered` and `refused`: how many of so many connections at a time got a banner.
pub(super) async fn unfinished(address: SocketAddr, connections: usize) -> Facts {
    // Each from an address of its own: the limit for all is meant, not that for one source.
    let opening = (0..connections).map(|_| greeted(address, None));
    let open: Vec<Talk> = join_all(opening).await.into_iter().flatten().collect();
    let answered = open.len();
    join_all(open.into_iter().map(Talk::end)).await;
    let mut facts = Facts::default();
    facts.set("answered", answered.to_string());
    facts.set("refused", (connections - answered).to_string());
    facts
}

/// The connection, if it got a banner.
async fn greeted(address: SocketAddr, from: Option<Ipv4Addr>) -> Option<Talk> {
    tokio::time::timeout(TO_GREET, Talk::open(address, from)).await.ok()?.ok()
}

/// `attempts`: how many wrong keys the first connection took; and, after several connections,
/// `banned`: does the next from there get no banner any more? `others_welcome`: does one from elsewhere?
pub(super) async fn guess(
    address: SocketAddr,
    user: &str,
    times: usize,
    connections: usize,
) -> Result<Facts, String> {
    let from = source(address);
    let mut facts = Facts::default();
    facts.set("attempts", offers(address, from, user, times).await?.to_string());
    if connections == 1 {
        return Ok(facts);
    }
    let mut banned = false;
    for _ in 1..connections {
        // A connection that is refused is what is looked for.
        banned = offers(address, from, user, times).await.is_err();
        if banned {
            break;
        }
    }
    let began = Instant::now();
    while !banned && began.elapsed() < TO_BAN {
        tokio::time::sleep(LOOK_AGAIN).await;
        banned = !is_welcome(address, from).await;
    }
    facts.set("banned", banned.to_string());
    facts.set("others_welcome", is_welcome(address, None).await.to_string());
    Ok(facts)
}

/// How many wrong keys the server takes on one connection.
async fn offers(
    address: SocketAddr,
    from: Option<Ipv4Addr>,
    user: &str,
    times: usize,
) -> Result<usize, String> {
    let opening = tokio::time::timeout(TO_GREET, login::open(address, from));
    let mut session = opening.await.map_err(|_| "no banner came".to_owned())??;
    for answered in 0..times {
        // Whoever is banned in the middle of a connection hears nothing any more.
        let answer = tokio::time::timeout(TO_ANSWER, login::guess(&mut session, user)).await;
        match answer.map_err(|_| "no answer came".to_owned())?? {
            Offered::Refused => {}
            // It took this one too, before it hung up.
            Offered::Ended => return Ok(answered + 1),
            Offered::Accepted => return Err("it accepted a key of nobody's".to_owned()),
        }
    }
    Ok(times)
}

async fn is_welcome(address: SocketAddr, from: Option<Ipv4Addr>) -> bool {
    match greeted(address, from).await {
        Some(talk) => {
            talk.end().await;
            true
        }
        None => false,
    }
}

/// `reached`: does a client from that address get a banner, after it has knocked at these ports?
pub(super) async fn reach(
    address: SocketAddr,
    from: Ipv4Addr,
    knock: &[u16],
) -> Result<Facts, String> {
    if !address.ip().is_loopback() || !from.is_loopback() {
        return Err("a client can choose its address on this machine's loopback only".to_owned());
    }
    for port in knock {
        let socket = TcpSocket::new_v4().map_err(|error| error.to_string())?;
        socket.bind((from, 0).into()).map_err(|error| error.to_string())?;
        let door = SocketAddr::new(address.ip(), *port);
        // Refused or unanswered, it was heard.
        let _ = tokio::time::timeout(KNOCK, socket.connect(door)).await;
    }
    let began = Instant::now();
    let mut reached = is_welcome(address, Some(from)).await;
    while !reached && !knock.is_empty() && began.elapsed() < TO_OPEN {
        tokio::time::sleep(LOOK_AGAIN).await;
        reached = is_welcome(address, Some(from)).await;
    }
    let mut facts = Facts::default();
    facts.set("reached", reached.to_string());
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Greets so many clients, and hangs up on the others.
    async fn greeter(most: usize) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut greeted = 0;
            while let Ok((mut stream, _)) = listener.accept().await {
                let welcome = greeted < most;
                greeted += 1;
                tokio::spawn(async move {
                    if welcome {
                        let _ = stream.write_all(b"SSH-2.0-x\r\n").await;
                        let _ = stream.read_to_end(&mut Vec::new()).await;
                    }
                });
            }
        });
        address
    }

    #[tokio::test]
    async fn those_without_a_banner_are_refused() {
        let facts = unfinished(greeter(3).await, 5).await;
        assert_eq!(facts.0["answered"], [b"3".to_vec()]);
        assert_eq!(facts.0["refused"], [b"2".to_vec()]);
    }

    #[tokio::test]
    async fn only_a_banner_is_reached() {
        let from = Ipv4Addr::new(127, 2, 0, 7);
        let reached = async |address| reach(address, from, &[]).await.unwrap().0["reached"].clone();
        assert_eq!(reached(greeter(1).await).await, [b"true".to_vec()]);
        assert_eq!(reached(greeter(0).await).await, [b"false".to_vec()]);
        let elsewhere = Ipv4Addr::new(192, 0, 2, 1);
        assert!(reach(greeter(1).await, elsewhere, &[]).await.is_err());
    }
}
