//! A model's `tokenizer.json` from a model hub, fetched once.

use std::path::{Path, PathBuf};

use reqwest::header::HeaderValue;

use super::atomic_file::write;
use super::download::Downloader;
use super::error::PrepareError;
use super::event::{PrepareEvent, Tell};
use super::library::base_url;
use super::{DownloadError, plain};

/// Which tokenizer of which hub.
#[derive(Debug, Clone)]
pub struct HubTokenizer {
    /// `https://huggingface.co`, or a mirror of it.
    pub base: String,
    /// `OWNER/MODEL`.
    pub repo: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// The hub's access token; goes to the hub alone and is never shown.
    pub token: Option<HeaderValue>,
}

impl HubTokenizer {
    /// The access token as it is sent; `None` where it has characters that HTTP does not allow.
    pub fn bearer(token: &str) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The file in `cache`, fetched where it is not there yet.
    pub async fn file(&self, cache: &Path, downloader: &mut Downloader, tell: &mut Tell<'_>) -> Result<PathBuf, PrepareError> {
        if ![&self.repo, &self.revision].into_iter().all(|name| is_plain(name)) || self.repo.split('/').count() > 2 {
            return Err(PrepareError::Repo { repo: self.repo.clone() });
        }
        let place = |text: &str| text.replace('/', "--");
        let file = cache.join(format!("tokenizer-{}@{}.json", place(&self.repo), place(&self.revision)));
        if file.exists() {
            let text = format!("the tokenizer of `{}` was fetched before; remove `{}` to fetch it anew", self.repo, file.display());
            tell(PrepareEvent::Note { text: &text });
            return Ok(file);
        }
        let base = base_url(&self.base)?;
        let mut url = base.clone();
        url.set_path(&format!("{}/{}/resolve/{}/tokenizer.json", base.path().trim_end_matches('/'), self.repo, self.revision));
        tell(PrepareEvent::Source { name: &self.repo });
        let fetched = downloader.fetch(&url, self.token.as_ref(), tell).await;
        let bytes = match fetched {
            Ok(Some(bytes)) if !plain::is_html(&bytes) => bytes,
            Ok(_) => return Err(PrepareError::NoTokenizer { repo: self.repo.clone(), revision: self.revision.clone() }),
            Err(DownloadError::Refused { url, status: status @ (401 | 403), .. }) => return Err(PrepareError::HubRefused { url, status }),
            Err(error) => return Err(error.into()),
        };
        write(&file, &bytes)?;
        Ok(file)
    }
}

/// Parts of letters, digits, `-`, `_` and `.`, none of them dots alone.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.split('/').all(|part| !part.is_empty() && part.chars().all(plain) && !part.chars().all(|c| c == '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_name_is_plain_and_never_a_path_elsewhere() {
        for name in ["Qwen/Qwen2.5-7B-Instruct-1M", "gpt2", "a_b/c.d"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", "a/", "/a", "../a", "a/..", "a b", "a?b", "a%2fb"] {
            assert!(!is_plain(name), "{name}");
        }
    }

    #[test]
    fn the_token_is_never_shown() {
        let hub = HubTokenizer {
            base: "https://hub.example".into(),
            repo: "a/b".into(),
            revision: "main".into(),
            token: HubTokenizer::bearer("hf_hush\n"),
        };
        assert_eq!(hub.token.as_ref().unwrap().to_str().unwrap(), "Bearer hf_hush");
        assert!(!format!("{hub:?}").contains("hush"));
        assert_eq!(HubTokenizer::bearer("a\nb"), None);
    }
}
