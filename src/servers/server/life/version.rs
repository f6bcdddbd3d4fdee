//! What a server says of its version: `GET /version`, as vLLM answers it.

use reqwest::Method;
use serde::Deserialize;

use crate::servers::endpoint::ServerEndpoint;
use crate::vocabulary::spec::target::TargetSpec;

#[derive(Deserialize)]
struct VersionReply {
    version: String,
}

/// The version; `None` where the server does not tell.
pub async fn version(target: &TargetSpec) -> Option<String> {
    let endpoint = ServerEndpoint::open(target).ok()?;
    let reply = endpoint.call(endpoint.request(Method::GET, endpoint.address().root("version"), None)).await.ok()?;
    let told = reply.json::<VersionReply>().ok().filter(|_| reply.is_success())?;
    Some(endpoint.secrets().plain(&told.version))
}
