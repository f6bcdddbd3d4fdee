//! What `/v1/models` says of the models that are served: their names, and how many tokens a request may have. A source and no gate: behind a
//! proxy it may be missing, refused, or name others than are taken.

use reqwest::Method;
use serde::Deserialize;

use super::HttpTarget;
use crate::servers::endpoint::EndpointReply;

/// The models that a server names; none where it has no such list, or keeps it to itself.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ModelList {
    data: Vec<ListedModel>,
}

#[derive(Debug, Clone, Deserialize)]
struct ListedModel {
    id: String,
    #[serde(default)]
    max_model_len: Option<u64>,
    /// Of an adapter: the model that it belongs to.
    #[serde(default)]
    parent: Option<String>,
}

impl ModelList {
    /// The only one there is, adapters left out.
    #[must_use]
    pub fn only(&self) -> Option<&str> {
        let mut models = self.data.iter().filter(|model| model.parent.is_none());
        models.next().filter(|_| models.next().is_none()).map(|model| model.id.as_str())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    #[must_use]
    pub fn holds(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// In the server's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.data.iter().map(|model| model.id.as_str())
    }

    fn find(&self, name: &str) -> Option<&ListedModel> {
        self.data.iter().find(|model| model.id == name)
    }

    /// The most tokens of a request, prompt and answer together.
    fn limit(&self, name: &str) -> Option<u64> {
        let model = self.find(name)?;
        model.max_model_len.or_else(|| self.find(model.parent.as_ref()?)?.max_model_len)
    }
}

impl HttpTarget {
    /// The models that the server names. Whatever is wrong with that page is left to the requests that follow.
    pub async fn models(&self) -> ModelList {
        let url = self.endpoint().address().api("models");
        let reply = self.endpoint().call(self.endpoint().request(Method::GET, url, None)).await;
        let mut models: ModelList = reply.ok().filter(EndpointReply::is_success).and_then(|reply| reply.json().ok()).unwrap_or_default();
        for model in &mut models.data {
            model.id = self.endpoint().secrets().hide(&model.id);
        }
        models
    }

    /// The most tokens of a request to the model that is measured; `None` where the server does not tell.
    pub async fn model_limit(&self) -> Option<u64> {
        self.models().await.limit(self.model())
    }
}
