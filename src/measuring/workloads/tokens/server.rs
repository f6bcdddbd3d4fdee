//! The server's own `/tokenize`, as vLLM and SGLang have it: beside `/v1`, `{model, prompt, add_special_tokens}` in, `{count}` out.

use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::servers::endpoint::{EndpointError, EndpointReply, ServerEndpoint};
use crate::vocabulary::spec::target::TargetSpec;

/// Any text with a token in it.
const PROBE: &str = "How many tokens are these?";

/// Counts by asking the server: a request a count, on kept connections.
#[derive(Debug, Clone)]
pub struct ServerTokenizer {
    endpoint: ServerEndpoint,
    model: String,
}

#[derive(Serialize)]
struct TokenizeRequest<'a> {
    model: &'a str,
    prompt: &'a str,
    add_special_tokens: bool,
}

#[derive(Deserialize)]
struct TokenizeResponse {
    count: u64,
}

impl ServerTokenizer {
    /// Asks once; `None` where the server has no such endpoint or one of another kind.
    ///
    /// # Errors
    /// Where there is no server, where it fails, and where it does not know the model: then the run could not work either.
    pub(super) async fn probe(spec: &TargetSpec) -> Result<Option<Self>, EndpointError> {
        let server = Self { endpoint: ServerEndpoint::open(spec)?, model: spec.model.clone() };
        let reply = server.ask(PROBE).await?;
        if reply.is_success() {
            return Ok(reply.json::<TokenizeResponse>().is_ok_and(|reply| reply.count > 0).then_some(server));
        }
        let is_fault = names_model(&reply.body) || (reply.status >= 500 && reply.status != 501);
        if is_fault { Err(server.endpoint.refused(reply)) } else { Ok(None) }
    }

    /// The model and the server that counts.
    pub(super) fn identity(&self) -> String {
        format!("{} at {}", self.model, self.endpoint.address())
    }

    pub(super) async fn count(&self, text: &str) -> Result<u64, EndpointError> {
        let reply = self.ask(text).await?;
        if !reply.is_success() {
            return Err(self.endpoint.refused(reply));
        }
        Ok(reply.json::<TokenizeResponse>()?.count)
    }

    async fn ask(&self, text: &str) -> Result<EndpointReply, EndpointError> {
        let question = TokenizeRequest { model: &self.model, prompt: text, add_special_tokens: false };
        let body = serde_json::to_vec(&question).expect("plain values into memory cannot fail");
        self.endpoint.call(self.endpoint.request(Method::POST, self.endpoint.address().root("/tokenize"), Some(body))).await
    }
}

/// vLLM says 404 both for a missing endpoint and for a model that it does not serve; the latter names the field.
fn names_model(body: &[u8]) -> bool {
    let json: Result<serde_json::Value, _> = serde_json::from_slice(body);
    json.is_ok_and(|json| json.pointer("/error/param").is_some_and(|field| field == "model"))
}
