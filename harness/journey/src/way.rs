//! The way to the target, as URLs and clients need it.

use std::net::SocketAddr;

use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Url};

use edgeproof_load::REQUEST_LIMIT;

/// Where requests go, under the name of the site.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    address: SocketAddr,
    /// `http://NAME:PORT`. The name is the site's, so that its cookies are; where that is no domain name but reads as
    /// an address, requests would go there, and it is the target's own address.
    pub(crate) base: String,
    domain: Option<String>,
}

impl Way {
    pub(crate) fn new(address: SocketAddr, host: &str) -> Self {
        let url = Url::parse(&format!("http://{host}:{}/", address.port())).ok();
        let domain = url.as_ref().and_then(Url::domain).map(str::to_owned);
        let base = match &domain {
            Some(domain) => format!("http://{domain}:{}", address.port()),
            None => format!("http://{address}"),
        };
        Self { address, base, domain }
    }

    /// One user's client: with cookies of its own, and without anything that would be done for it.
    pub(crate) fn client(&self) -> ClientBuilder {
        let client = reqwest::Client::builder()
            .cookie_store(true)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .no_gzip()
            .tcp_nodelay(true)
            .timeout(REQUEST_LIMIT);
        match &self.domain {
            Some(domain) => client.resolve(domain, self.address),
            None => client,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Way;

    #[test]
    fn a_name_that_reads_as_an_address_leads_nowhere_else() {
        let base = |host| Way::new(([127, 0, 0, 1], 8080).into(), host).base;
        assert_eq!(base("Case.example"), "http://case.example:8080");
        for host in ["192.0.2.1", "0xc0000201", "[2001:db8::1]", "a b", ""] {
            assert_eq!(base(host), "http://127.0.0.1:8080", "{host}");
        }
    }
}
