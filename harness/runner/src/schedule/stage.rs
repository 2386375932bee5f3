//! Sets the scene for one play: its origin, its clock, its logs, its way to the target.

use std::sync::{Arc, Mutex};

use edgeproof_scenario::model::Case;
use edgeproof_target::SiteRequest;

use super::RunOptions;
use super::plan::Play;
use super::select::looks_at_logs;
use crate::clock::CaseClock;
use crate::logs::CaseLog;
use crate::origin::{CaseOrigin, Lease, OriginServer};
use crate::payload::Carry;
use crate::player::{Player, Progress};
use crate::surface::Surface;
use crate::variables::Variables;

/// A play with the port that it leased, before its target is started.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) play: Play,
    lease: Option<Lease>,
}

impl Prepared {
    /// Leases a port where the case's origin needs its own.
    pub(super) fn new(play: Play, origin: &OriginServer) -> std::io::Result<Self> {
        let lease = Lease::is_needed(&play.case.origin)
            .then(|| Lease::take(origin.address().ip()))
            .transpose()?;
        Ok(Self { play, lease })
    }

    /// What the target's configuration must have for it.
    pub(super) fn site(&self, origin: &OriginServer) -> SiteRequest {
        SiteRequest {
            id: self.play.id.clone(),
            host: self.play.host.clone(),
            upstream: self.lease.as_ref().map_or(origin.address(), Lease::address),
            prefix: format!("/~{}", self.play.id),
            spec: self.play.case.site.clone(),
        }
    }

    /// Must it have the target for itself? Where logs are shared, its lines are those that are written
    /// while nothing else happens.
    pub(super) fn is_alone(&self, surface: &Surface) -> bool {
        let Play { case, way, id, .. } = &self.play;
        let (access, waf) = looks_at_logs(case);
        let shared = |log: Option<&edgeproof_target::LogFile>| log.is_some_and(|log| log.shared);
        case.alone
            || way.is_exclusive()
            || (access && shared(surface.access_log(id)))
            || (waf && shared(surface.waf_log(id)))
    }

    /// Everything is in its place; the origin answers from here on, until the scene is struck.
    pub(super) fn set(
        mut self,
        surface: &Arc<Surface>,
        origin: &OriginServer,
        options: &RunOptions,
    ) -> Result<Scene, String> {
        let Play { case, way, id, host, .. } = &self.play;
        let clock = CaseClock::new(*way, host, surface.control(), surface.faketime());
        let clock = Arc::new(clock.map_err(|error| error.to_string())?);
        let variables = variables(case, id, host, surface);
        let case_origin = Arc::new(CaseOrigin::new(
            id.clone(),
            host.clone(),
            case.origin.clone(),
            variables.clone(),
            Arc::clone(&clock),
        ));
        origin.register(&case_origin);
        if let Some(lease) = &mut self.lease {
            lease.serve(&case.origin, &case_origin).map_err(|error| error.to_string())?;
        }
        let follow = |log: Option<&edgeproof_target::LogFile>, name: &str| match log {
            Some(log) => Ok(CaseLog::follow(log, host)),
            None => Err(format!("the target does not say where its {name} log is")),
        };
        let player = Player {
            case: Arc::clone(case),
            origin: case_origin,
            clock,
            dialer: surface.dialer(host),
            access_log: follow(surface.access_log(id), "access"),
            waf_log: follow(surface.waf_log(id), "WAF"),
            carry: Carry { most_octets: options.most_octets, secrets: options.show_secrets },
            progress: Mutex::new(Progress::default()),
            surface: Arc::clone(surface),
        };
        Ok(Scene { player, variables, play: self.play, _lease: self.lease })
    }
}

/// A play that can begin.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) player: Player,
    pub(super) variables: Variables,
    pub(super) play: Play,
    /// The port is given back with the scene.
    _lease: Option<Lease>,
}

fn variables(case: &Case, id: &str, host: &str, surface: &Surface) -> Variables {
    let mut variables = Variables::default();
    variables.set("host", host);
    let authority = match surface.http() {
        Some(address) => format!("{host}:{}", address.port()),
        None => host.to_owned(),
    };
    variables.set("authority", authority);
    variables.set("token", id);
    variables.set("dir", surface.folder().to_string_lossy().into_owned());
    for (name, value) in &case.row {
        variables.set(name, value.clone());
    }
    variables
}
