//! Reading one file for the searches that are left, once for all of them.

use std::io::{self, Read};
use std::path::Path;

use super::contents::Reading;
use super::criteria::Algorithm;
use super::decide::{Facts, by_content};
use super::digests::Digesting;
use super::finding::Found;
use super::lines::{Buffer, Next, Piece, lines_of, read_lines};
use super::long_line::LongLine;
use super::pass::{Pass, count};

/// A search that has not yet answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) group: usize,
    /// Its place in the group.
    pub(crate) position: usize,
    /// Its place among all.
    pub(crate) search: usize,
    /// The facts have decided: only the digest is missing.
    pub(crate) settled: bool,
}

/// A file to be read.
pub(crate) struct Reader<'r> {
    pub(crate) pass: &'r Pass<'r>,
    pub(crate) path: &'r Path,
    pub(crate) facts: Facts,
}

/// What a group's searches have learnt so far.
struct OfGroup {
    group: usize,
    wanted: Vec<usize>,
    reading: Reading,
    long: Option<LongLine>,
}

impl Reader<'_> {
    /// Reads the file, or a member of it, and says what is found.
    ///
    /// # Errors
    /// Reading fails: nothing was found, and nothing was ruled out.
    pub(crate) fn read(
        &self,
        content: &mut dyn Read,
        wanted: &[Wanted],
        member: Option<&str>,
        buffer: &mut Buffer,
    ) -> io::Result<()> {
        let algorithms = self.algorithms(wanted);
        let mut groups = self.groups(wanted);
        let mut content = Digesting::new(content, &algorithms);
        let mut settled = groups.iter().all(|of| of.reading.is_settled());
        if !settled || !algorithms.is_empty() {
            read_lines(&mut content, buffer, |piece| {
                if self.pass.is_over() {
                    return Err(io::Error::from(io::ErrorKind::TimedOut));
                }
                if !settled {
                    for of in &mut groups {
                        self.piece(of, &piece)?;
                    }
                    settled = groups.iter().all(|of| of.reading.is_settled() && of.long.is_none());
                }
                Ok(if settled && algorithms.is_empty() { Next::Enough } else { Next::More })
            })?;
        }
        count(&self.pass.tally().octets, content.octets);
        let digests = content.digests();
        for one in wanted {
            let search = &self.pass.searches[one.search];
            let reading = groups.iter().find(|of| of.group == one.group).map(|of| &of.reading);
            let holds = (!search.contents.is_empty())
                .then(|| reading.is_some_and(|reading| reading.holds(one.position)));
            if one.settled || !search.judges_content() || by_content(search, holds, &digests) {
                let sha256 = digests
                    .iter()
                    .find(|(algorithm, _)| {
                        search.options.returnsha256 && *algorithm == Algorithm::Sha256
                    })
                    .map(|(_, hex)| hex.clone());
                let Facts { size, mode, mtime } = self.facts;
                let member = member.map(ToOwned::to_owned);
                let path = self.path.to_owned();
                self.pass.found(Found {
                    search: one.search,
                    path,
                    member,
                    mtime,
                    mode,
                    size,
                    sha256,
                });
            }
        }
        Ok(())
    }

    fn algorithms(&self, wanted: &[Wanted]) -> Vec<Algorithm> {
        let mut algorithms: Vec<Algorithm> = Vec::new();
        for one in wanted {
            let search = &self.pass.searches[one.search];
            algorithms.extend(search.digests.iter().map(|(_, digest)| digest.algorithm()));
            algorithms.extend(search.options.returnsha256.then_some(Algorithm::Sha256));
        }
        algorithms.sort_unstable();
        algorithms.dedup();
        algorithms
    }

    fn groups(&self, wanted: &[Wanted]) -> Vec<OfGroup> {
        let Pass { searches, forest, .. } = self.pass;
        let mut groups: Vec<OfGroup> = Vec::new();
        let with_content =
            wanted.iter().filter(|one| !one.settled && !searches[one.search].contents.is_empty());
        // Wanted searches stand together by group.
        for chunk in with_content.collect::<Vec<_>>().chunk_by(|a, b| a.group == b.group) {
            let group = chunk[0].group;
            let contents = forest.groups[group].contents(searches);
            let wanted: Vec<usize> = chunk.iter().map(|one| one.position).collect();
            let reading = Reading::new(contents, &wanted);
            groups.push(OfGroup { group, wanted, reading, long: None });
        }
        groups
    }

    fn piece(&self, of: &mut OfGroup, piece: &Piece<'_>) -> io::Result<()> {
        match piece {
            Piece::Lines(lines) => {
                for line in lines_of(lines) {
                    if of.reading.is_settled() {
                        break;
                    }
                    of.reading.line(line);
                }
            }
            Piece::Part(part) => {
                if of.long.is_none() {
                    of.long = Some(self.long_line(of)?);
                }
                of.long.as_mut().map_or(Ok(()), |long| long.part(part))?;
            }
            Piece::PartsEnd => {
                if let Some(long) = of.long.take() {
                    of.reading.long_line(&long.end()?);
                }
            }
        }
        Ok(())
    }

    /// The wanted searches' contents for a line too long to be held.
    fn long_line(&self, of: &OfGroup) -> io::Result<LongLine> {
        let Pass { searches, forest, .. } = self.pass;
        let all = forest.groups[of.group].searches.iter().enumerate();
        LongLine::new(all.flat_map(|(position, search)| {
            let wanted = of.wanted.contains(&position);
            searches[*search].contents.iter().map(move |content| wanted.then(|| content.text()))
        }))
    }
}
