//! Results on stdout, also into a pipe that is closed early: `bench plan ... | head` is no error.

use std::io::{ErrorKind, Write};

/// Prints a text as it is.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
