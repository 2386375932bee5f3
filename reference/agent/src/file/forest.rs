//! The paths of all searches as one tree, so that each folder is read once, and the searches in groups.

use std::collections::HashMap;
use std::ffi::{CString, OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::contents::Contents;
use super::search::{Kind, Search};

/// Searches of the same paths: their lines are matched together.
#[derive(Debug)]
pub(crate) struct Group {
    /// Indices of the searches.
    pub(crate) searches: Vec<usize>,
    pub(crate) classes: Vec<Class>,
    /// How deep the deepest of them looks; `u32::MAX` without a limit.
    pub(crate) depth: u32,
    /// One of them follows links.
    pub(crate) follows: bool,
    /// The only name that all of them ask for, where none looks below a folder.
    pub(crate) only_name: Option<CString>,
    /// They look at one file, so that their contents are needed but once.
    is_for_one_file: bool,
    contents: OnceLock<Arc<Contents>>,
}

impl Group {
    /// Its contents, compiled when the first file needs them, and kept if there may be a second.
    pub(crate) fn contents(&self, searches: &[Search]) -> Arc<Contents> {
        let compiled = || {
            let searches: Vec<_> = self.searches.iter().map(|search| &searches[*search]).collect();
            Arc::new(Contents::new(&searches))
        };
        match self.is_for_one_file {
            true => compiled(),
            false => Arc::clone(self.contents.get_or_init(compiled)),
        }
    }
}

/// Searches of a group that ask the same of a file's name.
#[derive(Debug)]
pub(crate) struct Class {
    /// Positions in the group.
    pub(crate) members: Vec<usize>,
    /// `u32::MAX` without a limit.
    pub(crate) depth: u32,
    /// The search whose names stand for all.
    pub(crate) names_of: usize,
}

/// A place in the tree of paths.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// By name.
    pub(crate) children: Vec<(OsString, Node)>,
    /// Groups that search from here on.
    pub(crate) groups: Vec<usize>,
}

impl Node {
    /// The topmost places below this one that are searched, with their paths.
    pub(crate) fn tops<'n>(&'n self, path: &Path, found: &mut Vec<(PathBuf, &'n Node)>) {
        if !self.groups.is_empty() {
            found.push((path.to_owned(), self));
            return;
        }
        for (name, child) in &self.children {
            child.tops(&path.join(name), found);
        }
    }

    pub(crate) fn child(&self, name: &OsStr) -> Option<&Node> {
        let found = self.children.binary_search_by(|(child, _)| (**child).cmp(name));
        found.ok().map(|at| &self.children[at].1)
    }
}

/// All searches, ready for the walk.
#[derive(Debug)]
pub(crate) struct Forest {
    pub(crate) groups: Vec<Group>,
    pub(crate) root: Node,
}

impl Forest {
    /// Sorts searches into groups and their paths into a tree.
    pub(crate) fn new(searches: &[Search]) -> Self {
        let paths = |search: &usize| &searches[*search].paths;
        let mut order: Vec<usize> = (0..searches.len()).collect();
        order.sort_by(|one, other| paths(one).cmp(paths(other)));
        let of_same_paths: Vec<&[usize]> =
            order.chunk_by(|one, other| paths(one) == paths(other)).collect();
        let groups =
            || of_same_paths.par_iter().map(|members| group(members.to_vec(), searches)).collect();
        let root = || {
            let of_group = |(index, members): (usize, &&[usize])| {
                paths(&members[0]).iter().map(move |path| (&**path, index))
            };
            let mut places: Vec<(&Path, usize)> =
                of_same_paths.iter().enumerate().flat_map(of_group).collect();
            places.sort();
            let mut root = Node::default();
            places.into_iter().for_each(|(path, group)| plant(&mut root, path, group));
            root
        };
        let (groups, root) = rayon::join(groups, root);
        Self { groups, root }
    }
}

/// Paths come in order, so that what a path shares with those before it, it shares with the last.
fn plant(root: &mut Node, path: &Path, group: usize) {
    let mut node = root;
    for part in path.components() {
        if let Component::Normal(name) = part {
            if node.children.last().is_none_or(|(last, _)| last != name) {
                node.children.push((name.to_owned(), Node::default()));
            }
            node = &mut node.children.last_mut().expect("it was put there").1;
        }
    }
    node.groups.push(group);
}

fn group(members: Vec<usize>, searches: &[Search]) -> Group {
    let classes = match &*members {
        [alone] => {
            vec![Class { members: vec![0], depth: depth_of(&searches[*alone]), names_of: *alone }]
        }
        several => classes(several, searches),
    };
    let only_name = only_name(&members, searches);
    Group {
        depth: classes.iter().map(|class| class.depth).max().unwrap_or(0),
        follows: members.iter().any(|search| searches[*search].options.follow),
        is_for_one_file: only_name.is_some() && searches[members[0]].paths.len() == 1,
        only_name,
        searches: members,
        classes,
        contents: OnceLock::new(),
    }
}

fn only_name(members: &[usize], searches: &[Search]) -> Option<CString> {
    let name = searches[members[0]].only_name()?;
    let is_one = name != b"." && name != b".." && !name.is_empty() && !name.contains(&b'/');
    let are_same = members[1..].iter().all(|search| searches[*search].only_name() == Some(name));
    CString::new(name).ok().filter(|_| is_one && are_same)
}

fn classes(members: &[usize], searches: &[Search]) -> Vec<Class> {
    let mut classes: Vec<Class> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (position, index) in members.iter().enumerate() {
        let search = &searches[*index];
        let class = *known.entry(names_key(search)).or_insert_with(|| {
            classes.push(Class { members: Vec::new(), depth: depth_of(search), names_of: *index });
            classes.len() - 1
        });
        classes[class].members.push(position);
    }
    classes
}

fn depth_of(search: &Search) -> u32 {
    match search.options.maxdepth {
        0 => u32::MAX,
        depth => depth,
    }
}

/// Equal for searches that ask the same of a name, at the same depth.
fn names_key(search: &Search) -> String {
    let Search { names, options, .. } = search;
    let names: Vec<_> = names.iter().map(|name| (name.inverted(), name.text())).collect();
    format!("{} {} {} {names:?}", options.maxdepth, options.matchall, search.is_turned(Kind::Name))
}
