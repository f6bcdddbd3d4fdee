//! A folder in a bucket: names of files below the address in, their bytes out, and the other way round. Writing is whole or not at all, as buckets
//! promise of every object. Must not know what the files are.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use fs_err as fs;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path as ObjectPath;
use object_store::{Error, GetResult, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion};

use super::address::BucketAddress;
use super::credentials::{BucketSecrets, access_hint, open_store};
use super::error::BucketError;
use super::http::RequestCounter;

/// A file of more bytes is sent in parts of so many, so that memory holds one part of it.
const PART: usize = 16 << 20;
/// How often an answer is asked for that breaks off each time.
const READS: usize = 3;

/// A file that a bucket lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedObject {
    /// Below the folder, its parts divided by slashes.
    pub name: String,
    pub bytes: u64,
    /// What changes when the object does, where the provider tells.
    pub tag: Option<String>,
}

/// What was read, and the version that it was.
#[derive(Debug, Clone)]
pub(super) struct ReadObject {
    pub bytes: Bytes,
    pub version: UpdateVersion,
}

/// A folder in a bucket. Clones share their connections.
#[derive(Debug, Clone)]
pub(super) struct BucketFolder {
    store: Arc<dyn ObjectStore>,
    address: BucketAddress,
    counter: RequestCounter,
    secrets: BucketSecrets,
}

impl BucketFolder {
    /// Opens it with the credentials of the environment. Nothing is asked yet.
    pub fn open(address: &BucketAddress) -> Result<Self, BucketError> {
        let counter = RequestCounter::default();
        let store = open_store(address, &counter)?;
        let secrets = BucketSecrets::of_environment(address.provider);
        Ok(Self { store, address: address.clone(), counter, secrets })
    }

    #[cfg(test)]
    pub(super) fn over(store: Arc<dyn ObjectStore>, address: &BucketAddress) -> Self {
        Self { store, address: address.clone(), counter: RequestCounter::default(), secrets: BucketSecrets::default() }
    }

    #[must_use]
    pub fn address(&self) -> &BucketAddress {
        &self.address
    }

    /// A folder in it. Both share their connections.
    pub(super) fn below(&self, address: &BucketAddress) -> Self {
        Self { address: address.clone(), ..self.clone() }
    }

    /// How many requests had to be tried again.
    #[must_use]
    pub fn failed_requests(&self) -> u64 {
        self.counter.failed()
    }

    /// The address of a file in it, for people.
    pub(super) fn shown(&self, name: &str) -> String {
        self.address.join(name).to_string()
    }

    fn path(&self, name: &str) -> Result<ObjectPath, BucketError> {
        ObjectPath::parse(self.address.join(name).prefix).map_err(|_| BucketError::ObjectName { object: self.shown(name) })
    }

    fn fault(&self, name: &str, error: &Error) -> BucketError {
        let text = self.secrets.plain(&with_cause(error));
        let is_refused = matches!(error, Error::PermissionDenied { .. } | Error::Unauthenticated { .. });
        let is_without_credentials = ["169.254.", "nstance metadata", "metadata.google"].iter().any(|word| text.contains(word));
        let hint = if is_refused || is_without_credentials { access_hint(self.address.provider) } else { "" };
        let reason = if is_refused { format!("the credentials are refused: {}", brief(&text)) } else { brief(&text) };
        BucketError::Request { object: self.shown(name), reason, hint }
    }

    /// All files in it and below it, by name.
    pub(super) async fn list(&self) -> Result<Vec<ListedObject>, BucketError> {
        let address = || self.address.to_string();
        let prefix = ObjectPath::parse(&self.address.prefix).map_err(|_| BucketError::ObjectName { object: address() })?;
        let whole_bucket = self.address.prefix.is_empty();
        let listed = self.store.list((!whole_bucket).then_some(&prefix));
        let fault = |error: &Error| match self.fault("", error) {
            BucketError::Request { reason, hint, .. } => BucketError::Request { object: address(), reason, hint },
            other => other,
        };
        let found: Vec<_> = listed.try_collect().await.map_err(|error| fault(&error))?;
        let name = |path: &ObjectPath| {
            let path = path.as_ref();
            let below = path.strip_prefix(&self.address.prefix)?;
            if whole_bucket { Some(below.to_owned()) } else { below.strip_prefix('/').map(str::to_owned) }
        };
        let listed = |object: object_store::ObjectMeta| {
            Some(ListedObject { name: name(&object.location)?, bytes: object.size, tag: object.e_tag.or(object.version) })
        };
        let mut found: Vec<ListedObject> = found.into_iter().filter_map(listed).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// A small file, or none where there is none.
    pub(super) async fn read(&self, name: &str) -> Result<Option<ReadObject>, BucketError> {
        let mut bytes = Vec::new();
        let Some(version) = self.copy_to(name, &mut bytes).await? else { return Ok(None) };
        Ok(Some(ReadObject { bytes: bytes.into(), version }))
    }

    /// A file's bytes, and the hash of them; `None` where there is no such file.
    pub(super) async fn download(&self, name: &str, to: &Path) -> Result<Option<String>, BucketError> {
        let mut file = HashedFile { file: fs::File::create(to)?, hasher: blake3::Hasher::new() };
        let found = self.copy_to(name, &mut file).await?;
        Ok(found.map(|_| file.hasher.finalize().to_hex().to_string()))
    }

    /// Reads a file from its beginning to its end. An answer that breaks off is asked for again.
    async fn copy_to(&self, name: &str, out: &mut impl RestartableOutput) -> Result<Option<UpdateVersion>, BucketError> {
        let path = self.path(name)?;
        let mut last = None;
        for _ in 0..READS {
            let found = match self.store.get(&path).await {
                Ok(found) => found,
                Err(Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(self.fault(name, &error)),
            };
            let version = UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
            out.restart()?;
            match self.copied(name, found, out).await {
                Ok(()) => return Ok(Some(version)),
                Err(error @ BucketError::Request { .. }) => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| BucketError::ObjectName { object: self.shown(name) }))
    }

    async fn copied(&self, name: &str, found: GetResult, out: &mut impl RestartableOutput) -> Result<(), BucketError> {
        let expected = found.meta.size;
        let mut stream = found.into_stream();
        let mut read = 0;
        while let Some(bytes) = stream.next().await {
            let bytes = bytes.map_err(|error| self.fault(name, &error))?;
            read += bytes.len() as u64;
            out.write_all(&bytes)?;
        }
        if read == expected {
            return Ok(());
        }
        let reason = format!("the answer broke off after {read} of {expected} bytes");
        Err(BucketError::Request { object: self.shown(name), reason, hint: "; try again" })
    }

    /// Puts a file there, or in the place of the one that is there.
    pub(super) async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), BucketError> {
        self.store.put(&self.path(name)?, bytes.into()).await.map(drop).map_err(|error| self.fault(name, &error))
    }

    /// The same of a file of any length on this machine.
    pub(super) async fn put_file(&self, name: &str, from: &Path) -> Result<(), BucketError> {
        let mut file = fs::File::open(from)?;
        let mut part = read_part(&mut file)?;
        if part.len() < PART {
            return self.put(name, part).await;
        }
        let path = self.path(name)?;
        let mut upload = self.store.put_multipart(&path).await.map_err(|error| self.fault(name, &error))?;
        let mut sent = Ok(());
        while sent.is_ok() && !part.is_empty() {
            sent = upload.put_part(part.into()).await;
            part = read_part(&mut file)?;
        }
        let sent = match sent {
            Ok(()) => upload.complete().await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            // Parts that cannot be taken back either are the provider's to clear away.
            let _ = upload.abort().await;
            return Err(self.fault(name, &error));
        }
        Ok(())
    }

    /// Makes a file where there is none; `None` where there is one.
    pub(super) async fn create(&self, name: &str, bytes: Bytes) -> Result<Option<UpdateVersion>, BucketError> {
        self.put_if(name, bytes, PutMode::Create).await
    }

    /// Puts a file in the place of that version of it; `None` where it has changed meanwhile.
    pub(super) async fn replace(&self, name: &str, bytes: Bytes, version: &UpdateVersion) -> Result<Option<UpdateVersion>, BucketError> {
        self.put_if(name, bytes, PutMode::Update(version.clone())).await
    }

    async fn put_if(&self, name: &str, bytes: Bytes, mode: PutMode) -> Result<Option<UpdateVersion>, BucketError> {
        let options = PutOptions { mode, ..PutOptions::default() };
        match self.store.put_opts(&self.path(name)?, PutPayload::from_bytes(bytes), options).await {
            Ok(put) => Ok(Some(UpdateVersion { e_tag: put.e_tag, version: put.version })),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.fault(name, &error)),
        }
    }

    /// Removes a file that may be absent.
    pub(super) async fn remove(&self, name: &str) -> Result<(), BucketError> {
        match self.store.delete(&self.path(name)?).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.fault(name, &error)),
        }
    }
}

/// What an error says, and what stands behind it last, which often says most.
fn with_cause(error: &Error) -> String {
    let text = error.to_string();
    let last = std::iter::successors(std::error::Error::source(error), |error| error.source()).last().map(ToString::to_string);
    match last.filter(|last| !text.contains(last.as_str())) {
        Some(last) => format!("{text}: {last}"),
        None => text,
    }
}

/// The end of an error's text, without the request, which is named already; of a server's XML its code and its message.
fn brief(text: &str) -> String {
    let between = |tag: &str| text.split_once(&format!("<{tag}>"))?.1.split_once(&format!("</{tag}>")).map(|(inner, _)| inner);
    if let (Some(code), Some(message)) = (between("Code"), between("Message")) {
        return format!("{code}: {message}");
    }
    text.split_once(" - ").map_or(text, |(_, end)| end).to_owned()
}

/// The next bytes of a file, at most a part of it; none at its end.
fn read_part(file: &mut fs::File) -> Result<Vec<u8>, BucketError> {
    let mut part = Vec::new();
    Read::take(file, PART as u64).read_to_end(&mut part)?;
    Ok(part)
}

/// Something that is written to and may have to be written again from its beginning.
trait RestartableOutput: Write {
    fn restart(&mut self) -> std::io::Result<()>;
}

impl RestartableOutput for Vec<u8> {
    fn restart(&mut self) -> std::io::Result<()> {
        self.clear();
        Ok(())
    }
}

struct HashedFile {
    file: fs::File,
    hasher: blake3::Hasher,
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl RestartableOutput for HashedFile {
    fn restart(&mut self) -> std::io::Result<()> {
        use std::io::Seek;
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.hasher.reset();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_the_server_said_and_not_how_it_was_asked() {
        let xml = "Error performing GET http://h/b in 1ms - Server returned 404: <?xml?><Error><Code>NoSuchBucket</Code><Message>no b</Message></Error>";
        assert_eq!(brief(xml), "NoSuchBucket: no b");
        assert_eq!(brief("Error performing GET http://h/b in 3s, after 9 retries - HTTP error: refused"), "HTTP error: refused");
        assert_eq!(brief("disk full"), "disk full");
    }
}
