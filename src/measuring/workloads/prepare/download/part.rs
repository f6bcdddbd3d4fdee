//! What has come of a file so far, over several tries, and whether a further piece belongs to the same file.

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, LAST_MODIFIED};

/// The beginning of a file. It is held in memory, since files are small, so that a part never lies on disk to be taken for the whole.
#[derive(Debug)]
pub struct PartialFile {
    bytes: Vec<u8>,
    limit: u64,
    /// What tells this version of the file from others: without it a part cannot be gone on with.
    version: Option<String>,
    /// The whole file's length, where the server tells.
    total: Option<u64>,
}

/// The file has more bytes than are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileTooLargeError;

impl PartialFile {
    pub fn new(limit: u64) -> Self {
        Self { bytes: Vec::new(), limit, version: None, total: None }
    }

    pub fn limit(&self) -> u64 {
        self.limit
    }

    pub fn total(&self) -> Option<u64> {
        self.total
    }

    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Where to go on and with which version, if that is possible.
    pub fn resume(&self) -> Option<(u64, &str)> {
        self.version.as_deref().filter(|_| !self.bytes.is_empty()).map(|version| (self.len(), version))
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.version = None;
        self.total = None;
    }

    /// Begins with a whole answer (status 200).
    pub fn begin(&mut self, headers: &HeaderMap) -> Result<(), FileTooLargeError> {
        self.clear();
        self.version = version(headers);
        self.total = text(headers, CONTENT_LENGTH).and_then(|length| length.parse().ok());
        if self.total.is_some_and(|total| total > self.limit) { Err(FileTooLargeError) } else { Ok(()) }
    }

    /// Whether a partial answer (status 206) goes on exactly where this part ends, and is of the same file.
    pub fn goes_on(&self, headers: &HeaderMap) -> bool {
        let Some(range) = text(headers, CONTENT_RANGE).and_then(range) else { return false };
        let same_total = self.total.is_none_or(|total| range.total == Some(total));
        let same_version = version(headers).is_none_or(|version| Some(version) == self.version);
        // A shorter piece than the rest would leave a gap at the end that nobody would notice.
        let to_the_end = range.total.is_some_and(|total| range.last + 1 == total);
        range.first == self.len() && same_total && same_version && to_the_end
    }

    pub fn take(&mut self, bytes: &[u8]) -> Result<(), FileTooLargeError> {
        if self.len() + bytes.len() as u64 > self.limit {
            return Err(FileTooLargeError);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

struct ContentRange {
    first: u64,
    last: u64,
    total: Option<u64>,
}

/// `bytes 100-199/200`
fn range(text: &str) -> Option<ContentRange> {
    let (span, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = span.split_once('-')?;
    Some(ContentRange { first: first.parse().ok()?, last: last.parse().ok()?, total: total.parse().ok() })
}

/// A strong entity tag, or the date of the last change; a weak tag only says that two files mean the same.
fn version(headers: &HeaderMap) -> Option<String> {
    let tag = text(headers, ETAG).filter(|tag| tag.starts_with('"'));
    tag.or_else(|| text(headers, LAST_MODIFIED)).map(str::to_owned)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_part_is_gone_on_with_only_where_it_ends_and_with_the_same_file() {
        let mut part = PartialFile::new(100);
        assert_eq!(part.resume(), None);
        part.begin(&headers(&[("etag", "\"v1\""), ("content-length", "10")])).unwrap();
        part.take(b"0123").unwrap();
        assert_eq!(part.resume(), Some((4, "\"v1\"")));
        let fits = |pairs: &[(&'static str, &'static str)]| part.goes_on(&headers(pairs));
        assert!(fits(&[("content-range", "bytes 4-9/10"), ("etag", "\"v1\"")]));
        assert!(fits(&[("content-range", "bytes 4-9/10")]));
        for range in ["bytes 3-9/10", "bytes 4-9/11", "bytes 4-8/10", "bytes 4-9/*", "bytes 4", ""] {
            assert!(!fits(&[("content-range", range)]), "{range}");
        }
        assert!(!fits(&[("content-range", "bytes 4-9/10"), ("etag", "\"v2\"")]));
        assert!(!fits(&[]));
    }

    #[test]
    fn a_part_of_no_known_version_is_begun_again() {
        let mut part = PartialFile::new(100);
        part.begin(&headers(&[("etag", "W/\"weak\"")])).unwrap();
        part.take(b"0123").unwrap();
        assert_eq!(part.resume(), None);
        part.begin(&headers(&[("etag", "W/\"weak\""), ("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT")])).unwrap();
        part.take(b"0123").unwrap();
        assert!(part.resume().is_some());
    }

    #[test]
    fn no_more_is_taken_than_allowed() {
        let mut part = PartialFile::new(4);
        assert_eq!(part.begin(&headers(&[("content-length", "5")])), Err(FileTooLargeError));
        part.begin(&headers(&[])).unwrap();
        part.take(b"0123").unwrap();
        assert_eq!(part.take(b"4"), Err(FileTooLargeError));
    }
}
