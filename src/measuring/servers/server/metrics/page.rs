//! One page of metrics: read over HTTP, with connections of its own, within a short limit. A page in the Prometheus text format in,
//! samples out.

use std::time::Duration;

use reqwest::Method;

use crate::records::exposition::{PrometheusPage, PrometheusSample};
use crate::servers::endpoint::{EndpointError, ServerEndpoint, server_message};
use crate::servers::server::endpoint_request::{EndpointRequest, EndpointRequestError};
use crate::vocabulary::spec::target::TargetSpec;

/// How long a page may take. A page that is slower says little about the time it was asked for.
const LIMIT: Duration = Duration::from_secs(5);

/// Why a page could not be read. Texts hold no secret.
#[derive(Debug, thiserror::Error)]
pub enum MetricsPageError {
    #[error("`{url}` is neither a path such as `/metrics` nor a URL")]
    Url { url: String },
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("`{url}` did not answer within {} s", LIMIT.as_secs())]
    Slow { url: String },
    #[error("`{url}` does not exist (status 404)")]
    Missing { url: String },
    #[error("`{url}` holds no metrics in the Prometheus text format")]
    NoMetrics { url: String },
}

impl MetricsPageError {
    /// Whether asking again is of no use: a page that is not there, not for us, or something else.
    pub(super) fn is_lasting(&self) -> bool {
        match self {
            Self::Url { .. } | Self::Missing { .. } | Self::NoMetrics { .. } => true,
            Self::Endpoint(EndpointError::Status { status, .. }) => (300..500).contains(status) && !matches!(status, 408 | 429),
            Self::Endpoint(_) | Self::Slow { .. } => false,
        }
    }
}

impl From<EndpointRequestError> for MetricsPageError {
    fn from(error: EndpointRequestError) -> Self {
        match error {
            EndpointRequestError::Url { url } => Self::Url { url },
            EndpointRequestError::Endpoint(error) => Self::Endpoint(error),
        }
    }
}

/// A page of metrics, and how to get it.
#[derive(Debug)]
pub struct MetricsPage(EndpointRequest);

impl MetricsPage {
    /// A path on the target's server, or a URL anywhere. `endpoint` carries the connections: one of its own, [`ServerEndpoint::open`], keeps them
    /// apart from those that are measured.
    pub fn at(place: &str, endpoint: &ServerEndpoint, target: &TargetSpec) -> Result<Self, MetricsPageError> {
        Ok(Self(EndpointRequest::at(place, Method::GET, endpoint, target)?))
    }

    /// The URL as it may be shown.
    pub fn url(&self) -> String {
        self.0.shown()
    }

    /// All samples that the page has now.
    pub async fn scrape(&self) -> Result<Vec<PrometheusSample>, MetricsPageError> {
        Ok(self.read(|_| true).await?.samples)
    }

    /// The samples of the metrics that are wanted.
    pub(super) async fn read(&self, wanted: impl Fn(&str) -> bool) -> Result<PrometheusPage, MetricsPageError> {
        let url = self.url();
        let reply = tokio::time::timeout(LIMIT, self.0.call()).await.map_err(|_| MetricsPageError::Slow { url: url.clone() })??;
        if reply.status == 404 {
            return Err(MetricsPageError::Missing { url });
        }
        if !reply.is_success() {
            let message = self.0.plain(&server_message(&reply.body));
            return Err(EndpointError::Status { url, status: reply.status, message }.into());
        }
        let seen = std::cell::Cell::new(false);
        let page = PrometheusPage::read(&reply.body, |name| {
            seen.set(true);
            wanted(name)
        });
        if !seen.get() && page.bad_lines > 0 {
            return Err(MetricsPageError::NoMetrics { url });
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// What reading a page gives that answers like this, and the request that came.
    async fn answered(status: &str, body: &str) -> (Result<Vec<PrometheusSample>, MetricsPageError>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target =
            serde_json::json!({ "url": format!("http://{}", listener.local_addr().unwrap()), "headers": { "x-key": "hush-hush" } });
        let target: TargetSpec = serde_json::from_value(target).unwrap();
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            let reply = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(reply.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..read]).into_owned()
        };
        let page = MetricsPage::at("/metrics", &ServerEndpoint::open(&target).unwrap(), &target).unwrap();
        tokio::join!(page.scrape(), serve)
    }

    #[tokio::test]
    async fn a_page_on_the_target_s_server_is_asked_with_its_credentials() {
        let (samples, request) = answered("200 OK", "# TYPE a counter\na{x=\"1\"} 3\n").await;
        let samples = samples.unwrap();
        assert_eq!((samples[0].name.as_str(), samples[0].labels.as_str(), samples[0].value), ("a", "{x=\"1\"}", 3.0));
        assert!(request.starts_with("GET /metrics HTTP/1.1\r\n") && request.contains("x-key: hush-hush"), "{request}");
    }

    #[tokio::test]
    async fn what_is_no_page_of_metrics_is_told_apart_without_a_secret() {
        assert!(matches!(answered("404 Not Found", "").await.0, Err(MetricsPageError::Missing { .. })));
        assert!(matches!(answered("200 OK", "<html>\nhello\n</html>").await.0, Err(MetricsPageError::NoMetrics { .. })));
        assert_eq!(answered("200 OK", "").await.0.unwrap(), []);
        let refused = answered("401 Unauthorized", "no entry with hush-hush").await.0.unwrap_err().to_string();
        assert!(refused.contains("status 401: no entry with ***"), "{refused}");
    }

    #[test]
    fn a_url_on_another_server_gets_no_credentials_and_a_bad_one_is_refused() {
        let target: TargetSpec =
            serde_json::from_value(serde_json::json!({ "url": "http://h:8000", "headers": { "x-key": "hush" } })).unwrap();
        let endpoint = ServerEndpoint::open(&target).unwrap();
        let other = MetricsPage::at("http://h:9400/metrics?key=hush", &endpoint, &target).unwrap();
        assert_eq!(other.url(), "http://h:9400/metrics");
        for bad in ["ftp://h/metrics", "http://"] {
            assert!(matches!(MetricsPage::at(bad, &endpoint, &target), Err(MetricsPageError::Url { .. })), "{bad}");
        }
    }
}
