//! Sweeps in buckets: the same files under the same names as in a folder, below a prefix of S3, Google Cloud Storage or Azure.
//!
//! In: an address, and a folder on this machine. Out: the folder's sealed runs in the bucket, or the bucket's sweeps in a folder. A run's record is
//! the last of its objects and is made only where none is: it exists exactly when the run is whole. Must not know how runs are made, nor what is
//! computed from them. Credentials come from the environment, as the cloud's own tools take them, and are neither saved nor shown.

mod address;
mod blocks;
mod bucket_folder;
mod cache;
mod credentials;
mod download;
mod error;
mod http;
mod lease;
mod object_cache;
mod take_sealed;
mod upload;
mod writer;

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod faulty_store;

pub use address::{AddressError, BucketAddress, CloudProvider, ResultsAddress};
pub use blocks::{BlockObjects, block_address, bucket_block_overview};
pub use download::{FetchedFiles, local_folder};
pub use error::{BucketError, SweepConflict};
pub use upload::{UploadSummary, push_folder, push_report};
pub use writer::{BucketWriter, UploadOutcome, UploadThread};
