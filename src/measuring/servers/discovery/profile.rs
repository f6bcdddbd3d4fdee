//! All that a running server tells, asked page by page.

use crate::servers::client::ModelList;
use crate::servers::endpoint::{EndpointError, ServerEndpoint};
use crate::servers::server::{MetricsPage, MetricsPageError, kv_pool_tokens, version};
use crate::vocabulary::spec::target::TargetSpec;
use crate::vocabulary::spec::target_api::TargetApi;

use super::engine::ServerEngine;
use super::pages::{EngineFacts, engine_facts, served_paths};

/// What a running server tells of itself. Texts hold no secret.
#[derive(Debug)]
pub struct ServerProfile {
    /// In the server's order, adapters last; empty where it does not list them.
    pub models: Vec<DiscoveredModel>,
    pub engine: Option<ServerEngine>,
    pub version: Option<String>,
    /// The tokens that its KV cache holds.
    pub kv_pool_tokens: Option<u64>,
    pub metrics: MetricsDiscovery,
    pub resets: ResetDiscovery,
    /// The APIs whose paths it has; empty where it answers alike to any path.
    pub apis: Vec<TargetApi>,
}

/// A model that a server names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveredModel {
    pub name: String,
    /// The most tokens of a request, prompt and answer together.
    pub context: Option<u64>,
}

/// What is known of a server's page of metrics, `/metrics`.
#[derive(Debug)]
pub enum MetricsDiscovery {
    /// So many metrics by name; whether those of `LMCache` are among them.
    Page {
        names: usize,
        has_lmcache: bool,
    },
    Missing(MetricsPageError),
}

/// What is known of the endpoints that empty a server's caches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResetDiscovery {
    /// These paths take a POST; none where the list is empty.
    Paths(Vec<&'static str>),
    /// The server answers alike to any path.
    Untold,
}

/// Why a server could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// It wants a key, and none was sent.
    #[error("{0}")]
    KeyWanted(EndpointError),
    /// It does not take the key that was sent.
    #[error("{0}")]
    KeyRefused(EndpointError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

/// Asks a server for everything that it tells of itself.
///
/// # Errors
/// Where nobody answers at its address, or where it wants a key that it is not given. A page that is missing is no error.
pub async fn discover(target: &TargetSpec) -> Result<ServerProfile, DiscoveryError> {
    let endpoint = ServerEndpoint::open(target)?;
    let list = match ModelList::ask(&endpoint).await {
        Ok(list) => list,
        Err(error @ EndpointError::Status { status: 401 | 403, .. }) if target.api_key_env.is_some() => {
            return Err(DiscoveryError::KeyRefused(error));
        }
        Err(error @ EndpointError::Status { status: 401 | 403, .. }) => return Err(DiscoveryError::KeyWanted(error)),
        Err(EndpointError::Status { .. } | EndpointError::Reply { .. }) => ModelList::default(),
        Err(error) => return Err(error.into()),
    };
    let page = match MetricsPage::at("/metrics", &endpoint, target) {
        Ok(page) => page.scrape().await,
        Err(error) => Err(error),
    };
    let samples = page.as_deref().unwrap_or_default();
    let engine = list.owner().and_then(ServerEngine::of_owner).or_else(|| ServerEngine::of_metrics(samples));
    let told = engine_facts(&endpoint, engine.map_or(&[], ServerEngine::info_paths)).await;
    let EngineFacts { version: info_version, context, kv_pool } = told;
    let pool = kv_pool_tokens(samples).or(kv_pool);
    let metrics = match page {
        Ok(samples) => {
            let mut names: Vec<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            MetricsDiscovery::Page { names: names.len(), has_lmcache: names.iter().any(|name| name.starts_with("lmcache")) }
        }
        Err(error) => MetricsDiscovery::Missing(error),
    };
    let served = served_paths(&endpoint).await;
    Ok(ServerProfile {
        models: list.ranked().map(|(name, limit)| DiscoveredModel { name: name.to_owned(), context: limit.or(context) }).collect(),
        engine,
        version: match version(target).await {
            Some(version) => Some(version),
            None => info_version,
        },
        kv_pool_tokens: pool,
        metrics,
        apis: served.as_ref().map(|served| served.apis.clone()).unwrap_or_default(),
        resets: served.map_or(ResetDiscovery::Untold, |served| ResetDiscovery::Paths(served.resets)),
    })
}
