//! Where a sweep is saved: a folder, or the spool of a bucket, from which a thread sends what is sealed while the sweep goes on. In: the address that
//! was typed, and what a block says of itself. Out: the folder to measure into, and at the end how the command exits.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fs_err as fs;

use super::ExitReason;
use super::blocks::BlockReport;
use crate::cli::VerbosityArgs;
use crate::execution::executor::StopToken;
use crate::execution::reporter::SealedRunNotifier;
use crate::records::bucket::{BucketWriter, FetchedFiles, ResultsAddress, UploadOutcome, UploadThread, local_folder, push_report};
use crate::vocabulary::template::quoted_all;

/// Where a sweep is saved.
#[derive(Debug)]
pub(super) struct SweepDestination {
    address: ResultsAddress,
    dir: PathBuf,
    /// Of a bucket.
    upload: Option<UploadThread>,
    /// Of a block.
    block: Option<BlockReport>,
}

impl SweepDestination {
    /// Opens it. Of a bucket it takes the lease and what is sealed there; a lease that is lost stops the sweep.
    pub fn open(address: ResultsAddress, stop: &StopToken, talk: VerbosityArgs) -> anyhow::Result<Self> {
        let bucket = match &address {
            ResultsAddress::Folder(dir) => {
                let dir = dir.clone();
                return Ok(Self { address, dir, upload: None, block: None });
            }
            ResultsAddress::Bucket(bucket) => bucket,
        };
        let mut writer = BucketWriter::begin(bucket)?;
        let taken = writer.take_sealed()?;
        if taken > 0 && !talk.quiet {
            eprintln!("{} taken from `{address}`", counted(taken, "sealed run"));
        }
        let dir = writer.spool().to_owned();
        let (stop, shown) = (stop.clone(), address.to_string());
        let upload = writer.start(move |holder| {
            eprintln!("\nstopping: the lease of `{shown}` was lost to {holder}");
            stop.drain();
        })?;
        Ok(Self { address, dir, upload: Some(upload), block: None })
    }

    /// That it is a block's, where it is.
    pub fn of_block(self, block: Option<BlockReport>) -> Self {
        Self { block, ..self }
    }

    /// The folder that is measured into.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What was typed.
    pub fn address(&self) -> &ResultsAddress {
        &self.address
    }

    /// Says that measuring begins; to be called once the folder is locked.
    pub fn begin(&self) -> anyhow::Result<()> {
        self.block.as_ref().map_or(Ok(()), BlockReport::begin)
    }

    /// Sends runs that were sealed at an earlier start, where they are not there yet.
    pub fn send(&self, sealed: &BTreeSet<String>) {
        if let Some(upload) = &self.upload {
            sealed.iter().cloned().for_each(upload.sealed());
        }
    }

    /// Who is to be told of runs that are sealed.
    pub fn notifier(&self) -> Option<SealedRunNotifier> {
        self.upload.as_ref().map(|upload| SealedRunNotifier::new(upload.sealed()))
    }

    /// Waits until everything is where it is to be. The spool goes once all of it is in the bucket, unless a run was left unfinished.
    pub fn finish(mut self, exit: ExitReason, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
        let block = self.block.take();
        let done = self.finish_upload(exit, talk);
        end(block, done.as_ref().copied().unwrap_or(ExitReason::Usage));
        done
    }

    /// Gives it up after an error, which is told elsewhere: nothing more is sent.
    pub fn abandon(mut self) {
        let block = self.block.take();
        drop(self);
        end(block, ExitReason::Usage);
    }

    fn finish_upload(mut self, exit: ExitReason, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
        let Some(UploadOutcome { summary, fault, lost_to }) = self.upload.take().and_then(UploadThread::finish) else { return Ok(exit) };
        let (address, spool) = (&self.address, self.dir.display().to_string());
        if lost_to.is_some() {
            eprintln!("what was measured and not sent is in `{spool}`");
            return Ok(ExitReason::NotSent);
        }
        if let Some(fault) = fault {
            let command = quoted_all(&["bench".to_owned(), "push".to_owned(), spool.clone(), address.to_string()]);
            eprintln!("error: not all is in the bucket: {fault}\nit is all in `{spool}`. To send what is missing: {command}");
            return Ok(if exit == ExitReason::Interrupted { exit } else { ExitReason::NotSent });
        }
        if !talk.quiet {
            let again = if summary.failed_requests > 0 {
                format!("; {} failed and {} tried again", counted_u64(summary.failed_requests, "request"), was(summary.failed_requests))
            } else {
                String::new()
            };
            eprintln!("{} sent to `{address}`{again}", counted(summary.uploaded, "run"));
        }
        if exit != ExitReason::Interrupted {
            fs::remove_dir_all(&self.dir)?;
        }
        Ok(exit)
    }
}

/// That a block has ended is for `bench status` alone, and its results do not depend on it.
fn end(block: Option<BlockReport>, exit: ExitReason) {
    if let Some(error) = block.and_then(|block| block.end(exit.code()).err()) {
        eprintln!("warning: `bench status` will not tell how this block ended: {error:#}");
    }
}

/// The folder that a command reads instead of an address.
pub(super) fn folder_of(address: &ResultsAddress) -> anyhow::Result<PathBuf> {
    Ok(local_folder(address, FetchedFiles::ForReading)?)
}

/// The folder with all blocks of an address.
pub(super) fn blocks_folder(address: &ResultsAddress) -> anyhow::Result<PathBuf> {
    Ok(local_folder(address, FetchedFiles::ForMerging)?)
}

/// Puts a report beside the runs that it is of, where these are in a bucket.
pub(super) fn send_report(address: &ResultsAddress, dir: &Path) -> ExitReason {
    let ResultsAddress::Bucket(bucket) = address else { return ExitReason::Success };
    match push_report(dir, bucket) {
        Ok(()) => ExitReason::Success,
        Err(error) => {
            eprintln!("error: the report is not in the bucket: {error}\nhint: `-o DIR` writes it into a folder");
            ExitReason::NotSent
        }
    }
}

pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

pub(super) fn counted_u64(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn was(count: u64) -> &'static str {
    if count == 1 { "was" } else { "were" }
}
