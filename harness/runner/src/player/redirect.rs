//! What a later stage of a foreign test takes over from the answer before: where a redirect leads to, and
//! cookies. Pure.

use crate::wire::Answer;

/// The statuses that lead elsewhere (RFC 9110 §15.4).
const REDIRECTS: [u16; 6] = [300, 301, 302, 303, 307, 308];

/// The request-target of the next request: the answer's Location, resolved against the target `from` of
/// the request that it answers (RFC 3986 §5.2).
pub(super) fn target(answer: Option<&Answer>, from: &[u8]) -> Result<Vec<u8>, String> {
    let location = location(answer)?;
    let (host, reference) = split(&location);
    let reference = reference.split(|b| *b == b'#').next().unwrap_or_default();
    if reference.starts_with(b"/") {
        return Ok(reference.to_vec());
    }
    if host.is_some() {
        return Ok([b"/", reference].concat());
    }
    if reference.is_empty() {
        return Ok(from.to_vec());
    }
    let path = from.split(|b| matches!(b, b'?' | b'#')).next().unwrap_or_default();
    if reference.starts_with(b"?") {
        return Ok([if path.is_empty() { b"/" } else { path }, reference].concat());
    }
    let folder = path.iter().rposition(|b| *b == b'/').map_or(&b"/"[..], |end| &path[..=end]);
    Ok(without_dots(&[folder, reference].concat()))
}

/// The host, with its port, that the answer's Location names, if it names one.
pub(super) fn host(answer: Option<&Answer>) -> Result<Option<Vec<u8>>, String> {
    let location = location(answer)?;
    Ok(split(&location).0.map(<[u8]>::to_vec))
}

/// The line with all cookies: those of the line `before` and those that the answer sets, a later value
/// in place of an earlier one.
pub(super) fn cookie_line(before: &[u8], answer: Option<&Answer>) -> Vec<u8> {
    let before = before.strip_prefix(b"Cookie: ").unwrap_or_default();
    let mut pairs: Vec<Vec<u8>> = before
        .trim_ascii_end()
        .split(|b| *b == b';')
        .map(|pair| pair.trim_ascii().to_vec())
        .filter(|pair| !pair.is_empty())
        .collect();
    for line in answer.into_iter().flat_map(|answer| answer.fields.lines("set-cookie")) {
        let pair = line.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
        let name = |pair: &[u8]| pair.split(|b| *b == b'=').next().unwrap_or_default().to_vec();
        pairs.retain(|known| name(known) != name(pair));
        pairs.push(pair.to_vec());
    }
    match pairs.is_empty() {
        true => Vec::new(),
        false => [b"Cookie: ", &pairs.join(&b"; "[..])[..], b"\r\n"].concat(),
    }
}

fn location(answer: Option<&Answer>) -> Result<Vec<u8>, String> {
    let answer = answer.ok_or("there is no answer whose redirect could be followed")?;
    if !REDIRECTS.contains(&answer.status) {
        return Err(format!("the answer before is no redirect: its status is {}", answer.status));
    }
    let location = answer.fields.lines("location").next().filter(|value| !value.is_empty());
    location.map(<[u8]>::to_vec).ok_or_else(|| "the redirect has no Location".to_owned())
}

/// The authority, where there is one, and what comes after it.
fn split(location: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let scheme = location.iter().position(|b| !(b.is_ascii_alphanumeric() || b"+-.".contains(b)));
    let rest = match scheme {
        Some(end) if end > 0 && location[end..].starts_with(b"://") => &location[end + 3..],
        _ => match location.strip_prefix(b"//") {
            Some(rest) => rest,
            None => return (None, location),
        },
    };
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    (Some(&rest[..end]), &rest[end..])
}

/// RFC 3986 §5.2.4, the query left alone.
fn without_dots(target: &[u8]) -> Vec<u8> {
    let end = target.iter().position(|b| *b == b'?').unwrap_or(target.len());
    let (path, query) = target.split_at(end);
    let mut kept: Vec<&[u8]> = Vec::new();
    let segments: Vec<&[u8]> = path.split(|b| *b == b'/').skip(1).collect();
    for (at, segment) in segments.iter().enumerate() {
        match *segment {
            b"." | b".." => {
                if *segment == b".." {
                    kept.pop();
                }
                if at + 1 == segments.len() {
                    kept.push(b"");
                }
            }
            other => kept.push(other),
        }
    }
    [b"/", &kept.join(&b"/"[..])[..], query].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{AnswerReader, Asked};

    fn answer(head: &str) -> Answer {
        let mut reader = AnswerReader::new(Asked::default());
        reader.take(format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n").as_bytes());
        reader.finish(true).0.unwrap()
    }

    fn leads(from: &str, location: &str) -> String {
        let answer = answer(&format!("302 Found\r\nLocation: {location}"));
        String::from_utf8(target(Some(&answer), from.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn a_location_is_resolved_against_the_request_before() {
        for (location, leads_to) in [
            ("http://other:8080/a/b?c=d#e", "/a/b?c=d"),
            ("http://other", "/"),
            ("http://other?q", "/?q"),
            ("//other/x", "/x"),
            ("/x?y", "/x?y"),
            ("y/../z?q=../r", "/one/z?q=../r"),
            ("..", "/"),
            ("./", "/one/"),
            ("?q", "/one/two?q"),
            ("#top", "/one/two?old"),
        ] {
            assert_eq!(leads("/one/two?old", location), leads_to, "{location}");
        }
    }

    #[test]
    fn the_host_is_that_of_the_location_if_it_names_one() {
        let to = |location: &str| {
            host(Some(&answer(&format!("307 x\r\nLocation: {location}")))).unwrap()
        };
        assert_eq!(to("https://other:8443/x"), Some(b"other:8443".to_vec()));
        assert_eq!(to("/x://y"), None);
    }

    #[test]
    fn what_is_no_redirect_is_said() {
        let told = |head: &str| target(Some(&answer(head)), b"/").unwrap_err();
        assert_eq!(told("200 OK"), "the answer before is no redirect: its status is 200");
        assert_eq!(told("302 Found"), "the redirect has no Location");
        assert!(target(None, b"/").is_err());
    }

    #[test]
    fn cookies_add_up_and_change() {
        let first =
            cookie_line(b"", Some(&answer("200 OK\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2")));
        assert_eq!(first, b"Cookie: a=1; b=2\r\n");
        let next = cookie_line(&first, Some(&answer("200 OK\r\nSet-Cookie: a=3")));
        assert_eq!(next, b"Cookie: b=2; a=3\r\n");
        assert_eq!(cookie_line(b"", Some(&answer("200 OK"))), b"");
    }
}
