//! What is to be started, decided to the last word: every field filled in, the port chosen, each process with its log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::connector::connector;
use super::error::ServerLaunchError;
use super::port::{self, ListenAddress};
use super::ready::ReadinessProbe;
use crate::foundation::units::Seconds;
use crate::servers::endpoint::ServerEndpoint;
use crate::servers::server::supervisor::ProcessJob;
use crate::vocabulary::spec::server::{ReadySpec, ServerSpec};
use crate::vocabulary::spec::target::TargetSpec;
use crate::vocabulary::template::{CommandMode, TemplateContext, UnknownFieldError, quoted_all, with_port};

/// The name of the server's own process and log.
pub(super) const SERVER: &str = "server";

/// Where a server is started from.
#[derive(Debug, Clone, Copy)]
pub struct LaunchContext<'a> {
    /// The program that supervises: `bench` itself.
    pub program: &'a Path,
    /// The folder of the variant's logs.
    pub logs: &'a Path,
    /// What must not be in a log, each with what stands there instead.
    pub hide: &'a [(String, String)],
}

/// A server that is about to be started.
#[derive(Debug)]
pub struct LaunchPlan {
    pub(super) program: PathBuf,
    /// In the order of their starts; the server is the last.
    pub(super) processes: Vec<ProcessLaunch>,
    /// Where it will listen.
    pub(super) spot: ListenAddress,
    pub(super) limit: Seconds,
    pub(super) external_cache: Option<String>,
    pub(super) target: TargetSpec,
}

/// One process, and when it is taken to serve: at once where nothing is said.
#[derive(Debug)]
pub(super) struct ProcessLaunch {
    pub job: ProcessJob,
    pub ready: Option<ReadinessProbe>,
}

impl LaunchPlan {
    /// Fills in what the section says. Port 0 becomes a free one.
    ///
    /// # Errors
    /// When there is no free port, a field stands for nothing, or the target's address or key cannot be used.
    pub fn of(server: &ServerSpec, target: &TargetSpec, context: LaunchContext<'_>) -> Result<Self, ServerLaunchError> {
        let mut target = target.clone();
        let fault = |target: &TargetSpec| ServerLaunchError::Url { url: target.url.clone() };
        let mut spot = ListenAddress::of(&target.url).ok_or_else(|| fault(&target))?;
        if spot.port == 0 {
            spot.port = port::free(&spot.host)?;
            target.url = with_port(&target.url, spot.port).ok_or_else(|| fault(&target))?;
        }
        let endpoint = ServerEndpoint::open(&target)?;
        let mut hide = context.hide.to_vec();
        hide.extend(endpoint.secrets().masked());
        let template = TemplateContext::new(&target, &server.args);
        let filling =
            ProcessLaunchBuilder { template: &template, server, endpoint: &endpoint, target: &target, logs: context.logs, hide: &hide };
        let mut processes = server.before.iter().map(|before| filling.before(before)).collect::<Result<Vec<_>, _>>()?;
        let main = filling.server()?;
        let external_cache = connector(&main.job.command);
        processes.push(main);
        Ok(Self { program: context.program.to_owned(), processes, spot, limit: server.start_timeout, external_cache, target })
    }

    /// The server's command as a shell would take it. It may hold values from the environment.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.processes.last() {
            Some(ProcessLaunch { job, .. }) if job.shell => job.command.join(" "),
            Some(ProcessLaunch { job, .. }) => quoted_all(&job.command),
            None => String::new(),
        }
    }

    pub(super) fn limit(&self) -> Duration {
        Duration::try_from_secs_f64(self.limit.0).unwrap_or(Duration::MAX)
    }
}

/// What all processes of a server have in common.
struct ProcessLaunchBuilder<'a> {
    template: &'a TemplateContext,
    server: &'a ServerSpec,
    endpoint: &'a ServerEndpoint,
    target: &'a TargetSpec,
    logs: &'a Path,
    hide: &'a [(String, String)],
}

impl ProcessLaunchBuilder<'_> {
    fn before(&self, before: &crate::vocabulary::spec::server::ProcessSpec) -> Result<ProcessLaunch, ServerLaunchError> {
        let command = self.template.command(&before.command, CommandMode::of(before.shell))?;
        let ready = before.ready.as_ref().map(|ready| self.readiness(Some(ready))).transpose()?;
        let job = self.job(&before.name, command, before.shell, &before.env, before.working_dir.as_deref())?;
        Ok(ProcessLaunch { job, ready })
    }

    fn server(&self) -> Result<ProcessLaunch, ServerLaunchError> {
        let server = self.server;
        let command = self.template.server_command(server)?;
        let ready = Some(self.readiness(server.ready.as_ref())?);
        let job = self.job(SERVER, command, server.shell, &server.env, server.working_dir.as_deref())?;
        Ok(ProcessLaunch { job, ready })
    }

    fn readiness(&self, ready: Option<&ReadySpec>) -> Result<ReadinessProbe, ServerLaunchError> {
        let filled = match ready {
            Some(ready) => Some(ReadySpec { path: self.template.text(&ready.path)?, ..ready.clone() }),
            None => None,
        };
        ReadinessProbe::new(filled.as_ref(), self.endpoint, self.target)
    }

    fn job(
        &self,
        name: &str,
        command: Vec<String>,
        shell: bool,
        env: &BTreeMap<String, String>,
        working_dir: Option<&Path>,
    ) -> Result<ProcessJob, UnknownFieldError> {
        let env = env.iter().map(|(name, value)| Ok((name.clone(), self.template.text(value)?))).collect::<Result<_, _>>()?;
        let working_dir = working_dir.map(|folder| self.template.text(&folder.to_string_lossy())).transpose()?.map(PathBuf::from);
        let log = self.logs.join(format!("{name}.log"));
        Ok(ProcessJob {
            name: name.to_owned(),
            command,
            shell,
            env,
            working_dir,
            log,
            stop: self.server.stop.clone(),
            hide: self.hide.to_vec(),
        })
    }
}
