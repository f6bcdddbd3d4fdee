//! An API key from a command: its words in, the one line that it prints out. What it prints is in memory only, and in no error.
//!
//! Its errors go nowhere either, since a command that fails may print the key there; who wants to read them runs it by hand.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use crate::foundation::process_group::ProcessGroup;
use crate::vocabulary::spec::target::ApiKey;

/// The most that the command may take: somebody may have to touch a token.
const LIMIT: Duration = Duration::from_mins(1);
/// How long output is awaited of what the command left in the background, holding its output open.
const LEFT_OPEN: Duration = Duration::from_secs(1);
/// No key is longer, in bytes.
const LONGEST: usize = 16 * 1024;

/// Why a command gave no key. Nothing of what it printed is in here.
#[derive(Debug, thiserror::Error)]
pub enum KeyCommandError {
    #[error("it has no words; write the program and its arguments: `[\"pass\", \"show\", \"my-key\"]`")]
    NoProgram,
    #[error("`{program}` cannot be started: {source}; is it installed, and on the `PATH`?")]
    Start { program: String, source: std::io::Error },
    #[error("`{program}` cannot be followed: {source}")]
    Follow { program: String, source: std::io::Error },
    #[error("`{program}` did not end within {limit_s} s and was killed; run it by hand to see what it waits for: it is given no input")]
    Endless { program: String, limit_s: u64 },
    #[error("`{program}` ended with {status}; run it by hand to see why: what it printed is not shown, since it may be the key")]
    Status { program: String, status: String },
    #[error("`{program}` printed nothing; it must print the key on stdout")]
    Empty { program: String },
    #[error("`{program}` printed more than one line; it must print the key alone")]
    Lines { program: String },
    #[error("`{program}` printed more than {LONGEST} bytes; it must print the key alone")]
    Long { program: String },
    #[error("`{program}` printed what no HTTP header can carry; it must print the key alone, as text")]
    Characters { program: String },
}

/// Runs the command to its end, which must be status 0 within a minute, and takes what it prints as the key, trimmed.
///
/// # Errors
/// When it cannot be started, fails, takes too long, or prints anything but one line.
pub async fn key_from(command: &[String]) -> Result<ApiKey, KeyCommandError> {
    key_within(command, LIMIT).await
}

async fn key_within(command: &[String], limit: Duration) -> Result<ApiKey, KeyCommandError> {
    let (program, arguments) = command.split_first().ok_or(KeyCommandError::NoProgram)?;
    let named = || program.clone();
    let follow = |source| KeyCommandError::Follow { program: named(), source };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(|source| KeyCommandError::Start { program: named(), source })?;
    let group = ProcessGroup::of(&child);
    let mut printed = Vec::new();
    let Ok(ended) = tokio::time::timeout(limit, followed(&mut child, &mut printed)).await else {
        return Err(KeyCommandError::Endless { program: named(), limit_s: limit.as_secs() });
    };
    let status = ended.map_err(follow)?;
    group.let_go();
    if !status.success() {
        return Err(KeyCommandError::Status { program: named(), status: status.to_string() });
    }
    key_in(&printed, program)
}

/// Reads what the child prints, up to a little more than a key may have, until it has ended.
async fn followed(child: &mut Child, printed: &mut Vec<u8>) -> std::io::Result<std::process::ExitStatus> {
    let stdout = child.stdout.take();
    let mut reading = std::pin::pin!(async {
        if let Some(stdout) = stdout {
            // What cannot be read any more is missing from the key, which is judged by what is there.
            let _ = stdout.take(LONGEST as u64 + 1).read_to_end(printed).await;
        }
    });
    tokio::select! {
        () = &mut reading => child.wait().await,
        status = child.wait() => {
            let _ = tokio::time::timeout(LEFT_OPEN, reading).await;
            status
        }
    }
}

fn key_in(printed: &[u8], program: &str) -> Result<ApiKey, KeyCommandError> {
    let program = || program.to_owned();
    if printed.len() > LONGEST {
        return Err(KeyCommandError::Long { program: program() });
    }
    let text = std::str::from_utf8(printed).map_err(|_| KeyCommandError::Characters { program: program() })?.trim();
    match text {
        "" => Err(KeyCommandError::Empty { program: program() }),
        text if text.lines().count() > 1 => Err(KeyCommandError::Lines { program: program() }),
        text if text.chars().any(char::is_control) || !text.is_ascii() => Err(KeyCommandError::Characters { program: program() }),
        text => Ok(ApiKey::new(text)),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(10);

    async fn of(line: &str, limit: Duration) -> Result<ApiKey, KeyCommandError> {
        key_within(&["sh", "-c", line].map(str::to_owned), limit).await
    }

    #[tokio::test]
    async fn a_key_is_what_a_command_prints_trimmed_and_no_debugging_line_shows_it() {
        let key = of("echo '  sk-hush '; echo noise >&2", LONG).await.unwrap();
        assert_eq!(key.reveal(), "sk-hush");
        assert!(!format!("{key:?}").contains("hush"));
    }

    #[tokio::test]
    async fn whatever_goes_wrong_the_output_is_not_shown() {
        let failures = [
            ("echo sk-hush; echo sk-hush >&2; exit 3", "exit status: 3"),
            ("printf 'sk-hush\\nsk-hush\\n'", "more than one line"),
            ("printf '  \\n'", "printed nothing"),
            ("printf 'sk-hush\\001'", "no HTTP header"),
            ("printf 'sk-hush\\377'", "no HTTP header"),
            ("yes sk-hush | head -c 20000", "more than 16384 bytes"),
            ("kill -9 $$", "signal: 9"),
        ];
        for (line, expected) in failures {
            let error = of(line, LONG).await.unwrap_err();
            assert!(error.to_string().contains(expected), "{line}: {error}");
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_command_that_does_not_end_is_killed_with_all_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        // Its end is read when nobody holds it open for writing any more.
        let line = format!("exec 3> {}; echo sk-hush; sleep 1000; true", fifo.display());
        let ended = tokio::task::spawn_blocking(move || std::fs::read(fifo).unwrap());
        let error = of(&line, Duration::from_secs(2)).await.unwrap_err();
        assert!(matches!(error, KeyCommandError::Endless { limit_s: 2, .. }), "{error}");
        assert_eq!(tokio::time::timeout(LONG, ended).await.unwrap().unwrap(), b"");
    }

    #[tokio::test]
    async fn what_it_leaves_in_the_background_is_not_waited_for() {
        let key = of("sleep 30 & echo sk-hush", LONG).await.unwrap();
        assert_eq!(key.reveal(), "sk-hush");
    }

    #[tokio::test]
    async fn what_cannot_be_started_is_named() {
        let error = key_from(&["no-such-program-here".to_owned()]).await.unwrap_err().to_string();
        assert!(error.contains("`no-such-program-here` cannot be started") && error.contains("PATH"), "{error}");
        assert!(matches!(key_from(&[]).await, Err(KeyCommandError::NoProgram)));
    }
}
