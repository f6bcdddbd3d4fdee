//! What is on disk, asked once for each path however many cells name it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::foundation::named_file::{FileReadError, NamedFile, in_words};

/// Answers that are kept.
#[derive(Debug, Default)]
pub struct FileLookupCache {
    documents: HashMap<PathBuf, Result<u64, String>>,
    questions: HashMap<PathBuf, Result<u64, String>>,
    files: HashMap<PathBuf, Option<String>>,
}

impl FileLookupCache {
    /// How many documents (`*.txt` files) lie in a folder.
    pub fn documents(&mut self, folder: &Path) -> Result<u64, String> {
        kept(&mut self.documents, folder, |folder| {
            let entries = std::fs::read_dir(folder).map_err(|error| in_words(&error))?;
            let is_document =
                |path: &Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt")) && path.is_file();
            Ok(entries.filter_map(Result::ok).filter(|entry| is_document(&entry.path())).count() as u64)
        })
    }

    /// How many questions a file has: its lines that are not blank and no comment.
    pub fn questions(&mut self, file: &Path) -> Result<u64, String> {
        kept(&mut self.questions, file, |file| {
            let text = NamedFile::Questions.read_text(file).map_err(|error| error.reason.to_string())?;
            Ok(text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).count() as u64)
        })
    }

    /// Why a file cannot be what it is named for; none where it can, as far as is seen from outside.
    pub fn unread(&mut self, what: NamedFile, path: &Path) -> Option<String> {
        self.files.entry(path.to_owned()).or_insert_with(|| unread(what, path)).clone()
    }
}

/// The same, asked anew.
pub fn unread(what: NamedFile, path: &Path) -> Option<String> {
    what.check(path).err().as_ref().map(FileReadError::to_string)
}

type Answers = HashMap<PathBuf, Result<u64, String>>;

fn kept(answers: &mut Answers, path: &Path, ask: impl Fn(&Path) -> Result<u64, String>) -> Result<u64, String> {
    if let Some(known) = answers.get(path) {
        return known.clone();
    }
    let answer = ask(path);
    answers.insert(path.to_owned(), answer.clone());
    answer
}
