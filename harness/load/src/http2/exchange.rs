//! One request and its answer.

use std::future::poll_fn;
use std::time::Instant;

use super::line::{Lane, Line};
use super::message::Message;
use crate::connection::{Broken, Times};

/// How often a request goes on to another connection because the server did not take it up (RFC 9113 §8.7):
/// it ends connections after so many requests, with others under way.
const MOST_TRIES: usize = 8;

/// Why an exchange came to nothing.
enum Ended {
    /// The connection had ended before.
    NotSent,
    /// The server never took it up: it may be sent again.
    NotTakenUp,
    /// The connection broke, or what came on it was wrong.
    Connection(Broken),
    /// Only this stream broke.
    Stream(Broken),
}

/// Sends a request on the lane that there is, or on a new one, and reads the whole answer; its status. How often it was
/// sent and not taken up is counted in `retried`.
pub(super) async fn exchange(
    line: &Line<'_>,
    lane: &mut Option<Lane>,
    message: &Message,
    times: &mut Times,
    retried: &mut u64,
) -> Result<u16, Broken> {
    for _ in 0..MOST_TRIES {
        let used = match lane {
            Some(lane) => lane,
            None => {
                let (opened, connected) = line.lane().await?;
                times.connected = connected.or(times.connected);
                lane.insert(opened)
            }
        };
        let why = match on(used, message, times).await {
            Ok(status) => return Ok(status),
            Err(Ended::Stream(why)) => return Err(why),
            Err(Ended::Connection(why)) => Some(why),
            Err(Ended::NotSent) => None,
            Err(Ended::NotTakenUp) => {
                *retried += 1;
                None
            }
        };
        line.has_ended(used);
        *lane = None;
        if let Some(why) = why {
            return Err(why);
        }
    }
    Err(Broken::Receive)
}

async fn on(lane: &mut Lane, message: &Message, times: &mut Times) -> Result<u16, Ended> {
    let sender = &mut lane.sender;
    poll_fn(|context| sender.poll_ready(context)).await.map_err(|_| Ended::NotSent)?;
    let whole = message.body.is_empty();
    let (answer, mut content) = sender.send_request(message.head.clone(), whole).map_err(ended)?;
    if !whole {
        content.send_data(message.body.clone(), true).map_err(ended)?;
    }
    let answer = answer.await.map_err(ended)?;
    times.first_byte = Some(Instant::now());
    let status = answer.status().as_u16();
    let mut body = answer.into_body();
    if body.is_end_stream() {
        return Ok(status);
    }
    while let Some(piece) = body.data().await {
        let piece = piece.map_err(ended)?;
        body.flow_control().release_capacity(piece.len()).map_err(ended)?;
    }
    Ok(status)
}

#[allow(clippy::needless_pass_by_value)] // as map_err gives it
fn ended(error: h2::Error) -> Ended {
    let refused = error.reason() == Some(h2::Reason::REFUSED_STREAM);
    let reset = error.is_reset();
    let broken = if error.is_library() { Broken::Malformed } else { Broken::Receive };
    match () {
        () if refused || (error.is_go_away() && error.is_remote() && is_graceful(&error)) => {
            Ended::NotTakenUp
        }
        () if reset => Ended::Stream(broken),
        () => Ended::Connection(broken),
    }
}

/// A server that ends a connection as it should: streams that it names as not taken up end with its GOAWAY.
fn is_graceful(error: &h2::Error) -> bool {
    error.reason() == Some(h2::Reason::NO_ERROR)
}
