//! normalizePath, normalizePathWin.

/// What parts a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    Slash,
    /// Slashes and backslashes; the latter become the former.
    Either,
}

/// Resolves empty parts, `.` and `..`. `..` does not lead above the root; at the start of a relative path it stays.
/// A slash at the end stays, and none is added.
///
/// A part that only ends in two dots is taken away too, as in ModSecurity: `/a/b../c` is `/a/c`. Unlike there all
/// backslashes become slashes; it forgets the last of three.
pub(super) fn normalize(input: &[u8], separator: Separator, out: &mut Vec<u8>) {
    let slash = |byte: u8| {
        if separator == Separator::Either && byte == b'\\' { b'/' } else { byte }
    };
    let (Some(&first), Some(&last)) = (input.first(), input.last()) else { return };
    let relative = slash(first) != b'/';
    // Whether `..` has been kept, or has been stopped at the root, and no other part has come since.
    let mut at_root = false;
    let mut at = 0;
    while at < input.len() {
        let byte = slash(input[at]);
        let next = input.get(at + 1).map(|next| slash(*next));
        // Only the last byte of a part says what to do with it.
        if matches!(next, None | Some(b'/')) && !(byte == b'/' && next.is_some()) {
            match part_end(byte, out, relative, at_root) {
                Part::Plain => at_root &= out.is_empty(),
                Part::Kept => at_root = true,
                Part::Here { slash_before } => {
                    if next.is_none() {
                        break;
                    }
                    if slash_before {
                        out.pop();
                    }
                    at += 1;
                }
                Part::Up => {
                    at_root |= step_up(out, !relative && next.is_none());
                    if next.is_none() {
                        break;
                    }
                    at += 1;
                }
                Part::Other => {}
            }
        }
        if slash(input[at]) == b'/' {
            while input.get(at + 1).is_some_and(|next| slash(*next) == b'/') {
                at += 1;
            }
            if relative && out.is_empty() {
                at += 1;
                continue;
            }
        }
        out.push(slash(input[at]));
        at += 1;
    }
    if slash(last) != b'/' && out.last() == Some(&b'/') {
        out.pop();
    }
}

/// What the last byte of a part makes of it.
enum Part {
    /// A name.
    Plain,
    /// `.`
    Here { slash_before: bool },
    /// `..` that can be resolved.
    Up,
    /// `..` that cannot.
    Kept,
    /// A name that ends in a dot, or a slash at the end.
    Other,
}

fn part_end(byte: u8, out: &[u8], relative: bool, at_root: bool) -> Part {
    match (byte, out.last()) {
        (b'.', Some(b'.')) if relative && (at_root || out.len() <= 2) => Part::Kept,
        (b'.', Some(b'.')) => Part::Up,
        (b'.', None) => Part::Here { slash_before: false },
        (b'.', Some(b'/')) => Part::Here { slash_before: true },
        (b'.', Some(_)) => Part::Other,
        _ => Part::Plain,
    }
}

/// Takes the dot that is written already, its slash and the part before away. Says whether that led to the root,
/// whose slash stays only for the end of an absolute path.
fn step_up(out: &mut Vec<u8>, keep_slash: bool) -> bool {
    let mut end = out.len().saturating_sub(3);
    while end > 0 && out[end] != b'/' {
        end -= 1;
    }
    out.truncate(if end == 0 && keep_slash { 1 } else { end });
    end == 0
}
