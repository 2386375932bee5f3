//! Texts with wildcards: globs, and SQL's LIKE.

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Any characters, or none.
    Any,
    /// One character.
    One,
    /// This one.
    Is(char),
}

/// A pattern that a whole text fits or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wildcard {
    parts: Vec<Part>,
    ignores_case: bool,
}

impl Wildcard {
    /// SQL's LIKE: `%` is anything, `_` one character, `\` takes its meaning from the next.
    /// `None` where the pattern ends with such a `\`.
    #[must_use]
    pub fn like(text: &str, ignores_case: bool) -> Option<Self> {
        let mut parts = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            parts.push(match character {
                '%' => Part::Any,
                '_' => Part::One,
                '\\' => Part::Is(characters.next()?),
                plain => Part::Is(plain),
            });
        }
        Some(Self { parts, ignores_case })
    }

    /// A glob: `*` is anything, `?` one character.
    #[must_use]
    pub fn glob(text: &str, ignores_case: bool) -> Self {
        let part = |character| match character {
            '*' => Part::Any,
            '?' => Part::One,
            plain => Part::Is(plain),
        };
        Self { parts: text.chars().map(part).collect(), ignores_case }
    }

    /// Whether the whole text fits.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut part) = (0, 0);
        // Where the last `Any` stands, and how far its text reaches so far.
        let mut last_any: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.parts.get(part) {
                Some(Part::Any) => {
                    last_any = Some((part, at));
                    part += 1;
                }
                Some(Part::One) => (at, part) = (at + 1, part + 1),
                Some(Part::Is(character)) if self.same(*character, text[at]) => {
                    (at, part) = (at + 1, part + 1);
                }
                _ => match last_any {
                    Some((any, reached)) => {
                        last_any = Some((any, reached + 1));
                        (at, part) = (reached + 1, any + 1);
                    }
                    None => return false,
                },
            }
        }
        self.parts[part..].iter().all(|part| *part == Part::Any)
    }

    fn same(&self, a: char, b: char) -> bool {
        a == b || self.ignores_case && a.to_lowercase().eq(b.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn like_as_sql_has_it() {
        let fits = |pattern: &str, text: &str| {
            Wildcard::like(pattern, false).expect("a pattern").fits(text)
        };
        let ident = "Red Hat Enterprise Linux Server release 6.6 (Santiago)";
        assert!(fits("Red Hat Enterprise Linux Server release 6.6%", ident));
        assert!(!fits("red hat%", ident));
        assert!(!fits("Red Hat", ident), "the whole text must fit");
        assert!(fits("%6._%", ident));
        assert!(fits("100\\%", "100%"));
        assert!(!fits("100\\%", "1000"));
        assert!(fits("%", "") && !fits("_", ""));
        assert!(Wildcard::like("%\\", false).is_none());
        assert!(Wildcard::like("RED%", true).expect("a pattern").fits("red hat"));
    }

    #[test]
    fn globs_of_hosts() {
        let glob = Wildcard::glob("web*.example.net", true);
        assert!(glob.fits("web1.example.net") && glob.fits("WEB.Example.Net"));
        assert!(!glob.fits("web1.example.netz") && !glob.fits("db1.example.net"));
    }

    proptest! {
        /// As a regex has it, whatever the pattern.
        #[test]
        fn like_is_a_regex(pattern in "[ab%_]{0,8}", text in "[ab]{0,10}") {
            let regex = format!("(?s)^{}$", pattern.replace('%', ".*").replace('_', "."));
            let regex = regex::Regex::new(&regex).expect("a regex");
            let like = Wildcard::like(&pattern, false).expect("a pattern");
            prop_assert_eq!(like.fits(&text), regex.is_match(&text));
        }
    }
}
