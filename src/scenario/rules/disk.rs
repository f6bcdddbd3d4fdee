//! What is on disk, asked once for each path however many cells name it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Answers that are kept.
#[derive(Debug, Default)]
pub struct Disk {
    documents: HashMap<PathBuf, Result<u64, String>>,
    questions: HashMap<PathBuf, Result<u64, String>>,
    files: HashMap<PathBuf, bool>,
}

impl Disk {
    /// How many documents (`*.txt` files) lie in a folder.
    pub fn documents(&mut self, folder: &Path) -> Result<u64, String> {
        kept(&mut self.documents, folder, |folder| {
            let entries = std::fs::read_dir(folder)?;
            let is_document =
                |path: &Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt")) && path.is_file();
            Ok(entries.filter_map(Result::ok).filter(|entry| is_document(&entry.path())).count() as u64)
        })
    }

    /// How many questions a file has: its lines that are not blank and no comment.
    pub fn questions(&mut self, file: &Path) -> Result<u64, String> {
        kept(&mut self.questions, file, |file| {
            let text = std::fs::read_to_string(file)?;
            Ok(text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).count() as u64)
        })
    }

    pub fn is_file(&mut self, path: &Path) -> bool {
        *self.files.entry(path.to_owned()).or_insert_with(|| path.is_file())
    }
}

type Answers = HashMap<PathBuf, Result<u64, String>>;

fn kept(answers: &mut Answers, path: &Path, ask: impl Fn(&Path) -> std::io::Result<u64>) -> Result<u64, String> {
    if let Some(known) = answers.get(path) {
        return known.clone();
    }
    let answer = ask(path).map_err(|error| in_words(&error));
    answers.insert(path.to_owned(), answer.clone());
    answer
}

/// An IO error without its number.
pub fn in_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is nothing of that name".to_owned(),
        std::io::ErrorKind::NotADirectory => "it is no folder".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    }
}
