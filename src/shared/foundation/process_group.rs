//! The processes that a short command of a scenario starts: a group, ended with the wait for it. Servers live longer and have a supervisor.

use tokio::process::Child;

/// The processes of a command, which are killed when they are no longer waited for: those of a shell's line, too.
#[derive(Debug)]
pub struct ProcessGroup {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl ProcessGroup {
    /// Of a command that was started as the leader of a group of its own.
    #[cfg(unix)]
    pub fn of(child: &Child) -> Self {
        let leader = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
        Self { leader }
    }

    #[cfg(not(unix))]
    pub fn of(_child: &Child) -> Self {
        Self {}
    }

    /// The command has ended: what it left in the background (an agent) may stay.
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no group"))]
    pub fn let_go(mut self) {
        #[cfg(unix)]
        {
            self.leader = None;
        }
    }
}

#[cfg(unix)]
impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // An error says that they have all ended.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}
