//! sshd's pattern lists: `*`, `?`, `!` and commas (ssh_config(5), PATTERNS).

/// Whether a list takes a text in: one of its patterns does, and no negated one does.
pub(crate) fn takes_in(list: &str, text: &str) -> bool {
    let mut taken = false;
    for pattern in list.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(pattern.as_bytes(), text.as_bytes()) => return false,
            Some(_) => {}
            None => taken |= matches(pattern.as_bytes(), text.as_bytes()),
        }
    }
    taken
}

/// Whether a pattern is a text.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(octet) if *octet == b'?' || *octet == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                // The last star takes one octet more.
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|octet| *octet == b'*')
}
