//! Who may write a sweep in a bucket: a small object that one process makes, renews and at last removes. In: the folder, and what this process
//! remembers of its own last lease. Out: the lease, or who holds it.
//!
//! It keeps two sweeps from measuring the same runs. Nothing that is sealed depends on it: a run's record is made only where none is. Times are
//! those of the machines, which may differ by some seconds of the lease's minute.

use std::time::Duration;

use jiff::Timestamp;
use object_store::UpdateVersion;
use serde::{Deserialize, Serialize};

use super::bucket_folder::BucketFolder;
use super::error::BucketError;

/// The object.
pub(super) const LEASE: &str = ".lease";
/// How long a lease holds that is not renewed.
const HOLDS: Duration = Duration::from_mins(1);
/// How often it is renewed.
pub(super) const RENEWED_EVERY: Duration = Duration::from_secs(20);
/// How often it is tried where it changes in that very moment.
const TRIES: usize = 4;

/// What the object says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LeaseRecord {
    /// Which machine and process, for people.
    pub holder: String,
    /// Which lease this is, among all that there ever are.
    pub token: String,
    pub expires_at: Timestamp,
}

impl LeaseRecord {
    fn new(token: &str) -> Self {
        Self { holder: holder(), token: token.to_owned(), expires_at: Timestamp::now() + HOLDS }
    }

    fn bytes(&self) -> bytes::Bytes {
        // A record of two texts and a time always has a JSON form.
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

/// A lease that is held.
#[derive(Debug)]
pub(super) struct WriterLease {
    folder: BucketFolder,
    token: String,
    version: UpdateVersion,
}

/// What became of a lease that was to be renewed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LeaseState {
    Held,
    /// Somebody else has it, or it was removed.
    Lost {
        holder: String,
    },
}

impl WriterLease {
    /// Takes the lease: where nobody has it, where it has run out, or where it is one of `left`, which processes of this machine had that
    /// are gone. `token` is new.
    pub async fn take(folder: &BucketFolder, token: &str, left: &[String]) -> Result<Self, BucketError> {
        let held = |version| Self { folder: folder.clone(), token: token.to_owned(), version };
        let mut holder = ("somebody".to_owned(), Timestamp::now());
        for _ in 0..TRIES {
            let ours = LeaseRecord::new(token);
            if let Some(version) = folder.create(LEASE, ours.bytes()).await? {
                return Ok(held(version));
            }
            let Some(found) = folder.read(LEASE).await? else { continue };
            let record = parsed(&found.bytes);
            if let Some(record) = &record {
                let is_ours = record.token == token;
                let is_left = left.contains(&record.token) || record.expires_at <= Timestamp::now();
                if is_ours {
                    return Ok(held(found.version));
                }
                if !is_left {
                    let (holder, expires_at) = (record.holder.clone(), record.expires_at);
                    return Err(BucketError::Leased { address: folder.address().clone(), holder, expires_at });
                }
                holder = (record.holder.clone(), record.expires_at);
            }
            if let Some(version) = folder.replace(LEASE, ours.bytes(), &found.version).await? {
                return Ok(held(version));
            }
        }
        Err(BucketError::Leased { address: folder.address().clone(), holder: holder.0, expires_at: holder.1 })
    }

    /// Holds it for another while. An error is of the bucket and says nothing about who has it.
    pub async fn renew(&mut self) -> Result<LeaseState, BucketError> {
        for _ in 0..TRIES {
            if let Some(version) = self.folder.replace(LEASE, LeaseRecord::new(&self.token).bytes(), &self.version).await? {
                self.version = version;
                return Ok(LeaseState::Held);
            }
            match self.folder.read(LEASE).await? {
                // The answer to an earlier renewal was lost.
                Some(found) if parsed(&found.bytes).is_some_and(|record| record.token == self.token) => self.version = found.version,
                Some(found) => {
                    let holder = parsed(&found.bytes).map_or_else(|| "somebody who wrote no name".to_owned(), |record| record.holder);
                    return Ok(LeaseState::Lost { holder });
                }
                None => return Ok(LeaseState::Lost { holder: "nobody: it was removed".to_owned() }),
            }
        }
        Ok(LeaseState::Held)
    }

    /// Gives it back, where it is still ours.
    pub async fn release(mut self) -> Result<(), BucketError> {
        if self.renew().await? == LeaseState::Held { self.folder.remove(LEASE).await } else { Ok(()) }
    }
}

/// Whether somebody writes there, as far as the lease tells.
pub(super) async fn is_leased(folder: &BucketFolder) -> Result<bool, BucketError> {
    let record = folder.read(LEASE).await?.and_then(|found| parsed(&found.bytes));
    Ok(record.is_some_and(|record| record.expires_at > Timestamp::now()))
}

fn parsed(bytes: &[u8]) -> Option<LeaseRecord> {
    serde_json::from_slice(bytes).ok()
}

/// `process 123 on gpu7`.
fn holder() -> String {
    let host = std::env::var("HOSTNAME").ok().or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok());
    let host = host.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let process = std::process::id();
    host.map_or_else(|| format!("process {process}"), |host| format!("process {process} on {host}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;

    fn folder() -> BucketFolder {
        BucketFolder::over(Arc::new(InMemory::new()), &"s3://b/x".parse().unwrap())
    }

    #[tokio::test]
    async fn one_holds_it_at_a_time_and_the_other_is_told_who() {
        let folder = folder();
        let mut first = WriterLease::take(&folder, "one", &[]).await.unwrap();
        let error = WriterLease::take(&folder, "two", &[]).await.unwrap_err().to_string();
        assert!(error.contains("`s3://b/x` is being written by process") && error.contains("its lease ends at"), "{error}");
        assert_eq!(first.renew().await.unwrap(), LeaseState::Held);
        assert!(is_leased(&folder).await.unwrap());
        first.release().await.unwrap();
        assert!(!is_leased(&folder).await.unwrap());
        WriterLease::take(&folder, "two", &[]).await.unwrap();
    }

    #[tokio::test]
    async fn one_that_ran_out_is_taken_over_and_its_holder_learns_of_it() {
        let folder = folder();
        let mut old = WriterLease::take(&folder, "one", &[]).await.unwrap();
        let expired = LeaseRecord { expires_at: Timestamp::now(), ..LeaseRecord::new("one") };
        old.version = folder.replace(LEASE, expired.bytes(), &old.version).await.unwrap().unwrap();
        assert!(!is_leased(&folder).await.unwrap());
        let new = WriterLease::take(&folder, "two", &[]).await.unwrap();
        assert_eq!(old.renew().await.unwrap(), LeaseState::Lost { holder: holder() });
        old.release().await.unwrap();
        assert!(folder.read(LEASE).await.unwrap().is_some(), "another's lease is not removed");
        new.release().await.unwrap();
        assert!(folder.read(LEASE).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn one_that_a_killed_process_of_this_machine_held_is_taken_over_at_once() {
        let folder = folder();
        drop(WriterLease::take(&folder, "one", &[]).await.unwrap());
        WriterLease::take(&folder, "two", &["one".to_owned()]).await.unwrap();
        assert!(WriterLease::take(&folder, "three", &["one".to_owned()]).await.is_err());
    }

    #[tokio::test]
    async fn a_renewal_whose_answer_was_lost_is_still_ours() {
        let folder = folder();
        let mut lease = WriterLease::take(&folder, "one", &[]).await.unwrap();
        folder.put(LEASE, LeaseRecord::new("one").bytes().to_vec()).await.unwrap();
        assert_eq!(lease.renew().await.unwrap(), LeaseState::Held);
        folder.remove(LEASE).await.unwrap();
        assert!(matches!(lease.renew().await.unwrap(), LeaseState::Lost { .. }));
    }
}
