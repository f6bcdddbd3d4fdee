//! The HTTP client as a measurement needs it: no proxy, no redirect, no retry, nothing hidden; and small whole exchanges with it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, ClientBuilder, Method, Request, Response, Url};
use rustls::ClientConfig;

use super::base_url::shown;
use super::cause::HttpErrorCause;
use super::reply::{EndpointReply, server_message};
use super::secret::{SecretValues, api_key};
use super::tls::tls_config;
use super::{BaseUrl, EndpointError};
use crate::vocabulary::spec::target::{HttpVersion, TargetSpec};
use crate::vocabulary::spec::target_api::TargetApi;

/// How long a connection may lie idle and still be used again. Servers close idle connections on their own (uvicorn after 5 s); a
/// request sent in that very moment is lost, and the server would be blamed for it.
const IDLE: Duration = Duration::from_secs(4);
/// What this program calls itself.
pub(crate) const USER_AGENT: &str = concat!("bench/", env!("CARGO_PKG_VERSION"));
/// The version of Anthropic's Messages that is spoken; its own service answers nobody who names none.
const ANTHROPIC_VERSION: &str = "2023-06-01";
/// Limit of a small whole exchange. Counting the tokens of the longest documents takes seconds.
const EXCHANGE: Duration = Duration::from_mins(1);
/// The most that is read of a small reply.
const REPLY_LIMIT: usize = 16 * 1024 * 1024;

/// A server, and what each request to it carries. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct ServerEndpoint {
    address: BaseUrl,
    client: Client,
    headers: HeaderMap,
    secrets: SecretValues,
    /// Where the address asks for it.
    tls: Option<Arc<ClientConfig>>,
}

/// Which certificates a client trusts.
#[derive(Debug, Clone)]
pub(crate) enum RootCertificates {
    /// The system's (or those of `SSL_CERT_FILE`).
    System,
    /// None: for plain HTTP. Loading them takes time, and a container without any could not even speak HTTP.
    None,
    /// Those of this configuration.
    Of(Arc<ClientConfig>),
}

impl ServerEndpoint {
    /// Reads the address and the credentials; opens no connection yet.
    pub fn open(spec: &TargetSpec) -> Result<Self, EndpointError> {
        let address: BaseUrl = spec.url.parse()?;
        let mut secrets = SecretValues::default();
        secrets.add_url(address.url());
        let headers = headers(spec, &mut secrets)?;
        let tls = if address.is_https() { Some(Arc::new(tls_config(spec)?)) } else { None };
        let roots = tls.clone().map_or(RootCertificates::None, RootCertificates::Of);
        let connect = Duration::try_from_secs_f64(spec.connect_timeout.0).unwrap_or(Duration::MAX);
        Ok(Self { address, client: client_of(spec, roots, connect)?, headers, secrets, tls })
    }

    /// The same for each of the servers that share a target's sessions; one where there is one.
    pub fn open_all(spec: &TargetSpec) -> Result<Vec<Self>, EndpointError> {
        match spec.urls.as_slice() {
            [] => Ok(vec![Self::open(spec)?]),
            urls => urls.iter().map(|url| Self::open(&TargetSpec { url: url.clone(), ..spec.clone() })).collect(),
        }
    }

    pub fn address(&self) -> &BaseUrl {
        &self.address
    }

    /// Whether a text can be shown as it is: nothing secret is in it, and nothing that a line of text cannot hold.
    pub fn may_show(&self, text: &str) -> bool {
        self.secrets.plain(text) == text
    }

    pub(crate) fn secrets(&self) -> &SecretValues {
        &self.secrets
    }

    /// How TLS sessions with it are begun; `None` where there are none.
    pub(crate) fn tls(&self) -> Option<&ClientConfig> {
        self.tls.as_deref()
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// What every request to it carries.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// A request with the target's headers; a body is JSON.
    pub(crate) fn request(&self, method: Method, url: Url, body: Option<Vec<u8>>) -> Request {
        let mut request = Request::new(method, url);
        *request.headers_mut() = self.headers.clone();
        *request.body_mut() = body.map(Into::into);
        request
    }

    /// Sends a small request and reads the reply whole, whatever its status.
    pub(crate) async fn call(&self, request: Request) -> Result<EndpointReply, EndpointError> {
        call(&self.client, request).await
    }

    /// The error that a reply with another status is.
    pub(crate) fn refused(&self, reply: EndpointReply) -> EndpointError {
        EndpointError::Status { message: self.secrets.plain(&server_message(&reply.body)), url: reply.url, status: reply.status }
    }
}

/// Sends a small request and reads the reply whole, whatever its status.
pub(crate) async fn call(client: &Client, mut request: Request) -> Result<EndpointReply, EndpointError> {
    let url = shown(request.url());
    let unanswered = |error: reqwest::Error| EndpointError::Unanswered { url: url.clone(), cause: HttpErrorCause::of(&error) };
    *request.timeout_mut() = Some(EXCHANGE);
    let mut response = client.execute(request).await.map_err(unanswered)?;
    let status = response.status().as_u16();
    let body = read(&mut response, REPLY_LIMIT).await.map_err(unanswered)?;
    Ok(EndpointReply { url, status, body })
}

/// Reads a body up to a limit; the rest is left unread.
pub(crate) async fn read(response: &mut Response, limit: usize) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while body.len() < limit
        && let Some(bytes) = response.chunk().await?
    {
        body.extend_from_slice(&bytes[..bytes.len().min(limit - body.len())]);
    }
    Ok(body)
}

/// A client that does what it is told and nothing else.
///
/// One thing cannot be switched off: a request on a kept connection that turns out closed before a byte of it was written goes out
/// again on a new one. The server sees it once. Prompts do not go this way: what is measured has connections of its own.
pub(crate) fn http_client(roots: RootCertificates, connect: Duration) -> Result<Client, EndpointError> {
    built(builder(roots, connect).http1_only().no_proxy())
}

/// The same in the version that the target speaks.
fn client_of(spec: &TargetSpec, roots: RootCertificates, connect: Duration) -> Result<Client, EndpointError> {
    match spec.http_version {
        HttpVersion::One => http_client(roots, connect),
        HttpVersion::Two => built(builder(roots, connect).http2_prior_knowledge().no_proxy()),
    }
}

/// The same for fetching files, where nothing is measured: it goes through the proxies that the environment names.
pub(crate) fn fetching_client(connect: Duration) -> Result<Client, EndpointError> {
    built(builder(RootCertificates::System, connect).http1_only())
}

fn builder(roots: RootCertificates, connect: Duration) -> ClientBuilder {
    // An error says that there is a provider already, which is as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .tcp_nodelay(true)
        .connect_timeout(connect)
        .pool_max_idle_per_host(usize::MAX)
        .pool_idle_timeout(IDLE)
        .user_agent(USER_AGENT);
    match roots {
        RootCertificates::System => builder,
        RootCertificates::None => builder.tls_certs_only([]),
        RootCertificates::Of(config) => builder.tls_backend_preconfigured(ClientConfig::clone(&config)),
    }
}

fn built(builder: ClientBuilder) -> Result<Client, EndpointError> {
    builder.build().map_err(|error| EndpointError::Client { reason: HttpErrorCause::of(&error).to_string() })
}

/// What every request carries: the key, then the scenario's headers, which win.
fn headers(spec: &TargetSpec, secrets: &mut SecretValues) -> Result<HeaderMap, EndpointError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if spec.api == TargetApi::Messages {
        headers.insert(HeaderName::from_static("anthropic-version"), HeaderValue::from_static(ANTHROPIC_VERSION));
    }
    if let Some(key) = api_key(spec)? {
        secrets.add(&key);
        headers.insert(AUTHORIZATION, sensitive(&format!("Bearer {key}")).ok_or(EndpointError::Key)?);
    }
    for (name, value) in &spec.headers {
        let fault = || EndpointError::Header { name: name.clone() };
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| fault())?;
        secrets.add_header(value);
        headers.insert(header, sensitive(value).ok_or_else(fault)?);
    }
    Ok(headers)
}

/// A header value that `Debug` does not show.
fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: serde_json::Value) -> TargetSpec {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn every_request_carries_key_and_headers_and_none_is_ever_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "sk-hush\n").unwrap();
        let spec = spec(serde_json::json!({ "api_key_file": file.path(), "headers": { "X-Tenant": "hush-hush" } }));
        let endpoint = ServerEndpoint::open(&spec).unwrap();
        let request = endpoint.request(Method::GET, endpoint.address().api("models"), None);
        assert_eq!(request.url().as_str(), "http://127.0.0.1:8000/v1/models");
        assert_eq!(request.headers()["authorization"], "Bearer sk-hush");
        assert_eq!(request.headers()["x-tenant"], "hush-hush");
        assert!(!format!("{endpoint:?} {request:?}").contains("hush"));
    }

    #[test]
    fn messages_name_their_version_unless_the_scenario_names_another() {
        let version = |json: serde_json::Value| {
            let endpoint = ServerEndpoint::open(&spec(json)).unwrap();
            endpoint.headers().get("anthropic-version").map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(version(serde_json::json!({})), None);
        assert_eq!(version(serde_json::json!({ "api": "messages" })).as_deref(), Some("2023-06-01"));
        let other = serde_json::json!({ "api": "messages", "headers": { "Anthropic-Version": "2024-01-01" } });
        assert_eq!(version(other).as_deref(), Some("2024-01-01"));
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_named_without_its_value() {
        for (name, value) in [("x y", "hush"), ("x-tenant", "hush\nhush")] {
            let error = ServerEndpoint::open(&spec(serde_json::json!({ "headers": { name: value } }))).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        }
    }
}
