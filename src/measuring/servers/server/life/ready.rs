//! When a process is taken to serve: a page answers with the status that is expected, and a chat request is answered where that is asked.

use std::time::Duration;

use reqwest::Method;

use super::error::ServerLaunchError;
use crate::servers::client::unstreamed_body;
use crate::servers::endpoint::{ServerEndpoint, server_message};
use crate::servers::server::endpoint_request::EndpointRequest;
use crate::vocabulary::spec::server::ReadySpec;
use crate::vocabulary::spec::target::TargetSpec;
use crate::vocabulary::spec::target_api::TargetApi;

/// Pauses between two questions: short at first, for servers that are there at once.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(500)];
/// Each pause is longer than the one before by this factor, up to the longest.
const GROWTH: f64 = 1.3;

/// What is asked until it is answered.
#[derive(Debug)]
pub(super) struct ReadinessProbe {
    page: EndpointRequest,
    status: u16,
    /// Asked where the page is not there: servers without `/health` list their models.
    instead: Option<EndpointRequest>,
    /// The body of a chat request that must be answered.
    chat: Option<Vec<u8>>,
    endpoint: ServerEndpoint,
    api: TargetApi,
    /// What came last, for people.
    pub last: String,
}

impl ReadinessProbe {
    /// What the scenario says; without a word of it, `/health`, and where that is not there, `/v1/models`.
    pub fn new(ready: Option<&ReadySpec>, endpoint: &ServerEndpoint, target: &TargetSpec) -> Result<Self, ServerLaunchError> {
        let at = |place: &str| {
            EndpointRequest::at(place, Method::GET, endpoint, target).map_err(|error| ServerLaunchError::Place(error.to_string()))
        };
        let spec = ready.cloned().unwrap_or_default();
        Ok(Self {
            page: at(&spec.path)?,
            status: spec.status,
            instead: if ready.is_none() { Some(at("/v1/models")?) } else { None },
            chat: spec.chat.then(|| unstreamed_body(target, "Hello", 1)),
            endpoint: endpoint.clone(),
            api: target.api,
            last: "it was not asked yet".to_owned(),
        })
    }

    /// Asks until all is answered as it should be.
    pub async fn wait(&mut self) {
        let [mut pause, longest] = PAUSES;
        while let Err(last) = self.ask().await {
            self.last = last;
            tokio::time::sleep(pause).await;
            pause = pause.mul_f64(GROWTH).min(longest);
        }
    }

    async fn ask(&self) -> Result<(), String> {
        match (self.asked(&self.page).await?, &self.instead) {
            (404, Some(models)) => match self.asked(models).await? {
                200 => {}
                status => return Err(format!("`{}` answers 404, and `{}` {status}", self.page.shown(), models.shown())),
            },
            (status, _) if status == self.status => {}
            (status, _) => return Err(format!("`{}` answers {status}, not {}", self.page.shown(), self.status)),
        }
        match &self.chat {
            Some(body) => self.chatted(body.clone()).await,
            None => Ok(()),
        }
    }

    async fn asked(&self, place: &EndpointRequest) -> Result<u16, String> {
        place.call().await.map(|reply| reply.status).map_err(|error| error.to_string())
    }

    async fn chatted(&self, body: Vec<u8>) -> Result<(), String> {
        let url = self.endpoint.address().api(self.api.path());
        let reply = self.endpoint.call(self.endpoint.request(Method::POST, url, Some(body))).await.map_err(|error| error.to_string())?;
        if reply.is_success() {
            return Ok(());
        }
        let message = self.endpoint.secrets().plain(&server_message(&reply.body));
        Err(format!("`{}` answers a chat request with status {}: {message}", reply.url, reply.status))
    }
}
