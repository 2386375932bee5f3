//! Groups that sshd may give to who asks for one: moduli(5).

/// Groups below 3072 bits have 112 bits of strength, which NIST SP 800-57 takes for enough until 2030 only.
/// moduli(5) has the size less one.
const WANTED: u32 = 3071;

/// How many groups there are, and the sizes in bits of those that are too small.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Groups {
    pub(super) all: usize,
    pub(super) small: Vec<u32>,
}

/// Reads the file: `timestamp type tests trials size generator modulus`.
pub(super) fn groups(text: &str) -> Groups {
    let mut groups = Groups::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let size = line.split_ascii_whitespace().nth(4).and_then(|size| size.parse::<u32>().ok());
        let Some(size) = size else { continue };
        groups.all += 1;
        if size < WANTED {
            groups.small.push(size + 1);
        }
    }
    groups
}

impl Groups {
    /// `7 of 12 groups have less than 3072 bits, the smallest 2048`
    pub(super) fn said(&self) -> Option<String> {
        let smallest = self.small.iter().min()?;
        let (few, all) = (self.small.len(), self.all);
        Some(format!("{few} of {all} groups have less than 3072 bits, the smallest {smallest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_less_one() {
        let text = "# Time Type Tests Tries Size Generator Modulus\n20120821 2 6 100 3071 2 F\n20120821 2 6 100 2047 2 F\n\
                    20120821 2 6 100 1535 5 F\nrubbish\n";
        assert_eq!(groups(text), Groups { all: 3, small: vec![2048, 1536] });
        let said = "2 of 3 groups have less than 3072 bits, the smallest 1536";
        assert_eq!(groups(text).said().as_deref(), Some(said));
        assert_eq!(groups("").said(), None);
    }
}
