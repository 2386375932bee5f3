//! Whether an agent takes an action: whose it is, what it may, whether its time is now, whether it came before.

use std::collections::HashMap;
use std::time::Duration;

use edgeproof_agent::Module;

use crate::envelope::{NoOrder, Order, Sealed};
use crate::id::Id;
use crate::key::PublicKey;
use crate::time::Moment;
use crate::trust::{Asker, Trust};

/// How far an asker's clock may be before the agent's.
pub const SKEW: Duration = Duration::from_secs(30);
/// The longest time for which an action may be good, so that what is remembered has an end.
pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Why an agent does not take an action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody whom this agent knows.
    #[error("the key {0} is not among those that this agent trusts")]
    ForeignKey(Box<PublicKey>),
    /// The key has not signed this, or what it signed is no order.
    #[error(transparent)]
    NoOrder(#[from] NoOrder),
    /// The key lacks the right.
    #[error("the key of {name} may not use the module {module}")]
    NoRight {
        /// The key's owner.
        name: String,
        /// What was asked.
        module: Module,
    },
    /// A module of a newer version, or a misspelt one.
    #[error("this agent has no module `{0}`")]
    NoModule(String),
    /// It names no module.
    #[error("the action asks for nothing")]
    Nothing,
    /// It was signed later than now.
    #[error("it was signed {0:?} from now: do the clocks agree?")]
    NotYet(Duration),
    /// Its time is over.
    #[error("it ended {0:?} ago: too late, or the clocks do not agree")]
    Expired(Duration),
    /// It would be good for too long.
    #[error("it would be good for {0:?}, which is more than a day")]
    TooLong(Duration),
    /// It came before.
    #[error("this agent has taken this action before")]
    Replayed,
    /// The text that is stored is not the one that was signed.
    #[error("the action's text is not the one that was signed")]
    OtherText,
    /// The text asks for more than what was signed says.
    #[error("the action's text uses the module {0}, which its order does not name")]
    Undeclared(Module),
    /// The target cannot be read.
    #[error("its target cannot be read: {0}")]
    Target(String),
    /// The text is no action for this agent.
    #[error("{0}")]
    Text(String),
}

impl Refusal {
    /// Whether the action is its asker's own. Else nobody is told: anybody can send something under its id.
    pub fn is_of_its_asker(&self) -> bool {
        !matches!(self, Self::NoOrder(NoOrder::Forged | NoOrder::OtherText))
    }

    /// Whether it takes no trusted key to be refused so: what somebody else has signed can be sent by anybody.
    pub fn is_anybodys(&self) -> bool {
        match self {
            Self::ForeignKey(_)
            | Self::NoOrder(_)
            | Self::NotYet(_)
            | Self::Expired(_)
            | Self::TooLong(_)
            | Self::Replayed => true,
            Self::NoRight { .. }
            | Self::NoModule(_)
            | Self::Nothing
            | Self::OtherText
            | Self::Undeclared(_)
            | Self::Target(_)
            | Self::Text(_) => false,
        }
    }
}

/// The ids of actions that were taken, each until it could not be taken again.
#[derive(Clone, Debug, Default)]
pub struct Seen(HashMap<Id, Moment>);

impl Seen {
    /// Remembers an action; `false` where it was known.
    pub fn remember(&mut self, id: Id, expires: Moment, now: Moment) -> bool {
        // Kept somewhat longer than it is good, for a clock that is set back.
        self.0.retain(|_, until| until.plus(SKEW) > now);
        match self.0.contains_key(&id) {
            true => false,
            false => {
                self.0.insert(id, expires);
                true
            }
        }
    }

    /// Until when an action is good, if it is remembered.
    pub fn until(&self, id: Id) -> Option<Moment> {
        self.0.get(&id).copied()
    }

    /// What is remembered, and until when.
    pub fn iter(&self) -> impl Iterator<Item = (Id, Moment)> + '_ {
        self.0.iter().map(|(id, until)| (*id, *until))
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An action that may be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted<'t> {
    /// What it asks.
    pub order: Order,
    /// The modules that it uses.
    pub modules: Vec<Module>,
    /// Who asks.
    pub asker: &'t Asker,
}

/// Decides. An action that is genuine and good now is remembered, be it for this agent or not.
///
/// # Errors
/// Why it is not taken.
pub fn admit<'t>(
    sealed: &Sealed<'_>,
    trust: &'t Trust,
    seen: &mut Seen,
    now: Moment,
) -> Result<Admitted<'t>, Refusal> {
    let asker = trust.whose(sealed.key()).ok_or(Refusal::ForeignKey(Box::new(*sealed.key())))?;
    let order = sealed.order()?;
    if order.issued > now.plus(SKEW) {
        return Err(Refusal::NotYet(order.issued.since(now)));
    }
    if order.expires <= now {
        return Err(Refusal::Expired(now.since(order.expires)));
    }
    if order.lasts() > LONGEST {
        return Err(Refusal::TooLong(order.lasts()));
    }
    if !seen.remember(sealed.id(), order.expires, now) {
        return Err(Refusal::Replayed);
    }
    let modules = order.known_modules().map_err(Refusal::NoModule)?;
    if modules.is_empty() {
        return Err(Refusal::Nothing);
    }
    match modules.iter().find(|module| !asker.may.contains(module)) {
        Some(module) => Err(Refusal::NoRight { name: asker.name.clone(), module: *module }),
        None => Ok(Admitted { order, modules, asker }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{Body, seal};
    use crate::key::SecretKey;

    const NOW: Moment = Moment(1_700_000_000_000);

    struct Scene {
        alice: SecretKey,
        trust: Trust,
        seen: Seen,
    }

    impl Scene {
        fn new() -> Self {
            let alice = SecretKey::new().expect("a key");
            let may = [Module::File, Module::Ping].into_iter().collect();
            let asker = Asker { name: "alice".to_owned(), key: alice.public(), may };
            Self { alice, trust: Trust::of(vec![asker]), seen: Seen::default() }
        }

        fn order() -> Order {
            Order {
                nonce: Id::new().expect("an id"),
                name: String::new(),
                target: "all".to_owned(),
                modules: vec!["file".to_owned()],
                issued: NOW,
                expires: NOW.plus(Duration::from_secs(50)),
                body: Body::of(b"", false),
            }
        }

        fn admits(&mut self, order: &Order, now: Moment) -> Result<Vec<Module>, Refusal> {
            let message = seal(order, b"", &self.alice);
            let sealed = Sealed::read(&message).expect("an action");
            admit(&sealed, &self.trust, &mut self.seen, now).map(|admitted| admitted.modules)
        }
    }

    #[test]
    fn an_action_is_taken_once() {
        let mut scene = Scene::new();
        let order = Scene::order();
        assert_eq!(scene.admits(&order, NOW), Ok(vec![Module::File]));
        assert_eq!(scene.admits(&order, NOW), Err(Refusal::Replayed));
        let later = NOW.plus(Duration::from_secs(49));
        assert_eq!(scene.admits(&order, later), Err(Refusal::Replayed));
        // What is no longer remembered has no time left.
        let over = NOW.plus(Duration::from_secs(500));
        assert_eq!(scene.admits(&order, over), Err(Refusal::Expired(Duration::from_secs(450))));
        assert!(
            scene
                .admits(&Order { issued: over, expires: over.plus(SKEW), ..Scene::order() }, over)
                .is_ok()
        );
        assert_eq!(scene.seen.len(), 1, "the first is forgotten");
    }

    #[test]
    fn a_window_is_kept() {
        let mut scene = Scene::new();
        let order = Scene::order();
        let early = Moment(NOW.0 - 31_000);
        assert_eq!(scene.admits(&order, early), Err(Refusal::NotYet(Duration::from_secs(31))));
        assert_eq!(scene.admits(&order, order.expires), Err(Refusal::Expired(Duration::ZERO)));
        let long = Order { expires: NOW.plus(LONGEST + SKEW), ..Scene::order() };
        assert_eq!(scene.admits(&long, NOW), Err(Refusal::TooLong(LONGEST + SKEW)));
        // None of these was remembered, and a clock a little behind is borne with.
        assert!(scene.admits(&order, Moment(NOW.0 - 29_000)).is_ok());
    }

    #[test]
    fn keys_and_rights() {
        let mut scene = Scene::new();
        let eve = SecretKey::new().expect("a key");
        let message = seal(&Scene::order(), b"", &eve);
        let sealed = Sealed::read(&message).expect("an action");
        let answer = admit(&sealed, &scene.trust, &mut scene.seen, NOW);
        assert_eq!(answer, Err(Refusal::ForeignKey(Box::new(eve.public()))));
        let forged = String::from_utf8(message).expect("text");
        let forged = forged.replace(&eve.public().to_string(), &scene.alice.public().to_string());
        let sealed = Sealed::read(forged.as_bytes()).expect("an action");
        let answer = admit(&sealed, &scene.trust, &mut scene.seen, NOW);
        assert_eq!(answer, Err(NoOrder::Forged.into()));
        assert!(scene.seen.is_empty(), "nobody else fills the memory");
        let modules = |names: &[&str]| Order {
            modules: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Scene::order()
        };
        let answer = scene.admits(&modules(&["file", "netstat"]), NOW);
        let name = "alice".to_owned();
        assert_eq!(answer, Err(Refusal::NoRight { name, module: Module::Netstat }));
        let answer = scene.admits(&modules(&["shell"]), NOW);
        assert_eq!(answer, Err(Refusal::NoModule("shell".to_owned())));
        assert_eq!(scene.admits(&modules(&[]), NOW), Err(Refusal::Nothing));
        assert!(scene.admits(&modules(&["ping", "file"]), NOW).is_ok());
    }
}
