//! Where results are: text of the command line in, a folder or a place in a bucket out. Must not know credentials; a text that holds some is
//! refused without being shown.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Whose bucket it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloudProvider {
    /// Amazon S3, and all that speak its protocol.
    S3,
    GoogleCloud,
    Azure,
}

impl CloudProvider {
    const ALL: [Self; 3] = [Self::S3, Self::GoogleCloud, Self::Azure];

    /// The scheme of its addresses.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::GoogleCloud => "gs",
            Self::Azure => "az",
        }
    }

    /// What the environment variables of its own tools begin with.
    #[must_use]
    pub fn variables(self) -> &'static str {
        match self {
            Self::S3 => "AWS_",
            Self::GoogleCloud => "GOOGLE_",
            Self::Azure => "AZURE_",
        }
    }
}

/// A place in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketAddress {
    pub provider: CloudProvider,
    /// The bucket's name; of Azure the container's.
    pub bucket: String,
    /// Parts of a path, divided by single slashes; empty for the whole bucket.
    pub prefix: String,
}

impl BucketAddress {
    /// The place of this name below it.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let prefix = if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) };
        Self { prefix, ..self.clone() }
    }

    /// What a folder with the same content would be called.
    #[must_use]
    pub fn last_name(&self) -> &str {
        self.prefix.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(&self.bucket)
    }
}

impl fmt::Display for BucketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.provider.scheme(), self.bucket)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

/// A folder on this machine, or a place in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultsAddress {
    Folder(PathBuf),
    Bucket(BucketAddress),
}

impl ResultsAddress {
    /// The place of this name below it.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        match self {
            Self::Folder(folder) => Self::Folder(folder.join(name)),
            Self::Bucket(bucket) => Self::Bucket(bucket.join(name)),
        }
    }

    /// Its last part; none of a folder such as `..`.
    #[must_use]
    pub fn last_name(&self) -> Option<String> {
        match self {
            Self::Folder(folder) => folder.file_name().map(|name| name.to_string_lossy().into_owned()),
            Self::Bucket(bucket) => Some(bucket.last_name().to_owned()),
        }
    }
}

impl From<&Path> for ResultsAddress {
    fn from(folder: &Path) -> Self {
        Self::Folder(folder.to_owned())
    }
}

impl fmt::Display for ResultsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Bucket(bucket) => bucket.fmt(f),
        }
    }
}

/// Why a text is no address of results.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("results are in no `{scheme}://`; name a folder, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`")]
    Scheme { scheme: String },
    #[error("after `{scheme}://` the bucket's name is wanted: `{scheme}://BUCKET/PREFIX`")]
    NoBucket { scheme: &'static str },
    #[error(
        "an address of a bucket holds no keys, user names or queries; keys come from the environment, as the cloud's own tools take them"
    )]
    Credentials,
    #[error("`{part}` cannot be a part of a prefix; write parts of letters, digits, `-`, `_`, `.` and `=`, divided by single slashes")]
    Part { part: String },
}

impl FromStr for BucketAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let provider = CloudProvider::ALL.into_iter().find(|provider| provider.scheme() == scheme);
        let provider = provider.ok_or_else(|| AddressError::Scheme { scheme: scheme.chars().take(20).collect() })?;
        if rest.contains(['@', '?', '#']) {
            return Err(AddressError::Credentials);
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(AddressError::NoBucket { scheme: provider.scheme() });
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let parts = std::iter::once(bucket).chain(prefix.split('/').filter(|_| !prefix.is_empty()));
        for part in parts {
            if !is_plain(part) {
                return Err(AddressError::Part { part: part.to_owned() });
            }
        }
        Ok(Self { provider, bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

/// Whether a part means the same to every provider, to every file system and in every shell.
fn is_plain(part: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | '+' | ',');
    !part.is_empty() && part.len() <= 200 && !part.chars().all(|c| c == '.') && part.chars().all(fits)
}

impl FromStr for ResultsAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.contains("://") { text.parse().map(Self::Bucket) } else { Ok(Self::Folder(PathBuf::from(text))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(text: &str) -> BucketAddress {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_is_a_folder_or_a_place_in_a_bucket() {
        for (text, provider, name, prefix) in [
            ("s3://b/nightly/2026-11-29", CloudProvider::S3, "b", "nightly/2026-11-29"),
            ("s3://b/nightly/", CloudProvider::S3, "b", "nightly"),
            ("gs://my.bucket", CloudProvider::GoogleCloud, "my.bucket", ""),
            ("az://c/a=1", CloudProvider::Azure, "c", "a=1"),
        ] {
            let address = bucket(text);
            assert_eq!((address.provider, address.bucket.as_str(), address.prefix.as_str()), (provider, name, prefix));
            assert_eq!(address.to_string(), text.trim_end_matches('/'));
            assert_eq!(text.parse(), Ok(ResultsAddress::Bucket(address)));
        }
        for text in ["results/x", "/tmp/x", "..", "s3:x", "a b"] {
            assert_eq!(text.parse(), Ok(ResultsAddress::Folder(PathBuf::from(text))));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_is_allowed() {
        let error = |text: &str| text.parse::<ResultsAddress>().unwrap_err().to_string();
        assert!(error("http://host/x").contains("`http://`; name a folder, `s3://BUCKET/PREFIX`"));
        assert!(error("S3://b/x").contains("`S3://`"));
        assert!(error("s3://").contains("`s3://BUCKET/PREFIX`") && error("s3:///x").contains("`s3://BUCKET/PREFIX`"));
        for text in ["s3://b/a//b", "s3://b/../x", "s3://b/a b", "s3://b/\u{1b}[2J", "s3://b/ü", "s3://b/./x"] {
            assert!(error(text).contains("cannot be a part of a prefix"), "{text}");
        }
    }

    #[test]
    fn an_address_with_keys_is_refused_and_not_shown() {
        for text in ["s3://key:hush@b/x", "az://c/x?sig=hush", "gs://b/x#hush"] {
            let error = text.parse::<ResultsAddress>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
        }
    }

    #[test]
    fn a_place_is_called_as_the_folder_would_be() {
        assert_eq!(bucket("s3://b/nightly/2026-11-29").last_name(), "2026-11-29");
        assert_eq!(bucket("s3://b").last_name(), "b");
        assert_eq!(bucket("s3://b").join("x").to_string(), "s3://b/x");
        assert_eq!(bucket("s3://b/x").join("y").to_string(), "s3://b/x/y");
    }
}
