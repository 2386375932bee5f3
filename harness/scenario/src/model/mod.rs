//! What a scenario says, after binding: plain values that cannot be wrong.

mod case;
mod check;
mod journey;
mod origin;
mod setting;
mod site;
mod ssh;
mod step;
mod template;

pub use case::{Case, CaseId, Foreign, Level, LevelError, Settled};
pub use check::{
    Assertion, Check, Count, FileCheck, LogCheck, OriginCheck, RulesCheck, Status, Value,
};
pub use journey::{JourneySpec, JourneyStep};
pub use origin::{Answer, Body, Break, Chunking, Date, FieldValue, Interim, Origin, Rule, When};
pub use setting::{Setting, SettingError};
pub use site::{AccessLog, CacheSite, Paranoia, SiteClock, SiteSpec, UpstreamSite, WafSite};
pub use ssh::{Forwarding, SshClient, SshProbe};
pub use step::{
    Action, BodySpec, Capture, CaptureFrom, Framing, LoadSpec, LogAct, Ratio, Request, Step,
};
pub use template::{Filter, Part, Template};
