//! `bench push`: what can be typed.

use std::path::PathBuf;

use clap::Args;

use crate::records::bucket::BucketAddress;

#[derive(Debug, Clone, Args)]
pub struct PushArgs {
    /// The folder of a saved sweep.
    #[arg(value_name = "DIR")]
    pub results: PathBuf,
    /// Where in a bucket: `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`.
    #[arg(value_name = "ADDRESS")]
    pub address: BucketAddress,
}
