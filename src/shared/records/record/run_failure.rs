//! Why a cell could not be run: what happened, said by whoever saw it, and where a server of ours was the cause, the last lines of its log.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kept a cell from being run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunFailureCause {
    /// Its server did not come to serve.
    NotStarted,
    /// Its server had died or failed to start too often before.
    NotTried,
    /// Its server ended while it ran.
    ServerDied,
    /// Requests failed, and the server does not serve any more.
    ServerLost,
    /// The small request before the first one was not served.
    Preflight,
    /// Nobody served its requests, or too many of them.
    Unserved,
    /// More of its requests failed than `max_error_rate` lets pass.
    TooManyErrors,
    /// One of several clients that share its load was lost, was late, or could not do its part.
    ClientLost,
    /// It could not be prepared or sent, whatever the server: caches that were not emptied, prompts that could not be made.
    Cell,
    /// Saved before format 1.6, which is the first to tell.
    #[default]
    Untold,
}

/// The last lines of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogExcerpt {
    /// As it is reached from where `bench` ran.
    pub file: String,
    /// None where nothing was written.
    pub lines: Vec<String>,
}

/// Why a cell could not be run. Shown as a sentence without the lines of the log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "SavedRunFailure")]
pub struct RunFailure {
    pub cause: RunFailureCause,
    /// What was seen, for people; what it came to is for the cause to say.
    pub reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogExcerpt>,
}

impl RunFailure {
    #[must_use]
    pub fn new(cause: RunFailureCause, reason: String) -> Self {
        Self { cause, reason, log: None }
    }

    /// With each text of it made another: to hide secrets.
    #[must_use]
    pub fn map_texts(self, map: impl Fn(String) -> String) -> Self {
        let excerpt = |log: LogExcerpt| LogExcerpt { file: map(log.file), lines: log.lines.into_iter().map(&map).collect() };
        Self { cause: self.cause, reason: map(self.reason), log: self.log.map(excerpt) }
    }

    /// The sentence, and the log's last lines below it.
    #[must_use]
    pub fn with_lines(&self) -> String {
        match &self.log {
            None => self.to_string(),
            Some(LogExcerpt { file, lines }) if lines.is_empty() => format!("{self}; it wrote nothing to `{file}`"),
            Some(LogExcerpt { file, lines }) => format!("{self}; the last lines of `{file}`:\n  {}", lines.join("\n  ")),
        }
    }

    /// The sentence, and where the log lies.
    #[must_use]
    pub fn with_log_name(&self) -> String {
        self.log.as_ref().map_or_else(|| self.to_string(), |log| format!("{self}; see `{}`", log.file))
    }
}

impl fmt::Display for RunFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.cause {
            RunFailureCause::NotStarted => "the server did not start: ",
            RunFailureCause::NotTried => "not run: ",
            RunFailureCause::ServerDied => "the server died: ",
            RunFailureCause::ServerLost => "requests failed, and the server does not serve any more: ",
            RunFailureCause::Preflight
            | RunFailureCause::Unserved
            | RunFailureCause::TooManyErrors
            | RunFailureCause::ClientLost
            | RunFailureCause::Cell
            | RunFailureCause::Untold => "",
        })?;
        f.write_str(&self.reason)
    }
}

/// As it stands in files: before format 1.6 the lines of the log stood behind the reason.
#[derive(Deserialize)]
struct SavedRunFailure {
    #[serde(default)]
    cause: RunFailureCause,
    reason: String,
    #[serde(default)]
    log: Option<LogExcerpt>,
}

impl From<SavedRunFailure> for RunFailure {
    fn from(saved: SavedRunFailure) -> Self {
        let SavedRunFailure { cause, reason, log } = saved;
        let parts = (cause == RunFailureCause::Untold).then(|| reason.split_once("; the last lines of `")).flatten();
        match parts.and_then(|(reason, rest)| Some((reason, rest.split_once("`:")?))) {
            Some((reason, (file, lines))) => {
                let lines = lines.lines().map(|line| line.strip_prefix("  ").unwrap_or(line).to_owned()).filter(|line| !line.is_empty());
                Self { cause, reason: reason.to_owned(), log: Some(LogExcerpt { file: file.to_owned(), lines: lines.collect() }) }
            }
            None => Self { cause, reason, log },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn died(lines: &[&str]) -> RunFailure {
        let log = LogExcerpt { file: "servers/vllm/server.log".into(), lines: lines.iter().map(|line| (*line).to_owned()).collect() };
        RunFailure { log: Some(log), ..RunFailure::new(RunFailureCause::ServerDied, "`server` ended by itself: exit status 7".into()) }
    }

    #[test]
    fn a_failure_is_said_with_its_cause_and_as_much_of_the_log_as_is_wanted() {
        let failure = died(&["lost", "gone"]);
        assert_eq!(failure.to_string(), "the server died: `server` ended by itself: exit status 7");
        assert_eq!(failure.with_log_name(), format!("{failure}; see `servers/vllm/server.log`"));
        assert_eq!(failure.with_lines(), format!("{failure}; the last lines of `servers/vllm/server.log`:\n  lost\n  gone"));
        assert_eq!(died(&[]).with_lines(), format!("{failure}; it wrote nothing to `servers/vllm/server.log`"));
        assert_eq!(failure.clone().map_texts(|text| text.replace("lost", "***")).log.unwrap().lines, ["***", "gone"]);
        assert_eq!(RunFailure::new(RunFailureCause::Cell, "no such corpus".into()).with_lines(), "no such corpus");
    }

    #[test]
    fn the_lines_of_a_log_that_older_files_have_in_the_reason_are_told_apart() {
        let text = died(&["lost", "gone"]).with_lines();
        let older: RunFailure = serde_json::from_value(serde_json::json!({ "reason": text })).unwrap();
        assert_eq!((older.cause, &older.log), (RunFailureCause::Untold, &died(&["lost", "gone"]).log));
        assert_eq!(older.with_lines(), text);
        let plain: RunFailure = serde_json::from_value(serde_json::json!({ "reason": "no such model\nat all" })).unwrap();
        assert_eq!((plain.reason.as_str(), plain.log), ("no such model\nat all", None));
        let newer = died(&["lost"]);
        assert_eq!(serde_json::from_value::<RunFailure>(serde_json::to_value(&newer).unwrap()).unwrap(), newer);
    }
}
