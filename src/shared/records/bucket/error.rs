//! What can go wrong with results in a bucket. Every message names the object or the folder, and what to do next where there is something to do.

use std::io;
use std::path::PathBuf;

use super::address::BucketAddress;
use crate::records::store::StoreError;

/// Why something was not put into a bucket or not got out of it. Texts of servers have gone through the mask of credentials.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// The message holds the path.
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("`{address}` cannot be reached: {reason}")]
    Settings { address: BucketAddress, reason: String },
    #[error(
        "`{variable}` is `{url}`: the keys' signatures and the results would cross the network unencrypted; use `https://`, or set \
         `{allow}=true` where that is meant"
    )]
    PlainHttp { variable: String, url: String, allow: &'static str },
    #[error("`{object}`: {reason}{hint}")]
    Request { object: String, reason: String, hint: &'static str },
    #[error("`{object}` cannot be a sweep's file; delete it from the bucket")]
    ObjectName { object: String },
    #[error(
        "`{object}` is not what was sealed: its hash is another than `run.json` says; delete the run's objects, and sweep or push again"
    )]
    Changed { object: String },
    #[error("`{}` is not what was sealed: its hash is another than `run.json` says; restore it, or delete the run's folder and sweep again", path.display())]
    ChangedFile { path: PathBuf },
    #[error("`{object}` is not what `docs/results-format.md` says: {reason}")]
    Json { object: String, reason: String },
    #[error("`{address}` holds no sweep: there is no `manifest.json` below it")]
    NoSweep { address: BucketAddress },
    #[error(
        "`{address}` holds no blocks: there is no `blocks/plan.json` below it; name the address that `bench sweep --block` was given with `-o`"
    )]
    NoBlocks { address: BucketAddress },
    #[error("`{address}` holds blocks that are not one sweep yet; make one of them: bench merge {address}")]
    Unmerged { address: BucketAddress },
    #[error(transparent)]
    OtherSweep(Box<SweepConflict>),
    #[error(
        "`{address}` holds the same scenario as `{}` with other runs, planned by another version or with other flags; name another address",
        dir.display()
    )]
    OtherRuns { address: BucketAddress, dir: PathBuf },
    #[error(
        "run `{id}` is sealed in the bucket as `{object}` and here in `{}`, and these are two different runs; nothing was overwritten. Delete one of \
         them, or name another address",
        dir.display()
    )]
    OtherRun { id: String, object: String, dir: PathBuf },
    #[error(
        "`{address}` is being written by {holder}; wait for it, or name another address. Where it was killed, its lease ends at {expires_at}"
    )]
    Leased { address: BucketAddress, holder: String, expires_at: jiff::Timestamp },
    #[error("`{address}` is being written by another process on this machine; wait for it, or name another address")]
    SpoolLocked { address: BucketAddress },
    #[error("there is no folder for results of buckets; set `{variable}` to one")]
    NoHome { variable: &'static str },
    #[error("the lease was lost to {holder}")]
    LeaseLost { holder: String },
}

/// Two sweeps that were asked to be one.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{address}` holds the sweep `{found_name}` (scenario {found_hash}), and `{}` holds `{our_name}` (scenario {our_hash}); name another address",
    dir.display()
)]
pub struct SweepConflict {
    pub address: BucketAddress,
    pub found_name: String,
    pub found_hash: String,
    pub dir: PathBuf,
    pub our_name: String,
    pub our_hash: String,
}
