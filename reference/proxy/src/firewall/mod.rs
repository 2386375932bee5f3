//! A site's firewall: requests and responses shown to the rules of `edgeproof-waf`, and what they
//! say done and written down.
//!
//! ```text
//!  head ─► phase 1 ─► body gathered ─► phase 2 ─► cache or origin ─► Reply ─► phases 3, 4 ─► client
//!            │                            │                                    │
//!            └───────── denied ───────────┴──► 403, quarantine                 └──► phase 5, logs
//! ```

mod audit;
mod gate;
mod gather;
mod inspection;
mod load;
mod outlet;
mod request;
mod transaction_id;

use std::sync::Arc;

use edgeproof_waf::{Collections, Quarantine, RuleSet};

pub(crate) use gate::{Gate, HeldBack, OfPiece};
pub(crate) use inspection::{Decision, Inspection, OfResponse};
pub(crate) use load::Loader;
pub(crate) use outlet::Outlet;
pub(crate) use request::Inspected;

/// A firewall at work.
pub(crate) struct Firewall {
    rules: Arc<RuleSet>,
    collections: Arc<Collections>,
    outlet: Outlet,
    quarantine: Option<Arc<Quarantine>>,
    /// The site's first host, for what is kept.
    site: String,
}

impl Firewall {
    /// Where it writes.
    pub(crate) fn outlet(&self) -> &Outlet {
        &self.outlet
    }
}
