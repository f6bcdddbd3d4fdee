//! Who counts: the flags turned into a counter, and what the manifest says of it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::json;

use super::progress::PrepareProgress;
use crate::cli::TokenizerArgs;
use crate::records::record::TokenRule;
use crate::servers::endpoint::BaseUrl;
use crate::vocabulary::spec::target::TargetSpec;
use crate::workloads::prepare::{DownloadPolicy, Downloader, HubTokenizer, TokenizerIdentity};
use crate::workloads::tokens::{self, LocalTokenizer, TokenCounter};

/// The largest `tokenizer.json` that is fetched: those of today have at most some thirty million bytes.
const MOST_TOKENIZER_BYTES: u64 = 256 * 1024 * 1024;

/// Finds the counter; one from the hub is kept in `cache`.
pub(super) async fn counter(
    args: &TokenizerArgs,
    cache: &Path,
    screen: &mut PrepareProgress,
) -> anyhow::Result<(TokenCounter, TokenizerIdentity)> {
    match (&args.tokenizer, &args.hub, &args.url) {
        (Some(file), ..) => {
            let (counter, blake3) = local(file)?;
            let file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok((counter, TokenizerIdentity::File { file, blake3 }))
        }
        (_, Some(repo), _) => {
            let hub = HubTokenizer { base: args.hub_url.clone(), repo: repo.clone(), revision: args.revision.clone(), token: token()? };
            let pace = DownloadPolicy { pause: Duration::ZERO, ..DownloadPolicy::POLITE };
            let file = hub.file(cache, &mut Downloader::new(pace, MOST_TOKENIZER_BYTES), &mut |news| screen.on(&news)).await?;
            let (counter, blake3) = local(&file)?;
            Ok((counter, TokenizerIdentity::Hub { repo: hub.repo, revision: hub.revision, blake3 }))
        }
        (.., Some(url)) => server(url, args).await,
        _ => bail!("name a tokenizer: `--tokenizer FILE`, `--hub OWNER/MODEL`, or `--url URL` of a server that has `/tokenize`"),
    }
}

fn local(file: &Path) -> anyhow::Result<(TokenCounter, String)> {
    let counter = TokenCounter::Tokenizer(LocalTokenizer::load(file)?);
    match counter.rule() {
        TokenRule::Tokenizer { blake3, .. } => Ok((counter, blake3)),
        rule => bail!("`{}` counts by another rule than its own: {rule:?}", file.display()),
    }
}

async fn server(url: &str, args: &TokenizerArgs) -> anyhow::Result<(TokenCounter, TokenizerIdentity)> {
    let address: BaseUrl = url.parse()?;
    let spec: TargetSpec = serde_json::from_value(json!({ "url": url, "model": args.model, "api_key_env": args.api_key_env }))?;
    let counter = tokens::choose(&spec, false).await?;
    if counter.rule() != TokenRule::Server {
        bail!("the server at `{address}` has no `/tokenize`: name the model's `tokenizer.json` with `--tokenizer`");
    }
    Ok((counter, TokenizerIdentity::Server { url: address.to_string(), model: args.model.clone() }))
}

/// The hub's token, where there is one.
fn token() -> anyhow::Result<Option<http::HeaderValue>> {
    match std::env::var("HF_TOKEN") {
        Ok(token) if !token.trim().is_empty() => {
            Ok(Some(HubTokenizer::bearer(&token).context("`HF_TOKEN` has characters that HTTP does not allow")?))
        }
        _ => Ok(None),
    }
}
