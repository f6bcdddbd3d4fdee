//! How buckets are talked to: this program's own HTTP client and TLS, beside what is measured, with a count of what had to be tried again.
//!
//! In: whether plain HTTP is spoken. Out: the connector that `object_store` asks for its clients. Must not know what is transferred.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use object_store::client::{HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService};
use object_store::{ClientConfigKey, ClientOptions};

use super::credentials::is_yes;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long nothing may come of an answer.
const SILENCE: Duration = Duration::from_secs(30);
/// The clouds' metadata services: where there is none, nobody answers however often it is asked.
const METADATA_HOST: &str = "169.254.";

/// How often a bucket was asked in vain. Clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestCounter {
    failed: Arc<AtomicU64>,
}

impl RequestCounter {
    /// Requests that brought an error of the server or of the connection, after each of which it is asked again.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

/// Makes HTTP clients that count.
#[derive(Debug)]
pub(super) struct CountingConnector {
    pub counter: RequestCounter,
    /// Without TLS no certificates are needed, and loading them takes time.
    pub plain_http: bool,
}

impl HttpConnector for CountingConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        // An error says that there is a provider already, which is as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let allows_http = options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| is_yes(&value));
        let builder = reqwest::Client::builder()
            .https_only(!allows_http)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .user_agent(concat!("bench/", env!("CARGO_PKG_VERSION")))
            .http1_only();
        let builder = if self.plain_http { builder.tls_certs_only([]) } else { builder };
        let fault = |source: reqwest::Error| object_store::Error::Generic { store: "HTTP", source: Box::new(source) };
        let client = builder.build().map_err(fault)?;
        Ok(HttpClient::new(CountingClient { client, counter: self.counter.clone() }))
    }
}

#[derive(Debug)]
struct CountingClient {
    client: reqwest::Client,
    counter: RequestCounter,
}

#[async_trait]
impl HttpService for CountingClient {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let of_metadata = request.uri().host().is_some_and(|host| host.starts_with(METADATA_HOST));
        let answer = self.client.call(request).await;
        let is_failure = answer.as_ref().map_or(true, |answer| answer.status().is_server_error() || answer.status().as_u16() == 429);
        if is_failure {
            self.counter.failed.fetch_add(1, Ordering::Relaxed);
        }
        answer.map_err(|error| if of_metadata { HttpError::new(HttpErrorKind::Unknown, error) } else { error })
    }
}
