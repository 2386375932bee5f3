//! The lists of transformations that rules use, as a tree: what two lists begin with in common is
//! computed once a value.

use smallvec::SmallVec;

use crate::transform::Transformation;

/// A list of transformations, as a place in [`Pipelines`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pipeline(u32);

impl Pipeline {
    /// No transformation.
    pub(crate) const RAW: Self = Self(0);

    /// Its number, from 0.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// All lists of a rule set, with every beginning of each. The root, number 0, is the empty list.
#[derive(Debug)]
pub(crate) struct Pipelines {
    nodes: Vec<Node>,
}

/// A list: a shorter one and the transformation behind it. The root has itself for a parent and no
/// step.
#[derive(Debug)]
struct Node {
    parent: Pipeline,
    step: Option<Transformation>,
}

impl Pipelines {
    /// Only the empty list.
    pub(crate) fn new() -> Self {
        Self { nodes: vec![Node { parent: Pipeline::RAW, step: None }] }
    }

    /// The place of a list, made where there is none yet.
    pub(crate) fn intern(&mut self, steps: &[Transformation]) -> Pipeline {
        steps.iter().fold(Pipeline::RAW, |parent, &step| self.child(parent, step))
    }

    fn child(&mut self, parent: Pipeline, step: Transformation) -> Pipeline {
        let is_child = |node: &Node| node.parent == parent && node.step == Some(step);
        let found = self.nodes.iter().position(is_child);
        let place = found.unwrap_or_else(|| {
            self.nodes.push(Node { parent, step: Some(step) });
            self.nodes.len() - 1
        });
        Pipeline(u32::try_from(place).expect("fewer lists of transformations than bytes of rules"))
    }

    /// The number of lists: one more than the greatest [`Pipeline::index`].
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The list without its last transformation, and that one. None for the empty list.
    pub(crate) fn last(&self, pipeline: Pipeline) -> Option<(Pipeline, Transformation)> {
        let node = &self.nodes[pipeline.index()];
        node.step.map(|step| (node.parent, step))
    }

    /// Every beginning of the list from its first transformation on, itself at the end.
    pub(crate) fn beginnings(&self, pipeline: Pipeline) -> SmallVec<[Pipeline; 8]> {
        let mut path = SmallVec::new();
        let mut at = pipeline;
        while let Some((parent, _)) = self.last(at) {
            path.push(at);
            at = parent;
        }
        path.reverse();
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_beginnings_are_shared() {
        use Transformation::{Lowercase, RemoveNulls, UrlDecodeUni};
        let mut pipelines = Pipelines::new();
        let long = pipelines.intern(&[UrlDecodeUni, Lowercase, RemoveNulls]);
        let short = pipelines.intern(&[UrlDecodeUni, Lowercase]);
        let other = pipelines.intern(&[Lowercase, UrlDecodeUni]);
        assert_eq!(pipelines.intern(&[]), Pipeline::RAW);
        assert_eq!(pipelines.intern(&[UrlDecodeUni, Lowercase]), short);
        assert_eq!(pipelines.last(long), Some((short, RemoveNulls)));
        assert_eq!(pipelines.last(Pipeline::RAW), None);
        assert_ne!(other, short);
        assert_eq!(pipelines.len(), 6);
        let beginnings = pipelines.beginnings(long);
        assert_eq!(beginnings.len(), 3);
        assert_eq!(&beginnings[1..], [short, long]);
        assert!(pipelines.beginnings(Pipeline::RAW).is_empty());
    }
}
