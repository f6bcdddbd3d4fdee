//! Where this machine keeps what goes to buckets and what came from them: an address in, folders out. A sweep that is measured lies in the spool
//! until all of it is in the bucket; what was read lies in the cache, and may be deleted at any time.

use std::path::PathBuf;

use super::address::BucketAddress;
use super::error::BucketError;

/// The variable that names the folder of sweeps on their way to buckets.
const SPOOL: &str = "BENCH_SPOOL";
/// The variable that names the folder of what was read from buckets.
const CACHE: &str = "BENCH_CACHE";

/// What belongs to the spool of this address alone: its folder, its lock, and the lease that was taken last.
pub(super) fn spool_home(address: &BucketAddress) -> Result<PathBuf, BucketError> {
    let spool = match set(SPOOL) {
        Some(folder) => folder,
        None => cache_folder(SPOOL)?.join("spool"),
    };
    Ok(spool.join(name(address)))
}

/// What belongs to the copy of this address alone: its folder, and the list of what was read.
pub(super) fn copy_home(address: &BucketAddress) -> Result<PathBuf, BucketError> {
    Ok(cache_folder(CACHE)?.join("buckets").join(name(address)))
}

/// What was read, by its hash.
pub(super) fn objects_folder() -> Result<PathBuf, BucketError> {
    Ok(cache_folder(CACHE)?.join("objects"))
}

fn cache_folder(variable: &'static str) -> Result<PathBuf, BucketError> {
    if let Some(folder) = set(CACHE) {
        return Ok(folder);
    }
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    cache.map(|cache| cache.join("bench")).ok_or(BucketError::NoHome { variable })
}

fn set(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A plain name that no other address has: a part of its hash, since addresses have slashes and may lie within one another.
fn name(address: &BucketAddress) -> String {
    let hash = blake3::hash(address.to_string().as_bytes()).to_hex();
    format!("{}-{}", address.provider.scheme(), &hash[..16])
}
