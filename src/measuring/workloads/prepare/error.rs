//! Why data could not be prepared.

use std::path::PathBuf;

use super::download::DownloadError;
use crate::servers::endpoint::EndpointError;
use crate::workloads::tokens::TokenCountError;

/// What ends a preparation; what only concerns one document leaves that one out.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The message holds the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Tokens(#[from] TokenCountError),
    #[error(transparent)]
    Download(#[from] DownloadError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("`{}` is no manifest that this program wrote: {reason}; name another folder with `-o`, or remove the file", path.display())]
    Manifest { path: PathBuf, reason: String },
    #[error("`{}` has format {found}; this program knows {known}: use a newer `bench`", path.display(), known = super::manifest::FORMAT)]
    Format { path: PathBuf, found: u32 },
    #[error("another process is preparing `{}`; wait for it, or name another folder with `-o`", folder.display())]
    Locked { folder: PathBuf },
    #[error("`{}` is in the way: it was not made by this preparation; move it, or name another folder with `-o`", path.display())]
    InTheWay { path: PathBuf },
    #[error("`{}` holds no `*.txt` file", folder.display())]
    NoTexts { folder: PathBuf },
    #[error("`{repo}` is no model's name on the hub; write it as `OWNER/MODEL`")]
    Repo { repo: String },
    #[error("the hub has no `tokenizer.json` of `{repo}` at `{revision}`; check the name, or give a file with `--tokenizer`")]
    NoTokenizer { repo: String, revision: String },
    #[error("`{url}` answered with status {status}: the model's licence must be accepted on its page, and `HF_TOKEN` hold your token")]
    HubRefused { url: String, status: u16 },
    #[error("`{url}` is no base URL; write it as `https://host`")]
    Base { url: String },
    #[error("conversation {record}, before byte {byte} of `{}`: {reason}; nothing was written", file.display())]
    Conversation { file: PathBuf, record: u64, byte: u64, reason: String },
    #[error("`{}` is not in the ShareGPT layout, before byte {byte}: {reason}; nothing was written", file.display())]
    Layout { file: PathBuf, byte: u64, reason: String },
    #[error("none of the {read} conversations of `{}` fits: lower `--rounds` or `--min-tokens`, or raise `--max-context`; nothing was written", file.display())]
    NoConversations { file: PathBuf, read: u64 },
    #[error("`{}` is both what is read and what is written: name another file with `-o`", file.display())]
    SameFile { file: PathBuf },
}
