//! The address of a server as a scenario has it, and the URLs made from it: a base URL with or without `/v1`, a path of a deployment, or the whole URL of
//! an endpoint. Shown without its query, which may hold a key.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;

use super::EndpointError;
use crate::vocabulary::spec::target_api::TargetApi;

/// Where a server is. An endpoint's path, `/v1` and trailing slashes are taken off; a path before them (a gateway's prefix) and a query stay.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    root: Url,
    /// Endpoints are below `/v1/`: not those of deployments, nor those that were named without.
    has_version: bool,
}

impl BaseUrl {
    /// A URL of the API: `api("models")` is `http://host/v1/models`.
    pub(crate) fn api(&self, path: &str) -> Url {
        if self.has_version { self.root(&format!("v1/{path}")) } else { self.root(path) }
    }

    /// A URL beside `/v1`: `root("/tokenize")` is `http://host/tokenize`. A query of its own is added to the address's.
    pub(crate) fn root(&self, path: &str) -> Url {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut url = self.root.clone();
        url.set_path(&format!("{}/{}", self.root.path().trim_end_matches('/'), path.trim_start_matches('/')));
        let queries: Vec<&str> = self.root.query().into_iter().chain(query).collect();
        url.set_query((!queries.is_empty()).then(|| queries.join("&")).as_deref());
        url
    }

    pub(super) fn url(&self) -> &Url {
        &self.root
    }

    pub(crate) fn is_https(&self) -> bool {
        self.root.scheme() == "https"
    }

    /// Whether it is on the machine that asks.
    pub fn is_here(&self) -> bool {
        self.root.host_str().is_some_and(is_this_machine)
    }

    /// Whether `url` is on the same server, so that it may be given our credentials.
    pub(crate) fn is_same_server(&self, url: &Url) -> bool {
        self.root.origin() == url.origin()
    }
}

impl FromStr for BaseUrl {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let fault = |hint| EndpointError::Url { url: without_secrets(text), hint };
        let mut url = Url::parse(text.trim()).map_err(|_| fault("write it as `http://host:port`"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(fault("write it as `http://host:port`"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(fault("take the user name and password out, since the URL is saved: use `api_key_env`, or a header"));
        }
        url.set_fragment(None);
        let whole = url.path().trim_end_matches('/');
        let endpoint = TargetApi::of_endpoint(whole);
        let path = endpoint.and_then(|api| whole.strip_suffix(api.path())).unwrap_or(whole).trim_end_matches('/');
        let base = path.strip_suffix("/v1").map(|base| base.trim_end_matches('/'));
        let has_version = base.is_some() || (endpoint.is_none() && !TargetApi::is_deployment(path));
        let root = base.unwrap_or(path).to_owned();
        url.set_path(&root);
        Ok(Self { root: url, has_version })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(shown(&self.root).trim_end_matches('/'))
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Whether a URL's host is a loopback address.
pub(crate) fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A URL as it may be shown: without user name, password, query and fragment.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for URLs without a host, which hold no credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// The same for a text that may be no URL at all: what stands before an `@` and after a `?` is left out.
pub fn without_secrets(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    match text.rsplit_once('@') {
        Some((before, after)) => format!("{}{after}", before.find("://").map_or("", |end| &before[..end + 3])),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> BaseUrl {
        text.parse().unwrap()
    }

    #[test]
    fn a_base_url_is_taken_with_or_without_v1_and_slashes() {
        for text in ["http://h:8000", "http://h:8000/", "http://h:8000/v1", "http://h:8000/v1/", " http://h:8000/v1// "] {
            assert_eq!(address(text).api("models").as_str(), "http://h:8000/v1/models", "{text}");
            assert_eq!(address(text).root("/tokenize").as_str(), "http://h:8000/tokenize", "{text}");
            assert_eq!(address(text).to_string(), "http://h:8000", "{text}");
        }
    }

    #[test]
    fn a_gateways_path_and_query_stay_and_the_query_is_not_shown() {
        let gateway = address("https://h/llm/v1?api-version=2&key=hush");
        assert_eq!(gateway.api("chat/completions").as_str(), "https://h/llm/v1/chat/completions?api-version=2&key=hush");
        assert_eq!(gateway.root("/tokenize").as_str(), "https://h/llm/tokenize?api-version=2&key=hush");
        assert_eq!(gateway.root("reset?all=true").as_str(), "https://h/llm/reset?api-version=2&key=hush&all=true");
        assert_eq!(address("http://h").root("/reset?all=true").as_str(), "http://h/reset?all=true");
        assert_eq!(gateway.to_string(), "https://h/llm");
        assert!(!format!("{gateway:?}").contains("hush"));
        assert_eq!(address("http://h/v10").api("models").as_str(), "http://h/v10/v1/models");
    }

    #[test]
    fn a_deployment_and_a_whole_endpoint_are_taken_as_they_are() {
        let deployment = address("https://h/openai/deployments/x?api-version=2024-10-21");
        assert_eq!(deployment.api("chat/completions").as_str(), "https://h/openai/deployments/x/chat/completions?api-version=2024-10-21");
        for (text, prompts, root) in [
            ("http://h/v1/chat/completions", "http://h/v1/chat/completions", "http://h/tokenize"),
            ("http://h/llm/v1/chat/completions/?a=b", "http://h/llm/v1/chat/completions?a=b", "http://h/llm/tokenize?a=b"),
            ("http://h/api/chat/completions", "http://h/api/chat/completions", "http://h/api/tokenize"),
            ("http://h/deployments/x/chat/completions", "http://h/deployments/x/chat/completions", "http://h/deployments/x/tokenize"),
        ] {
            assert_eq!(
                (address(text).api("chat/completions").as_str(), address(text).root("tokenize").as_str()),
                (prompts, root),
                "{text}"
            );
        }
        assert_eq!(address("http://h/v1/messages").api("messages").as_str(), "http://h/v1/messages");
        assert_eq!(address("http://h/api/responses").api("models").as_str(), "http://h/api/models");
    }

    #[test]
    fn what_is_no_http_url_is_refused_with_a_hint() {
        for text in ["", "localhost:8000", "h", "ftp://h", "http://"] {
            let error = text.parse::<BaseUrl>().unwrap_err().to_string();
            assert!(error.contains("http://host:port"), "{text}: {error}");
        }
    }

    #[test]
    fn credentials_in_a_url_are_refused_and_never_shown() {
        for text in ["http://me:hush@h:8000/v1", "http://hush@h", "me:hush@h:8000?key=hush", "http:/x y/?hush"] {
            let error = text.parse::<BaseUrl>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        }
    }

    #[test]
    fn only_a_loopback_address_is_this_machine() {
        for here in ["http://localhost:8000", "http://127.0.0.1", "http://127.8.9.1:1/v1", "http://[::1]:8000"] {
            assert!(address(here).is_here(), "{here}");
        }
        for elsewhere in ["http://gpu7:8000", "http://10.0.0.1", "http://localhost.example", "http://[2001:db8::1]:8000"] {
            assert!(!address(elsewhere).is_here(), "{elsewhere}");
        }
    }

    #[test]
    fn only_the_same_scheme_host_and_port_are_the_same_server() {
        let target = address("http://h:8000/v1");
        assert!(target.is_same_server(&Url::parse("http://h:8000/reset").unwrap()));
        for other in ["http://h:8001/", "https://h:8000/", "http://g:8000/"] {
            assert!(!target.is_same_server(&Url::parse(other).unwrap()), "{other}");
        }
    }
}
