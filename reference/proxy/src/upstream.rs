//! Where a site's origin is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use edgeproof_fastcgi::Application;

/// An origin: `http://host[:port][/prefix]`, or `host:port` for short, whose prefix is put before the path of each
/// request; or `fastcgi://host:port[/root]`, or `fastcgi://unix:/path[:/root]`, whose root is the folder of its
/// scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    protocol: Protocol,
    place: Place,
    authority: Arc<str>,
    /// What a connection is kept under.
    key: Arc<str>,
    prefix: String,
}

/// What is spoken with an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1
    Http,
    /// FastCGI 1.0, with what runs there.
    FastCgi(Arc<Application>),
}

/// Where an upstream listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A host without brackets, and a port.
    Tcp { host: String, port: u16 },
    /// A unix socket.
    Unix(PathBuf),
}

/// Why a text is no upstream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// It begins with no scheme that is known, and is no host and port.
    #[error(
        "expected a URL such as `http://127.0.0.1:9000` or `fastcgi://127.0.0.1:9000/srv/www`, or `host:port`"
    )]
    Scheme,
    /// Host or port cannot be read.
    #[error("expected `host` or `host:port` after `http://`")]
    Authority,
    /// FastCGI has no usual port.
    #[error(
        "expected `host:port` or `unix:` and a path after `fastcgi://`, such as `fastcgi://127.0.0.1:9000/srv/www` or `fastcgi://unix:/run/php-fpm.sock:/srv/www`"
    )]
    FastCgi,
    /// URLs of one site have different paths.
    #[error(
        "all URLs of one site have the same path and speak the same: a request is written before its server is chosen"
    )]
    Prefixes,
    /// A list without a URL.
    #[error("expected at least one URL")]
    NoUrl,
    /// There is a query, a fragment or a character that no path has.
    #[error("the path of an upstream is a prefix: visible characters without `?` and `#`")]
    Prefix,
    /// The same in what should be a folder.
    #[error("the path of a FastCGI upstream is the folder of its scripts: without `?` and `#`")]
    Root,
}

impl Upstream {
    /// Where it is, as written, scheme and path left out.
    #[must_use]
    pub fn authority(&self) -> &Arc<str> {
        &self.authority
    }

    /// What a connection is kept under.
    pub(crate) fn key(&self) -> &Arc<str> {
        &self.key
    }

    /// The host for a request that names none.
    pub(crate) fn host(&self) -> &str {
        match self.place {
            Place::Tcp { .. } => &self.authority,
            Place::Unix(_) => "localhost",
        }
    }

    /// Where to connect to.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// What is spoken there.
    #[must_use]
    pub fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// What is put before a request's path: empty or beginning with `/`, never ending with it.
    #[must_use]
    pub fn prefix(&self) -> &str {
        match self.protocol {
            Protocol::Http => &self.prefix,
            Protocol::FastCgi(_) => "",
        }
    }

    /// `unix:/path[:/root]` or `host:port[/root]`
    fn of_fastcgi(rest: &str) -> Result<Self, UpstreamError> {
        let (place, authority, root) = match rest.strip_prefix("unix:") {
            Some(paths) => {
                let (path, root) = paths.split_once(':').unwrap_or((paths, ""));
                if !path.starts_with('/') {
                    return Err(UpstreamError::FastCgi);
                }
                (Place::Unix(path.into()), &rest[.."unix:".len() + path.len()], root)
            }
            None => {
                let (authority, root) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                let parsed = parsed(authority).filter(|it| it.port().is_some());
                (tcp(&parsed.ok_or(UpstreamError::FastCgi)?, 0), authority, root)
            }
        };
        if root.bytes().any(|byte| byte.is_ascii_control() || b"?#".contains(&byte)) {
            return Err(UpstreamError::Root);
        }
        let protocol = match root.trim_end_matches('/') {
            "" if root.is_empty() => Protocol::fastcgi(None),
            _ if !root.starts_with('/') => return Err(UpstreamError::FastCgi),
            _ => Protocol::fastcgi(Some(root.into())),
        };
        let key = format!("fastcgi://{authority}").into();
        Ok(Self { protocol, place, authority: authority.into(), key, prefix: root.to_owned() })
    }
}

impl Protocol {
    /// FastCGI with the scripts below `root`, or with one application for all paths.
    #[must_use]
    pub fn fastcgi(root: Option<PathBuf>) -> Self {
        Self::FastCgi(Arc::new(root.map_or(Application::Whole, Application::Files)))
    }
}

fn parsed(authority: &str) -> Option<edgeproof_http1::Authority> {
    edgeproof_http1::Authority::parse(authority.to_owned().into())
}

fn tcp(authority: &edgeproof_http1::Authority, usual: u16) -> Place {
    let host = String::from_utf8_lossy(authority.host());
    Place::Tcp {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: authority.port().unwrap_or(usual),
    }
}

impl FromStr for Upstream {
    type Err = UpstreamError;

    fn from_str(text: &str) -> Result<Self, UpstreamError> {
        if let Some(rest) = text.strip_prefix("fastcgi://") {
            return Self::of_fastcgi(rest);
        }
        let (rest, mistake) = match text.strip_prefix("http://") {
            Some(rest) => (rest, UpstreamError::Authority),
            None => (text, UpstreamError::Scheme),
        };
        let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let parsed = parsed(authority)
            .filter(|it| mistake == UpstreamError::Authority || it.port().is_some())
            .ok_or(mistake)?;
        if !prefix.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && !b"?#".contains(&byte)) {
            return Err(UpstreamError::Prefix);
        }
        let authority: Arc<str> = authority.into();
        Ok(Self {
            protocol: Protocol::Http,
            place: tcp(&parsed, 80),
            prefix: prefix.trim_end_matches('/').to_owned(),
            key: Arc::clone(&authority),
            authority,
        })
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.protocol, &self.place) {
            (Protocol::Http, _) => write!(f, "http://{}{}", self.authority, self.prefix),
            (Protocol::FastCgi(_), Place::Unix(_)) if !self.prefix.is_empty() => {
                write!(f, "fastcgi://{}:{}", self.authority, self.prefix)
            }
            (Protocol::FastCgi(_), _) => {
                write!(f, "fastcgi://{}{}", self.authority, self.prefix)
            }
        }
    }
}

/// Where a site gets its answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamSettings {
    /// From servers that run already.
    Urls(Urls),
    /// From a process that the proxy starts.
    Command(Box<CommandSettings>),
}

/// A process that the proxy starts, and what is spoken with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandSettings {
    /// How it is started and looked after.
    pub process: edgeproof_upstream::Settings,
    /// What it speaks where it listens.
    pub protocol: Protocol,
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
            Self::Command(settings) => write!(f, "cmd:{}", settings.process.command),
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
        let same = |url: &Upstream| url.prefix == first.prefix && url.protocol == first.protocol;
        match urls.iter().all(same) {
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
            let place = Place::Tcp { host: "127.0.0.1".to_owned(), port: 9000 };
            assert_eq!(upstream.place(), &place);
            assert_eq!(upstream.to_string(), "http://127.0.0.1:9000");
        }
        assert_eq!("[::1]:9000/app".parse::<Upstream>().unwrap().prefix(), "/app");
    }

    #[test]
    fn fastcgi_has_a_place_and_perhaps_a_root() {
        for (text, root) in [
            ("fastcgi://127.0.0.1:9000", None),
            ("fastcgi://[::1]:9000/srv/www", Some("/srv/www")),
            ("fastcgi://unix:/run/php.sock", None),
            ("fastcgi://unix:/run/php.sock:/srv/www", Some("/srv/www")),
        ] {
            let upstream: Upstream = text.parse().unwrap();
            assert_eq!(upstream.to_string(), text);
            assert_eq!(upstream.protocol(), &Protocol::fastcgi(root.map(PathBuf::from)));
            assert_eq!(upstream.prefix(), "");
        }
        for text in ["", "127.0.0.1", "unix:run/php.sock", "unix:/run/php.sock:srv", "/srv"] {
            let url = format!("fastcgi://{text}");
            assert_eq!(url.parse::<Upstream>(), Err(UpstreamError::FastCgi), "{url}");
        }
        for text in ["127.0.0.1:9000/srv?a", "127.0.0.1:9000/srv#a", "unix:/run/php.sock:/srv\n"] {
            let url = format!("fastcgi://{text}");
            assert_eq!(url.parse::<Upstream>(), Err(UpstreamError::Root), "{url}");
        }
        let mixed = ["127.0.0.1:1", "fastcgi://127.0.0.1:1"].map(|url| url.parse().unwrap());
        assert_eq!(Urls::new(mixed.to_vec()), Err(UpstreamError::Prefixes));
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
