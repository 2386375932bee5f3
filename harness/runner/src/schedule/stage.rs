//! Sets the scene for one play: its origin, its clock, its logs, its way to the target.

use std::sync::{Arc, Mutex};

use edgeproof_scenario::model::{Case, Origin};
use edgeproof_target::{LogFile, SiteRequest};

use super::RunOptions;
use super::plan::Play;
use super::select::looks_at_logs;
use super::sharing::Sharing;
use crate::clock::CaseClock;
use crate::logs::{CaseLog, RuleIds};
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
            id: self.play.site.clone(),
            host: self.play.host.clone(),
            upstream: self.lease.as_ref().map_or(origin.address(), Lease::address),
            prefix: format!("/~{}", self.play.site),
            spec: self.play.case.site.clone(),
        }
    }

    /// Does it look at the WAF's log?
    pub(super) fn looks_at_waf_log(&self) -> bool {
        looks_at_logs(&self.play.case).1
    }

    /// Must it have the target for itself? Where logs are shared, its lines are those that are written
    /// while nothing else happens.
    pub(super) fn is_alone(&self, surface: &Surface, sharing: &Sharing) -> bool {
        let Play { case, way, site, .. } = &self.play;
        let any_host = case.site.any_host;
        let (access, waf) = looks_at_logs(case);
        let shared = |log: Option<&LogFile>| log.is_some_and(|log| log.shared || any_host);
        // What only it gets from the origin, no other case's request may get.
        let answers_for_all = any_host && matches!(case.origin, Origin::Reflect(Some(_)));
        case.alone
            || way.is_exclusive()
            || answers_for_all
            || (access && shared(surface.access_log(site)))
            || (waf && shared(surface.waf_log(site)) && !(any_host && sharing.is_at_once()))
    }

    /// Everything is in its place; the origin answers from here on, until the scene is struck.
    pub(super) fn set(
        mut self,
        surface: &Arc<Surface>,
        origin: &OriginServer,
        sharing: &Sharing,
        options: &RunOptions,
    ) -> Result<Scene, String> {
        let Play { case, way, id, host, site, index, .. } = &self.play;
        // A log that tells nothing says nothing about the requirement; that there is none, the checks say.
        if let (true, true, Sharing::Not(why)) =
            (case.site.any_host, self.looks_at_waf_log(), sharing)
            && surface.waf_log(site).is_some()
        {
            return Err(why.clone());
        }
        let clock = CaseClock::new(*way, host, surface.control(), surface.faketime());
        let clock = Arc::new(clock.map_err(|error| error.to_string())?);
        let variables = variables(case, id, site, host, surface);
        let any_host = case.site.any_host;
        let mut case_origin = CaseOrigin::new(
            id.clone(),
            host.clone(),
            case.origin.clone(),
            variables.clone(),
            Arc::clone(&clock),
        );
        if any_host {
            case_origin = case_origin.for_any_host();
        }
        let case_origin = Arc::new(case_origin);
        origin.register(&case_origin);
        if let Some(lease) = &mut self.lease {
            lease.serve(&case.origin, &case_origin).map_err(|error| error.to_string())?;
        }
        let access_log = match surface.access_log(site) {
            Some(LogFile { path, shared }) => {
                let file = LogFile { path: path.clone(), shared: *shared || any_host };
                Ok(CaseLog::follow(&file, host))
            }
            None => Err("the target does not say where its access log is".to_owned()),
        };
        let waf_log = match surface.waf_log(site) {
            Some(file) if any_host => shared_waf_log(file, sharing, *index),
            Some(file) => Ok(CaseLog::follow(file, host)),
            None => Err("the target does not say where its WAF log is".to_owned()),
        };
        let upstream_log = match surface.upstream_log(site) {
            Some(file) if file.shared => {
                Err("the target has one log for the upstreams of all sites".to_owned())
            }
            Some(file) => Ok(CaseLog::follow(file, host)),
            None => Err("the target does not say where the log of its upstreams is".to_owned()),
        };
        let mut dialer = surface.dialer(host);
        dialer.from = sharing.client(*index).filter(|_| any_host);
        let player = Player {
            case: Arc::clone(case),
            origin: case_origin,
            clock,
            dialer,
            access_log,
            waf_log,
            upstream_log,
            marks: sharing.marks(id).filter(|_| any_host),
            rule_ids: RuleIds::new(options.rule_ids.as_deref())?,
            carry: Carry { most_octets: options.most_octets, secrets: options.show_secrets },
            every_step: options.every_step,
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

/// A WAF log that many cases write to, told apart by their clients or, where none runs at the same time,
/// by when it was written.
pub(super) fn shared_waf_log(
    file: &LogFile,
    sharing: &Sharing,
    number: usize,
) -> Result<CaseLog, String> {
    match sharing {
        Sharing::ByClient(tail, _) => {
            let client = sharing.client(number).ok_or("the case's client has no address")?;
            Ok(CaseLog::of_client(tail, client))
        }
        Sharing::ByMarks(_) => {
            let file = LogFile { path: file.path.clone(), shared: false };
            Ok(CaseLog::follow(&file, ""))
        }
        Sharing::Not(why) => Err(why.clone()),
    }
}

fn variables(case: &Case, id: &str, site: &str, host: &str, surface: &Surface) -> Variables {
    let mut variables = Variables::default();
    variables.set("host", host);
    let authority = match surface.http() {
        Some(address) => format!("{host}:{}", address.port()),
        None => host.to_owned(),
    };
    variables.set("authority", authority);
    variables.set("token", id);
    variables.set("dir", surface.folder().to_string_lossy().into_owned());
    for (name, path) in [("audit", surface.audit_log(site)), ("held", surface.held_requests(site))]
    {
        if let Some(path) = path {
            variables.set(name, path.to_string_lossy().into_owned());
        }
    }
    for (name, value) in &case.row {
        variables.set(name, value.clone());
    }
    variables
}
