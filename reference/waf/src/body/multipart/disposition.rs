//! The Content-Disposition of a part (RFC 7578 §4.2).

use super::Flags;

/// What a Content-Disposition says; also what one in error said up to there.
#[derive(Debug, Default)]
pub(super) struct Disposition {
    pub(super) name: Option<Vec<u8>>,
    pub(super) filename: Option<Vec<u8>>,
    /// The `name` that was read last, a duplicate too.
    pub(super) last_name: Option<Vec<u8>>,
    /// The `filename` that was read last, a duplicate too.
    pub(super) last_filename: Option<Vec<u8>>,
}

/// ModSecurity's number for what is wrong with a Content-Disposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(pub(super) i8);

impl Disposition {
    /// Reads `form-data; name="..."; filename="..."`. Both quotes are taken (some applications
    /// take them), the single one is flagged.
    pub(super) fn read(&mut self, value: &[u8], flags: &mut Flags) -> Result<(), Code> {
        let Some(rest) = value.strip_prefix(b"form-data") else { return Err(Code(-1)) };
        let mut cursor = Cursor { text: rest, at: 0 };
        cursor.skip_blank();
        match cursor.peek() {
            None => return Ok(()),
            Some(b';') => cursor.at += 1,
            Some(_) => return Err(Code(-2)),
        }
        while cursor.peek().is_some() {
            let name = parameter_name(&mut cursor)?;
            let (value, quote) = parameter_value(&mut cursor, flags)?;
            if matches!(name, b"name" | b"filename") && quote != Some(b'"') {
                flags.invalid_quoting |= value.contains(&b'\'');
            }
            self.take(name, value)?;
            if !at_separator(&mut cursor, flags)? {
                break;
            }
        }
        Ok(())
    }

    fn take(&mut self, name: &[u8], value: Vec<u8>) -> Result<(), Code> {
        let (last, kept, duplicate) = match name {
            b"name" => (&mut self.last_name, &mut self.name, Code(-14)),
            b"filename" => (&mut self.last_filename, &mut self.filename, Code(-15)),
            _ => return Err(Code(-11)),
        };
        *last = Some(value.clone());
        if kept.is_some() {
            return Err(duplicate);
        }
        *kept = Some(value);
        Ok(())
    }
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_while(&mut self, skip: impl Fn(u8) -> bool) -> &'a [u8] {
        let start = self.at;
        while self.peek().is_some_and(&skip) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    fn skip_blank(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t'));
    }

    /// Skips blanks; something must follow.
    fn skip_blank_to(&mut self, otherwise: Code) -> Result<u8, Code> {
        self.skip_blank();
        self.peek().ok_or(otherwise)
    }
}

/// Takes a parameter's name and the `=` behind it.
fn parameter_name<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Code> {
    cursor.skip_blank_to(Code(-3))?;
    let name = cursor.skip_while(|byte| !matches!(byte, b'=' | b' ' | b'\t'));
    cursor.peek().ok_or(Code(-4))?;
    if cursor.skip_blank_to(Code(-5))? != b'=' {
        return Err(Code(-13));
    }
    cursor.at += 1;
    cursor.skip_blank_to(Code(-6))?;
    Ok(name)
}

/// Takes a parameter's value; gives the quote that stood round it too.
fn parameter_value(
    cursor: &mut Cursor<'_>,
    flags: &mut Flags,
) -> Result<(Vec<u8>, Option<u8>), Code> {
    let Some(quote @ (b'"' | b'\'')) = cursor.peek() else {
        return Ok((cursor.skip_while(is_token).to_vec(), None));
    };
    flags.invalid_quoting |= quote == b'\'';
    cursor.at += 1;
    cursor.peek().ok_or(Code(-7))?;
    let mut value = Vec::new();
    loop {
        match cursor.peek().ok_or(Code(-10))? {
            byte if byte == quote => break,
            b'\\' => {
                let next = cursor.text.get(cursor.at + 1).ok_or(Code(-8))?;
                // Browsers of old sent paths with single backslashes: those stay.
                if *next == quote || *next == b'\\' {
                    cursor.at += 1;
                }
                value.push(cursor.text[cursor.at]);
            }
            byte => value.push(byte),
        }
        cursor.at += 1;
    }
    cursor.at += 1;
    Ok((value, Some(quote)))
}

/// Whether a separator was taken, behind which another parameter may follow. False at the end.
fn at_separator(cursor: &mut Cursor<'_>, flags: &mut Flags) -> Result<bool, Code> {
    cursor.skip_blank();
    match cursor.peek() {
        None => Ok(false),
        Some(b';') => {
            cursor.at += 1;
            Ok(true)
        }
        Some(_) => {
            let before = cursor.text[..cursor.at].last();
            flags.invalid_quoting |= matches!(before, Some(b'"' | b'\''));
            Err(Code(-12))
        }
    }
}

/// A token's character (RFC 2045 §5.1).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_dispositions() {
        // What follows the type; name, file name and flag, or the code.
        type Read = Result<(&'static str, Option<&'static str>), i8>;
        let cases: &[(&str, Read, bool)] = &[
            ("form-data; name=\"a\"", Ok(("a", None)), false),
            ("form-data;name=a", Ok(("a", None)), false),
            ("form-data ; name = \"a\" ; filename = x; ", Err(-3), false),
            ("form-data; name=\"a\"; filename=\"x\"", Ok(("a", Some("x"))), false),
            ("form-data; filename=\"\"; name=a;", Ok(("a", Some(""))), false),
            (r#"form-data; name="a\"b\\c\d""#, Ok((r#"a"b\c\d"#, None)), false),
            ("form-data; name=\"a'b\"", Ok(("a'b", None)), false),
            ("form-data; name=a'b", Ok(("a'b", None)), true),
            ("form-data; name='a'", Ok(("a", None)), true),
            (r"form-data; name='a\'b'", Ok(("a'b", None)), true),
            ("form-data; name=\"a;filename=b\"", Ok(("a;filename=b", None)), false),
            ("attachment; name=a", Err(-1), false),
            ("Form-Data; name=a", Err(-1), false),
            ("form-data, name=a", Err(-2), false),
            ("form-data; ", Err(-3), false),
            ("form-data; name", Err(-4), false),
            ("form-data; name ", Err(-5), false),
            ("form-data; name=", Err(-6), false),
            ("form-data; name=\"", Err(-7), false),
            ("form-data; name=\"a\\", Err(-8), false),
            ("form-data; name=\"a", Err(-10), false),
            ("form-data; name=\"a\\\"", Err(-10), false),
            ("form-data; name=a; x=y", Err(-11), false),
            ("form-data; name=a; filename*=UTF-8''x", Err(-11), false),
            ("form-data; NAME=a", Err(-11), false),
            ("form-data; name=a b", Err(-12), false),
            ("form-data; name=\"a\"b", Err(-12), true),
            ("form-data; name=\"a\"\"b\"", Err(-12), true),
            ("form-data; name x=a", Err(-13), false),
            ("form-data; name=a; name=b", Err(-14), false),
            ("form-data; name=a; filename=b; filename=c", Err(-15), false),
            ("form-data; name=\u{e9}", Err(-12), false),
        ];
        for (value, wanted, invalid_quoting) in cases {
            let mut flags = Flags::default();
            let mut read = Disposition::default();
            let result = read.read(value.as_bytes(), &mut flags);
            let text = |bytes: &Option<Vec<u8>>| {
                bytes.as_deref().map(|b| String::from_utf8(b.to_vec()).unwrap())
            };
            let got = result.map(|()| (text(&read.name).unwrap(), text(&read.filename)));
            let wanted =
                wanted.map(|(name, filename)| (name.to_owned(), filename.map(str::to_owned)));
            assert_eq!(got, wanted.map_err(Code), "{value}");
            assert_eq!(flags.invalid_quoting, *invalid_quoting, "{value}");
        }
    }
}
