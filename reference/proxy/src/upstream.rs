//! Where a site's origin is.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// An origin: `http://host[:port][/prefix]`, or `host:port` for short. The prefix is put before the path of
/// each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    authority: Arc<str>,
    host: String,
    port: u16,
    prefix: String,
}

/// Why a text is no upstream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// It neither begins with `http://` nor is a host and a port.
    #[error(
        "expected a URL that begins with `http://`, such as `http://127.0.0.1:9000`, or `host:port`"
    )]
    Scheme,
    /// Host or port cannot be read.
    #[error("expected `host` or `host:port` after `http://`")]
    Authority,
    /// URLs of one site have different paths.
    #[error(
        "all URLs of one site have the same path: a request is written before its server is chosen"
    )]
    Prefixes,
    /// A list without a URL.
    #[error("expected at least one URL")]
    NoUrl,
    /// There is a query, a fragment or a character that no path has.
    #[error("the path of an upstream is a prefix: visible characters without `?` and `#`")]
    Prefix,
}

impl Upstream {
    /// Host and port as written: what a connection is kept under.
    #[must_use]
    pub fn authority(&self) -> &Arc<str> {
        &self.authority
    }

    /// The host without brackets and the port, to connect to.
    #[must_use]
    pub fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// The prefix, empty or beginning with `/`, never ending with it.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl FromStr for Upstream {
    type Err = UpstreamError;

    fn from_str(text: &str) -> Result<Self, UpstreamError> {
        let (rest, mistake) = match text.strip_prefix("http://") {
            Some(rest) => (rest, UpstreamError::Authority),
            None => (text, UpstreamError::Scheme),
        };
        let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let parsed = edgeproof_http1::Authority::parse(authority.to_owned().into())
            .filter(|it| mistake == UpstreamError::Authority || it.port().is_some())
            .ok_or(mistake)?;
        if !prefix.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && !b"?#".contains(&byte)) {
            return Err(UpstreamError::Prefix);
        }
        let host = String::from_utf8_lossy(parsed.host());
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: parsed.port().unwrap_or(80),
            prefix: prefix.trim_end_matches('/').to_owned(),
            authority: authority.into(),
        })
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.prefix)
    }
}

/// Where a site gets its answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamSettings {
    /// From servers that run already.
    Urls(Urls),
    /// From a process that the proxy starts.
    Command(Box<edgeproof_upstream::Settings>),
}

impl From<Upstream> for UpstreamSettings {
    fn from(url: Upstream) -> Self {
        Self::Urls(Urls(vec![url]))
    }
}

impl fmt::Display for UpstreamSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Urls(Urls(urls)) => {
                for (at, url) in urls.iter().enumerate() {
                    write!(f, "{}{url}", if at > 0 { ", " } else { "" })?;
                }
                Ok(())
            }
            Self::Command(settings) => write!(f, "cmd:{}", settings.command),
        }
    }
}

/// One server or several that answer the same: at least one, all with the same prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urls(Vec<Upstream>);

impl Urls {
    /// Servers that take turns.
    ///
    /// # Errors
    /// An empty list, or prefixes that differ.
    pub fn new(urls: Vec<Upstream>) -> Result<Self, UpstreamError> {
        let first = urls.first().ok_or(UpstreamError::NoUrl)?;
        match urls.iter().all(|url| url.prefix == first.prefix) {
            true => Ok(Self(urls)),
            false => Err(UpstreamError::Prefixes),
        }
    }

    pub(crate) fn all(&self) -> &[Upstream] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_with_its_port_is_short_for_a_url() {
        for text in ["127.0.0.1:9000", "http://127.0.0.1:9000", "http://127.0.0.1:9000/"] {
            let upstream: Upstream = text.parse().unwrap();
            assert_eq!(upstream.address(), ("127.0.0.1", 9000));
            assert_eq!(upstream.to_string(), "http://127.0.0.1:9000");
        }
        assert_eq!("[::1]:9000/app".parse::<Upstream>().unwrap().prefix(), "/app");
    }

    #[test]
    fn what_only_looks_like_it_is_refused() {
        for text in [
            "",
            "backend",
            "cmd:node",
            "https://a:1",
            "ftp://a:1",
            "http:/127.0.0.1:9000",
            "/tmp/a:1",
        ] {
            assert_eq!(text.parse::<Upstream>(), Err(UpstreamError::Scheme), "{text}");
        }
        assert_eq!("http://".parse::<Upstream>(), Err(UpstreamError::Authority));
    }
}
