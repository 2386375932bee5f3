//! A file's mode in letters.

use rustix::fs::FileType;

/// As MIG's results have it: the type and the special bits as letters before the nine.
pub(crate) fn go(mode: u32) -> String {
    let mut text = String::with_capacity(12);
    text.push_str(match FileType::from_raw_mode(mode) {
        FileType::Directory => "d",
        FileType::Symlink => "L",
        FileType::BlockDevice => "D",
        FileType::Fifo => "p",
        FileType::Socket => "S",
        FileType::CharacterDevice => "Dc",
        _ => "",
    });
    for (bit, letter) in [(0o4000, 'u'), (0o2000, 'g'), (0o1000, 't')] {
        if mode & bit != 0 {
            text.push(letter);
        }
    }
    if text.is_empty() {
        text.push('-');
    }
    (0..9).for_each(|place| text.push(permission(mode, place)));
    text
}

/// As ls(1) has it.
pub(crate) fn ls(mode: u32) -> String {
    let mut text = String::with_capacity(10);
    text.push(match FileType::from_raw_mode(mode) {
        FileType::Directory => 'd',
        FileType::Symlink => 'l',
        FileType::BlockDevice => 'b',
        FileType::Fifo => 'p',
        FileType::Socket => 's',
        FileType::CharacterDevice => 'c',
        _ => '-',
    });
    for place in 0..9 {
        let letter = permission(mode, place);
        let special = match place {
            2 => (mode & 0o4000 != 0).then_some('s'),
            5 => (mode & 0o2000 != 0).then_some('s'),
            8 => (mode & 0o1000 != 0).then_some('t'),
            _ => None,
        };
        text.push(match special {
            Some(special) if letter == '-' => special.to_ascii_uppercase(),
            Some(special) => special,
            None => letter,
        });
    }
    text
}

fn permission(mode: u32, place: u32) -> char {
    match mode & (0o400 >> place) {
        0 => '-',
        _ => ['r', 'w', 'x'][place as usize % 3],
    }
}
