//! cmdLine.

/// Removes `"`, `'`, `\` and `^`; makes each run of white space, commas and semicolons one space, and none before
/// `/` and `(`; lower case.
pub(super) fn undo_spelling(input: &[u8], out: &mut Vec<u8>) {
    let mut spaced = false;
    for byte in input {
        match byte {
            b'"' | b'\'' | b'\\' | b'^' => {}
            b' ' | b',' | b';' | b'\t' | b'\r' | b'\n' => {
                if !spaced {
                    out.push(b' ');
                }
                spaced = true;
            }
            b'/' | b'(' => {
                if spaced {
                    out.pop();
                }
                spaced = false;
                out.push(*byte);
            }
            _ => {
                out.push(byte.to_ascii_lowercase());
                spaced = false;
            }
        }
    }
}
