//! What each directive should be. The values are those of the scenarios of the family sshd, where each has its
//! source; a test holds the two to each other.

use super::algorithms as bad;
use super::effective::Effective;
use super::finding::Level;

/// What is wanted of a directive's value; several values are joined by commas.
pub(super) enum Want {
    /// It must be so; a directive that is not set, or that this sshd does not know, is not.
    Value(fn(&str) -> bool),
    /// It must not be so.
    Never(fn(&str) -> bool),
    /// Nothing in the list may be so.
    Without(fn(&str) -> bool),
    /// The first of the list must be so.
    First(fn(&str) -> bool),
}

/// A directive, and what is wanted of it.
pub(super) struct Rule {
    pub(super) level: Level,
    /// As the manual writes it.
    pub(super) directive: &'static str,
    want: Want,
    /// In words.
    pub(super) wanted: &'static str,
}

impl Rule {
    /// What is wrong: the value, or those of a list that should not be in it.
    pub(super) fn broken(&self, effective: &Effective) -> Option<String> {
        let value = effective.value(self.directive);
        match (&self.want, value) {
            (Want::Value(is), Some(value)) => (!is(&value)).then_some(value),
            (Want::Value(_), None) => Some("not set".to_owned()),
            (Want::Never(is), Some(value)) => is(&value).then_some(value),
            (Want::Without(is), Some(value)) => {
                let found: Vec<&str> = value.split(',').filter(|one| is(one)).collect();
                (!found.is_empty()).then(|| found.join(","))
            }
            (Want::First(is), Some(value)) => {
                let first = value.split(',').next().unwrap_or_default();
                (!is(first)).then(|| first.to_owned())
            }
            (_, None) => None,
        }
    }

    /// Whether it is about root's logins only.
    pub(super) fn is_of_root(&self) -> bool {
        self.directive == "PermitRootLogin"
    }
}

fn number(text: &str, from: u64, to: u64) -> bool {
    text.parse().is_ok_and(|number: u64| (from..=to).contains(&number))
}

fn yes(value: &str) -> bool {
    value == "yes"
}

fn no(value: &str) -> bool {
    value == "no"
}

fn none(value: &str) -> bool {
    value == "none"
}

/// `START:RATE:FULL`, of which all are refused from at most 100 on.
fn early_drop(value: &str) -> bool {
    let parts: Vec<&str> = value.split(':').collect();
    matches!(parts[..], [start, rate, full]
        if number(start, 0, u64::MAX) && number(rate, 1, u64::MAX) && number(full, 1, 100))
}

const fn rule(level: Level, directive: &'static str, want: Want, wanted: &'static str) -> Rule {
    Rule { level, directive, want, wanted }
}

use Level::{May, Must, Observe, Should};
use Want::{First, Never, Value, Without};

/// All of them.
pub(super) const RULES: [Rule; 62] = [
    rule(Must, "AuthenticationMethods", Value(|value| value == "publickey"), "publickey"),
    rule(Must, "PubkeyAuthentication", Value(yes), "yes"),
    rule(Must, "KbdInteractiveAuthentication", Value(no), "no"),
    rule(Must, "PasswordAuthentication", Value(no), "no"),
    rule(Must, "PermitEmptyPasswords", Value(no), "no"),
    rule(Must, "PermitRootLogin", Value(no), "no"),
    rule(Must, "PermitUserEnvironment", Value(no), "no"),
    rule(Must, "StrictModes", Value(yes), "yes"),
    rule(Must, "HostbasedAuthentication", Value(no), "no"),
    rule(Must, "IgnoreRhosts", Value(yes), "yes"),
    rule(Must, "ChallengeResponseAuthentication", Never(yes), "no"),
    rule(Must, "UsePrivilegeSeparation", Never(no), "yes"),
    rule(Must, "Protocol", Never(|value| value.contains('1')), "2"),
    rule(
        Must,
        "PubkeyAcceptedAlgorithms",
        Without(bad::signature_with_certificate),
        "no SHA-1 and no DSA",
    ),
    rule(Must, "HostKeyAlgorithms", Without(bad::signature), "no SHA-1 and no DSA"),
    rule(Must, "KexAlgorithms", Without(bad::exchange), "no SHA-1"),
    rule(Must, "Ciphers", Without(bad::cipher), "no CBC, 3DES or RC4"),
    rule(Must, "MACs", Without(bad::mac), "no MD5, SHA-1, 64 or 96 bits"),
    rule(Should, "KexAlgorithms", First(bad::hybrid), "a hybrid with ML-KEM or NTRU Prime first"),
    rule(
        Should,
        "MACs",
        Without(|name| !name.ends_with("-etm@openssh.com")),
        "encrypt-then-MAC only",
    ),
    rule(Should, "CASignatureAlgorithms", Without(bad::signature), "no SHA-1"),
    rule(
        Should,
        "HostKey",
        Value(|value| value.contains("ed25519") && !value.contains(',')),
        "an Ed25519 key alone",
    ),
    rule(Should, "DisableForwarding", Value(yes), "yes"),
    rule(Should, "X11Forwarding", Value(no), "no"),
    rule(Should, "X11UseLocalhost", Value(yes), "yes"),
    rule(Should, "AllowTcpForwarding", Value(no), "no"),
    rule(Should, "AllowAgentForwarding", Value(no), "no"),
    rule(Should, "AllowStreamLocalForwarding", Value(no), "no"),
    rule(Should, "PermitTunnel", Value(no), "no"),
    rule(Should, "GatewayPorts", Value(no), "no"),
    rule(Should, "PermitUserRC", Value(no), "no"),
    rule(Should, "AcceptEnv", Never(everything), "no `*` alone"),
    rule(Should, "MaxAuthTries", Value(|value| number(value, 1, 4)), "1 to 4"),
    rule(Should, "MaxSessions", Value(|value| number(value, 0, 10)), "at most 10"),
    rule(Should, "LoginGraceTime", Value(|value| number(value, 1, 60)), "1 to 60 seconds"),
    rule(
        Should,
        "MaxStartups",
        Value(early_drop),
        "refusals before all 100 places are taken, as 10:30:60",
    ),
    rule(
        Should,
        "PerSourceMaxStartups",
        Value(|value| number(value, 0, u64::MAX)),
        "a number, as 10",
    ),
    rule(Should, "PerSourcePenalties", Never(no), "yes"),
    rule(Should, "ClientAliveInterval", Value(|value| number(value, 1, 300)), "1 to 300 seconds"),
    rule(
        Should,
        "ClientAliveCountMax",
        Value(|value| number(value, 1, u64::MAX)),
        "1 or more: 0 means never since 8.2",
    ),
    rule(Should, "ChannelTimeout", Value(bad::timeout), "a time, as session:*=30m"),
    rule(
        Should,
        "UnusedConnectionTimeout",
        Value(|value| number(value, 1, u64::MAX)),
        "a time, as 5m",
    ),
    rule(Should, "TCPKeepAlive", Value(no), "no, beside a ClientAliveInterval"),
    rule(
        Should,
        "AuthorizedKeysFile",
        Value(|value| !value.is_empty() && !value.contains(' ')),
        "one file",
    ),
    rule(Should, "AuthorizedKeysCommand", Value(none), "none"),
    rule(Should, "RequiredRSASize", Value(|value| number(value, 3072, u64::MAX)), "3072 or more"),
    rule(Should, "GSSAPIAuthentication", Never(yes), "no"),
    rule(Should, "KerberosAuthentication", Never(yes), "no"),
    rule(Should, "ListenAddress", Never(any_address), "an address of this host"),
    rule(Should, "LogLevel", Value(|value| matches!(value, "INFO" | "VERBOSE")), "INFO or VERBOSE"),
    rule(
        Should,
        "SyslogFacility",
        Value(|value| matches!(value, "AUTH" | "AUTHPRIV")),
        "AUTH or AUTHPRIV",
    ),
    rule(Should, "FingerprintHash", Value(|value| value.eq_ignore_ascii_case("sha256")), "sha256"),
    rule(Should, "UseDNS", Value(no), "no"),
    rule(
        Should,
        "Subsystem",
        Value(|value| value.starts_with("sftp internal-sftp")),
        "sftp internal-sftp",
    ),
    rule(
        May,
        "KexAlgorithms",
        Without(bad::finite_field_or_nist),
        "neither finite fields nor NIST curves",
    ),
    rule(May, "Ciphers", Without(|name| !bad::authenticated(name)), "AES-GCM or chacha20-poly1305"),
    rule(May, "Compression", Value(|value| matches!(value, "no" | "delayed")), "no"),
    rule(May, "VersionAddendum", Value(none), "none"),
    rule(May, "RekeyLimit", Never(|value| value == "0 0"), "an amount and a time, as 1G 1h"),
    rule(Observe, "UsePAM", Value(no), "no; Debian needs it for sessions and limits"),
    rule(Observe, "TrustedUserCAKeys", Value(none), "none, or an authority that is known"),
    rule(
        Observe,
        "Port",
        Never(|value| value.split(',').any(|port| port == "22")),
        "another: less noise, and no protection",
    ),
];

/// Every variable, such as LD_PRELOAD.
fn everything(value: &str) -> bool {
    value.split([' ', ',']).any(|word| word == "*")
}

fn any_address(value: &str) -> bool {
    value.split(',').any(|one| one.starts_with("0.0.0.0:") || one.starts_with("[::]:"))
}
