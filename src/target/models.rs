//! What `/v1/models` says of the model to be measured: whether it is served, and how many tokens a request may have.

use reqwest::Method;
use serde::Deserialize;

use super::{HttpTarget, TargetError};
use crate::endpoint::EndpointError;

#[derive(Deserialize)]
struct Models {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    #[serde(default)]
    max_model_len: Option<u64>,
    /// Of an adapter: the model that it belongs to.
    #[serde(default)]
    parent: Option<String>,
}

impl HttpTarget {
    /// The most tokens of a request, prompt and answer together; `None` where the server does not tell, or has no list of models.
    ///
    /// # Errors
    /// Where there is no server, it refuses, or its list does not hold the model.
    pub async fn model_limit(&self) -> Result<Option<u64>, TargetError> {
        let url = self.endpoint().address().api("models");
        let reply = self.endpoint().call(self.endpoint().request(Method::GET, url, None)).await?;
        if matches!(reply.status, 404 | 405 | 501) {
            return Ok(None);
        }
        if !reply.is_success() {
            return Err(self.endpoint().refused(reply).into());
        }
        match reply.json::<Models>() {
            Ok(models) => self.limit_among(&models.data),
            // Some gateway's own idea of a list: no reason not to measure.
            Err(EndpointError::Reply { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn limit_among(&self, models: &[Model]) -> Result<Option<u64>, TargetError> {
        let find = |name: &str| models.iter().find(|model| model.id == name);
        match find(self.model()) {
            Some(model) => Ok(model.max_model_len.or_else(|| find(model.parent.as_ref()?)?.max_model_len)),
            None if models.is_empty() => Ok(None),
            None => Err(TargetError::Model {
                model: self.model().to_owned(),
                url: self.endpoint().address().to_string(),
                served: models.iter().map(|model| self.endpoint().secrets().plain(&model.id)).collect(),
            }),
        }
    }
}
