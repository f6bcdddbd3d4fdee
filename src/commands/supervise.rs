//! `bench supervise`: what `bench` starts for itself, to end the servers it started when it is gone. Not for people.

use anyhow::Context;

use super::ExitReason;
use crate::servers::server::supervisor;

pub fn run() -> anyhow::Result<ExitReason> {
    supervisor::supervise().context("cannot supervise processes")?;
    Ok(ExitReason::Success)
}
