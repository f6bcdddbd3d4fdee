//! A page or an endpoint that the `[server]` section names: a path on the target's server, or a URL anywhere. In come that text and the
//! target; out goes what is needed to ask it, with the target's credentials only where it is the target's own server.

use std::time::Duration;

use reqwest::{Client, Method, Request, Url};

use crate::servers::endpoint::{
    EndpointError, EndpointReply, RootCertificates, SecretValues, ServerEndpoint, call, http_client, shown, without_secrets,
};
use crate::vocabulary::spec::target::TargetSpec;

/// Why a place cannot be asked. Texts hold no secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum EndpointRequestError {
    #[error("`{url}` is neither a path such as `/metrics` nor a URL")]
    Url { url: String },
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

/// Those of a target's servers, of which there is one at least, that a place is asked of: a path is one of each of them; a URL is one place,
/// asked as the server that it is on, else as the first.
pub(super) fn asked_servers<'a>(place: &str, servers: &'a [ServerEndpoint]) -> &'a [ServerEndpoint] {
    if !place.contains("://") {
        return servers;
    }
    let is_on = |server: &&ServerEndpoint| Url::parse(place).is_ok_and(|url| server.address().is_same_server(&url));
    servers.iter().find(is_on).or(servers.first()).map_or(&[], std::slice::from_ref)
}

/// One place, and how to ask it.
pub(super) struct EndpointRequest {
    client: Client,
    request: Request,
    secrets: SecretValues,
}

impl EndpointRequest {
    /// A path is on the target's server; a URL may be anywhere, and gets our credentials only where it is the same server.
    pub fn at(place: &str, method: Method, endpoint: &ServerEndpoint, target: &TargetSpec) -> Result<Self, EndpointRequestError> {
        let mut secrets = endpoint.secrets().clone();
        if !place.contains("://") {
            let request = endpoint.request(method, endpoint.address().root(place), None);
            return Ok(Self { client: endpoint.client().clone(), request, secrets });
        }
        let fault = || EndpointRequestError::Url { url: without_secrets(place) };
        let url = Url::parse(place).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(fault)?;
        secrets.add_url(&url);
        if endpoint.address().is_same_server(&url) && url.username().is_empty() {
            let request = endpoint.request(method, url, None);
            return Ok(Self { client: endpoint.client().clone(), request, secrets });
        }
        let roots = if url.scheme() == "https" { RootCertificates::System } else { RootCertificates::None };
        let connect = Duration::try_from_secs_f64(target.connect_timeout.0).unwrap_or(Duration::MAX);
        let client = http_client(roots, connect)?;
        // The builder turns a user name and password of the URL into a header.
        let request = client.request(method, url).build().map_err(|_| fault())?;
        Ok(Self { client, request, secrets })
    }

    /// Asks once and reads the reply whole, whatever its status.
    pub async fn call(&self) -> Result<EndpointReply, EndpointError> {
        // A request without a body can always be copied.
        let Some(request) = self.request.try_clone() else {
            return Err(EndpointError::Client { reason: "the request cannot be sent again".to_owned() });
        };
        call(&self.client, request).await
    }

    /// The URL as it may be shown.
    pub fn shown(&self) -> String {
        shown(self.request.url())
    }

    /// What the server says, as it may be shown.
    pub fn plain(&self, text: &str) -> String {
        self.secrets.plain(text)
    }
}

impl std::fmt::Debug for EndpointRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Place({})", self.shown())
    }
}
