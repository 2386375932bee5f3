//! Whose actions an agent accepts, and what each may ask: the file of `serve --trust`.
//!
//! ```yaml
//! keys:
//!   - { name: alice, key: "ed25519:…", may: [file, keys] }
//!   - { name: audit, key: "ed25519:…", may: all }
//! ```

use std::collections::BTreeSet;

use edgeproof_agent::Module;
use edgeproof_diagnostics::{Diagnostic, Diagnostics, MapReader, Source, Value, parse, suggest};

use crate::key::PublicKey;

/// Somebody who may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// For people and logs.
    pub name: String,
    /// What signs its actions.
    pub key: PublicKey,
    /// The modules that its actions may use.
    pub may: BTreeSet<Module>,
}

/// All who may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust(Vec<Asker>);

impl Trust {
    /// Reads the file's text.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read(path: &str, text: &str) -> Result<Self, Diagnostics> {
        let diagnostics = Diagnostics::new();
        let source = Source::new(path, text);
        let mut askers = Vec::new();
        if let Some(node) = parse(&source, &diagnostics) {
            let mut file = MapReader::new(&node, &diagnostics, "a file of trusted keys");
            let keys = file.required("keys");
            let read = keys.list(|one| asker(one, &diagnostics)).unwrap_or_default();
            file.finish();
            if read.is_empty() && keys.is_present() && !diagnostics.has_errors() {
                keys.reject::<()>("no key is trusted: nobody could ask this agent anything");
            }
            askers = read;
        }
        twice(&askers, &source, &diagnostics);
        if diagnostics.has_errors() { Err(diagnostics) } else { Ok(Self(askers)) }
    }

    /// These askers.
    pub fn of(askers: Vec<Asker>) -> Self {
        Self(askers)
    }

    /// Whose key it is.
    pub fn whose(&self, key: &PublicKey) -> Option<&Asker> {
        self.0.iter().find(|asker| asker.key == *key)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn asker(value: Value<'_>, diagnostics: &Diagnostics) -> Option<Asker> {
    let node = value.node()?;
    let mut map = MapReader::new(node, diagnostics, "a trusted key");
    let name = map.required("name").str().map(ToOwned::to_owned);
    let key = map.required("key").parse(str::parse::<PublicKey>);
    let may = map.required("may");
    let may = match may.node().and_then(|node| node.as_str()) {
        Some("all") => Some(Module::ALL.into_iter().collect()),
        _ => may.list(|one| module(one)).map(|all| all.into_iter().collect::<BTreeSet<_>>()),
    };
    map.finish();
    let asker = Asker { name: name?, key: key?, may: may? };
    if asker.may.is_empty() {
        return value.reject("this key may do nothing: list modules, or `all`");
    }
    Some(asker)
}

fn module(value: Value<'_>) -> Option<Module> {
    let text = value.str()?;
    if let Ok(module) = text.parse() {
        return Some(module);
    }
    let names = Module::ALL.map(Module::name);
    let help = match suggest(text, names) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("modules are {}", names.join(", ")),
    };
    let error = Diagnostic::error(format!("there is no module `{text}`")).help(help);
    value.report(match value.span() {
        Some(span) => error.at(span),
        None => error,
    })
}

/// The same key under two names would have the rights of the first.
fn twice(askers: &[Asker], source: &Source, diagnostics: &Diagnostics) {
    for (index, asker) in askers.iter().enumerate() {
        if askers[..index].iter().any(|other| other.key == asker.key) {
            let written = asker.key.to_string();
            let at = source.text().rfind(&written).unwrap_or_default();
            let span = source.span(at..at + written.len());
            let message = format!("the key of `{}` stands here twice", asker.name);
            diagnostics.push(Diagnostic::error(message).at(&span));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SecretKey;

    #[test]
    fn what_is_wrong_is_told_at_once() {
        let key = "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let text = format!(
            "keys:\n  - {{ name: alice, key: \"{key}\", may: [flie, keys] }}\n  - {{ name: bob, key: ssh-ed25519 AAAA, \
             may: all }}\n  - {{ nmae: eve, key: \"{key}\", may: [] }}\n"
        );
        let errors = Trust::read("trust.yaml", &text).expect_err("mistakes");
        insta::assert_snapshot!(errors.render(edgeproof_diagnostics::Colour::Never));
        for text in ["", "keys: []\n", "keys:\n"] {
            assert!(Trust::read("trust.yaml", text).is_err(), "{text:?}");
        }
        let text = format!(
            "keys:\n  - {{ name: a, key: \"{key}\", may: all }}\n  - {{ name: b, key: \"{key}\", may: [ping] }}\n"
        );
        assert!(Trust::read("trust.yaml", &text).is_err(), "one key twice");
    }

    #[test]
    fn rights_are_those_of_the_key() {
        let alice = SecretKey::new().expect("a key").public();
        let text = format!("keys:\n  - name: alice\n    key: {alice}\n    may: [file, ping]\n");
        let trust = Trust::read("trust.yaml", &text).unwrap_or_else(|errors| panic!("{errors:?}"));
        let asker = trust.whose(&alice).expect("alice");
        assert!(asker.may.contains(&Module::File) && !asker.may.contains(&Module::Keys));
        assert!(trust.whose(&SecretKey::new().expect("a key").public()).is_none());
    }
}
