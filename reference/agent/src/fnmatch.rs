//! Patterns of paths and names: fnmatch(3), glob(7).

use regex::bytes::Regex;

/// A pattern of fnmatch(3), whose `*` takes in slashes too.
pub(crate) fn regex_of(pattern: &str) -> Option<Regex> {
    let mut text = String::from("(?s-u)^");
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        match character {
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            '[' => match rest.as_str().get(1..).and_then(|class| class.find(']')) {
                Some(end) => {
                    let (class, after) = rest.as_str().split_at(end + 1);
                    let class = class.replace('\\', "\\\\").replace('[', "\\[");
                    let (not, class) = match class.strip_prefix('!') {
                        Some(class) => ("^", class.to_owned()),
                        None => ("", class),
                    };
                    text.push_str(&format!("[{not}{class}]"));
                    rest = after[1..].chars();
                }
                None => text.push_str("\\["),
            },
            '\\' => text.extend(rest.next().map(|c| regex::escape(&c.to_string()))),
            plain => text.push_str(&regex::escape(&plain.to_string())),
        }
    }
    text.push('$');
    Regex::new(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_glob_has_them() {
        for (pattern, name, fits) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf~", false),
            ("[0-9]?-*.conf", "50-a.conf", true),
            ("[!0-9]*", "50-a.conf", false),
            ("a,b.conf", "a,b.conf", true),
            ("!a.conf", "!a.conf", true),
            ("a[b", "a[b", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
        ] {
            let regex = regex_of(pattern).expect(pattern);
            assert_eq!(regex.is_match(name.as_bytes()), fits, "{pattern} {name}");
        }
    }
}
