//! A sweep in a bucket being written: by one process, which holds the lease, from a folder of its spool. A thread of the lowest priority sends what is
//! sealed while the sweep goes on; what measures comes first.

use std::fs::TryLockError;
use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use fs_err as fs;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::address::BucketAddress;
use super::bucket_folder::BucketFolder;
use super::cache::spool_home;
use super::error::BucketError;
use super::lease::{LeaseState, RENEWED_EVERY, WriterLease};
use super::object_cache::ObjectCache;
use super::take_sealed::take_sealed;
use super::upload::{SweepUpload, UploadSummary};

/// A sweep in a bucket that this process alone may write.
#[derive(Debug)]
pub struct BucketWriter {
    runtime: Runtime,
    folder: BucketFolder,
    lease: WriterLease,
    spool: PathBuf,
    /// Keeps other processes of this machine away, until it is dropped.
    _lock: std::fs::File,
}

impl BucketWriter {
    /// Takes the lease.
    pub fn begin(address: &BucketAddress) -> Result<Self, BucketError> {
        let home = spool_home(address)?;
        fs::create_dir_all(&home)?;
        let lock = lock(&home, address)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let folder = BucketFolder::open(address)?;
        let tokens = LeaseTokens::read(home.join("lease"))?;
        let lease = runtime.block_on(tokens.take(&folder))?;
        Ok(Self { runtime, folder, lease, spool: home.join(address.last_name()), _lock: lock })
    }

    /// The folder of the sweep on its way.
    #[must_use]
    pub fn spool(&self) -> &Path {
        &self.spool
    }

    pub(super) fn failed_requests(&self) -> u64 {
        self.folder.failed_requests()
    }

    /// Takes what is sealed in the bucket into the spool; how many runs.
    pub fn take_sealed(&mut self) -> Result<usize, BucketError> {
        let cache = ObjectCache::open()?;
        let (folder, spool) = (self.folder.clone(), self.spool.clone());
        self.runtime.block_on(renewed(&mut self.lease, take_sealed(&folder, &spool, &cache)))
    }

    pub(super) fn push(&mut self, dir: &Path) -> Result<UploadSummary, BucketError> {
        let mut upload = SweepUpload::new(&self.folder, dir);
        self.runtime.block_on(renewed(&mut self.lease, upload.all()))?;
        Ok(upload.summary)
    }

    /// Gives the lease back. Where that fails it runs out by itself.
    pub(super) fn release(self) {
        let _ = self.runtime.block_on(self.lease.release());
    }

    /// Sends what is sealed from now on, in a thread. `lost` is called with the new holder's name where the lease is lost.
    pub fn start(self, lost: impl Fn(&str) + Send + 'static) -> Result<UploadThread, BucketError> {
        let (requests, received) = unbounded_channel();
        let thread = std::thread::Builder::new().name("upload".to_owned()).spawn(move || {
            step_back();
            self.upload(received, lost)
        })?;
        Ok(UploadThread { requests: Some(requests), thread: Some(thread) })
    }

    fn upload(mut self, received: UnboundedReceiver<UploadRequest>, lost: impl Fn(&str)) -> UploadOutcome {
        let mut upload = PendingUploads { sweep: SweepUpload::new(&self.folder, &self.spool), left: Vec::new(), fault: None };
        let ended = self.runtime.block_on(renewed(&mut self.lease, upload.serve(received)));
        let lost_to = match ended {
            Err(BucketError::LeaseLost { holder, .. }) => {
                lost(&holder);
                Some(holder)
            }
            Err(error) => {
                upload.fault.get_or_insert(error);
                None
            }
            Ok(()) => None,
        };
        let (summary, fault) = (upload.sweep.summary, upload.fault);
        let failed_requests = self.folder.failed_requests();
        if lost_to.is_none() {
            self.release();
        }
        UploadOutcome { summary: UploadSummary { failed_requests, ..summary }, fault, lost_to }
    }
}

/// What the thread is asked for.
#[derive(Debug)]
enum UploadRequest {
    /// To send this run, which is sealed.
    Run(String),
    /// To send all that is left, logs and the report; nothing comes after it.
    Rest,
}

/// The thread that sends what is sealed.
#[derive(Debug)]
pub struct UploadThread {
    requests: Option<UnboundedSender<UploadRequest>>,
    thread: Option<JoinHandle<UploadOutcome>>,
}

/// What came of it.
#[derive(Debug)]
pub struct UploadOutcome {
    pub summary: UploadSummary,
    /// Why something was not sent, where all else was well.
    pub fault: Option<BucketError>,
    /// Who has the lease now, where it was lost.
    pub lost_to: Option<String>,
}

impl UploadThread {
    /// What is to be called with the id of each sealed run.
    pub fn sealed(&self) -> impl Fn(String) + Send + 'static {
        let requests = self.requests.clone();
        // Where the thread has ended, the run is among what is left.
        move |id| drop(requests.as_ref().map(|requests| requests.send(UploadRequest::Run(id))))
    }

    /// Waits until all that can be sent is sent, and gives the lease back.
    pub fn finish(mut self) -> Option<UploadOutcome> {
        drop(self.requests.take().map(|requests| requests.send(UploadRequest::Rest)));
        self.thread.take().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }
}

impl Drop for UploadThread {
    /// Where the sweep did not come about, nothing is sent, and the lease is given back.
    fn drop(&mut self) {
        drop(self.requests.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Runs that are to be sent, and what became of those before.
struct PendingUploads {
    sweep: SweepUpload,
    /// In the order in which they were sealed.
    left: Vec<String>,
    fault: Option<BucketError>,
}

impl PendingUploads {
    async fn serve(&mut self, mut received: UnboundedReceiver<UploadRequest>) -> Result<(), BucketError> {
        while let Some(first) = received.recv().await {
            // All that waits is sent together: of a bucket that does not answer one request is tried again, not one a run.
            let others = std::iter::from_fn(|| received.try_recv().ok());
            let mut is_last = false;
            for request in std::iter::once(first).chain(others) {
                match request {
                    UploadRequest::Run(id) => self.left.push(id),
                    UploadRequest::Rest => is_last = true,
                }
            }
            self.send_left().await;
            if is_last {
                return if self.fault.is_none() { self.sweep.rest().await } else { Ok(()) };
            }
        }
        Ok(())
    }

    /// Sends what is left up to the first that cannot be sent: a bucket that does not answer is asked again with the next run.
    async fn send_left(&mut self) {
        self.fault = None;
        while let Some(id) = self.left.first().cloned() {
            match self.sweep.run(&id).await {
                Ok(()) => drop(self.left.remove(0)),
                Err(error) => {
                    self.fault = Some(error);
                    return;
                }
            }
        }
    }
}

/// Does something while the lease is renewed. A bucket that does not answer takes no lease away.
async fn renewed<T>(lease: &mut WriterLease, work: impl Future<Output = Result<T, BucketError>>) -> Result<T, BucketError> {
    let mut due = tokio::time::interval_at(tokio::time::Instant::now() + RENEWED_EVERY, RENEWED_EVERY);
    let renewals = async {
        loop {
            due.tick().await;
            if let Ok(LeaseState::Lost { holder }) = lease.renew().await {
                return holder;
            }
        }
    };
    tokio::select! {
        biased;
        done = work => done,
        holder = renewals => Err(BucketError::LeaseLost { holder }),
    }
}

/// The leases that processes of this machine took for an address: what of them is still in the bucket is held by nobody.
struct LeaseTokens {
    file: PathBuf,
    known: Vec<String>,
}

impl LeaseTokens {
    fn read(file: PathBuf) -> Result<Self, BucketError> {
        let known = if file.exists() { fs::read_to_string(&file)?.lines().map(str::to_owned).collect() } else { Vec::new() };
        Ok(Self { file, known })
    }

    /// Takes a lease. Its token is on disk before it is in the bucket.
    async fn take(self, folder: &BucketFolder) -> Result<WriterLease, BucketError> {
        let token = format!("{:016x}{:016x}", random(), random());
        let with_new: Vec<&str> = self.known.iter().chain([&token]).map(String::as_str).collect();
        crate::records::store::write_derived(&self.file, with_new.join("\n"))?;
        let lease = WriterLease::take(folder, &token, &self.known).await?;
        crate::records::store::write_derived(&self.file, format!("{token}\n"))?;
        Ok(lease)
    }
}

/// A number that no other process draws.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn lock(home: &Path, address: &BucketAddress) -> Result<std::fs::File, BucketError> {
    let file = fs::File::create(home.join(".lock"))?.into_file();
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BucketError::SpoolLocked { address: address.clone() }),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// The lowest priority for the calling thread, where the operating system has one for threads.
fn step_back() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 19);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;
    use crate::records::bucket::lease::LEASE;

    #[tokio::test(start_paused = true)]
    async fn what_is_done_under_a_lease_ends_when_somebody_else_takes_it_and_says_who() {
        let folder = BucketFolder::over(Arc::new(InMemory::new()), &"s3://b/x".parse().unwrap());
        let mut lease = WriterLease::take(&folder, "one", &[]).await.unwrap();
        assert_eq!(renewed(&mut lease, async { Ok(7) }).await.unwrap(), 7);
        let other = r#"{"holder": "process 7 on gpu7", "token": "two", "expires_at": "2999-01-01T00:00:00Z"}"#;
        folder.put(LEASE, other.as_bytes().to_vec()).await.unwrap();
        let ended = renewed(&mut lease, std::future::pending::<Result<(), BucketError>>()).await.unwrap_err();
        assert_eq!(ended.to_string(), "the lease was lost to process 7 on gpu7");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_nobody_else_takes_is_renewed_for_as_long_as_the_work_takes() {
        let folder = BucketFolder::over(Arc::new(InMemory::new()), &"s3://b/x".parse().unwrap());
        let mut lease = WriterLease::take(&folder, "one", &[]).await.unwrap();
        let first = folder.read(LEASE).await.unwrap().unwrap();
        let work = async {
            tokio::time::sleep(RENEWED_EVERY * 3).await;
            Ok(())
        };
        renewed(&mut lease, work).await.unwrap();
        assert_ne!(folder.read(LEASE).await.unwrap().unwrap().version, first.version);
    }
}
