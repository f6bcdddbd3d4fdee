//! Files that somebody names, in a scenario, on a command line or in a folder that was passed on: read within a bound, or refused.
//!
//! In: what the file is to be, and its path. Out: its bytes, its text or a reader, and otherwise the reason in words. Only regular files
//! are opened, since a pipe may never speak and a device never end. It must not know what the files mean.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What a file is to be. Each has a bound in bytes, far above what is of use: `docs/scenario.md` states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedFile {
    Scenario,
    Questions,
    Document,
    Conversations,
    Trace,
    Prompts,
    Lengths,
    Tokenizer,
    ApiKey,
    /// What lets the clients of one load in.
    Token,
    /// Certificates, or the private key of one, in the PEM form.
    Certificates,
    /// What another program saved of its runs.
    Import,
    /// A site's own template of a job file.
    Template,
    /// A fitted engine.
    Twin,
    /// A manifest, a record or a text of a sweep that was saved.
    Saved,
}

/// A file that was not read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{}`: {reason}", path.display())]
pub struct NamedFileError {
    pub path: PathBuf,
    pub reason: FileReadError,
}

/// Why a file was not read, without its name.
#[derive(Debug, thiserror::Error)]
pub enum FileReadError {
    #[error("{}", in_words(.0))]
    Io(#[source] io::Error),
    #[error("it is {found}; {}", what.cure())]
    NotRegular { what: NamedFile, found: &'static str },
    #[error("it is larger than {}, the most that is read of {what}; {}", BinarySize(what.most()), what.cure())]
    TooLarge { what: NamedFile },
    #[error("it is not UTF-8 text")]
    NotText,
}

impl NamedFile {
    pub const ALL: [Self; 15] = [
        Self::Scenario,
        Self::Questions,
        Self::Document,
        Self::Conversations,
        Self::Trace,
        Self::Prompts,
        Self::Lengths,
        Self::Tokenizer,
        Self::ApiKey,
        Self::Token,
        Self::Certificates,
        Self::Import,
        Self::Template,
        Self::Twin,
        Self::Saved,
    ];

    /// The most that is read of it, in bytes.
    #[must_use]
    pub const fn most(self) -> u64 {
        match self {
            Self::ApiKey | Self::Token => 16 * KIB,
            Self::Scenario | Self::Certificates | Self::Template => MIB,
            Self::Questions | Self::Lengths | Self::Twin => 16 * MIB,
            Self::Document => 64 * MIB,
            Self::Tokenizer => 256 * MIB,
            Self::Import | Self::Saved => 512 * MIB,
            Self::Conversations | Self::Trace | Self::Prompts => 4 * GIB,
        }
    }

    fn cure(self) -> &'static str {
        match self {
            Self::Scenario => "name a file of TOML or YAML",
            Self::Questions => "name a file with a question a line",
            Self::Document => "name a folder of documents as files, or have them cut by `bench prepare documents`",
            Self::Conversations => "name a file, or have some conversations chosen by `bench prepare sharegpt`",
            Self::Trace => "name a file with one JSON object a line, or a part of it",
            Self::Prompts => "name a file with a prompt a row, or a part of it",
            Self::Lengths => "name a file with a whole number of tokens a line",
            Self::Tokenizer => "name the model's `tokenizer.json`",
            Self::ApiKey => "name a file that holds the key and nothing else, or have a program print it by `api_key_command`",
            Self::Token => "name a file that holds the token and nothing else",
            Self::Certificates => "name a file with the text between `-----BEGIN` and `-----END` lines",
            Self::Import => "name a file that holds the results of one run",
            Self::Template => "name a file with a job's text and its fields",
            Self::Twin => "name a file that `bench fit` wrote",
            Self::Saved => "restore it as it was saved, or delete it",
        }
    }

    /// Reads a whole file. No more room is made than the file has bytes, nor than the bound.
    pub fn read(self, path: &Path) -> Result<Vec<u8>, NamedFileError> {
        self.whole(path).map_err(|reason| NamedFileError { path: path.to_owned(), reason })
    }

    /// Reads a whole file, which must be text in UTF-8.
    pub fn read_text(self, path: &Path) -> Result<String, NamedFileError> {
        let text = self.whole(path).and_then(|bytes| String::from_utf8(bytes).map_err(|_| FileReadError::NotText));
        text.map_err(|reason| NamedFileError { path: path.to_owned(), reason })
    }

    /// Opens a file to be read piece by piece; at the bound, reading fails.
    pub fn open(self, path: &Path) -> Result<BoundedFile, NamedFileError> {
        self.bounded(path).map_err(|reason| NamedFileError { path: path.to_owned(), reason })
    }

    /// Reads so many bytes from an offset on, fewer at its end.
    pub fn read_part(self, path: &Path, offset: u64, bytes: u32) -> Result<Vec<u8>, NamedFileError> {
        let read = || {
            let BoundedFile { mut file, .. } = self.bounded(path)?;
            file.seek(SeekFrom::Start(offset)).map_err(FileReadError::Io)?;
            let mut part = Vec::new();
            file.take(bytes.into()).read_to_end(&mut part).map_err(FileReadError::Io)?;
            Ok(part)
        };
        read().map_err(|reason| NamedFileError { path: path.to_owned(), reason })
    }

    /// Whether it is a file that would be opened. Its content is not looked at, and its end not waited for.
    pub fn check(self, path: &Path) -> Result<(), FileReadError> {
        let found = std::fs::metadata(path).map_err(FileReadError::Io)?;
        if let Some(found) = other_than_regular(&found) {
            return Err(FileReadError::NotRegular { what: self, found });
        }
        if found.len() > self.most() { Err(FileReadError::TooLarge { what: self }) } else { Ok(()) }
    }

    /// Refuses what is no regular file: to open a pipe would be to wait for somebody who writes. For files of any size.
    pub fn regular(self, path: &Path) -> io::Result<()> {
        let refused = |reason| NamedFileError { path: path.to_owned(), reason };
        let found = std::fs::metadata(path).map_err(|error| refused(FileReadError::Io(error)))?;
        match other_than_regular(&found) {
            Some(found) => Err(refused(FileReadError::NotRegular { what: self, found }).into()),
            None => Ok(()),
        }
    }

    fn whole(self, path: &Path) -> Result<Vec<u8>, FileReadError> {
        let BoundedFile { file, left: most, .. } = self.bounded(path)?;
        let length = file.metadata().map_err(FileReadError::Io)?.len().min(most);
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
        file.take(most + 1).read_to_end(&mut bytes).map_err(FileReadError::Io)?;
        if bytes.len() as u64 > most { Err(FileReadError::TooLarge { what: self }) } else { Ok(bytes) }
    }

    fn bounded(self, path: &Path) -> Result<BoundedFile, FileReadError> {
        self.check(path)?;
        let file = File::open(path).map_err(FileReadError::Io)?;
        Ok(BoundedFile { what: self, path: path.to_owned(), file, left: self.most() })
    }
}

/// As in "the most that is read of ..".
impl fmt::Display for NamedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scenario => "a scenario",
            Self::Questions => "a file of questions",
            Self::Document => "a document",
            Self::Conversations => "a file of conversations",
            Self::Trace => "a trace",
            Self::Prompts => "a file of prompts",
            Self::Lengths => "a file of lengths",
            Self::Tokenizer => "a tokenizer",
            Self::ApiKey => "a file with an API key",
            Self::Token => "a file with a token",
            Self::Certificates => "a file of certificates",
            Self::Import => "a file to import",
            Self::Template => "a template",
            Self::Twin => "a twin",
            Self::Saved => "a file of a saved sweep",
        })
    }
}

/// A file that can be read up to its bound, also where it grows meanwhile or does not tell how long it is. Its errors name it.
#[derive(Debug)]
pub struct BoundedFile {
    what: NamedFile,
    path: PathBuf,
    file: File,
    left: u64,
}

impl BoundedFile {
    fn piece(&mut self, into: &mut [u8]) -> Result<usize, FileReadError> {
        if self.left == 0 {
            let more = self.file.read(&mut [0]).map_err(FileReadError::Io)?;
            return if more == 0 { Ok(0) } else { Err(FileReadError::TooLarge { what: self.what }) };
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let read = self.file.read(&mut into[..most]).map_err(FileReadError::Io)?;
        self.left -= read as u64;
        Ok(read)
    }
}

impl Read for BoundedFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.piece(into).map_err(|reason| NamedFileError { path: self.path.clone(), reason }.into())
    }
}

fn other_than_regular(found: &std::fs::Metadata) -> Option<&'static str> {
    let kind = found.file_type();
    if kind.is_file() { None } else { Some(if kind.is_dir() { "a folder" } else { special(kind) }) }
}

#[cfg(unix)]
fn special(kind: std::fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match () {
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}

#[cfg(not(unix))]
fn special(_kind: std::fs::FileType) -> &'static str {
    "no regular file"
}

impl From<NamedFileError> for io::Error {
    fn from(error: NamedFileError) -> Self {
        Self::new(error.reason.kind(), error)
    }
}

impl From<FileReadError> for io::Error {
    fn from(reason: FileReadError) -> Self {
        Self::new(reason.kind(), reason)
    }
}

impl FileReadError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io(error) => error.kind(),
            Self::NotRegular { .. } => ErrorKind::InvalidInput,
            Self::TooLarge { .. } => ErrorKind::FileTooLarge,
            Self::NotText => ErrorKind::InvalidData,
        }
    }
}

/// An IO error without its number.
#[must_use]
pub fn in_words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is nothing of that name".to_owned(),
        ErrorKind::NotADirectory => "it is no folder".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// `64 MiB`; bounds are powers of two.
#[derive(Debug)]
pub struct BinarySize(pub u64);

impl fmt::Display for BinarySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes >= GIB => write!(f, "{} GiB", bytes / GIB),
            bytes if bytes >= MIB => write!(f, "{} MiB", bytes / MIB),
            bytes => write!(f, "{} KiB", bytes / KIB),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_as_many_bytes_as_may_be_is_read_and_one_of_more_is_not() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let most = usize::try_from(NamedFile::ApiKey.most()).unwrap();
        std::fs::write(file.path(), vec![b'k'; most]).unwrap();
        assert_eq!(NamedFile::ApiKey.read_text(file.path()).unwrap().len(), most);
        std::fs::write(file.path(), vec![b'k'; most + 1]).unwrap();
        let refused = NamedFile::ApiKey.read(file.path()).unwrap_err().to_string();
        let expected = "it is larger than 16 KiB, the most that is read of a file with an API key; name a file that holds the key";
        assert!(refused.starts_with(&format!("cannot read `{}`: {expected}", file.path().display())), "{refused}");
    }

    #[test]
    fn a_file_that_grows_beyond_its_bound_while_it_is_read_is_refused_at_the_bound() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut reader = NamedFile::ApiKey.open(file.path()).unwrap();
        std::fs::write(file.path(), vec![b'k'; 17 * 1024]).unwrap();
        let mut bytes = Vec::new();
        let refused = reader.read_to_end(&mut bytes).unwrap_err();
        assert_eq!((refused.kind(), bytes.len()), (ErrorKind::FileTooLarge, 16 * 1024));
    }

    #[test]
    fn the_size_of_a_file_is_refused_before_room_is_made_for_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for what in NamedFile::ALL {
            // A hole: it takes no room on disk either.
            file.as_file().set_len(1 << 43).unwrap();
            let refused = what.read(file.path()).unwrap_err();
            assert!(matches!(refused.reason, FileReadError::TooLarge { .. }), "{refused}");
            assert!(refused.to_string().contains(&format!("the most that is read of {what}; ")), "{refused}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_refused_without_being_opened() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let found = [(Path::new("/dev/zero"), "a device"), (folder.path(), "a folder"), (&socket, "a socket"), (&pipe, "a pipe")];
        for (path, named) in found {
            for what in NamedFile::ALL {
                let refused = what.read(path).unwrap_err().to_string();
                assert!(refused.starts_with(&format!("cannot read `{}`: it is {named}; ", path.display())), "{refused}");
                assert!(what.open(path).is_err() && what.check(path).is_err() && what.regular(path).is_err());
            }
        }
    }

    #[test]
    fn what_is_not_there_and_what_is_no_text_are_said_in_words() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"caf\xe9").unwrap();
        let said = |path: &Path| NamedFile::Questions.read_text(path).unwrap_err().reason.to_string();
        assert_eq!(said(file.path()), "it is not UTF-8 text");
        assert_eq!(said(Path::new("no/such/file")), "there is nothing of that name");
        let error: io::Error = NamedFile::Saved.read(Path::new("no/such/file")).unwrap_err().into();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
