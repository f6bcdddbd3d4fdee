//! A bucket in memory that fails by a seed: errors before and after the work was done, answers that break off, and silence, as after a kill.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestFault {
    None,
    /// It is refused, and nothing is done.
    Refused,
    /// It is done, and the answer is an error.
    AnswerLost,
    /// Half of what is read comes.
    Truncated,
    /// It is not done, and nothing comes any more: whoever asked is to be dropped.
    KilledBefore,
    /// It is done, and nothing comes any more.
    KilledAfter,
}

/// The bucket.
#[derive(Debug)]
pub(super) struct FaultyStore {
    pub inner: Arc<InMemory>,
    random: Mutex<Pcg64>,
    /// Of how many requests one fails.
    one_of: u32,
}

impl FaultyStore {
    pub fn new(inner: &Arc<InMemory>, seed: u64, one_of: u32) -> Self {
        Self { inner: Arc::clone(inner), random: Mutex::new(Pcg64::seed_from_u64(seed)), one_of }
    }

    fn fault(&self) -> RequestFault {
        let mut random = self.random.lock().unwrap();
        if random.random_range(0..self.one_of) > 0 {
            return RequestFault::None;
        }
        let faults = [
            RequestFault::Refused,
            RequestFault::AnswerLost,
            RequestFault::Truncated,
            RequestFault::KilledBefore,
            RequestFault::KilledAfter,
        ];
        faults[random.random_range(0..faults.len())]
    }

    /// Does something that changes the bucket, or not.
    async fn change<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        match self.fault() {
            RequestFault::None | RequestFault::Truncated => work.await,
            RequestFault::Refused => Err(refused()),
            RequestFault::AnswerLost => work.await.and(Err(refused())),
            RequestFault::KilledBefore => std::future::pending().await,
            RequestFault::KilledAfter => {
                let _ = work.await;
                std::future::pending().await
            }
        }
    }
}

fn refused() -> Error {
    Error::Generic { store: "faulty", source: "503 Slow Down".into() }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyStore")
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.change(self.inner.put_opts(location, payload, options)).await
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.change(self.inner.put_multipart_opts(location, options)).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        match self.fault() {
            RequestFault::None => self.inner.get_opts(location, options).await,
            RequestFault::Refused | RequestFault::AnswerLost => Err(refused()),
            RequestFault::KilledBefore | RequestFault::KilledAfter => std::future::pending().await,
            RequestFault::Truncated => {
                let whole = self.inner.get_opts(location, options).await?;
                let (meta, range, attributes) = (whole.meta.clone(), whole.range.clone(), whole.attributes.clone());
                let extensions = whole.extensions.clone();
                let bytes = whole.bytes().await?;
                let half = bytes.slice(..bytes.len() / 2);
                let payload = GetResultPayload::Stream(stream::iter([Ok(half)]).boxed());
                Ok(GetResult { payload, meta, range, attributes, extensions })
            }
        }
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        match self.fault() {
            RequestFault::None | RequestFault::Truncated => self.inner.delete_stream(locations),
            RequestFault::Refused | RequestFault::AnswerLost => stream::iter([Err(refused())]).boxed(),
            RequestFault::KilledBefore | RequestFault::KilledAfter => stream::pending().boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.fault() {
            RequestFault::None | RequestFault::Truncated => self.inner.list(prefix),
            RequestFault::Refused | RequestFault::AnswerLost => stream::iter([Err(refused())]).boxed(),
            RequestFault::KilledBefore | RequestFault::KilledAfter => stream::pending().boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
