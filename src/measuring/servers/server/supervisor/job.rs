//! A process to be started, whole, and how one ended.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::vocabulary::spec::server::StopSpec;

/// One process of a server's life. It travels to the supervising process through a pipe, so that nothing of it is in an argument or in
/// the environment of any process but its own.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessJob {
    /// Names it in messages.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Hands the command to `sh -c`, as one line.
    pub shell: bool,
    /// Environment variables beside the inherited ones.
    pub env: BTreeMap<String, String>,
    /// The folder in which it is started; without one, that of `bench`.
    pub working_dir: Option<PathBuf>,
    /// Takes what it writes to stdout and stderr, appended; made with its folder.
    pub log: PathBuf,
    pub stop: StopSpec,
    /// What must not be in the log: each value with what stands there instead.
    pub hide: Vec<(String, String)>,
}

/// How a process ended that nobody had told to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessExit {
    /// The job's name; [`ProcessExit::SUPERVISOR`] where it is the supervising process that is gone, and all of its processes with it.
    pub name: String,
    /// In words: `exit status 1`, `signal 9 (SIGKILL)`, `the supervising process is gone`.
    pub status: String,
}

impl ProcessExit {
    /// Stands for a job's name when the supervising process itself is gone.
    pub const SUPERVISOR: &str = "bench supervise";
}

/// Leaves out whatever may be secret.
impl fmt::Debug for ProcessJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessJob").field("name", &self.name).field("log", &self.log).field("stop", &self.stop).finish_non_exhaustive()
    }
}
