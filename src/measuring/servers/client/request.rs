//! A request as bytes: the lines that all requests to a server share are written once, and only what differs is added to each.

use std::io::Write;

use reqwest::Url;
use reqwest::header::{
    ACCEPT, CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};

use crate::servers::endpoint;
use crate::servers::wire;
use crate::vocabulary::spec::target::ConnectionReuse;

const USER_ID: HeaderName = HeaderName::from_static("x-user-id");

/// Writes the heads of requests to one URL. They hold secrets and are not shown.
#[derive(Clone)]
pub(super) struct HeadWriter {
    shared: Vec<u8>,
    /// The same for HTTP/2.
    fields: http::Request<()>,
    /// The headers name a user of their own, which a prompt's replaces.
    user: Option<HeaderValue>,
}

/// The head of one request.
#[derive(Debug)]
pub(super) struct RequestHead<'a> {
    writer: &'a HeadWriter,
    user: Option<u64>,
    /// Of the body, in bytes.
    length: usize,
}

impl HeadWriter {
    /// The error is a text.
    pub(super) fn new(url: &Url, headers: &HeaderMap, connection: ConnectionReuse) -> Result<Self, String> {
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = format!("{}{query}", url.path());
        let mut shared = format!("POST {path} HTTP/1.1\r\n").into_bytes();
        let host = url.port().map_or_else(|| host(url).to_owned(), |port| format!("{}:{port}", host(url)));
        let own = [(HOST, host.as_str()), (ACCEPT, "*/*"), (USER_AGENT, endpoint::USER_AGENT)];
        for (name, value) in own.into_iter().filter(|(name, _)| !headers.contains_key(name)) {
            add(&mut shared, &name, value.as_bytes());
        }
        if connection == ConnectionReuse::Fresh {
            add(&mut shared, &CONNECTION, b"close");
        }
        // How the body is framed is not the scenario's affair.
        for (name, value) in headers.iter().filter(|(name, _)| ![CONTENT_LENGTH, TRANSFER_ENCODING, USER_ID].contains(*name)) {
            add(&mut shared, name, value.as_bytes());
        }
        let fields = fields(url.scheme(), &host, &path, headers).map_err(|error| error.to_string())?;
        Ok(Self { shared, fields, user: headers.get(USER_ID).cloned() })
    }

    /// The head of a request with a body of so many bytes.
    pub(super) fn head(&self, user: Option<u64>, length: usize) -> RequestHead<'_> {
        RequestHead { writer: self, user, length }
    }
}

impl RequestHead<'_> {
    fn user(&self) -> Option<HeaderValue> {
        self.user.map(HeaderValue::from).or_else(|| self.writer.user.clone())
    }
}

impl wire::RequestHeadEncoder for RequestHead<'_> {
    fn lines(&self, room: usize) -> Vec<u8> {
        let mut head = Vec::with_capacity(self.writer.shared.len() + 64 + room);
        head.extend_from_slice(&self.writer.shared);
        if let Some(value) = self.user() {
            add(&mut head, &USER_ID, value.as_bytes());
        }
        // Writing to memory does not fail.
        let _ = write!(head, "content-length: {}\r\n\r\n", self.length);
        head
    }

    fn fields(&self) -> http::Request<()> {
        let mut request = self.writer.fields.clone();
        request.headers_mut().extend(self.user().map(|value| (USER_ID, value)));
        request.headers_mut().insert(CONTENT_LENGTH, self.length.into());
        request
    }
}

/// A head of HTTP/2 without what concerns the connection (RFC 9113, section 8.2.2); the host is named in its place.
fn fields(scheme: &str, host: &str, path: &str, headers: &HeaderMap) -> Result<http::Request<()>, http::Error> {
    let authority = headers.get(HOST).map_or(host.as_bytes(), HeaderValue::as_bytes);
    let uri = http::Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build()?;
    let mut request = http::Request::post(uri).version(http::Version::HTTP_2).body(())?;
    let own = [(ACCEPT, HeaderValue::from_static("*/*")), (USER_AGENT, HeaderValue::from_static(endpoint::USER_AGENT))];
    request.headers_mut().extend(own);
    let connection = [CONTENT_LENGTH, TRANSFER_ENCODING, USER_ID, HOST, CONNECTION, UPGRADE, HeaderName::from_static("keep-alive")];
    for (name, value) in headers.iter().filter(|(name, _)| !connection.contains(*name)) {
        request.headers_mut().insert(name, value.clone());
    }
    Ok(request)
}

impl std::fmt::Debug for HeadWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeadWriter").finish_non_exhaustive()
    }
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

fn add(head: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    for part in [name.as_str().as_bytes(), b": ", value, b"\r\n"] {
        head.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::wire::RequestHeadEncoder as _;
    use super::*;

    fn head(url: &str, headers: &[(&str, &str)], connection: ConnectionReuse, user: Option<u64>) -> String {
        let pairs = headers.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()));
        let writer = HeadWriter::new(&url.parse().unwrap(), &pairs.collect(), connection).unwrap();
        assert!(!format!("{writer:?}").contains("hush"));
        String::from_utf8(writer.head(user, 17).lines(0)).unwrap()
    }

    #[test]
    fn a_head_holds_what_a_server_needs_and_nothing_twice() {
        let agent = endpoint::USER_AGENT;
        assert_eq!(
            head("http://h:8000/v1/x?key=hush", &[("authorization", "Bearer hush")], ConnectionReuse::Reuse, None),
            format!(
                "POST /v1/x?key=hush HTTP/1.1\r\nhost: h:8000\r\naccept: */*\r\nuser-agent: {agent}\r\nauthorization: Bearer \
                 hush\r\ncontent-length: 17\r\n\r\n"
            )
        );
        let own = head("https://[::1]/", &[("host", "me"), ("content-length", "4"), ("x-user-id", "7")], ConnectionReuse::Fresh, Some(3));
        assert_eq!(
            own,
            format!(
                "POST / HTTP/1.1\r\naccept: */*\r\nuser-agent: {agent}\r\nconnection: close\r\nhost: me\r\nx-user-id: \
                 3\r\ncontent-length: 17\r\n\r\n"
            )
        );
        assert!(head("https://[::1]/", &[("x-user-id", "7")], ConnectionReuse::Reuse, None).contains("host: [::1]\r\n"));
        assert!(head("http://h/", &[("x-user-id", "7")], ConnectionReuse::Reuse, None).contains("x-user-id: 7\r\n"));
    }

    #[test]
    fn a_head_of_http_2_names_the_host_in_its_target_and_says_nothing_of_the_connection() {
        let headers: &[(&str, &str)] =
            &[("authorization", "Bearer hush"), ("host", "me:1"), ("connection", "close"), ("content-length", "4"), ("x-user-id", "7")];
        let pairs = headers.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()));
        let headers: HeaderMap = pairs.collect();
        let request = |headers: &HeaderMap, user| {
            HeadWriter::new(&"https://h:8000/v1/x?key=hush".parse().unwrap(), headers, ConnectionReuse::Fresh)
                .unwrap()
                .head(user, 17)
                .fields()
        };
        assert_eq!(request(&HeaderMap::new(), None).uri(), "https://h:8000/v1/x?key=hush");
        let named = request(&headers, Some(3));
        assert_eq!((named.method().as_str(), named.uri().to_string().as_str()), ("POST", "https://me:1/v1/x?key=hush"));
        let mut fields: Vec<_> = named.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        fields.sort_unstable();
        let agent = endpoint::USER_AGENT;
        let expected =
            [("accept", "*/*"), ("authorization", "Bearer hush"), ("content-length", "17"), ("user-agent", agent), ("x-user-id", "3")];
        assert_eq!(fields, expected);
    }
}
