//! `edgeproof agent …`: words in, a result on standard output, an exit code.

mod action;
mod file;
pub(crate) mod integrity;
pub(crate) mod keys;
mod manifest;
pub(crate) mod netstat;
mod run;
pub(crate) mod sshd;

use std::ffi::OsString;

use run::Failure;

const HELP: &str = "\
The node agent: looks at this host and says what it found, never what is in a file.

Usage: edgeproof agent ACTION.json [FLAGS]     searches of a MIG action, in one pass over the disk
       edgeproof agent file [FLAGS]            one search; its flags below
       edgeproof agent keys --allowed FILE     every key that sshd would accept must be in FILE
       edgeproof agent netstat [FLAGS]         neighbours, addresses, sockets; its flags below
       edgeproof agent sshd                    is sshd set up as it should be? its flags below
       edgeproof agent integrity               Debian's packages: are their files what they were?
       edgeproof agent manifest make FOLDER    notes what a folder's files are
       edgeproof agent manifest check FILE     are they still so?

Flags of all:
  -t TARGET     only `local`
  -e TIME       end after that time: 50s, 1m30s
  -format F     human, json or mig
  -nice N       add N to the niceness, 0 to 19
  -idle         read from the disk only when nobody else does
  -memory SIZE  the most memory: 50m

Flags of file (as in MIG; patterns are regexes, ! before one inverts it):
  -path P       a folder or file to search in; again for more
  -name R, -content R, -mode R    the name, a line, the mode such as -rw-------
  -size B       <10m, >1k or 968        -mtime A   <90d (younger) or >1h (older)
  -md5 H, -sha1 H, -sha2 H, -sha256 H, -sha3 H
  -maxdepth N   levels below the path [1000]      -matchlimit N  files that are named [1000]
  -matchall=B   all that is asked must hold [true]
  -macroal      every line fits all contents      -mismatch K    turn round what a kind answers
  -returnsha256 -decompress -maxerrors N [30]
  -follow       follow links out of the path      -plainlines    take lists of keys as plain text
  -searchname S its name in the result [s1]

Flags of keys:
  -allowed F    keys as in authorized_keys, or an LDIF export (sshPublicKey)
  -peruser      a key must be that user's own in the LDIF (uid)
  -passwd F, -sshd-config F [/etc/passwd, /etc/ssh/sshd_config]
  -root DIR     what stands for /

Flags of netstat (each may stand again for more):
  -lm R, -nm R  the MAC of this host, of a neighbour, is such (regex)
  -li N, -ni N, -ci N  an address of this host, a neighbour, a peer lies in 10.0.0.0/8 or is 10.0.0.1
  -lp P         something listens on the port 22, or on 8000-8999
  -process R    of the sockets only those of such processes
  -known FILE   name the neighbours whose MAC is not in FILE

Flags of sshd:
  -f FILE       this configuration [that of each daemon that runs, or /etc/ssh/sshd_config]
  -pid N        only this daemon
  -sshd F       the program to ask [the daemon's own, or /usr/sbin/sshd]
  -level L      tell what matters as much: must, should, may or observe [observe]
  -passwd F, -group F [/etc/passwd, /etc/group]

Flags of integrity:
  -package P    only this package; again for more
  -older DIR    md5sums of earlier versions, such as a saved /var/lib/dpkg/info; again for more
  -root DIR     what stands for /

Flags of manifest:
  -o FILE       make: write there, not on standard output
  -hash H       make: blake3 or sha256 [blake3]
  -older FILE   check: an earlier manifest, which tells old content; again for more
  -folder DIR   check: where the folder is now
  -allownew     check: files that were not there are no finding

Exit codes: 0 all was looked at and nothing found · 1 found · 2 usage · 4 there was nothing to look at
            6 not everything could be looked at · 7 the agent broke
";

/// Runs the agent with its words; answers the exit code.
pub fn main(words: Vec<OsString>) -> u8 {
    let words: Result<Vec<String>, OsString> =
        words.into_iter().map(OsString::into_string).collect();
    let outcome = match &words {
        Err(word) => Err(Failure::Usage(format!("`{}` is not UTF-8", word.display()))),
        Ok(words) => dispatch(words),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.code()
        }
    }
}

fn dispatch(words: &[String]) -> Result<u8, Failure> {
    match words.split_first() {
        None => Err(Failure::Usage("what to look for? `edgeproof agent help` tells".to_owned())),
        Some((first, rest)) => match first.as_str() {
            "help" | "-h" | "-help" | "--help" => run::print(HELP).map(|()| 0),
            "file" => file::run(rest),
            "keys" => keys::run(rest),
            "integrity" => integrity::run(rest),
            "netstat" => netstat::run(rest),
            "sshd" => sshd::run(rest),
            "manifest" => manifest::run(rest),
            _ => action::run(words),
        },
    }
}
