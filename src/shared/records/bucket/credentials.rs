//! The settings of a bucket, as the cloud's own tools take them: environment variables in, a store out. What of them is secret is known here so
//! that it can be masked in every text that comes from outside.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{BackoffConfig, ObjectStore, RetryConfig};

use super::address::{BucketAddress, CloudProvider};
use super::error::BucketError;
use super::http::{CountingConnector, RequestCounter};
use crate::foundation::sentence::sentence;

/// How long a request is tried again. Runs that could not be sent are tried once more with the next one.
const RETRY_FOR: Duration = Duration::from_secs(20);
/// So many that the time decides.
const RETRIES: usize = 1000;
/// Words shorter than this are not taken for secrets: replacing them everywhere would only garble messages.
const LEAST_SECRET: usize = 6;
const MASK: &str = "***";

/// What differs between the providers.
struct ProviderSettings {
    /// The variable that lets keys go over plain HTTP.
    allow_http: &'static str,
    /// The variables that may name another server, the one that wins first.
    endpoints: &'static [&'static str],
    /// What to do where credentials are missing or refused.
    hint: &'static str,
}

fn settings(provider: CloudProvider) -> ProviderSettings {
    match provider {
        CloudProvider::S3 => ProviderSettings {
            allow_http: "AWS_ALLOW_HTTP",
            endpoints: &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"],
            hint: "; set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, as `aws configure export-credentials --format env` prints them",
        },
        CloudProvider::GoogleCloud => ProviderSettings {
            allow_http: "GOOGLE_ALLOW_HTTP",
            endpoints: &["GOOGLE_BASE_URL"],
            hint: "; name a file of credentials with GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_SERVICE_ACCOUNT",
        },
        CloudProvider::Azure => ProviderSettings {
            allow_http: "AZURE_ALLOW_HTTP",
            endpoints: &["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"],
            hint: "; set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_KEY or a service principal's variables",
        },
    }
}

/// What to do where the bucket does not let us in.
pub(super) fn access_hint(provider: CloudProvider) -> &'static str {
    settings(provider).hint
}

/// Opens the bucket with what the environment says. Nothing is asked yet.
pub(super) fn open_store(address: &BucketAddress, counter: &RequestCounter) -> Result<Arc<dyn ObjectStore>, BucketError> {
    let plain_http = speaks_plain_http(address.provider)?;
    let connector = CountingConnector { counter: counter.clone(), plain_http };
    let bucket = &address.bucket;
    let opened: object_store::Result<Arc<dyn ObjectStore>> = match address.provider {
        CloudProvider::S3 => {
            let builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retries()).with_http_connector(connector);
            // Some that speak the protocol know only the deletion of one object.
            let builder = builder.with_disable_bulk_delete(true);
            let builder = if plain_http { builder.with_allow_http(true) } else { builder };
            builder.build().map(|store| Arc::new(store) as _)
        }
        CloudProvider::GoogleCloud => {
            let builder =
                GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).with_retry(retries()).with_http_connector(connector);
            builder.build().map(|store| Arc::new(store) as _)
        }
        CloudProvider::Azure => {
            let builder =
                MicrosoftAzureBuilder::from_env().with_container_name(bucket).with_retry(retries()).with_http_connector(connector);
            let builder = if plain_http { builder.with_allow_http(true) } else { builder };
            builder.build().map(|store| Arc::new(store) as _)
        }
    };
    let secrets = BucketSecrets::of_environment(address.provider);
    opened.map_err(|error| BucketError::Settings { address: address.clone(), reason: secrets.plain(&error.to_string()) })
}

fn retries() -> RetryConfig {
    let backoff = BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(5), base: 2.0 };
    RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRY_FOR }
}

/// Whether the server that is named speaks without TLS: on this machine, or where that is said to be meant.
fn speaks_plain_http(provider: CloudProvider) -> Result<bool, BucketError> {
    let ProviderSettings { allow_http, endpoints, .. } = settings(provider);
    let found = endpoints.iter().find_map(|name| Some((*name, std::env::var(name).ok().filter(|url| !url.is_empty())?)));
    let Some((name, url)) = found.filter(|(_, url)| url.to_ascii_lowercase().starts_with("http://")) else { return Ok(false) };
    let is_allowed = std::env::var(allow_http).is_ok_and(|value| is_yes(&value));
    if is_allowed || is_this_machine(&url) {
        return Ok(true);
    }
    let shown = reqwest::Url::parse(&url).ok().and_then(|url| Some(format!("http://{}", url.host_str()?))).unwrap_or_default();
    Err(BucketError::PlainHttp { variable: name.to_owned(), url: sentence(&shown).into_owned(), allow: allow_http })
}

/// Whether a setting is switched on, as `object_store` reads it.
pub(super) fn is_yes(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on" | "t" | "y")
}

fn is_this_machine(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The values that must not be shown.
#[derive(Clone, Default)]
pub(super) struct BucketSecrets(Vec<String>);

impl BucketSecrets {
    /// Those of the provider's variables that hold a key.
    pub fn of_environment(provider: CloudProvider) -> Self {
        let holds_secret = |name: &str| ["KEY", "SECRET", "TOKEN", "PASSWORD", "SAS"].iter().any(|word| name.contains(word));
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let secret =
            variables.filter(|(name, value)| name.starts_with(provider.variables()) && holds_secret(name) && value.len() >= LEAST_SECRET);
        let mut values: Vec<String> = secret.map(|(_, value)| value).collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values)
    }

    /// A text from outside as it may be shown, on one line.
    pub fn plain(&self, text: &str) -> String {
        let masked = self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), MASK));
        let words: Vec<&str> = masked.split_whitespace().collect();
        sentence(&words.join(" ")).into_owned()
    }
}

impl std::fmt::Debug for BucketSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BucketSecrets({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_texts_stand_on_one_line() {
        let secrets = BucketSecrets(vec!["hush-hush-hush".to_owned()]);
        assert_eq!(secrets.plain("<Key>hush-hush-hush</Key>\n  denied\u{1b}[2J"), "<Key>***</Key> denied\\u{1b}[2J");
        assert!(!format!("{secrets:?}").contains("hush"));
    }

    #[test]
    fn only_a_loopback_address_is_this_machine() {
        for here in ["http://localhost:8333", "http://127.0.0.1:1", "http://[::1]:8333/x"] {
            assert!(is_this_machine(here), "{here}");
        }
        for elsewhere in ["http://minio:9000", "http://10.0.0.1", "http://localhost.example", "nonsense"] {
            assert!(!is_this_machine(elsewhere), "{elsewhere}");
        }
    }
}
