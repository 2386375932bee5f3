//! `ssh`.

use super::{Form, Takes, key};

/// `ssh`.
pub(crate) static SSH: Form = Form {
    name: "ssh",
    what: "`ssh`",
    about: "What is asked of the SSH service.",
    keys: &[
        key("methods", Takes::Text, "The authentication methods offered to this user."),
        key("login", Takes::Text, "Log in as this user with `password`."),
        key("password", Takes::Either(&[Takes::Text, Takes::Null]), "The password; may be empty."),
        key("config", Takes::Form(|| &SSH_CONFIG), "The effective configuration for a connection."),
        key("guess", Takes::Text, "Offer keys that nobody has, as this user."),
        key("times", Takes::Whole(1, 1000), "Keys on each connection (1)."),
        key("connections", Takes::Whole(1, 100), "Connections one after another (1)."),
        key("unfinished", Takes::Whole(1, 500), "So many connections at a time that never log in."),
        key(
            "wait",
            Takes::Word(&["stranger", "silent", "quiet"]),
            "Does the server end a client that never logs in, answers nothing, has no traffic?",
        ),
        key("within", Takes::Lasting, "The longest real time that is waited (10s)."),
        key(
            "forward",
            Takes::Word(&["local", "remote", "gateway", "socket", "agent", "x11"]),
            "What is asked to be forwarded.",
        ),
        key("run", Takes::Text, "A command."),
        key("files", Takes::Text, "A folder, listed by SFTP."),
        key("as", Takes::Text, "Who logs in, with the harness's key (edgeproof)."),
        key("reach", Takes::Text, "The address that a client connects from."),
        key("knock", Takes::Some(&Takes::Whole(1, 65535)), "Ports that it knocks at before."),
    ],
    others: None,
};

/// `ssh: { config: … }`.
pub(crate) static SSH_CONFIG: Form = Form {
    name: "sshConfig",
    what: "`config`",
    about: "The connection that the configuration is asked for.",
    keys: &[
        key("user", Takes::Text, "The user (root)."),
        key("host", Takes::Text, "The client's host name (localhost)."),
        key("addr", Takes::Text, "The client's address (127.0.0.1)."),
    ],
    others: None,
};
