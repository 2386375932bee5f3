//! The parity transformations.

/// The byte with its eighth bit set or cleared, as if it were that of even parity. ModSecurity counts the bits of
/// all eight, so that a byte that had it already may lose it.
pub(super) fn even(byte: u8) -> u8 {
    if byte.count_ones() % 2 == 1 { byte | 0x80 } else { byte & 0x7f }
}

/// The same for odd parity.
pub(super) fn odd(byte: u8) -> u8 {
    even(byte) ^ 0x80
}
