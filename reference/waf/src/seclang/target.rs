//! What a rule looks at: `ARGS|!ARGS:token|&REQUEST_HEADERS:/^x-/`.

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Spanned, suggest};

use super::list::{Item, items};
use super::pattern;
use super::text::Text;
use crate::variable::Variable;

/// A variable, perhaps only a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The variable.
    pub variable: Variable,
    /// Which of a collection's values; [`Selector::All`] for a single value.
    pub selector: Selector,
    /// `&`: how many there are, not what they hold.
    pub count: bool,
    /// `!`: not these.
    pub exclude: bool,
}

/// Which values of a collection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// All of them.
    All,
    /// Those of this name, as written; looked up without regard to case.
    Name(Vec<u8>),
    /// Those whose name matches this pattern, `/…/` without its slashes; case does not count.
    Pattern(String),
    /// The parts of `XML` that this XPath expression selects.
    XPath(String),
}

/// The targets of a list. What cannot be read is told and left out.
pub(super) fn targets(text: &Text, diagnostics: &Diagnostics) -> Vec<Spanned<Target>> {
    let Some(items) = items(text, diagnostics) else { return Vec::new() };
    if items.is_empty() {
        diagnostics.push(
            Diagnostic::error("no variable to look at")
                .at(&text.span())
                .help("name one, such as ARGS or REQUEST_URI"),
        );
    }
    let before = std::iter::once(None).chain(items.iter().map(Some));
    let read = |(item, before)| target(item, before, diagnostics);
    items.iter().zip(before).filter_map(read).collect()
}

fn target(
    item: &Item,
    before: Option<&Item>,
    diagnostics: &Diagnostics,
) -> Option<Spanned<Target>> {
    let written = item.name.as_str();
    let (exclude, count) = (written.starts_with('!'), written.starts_with('&'));
    let name = item.name.from(usize::from(exclude || count));
    let Some(variable) = Variable::named(name.as_str()) else {
        diagnostics.push(unknown(&name, item, before));
        return None;
    };
    let selector = match &item.value {
        Some(value) => selector(variable, &name, value, diagnostics)?,
        None => Selector::All,
    };
    Some(item.whole.hold(Target { variable, selector, count, exclude }))
}

fn selector(
    variable: Variable,
    name: &Text,
    value: &Text,
    diagnostics: &Diagnostics,
) -> Option<Selector> {
    let written = value.as_str();
    if written.is_empty() {
        return Some(Selector::All);
    }
    if !variable.is_collection() {
        let single = format!("{} is one value: there is nothing to select", variable.name());
        diagnostics.push(
            Diagnostic::error(single).at(&value.span()).context(&name.span(), "not a collection"),
        );
        return None;
    }
    if variable == Variable::Xml {
        return Some(Selector::XPath(written.to_owned()));
    }
    let inside = written.strip_prefix('/').and_then(|it| it.strip_suffix('/'));
    if let Some(inside) = inside.filter(|it| !it.is_empty()) {
        pattern::check(&value.slice(1..value.len() - 1), diagnostics)?;
        return Some(Selector::Pattern(inside.to_owned()));
    }
    if let Some(at) = written.find("%{") {
        diagnostics.push(
            Diagnostic::error("a selector has no macros")
                .label(&value.span_of(at..at + 2), "begins here")
                .help("select with a pattern, such as /^x-/, or look at the name with ARGS_NAMES"),
        );
        return None;
    }
    Some(Selector::Name(written.as_bytes().to_vec()))
}

fn unknown(name: &Text, item: &Item, before: Option<&Item>) -> Diagnostic {
    let written = name.as_str();
    if let Some(why) = Variable::refused(written) {
        let known = written.to_ascii_uppercase();
        return Diagnostic::error(format!("the variable {known} is not supported"))
            .at(&name.span())
            .with_note(why);
    }
    if written.is_empty() {
        return Diagnostic::error("the name of a variable is missing").at(&item.whole.span());
    }
    let bare = written.trim_start_matches(['!', '&']);
    if bare.len() < written.len() && Variable::named(bare).is_some() {
        return Diagnostic::error("a target is either excluded (!) or counted (&)")
            .at(&item.whole.span())
            .help("one sign is enough");
    }
    let names = Variable::ALL.iter().map(|one| one.name());
    let near = suggest(written, names).map(|near| format!("did you mean `{near}`?"));
    Diagnostic::error(format!("unknown variable `{written}`"))
        .at(&name.span())
        .maybe_help(cut_pattern(before).or(near))
}

/// `ARGS:/a|b/`: what follows the bar is taken for a variable.
fn cut_pattern(before: Option<&Item>) -> Option<String> {
    let item = before.filter(|it| !it.quoted)?;
    let cut = item.value.as_ref().is_some_and(|it| it.as_str().starts_with('/'));
    let name = item.name.as_str();
    let help =
        || format!("a pattern with bars, commas or blanks stands in single quotes: {name}:'/…/'");
    (cut && !item.value.as_ref()?.as_str()[1..].ends_with('/')).then(help)
}
