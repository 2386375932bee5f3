//! The container engine, asked over its own socket (the Docker Engine API, HTTP/1.0 so that answers
//! are not chunked): does it answer, is an image there, remove a container. Plain blocking I/O, because
//! a supervisor asks too, when nothing else of the harness lives.
//! Containers are started through testcontainers, in [`crate::container`].

use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Where the engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Engine {
    Unix(PathBuf),
    Tcp(String),
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Engine {
    /// The engine that `DOCKER_HOST` names, else the first socket found in the usual places.
    ///
    /// # Errors
    /// Why there is none, as a sentence for people.
    pub(crate) fn find() -> Result<Self, String> {
        if let Ok(host) = env::var("DOCKER_HOST")
            && !host.is_empty()
        {
            return Self::at(&host);
        }
        let mut places = vec![PathBuf::from("/var/run/docker.sock")];
        if let Some(runtime) = env::var_os("XDG_RUNTIME_DIR") {
            places.push(Path::new(&runtime).join("docker.sock"));
        }
        places.iter().find(|place| place.exists()).cloned().map(Engine::Unix).ok_or_else(|| {
            let places: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
            format!(
                "no container engine: DOCKER_HOST is not set and {} is not there",
                places.join(", ")
            )
        })
    }

    /// The engine at an address as in `DOCKER_HOST`.
    pub(crate) fn at(address: &str) -> Result<Self, String> {
        match address.split_once("://") {
            Some(("unix", path)) => Ok(Engine::Unix(path.into())),
            Some(("tcp" | "http", host)) => Ok(Engine::Tcp(host.trim_end_matches('/').to_owned())),
            _ => Err(format!("the engine's address {address:?} is neither unix:// nor tcp://")),
        }
    }

    /// As in `DOCKER_HOST`.
    pub(crate) fn address(&self) -> String {
        match self {
            Engine::Unix(path) => format!("unix://{}", path.display()),
            Engine::Tcp(host) => format!("tcp://{host}"),
        }
    }

    /// Does it answer?
    pub(crate) fn ping(&self) -> Result<(), String> {
        match self.ask("GET", "/_ping")? {
            200 => Ok(()),
            status => Err(format!("the engine at {} answers {status} to a ping", self.address())),
        }
    }

    /// Is there an image of this name?
    pub(crate) fn has_image(&self, name: &str) -> Result<bool, String> {
        Ok(self.ask("GET", &format!("/images/{name}/json"))? == 200)
    }

    /// Ends and removes a container with its anonymous volumes. `false`: there is none of that name.
    pub(crate) fn remove(&self, container: &str) -> Result<bool, String> {
        match self.ask("DELETE", &format!("/containers/{container}?force=true&v=true"))? {
            204 => Ok(true),
            404 => Ok(false),
            status => Err(format!("the engine answers {status} to the removal of {container}")),
        }
    }

    /// The status of the answer.
    fn ask(&self, method: &str, path: &str) -> Result<u16, String> {
        let told = |error: std::io::Error| {
            format!("the container engine at {} does not answer: {error}", self.address())
        };
        let mut stream = self.connect().map_err(told)?;
        let request = format!("{method} {path} HTTP/1.0\r\nHost: engine\r\n\r\n");
        stream.write_all(request.as_bytes()).map_err(told)?;
        let mut answer = Vec::new();
        stream.take(64 * 1024).read_to_end(&mut answer).map_err(told)?;
        status(&answer).ok_or_else(|| format!("{} speaks no HTTP", self.address()))
    }

    fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        match self {
            Engine::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
                Ok(Box::new(stream))
            }
            Engine::Tcp(host) => {
                let stream = TcpStream::connect(host)?;
                stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
                Ok(Box::new(stream))
            }
        }
    }
}

fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|&byte| byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next()?.strip_prefix("HTTP/")?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn addresses_are_those_of_docker_host() {
        for address in ["unix:///run/docker.sock", "tcp://127.0.0.1:2375"] {
            assert_eq!(Engine::at(address).map(|engine| engine.address()), Ok(address.into()));
        }
        assert!(Engine::at("ssh://somewhere").is_err());
    }

    #[test]
    fn an_engine_that_answers_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("docker.sock");
        let engine = Engine::Unix(socket.clone());
        assert!(engine.ping().unwrap_err().contains("does not answer"));

        let listener = UnixListener::bind(&socket).unwrap();
        let answering = std::thread::spawn(move || {
            for answer in ["HTTP/1.0 200 OK\r\n\r\nOK", "HTTP/1.0 404 Not Found\r\n\r\n", "SSH-2.0"]
            {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 256];
                let _ = stream.read(&mut request).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        assert_eq!(engine.ping(), Ok(()));
        assert_eq!(engine.has_image("none"), Ok(false));
        assert!(engine.ping().unwrap_err().contains("no HTTP"));
        answering.join().unwrap();
    }
}
