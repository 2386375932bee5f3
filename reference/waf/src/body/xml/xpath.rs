//! The small part of XPath 1.0 that rules use: `/*` and `//@*` everywhere in the Core Rule Set, and
//! plain location paths such as `//user/@id` or `/order/item/text()` in rules of sites. Anything
//! more, such as predicates and functions, is a mistake when the rules are loaded.

use super::super::steps::took;
use super::Xml;

/// The values of elements may take that many bytes beside the document's own text ...
const VALUES_FREE: usize = 64 << 10;
/// ... and so many times that text.
const VALUES_PER_BYTE: usize = 4;
/// The steps of a path.
const LONGEST: usize = 32;

/// A location path from the root of the document: steps of `/` and `//`, each `*` or a name; the
/// last may be `@*`, `@name` or `text()`.
///
/// Names of elements and attributes are compared without their prefix, in the path and in the
/// document: a rule that names `soap:Body` must not be evaded by another prefix, and needs no
/// `xmlns` action. That selects a little more than XPath would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XPath {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    /// `//`: at any depth. `/`: right below.
    any_depth: bool,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    /// A name, or any.
    Element(Option<String>),
    /// A name, or any.
    Attribute(Option<String>),
    Text,
}

/// Why a path can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum XPathError {
    /// It does not begin with `/`.
    #[error("a path begins with `/` or `//`")]
    NotAbsolute,
    /// A step is none of those that are known, at that byte of the path.
    #[error("only names, `*`, `@name`, `@*` and `text()` are known here, no other XPath")]
    Step(usize),
    /// `@` or `text()` before the last step, at that byte of the path.
    #[error("nothing can follow an attribute or `text()`")]
    NotLast(usize),
    /// More than 32 steps.
    #[error("the path has more than 32 steps")]
    TooLong,
}

impl XPath {
    /// Reads a path.
    ///
    /// # Errors
    /// [`XPathError`] where it is none, or uses more of XPath than is known here.
    pub fn parse(path: &str) -> Result<Self, XPathError> {
        let mut rest = path.trim();
        let mut steps: Vec<Step> = Vec::new();
        if !rest.starts_with('/') {
            return Err(XPathError::NotAbsolute);
        }
        while let Some(behind) = rest.strip_prefix('/') {
            let at = path.trim_end().len() - rest.len();
            if steps.last().is_some_and(|step| !matches!(step.test, Test::Element(_))) {
                return Err(XPathError::NotLast(at));
            }
            let (any_depth, behind) = match behind.strip_prefix('/') {
                Some(behind) => (true, behind),
                None => (false, behind),
            };
            let (step, after) = behind.split_at(behind.find('/').unwrap_or(behind.len()));
            let test = test(step).ok_or(XPathError::Step(at))?;
            steps.push(Step { any_depth, test });
            rest = after;
        }
        if steps.len() > LONGEST { Err(XPathError::TooLong) } else { Ok(Self { steps }) }
    }

    /// The values of the nodes that the path selects, in document order.
    ///
    /// `/*` also gives the texts that are in no element (see [`super`]). The values of elements
    /// within elements repeat their text: when they have grown to four times the document's text
    /// and 64 KiB, no more follow; the outermost, which have it all, come first.
    #[must_use]
    pub fn values<'x>(&self, xml: &'x Xml) -> Vec<&'x [u8]> {
        let Some((last, _)) = self.steps.split_last() else { return Vec::new() };
        match &last.test {
            Test::Element(_) => self.element_values(xml),
            Test::Attribute(name) => {
                let owned = self.owners(xml);
                let select = |attribute: &&super::Attribute| {
                    let named =
                        name.as_deref().is_none_or(|name| name == xml.name(&attribute.name));
                    named && owned.holds(attribute.owner)
                };
                let selected = xml.attributes.iter().filter(select);
                selected.map(|attribute| xml.values[attribute.value.clone()].as_bytes()).collect()
            }
            Test::Text => {
                let owned = self.owners(xml);
                let selected = xml.text_nodes.iter().filter(|node| owned.holds(node.owner));
                selected.map(|node| xml.text[node.content.clone()].as_bytes()).collect()
            }
        }
    }

    fn element_values<'x>(&self, xml: &'x Xml) -> Vec<&'x [u8]> {
        let content = |element: &super::Element| xml.text[element.content.clone()].as_bytes();
        if self.steps == [Step { any_depth: false, test: Test::Element(None) }] {
            let roots = xml.roots.iter().map(|&root| content(&xml.elements[root]));
            let strays = xml.strays.iter().map(|range| xml.stray[range.clone()].as_bytes());
            return roots.chain(strays).collect();
        }
        let mut left = VALUES_FREE + xml.text.len().saturating_mul(VALUES_PER_BYTE);
        let mut values = Vec::new();
        for (element, state) in xml.elements.iter().zip(self.states(xml)) {
            if state.here & 1 << self.steps.len() == 0 {
                continue;
            }
            let Some(rest) = left.checked_sub(element.content.len()) else { break };
            left = rest;
            values.push(content(element));
        }
        values
    }

    /// The elements whose attributes or texts the last step selects.
    fn owners(&self, xml: &Xml) -> Owners {
        let before = 1 << (self.steps.len() - 1);
        let any_depth = self.steps.last().is_some_and(|step| step.any_depth);
        if any_depth && self.steps.len() == 1 {
            return Owners::All;
        }
        let owns = |state: State| {
            let reached = if any_depth { state.above } else { state.here };
            reached & before != 0
        };
        Owners::Some(self.states(xml).into_iter().map(owns).collect())
    }

    /// How far the path is matched at each element.
    fn states(&self, xml: &Xml) -> Vec<State> {
        const ROOT: State = State { here: 1, above: 1 };
        took(xml.elements.len() * self.steps.len());
        let mut states: Vec<State> = Vec::with_capacity(xml.elements.len());
        for element in &xml.elements {
            let parent = element.parent.map_or(ROOT, |parent| states[parent]);
            let name = xml.name(&element.name);
            let mut here = 0;
            for (index, step) in self.steps.iter().enumerate() {
                let reached = if step.any_depth { parent.above } else { parent.here };
                let fits = match &step.test {
                    Test::Element(wanted) => wanted.as_deref().is_none_or(|wanted| wanted == name),
                    Test::Attribute(_) | Test::Text => false,
                };
                if fits && reached & 1 << index != 0 {
                    here |= 1 << (index + 1);
                }
            }
            states.push(State { here, above: parent.above | here });
        }
        states
    }
}

/// Bit n: the first n steps are matched.
#[derive(Debug, Clone, Copy)]
struct State {
    /// ... by this node.
    here: u64,
    /// ... by this node or one of its ancestors.
    above: u64,
}

enum Owners {
    All,
    /// For each element.
    Some(Vec<bool>),
}

impl Owners {
    fn holds(&self, element: usize) -> bool {
        match self {
            Self::All => true,
            Self::Some(owns) => owns[element],
        }
    }
}

fn test(step: &str) -> Option<Test> {
    if step == "text()" {
        return Some(Test::Text);
    }
    match step.strip_prefix('@') {
        Some(name) => Some(Test::Attribute(local_name(name)?)),
        None => Some(Test::Element(local_name(step)?)),
    }
}

/// The name without its prefix, None for `*`. The outer None: it is no name.
fn local_name(name: &str) -> Option<Option<String>> {
    let (prefix, local) = name.split_once(':').unwrap_or(("x", name));
    let is_name = |name: &str| {
        let mut characters = name.chars();
        characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
            && characters.all(|other| other.is_alphanumeric() || "_-.".contains(other))
    };
    if !is_name(prefix) {
        None
    } else if local == "*" {
        Some(None)
    } else {
        is_name(local).then(|| Some(local.to_owned()))
    }
}
