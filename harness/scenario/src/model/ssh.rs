//! What a case asks of an SSH service.

use std::net::Ipv4Addr;
use std::time::Duration;

/// `ssh:` what is asked of the SSH service.
#[derive(Debug, Clone, PartialEq)]
pub enum SshProbe {
    /// `ssh: handshake`: banner, KEXINIT lists, and what else can be told before a login: host keys,
    /// group sizes, signature algorithms.
    Handshake,
    /// `ssh: { methods: USER }`: the authentication methods offered after `none`.
    Methods {
        /// The user that is tried.
        user: String,
    },
    /// `ssh: { login: USER, password: TEXT }`: is a password accepted (also the empty one)?
    Password {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// `ssh: { config: { user, host, addr } }`: the effective configuration, by `sshd -T -C`.
    Config {
        /// `user=`.
        user: String,
        /// `host=`.
        host: String,
        /// `addr=`.
        addr: String,
    },
    /// `ssh: { guess: USER, times, connections }`: keys that nobody has are offered.
    Guess {
        /// The user.
        user: String,
        /// Keys on each connection, as long as the server answers.
        times: usize,
        /// Connections, one after another, all from one address.
        connections: usize,
    },
    /// `ssh: { unfinished: N }`: connections at a time that never log in.
    Unfinished {
        /// How many.
        connections: usize,
    },
    /// `ssh: { wait: CLIENT, as: USER, within: DURATION }`: does the server end it?
    Wait {
        /// What the client does, and does not.
        client: SshClient,
        /// The longest real time that is waited.
        within: Duration,
    },
    /// `ssh: { forward: KIND, as: USER }`: does it carry octets?
    Forward {
        /// What is asked for.
        kind: Forwarding,
        /// The user who logs in with the harness's key.
        user: String,
    },
    /// `ssh: { run: COMMAND, as: USER }`.
    Run {
        /// The command.
        command: String,
        /// The user who logs in with the harness's key.
        user: String,
    },
    /// `ssh: { files: FOLDER, as: USER }`: what a folder holds, by SFTP.
    Files {
        /// The folder.
        folder: String,
        /// The user who logs in with the harness's key.
        user: String,
    },
    /// `ssh: { reach: ADDRESS, knock: [PORT] }`: does a client from that address get a banner?
    Reach {
        /// Where the client connects from.
        from: Ipv4Addr,
        /// Ports that it knocks at before, in order.
        knock: Vec<u16>,
    },
}

/// A client that the server should end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SshClient {
    /// It never logs in.
    Stranger,
    /// It logged in, and answers nothing any more; its session has traffic.
    Silent {
        /// The user.
        user: String,
    },
    /// It logged in and answers, but its session has no traffic.
    Quiet {
        /// The user.
        user: String,
    },
}

/// What can be forwarded (RFC 4254 §6.3, §7; OpenSSH's PROTOCOL §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forwarding {
    /// To where the server can connect.
    Local,
    /// From a port of the server.
    Remote,
    /// From a port of the server that others than itself reach.
    Gateway,
    /// To a Unix socket of the server.
    Socket,
    /// The client's keys.
    Agent,
    /// The client's display.
    X11,
}

impl Forwarding {
    /// The words of a scenario.
    pub const WORDS: [(&str, Self); 6] = [
        ("local", Self::Local),
        ("remote", Self::Remote),
        ("gateway", Self::Gateway),
        ("socket", Self::Socket),
        ("agent", Self::Agent),
        ("x11", Self::X11),
    ];
}
