//! The functions of templates: those of Go and of Sprig, which the format's own player adds, as far as test
//! data is made with them.

use std::hash::{BuildHasher, Hasher, RandomState};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Environment;

/// The names of all functions.
pub(super) const FUNCTIONS: [&str; 30] = [
    "repeat",
    "upper",
    "lower",
    "trim",
    "trimAll",
    "trimPrefix",
    "trimSuffix",
    "nospace",
    "replace",
    "substr",
    "trunc",
    "cat",
    "print",
    "quote",
    "squote",
    "b64enc",
    "b64dec",
    "urlquery",
    "html",
    "len",
    "add",
    "sub",
    "mul",
    "env",
    "randAlphaNum",
    "randAlpha",
    "randNumeric",
    "randAscii",
    "printf",
    "toString",
];

/// No text that a template makes is longer.
const LONGEST: usize = 64 << 20;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Text(Vec<u8>),
    Number(i64),
}

impl Item {
    /// As it is put into a text.
    pub(super) fn into_octets(self) -> Vec<u8> {
        match self {
            Item::Text(text) => text,
            Item::Number(number) => number.to_string().into_bytes(),
        }
    }
}

/// Calls a function that is in the list; what is wrong with its arguments, in words.
pub(super) fn call(
    name: &str,
    items: &[Item],
    environment: Environment<'_>,
) -> Result<Item, String> {
    let given = Arguments { name, items };
    let text = |bytes: Vec<u8>| Ok(Item::Text(bytes));
    match name {
        "repeat" => text(repeat(given.number(0, 2)?, &given.text(1, 2)?)?),
        "upper" => text(given.text(0, 1)?.to_ascii_uppercase()),
        "lower" => text(given.text(0, 1)?.to_ascii_lowercase()),
        "trim" => text(given.text(0, 1)?.trim_ascii().to_vec()),
        "trimAll" => {
            let (cut, whole) = (given.text(0, 2)?, given.text(1, 2)?);
            let start = whole.iter().position(|b| !cut.contains(b)).unwrap_or(whole.len());
            let end = whole.iter().rposition(|b| !cut.contains(b)).map_or(start, |last| last + 1);
            text(whole[start..end].to_vec())
        }
        "trimPrefix" => {
            let (prefix, whole) = (given.text(0, 2)?, given.text(1, 2)?);
            text(whole.strip_prefix(&prefix[..]).unwrap_or(&whole).to_vec())
        }
        "trimSuffix" => {
            let (suffix, whole) = (given.text(0, 2)?, given.text(1, 2)?);
            text(whole.strip_suffix(&suffix[..]).unwrap_or(&whole).to_vec())
        }
        "nospace" => {
            let whole = given.text(0, 1)?;
            text(whole.into_iter().filter(|b| !b.is_ascii_whitespace()).collect())
        }
        "replace" => text(replace(&given.text(0, 3)?, &given.text(1, 3)?, &given.text(2, 3)?)),
        "substr" => {
            let whole = given.text(2, 3)?;
            let bound = |at: i64| usize::try_from(at).map_or(whole.len(), |at| at.min(whole.len()));
            // A start before the text is its start, an end before it is its end.
            let start = if given.number(0, 3)? < 0 { 0 } else { bound(given.number(0, 3)?) };
            let end = bound(given.number(1, 3)?).max(start);
            text(whole[start..end].to_vec())
        }
        "trunc" => {
            let (most, whole) = (given.number(0, 2)?, given.text(1, 2)?);
            let size = usize::try_from(most.unsigned_abs()).unwrap_or(usize::MAX).min(whole.len());
            text(if most < 0 {
                whole[whole.len() - size..].to_vec()
            } else {
                whole[..size].to_vec()
            })
        }
        "cat" => text(given.all().join(&b' ')),
        "print" => text(given.all().concat()),
        "printf" => printf(&given),
        "quote" | "squote" => {
            let mark = if name == "quote" { b'"' } else { b'\'' };
            let quoted = |item: Vec<u8>| [&[mark][..], &item, &[mark]].concat();
            text(given.all().into_iter().map(quoted).collect::<Vec<_>>().join(&b' '))
        }
        "b64enc" => text(STANDARD.encode(given.text(0, 1)?).into_bytes()),
        "b64dec" => match STANDARD.decode(given.text(0, 1)?) {
            Ok(bytes) => text(bytes),
            Err(error) => Err(format!("`b64dec`: {error}")),
        },
        "urlquery" => text(super::super::request::form_encoded(&given.text(0, 1)?)),
        "html" => text(html(&given.text(0, 1)?)),
        "len" => given
            .text(0, 1)
            .map(|whole| Item::Number(i64::try_from(whole.len()).unwrap_or(i64::MAX))),
        "toString" => text(given.one(0, 1)?.clone().into_octets()),
        "add" | "sub" | "mul" => arithmetic(&given),
        "env" => {
            let wanted = String::from_utf8_lossy(&given.text(0, 1)?).into_owned();
            text(environment(&wanted).unwrap_or_default().into_bytes())
        }
        "randAlphaNum" => text(random(given.number(0, 1)?, |b| b.is_ascii_alphanumeric())?),
        "randAlpha" => text(random(given.number(0, 1)?, |b| b.is_ascii_alphabetic())?),
        "randNumeric" => text(random(given.number(0, 1)?, |b| b.is_ascii_digit())?),
        "randAscii" => text(random(given.number(0, 1)?, |b| (b' '..=b'~').contains(&b))?),
        other => Err(format!("unknown function `{other}`")),
    }
}

/// What a function is given.
struct Arguments<'g> {
    name: &'g str,
    items: &'g [Item],
}

impl Arguments<'_> {
    /// The argument at a place, of so many that there must be.
    fn one(&self, at: usize, count: usize) -> Result<&Item, String> {
        let found = self.items.len();
        if found != count {
            let plural = if count == 1 { "" } else { "s" };
            return Err(format!("`{}` takes {count} argument{plural}, found {found}", self.name));
        }
        Ok(&self.items[at])
    }

    fn text(&self, at: usize, count: usize) -> Result<Vec<u8>, String> {
        match self.one(at, count)? {
            Item::Text(text) => Ok(text.clone()),
            Item::Number(number) => {
                Err(format!("`{}`: expected a text, found the number {number}", self.name))
            }
        }
    }

    fn number(&self, at: usize, count: usize) -> Result<i64, String> {
        match self.one(at, count)? {
            Item::Number(number) => Ok(*number),
            Item::Text(text) => {
                let text = String::from_utf8_lossy(text);
                Err(format!("`{}`: expected a number, found the text {text:?}", self.name))
            }
        }
    }

    fn all(&self) -> Vec<Vec<u8>> {
        self.items.iter().cloned().map(Item::into_octets).collect()
    }
}

fn repeat(times: i64, text: &[u8]) -> Result<Vec<u8>, String> {
    let times =
        usize::try_from(times).map_err(|_| format!("`repeat`: {times} times is less than none"))?;
    match text.len().checked_mul(times) {
        Some(size) if size <= LONGEST => Ok(text.repeat(times)),
        _ => Err(format!("`repeat` makes more than {LONGEST} octets")),
    }
}

fn replace(old: &[u8], new: &[u8], whole: &[u8]) -> Vec<u8> {
    if old.is_empty() {
        return whole.to_vec();
    }
    let mut replaced = Vec::with_capacity(whole.len());
    let mut rest = whole;
    while let Some(at) = rest.windows(old.len()).position(|window| window == old) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(new);
        rest = &rest[at + old.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

fn html(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'&' => escaped.extend_from_slice(b"&amp;"),
            b'<' => escaped.extend_from_slice(b"&lt;"),
            b'>' => escaped.extend_from_slice(b"&gt;"),
            b'"' => escaped.extend_from_slice(b"&#34;"),
            b'\'' => escaped.extend_from_slice(b"&#39;"),
            0 => escaped.extend_from_slice("\u{fffd}".as_bytes()),
            other => escaped.push(other),
        }
    }
    escaped
}

/// `%s`, `%d`, `%v` and `%%`.
fn printf(given: &Arguments<'_>) -> Result<Item, String> {
    let Some((Item::Text(format), rest)) = given.items.split_first() else {
        return Err("`printf` needs a text that says how".to_owned());
    };
    let mut rest = rest.iter().cloned();
    let mut printed = Vec::new();
    let mut bytes = format.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            printed.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'%') => printed.push(b'%'),
            Some(b's' | b'd' | b'v') => match rest.next() {
                Some(item) => printed.extend(item.into_octets()),
                None => return Err("`printf`: more places than arguments".to_owned()),
            },
            _ => return Err("`printf` knows %s, %d, %v and %%".to_owned()),
        }
    }
    match rest.next() {
        None => Ok(Item::Text(printed)),
        Some(_) => Err("`printf`: more arguments than places".to_owned()),
    }
}

fn arithmetic(given: &Arguments<'_>) -> Result<Item, String> {
    let count = given.items.len();
    if count == 0 {
        return Err(format!("`{}` needs numbers", given.name));
    }
    let mut result = given.number(0, count)?;
    for at in 1..count {
        let next = given.number(at, count)?;
        let done = match given.name {
            "add" => result.checked_add(next),
            "sub" => result.checked_sub(next),
            _ => result.checked_mul(next),
        };
        result = done.ok_or_else(|| format!("`{}`: the number is too large", given.name))?;
    }
    Ok(Item::Number(result))
}

/// So many octets of a kind, differently each time.
fn random(count: i64, is_one: fn(u8) -> bool) -> Result<Vec<u8>, String> {
    let count = usize::try_from(count).ok().filter(|count| *count <= LONGEST);
    let count = count.ok_or_else(|| "a random text cannot have that length".to_owned())?;
    let known: Vec<u8> = (0..=127).filter(|b| is_one(*b)).collect();
    // Seeded by the system.
    let state = RandomState::new();
    let octet = |at: usize| {
        let mut hasher = state.build_hasher();
        hasher.write_usize(at);
        known[usize::try_from(hasher.finish() % known.len() as u64).unwrap_or_default()]
    };
    Ok((0..count).map(octet).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, items: &[Item]) -> String {
        match call(name, items, &|_| None) {
            Ok(item) => String::from_utf8_lossy(&item.into_octets()).into_owned(),
            Err(why) => why,
        }
    }

    fn text(text: &str) -> Item {
        Item::Text(text.as_bytes().to_vec())
    }

    #[test]
    fn every_function_does_what_its_name_says() {
        let n = Item::Number;
        let cases: Vec<(&str, Vec<Item>, &str)> = vec![
            ("repeat", vec![n(3), text("ab")], "ababab"),
            ("upper", vec![text("aé")], "Aé"),
            ("lower", vec![text("AB")], "ab"),
            ("trim", vec![text(" a ")], "a"),
            ("trimAll", vec![text("$"), text("$5$")], "5"),
            ("trimPrefix", vec![text("-"), text("--a")], "-a"),
            ("trimSuffix", vec![text("-"), text("a-")], "a"),
            ("nospace", vec![text(" a b\n")], "ab"),
            ("replace", vec![text("a"), text("bb"), text("axa")], "bbxbb"),
            ("substr", vec![n(1), n(3), text("abcd")], "bc"),
            ("substr", vec![n(-1), n(-1), text("abcd")], "abcd"),
            ("trunc", vec![n(2), text("abcd")], "ab"),
            ("trunc", vec![n(-3), text("abcd")], "bcd"),
            ("cat", vec![text("a"), n(1)], "a 1"),
            ("print", vec![text("a"), n(1)], "a1"),
            ("printf", vec![text("%s-%d%%"), text("a"), n(1)], "a-1%"),
            ("quote", vec![text("a"), text("b")], "\"a\" \"b\""),
            ("squote", vec![text("a")], "'a'"),
            ("b64enc", vec![text("a")], "YQ=="),
            ("b64dec", vec![text("YQ==")], "a"),
            ("urlquery", vec![text("a b&")], "a+b%26"),
            ("html", vec![text("<'&\">")], "&lt;&#39;&amp;&#34;&gt;"),
            ("len", vec![text("abc")], "3"),
            ("toString", vec![n(7)], "7"),
            ("add", vec![n(1), n(2), n(3)], "6"),
            ("sub", vec![n(1), n(2)], "-1"),
            ("mul", vec![n(3), n(4)], "12"),
            ("env", vec![text("X")], ""),
        ];
        let mut tried: Vec<&str> = cases.iter().map(|(name, ..)| *name).collect();
        for (name, items, expected) in &cases {
            assert_eq!(told(name, items), *expected, "{name}");
        }
        for name in ["randAlphaNum", "randAlpha", "randNumeric", "randAscii"] {
            let (one, other) = (told(name, &[n(40)]), told(name, &[n(40)]));
            assert!(one.len() == 40 && one != other, "{name}: {one}");
            tried.push(name);
        }
        assert!(FUNCTIONS.iter().all(|name| tried.contains(name)), "{tried:?}");
    }

    #[test]
    fn wrong_arguments_are_said() {
        let n = Item::Number;
        assert_eq!(told("repeat", &[n(-1), text("a")]), "`repeat`: -1 times is less than none");
        assert_eq!(
            told("repeat", &[n(i64::MAX), text("aa")]),
            "`repeat` makes more than 67108864 octets"
        );
        assert_eq!(told("upper", &[n(1)]), "`upper`: expected a text, found the number 1");
        assert_eq!(told("add", &[n(i64::MAX), n(1)]), "`add`: the number is too large");
        assert_eq!(told("printf", &[text("%x")]), "`printf` knows %s, %d, %v and %%");
        assert!(told("b64dec", &[text("?")]).starts_with("`b64dec`: "));
    }
}
