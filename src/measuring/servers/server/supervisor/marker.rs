//! The mark that each process of a life carries in its environment: by which supervising process it was started, told so precisely that
//! it cannot be taken for another one with the same process id.

use std::fmt;
use std::str::FromStr;

use super::process_table::{ProcessEntry, ProcessTable};

/// The environment variable that holds the mark.
pub(super) const VARIABLE: &str = "BENCH_SUPERVISOR";

/// `<pid>-<start>-<namespace>-<token>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProcessMarker {
    pid: i32,
    /// In clock ticks since the machine's start: with the process id, unique until the machine is started again.
    started: u64,
    /// The namespace that the process id counts in, so that a container and its host do not judge each other's processes.
    namespace: u64,
    /// Tells lives apart where there is no `/proc` to tell the rest.
    token: u64,
}

impl ProcessMarker {
    /// The mark of the processes that this process starts.
    pub(super) fn own() -> Self {
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let token = since.as_secs() ^ (u64::from(since.subsec_nanos()) << 32);
        Self { pid, started: ProcessEntry::read(pid).map_or(0, |own| own.started), namespace: own_namespace(), token }
    }

    /// Its supervising process is dead for certain: it would have to be among the processes that we see, and is not.
    pub(super) fn is_orphaned(&self, census: &ProcessTable) -> bool {
        let lives = census.get(self.pid).is_some_and(|process| process.is_running && process.started == self.started);
        self.namespace == own_namespace() && !lives
    }
}

impl fmt::Display for ProcessMarker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}-{:x}", self.pid, self.started, self.namespace, self.token)
    }
}

impl FromStr for ProcessMarker {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('-');
        let mut part = || parts.next().ok_or(());
        let (pid, started, namespace, token) = (part()?, part()?, part()?, part()?);
        let marker = Self {
            pid: pid.parse().map_err(drop)?,
            started: started.parse().map_err(drop)?,
            namespace: namespace.parse().map_err(drop)?,
            token: u64::from_str_radix(token, 16).map_err(drop)?,
        };
        if parts.next().is_none() { Ok(marker) } else { Err(()) }
    }
}

/// The number in `pid:[4026531836]`; 0 where there are no namespaces.
fn own_namespace() -> u64 {
    let link = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let digits: String = link.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_reads_back_and_anything_else_does_not() {
        let marker = ProcessMarker::own();
        assert_eq!(marker.to_string().parse(), Ok(marker));
        for text in ["", "1", "1-2-3", "1-2-3-4-5", "a-2-3-4", "1-2-3-xyz", "-1-2-3-4"] {
            assert_eq!(text.parse::<ProcessMarker>(), Err(()), "{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_marker_is_orphaned_only_when_its_very_process_is_dead() {
        let census = ProcessTable::take();
        let own = ProcessMarker::own();
        assert!(!own.is_orphaned(&census));
        // The process id is taken again, by a process that started at another time.
        assert!(ProcessMarker { started: own.started + 1, ..own.clone() }.is_orphaned(&census));
        // Process ids of another namespace say nothing here.
        assert!(!ProcessMarker { started: own.started + 1, namespace: own.namespace + 1, ..own }.is_orphaned(&census));
    }
}
