//! What all job files of a sweep are made of, and what they are once they are made.

use std::path::PathBuf;

/// A block that is left to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobBlock {
    /// As `bench plan --blocks` numbers it, from 0.
    pub number: usize,
    pub id: String,
}

/// Where the blocks write what they measure, as their jobs name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockResults {
    /// An absolute path where jobs share a file system with who submits them; in pods, a path of theirs.
    Folder(PathBuf),
    /// `s3://bucket/nightly/2026-11-29`.
    Bucket(String),
}

impl BlockResults {
    /// As a word of a command.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Folder(folder) => folder.display().to_string(),
            Self::Bucket(address) => address.clone(),
        }
    }
}

/// The blocks of one scenario that are left to do, and how `bench sweep` is told to do one.
#[derive(Debug, Clone)]
pub struct BlockJobs {
    /// The scenario's name.
    pub name: String,
    /// Never empty.
    pub blocks: Vec<JobBlock>,
    /// How many blocks the scenario has in all.
    pub planned: usize,
    /// The words that name the scenario and change it: `scenarios/lmcache.toml --set seed=3`.
    pub scenario: ScenarioWords,
    pub results: BlockResults,
    /// The folder of the job files, for commands.
    pub files: PathBuf,
}

/// The scenario as a command names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioWords {
    pub file: PathBuf,
    /// The file's text, verbatim.
    pub text: String,
    pub flags: Vec<String>,
}

impl BlockJobs {
    /// The words behind the program that measure a block of the scenario in this file, up to the block.
    pub(super) fn sweep_words(&self, file: String) -> Vec<String> {
        let mut words = vec!["sweep".to_owned(), file];
        words.extend(self.scenario.flags.iter().cloned());
        words.extend(["--no-color".to_owned(), "--exit-zero".to_owned(), "-o".to_owned(), self.results.word()]);
        words
    }

    /// The words behind the program that merge the blocks.
    pub(super) fn merge_words(&self) -> Vec<String> {
        vec!["merge".to_owned(), self.results.word()]
    }
}

/// A file that a scheduler takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFile {
    pub name: &'static str,
    pub text: String,
}

/// The files of a sweep's jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFiles {
    /// Does the blocks.
    pub blocks: JobFile,
    /// Merges them when all have ended.
    pub merge: JobFile,
}
