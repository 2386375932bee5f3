//! The generator alone, without the command line round it: `shot URL SECONDS CLIENTS [RATE]` prints the result
//! as JSON. With a rate it is an open loop with at most so many connections.

use std::net::ToSocketAddrs;
use std::time::Duration;

use edgeproof_load::{Arrivals, LoadPlan, Message, Pace, Schedule, Url, run_load};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, seconds, clients, rate @ ..] = words.as_slice() else {
        return Err("expected URL SECONDS CLIENTS [RATE]".into());
    };
    let (url, time) = (url.parse::<Url>()?, Duration::from_secs(seconds.parse()?));
    let address = (url.host.as_str(), url.port).to_socket_addrs()?.next();
    let address =
        address.filter(|address| address.ip().is_loopback()).ok_or("only this machine")?;
    let (request, clients) = (Message::get().to(&url)?, clients.parse()?);
    let mut plan = LoadPlan::closed(address, request, clients, u64::MAX, time);
    if let [rate] = rate {
        let schedule = Schedule::parse(rate, Some(time))?;
        let (arrivals, most_connections) = (Arrivals::Even, clients);
        plan.pace = Pace::Open { schedule, arrivals, most_connections };
    }
    println!("{}", serde_json::to_string(&run_load(&plan)?)?);
    Ok(())
}
