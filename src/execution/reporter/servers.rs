//! What is said of servers that are started and ended: their events in, lines for people out.

use std::time::Instant;

use super::live::brief;
use crate::event::SweepEvent;
use crate::foundation::units::waiting_time;
use crate::records::record::{LogExcerpt, RunFailure};

/// The server that is being started, and the last one that died.
#[derive(Debug, Default)]
pub(super) struct ServerProgress {
    starting: Option<(String, Instant)>,
    /// The log of the last one that died, whose lines were shown.
    shown_log: Option<LogExcerpt>,
}

impl ServerProgress {
    /// Takes note of an event of a server; a line to keep where it is one.
    pub fn on(&mut self, event: &SweepEvent) -> Option<String> {
        match event {
            SweepEvent::ServerStarting { variant, life, command } => {
                self.starting = Some((variant.clone(), Instant::now()));
                Some(format!("starting {variant} (life {life}): {command}"))
            }
            SweepEvent::ServerReady { variant, after, .. } => {
                self.starting = None;
                Some(format!("{variant} serves after {}", brief(after.as_secs_f64())))
            }
            SweepEvent::ServerDied { variant, failure, .. } => {
                self.shown_log.clone_from(&failure.log);
                Some(format!("{variant}: {}", failure.with_lines()))
            }
            SweepEvent::ServerStopped { variant, trouble: None, .. } => Some(format!("{variant} stopped")),
            SweepEvent::ServerStopped { variant, trouble: Some(trouble), .. } => Some(format!("{variant} could not be stopped: {trouble}")),
            SweepEvent::LeftoverEnded { pid, command, trouble } => Some(match trouble {
                None => format!("ended pid {pid} ({command}), which an earlier sweep left behind"),
                Some(trouble) => format!("pid {pid} ({command}), which an earlier sweep left behind, could not be ended: {trouble}"),
            }),
            _ => None,
        }
    }

    /// A run begins: whatever was started serves, or was given up.
    pub fn run_started(&mut self) {
        self.starting = None;
    }

    /// The server that is waited for, in a line.
    pub fn line(&self) -> Option<String> {
        let (variant, since) = self.starting.as_ref()?;
        Some(format!("waiting until {variant} serves, {}", waiting_time(since.elapsed().as_secs_f64())))
    }

    /// A failure in words, without the lines of a log that were shown just before.
    pub fn failure_text(&self, failure: &RunFailure) -> String {
        if failure.log.is_some() && failure.log == self.shown_log { failure.with_log_name() } else { failure.with_lines() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::clock::Micros;
    use crate::records::record::RunFailureCause;

    #[test]
    fn a_life_is_told_from_its_start_to_its_end() {
        let mut servers = ServerProgress::default();
        let variant = || "vllm".to_owned();
        let mut said = |event: &SweepEvent| servers.on(event).unwrap();
        let starting = SweepEvent::ServerStarting { variant: variant(), life: 2, command: "vllm serve m".into() };
        assert_eq!(said(&starting), "starting vllm (life 2): vllm serve m");
        assert_eq!(said(&SweepEvent::ServerReady { variant: variant(), life: 2, after: Micros(48_200_000) }), "vllm serves after 48.2 s");
        let log = LogExcerpt { file: "server.log".into(), lines: vec!["out of memory".into()] };
        let seen = RunFailure::new(RunFailureCause::ServerDied, "`server` ended by itself: exit status 1".into());
        let failure = RunFailure { log: Some(log), ..seen };
        let died = SweepEvent::ServerDied { variant: variant(), life: 2, failure: failure.clone() };
        let short = "the server died: `server` ended by itself: exit status 1";
        assert_eq!(said(&died), format!("vllm: {short}; the last lines of `server.log`:\n  out of memory"));
        assert_eq!(said(&SweepEvent::ServerStopped { variant: variant(), life: 3, trouble: None }), "vllm stopped");
        let leftover = SweepEvent::LeftoverEnded { pid: 7, command: "vllm serve".into(), trouble: None };
        assert_eq!(said(&leftover), "ended pid 7 (vllm serve), which an earlier sweep left behind");
        // The same lines are not said twice.
        assert_eq!(servers.failure_text(&failure), format!("{short}; see `server.log`"));
        let other = RunFailure { log: Some(LogExcerpt { file: "other.log".into(), lines: vec!["a".into()] }), ..failure };
        assert!(servers.failure_text(&other).ends_with("the last lines of `other.log`:\n  a"));
    }

    #[test]
    fn while_a_server_starts_that_is_what_is_waited_for() {
        let mut servers = ServerProgress::default();
        assert_eq!(servers.line(), None);
        servers.on(&SweepEvent::ServerStarting { variant: "vllm".into(), life: 1, command: String::new() });
        assert_eq!(servers.line().unwrap(), "waiting until vllm serves, 0 s");
        servers.run_started();
        assert_eq!(servers.line(), None);
    }
}
