//! A pattern repeated up to a size, without holding all of it.

const BLOCK: usize = 64 * 1024;

/// Pieces of the repeated pattern.
#[derive(Debug)]
pub(crate) struct Filling {
    block: Vec<u8>,
    left: u64,
}

impl Filling {
    /// An empty pattern counts as a space.
    pub(crate) fn new(pattern: &[u8], size: u64) -> Self {
        let pattern = if pattern.is_empty() { b" " } else { pattern };
        // Only whole patterns, so that one block can follow another.
        let block = pattern.repeat((BLOCK / pattern.len()).max(1));
        Self { block, left: size }
    }

    pub(crate) fn next_piece(&mut self) -> Option<&[u8]> {
        let size = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.block.len());
        self.left -= size as u64;
        (size > 0).then(|| &self.block[..size])
    }

    /// All of it at once.
    pub(crate) fn all(pattern: &[u8], size: u64) -> Vec<u8> {
        let mut filling = Self::new(pattern, size);
        let mut bytes = Vec::new();
        while let Some(piece) = filling.next_piece() {
            bytes.extend_from_slice(piece);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_goes_on_across_blocks() {
        let bytes = Filling::all(b"abc", 200_000);
        assert_eq!(bytes.len(), 200_000);
        assert!(bytes.iter().enumerate().all(|(at, b)| *b == b"abc"[at % 3]));
        assert!(Filling::all(b"abc", 0).is_empty());
    }
}
