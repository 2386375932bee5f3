//! The paths of all searches as one tree, so that each folder is read once, and the searches in groups.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{CString, OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

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
    contents: OnceLock<Contents>,
}

impl Group {
    /// Its contents, compiled when the first file needs them.
    pub(crate) fn contents(&self, searches: &[Search]) -> &Contents {
        self.contents.get_or_init(|| {
            Contents::new(
                &self.searches.iter().map(|search| &searches[*search]).collect::<Vec<_>>(),
            )
        })
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
    pub(crate) children: BTreeMap<OsString, Node>,
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
        self.children.get(name)
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
        let mut by_paths: HashMap<&[PathBuf], usize> = HashMap::with_capacity(searches.len());
        let mut members: Vec<Vec<usize>> = Vec::new();
        for (index, search) in searches.iter().enumerate() {
            let group = *by_paths.entry(&search.paths).or_insert_with(|| {
                members.push(Vec::new());
                members.len() - 1
            });
            members[group].push(index);
        }
        let mut root = Node::default();
        let groups = members
            .into_iter()
            .enumerate()
            .map(|(index, members)| {
                for path in &searches[members[0]].paths {
                    plant(&mut root, path, index);
                }
                group(members, searches)
            })
            .collect();
        Self { groups, root }
    }
}

fn plant(root: &mut Node, path: &Path, group: usize) {
    let mut node = root;
    for part in path.components() {
        if let Component::Normal(name) = part {
            if !node.children.contains_key(name) {
                node.children.insert(name.to_owned(), Node::default());
            }
            node = node.children.get_mut(name).expect("it was put there");
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
    Group {
        depth: classes.iter().map(|class| class.depth).max().unwrap_or(0),
        follows: members.iter().any(|search| searches[*search].options.follow),
        only_name: only_name(&members, searches),
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
