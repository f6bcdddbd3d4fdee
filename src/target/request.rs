//! A request as bytes: the lines that all requests to a server share are written once, and only what differs is added to each.

use std::io::Write;

use reqwest::Url;
use reqwest::header::{ACCEPT, CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING, USER_AGENT};

use super::spec::ConnectionUse;
use crate::endpoint;

const USER_ID: HeaderName = HeaderName::from_static("x-user-id");

/// Writes the heads of requests to one URL. They hold secrets and are not shown.
#[derive(Clone)]
pub(super) struct HeadWriter {
    shared: Vec<u8>,
    /// The headers name a user of their own, which a prompt's replaces.
    user: Option<HeaderValue>,
}

impl HeadWriter {
    pub(super) fn new(url: &Url, headers: &HeaderMap, connection: ConnectionUse) -> Self {
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut shared = format!("POST {}{query} HTTP/1.1\r\n", url.path()).into_bytes();
        let host = url.port().map_or_else(|| host(url).to_owned(), |port| format!("{}:{port}", host(url)));
        let own = [(HOST, host.as_str()), (ACCEPT, "*/*"), (USER_AGENT, endpoint::USER_AGENT)];
        for (name, value) in own.into_iter().filter(|(name, _)| !headers.contains_key(name)) {
            add(&mut shared, &name, value.as_bytes());
        }
        if connection == ConnectionUse::Fresh {
            add(&mut shared, &CONNECTION, b"close");
        }
        // How the body is framed is not the scenario's affair.
        for (name, value) in headers.iter().filter(|(name, _)| ![CONTENT_LENGTH, TRANSFER_ENCODING, USER_ID].contains(*name)) {
            add(&mut shared, name, value.as_bytes());
        }
        Self { shared, user: headers.get(USER_ID).cloned() }
    }

    /// The head of a request with a body of so many bytes.
    pub(super) fn write(&self, user: Option<u64>, length: usize) -> Vec<u8> {
        let mut head = Vec::with_capacity(self.shared.len() + 64);
        head.extend_from_slice(&self.shared);
        if let Some(value) = user.map(HeaderValue::from).as_ref().or(self.user.as_ref()) {
            add(&mut head, &USER_ID, value.as_bytes());
        }
        // Writing to memory does not fail.
        let _ = write!(head, "content-length: {length}\r\n\r\n");
        head
    }
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
    use super::*;

    fn head(url: &str, headers: &[(&str, &str)], connection: ConnectionUse, user: Option<u64>) -> String {
        let pairs = headers.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()));
        let writer = HeadWriter::new(&url.parse().unwrap(), &pairs.collect(), connection);
        assert!(!format!("{writer:?}").contains("hush"));
        String::from_utf8(writer.write(user, 17)).unwrap()
    }

    #[test]
    fn a_head_holds_what_a_server_needs_and_nothing_twice() {
        let agent = endpoint::USER_AGENT;
        assert_eq!(
            head("http://h:8000/v1/x?key=hush", &[("authorization", "Bearer hush")], ConnectionUse::Reuse, None),
            format!(
                "POST /v1/x?key=hush HTTP/1.1\r\nhost: h:8000\r\naccept: */*\r\nuser-agent: {agent}\r\nauthorization: Bearer \
                 hush\r\ncontent-length: 17\r\n\r\n"
            )
        );
        let own = head("https://[::1]/", &[("host", "me"), ("content-length", "4"), ("x-user-id", "7")], ConnectionUse::Fresh, Some(3));
        assert_eq!(
            own,
            format!(
                "POST / HTTP/1.1\r\naccept: */*\r\nuser-agent: {agent}\r\nconnection: close\r\nhost: me\r\nx-user-id: \
                 3\r\ncontent-length: 17\r\n\r\n"
            )
        );
        assert!(head("https://[::1]/", &[("x-user-id", "7")], ConnectionUse::Reuse, None).contains("host: [::1]\r\n"));
        assert!(head("http://h/", &[("x-user-id", "7")], ConnectionUse::Reuse, None).contains("x-user-id: 7\r\n"));
    }
}
