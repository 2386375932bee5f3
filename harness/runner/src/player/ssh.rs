//! The verb `ssh`.

use edgeproof_scenario::model::{Check, SshProbe, Step};

use super::{Actor, Player, Stop};
use crate::expect::Facts;
use crate::probes::{ssh, sshd};

impl Player {
    /// Asks the SSH service, and remembers what it told.
    pub(super) async fn ssh(
        &self,
        actor: &mut Actor,
        probe: &SshProbe,
        step: &Step,
        path: &str,
    ) -> Result<(), Stop> {
        self.doing("the target's SSH service", &step.span, path, false);
        // Nothing is known of a service that cannot be asked: no verdict on the requirement.
        if let SshProbe::Config { user, host, addr } = probe {
            let who =
                sshd::Connecting { user: user.clone(), host: host.clone(), addr: addr.clone() };
            let paths = self.surface.sshd().ok_or_else(|| {
                Stop::Broken("the target does not say where its sshd's configuration is".into())
            })?;
            actor.last.config = Some(sshd::effective(paths, &who).await.map_err(Stop::Broken)?);
        } else {
            actor.last.ssh = Some(self.ssh_facts(probe, step).await.map_err(Stop::Broken)?);
        }
        Ok(())
    }

    async fn ssh_facts(&self, probe: &SshProbe, step: &Step) -> Result<Facts, String> {
        let address = self.surface.ssh().ok_or("the target has no SSH service")?;
        let key = || self.surface.ssh_login().ok_or("the target has no key of the test's own");
        match probe {
            SshProbe::Handshake => {
                let looked_at: Vec<&str> = step
                    .expect
                    .iter()
                    .filter_map(|it| match &it.check {
                        Check::Ssh(key, _) => Some(key.as_str()),
                        _ => None,
                    })
                    .collect();
                self.surface.ssh_known().handshake(address, &looked_at).await
            }
            SshProbe::Methods { user } => self.surface.ssh_known().methods(address, user).await,
            SshProbe::Password { user, password } => ssh::password(address, user, password).await,
            SshProbe::Guess { user, times, connections } => {
                ssh::guess(address, user, *times, *connections).await
            }
            SshProbe::Unfinished { connections } => ssh::unfinished(address, *connections).await,
            SshProbe::Wait { client, within } => {
                ssh::wait(address, client, self.surface.ssh_login(), *within).await
            }
            SshProbe::Forward { kind, user } => ssh::forward(address, key()?, user, *kind).await,
            SshProbe::Run { command, user } => ssh::run(address, key()?, user, command).await,
            SshProbe::Files { folder, user } => ssh::files(address, key()?, user, folder).await,
            SshProbe::Reach { from, knock } => ssh::reach(address, *from, knock).await,
            SshProbe::Config { .. } => Err("the configuration is not asked over the wire".into()),
        }
    }
}
