//! `bench prepare`: data made ready before anything is measured.

mod counter;
mod documents;
mod progress;
mod sharegpt;
mod trace;

use super::ExitReason;
use crate::cli::{PrepareCommand, VerbosityArgs};

pub fn run(what: &PrepareCommand, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    match what {
        PrepareCommand::Documents(args) => documents::run(args, talk),
        PrepareCommand::Sharegpt(args) => sharegpt::run(args, talk),
        PrepareCommand::Trace(args) => trace::run(args, talk),
    }
}
