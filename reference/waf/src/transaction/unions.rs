//! For whole variables: which operators may match any of its values.

use crate::plan::Pipeline;
use crate::variable::Variable;

/// What is known in the current phase, for a variable and a list of transformations.
#[derive(Debug)]
pub(crate) struct Unions {
    /// For each variable where its row in `known` starts.
    rows: [Option<u32>; Variable::ALL.len()],
    /// A row has a place for each list of transformations: where its bits start.
    known: Vec<Option<u32>>,
    lists: usize,
    bits: Vec<u64>,
    words: usize,
}

impl Unions {
    /// `lists` and `words` as for [`super::texts::Texts::new`].
    pub(crate) fn new(lists: usize, words: usize) -> Self {
        Self { rows: [None; _], known: Vec::new(), lists, bits: Vec::new(), words }
    }

    /// Forgets all: a phase begins.
    pub(crate) fn clear(&mut self) {
        self.rows.fill(None);
        self.known.clear();
        self.bits.clear();
    }

    /// Where the bits are, if they are known.
    pub(crate) fn get(&self, variable: Variable, pipeline: Pipeline) -> Option<usize> {
        let row = self.rows[variable as usize]? as usize;
        self.known[row + pipeline.index()].map(|at| at as usize)
    }

    /// Makes room for bits, none of them set, and says where.
    pub(crate) fn add(&mut self, variable: Variable, pipeline: Pipeline) -> usize {
        let at = self.bits.len();
        self.bits.resize(at + self.words, 0);
        let row = self.rows[variable as usize].get_or_insert_with(|| {
            let row = self.known.len();
            self.known.resize(row + self.lists, None);
            row as u32
        });
        self.known[*row as usize + pipeline.index()] = Some(at as u32);
        at
    }

    /// Sets more bits.
    pub(crate) fn merge(&mut self, at: usize, more: &[u64]) {
        for (word, more) in self.bits[at..at + self.words].iter_mut().zip(more) {
            *word |= more;
        }
    }

    /// The bits.
    pub(crate) fn bits(&self, at: usize) -> &[u64] {
        &self.bits[at..at + self.words]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Pipelines;
    use crate::transform::Transformation;

    #[test]
    fn bits_are_kept_for_each_variable_and_list_until_the_phase_ends() {
        let mut pipelines = Pipelines::new();
        let lower = pipelines.intern(&[Transformation::Lowercase]);
        let mut unions = Unions::new(pipelines.len(), 2);
        assert_eq!(unions.get(Variable::Args, lower), None);
        let args = unions.add(Variable::Args, lower);
        let cookies = unions.add(Variable::RequestCookies, Pipeline::RAW);
        unions.merge(args, &[1, 4]);
        unions.merge(args, &[2, 4]);
        assert_eq!(unions.get(Variable::Args, lower), Some(args));
        assert_eq!(unions.bits(args), [3, 4]);
        assert_eq!(unions.bits(cookies), [0, 0]);
        assert_eq!(unions.get(Variable::Args, Pipeline::RAW), None);
        unions.clear();
        assert_eq!(unions.get(Variable::Args, lower), None);
    }
}
