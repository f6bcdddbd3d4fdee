//! The head of an answer: what is needed of it, and what frames the body behind it.

use std::mem::MaybeUninit;

use super::body::BodyFraming;

/// The most bytes of a head.
pub(super) const LARGEST_HEAD: usize = 400 * 1024;
/// The most header lines of an answer.
const HEADERS: usize = 100;

/// An answer's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResponseHead {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) content_encoding: Option<String>,
    /// Where a redirect leads, in its own letters.
    pub(crate) location: Option<String>,
    /// When a server that has too much to do wants to be asked again, as it says it.
    pub(crate) retry_after: Option<String>,
    /// Whether the server keeps the connection open behind the body.
    pub(super) keep: bool,
    pub(super) body: BodyFraming,
}

/// What can be read of a head so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HeadParseStatus {
    /// It goes on.
    Partial,
    /// An announcement of so many bytes that precedes the answer (`100 Continue`).
    Interim(usize),
    /// The head, of so many bytes.
    Whole(usize, ResponseHead),
}

impl ResponseHead {
    /// Of an answer in HTTP/2, which frames its body itself.
    pub(super) fn of(answer: &http::response::Parts) -> Result<Self, &'static str> {
        let mut fields = ResponseHeaderFields::default();
        for (name, value) in &answer.headers {
            fields.take(name.as_str(), value.as_bytes())?;
        }
        Ok(Self { keep: true, body: BodyFraming::Over, ..fields.head(answer.status.as_u16(), true)? })
    }

    /// Reads a head at the start of `bytes`; the error says what is wrong.
    pub(super) fn parse(bytes: &[u8]) -> Result<HeadParseStatus, &'static str> {
        let mut headers = [const { MaybeUninit::uninit() }; HEADERS];
        let mut response = httparse::Response::new(&mut []);
        let length = match httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut response, bytes, &mut headers) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(HeadParseStatus::Partial),
            Err(error) => return Err(told(error)),
        };
        let status = response.code.unwrap_or_default();
        if matches!(status, 100 | 102..=199) {
            return Ok(HeadParseStatus::Interim(length));
        }
        let mut fields = ResponseHeaderFields::default();
        for header in response.headers.iter() {
            fields.take(header.name, header.value)?;
        }
        Ok(HeadParseStatus::Whole(length, fields.head(status, response.version == Some(1))?))
    }
}

/// What a head's lines say of the answer.
#[derive(Debug, Default)]
struct ResponseHeaderFields {
    content_type: Option<String>,
    content_encoding: Option<String>,
    location: Option<String>,
    retry_after: Option<String>,
    length: Option<u64>,
    /// There is a transfer encoding; whether its last part is `chunked`.
    chunked: Option<bool>,
    close: bool,
    keep_alive: bool,
}

impl ResponseHeaderFields {
    fn take(&mut self, name: &str, value: &[u8]) -> Result<(), &'static str> {
        let text = || std::str::from_utf8(value).ok().map(|text| text.trim().to_ascii_lowercase());
        if name.eq_ignore_ascii_case("content-type") {
            self.content_type = self.content_type.take().or_else(text);
        } else if name.eq_ignore_ascii_case("content-encoding") {
            self.content_encoding = self.content_encoding.take().or_else(text);
        } else if name.eq_ignore_ascii_case("location") {
            self.location = self.location.take().or_else(|| std::str::from_utf8(value).ok().map(|text| text.trim().to_owned()));
        } else if name.eq_ignore_ascii_case("retry-after") {
            self.retry_after = self.retry_after.take().or_else(|| std::str::from_utf8(value).ok().map(|text| text.trim().to_owned()));
        } else if name.eq_ignore_ascii_case("content-length") {
            self.take_length(&text().unwrap_or_default())?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            let last = value.rsplit(|byte| *byte == b',').next().unwrap_or_default();
            self.chunked = Some(last.trim_ascii().eq_ignore_ascii_case(b"chunked"));
        } else if name.eq_ignore_ascii_case("connection") {
            let text = text().unwrap_or_default();
            self.close |= text.split(',').any(|word| word.trim() == "close");
            self.keep_alive |= text.split(',').any(|word| word.trim() == "keep-alive");
        }
        Ok(())
    }

    /// A length may be told several times, as long as it is the same.
    fn take_length(&mut self, text: &str) -> Result<(), &'static str> {
        for part in text.split(',').map(str::trim) {
            let length = part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten();
            if length.is_none() || self.length.is_some_and(|before| Some(before) != length) {
                return Err("invalid content-length parsed");
            }
            self.length = length;
        }
        Ok(())
    }

    fn head(self, status: u16, is_1_1: bool) -> Result<ResponseHead, &'static str> {
        let body = match (status, self.chunked, self.length) {
            (101 | 204 | 304, ..) => BodyFraming::Over,
            (_, Some(_), _) if !is_1_1 => return Err("unexpected transfer-encoding parsed"),
            (_, Some(true), _) => BodyFraming::chunked(),
            (_, Some(false), _) | (_, None, None) => BodyFraming::UntilClose,
            (_, None, Some(length)) => BodyFraming::Length(length),
        };
        let keep = !self.close && (is_1_1 || self.keep_alive) && status != 101;
        let Self { content_type, content_encoding, location, retry_after, .. } = self;
        Ok(ResponseHead { status, content_type, content_encoding, location, retry_after, keep, body })
    }
}

fn told(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::Version => "invalid HTTP version parsed",
        httparse::Error::Status => "invalid HTTP status-code parsed",
        httparse::Error::TooManyHeaders => "message head is too large",
        _ => "invalid HTTP header parsed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<ResponseHead, &'static str> {
        let text = format!("{text}\r\n\r\n");
        for cut in 0..text.len() {
            assert!(
                matches!(ResponseHead::parse(&text.as_bytes()[..cut]), Ok(HeadParseStatus::Partial) | Err(_)),
                "{cut} bytes of {text:?}"
            );
        }
        match ResponseHead::parse(format!("{text}body").as_bytes())? {
            HeadParseStatus::Whole(length, head) => {
                assert_eq!(length, text.len());
                Ok(head)
            }
            other => panic!("{other:?}"),
        }
    }

    fn body(lines: &str) -> Result<BodyFraming, &'static str> {
        head(&format!("HTTP/1.1 200 OK\r\n{lines}")).map(|head| head.body)
    }

    #[test]
    fn what_frames_the_body_is_read_as_the_standard_says() {
        assert_eq!(body("Transfer-Encoding: gzip, Chunked\r\ncontent-length: 4"), Ok(BodyFraming::chunked()));
        assert_eq!(body("transfer-encoding: chunked, gzip"), Ok(BodyFraming::UntilClose));
        assert_eq!(body("content-length: 4\r\ncontent-length: 4, 4"), Ok(BodyFraming::Length(4)));
        assert_eq!(body("server: x"), Ok(BodyFraming::UntilClose));
        for lines in ["content-length: 4\r\ncontent-length: 5", "content-length: +4", "content-length: ", "content-length: 1,2"] {
            assert_eq!(body(lines), Err("invalid content-length parsed"), "{lines}");
        }
        assert!(head("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked").is_err());
        assert_eq!(head("HTTP/1.1 204 No Content\r\ncontent-length: 4").unwrap().body, BodyFraming::Over);
    }

    #[test]
    fn a_connection_is_kept_as_the_head_says() {
        let keep = |text: &str| head(text).unwrap().keep;
        assert!(keep("HTTP/1.1 200 OK\r\nx: y"));
        assert!(!keep("HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nconnection: keep-alive"));
        assert!(!keep("HTTP/1.0 200 OK\r\nx: y"));
        assert!(keep("HTTP/1.0 200 OK\r\nconnection: Keep-Alive"));
    }

    #[test]
    fn announcements_before_the_answer_are_no_answer() {
        assert_eq!(ResponseHead::parse(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP"), Ok(HeadParseStatus::Interim(37)));
    }

    #[test]
    fn what_is_no_head_is_refused_by_name() {
        assert_eq!(ResponseHead::parse(b"SSH-2.0-OpenSSH_9.7\r\n"), Err("invalid HTTP version parsed"));
        assert_eq!(ResponseHead::parse(b"HTTP/1.1 2xx OK\r\n\r\n"), Err("invalid HTTP status-code parsed"));
        assert_eq!(ResponseHead::parse(b"HTTP/1.1 200 OK\r\na b\r\n\r\n"), Err("invalid HTTP header parsed"));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(101));
        assert_eq!(ResponseHead::parse(many.as_bytes()), Err("message head is too large"));
    }

    #[test]
    fn type_and_encoding_are_told_in_lower_case() {
        let head = head("HTTP/1.1 200 OK\r\nContent-Type:  Text/Event-Stream; charset=utf-8\r\ncontent-encoding: GZIP").unwrap();
        assert_eq!(head.content_type.as_deref(), Some("text/event-stream; charset=utf-8"));
        assert_eq!(head.content_encoding.as_deref(), Some("gzip"));
    }
}
