//! What a server says of its version: `GET /version`, as vLLM answers it.

use futures_util::future::join_all;
use reqwest::Method;
use serde::Deserialize;

use crate::servers::endpoint::ServerEndpoint;
use crate::vocabulary::spec::target::TargetSpec;

#[derive(Deserialize)]
struct VersionReply {
    version: String,
}

/// The version; of several servers each that one of them has, in their order. `None` where no server tells.
pub async fn version(target: &TargetSpec) -> Option<String> {
    let endpoints = ServerEndpoint::open_all(target).ok()?;
    let mut versions: Vec<String> = Vec::new();
    for version in join_all(endpoints.iter().map(version_of)).await.into_iter().flatten() {
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    (!versions.is_empty()).then(|| versions.join(", "))
}

async fn version_of(endpoint: &ServerEndpoint) -> Option<String> {
    let reply = endpoint.call(endpoint.request(Method::GET, endpoint.address().root("version"), None)).await.ok()?;
    let told = reply.json::<VersionReply>().ok().filter(|_| reply.is_success())?;
    Some(endpoint.secrets().plain(&told.version))
}
