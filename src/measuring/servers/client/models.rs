//! What `/v1/models` says of the models that are served: their names, and how many tokens a request may have. A source and no gate: behind a
//! proxy it may be missing, refused, or name others than are taken.

use futures_util::future::join_all;
use reqwest::Method;
use serde::Deserialize;

use super::HttpTarget;
use crate::servers::endpoint::{EndpointError, ServerEndpoint};

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
    #[serde(default)]
    owned_by: Option<String>,
}

impl ModelList {
    /// What a server says of its models.
    ///
    /// # Errors
    /// Where nobody answers, or with something else than a list.
    pub async fn ask(endpoint: &ServerEndpoint) -> Result<Self, EndpointError> {
        let reply = endpoint.call(endpoint.request(Method::GET, endpoint.address().api("models"), None)).await?;
        if !reply.is_success() {
            return Err(endpoint.refused(reply));
        }
        let mut models: Self = reply.json()?;
        for model in &mut models.data {
            model.id = endpoint.secrets().hide(&model.id);
        }
        Ok(models)
    }

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

    /// Names and limits, in the server's order, adapters behind the models that they belong to.
    pub fn ranked(&self) -> impl Iterator<Item = (&str, Option<u64>)> {
        let (models, adapters): (Vec<_>, Vec<_>) = self.data.iter().partition(|model| model.parent.is_none());
        models.into_iter().chain(adapters).map(|model| (model.id.as_str(), self.limit(&model.id)))
    }

    /// To whom the models belong: engines write their own name here.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.data.iter().find_map(|model| model.owned_by.as_deref())
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
    /// The models that each of the servers names, in the order of `target.urls`. Whatever is wrong with such a page is left to the requests
    /// that follow.
    pub async fn models(&self) -> Vec<ModelList> {
        let lists = join_all(self.endpoints().map(ModelList::ask)).await;
        lists.into_iter().map(Result::unwrap_or_default).collect()
    }

    /// The most tokens of a request to the model that is measured, the least of several servers; `None` where none of them tells.
    pub async fn model_limit(&self) -> Option<u64> {
        self.models().await.iter().filter_map(|models| models.limit(self.model())).min()
    }
}
