//! How the lines of a WAF's log are told apart where all cases share one site, and with it one log.
//!
//! ```text
//! a mark is sent ─▶ its line names the client's address ─▶ each case has an address of its own: at once
//!                 ├ it does not ─────────────────────────▶ marks before and after: one after another
//!                 └ no line ────────────────────────────▶ nothing can be said of lines, and why
//! ```

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::RunOptions;
use crate::client::{Client, Dialer};
use crate::logs::{CaseLog, Tail, client_address, names};
use crate::player::Marks;
use crate::surface::Surface;

/// A target that has just started may take a while over its first request.
const FIRST_LINE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What is known of the WAF's log of a site that cases share.
#[derive(Debug, Clone)]
pub(super) enum Sharing {
    /// Lines name the client's address.
    ByClient(Arc<Tail>, Marks),
    /// Only the harness's marks say where a case's lines begin and end.
    ByMarks(Marks),
    /// No mark can be found in it, or there is none.
    Not(String),
}

impl Sharing {
    /// Sends a mark and looks for its line.
    pub(super) async fn find(surface: &Surface, site: &str, options: &RunOptions) -> Self {
        let Some(file) = surface.waf_log(site) else {
            return Self::Not("the target does not say where its WAF log is".to_owned());
        };
        let mut dialer = surface.dialer("localhost");
        let client = client_address(usize::from(u16::MAX) - 1);
        dialer.from = client_of(&dialer, client).await;
        let marks = Marks::new(&options.mark_field, "first");
        let log = CaseLog::follow(file, "");
        let tail = Arc::new(Tail::new(file.path.clone()));
        let (mark, sent) = marks.send(&dialer, None, &mut Client::default()).await;
        let began = Instant::now();
        loop {
            let lines = match log.all() {
                Ok(lines) => lines,
                Err(why) => return Self::Not(format!("the WAF log cannot be read: {why}")),
            };
            let line = lines
                .into_iter()
                .find(|line| memchr::memmem::find(line, mark.as_bytes()).is_some());
            match (line, dialer.from) {
                (Some(line), Some(client)) if names(&line, client) => {
                    return Self::ByClient(tail, marks);
                }
                (Some(_), _) => return Self::ByMarks(marks),
                (None, _) if began.elapsed() > FIRST_LINE => break,
                (None, _) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
        let (field, path) = (&options.mark_field, file.path.display());
        let sent = sent.map(|note| format!(" ({note})")).unwrap_or_default();
        Self::Not(format!(
            "a request with the field {field} leaves no line with its value in {path}{sent}: a rule must log it"
        ))
    }

    /// Can several cases be told apart that run at the same time?
    pub(super) fn is_at_once(&self) -> bool {
        matches!(self, Self::ByClient(..))
    }

    /// The address from which a case connects.
    pub(super) fn client(&self, number: usize) -> Option<Ipv4Addr> {
        matches!(self, Self::ByClient(..)).then(|| client_address(number))
    }

    /// The marks that settle the log.
    pub(super) fn marks(&self, token: &str) -> Option<Marks> {
        match self {
            Self::ByClient(_, marks) | Self::ByMarks(marks) => Some(marks.with_token(token)),
            Self::Not(_) => None,
        }
    }
}

/// The address, if it can be had: the target must be on the loopback of IPv4, of which all addresses are
/// this machine's.
async fn client_of(dialer: &Dialer, client: Ipv4Addr) -> Option<Ipv4Addr> {
    let address = dialer.http.or(dialer.tls)?;
    if !address.is_ipv4() || !address.ip().is_loopback() {
        return None;
    }
    let mut own = dialer.clone();
    own.from = Some(client);
    own.dial(dialer.http.is_none()).await.is_ok().then_some(client)
}
