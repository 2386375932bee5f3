//! Compressed files and archives: gzip, xz, tar and zip, one within the other to a bound, and no further.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;

/// Octets that a file may unpack to.
const MOST_OCTETS: u64 = 1 << 30;
/// Members that an archive may have.
const MOST_MEMBERS: usize = 100_000;
/// Memory that xz may take for its dictionary, in KiB.
const XZ_MEMORY: u32 = 32 << 10;
/// Octets of a tar header.
const TAR_HEADER: usize = 512;

/// Calls back with the unpacked content: once for a compressed or a plain file, once a member of an archive.
///
/// # Errors
/// The file is damaged or unpacks to more than the bound, or `each` fails.
pub(crate) fn each_member(
    file: File,
    path: &Path,
    mut each: impl FnMut(Option<&str>, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = BufReader::new(file);
    let start = file.fill_buf()?;
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return zip_members(file.into_inner(), &mut each);
    }
    let content: Box<dyn Read> = if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(file))
    } else if start.starts_with(&[0xfd, b'7', b'z', b'X', b'Z', 0]) {
        Box::new(lzma_rust2::XzReader::new_mem_limit(file, true, XZ_MEMORY))
    } else {
        Box::new(file)
    };
    let mut content = BufReader::with_capacity(8192, Bounded { inner: content, left: MOST_OCTETS });
    if is_tar(content.fill_buf()?) {
        tar_members(content, path, &mut each)
    } else {
        each(None, &mut content)
    }
}

fn is_tar(start: &[u8]) -> bool {
    start.len() >= TAR_HEADER && &start[257..262] == b"ustar"
}

fn tar_members(
    content: impl Read,
    path: &Path,
    each: &mut impl FnMut(Option<&str>, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut archive = tar::Archive::new(content);
    for (count, member) in archive.entries()?.enumerate() {
        if count == MOST_MEMBERS {
            return Err(too_much(&format!("{} has too many members", path.display())));
        }
        let mut member = member?;
        if member.header().entry_type().is_file() {
            let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
            each(Some(&name), &mut member)?;
        }
    }
    Ok(())
}

fn zip_members(
    mut file: File,
    each: &mut impl FnMut(Option<&str>, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    file.rewind()?;
    let mut archive = zip::ZipArchive::new(BufReader::new(file))?;
    if archive.len() > MOST_MEMBERS {
        return Err(too_much("it has too many members"));
    }
    let mut left = MOST_OCTETS;
    for index in 0..archive.len() {
        let member = archive.by_index(index)?;
        if member.is_file() {
            let name = member.name()?.into_owned();
            let mut content = Bounded { inner: member, left };
            each(Some(&name), &mut content)?;
            left = content.left;
        }
    }
    Ok(())
}

/// A reader that fails, rather than ends, beyond its bound: the rest was not looked at.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| too_much("it unpacks to more than 1 GiB"))?;
        Ok(read)
    }
}

fn too_much(reason: &str) -> io::Error {
    io::Error::other(reason)
}
