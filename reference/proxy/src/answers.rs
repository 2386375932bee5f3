//! What the control socket answers, each answer a JSON value.

use edgeproof_cache::{Purge, Request, Scheme};
use edgeproof_http1::{Fields, ParsedRequest};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::clock::{ClockError, rfc3339};
use crate::live::{Live, Site, first_host};
use crate::worker::Shared;

/// A status and a JSON body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) json: Value,
}

impl Answer {
    fn ok(json: Value) -> Self {
        Self { status: 200, json }
    }

    pub(crate) fn error(status: u16, message: &str) -> Self {
        Self { status, json: json!({ "error": message }) }
    }
}

/// Answers a request.
pub(crate) async fn to(shared: &Shared, request: &ParsedRequest, body: &[u8]) -> Answer {
    let live = shared.live.borrow().clone();
    let path = String::from_utf8_lossy(&request.path);
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let get = || match &request.head.method[..] {
        b"GET" | b"HEAD" => Ok(()),
        _ => Err(Answer::error(405, "expected GET")),
    };
    let answer = match segments[..] {
        ["ready"] => get().map(|()| Answer::ok(json!({ "ready": true }))),
        ["stats"] => get().map(|()| Answer::ok(stats(shared, &live))),
        ["sites", host, "clock"] => site(&live, host).and_then(|site| match get() {
            Ok(()) => Ok(Answer::ok(clock(site))),
            Err(_) => posted(request, body).and_then(|order| move_clock(site, &order)),
        }),
        ["upstreams"] => get().map(|()| Answer::ok(processes(&live))),
        ["logs", "flush"] => match &request.head.method[..] {
            b"POST" => {
                shared.settled().await;
                flush(&live)
            }
            _ => Err(Answer::error(405, "expected POST")),
        },
        ["purge"] => match posted(request, body) {
            Ok(order) => purge(&live, &order).await,
            Err(refusal) => Err(refusal),
        },
        _ => Err(Answer::error(
            404,
            "expected /ready, /stats, /upstreams, /sites/HOST/clock, /logs/flush or /purge",
        )),
    };
    answer.unwrap_or_else(|refusal| refusal)
}

/// Waits until the lines of all requests answered so far are in their files; one that cannot be written holds up
/// no other.
fn flush(live: &Live) -> Result<Answer, Answer> {
    let failed: Vec<_> = live
        .writers()
        .iter()
        .filter_map(|writer| {
            Some(format!("{}: {}", writer.path().display(), writer.flush().err()?))
        })
        .collect();
    match failed.is_empty() {
        true => Ok(Answer::ok(json!({ "flushed": true }))),
        false => Err(Answer::error(503, &failed.join("; "))),
    }
}

/// The site of exactly this host; `*` is the one for any host.
fn site<'l>(live: &'l Live, host: &str) -> Result<&'l Site, Answer> {
    let host = (host != "*").then_some(host.as_bytes());
    live.site(host).map(|site| &**site).ok_or_else(|| Answer::error(404, "no site has this host"))
}

/// The JSON object of a POST.
fn posted(request: &ParsedRequest, body: &[u8]) -> Result<Value, Answer> {
    if &request.head.method[..] != b"POST" {
        return Err(Answer::error(405, "expected POST"));
    }
    match serde_json::from_slice(body) {
        Ok(object @ Value::Object(_)) => Ok(object),
        Ok(_) => Err(Answer::error(400, "expected a JSON object")),
        Err(error) => Err(Answer::error(400, &format!("expected JSON: {error}"))),
    }
}

fn clock(site: &Site) -> Value {
    json!({ "now": rfc3339(&site.clock.now()), "virtual": site.clock.is_virtual() })
}

/// `{"advance_ms": N}` or `{"set": "RFC 3339"}`.
fn move_clock(site: &Site, order: &Value) -> Result<Answer, Answer> {
    let expected = || Answer::error(400, "expected {\"advance_ms\": N} or {\"set\": \"RFC 3339\"}");
    let moved = match (order.get("advance_ms"), order.get("set")) {
        (Some(milliseconds), None) => {
            let milliseconds = milliseconds.as_i64().ok_or_else(expected)?;
            site.clock.advance(SignedDuration::from_millis(milliseconds))
        }
        (None, Some(text)) => {
            let text = text.as_str().ok_or_else(expected)?;
            site.clock.set(text.parse::<Timestamp>().map_err(|_| expected())?)
        }
        _ => return Err(expected()),
    };
    match moved {
        Ok(_) => Ok(Answer::ok(clock(site))),
        Err(error @ ClockError::Real) => Err(Answer::error(409, &error.to_string())),
        Err(error @ ClockError::OutOfRange) => Err(Answer::error(400, &error.to_string())),
    }
}

/// `{"host", "path", "match": "exact|startswith|wildcard"}`: both schemes of the host.
async fn purge(live: &Live, order: &Value) -> Result<Answer, Answer> {
    let text = |key: &str| order.get(key).and_then(Value::as_str);
    let (Some(host), Some(path)) = (text("host"), text("path")) else {
        return Err(Answer::error(400, "expected {\"host\", \"path\", \"match\"}"));
    };
    let purge = Purge::named(text("match").map(str::as_bytes))
        .ok_or_else(|| Answer::error(400, "expected exact, startswith or wildcard as match"))?;
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let cache = site(live, name)?.cache.as_ref();
    let cache = cache.ok_or_else(|| Answer::error(409, "the site has no cache"))?;
    let fields = Fields::new();
    let request = Request {
        method: b"PURGE",
        scheme: Scheme::Http,
        authority: host.as_bytes(),
        target: path.as_bytes(),
        fields: &fields,
    };
    match cache.purge(&request, purge).await {
        Ok(removed) => Ok(Answer::ok(json!({ "removed": removed }))),
        Err(owed) => Err(Answer::error(503, &owed.to_string())),
    }
}

/// Each process that the proxy looks after.
fn processes(live: &Live) -> Value {
    let processes = live.processes().map(|(site, process)| {
        let status = process.status();
        json!({
            "site": first_host(&site.settings),
            "command": process.settings().command.to_string(),
            "state": status.state,
            "pid": status.pid,
            "address": status.endpoint.map(|endpoint| endpoint.to_string()),
            "starts": status.starts,
            "crashes": status.crashes,
            "requests": status.in_flight,
        })
    });
    json!({ "upstreams": processes.collect::<Vec<_>>() })
}

fn stats(shared: &Shared, live: &Live) -> Value {
    let stats = &shared.stats;
    let class = |digit: usize| stats.by_class[digit].get();
    let writers = live.writers();
    let logs: Vec<_> = writers.iter().map(|writer| writer.stats()).collect();
    let files = writers.iter().zip(&logs).map(|(writer, log)| {
        json!({
            "file": writer.path().display().to_string(),
            "written": log.written,
            "queued": log.queued,
            "lost": log.lost,
        })
    });
    let processes: Vec<_> = live.processes().map(|(_, process)| process.status()).collect();
    let caches: Vec<_> = live.stores().iter().map(|store| store.stats()).collect();
    let redis = caches.iter().filter_map(|cache| cache.redis).map(|redis| {
        json!({
            "reachable": redis.reachable,
            "outages": redis.outages,
            "unanswered": redis.unanswered,
            "corrupted": redis.corrupted,
            "refused": redis.refused,
            "owed": redis.owed,
        })
    });
    json!({
        "requests": stats.requests.get(),
        "responses": {
            "1xx": class(1), "2xx": class(2), "3xx": class(3), "4xx": class(4), "5xx": class(5),
            "none": class(0),
        },
        "connections": stats.connections.get(),
        "upstream": { "made": stats.upstream_made.get(), "reused": stats.upstream_reused.get() },
        "processes": {
            "running": processes.iter().filter(|status| status.state == "running").count(),
            "starts": processes.iter().map(|status| status.starts).sum::<u64>(),
            "crashes": processes.iter().map(|status| status.crashes).sum::<u64>(),
        },
        "cache": {
            "hits": caches.iter().map(|cache| cache.hits).sum::<u64>(),
            "misses": caches.iter().map(|cache| cache.forwards).sum::<u64>(),
            "stored_bytes": caches.iter().map(|cache| cache.bytes).sum::<usize>(),
            "responses": caches.iter().map(|cache| cache.responses).sum::<usize>(),
            "redis": redis.collect::<Vec<_>>(),
        },
        "log": {
            "written": logs.iter().map(|log| log.written).sum::<u64>(),
            "queued": logs.iter().map(|log| log.queued).sum::<u64>(),
            "lost": logs.iter().map(|log| log.lost).sum::<u64>(),
            "files": files.collect::<Vec<_>>(),
        },
    })
}
