//! What `bench` and its supervising process say to each other: a JSON object a line.

use serde::{Deserialize, Serialize};

use super::job::ProcessJob;

/// What the supervising process is told, on its stdin. The end of stdin means what [`SupervisorCommand::Stop`] means.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub(super) enum SupervisorCommand {
    Start(Box<ProcessJob>),
    Stop,
    /// [`SupervisorCommand::Stop`] without any grace, also after it.
    Kill,
}

/// What it tells, on its stdout.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub(super) enum SupervisorReport {
    /// The first line: the mark that its processes carry in their environment.
    Ready { marker: String },
    /// Answers [`SupervisorCommand::Start`].
    Started { name: String, pid: i32 },
    /// Answers [`SupervisorCommand::Start`], too.
    Failed { name: String, reason: String },
    /// A process ended by itself, and what it wrote is in its log.
    Exited { name: String, status: String },
    /// The last line: all have ended, but for those that not even a kill could end.
    Stopped { survivors: Vec<String> },
}

/// A message as its line.
pub(super) fn line(message: &impl Serialize) -> String {
    // Strings, numbers and maps with string keys cannot fail to be written.
    let mut line = serde_json::to_string(message).unwrap_or_default();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::vocabulary::spec::server::StopSpec;

    #[test]
    fn an_order_is_one_line_and_reads_back_whole() {
        let job = ProcessJob {
            name: "server".into(),
            command: vec!["sh".into(), "-c".into(), "echo a\necho b".into()],
            shell: false,
            env: BTreeMap::from([("KEY".into(), "ä\n\"".into())]),
            working_dir: Some("/tmp".into()),
            log: "a/server.log".into(),
            stop: StopSpec::default(),
            hide: vec![("hush".into(), "***".into())],
        };
        let line = line(&SupervisorCommand::Start(Box::new(job.clone())));
        assert_eq!(line.matches('\n').count(), 1);
        assert!(matches!(serde_json::from_str(&line), Ok(SupervisorCommand::Start(read)) if *read == job));
    }

    #[test]
    fn a_job_is_shown_without_its_command_and_values() {
        let job = serde_json::json!({ "name": "server", "command": ["serve", "--api-key", "hush"], "shell": false, "env": { "K": "hush" },
            "working_dir": null, "log": "l", "stop": StopSpec::default(), "hide": [["hush", "***"]] });
        let job: ProcessJob = serde_json::from_value(job).unwrap();
        assert!(!format!("{job:?}").contains("hush"));
    }
}
