//! Everything that must lie ready before a service starts: work folder, ports, certificates, keys,
//! clock file, and the configuration with all sites rendered into it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{Timestamp, Unit};
use minijinja::value::Serde;
use minijinja::{Value, context};
use nix::unistd::{Gid, Group, Uid, User};

use crate::certificates::Certificates;
use crate::faketime::{self, Faketime};
use crate::ports::Ports;
use crate::render::{RenderError, Renderer, uses};
use crate::service::ServiceName;
use crate::site::{Site, SiteRequest};
use crate::spec::{ClockKind, Run, TargetSpec, Text};
use crate::ssh_keys::SshKeys;
use crate::start::{StartError, StartOptions};
use crate::work_folder::{WorkFolder, write_new};

/// The set stage. What it holds must live as long as the target does.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) folder: WorkFolder,
    pub(crate) renderer: Renderer,
    pub(crate) certificates: Certificates,
    pub(crate) ssh: Arc<SshKeys>,
    pub(crate) faketime: Option<Faketime>,
    /// By site id.
    pub(crate) logs: HashMap<String, SiteLogs>,
}

/// The log files in which a site's lines appear.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SiteLogs {
    pub(crate) access: Option<LogFile>,
    pub(crate) waf: Option<LogFile>,
    pub(crate) upstream: Option<LogFile>,
    pub(crate) audit: Option<PathBuf>,
    pub(crate) held: Option<PathBuf>,
}

/// One log file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// The file. A target may make it only with its first line.
    pub path: PathBuf,
    /// Do other sites write there too? Then a line is found by the token in its request.
    pub shared: bool,
}

impl Stage {
    pub(crate) fn set(
        spec: &TargetSpec,
        sites: &[SiteRequest],
        options: &StartOptions,
    ) -> Result<Self, StartError> {
        let system = |what: &str| {
            let what = what.to_owned();
            move |error| StartError::system(what, error)
        };
        let starts_ssh =
            spec.services.ssh.as_ref().is_some_and(|ssh| !matches!(ssh.run, Run::Url(_)));
        let folder = WorkFolder::make(&spec.name, starts_ssh)
            .map_err(system("cannot make a work folder"))?;
        let dir = folder.path().to_owned();
        // Daemons open their logs, but seldom make the folder; and there may be no site that names it.
        fs::create_dir(dir.join("log")).map_err(system("cannot make the folder of logs"))?;
        let hosts = sites.iter().map(|site| site.host.as_str());
        let certificates = Certificates::make(&dir.join("tls"), hosts)
            .map_err(system("cannot make certificates"))?;
        let faketime = match spec.clock {
            ClockKind::Faketime if options.moves_time => Some(
                Faketime::create(dir.join("faketime"))
                    .map_err(system("cannot make the clock's file"))?,
            ),
            _ => None,
        };
        let ssh = Arc::new(SshKeys::new(dir.join("ssh"), user_name()));
        let renderer = renderer(spec, options, &dir, &certificates, &ssh, faketime.as_ref());
        let mut stage =
            Self { folder, renderer, certificates, ssh, faketime, logs: HashMap::new() };
        stage.render(spec, sites)?;
        Ok(stage)
    }

    /// The file that gets what a service prints.
    pub(crate) fn output(&self, name: ServiceName) -> PathBuf {
        self.folder.path().join(format!("{name}.output"))
    }

    pub(crate) fn texts(&self, texts: &[Text]) -> Result<Vec<String>, RenderError> {
        texts.iter().map(|text| self.renderer.text(text)).collect()
    }

    pub(crate) fn pairs(
        &self,
        pairs: &[(String, Text)],
    ) -> Result<Vec<(String, String)>, RenderError> {
        pairs.iter().map(|(name, text)| Ok((name.clone(), self.renderer.text(text)?))).collect()
    }

    fn render(&mut self, spec: &TargetSpec, requests: &[SiteRequest]) -> Result<(), StartError> {
        let mut sites = Vec::new();
        for request in requests {
            let mut site = Site::from(request);
            let logs = self.logs_of(spec, &site)?;
            let text =
                |log: &Option<LogFile>| log.as_ref().map(|log| log.path.display().to_string());
            site.log.access = text(&logs.access);
            site.log.waf = text(&logs.waf);
            site.log.upstream = text(&logs.upstream);
            let text =
                |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
            site.log.audit = text(&logs.audit);
            site.log.held = text(&logs.held);
            self.logs.insert(request.id.clone(), logs);
            sites.push(Value::from(Serde(&site)));
        }
        self.renderer.set("sites", Value::from(sites));
        for file in &spec.files {
            let text = self.renderer.file(file).map_err(|error| self.with_reason(error))?;
            let path = self.folder.path().join(&file.path);
            write_new(&path, text.as_bytes(), file.mode).map_err(|error| {
                StartError::system(format!("cannot write {}", path.display()), error)
            })?;
        }
        Ok(())
    }

    fn logs_of(&self, spec: &TargetSpec, site: &Site) -> Result<SiteLogs, StartError> {
        let renderer = self.renderer.with("site", Value::from(Serde(site)));
        let file = |text: &Option<Text>| -> Result<Option<LogFile>, StartError> {
            let Some(text) = text else { return Ok(None) };
            let path = PathBuf::from(renderer.text(text)?);
            if let Some(parent) = path.parent().filter(|path| path.starts_with(self.folder.path()))
            {
                fs::create_dir_all(parent).map_err(|error| {
                    StartError::system(format!("cannot make {}", parent.display()), error)
                })?;
            }
            Ok(Some(LogFile { path, shared: !uses(text, "site") }))
        };
        Ok(SiteLogs {
            access: file(&spec.logs.access)?,
            waf: file(&spec.logs.waf)?,
            upstream: file(&spec.logs.upstream)?,
            audit: file(&spec.logs.audit)?.map(|file| file.path),
            held: file(&spec.logs.held)?.map(|file| file.path),
        })
    }

    /// Where a key could not be made, the template knows only that it is undefined.
    fn with_reason(&self, mut error: RenderError) -> RenderError {
        if let Some(reason) = self.ssh.failure() {
            error.0.notes.push(reason);
        }
        error
    }
}

fn renderer(
    spec: &TargetSpec,
    options: &StartOptions,
    dir: &Path,
    certificates: &Certificates,
    ssh: &Arc<SshKeys>,
    faketime: Option<&Faketime>,
) -> Renderer {
    let text = |path: &Path| path.display().to_string();
    let mut renderer = Renderer::default();
    renderer.set("dir", text(dir));
    renderer.set("self", text(&options.program));
    renderer.set("now", Timestamp::now().round(Unit::Second).unwrap_or_default().to_string());
    renderer.set("port", Value::from_object(Ports::default()));
    renderer.set("tls", Value::from(Serde(certificates)));
    renderer.set("ssh", Value::from_dyn_object(Arc::clone(ssh)));
    renderer.set("vars", Value::from_pairs(spec.vars.iter().cloned()));
    renderer.set("env", Value::from_pairs(std::env::vars()));
    let origin = options.origin;
    renderer.set(
        "origin",
        context! { address => origin.to_string(), host => origin.ip().to_string(), port => origin.port() },
    );
    let (uid, gid) = (Uid::effective(), Gid::effective());
    renderer.set(
        "user",
        context! { name => user_name(), group => group_name(gid), uid => uid.as_raw(), gid => gid.as_raw() },
    );
    if let Some(clock) = faketime {
        let library = faketime::library().map(|path| text(&path));
        renderer.set("faketime", context! { file => text(clock.file()), library => library });
    }
    renderer
}

/// The name of the user who runs the harness, else the number.
fn user_name() -> String {
    let uid = Uid::effective();
    User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}

fn group_name(gid: Gid) -> String {
    Group::from_gid(gid).ok().flatten().map_or_else(|| gid.to_string(), |group| group.name)
}
