//! The supervising process where there are no process groups: nothing is started, and the error says so.

use std::path::Path;

use super::{ProcessExit, ProcessJob, SupervisorError};

/// Never made here.
#[derive(Debug)]
pub struct SupervisorHandle(std::convert::Infallible);

impl SupervisorHandle {
    pub fn own_program() -> std::io::Result<std::path::PathBuf> {
        std::env::current_exe()
    }

    pub fn spawn(_program: &Path) -> Result<Self, SupervisorError> {
        Err(SupervisorError::Unsupported)
    }

    pub fn id(&self) -> u32 {
        match self.0 {}
    }

    pub async fn start(&mut self, _job: ProcessJob) -> Result<u32, SupervisorError> {
        match self.0 {}
    }

    pub async fn exited(&mut self) -> ProcessExit {
        match self.0 {}
    }

    pub async fn stop(self) -> Result<(), SupervisorError> {
        match self.0 {}
    }
}

/// Never found here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftoverProcess {
    pub pid: u32,
    pub command: String,
}

impl LeftoverProcess {
    pub async fn end(&self) -> Result<(), SupervisorError> {
        Err(SupervisorError::Unsupported)
    }
}

pub fn leftovers() -> Vec<LeftoverProcess> {
    Vec::new()
}

pub fn supervise() -> std::io::Result<()> {
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, SupervisorError::Unsupported.to_string()))
}
