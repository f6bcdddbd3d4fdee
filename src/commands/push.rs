//! `bench push`: a saved sweep into a bucket. Does again what a sweep could not, and puts there what was measured elsewhere; what is there already is
//! not sent again. Exits with 3 where not all was sent.

use super::ExitReason;
use super::destination::{counted, counted_u64};
use crate::cli::{PushArgs, VerbosityArgs};
use crate::records::bucket::push_folder;

pub fn run(args: &PushArgs, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let (dir, address) = (&args.results, &args.address);
    match push_folder(dir, address) {
        Ok(summary) => {
            if !talk.quiet {
                let there = counted(summary.already_there, "run");
                let again = match summary.failed_requests {
                    0 => String::new(),
                    failed => format!("; {} tried again", counted_u64(failed, "request")),
                };
                eprintln!("{} sent to `{address}`, {there} there already{again}", counted(summary.uploaded, "run"));
            }
            Ok(ExitReason::Success)
        }
        Err(error) => {
            eprintln!("error: not all of `{}` is in `{address}`: {error}", dir.display());
            Ok(ExitReason::NotSent)
        }
    }
}
