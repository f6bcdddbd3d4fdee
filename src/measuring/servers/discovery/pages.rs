//! Single questions to a server: each a small whole exchange that changes nothing.

use reqwest::{Method, Url};
use serde_json::Value;

use crate::servers::endpoint::ServerEndpoint;
use crate::vocabulary::spec::target_api::TargetApi;

/// Paths that empty a cache when they are sent a POST: vLLM's and SGLang's.
const RESET_PATHS: [&str; 2] = ["/reset_prefix_cache", "/flush_cache"];
/// A path that no server has: one that knows it even so knows every path.
const NO_PATH: &str = "/bench-asks-for-no-such-path";

/// What an engine tells of itself on a page of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct EngineFacts {
    pub version: Option<String>,
    /// The most tokens of a request, prompt and answer together.
    pub context: Option<u64>,
    /// The tokens that its KV cache holds.
    pub kv_pool: Option<u64>,
}

/// A JSON page of the server; `None` where it has none.
async fn json(endpoint: &ServerEndpoint, path: &str) -> Option<Value> {
    let reply = endpoint.call(endpoint.request(Method::GET, endpoint.address().root(path), None)).await.ok()?;
    reply.is_success().then(|| serde_json::from_slice(&reply.body).ok()).flatten()
}

/// The first of these pages that answers, read by the names that SGLang, llama.cpp and text-generation-inference use.
pub(super) async fn engine_facts(endpoint: &ServerEndpoint, paths: &[&str]) -> EngineFacts {
    for path in paths {
        if let Some(page) = json(endpoint, path).await {
            let mut facts = facts_of(&page);
            facts.version = facts.version.map(|version| endpoint.secrets().plain(&version));
            return facts;
        }
    }
    EngineFacts::default()
}

fn facts_of(page: &Value) -> EngineFacts {
    let text = |name: &str| page.get(name).and_then(Value::as_str).map(str::to_owned);
    let count = |path: &str| page.pointer(path).and_then(Value::as_u64).filter(|count| *count > 0);
    EngineFacts {
        version: text("version").or_else(|| text("build_info")),
        context: ["/context_length", "/default_generation_settings/n_ctx", "/max_total_tokens"].into_iter().find_map(count),
        kv_pool: count("/max_total_num_tokens"),
    }
}

/// The paths that a server has, of those that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServedPaths {
    pub resets: Vec<&'static str>,
    pub apis: Vec<TargetApi>,
}

/// Which of the paths that empty a cache, and of those that prompts are sent to, the server has. They are asked with OPTIONS, which empties and
/// sends nothing: a path that is known answers with another status than 404. `None` where the server answers so to any path.
pub(super) async fn served_paths(endpoint: &ServerEndpoint) -> Option<ServedPaths> {
    let address = endpoint.address();
    if knows(endpoint, address.root(NO_PATH)).await? {
        return None;
    }
    let mut served = ServedPaths { resets: Vec::new(), apis: Vec::new() };
    for path in RESET_PATHS {
        if knows(endpoint, address.root(path)).await? {
            served.resets.push(path);
        }
    }
    for api in TargetApi::ALL {
        if knows(endpoint, address.api(api.path())).await? {
            served.apis.push(api);
        }
    }
    Some(served)
}

/// `None` where the answer tells nothing: it is refused, or broken.
async fn knows(endpoint: &ServerEndpoint, url: Url) -> Option<bool> {
    let reply = endpoint.call(endpoint.request(Method::OPTIONS, url, None)).await.ok()?;
    match reply.status {
        404 => Some(false),
        200..300 | 405 => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_engine_s_own_page_is_read_by_its_names() {
        let sglang = json!({ "version": "0.5.2", "context_length": null, "max_total_num_tokens": 871_234, "model_path": "m" });
        assert_eq!(facts_of(&sglang), EngineFacts { version: Some("0.5.2".into()), context: None, kv_pool: Some(871_234) });
        let llama = json!({ "build_info": "b8681", "total_slots": 4, "default_generation_settings": { "n_ctx": 65_536 } });
        assert_eq!(facts_of(&llama), EngineFacts { version: Some("b8681".into()), context: Some(65_536), kv_pool: None });
        let tgi = json!({ "version": "3.3.4", "max_total_tokens": 4096, "max_input_tokens": 4095 });
        assert_eq!(facts_of(&tgi), EngineFacts { version: Some("3.3.4".into()), context: Some(4096), kv_pool: None });
    }
}
