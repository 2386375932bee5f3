//! The binary packet protocol before encryption (RFC 4253 §6) and the data types in it (RFC 4251 §5).

/// RFC 4253 §6.1 asks for 35000 octets; nobody's lists are nearly as long.
const LONGEST_PACKET: usize = 256 * 1024;
/// Packets before encryption are padded to a multiple of this.
const BLOCK: usize = 8;

/// Reads the fields of a payload; `None` past its end.
#[derive(Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn u32(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    /// A string, also an mpint as it stands.
    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()? as usize;
        let (string, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(string)
    }

    pub(super) fn name_list(&mut self) -> Option<Vec<String>> {
        let names = String::from_utf8_lossy(self.string()?).into_owned();
        Some(names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }
}

pub(super) fn put_u32(out: &mut Vec<u8>, number: usize) {
    // Nothing that is written here is nearly as long.
    out.extend(u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
}

pub(super) fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u32(out, bytes.len());
    out.extend(bytes);
}

/// A positive integer, most significant octet first.
pub(super) fn put_mpint(out: &mut Vec<u8>, number: &[u8]) {
    let from = number.iter().position(|octet| *octet != 0).unwrap_or(number.len());
    let number = &number[from..];
    let sign = usize::from(number.first().is_some_and(|octet| octet & 0x80 != 0));
    put_u32(out, number.len() + sign);
    out.extend(std::iter::repeat_n(0, sign));
    out.extend(number);
}

/// How many bits a positive mpint has.
pub(super) fn bits(mpint: &[u8]) -> u32 {
    let from = mpint.iter().position(|octet| *octet != 0).unwrap_or(mpint.len());
    let number = &mpint[from..];
    let Some(first) = number.first() else { return 0 };
    u32::try_from(number.len() * 8).unwrap_or(u32::MAX) - first.leading_zeros()
}

/// The payload as a packet.
pub(super) fn packet(payload: &[u8]) -> Vec<u8> {
    // At least four octets of padding.
    let padding = 2 * BLOCK - (5 + payload.len()) % BLOCK;
    let padding = if padding >= BLOCK + 4 { padding - BLOCK } else { padding };
    let mut packet = Vec::with_capacity(5 + payload.len() + padding);
    put_u32(&mut packet, 1 + payload.len() + padding);
    packet.push(u8::try_from(padding).unwrap_or(u8::MAX));
    packet.extend(payload);
    packet.resize(packet.len() + padding, 0);
    packet
}

/// The first packet's payload and the octets that it took; `None` asks for more octets.
pub(super) fn payload(input: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let mut reader = Reader(input);
    let Some(length) = reader.u32() else { return Ok(None) };
    let length = length as usize;
    if !(2..=LONGEST_PACKET).contains(&length) {
        return Err(format!("a packet says that it has {length} octets"));
    }
    let Some(packet) = reader.0.get(..length) else { return Ok(None) };
    Ok(Some((unpadded(packet)?.to_vec(), 4 + length)))
}

/// A packet without its length, its padding's length and its padding.
pub(super) fn unpadded(packet: &[u8]) -> Result<&[u8], String> {
    let padding = usize::from(packet.first().copied().unwrap_or_default());
    let payload = packet.get(1..packet.len().saturating_sub(padding)).unwrap_or_default();
    if payload.is_empty() {
        return Err("a packet is empty".to_owned());
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_have_no_needless_octets_and_are_positive() {
        let written = |number: &[u8]| {
            let mut out = Vec::new();
            put_mpint(&mut out, number);
            out
        };
        // RFC 4251 §5 has these two.
        assert_eq!(written(&[]), [0, 0, 0, 0]);
        assert_eq!(written(&[0x80]), [0, 0, 0, 2, 0, 0x80]);
        assert_eq!(written(&[0, 0, 9, 1]), [0, 0, 0, 2, 9, 1]);
        assert_eq!((bits(&[0, 0x80, 0]), bits(&[1]), bits(&[])), (16, 1, 0));
    }

    proptest! {
        #[test]
        fn a_payload_comes_out_as_it_went_in(payload in prop::collection::vec(any::<u8>(), 1..500)) {
            let packet = packet(&payload);
            prop_assert_eq!(packet.len() % BLOCK, 0);
            prop_assert!((4..4 + BLOCK).contains(&usize::from(packet[4])));
            for cut in 0..packet.len() {
                prop_assert_eq!(super::payload(&packet[..cut]), Ok(None));
            }
            let length = packet.len();
            prop_assert_eq!(super::payload(&packet), Ok(Some((payload, length))));
        }

        #[test]
        fn no_octets_make_it_panic(bytes: Vec<u8>) {
            let _ = payload(&bytes);
            let mut reader = Reader(&bytes);
            while reader.name_list().is_some() {}
            bits(&bytes);
        }
    }
}
