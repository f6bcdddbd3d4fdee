//! A folder of documents: which files there are, and what they hold.
//!
//! In goes a path; out come the `*.txt` files by name with their content hashes, and later their texts. It must not know sessions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::WorkloadError;
use crate::foundation::named_file::NamedFile;

/// A document of a folder.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DocumentFile {
    /// The file's name in its folder.
    pub name: String,
    pub bytes: u64,
    /// Content hash in hexadecimal.
    pub blake3: String,
}

/// The documents of a folder in the order of their names: all `*.txt` files that lie directly in it. Reads every file once.
///
/// # Errors
/// No such folder, no document in it, a document that is empty, not UTF-8, or there twice.
pub fn folder_manifest(path: &Path) -> Result<Vec<DocumentFile>, WorkloadError> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(path)? {
        let file = entry?.path();
        let is_text = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt"));
        if is_text && file.is_file() {
            let name = file.file_name().and_then(|name| name.to_str());
            names.push(name.ok_or_else(|| WorkloadError::NotUtf8 { file: file.clone() })?.to_owned());
        }
    }
    if names.is_empty() {
        return Err(WorkloadError::NoDocuments { folder: path.to_owned() });
    }
    names.sort_unstable();
    let files: Vec<DocumentFile> = names.into_iter().map(|name| document(path, name)).collect::<Result<_, _>>()?;
    refuse_equal_documents(path, &files)?;
    Ok(files)
}

fn document(folder: &Path, name: String) -> Result<DocumentFile, WorkloadError> {
    let text = read_text(&folder.join(&name))?;
    Ok(DocumentFile { name, bytes: text.len() as u64, blake3: hash(&text) })
}

fn refuse_equal_documents(folder: &Path, files: &[DocumentFile]) -> Result<(), WorkloadError> {
    let mut seen = BTreeMap::new();
    for file in files {
        if let Some(first) = seen.insert(&file.blake3, &file.name) {
            return Err(WorkloadError::SameDocument { first: folder.join(first), second: folder.join(&file.name) });
        }
    }
    Ok(())
}

fn read_text(file: &Path) -> Result<String, WorkloadError> {
    let text = String::from_utf8(NamedFile::Document.read(file).map_err(std::io::Error::from)?)
        .map_err(|_| WorkloadError::NotUtf8 { file: file.to_owned() })?;
    if text.trim().is_empty() {
        return Err(WorkloadError::EmptyDocument { file: file.to_owned() });
    }
    Ok(text)
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// A folder that has been read once; texts are loaded again when they are needed.
#[derive(Debug)]
pub struct DocumentFolder {
    path: PathBuf,
    files: Vec<DocumentFile>,
}

impl DocumentFolder {
    pub fn read(path: &Path) -> Result<Self, WorkloadError> {
        Ok(Self { path: path.to_owned(), files: folder_manifest(path)? })
    }

    pub fn files(&self) -> &[DocumentFile] {
        &self.files
    }

    /// The text of a document, which must still be what it was.
    pub fn load(&self, document: &DocumentFile) -> Result<String, WorkloadError> {
        let file = self.path.join(&document.name);
        let text = read_text(&file)?;
        if hash(&text) == document.blake3 { Ok(text) } else { Err(WorkloadError::DocumentChanged { file }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs_err::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    #[test]
    fn a_manifest_lists_text_files_by_name_with_their_hashes() {
        let folder = folder(&[("b.txt", b"two"), ("a.TXT", b"one"), ("notes.md", b"no document")]);
        let files = folder_manifest(folder.path()).unwrap();
        assert_eq!(files.iter().map(|file| (file.name.as_str(), file.bytes)).collect::<Vec<_>>(), [("a.TXT", 3), ("b.txt", 3)]);
        assert_eq!(files[1].blake3, blake3::hash(b"two").to_hex().to_string());
    }

    #[test]
    fn what_cannot_be_a_document_is_refused_by_name() {
        let message = |files: &[(&str, &[u8])]| folder_manifest(folder(files).path()).unwrap_err().to_string();
        assert!(message(&[("a.txt", b"caf\xe9")]).contains("a.txt` is not UTF-8"));
        assert!(message(&[("a.txt", b" \n")]).contains("a.txt` is empty"));
        assert!(message(&[("a.md", b"one")]).contains("holds no `*.txt` file"));
        let same = message(&[("a.txt", b"one"), ("b.txt", b"two"), ("c.txt", b"one")]);
        assert!(same.contains("a.txt") && same.contains("c.txt` are the same document"), "{same}");
        assert!(folder_manifest(Path::new("no/such/folder")).unwrap_err().to_string().contains("no/such/folder"));
    }

    #[test]
    fn a_document_that_has_changed_is_not_taken_for_the_same() {
        let folder = folder(&[("a.txt", b"one")]);
        let read = DocumentFolder::read(folder.path()).unwrap();
        assert_eq!(read.load(&read.files()[0]).unwrap(), "one");
        fs_err::write(folder.path().join("a.txt"), "two").unwrap();
        assert!(matches!(read.load(&read.files()[0]), Err(WorkloadError::DocumentChanged { .. })));
    }
}
