//! From URLs to an endpoint and the bytes of its requests.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use edgeproof_load::{Address, Endpoint, LoadPlan, Message, Protocol, Request, Subject, Tls, Url};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};

use crate::args::{How, What};
use crate::failure::Failure;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// What is loaded, before it is known how much.
pub(crate) struct Target {
    pub(crate) subject: Subject,
    endpoint: Endpoint,
    mix: Vec<Request>,
    protocol: Protocol,
    keep_alive: bool,
    timeout: Duration,
    threads: usize,
    seed: u64,
}

impl Target {
    /// Reads the URLs, finds the server and knocks at its door.
    pub(crate) fn of(what: &What) -> Result<Self, Failure> {
        let mut urls = Vec::new();
        for text in &what.url {
            urls.push((url(text)?, 1));
        }
        if let Some(file) = &what.urls {
            urls.extend(listed(file)?);
        }
        Self::of_urls(&urls, &what.how)
    }

    /// One URL.
    pub(crate) fn of_url(text: &str, how: &How) -> Result<Self, Failure> {
        Self::of_urls(&[(url(text)?, 1)], how)
    }

    /// The server of the URL, asked for other things, each with its method.
    pub(crate) fn of_targets(what: &What, asked: &[(String, String)]) -> Result<Self, Failure> {
        let [text] = what.url.as_slice() else {
            return Err(Failure::Usage("--replay wants one URL: that of the server".to_owned()));
        };
        let base = url(text)?;
        let target = Self::of_urls(&[(base.clone(), 1)], &what.how)?;
        let message = message(&what.how)?;
        let request = |(method, target): &(String, String)| {
            let message = Message { method: method.clone(), ..message.clone() };
            let bytes = message.to(&Url { target: target.clone(), ..base.clone() });
            Ok(Request::new(bytes.map_err(usage)?))
        };
        let mix = asked.iter().map(request).collect::<Result<_, Failure>>()?;
        let paths = asked.iter().map(|(_, target)| target.clone()).collect();
        Ok(Self { mix, subject: Subject { paths, ..target.subject }, ..target })
    }

    fn of_urls(urls: &[(Url, u32)], how: &How) -> Result<Self, Failure> {
        let Some((first, _)) = urls.first() else {
            return Err(Failure::Usage("there is no URL".to_owned()));
        };
        let server = |url: &Url| (url.https, url.host.clone(), url.port);
        if let Some((other, _)) = urls.iter().find(|(url, _)| server(url) != server(first)) {
            return Err(Failure::Usage(format!(
                "one load goes to one server: {} and {} are two",
                first.authority, other.authority
            )));
        }
        let message = message(how)?;
        if how.http2 && how.keep_alive == "off" {
            return Err(Failure::Usage("HTTP/2 keeps its connections".to_owned()));
        }
        let request = |(url, weight): &(Url, u32)| {
            let bytes = message.to(url).map_err(usage)?;
            Ok(Request { bytes, weight: *weight })
        };
        let (port, address) = match &how.unix {
            Some(path) => (path.display().to_string(), Address::Unix(path.clone())),
            None => (first.port.to_string(), Address::Tcp(found(first, how.allow_remote)?)),
        };
        answers(&address)?;
        let tls = first.https.then(|| tls(first, how.cacert.as_deref())).transpose()?;
        Ok(Self {
            subject: Subject {
                host: first.host.clone(),
                port,
                paths: urls.iter().map(|(url, _)| url.target.clone()).collect(),
            },
            endpoint: Endpoint { address, tls },
            mix: urls.iter().map(request).collect::<Result<_, Failure>>()?,
            protocol: match how.http2 {
                true => Protocol::Http2 { streams: how.streams.into() },
                false => Protocol::Http1,
            },
            keep_alive: how.keep_alive == "on",
            timeout: how.timeout,
            threads: usize::from(how.threads),
            seed: how.seed,
        })
    }

    /// A plan that says everything but when and how much.
    pub(crate) fn plan(&self) -> LoadPlan {
        LoadPlan {
            mix: self.mix.clone(),
            protocol: self.protocol,
            request_limit: self.timeout,
            keep_alive: self.keep_alive,
            threads: self.threads,
            seed: self.seed,
            ..LoadPlan::closed(self.endpoint.clone(), Vec::new(), 1, 1, Duration::from_secs(1))
        }
    }
}

fn usage(error: impl std::fmt::Display) -> Failure {
    Failure::Usage(error.to_string())
}

fn url(text: &str) -> Result<Url, Failure> {
    text.parse().map_err(usage)
}

/// `URL` or `WEIGHT URL` a line; empty lines and those that begin with `#` are nothing.
fn listed(file: &Path) -> Result<Vec<(Url, u32)>, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::read(file, &error))?;
    let mut urls = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let wrong =
            |why: String| Failure::Usage(format!("{}:{}: {why}", file.display(), number + 1));
        let (weight, address) = match words.as_slice() {
            [] => continue,
            [first, ..] if first.starts_with('#') => continue,
            [address] => ("1", *address),
            [weight, address] => (*weight, *address),
            _ => return Err(wrong("expected `URL` or `WEIGHT URL`".to_owned())),
        };
        let weight: u32 = weight.parse().map_err(|_| wrong(format!("`{weight}` is no weight")))?;
        urls.push((address.parse().map_err(|error| wrong(format!("{error}")))?, weight));
    }
    if urls.iter().all(|(_, weight)| *weight == 0) {
        return Err(Failure::Usage(format!("{} has no URL with a weight", file.display())));
    }
    Ok(urls)
}

fn message(how: &How) -> Result<Message, Failure> {
    let body = match (&how.body, &how.body_file) {
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(file)) => std::fs::read(file).map_err(|error| Failure::read(file, &error))?,
        (None, None) => Vec::new(),
    };
    let has_body = how.body.is_some() || how.body_file.is_some();
    let method = how.method.clone().unwrap_or(if has_body { "POST" } else { "GET" }.to_owned());
    let (http10, keep_alive) = (how.http10, how.keep_alive == "on");
    let mut message = Message { method, headers: Vec::new(), body, http10, keep_alive };
    for line in &how.headers {
        message.header(line).map_err(usage)?;
    }
    if let Some(user) = &how.basic {
        message.basic(user);
    }
    Ok(message)
}

/// The first address of the host that takes a connection, or the first.
fn found(url: &Url, allow_remote: bool) -> Result<SocketAddr, Failure> {
    let all = (url.host.as_str(), url.port).to_socket_addrs();
    let all = all.map_err(|error| usage(format!("no address for `{}`: {error}", url.host)))?;
    let all: Vec<SocketAddr> = all.collect();
    if let Some(remote) = all.iter().find(|one| !one.ip().to_canonical().is_loopback())
        && !allow_remote
    {
        return Err(Failure::Usage(format!(
            "{} is {remote}, beyond this machine: load only what is yours, and say --allow-remote",
            url.host
        )));
    }
    let open = all.iter().find(|one| TcpStream::connect_timeout(one, CONNECT_LIMIT).is_ok());
    let chosen = open.or(all.first()).copied();
    chosen.ok_or_else(|| usage(format!("no address for `{}`", url.host)))
}

/// A server that is not there at all is no measurement.
fn answers(address: &Address) -> Result<(), Failure> {
    let (place, tried) = match address {
        Address::Tcp(address) => {
            (address.to_string(), TcpStream::connect_timeout(address, CONNECT_LIMIT).map(|_| ()))
        }
        Address::Unix(path) => (path.display().to_string(), UnixStream::connect(path).map(|_| ())),
    };
    tried.map_err(|error| Failure::NotStarted(format!("nobody listens on {place}: {error}")))
}

fn tls(url: &Url, cacert: Option<&Path>) -> Result<Tls, Failure> {
    let mut roots = rustls::RootCertStore::empty();
    match cacert {
        Some(file) => {
            let wrong =
                |error: &dyn std::fmt::Display| usage(format!("{}: {error}", file.display()));
            let all = CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))?;
            for certificate in all {
                let certificate = certificate.map_err(|error| wrong(&error))?;
                roots.add(certificate).map_err(|error| wrong(&error))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::Broken(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(url.host.clone()).map_err(usage)?;
    Ok(Tls::new(Arc::new(config), name))
}
