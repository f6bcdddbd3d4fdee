//! A command that empties a cache: run to its end, which must be status 0 within a limit.
//!
//! Its output goes to a file without a name and is only read where it failed: a pipe would keep us waiting for whatever the command left
//! running in the background.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::ResetError;
use crate::foundation::process_group::ProcessGroup;
use crate::servers::endpoint::SecretValues;
use crate::vocabulary::spec::reset::ResetCommand;
use crate::vocabulary::template::{CommandMode, TemplateContext};

/// How many lines of the output are told.
const LINES: usize = 5;
/// How much of its end is read.
const TAIL_BYTES: u64 = 8 * 1024;

/// A command with its fields filled in.
#[derive(Debug)]
pub(super) struct ResetProgram {
    words: Vec<String>,
    /// As it was written, without what was filled in: fit to be shown.
    name: String,
}

impl ResetProgram {
    pub(super) fn of(command: &ResetCommand, template: &TemplateContext) -> Result<Self, ResetError> {
        let name = command.command.first().filter(|name| !name.trim().is_empty()).ok_or(ResetError::NoProgram)?.clone();
        let words = template.command(&command.command, CommandMode::of(command.shell))?;
        let words = if command.shell { ["sh", "-c"].map(str::to_owned).into_iter().chain(words).collect() } else { words };
        Ok(Self { words, name })
    }

    /// Runs the command to its end. It is killed where it takes longer than `limit`, or is no longer waited for.
    pub(super) async fn run(self, limit: Duration, secrets: &SecretValues) -> Result<(), ResetError> {
        let follow = |source| ResetError::Follow { program: self.name.clone(), source };
        let mut output = tempfile::tempfile().map_err(follow)?;
        let (out, err) = (output.try_clone().map_err(follow)?, output.try_clone().map_err(follow)?);
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).stdin(Stdio::null()).stdout(out).stderr(err).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|source| ResetError::Start { program: self.name.clone(), source })?;
        let group = ProcessGroup::of(&child);
        let Ok(ended) = tokio::time::timeout(limit, child.wait()).await else {
            drop(group);
            return Err(ResetError::Endless { program: self.name, limit_s: limit.as_secs(), output: last_lines(&mut output, secrets) });
        };
        group.let_go();
        let status = ended.map_err(follow)?;
        if status.success() {
            return Ok(());
        }
        Err(ResetError::Command { program: self.name, status: status.to_string(), output: last_lines(&mut output, secrets) })
    }
}

/// The end of the output in one line, without secrets. What cannot be read is left out: the status says enough.
fn last_lines(output: &mut File, secrets: &SecretValues) -> String {
    let mut bytes = Vec::new();
    let start = output.seek(SeekFrom::End(0)).unwrap_or(0).saturating_sub(TAIL_BYTES);
    let _ = output.seek(SeekFrom::Start(start)).and_then(|_| output.read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<String> = text.lines().map(|line| secrets.plain(line)).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join(" / ")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::vocabulary::spec::target::TargetSpec;

    fn template() -> TemplateContext {
        let target = serde_json::json!({ "url": "http://gpu7:8100/v1", "model": "org/tiny" });
        TemplateContext::new(&serde_json::from_value(target).unwrap(), &serde_json::Map::new())
    }

    async fn run(command: &[&str], shell: bool, limit: Duration) -> Result<(), ResetError> {
        let command = ResetCommand { command: command.iter().map(|word| (*word).to_owned()).collect(), shell };
        ResetProgram::of(&command, &template())?.run(limit, &SecretValues::default()).await
    }

    const LONG: Duration = Duration::from_mins(10);

    #[tokio::test]
    async fn a_command_gets_the_targets_fields_as_words_of_their_own_and_no_shell() {
        let checks = r#"test "$1" = "org/tiny http://gpu7:8100/v1" && test "$2" = gpu7:8100 && test "$3" = '$HOME; false'"#;
        run(&["sh", "-c", checks, "sh", "{model} {url}", "{host}:{port}", "$HOME; false"], false, LONG).await.unwrap();
    }

    #[tokio::test]
    async fn a_shell_gets_one_line() {
        run(&["test", "{port}", "=", "8100", "&&", "true | true"], true, LONG).await.unwrap();
        assert!(run(&["true", "&&", "false"], true, LONG).await.is_err());
    }

    #[tokio::test]
    async fn a_command_that_fails_is_an_error_with_its_status_and_its_last_lines() {
        let error = run(&["sh", "-c", "seq 1 9; echo no such cache >&2; exit 3"], false, LONG).await.unwrap_err().to_string();
        assert!(error.starts_with("`sh` of `server.reset`") && error.contains("exit status: 3"), "{error}");
        assert!(error.ends_with("its last lines: 6 / 7 / 8 / 9 / no such cache"), "{error}");
        let silent = run(&["false"], false, LONG).await.unwrap_err().to_string();
        assert!(silent.ends_with("without a word"), "{silent}");
    }

    #[tokio::test]
    async fn a_command_that_does_not_end_is_killed_and_what_it_left_behind_is_not_waited_for() {
        let error = run(&["echo begun; sleep 1000; true"], true, Duration::from_secs(2)).await.unwrap_err();
        assert!(matches!(&error, ResetError::Endless { output, .. } if output == "begun"), "{error}");
        // The command in the background holds the output open.
        run(&["sh", "-c", "sleep 5 & exit 0"], false, LONG).await.unwrap();
    }

    #[tokio::test]
    async fn a_killed_command_takes_its_own_processes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        // Its end is read when nobody holds it open for writing any more, the `sleep` included.
        let line = format!("exec 3> {}; sleep 1000; true", fifo.display());
        let ended = tokio::task::spawn_blocking(move || std::fs::read(fifo).unwrap());
        assert!(matches!(run(&[&line], true, Duration::from_secs(2)).await, Err(ResetError::Endless { .. })));
        assert_eq!(tokio::time::timeout(LONG, ended).await.unwrap().unwrap(), b"");
    }

    #[tokio::test]
    async fn what_cannot_be_started_is_named() {
        let error = run(&["no-such-program-here"], false, LONG).await.unwrap_err().to_string();
        assert!(error.contains("cannot start `no-such-program-here`"), "{error}");
        assert!(matches!(run(&[], false, LONG).await, Err(ResetError::NoProgram)));
        assert!(matches!(run(&[" "], true, LONG).await, Err(ResetError::NoProgram)));
        assert!(run(&["clear", "{prot}"], false, LONG).await.unwrap_err().to_string().contains("`{prot}` stands for nothing"));
    }

    #[tokio::test]
    async fn secrets_in_the_output_are_masked() {
        let target: TargetSpec =
            serde_json::from_value(serde_json::json!({ "url": "http://h:1", "headers": { "x-key": "hush-hush" } })).unwrap();
        let command = ResetCommand { command: ["sh", "-c", "echo key hush-hush; exit 1"].map(str::to_owned).to_vec(), shell: false };
        let endpoint = crate::servers::endpoint::ServerEndpoint::open(&target).unwrap();
        let program = ResetProgram::of(&command, &template()).unwrap();
        let error = program.run(LONG, endpoint.secrets()).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush") && error.to_string().ends_with("key ***"), "{error}");
    }
}
