//! Values as YAML scalars that read back as they were, with what would be a placeholder of a scenario
//! spelled out.

/// A text; in quotes where it needs them.
pub(super) fn text(text: &str) -> String {
    octets(text.as_bytes())
}

/// A list of texts.
pub(super) fn words(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| text(word)).collect();
    format!("[{}]", words.join(", "))
}

/// Octets as the text of a scenario: what is no text becomes `{{hex:…}}`, and what is repeated very often
/// `{{fill:…}}`.
pub(super) fn octets(bytes: &[u8]) -> String {
    scalar(&template(bytes))
}

/// A text whose placeholders are meant.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    if !text.contains('\'') && text.chars().all(|c| !needs_escape(c)) {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            letter if needs_escape(letter) && u32::from(letter) <= 0xff => {
                quoted.push_str(&format!("\\x{:02x}", u32::from(letter)));
            }
            letter if needs_escape(letter) => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// A run of one octet that is at least so long is written as a filling.
const LONG_RUN: usize = 64;

/// Octets as a template of a scenario that makes them again.
pub(super) fn template(bytes: &[u8]) -> String {
    let mut made = String::new();
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let run = rest.iter().take_while(|b| **b == first).count();
        if run >= LONG_RUN && first.is_ascii_graphic() && !b"{}*".contains(&first) {
            made.push_str(&format!("{{{{fill:{}*{run}}}}}", char::from(first)));
            rest = &rest[run..];
            continue;
        }
        if rest.starts_with(b"{{") {
            made.push_str("{{hex:7b7b}}");
            rest = &rest[2..];
            continue;
        }
        match letter(rest) {
            Some(letter) => {
                made.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
            None => {
                // All that is no text in one go.
                let length = (1..rest.len()).find(|at| letter(&rest[*at..]).is_some());
                let length = length.unwrap_or(rest.len());
                let digits: String = rest[..length].iter().map(|b| format!("{b:02x}")).collect();
                made.push_str(&format!("{{{{hex:{digits}}}}}"));
                rest = &rest[length..];
            }
        }
    }
    made
}

/// The character at the front, if there is one that YAML can carry.
fn letter(bytes: &[u8]) -> Option<char> {
    let length = bytes.len().min(4);
    let front = match std::str::from_utf8(&bytes[..length]) {
        Ok(front) => front,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?,
    };
    front.chars().next()
}

/// Does it stand for itself without quotes, and for a text?
fn is_plain(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || " -_./()+".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text.chars().all(letter)
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        )
}

/// Characters that a quoted text carries only as an escape.
fn needs_escape(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeproof_diagnostics::{Diagnostics, Source, parse};
    use proptest::prelude::*;

    #[test]
    fn a_text_is_quoted_where_it_must_be() {
        for (value, written) in [
            ("A plain text", "A plain text"),
            ("true", "'true'"),
            ("4", "'4'"),
            ("a: b", "'a: b'"),
            ("it's", "\"it's\""),
            ("a\r\n\"\u{7f}", "\"a\\r\\n\\\"\\x7f\""),
            ("{{host}}", "'{{hex:7b7b}}host}}'"),
            ("", "''"),
        ] {
            assert_eq!(text(value), written);
        }
        assert_eq!(octets(b"a\xff\xfeb"), "'a{{hex:fffe}}b'");
        assert_eq!(octets(&[b'1'; 100]), "'{{fill:1*100}}'");
    }

    proptest! {
        /// Through YAML and through the scenario's own reading of templates.
        #[test]
        fn what_is_written_reads_back(bytes: Vec<u8>, braces in "[{}a*|:\\n']{0,80}") {
            for value in [bytes, braces.into_bytes()] {
                let yaml = format!(
                    "name: n\nspec: s\nsteps: [{{ raw: {{ bytes: {} }}, expect: {{ status: 200 }} }}]\n",
                    octets(&value)
                );
                let (cases, diagnostics) = edgeproof_scenario::bind_text("a.yaml", &yaml);
                prop_assert!(!diagnostics.has_errors(), "{yaml}");
                let edgeproof_scenario::model::Action::Raw { bytes, .. } = &cases[0].steps[0].action
                else { panic!() };
                prop_assert_eq!(bytes.as_literal().unwrap(), value);
            }
        }

        #[test]
        fn a_scalar_is_one_text(text: String) {
            let yaml = format!("a: {}\n", scalar(&text));
            let diagnostics = Diagnostics::new();
            let node = parse(&Source::new("a", yaml), &diagnostics).unwrap();
            prop_assert_eq!(node.get("a").and_then(|it| it.as_str()), Some(text.as_str()));
        }
    }
}
