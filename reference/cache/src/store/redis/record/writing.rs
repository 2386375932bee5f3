//! A response becomes a record.

use edgeproof_http1::Fields;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    ALWAYS_VALIDATED, DIGEST_AT, DIGEST_LEN, IF_ERROR, LAST_MODIFIED, MAGIC, NEVER_STALE, NO_VALUE,
    NORMAL_ONLY, OUTDATED, PART, PART_OF_UNKNOWN, PAYLOAD_AT, VERSION, WHILE_REVALIDATE, WHOLE,
    WITH_LINE,
};
use crate::DeltaSeconds;
use crate::content::Content;
use crate::freshness::Source;
use crate::stored::Parts;
use crate::vary::Selecting;

pub(super) fn encode(parts: &Parts) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PAYLOAD_AT + 1024 + parts.content.stored_length());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; DIGEST_LEN]);
    put_numbers(&mut bytes, parts);
    put_fields(&mut bytes, &parts.fields);
    put_fields(&mut bytes, &parts.trailers);
    put_selecting(&mut bytes, &parts.selecting);
    put_content(&mut bytes, &parts.content);
    let digest = xxh3_128(&bytes[PAYLOAD_AT..]);
    bytes[DIGEST_AT..PAYLOAD_AT].copy_from_slice(&digest.to_le_bytes());
    bytes
}

fn put_numbers(bytes: &mut Vec<u8>, parts: &Parts) {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    // Each is a bit of its own.
    let flags: u8 = [
        flag(parts.always_validated, ALWAYS_VALIDATED),
        flag(parts.never_stale, NEVER_STALE),
        flag(parts.outdated, OUTDATED),
        flag(parts.last_modified.is_some(), LAST_MODIFIED),
        flag(parts.stale_while_revalidate.is_some(), WHILE_REVALIDATE),
        flag(parts.stale_if_error.is_some(), IF_ERROR),
    ]
    .into_iter()
    .sum();
    let source = match parts.lifetime.source {
        Source::Explicit => 0,
        Source::Site => 1,
        Source::Heuristic => 2,
        Source::Nothing => 3,
    };
    bytes.extend_from_slice(&parts.status.to_le_bytes());
    bytes.extend_from_slice(&[flags, source]);
    for number in [
        parts.response_time.millisecond(),
        parts.initial_age,
        parts.date,
        parts.last_modified.unwrap_or(0),
    ] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    for seconds in [
        parts.lifetime.seconds,
        parts.stale_while_revalidate.unwrap_or(DeltaSeconds::ZERO),
        parts.stale_if_error.unwrap_or(DeltaSeconds::ZERO),
    ] {
        bytes.extend_from_slice(&seconds.seconds().to_le_bytes());
    }
}

fn put_fields(bytes: &mut Vec<u8>, fields: &Fields) {
    put_count(bytes, fields.len());
    for (name, value) in fields.iter() {
        put_text(bytes, name);
        put_text(bytes, value);
    }
}

fn put_selecting(bytes: &mut Vec<u8>, selecting: &Selecting) {
    put_count(bytes, selecting.entries().count());
    for (name, value) in selecting.entries() {
        put_text(bytes, name);
        match value {
            None => bytes.push(NO_VALUE),
            Some((None, normal)) => {
                bytes.push(NORMAL_ONLY);
                put_text(bytes, normal);
            }
            Some((Some(line), normal)) => {
                bytes.push(WITH_LINE);
                put_text(bytes, normal);
                put_text(bytes, line);
            }
        }
    }
}

fn put_content(bytes: &mut Vec<u8>, content: &Content) {
    let length = content.complete_length();
    bytes.push(match (content.is_whole(), length) {
        (true, _) => WHOLE,
        (false, Some(_)) => PART,
        (false, None) => PART_OF_UNKNOWN,
    });
    bytes.extend_from_slice(&length.unwrap_or(0).to_le_bytes());
    put_count(bytes, content.pieces().count());
    for (start, piece) in content.pieces() {
        bytes.extend_from_slice(&start.to_le_bytes());
        bytes.extend_from_slice(&(piece.len() as u64).to_le_bytes());
    }
    for (_, piece) in content.pieces() {
        bytes.extend_from_slice(piece);
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &[u8]) {
    put_count(bytes, text.len());
    bytes.extend_from_slice(text);
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    // A message's head is limited far below 4 GiB; a record that was cut here would be refused as
    // one of wrong length.
    bytes.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}
