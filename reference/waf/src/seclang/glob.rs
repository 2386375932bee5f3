//! File names with `*`, `?` and `[…]`.

use std::io;
use std::path::{Component, Path, PathBuf};

/// Whether a path is a pattern.
pub(super) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// The files that a pattern names, in the order of their names; not the folders. Every part of the path may be a
/// pattern. A name that begins with a dot is matched only by a part that does.
pub(super) fn files(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        let mut next = Vec::new();
        for path in found {
            if matches!(part, Component::Normal(_)) && is_pattern(&text) {
                next.extend(children(&path, &text)?);
            } else {
                next.push(path.join(part));
            }
        }
        found = next;
    }
    found.retain(|path| path.is_file());
    Ok(found)
}

/// What in a folder matches one part of a pattern, sorted.
fn children(folder: &Path, part: &str) -> io::Result<Vec<PathBuf>> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = match here.read_dir() {
        Ok(entries) => entries,
        // Where the folder itself comes from a pattern, it may as well be a file.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let text = name.to_string_lossy();
        let hidden = text.starts_with('.') && !part.starts_with('.');
        if !hidden && matches_name(part, &text) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Whether a name matches: `*` any text, `?` any character, `[a-z]` and `[!a-z]` one of these and none of them.
fn matches_name(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut here) = (0, 0);
    // Behind the last star, and what of the name it stands for ends here: to be longer on the next try.
    let mut star: Option<(usize, usize)> = None;
    while here < name.len() {
        if pattern.get(at) == Some(&'*') {
            at += 1;
            star = Some((at, here));
        } else if let Some(length) = one(&pattern[at..], name[here]) {
            at += length;
            here += 1;
        } else if let Some((behind, end)) = star {
            at = behind;
            here = end + 1;
            star = Some((behind, end + 1));
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|it| *it == '*')
}

/// How much of the pattern one character takes, if it matches.
fn one(pattern: &[char], character: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['[', class @ ..] => match class_length(class) {
            Some(length) => in_class(&class[..length], character).then_some(length + 2),
            None => (character == '[').then_some(1),
        },
        [first, ..] => (*first == character).then_some(1),
        [] => None,
    }
}

/// How long the inside of a class is; a `]` at its beginning belongs to it.
fn class_length(class: &[char]) -> Option<usize> {
    let sign = usize::from(matches!(class, ['!' | '^', ..]));
    (sign + 1..class.len()).find(|at| class[*at] == ']')
}

fn in_class(class: &[char], character: char) -> bool {
    let (negated, mut rest) = match class {
        ['!' | '^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut within = false;
    loop {
        rest = match rest {
            [low, '-', high, more @ ..] => {
                within |= (*low..=*high).contains(&character);
                more
            }
            [one, more @ ..] => {
                within |= *one == character;
                more
            }
            [] => return within != negated,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{files, matches_name};

    #[test]
    fn names_match_as_in_a_shell() {
        for (pattern, name) in [
            ("*.conf", "a.conf"),
            ("*.conf", ".conf"),
            ("REQUEST-9?1*", "REQUEST-901-INIT.conf"),
            ("[a-c]x[!0-9]", "bxy"),
            ("*a*b*c", "xxaxxbxbxc"),
            ("[]]", "]"),
            ("[x", "[x"),
            ("ä?", "äö"),
            ("", ""),
        ] {
            assert!(matches_name(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("*.conf", "a.conf.example"), ("?", ""), ("[!a]", "a"), ("[a-c]", "d"), ("a", "")]
        {
            assert!(!matches_name(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn files_come_sorted_and_folders_do_not_come() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        for one in ["b", "a", "c"] {
            std::fs::create_dir(path.join(one)).expect("a folder");
            std::fs::write(path.join(one).join("2.conf"), "").expect("a file");
            std::fs::write(path.join(one).join("1.conf"), "").expect("a file");
            std::fs::write(path.join(one).join(".0.conf"), "").expect("a file");
        }
        std::fs::create_dir(path.join("a/x.conf")).expect("a folder");
        std::fs::write(path.join("file"), "").expect("a file");
        let found = files(&path.join("[!c]*/*.conf")).expect("files");
        let found: Vec<_> = found.iter().map(|it| it.strip_prefix(path).expect("within")).collect();
        let found: Vec<_> = found.iter().map(|it| it.to_string_lossy()).collect();
        assert_eq!(found, ["a/1.conf", "a/2.conf", "b/1.conf", "b/2.conf"]);
        assert!(files(&path.join("no/*.conf")).expect("none").is_empty());
    }
}
