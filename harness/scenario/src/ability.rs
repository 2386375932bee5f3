//! What a target can be able to do: the words of a case's `needs` and of a target's `declares`.

use edgeproof_diagnostics::suggest;

/// The abilities that this project knows, with what each claims. The words are not fixed: a vendor
/// may add their own, and cases that need them.
pub const ABILITIES: [(&str, &str); 32] = [
    ("http", "it is a reverse proxy for HTTP/1.1"),
    ("tls", "it has a TLS listener"),
    ("http2", "it speaks HTTP/2"),
    ("websocket", "Upgrade is passed on"),
    ("via", "it adds Via"),
    ("forwarded", "it adds Forwarded (RFC 7239)"),
    ("interim", "1xx answers of the origin reach the client"),
    ("trailers", "trailer fields of the origin reach the client"),
    ("cache", "it stores answers"),
    ("purge", "PURGE by method"),
    ("purge-match", "PURGE has the two widenings X-Cache-Purge-Match: startswith and wildcard"),
    ("cache-status", "it sends Cache-Status (RFC 9211)"),
    ("cdn-cache-control", "it reads CDN-Cache-Control (RFC 9213)"),
    ("vary-by-address", "it reuses no response that varies by what it tells of the client"),
    ("access-log", "it writes an access log"),
    ("refusals-logged", "a refused request gets a line in the access log too"),
    ("log-rotation", "it opens its access log again when it is told to"),
    ("log-watched", "it notices by itself that its access log was moved or removed"),
    ("waf", "it blocks attacks"),
    ("waf-log", "it writes a log of what its WAF found"),
    ("waf-audit", "it writes ModSecurity's audit log as JSON"),
    ("waf-held", "it keeps the requests that its WAF has put into quarantine"),
    ("upstream-command", "it starts a command as a site's upstream"),
    ("upstream-log", "it writes a log of such commands"),
    ("wordpress", "in its work folder lies the program `wordpress`, which serves one"),
    ("ssh", "it has an SSH server"),
    ("sshd-config", "its effective SSH configuration can be asked for"),
    (
        "ssh-limits",
        "its SSH server's limits may be tried: many connections, many failures, long waits",
    ),
    ("ssh-accounts", "accounts of the test's own may log in to it by SSH"),
    ("ssh-short-idle", "what it does about idle SSH clients, it does within seconds"),
    ("ssh-bans", "a client that fails often is banned from its SSH server"),
    ("ssh-guard", "its SSH server is reached only by some addresses, or after knocking"),
];

/// The ability that this word is most likely a misspelling of. None for a known word, and for one
/// that is near none: that is a vendor's own.
///
/// ```
/// use edgeproof_scenario::misspelt_ability;
/// assert_eq!(misspelt_ability("acess-log"), Some("access-log"));
/// assert_eq!(misspelt_ability("cache"), None);
/// assert_eq!(misspelt_ability("geo-blocking"), None);
/// assert_eq!(misspelt_ability("http3"), None);
/// ```
pub fn misspelt_ability(word: &str) -> Option<&'static str> {
    let known = ABILITIES.map(|(name, _)| name);
    if known.contains(&word) {
        return None;
    }
    // Another version of a protocol is another ability: `http3` is no slip of the pen for `http2`.
    suggest(word, known)
        .filter(|meant| letters(meant) != letters(word) || digits(meant) == digits(word))
}

fn letters(word: &str) -> String {
    word.chars().filter(|it| it.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

fn digits(word: &str) -> String {
    word.chars().filter(char::is_ascii_digit).collect()
}
