//! `ssh`.

use std::net::Ipv4Addr;
use std::time::Duration;

use edgeproof_diagnostics::Node;

use super::Binder;
use super::fields::Fields;
use crate::model::{Forwarding, SshClient, SshProbe};
use crate::table;

/// What can be asked, what else may stand beside it, and what the target must declare for it.
const PROBES: [(&str, &[&str], &[&str]); 10] = [
    ("methods", &[], &["ssh"]),
    ("login", &["password"], &["ssh"]),
    ("config", &[], &["sshd-config"]),
    ("guess", &["times", "connections"], &["ssh", "ssh-limits"]),
    ("unfinished", &[], &["ssh", "ssh-limits"]),
    ("wait", &["as", "within"], &["ssh"]),
    ("forward", &["as"], &["ssh", "ssh-accounts"]),
    ("run", &["as"], &["ssh", "ssh-accounts"]),
    ("files", &["as"], &["ssh", "ssh-accounts"]),
    ("reach", &["knock"], &["ssh", "ssh-guard"]),
];
/// Who logs in when nothing is said: the ordinary account that every target with `ssh-accounts` has.
const USUAL_USER: &str = "edgeproof";
/// A client that should be ended is watched for so long, when nothing is said.
const USUAL_WAIT: Duration = Duration::from_secs(10);

impl Binder<'_> {
    /// What is asked of the SSH service.
    pub(super) fn ssh(&self, node: &Node) -> Option<SshProbe> {
        if node.as_mapping().is_none() {
            let word = self.word_of(node, &["handshake", "config"])?;
            self.need(if word == "config" { "sshd-config" } else { "ssh" }, &node.span);
            return Some(match word {
                "config" => usual_connection(),
                _ => SshProbe::Handshake,
            });
        }
        let fields = self.fields(node, &table::SSH)?;
        let (key, value) = self.which(node, &fields, &PROBES.map(|(key, ..)| key))?;
        let (_, beside, needs) = PROBES.iter().find(|(name, ..)| *name == key)?;
        for need in *needs {
            self.need(need, &node.span);
        }
        self.out_of_place(&fields, beside);
        match key {
            "methods" => Some(SshProbe::Methods { user: self.text(value)? }),
            "login" => self.ssh_login(&fields, value),
            "guess" => Some(SshProbe::Guess {
                user: self.text(value)?,
                times: self.how_many(&fields, "times", 1000)?,
                connections: self.how_many(&fields, "connections", 100)?,
            }),
            "unfinished" => {
                Some(SshProbe::Unfinished { connections: self.size_of(value, 1..=500)? })
            }
            "wait" => self.ssh_wait(&fields, value),
            "forward" => {
                let word = self.word(&fields, "forward")?;
                let kind = Forwarding::WORDS.iter().find(|(known, _)| *known == word);
                Some(SshProbe::Forward { kind: kind?.1, user: self.ssh_user(&fields)? })
            }
            "run" => {
                Some(SshProbe::Run { command: self.text(value)?, user: self.ssh_user(&fields)? })
            }
            "files" => {
                Some(SshProbe::Files { folder: self.text(value)?, user: self.ssh_user(&fields)? })
            }
            "reach" => self.ssh_reach(&fields, value),
            _ => self.ssh_config(value),
        }
    }

    /// Reports what belongs to another probe.
    fn out_of_place(&self, fields: &Fields<'_>, beside: &[&str]) {
        for (key, _) in fields.known() {
            let name = key.as_str().unwrap_or_default();
            let owners: Vec<String> = PROBES
                .iter()
                .filter(|(_, beside, _)| beside.contains(&name))
                .map(|(owner, ..)| format!("`{owner}`"))
                .collect();
            if !owners.is_empty() && !beside.contains(&name) {
                let owners = owners.join(", ");
                self.reject::<()>(&key.span, format!("`{name}` goes with {owners} only"));
            }
        }
    }

    fn ssh_login(&self, fields: &Fields<'_>, user: &Node) -> Option<SshProbe> {
        let password = match fields.get("password") {
            Some(password) if password.is_null() => Some(String::new()),
            Some(password) => self.text(password),
            None => self.reject(&user.span, "`login` needs a `password` (it may be `\"\"`)"),
        };
        Some(SshProbe::Password { user: self.text(user)?, password: password? })
    }

    fn ssh_wait(&self, fields: &Fields<'_>, node: &Node) -> Option<SshProbe> {
        let within = match fields.get("within") {
            Some(within) => self.lasting(within),
            None => Some(USUAL_WAIT),
        };
        let word = self.word(fields, "wait")?;
        let client = if word == "stranger" {
            self.need("ssh-limits", &node.span);
            if let Some((key, _)) = fields.entry("as") {
                self.reject::<()>(&key.span, "a stranger does not log in");
            }
            SshClient::Stranger
        } else {
            self.need("ssh-accounts", &node.span);
            self.need("ssh-short-idle", &node.span);
            let user = self.ssh_user(fields)?;
            if word == "silent" { SshClient::Silent { user } } else { SshClient::Quiet { user } }
        };
        Some(SshProbe::Wait { client, within: within? })
    }

    fn ssh_reach(&self, fields: &Fields<'_>, node: &Node) -> Option<SshProbe> {
        let written = self.text(node)?;
        let Ok(from) = written.parse::<Ipv4Addr>() else {
            return self.reject(&node.span, format!("`{written}` is no IPv4 address"));
        };
        let ports = fields.get("knock").map(|list| self.items(list)).unwrap_or_default();
        let ports = ports.iter().map(|port| self.whole(port, 1..=65535));
        let knock = ports.map(|port| port.and_then(|port| u16::try_from(port).ok()));
        Some(SshProbe::Reach { from, knock: knock.collect::<Option<_>>()? })
    }

    fn ssh_user(&self, fields: &Fields<'_>) -> Option<String> {
        fields.get("as").map_or(Some(USUAL_USER.to_owned()), |user| self.text(user))
    }

    /// A number that is 1 if not said.
    fn how_many(&self, fields: &Fields<'_>, key: &str, most: u64) -> Option<usize> {
        fields.get(key).map_or(Some(1), |node| self.size_of(node, 1..=most))
    }

    fn ssh_config(&self, node: &Node) -> Option<SshProbe> {
        let fields = self.fields(node, &table::SSH_CONFIG)?;
        let mut probe = usual_connection();
        if let SshProbe::Config { user, host, addr } = &mut probe {
            for (key, place) in [("user", user), ("host", host), ("addr", addr)] {
                if let Some(text) = fields.get(key).and_then(|it| self.text(it)) {
                    *place = text;
                }
            }
        }
        Some(probe)
    }
}

/// What `sshd -T -C` is asked for when nothing is said.
fn usual_connection() -> SshProbe {
    SshProbe::Config {
        user: "root".to_owned(),
        host: "localhost".to_owned(),
        addr: "127.0.0.1".to_owned(),
    }
}
