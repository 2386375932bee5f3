//! Asks a target for its version.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::programs;
use crate::service::{Running, RunningService};
use crate::spec::{TargetSpec, VersionProbe};
use crate::stage::Stage;

/// A version is a nicety: nothing waits long for it.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

impl TargetSpec {
    /// The version, asked inside the container where the main service is one. `None` where it is not
    /// to be had: that fails nothing.
    pub(crate) async fn ask_version(
        &self,
        stage: &Stage,
        services: &[RunningService],
    ) -> Option<String> {
        let probe = self.version.as_ref()?;
        let command = stage.texts(&probe.command).ok()?;
        let asked = async {
            match services.first().map(|service| &service.running) {
                Some(Running::Container(container)) => container.output_of(command).await,
                _ => output_of(&command).await,
            }
        };
        let output = tokio::time::timeout(ANSWERS_WITHIN, asked).await.ok()??;
        version(probe, &output)
    }
}

async fn output_of(command: &[String]) -> Option<String> {
    let (program, args) = command.split_first()?;
    let mut command = Command::new(programs::find(program)?);
    command.args(args).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.ok()?;
    let bytes = [output.stdout, output.stderr].concat();
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn version(probe: &VersionProbe, output: &str) -> Option<String> {
    match &probe.matches {
        Some(pattern) => {
            let found = pattern.captures(output)?;
            found.get(1).or_else(|| found.get(0)).map(|found| found.as_str().to_owned())
        }
        None => output.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned),
    }
}
