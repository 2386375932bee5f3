//! The boundary that Content-Type names.

use memchr::{memchr, memmem};

use super::super::cookies::is_space;
use super::super::steps::took;
use super::{ContentTypeError, Flags};

const PARAMETER: &[u8] = b"boundary";
const TYPE: &[u8] = b"multipart/form-data";
/// A longer Content-Type is refused.
const LONGEST: usize = 1024;

/// The boundary, without the two hyphens that stand before it in the body.
///
/// `boundary` must be the only parameter and the last thing in the field: its value is all that
/// follows the `=`, so that nothing is left over which somebody else could read as the boundary.
pub(super) fn of<'a>(
    content_type: Option<&'a [u8]>,
    flags: &mut Flags,
) -> Result<&'a [u8], ContentTypeError> {
    let field = content_type.ok_or(ContentTypeError::Missing)?;
    if field.len() > LONGEST {
        return Err(ContentTypeError::TooLong);
    }
    took(field.len());
    let is_multipart =
        field.get(..TYPE.len()).is_some_and(|start| start.eq_ignore_ascii_case(TYPE));
    if !is_multipart {
        return Err(ContentTypeError::OtherType);
    }
    let parameters = count_parameters(field);
    if parameters > 1 {
        return Err(ContentTypeError::SeveralBoundaries);
    }
    let Some(at) = memmem::find(field, PARAMETER) else {
        return Err(match parameters {
            0 => ContentTypeError::NoBoundary,
            _ => ContentTypeError::CaseSensitivity,
        });
    };
    flags.missing_semicolon = !has_semicolon(&field[TYPE.len()..at])?;
    let value = value(&field[at + PARAMETER.len()..], flags)?;
    let boundary = unquote(value, flags)?;
    if count_parameters(boundary) != 0 {
        return Err(ContentTypeError::Content);
    }
    if !has_valid_characters(boundary) {
        return Err(ContentTypeError::Characters);
    }
    if boundary.is_empty() { Err(ContentTypeError::Empty) } else { Ok(boundary) }
}

/// How often the word stands with a `=` somewhere behind it, in any case of its letters.
fn count_parameters(field: &[u8]) -> usize {
    let Some(last_equals) = memchr::memrchr(b'=', field) else { return 0 };
    let lowercase = field.to_ascii_lowercase();
    memmem::find_iter(&lowercase, PARAMETER)
        .filter(|at| at + PARAMETER.len() <= last_equals)
        .count()
}

/// Whether a semicolon separates the type from the boundary; nothing but space may stand beside it.
fn has_semicolon(between: &[u8]) -> Result<bool, ContentTypeError> {
    let mut others = between.iter().filter(|&&byte| !is_space(byte));
    match (others.next(), others.next()) {
        (None, _) => Ok(false),
        (Some(b';'), None) => Ok(true),
        _ => Err(ContentTypeError::Malformed),
    }
}

/// What follows the `=` behind the parameter's name.
fn value<'a>(behind: &'a [u8], flags: &mut Flags) -> Result<&'a [u8], ContentTypeError> {
    let equals = memchr(b'=', behind).ok_or(ContentTypeError::Malformed)?;
    let (space, value) = (&behind[..equals], &behind[equals + 1..]);
    if !space.iter().all(|&byte| is_space(byte)) {
        flags.boundary_whitespace |= space.first().is_some_and(|&byte| is_space(byte));
        return Err(ContentTypeError::ParameterName);
    }
    flags.boundary_whitespace |=
        !space.is_empty() || value.first().is_some_and(|&byte| is_space(byte));
    Ok(value)
}

fn unquote<'a>(value: &'a [u8], flags: &mut Flags) -> Result<&'a [u8], ContentTypeError> {
    let (opens, closes) = (value.starts_with(b"\""), value.ends_with(b"\""));
    if opens && closes && value.len() >= 2 {
        flags.boundary_quoted = true;
        Ok(&value[1..value.len() - 1])
    } else if opens || closes {
        Err(ContentTypeError::Quote)
    } else {
        Ok(value)
    }
}

/// RFC 2046 §5.1.1: not all of it, but what it allows. A space may not be the last one.
fn has_valid_characters(boundary: &[u8]) -> bool {
    boundary.last() != Some(&b' ')
        && boundary
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b" '()+_,-./:=?".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::super::tests::raised;
    use super::ContentTypeError as E;
    use super::*;

    #[test]
    fn content_types() {
        let cases: &[(&str, Result<&str, E>, &[&str])] = &[
            ("multipart/form-data; boundary=x", Ok("x"), &[]),
            ("Multipart/Form-Data;boundary=x", Ok("x"), &[]),
            ("multipart/form-data; boundary=\"x y\"", Ok("x y"), &["boundary_quoted"]),
            ("multipart/form-data boundary=x", Ok("x"), &["missing_semicolon"]),
            ("multipart/form-databoundary=x", Ok("x"), &["missing_semicolon"]),
            ("multipart/form-data; boundary = x", Ok(" x"), &["boundary_whitespace"]),
            ("multipart/form-data; boundary= x", Ok(" x"), &["boundary_whitespace"]),
            ("multipart/form-data; boundary=a'()+_,-./:=?Z9", Ok("a'()+_,-./:=?Z9"), &[]),
            ("multipart/form-data; boundary=-boundary-", Ok("-boundary-"), &[]),
            ("multipart/form-data", Err(E::NoBoundary), &[]),
            ("multipart/form-data; Boundary=x", Err(E::CaseSensitivity), &[]),
            ("multipart/form-data; boundary", Err(E::Malformed), &[]),
            ("multipart/form-data; boundary=", Err(E::Empty), &[]),
            ("multipart/form-data; boundary=\"\"", Err(E::Empty), &["boundary_quoted"]),
            ("multipart/form-data; charset=utf-8; boundary=x", Err(E::Malformed), &[]),
            ("multipart/form-data;; boundary=x", Err(E::Malformed), &[]),
            ("multipart/form-data; boundary=x; charset=utf-8", Err(E::Characters), &[]),
            ("multipart/form-data; boundary=x,y;", Err(E::Characters), &[]),
            ("multipart/form-data; boundary=x ", Err(E::Characters), &[]),
            ("multipart/form-data; boundary=\tx", Err(E::Characters), &["boundary_whitespace"]),
            ("multipart/form-data; boundaryx=x", Err(E::ParameterName), &[]),
            ("multipart/form-data; boundary x=x", Err(E::ParameterName), &["boundary_whitespace"]),
            ("multipart/form-data; boundary=\"x", Err(E::Quote), &[]),
            ("multipart/form-data; boundary=x\"", Err(E::Quote), &[]),
            ("multipart/form-data; boundary=\"", Err(E::Quote), &[]),
            ("multipart/form-data; boundary=\"x\"; y", Err(E::Quote), &[]),
            ("multipart/form-data; boundary=x; boundary=y", Err(E::SeveralBoundaries), &[]),
            ("multipart/form-data; boundary=x; BOUNDARY=y", Err(E::SeveralBoundaries), &[]),
            ("multipart/form-data; boundary=boundary=", Err(E::SeveralBoundaries), &[]),
            ("multipart/mixed; boundary=x", Err(E::OtherType), &[]),
            ("", Err(E::OtherType), &[]),
        ];
        for (field, boundary, flags) in cases {
            let mut found = Flags::default();
            let read = of(Some(field.as_bytes()), &mut found);
            assert_eq!(read, boundary.map(str::as_bytes), "{field}");
            assert_eq!(&raised(found), flags, "{field}");
        }
        assert_eq!(of(None, &mut Flags::default()), Err(E::Missing));
        let long = [&b"multipart/form-data; boundary="[..], &[b'x'; 1000]].concat();
        assert_eq!(of(Some(&long), &mut Flags::default()), Err(E::TooLong));
    }
}
