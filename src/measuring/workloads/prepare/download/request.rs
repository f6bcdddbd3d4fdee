//! One try to fetch a file: request, redirects, status, body.

use std::time::Duration;

use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, HeaderValue, IF_RANGE, LOCATION, RANGE, RETRY_AFTER, TRANSFER_ENCODING,
};
use reqwest::{Client, Method, Request, Response, Url};
use tokio::time::timeout;

use super::error::{DownloadAttemptError, DownloadError};
use super::part::{FileTooLargeError, PartialFile};
use super::policy::retry_after;
use crate::servers::endpoint::{
    EndpointError, HttpErrorCause, RootCertificates, SecretValues, fetching_client, http_client, is_this_machine, read, server_message,
    shown,
};
use crate::workloads::prepare::event::{PrepareEvent, Tell};

/// More than any chain that leads somewhere has.
const MOST_REDIRECTS: usize = 5;
const CONNECT: Duration = Duration::from_secs(20);
/// The most that is read of an error's body.
const MESSAGE_LIMIT: usize = 64 * 1024;

/// HTTP clients, each made when it is first needed: certificates are loaded only where they are.
#[derive(Debug, Default)]
pub(super) struct DownloadClients {
    /// For this machine: never through a proxy.
    here: Option<Client>,
    web: Option<Client>,
}

impl DownloadClients {
    /// Fetches what `part` lacks of the file.
    pub(super) async fn attempt(
        &mut self,
        url: &Url,
        bearer: Option<&HeaderValue>,
        idle: Duration,
        part: &mut PartialFile,
        tell: &mut Tell<'_>,
    ) -> Result<(), DownloadAttemptError> {
        let mut response = self.follow(url, bearer, idle, part).await?;
        match response.status().as_u16() {
            200 => part.begin(response.headers()).map_err(|FileTooLargeError| too_large(url, part))?,
            206 if part.goes_on(response.headers()) => {}
            206 | 416 => {
                part.clear();
                return Err(again("the server could not go on where the file broke off"));
            }
            404 | 410 => return Err(DownloadAttemptError::Missing),
            status @ (408 | 425 | 429 | 500 | 502..=504) => {
                let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let after = asked.and_then(|value| retry_after(value, jiff::Timestamp::now()));
                return Err(DownloadAttemptError::Again { why: format!("status {status}"), after });
            }
            _ => return Err(refused(url, response, idle).await.into()),
        }
        check_form(url, &response, part)?;
        take_body(url, &mut response, idle, part, tell).await
    }

    /// Sends the request, and again to where it is redirected. The bearer is for the first server alone.
    async fn follow(
        &mut self,
        url: &Url,
        bearer: Option<&HeaderValue>,
        idle: Duration,
        part: &PartialFile,
    ) -> Result<Response, DownloadAttemptError> {
        let mut next = url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let request = request(&next, bearer.filter(|_| next.origin() == url.origin()), part);
            let sent = timeout(idle, self.client(&next)?.execute(request)).await.map_err(|_| silent(idle))?;
            let response = sent.map_err(|error| broken(&error))?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let place = response.headers().get(LOCATION).and_then(|place| place.to_str().ok());
            let place = place.and_then(|place| next.join(place).ok()).filter(|place| matches!(place.scheme(), "http" | "https"));
            next = place.ok_or_else(|| DownloadError::RedirectTo { url: shown(url) })?;
        }
        Err(DownloadError::Redirects { url: shown(url), limit: MOST_REDIRECTS }.into())
    }

    fn client(&mut self, url: &Url) -> Result<&Client, DownloadError> {
        let made = |slot: &mut Option<Client>, make: fn() -> Result<Client, EndpointError>| -> Result<(), EndpointError> {
            if slot.is_none() {
                *slot = Some(make()?);
            }
            Ok(())
        };
        let here = url.scheme() == "http" && url.host_str().is_some_and(is_this_machine);
        let slot = if here { &mut self.here } else { &mut self.web };
        made(slot, if here { || http_client(RootCertificates::None, CONNECT) } else { || fetching_client(CONNECT) })?;
        slot.as_ref().ok_or_else(|| DownloadError::Client("no HTTP client could be made".to_owned()))
    }
}

fn request(url: &Url, bearer: Option<&HeaderValue>, part: &PartialFile) -> Request {
    let mut request = Request::new(Method::GET, url.clone());
    let headers = request.headers_mut();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.extend(bearer.map(|bearer| (AUTHORIZATION, bearer.clone())));
    if let Some((from, version)) = part.resume()
        && let (Ok(range), Ok(version)) = (HeaderValue::from_str(&format!("bytes={from}-")), HeaderValue::from_str(version))
    {
        headers.insert(RANGE, range);
        headers.insert(IF_RANGE, version);
    }
    request
}

/// Whether the end of the body can be told from a break, and the bytes are the file's own.
fn check_form(url: &Url, response: &Response, part: &PartialFile) -> Result<(), DownloadError> {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(encoding) = header(CONTENT_ENCODING).filter(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(DownloadError::Encoded { url: shown(url), encoding: SecretValues::default().plain(encoding) });
    }
    let chunked = header(TRANSFER_ENCODING).is_some_and(|coding| coding.to_ascii_lowercase().contains("chunked"));
    if part.total().is_none() && !chunked {
        return Err(DownloadError::EndUnknown { url: shown(url) });
    }
    Ok(())
}

async fn take_body(
    url: &Url,
    response: &mut Response,
    idle: Duration,
    part: &mut PartialFile,
    tell: &mut Tell<'_>,
) -> Result<(), DownloadAttemptError> {
    loop {
        let piece = timeout(idle, response.chunk()).await.map_err(|_| silent(idle))?;
        let Some(piece) = piece.map_err(|error| broken(&error))? else { break };
        part.take(&piece).map_err(|FileTooLargeError| too_large(url, part))?;
        tell(PrepareEvent::Bytes { done: part.len(), of: part.total() });
    }
    match part.total() {
        Some(total) if total != part.len() => Err(again("the file came in another length than was said")),
        _ => Ok(()),
    }
}

async fn refused(url: &Url, mut response: Response, idle: Duration) -> DownloadError {
    let status = response.status().as_u16();
    let body = timeout(idle, read(&mut response, MESSAGE_LIMIT)).await.ok().and_then(Result::ok).unwrap_or_default();
    let message = if super::super::plain::is_html(&body) { "a page in HTML".to_owned() } else { server_message(&body) };
    DownloadError::Refused { url: shown(url), status, message: SecretValues::default().plain(&message) }
}

fn again(why: &str) -> DownloadAttemptError {
    DownloadAttemptError::Again { why: why.to_owned(), after: None }
}

fn silent(idle: Duration) -> DownloadAttemptError {
    again(&format!("nothing came for {} s", idle.as_secs_f64()))
}

fn broken(error: &reqwest::Error) -> DownloadAttemptError {
    again(&HttpErrorCause::of(error).to_string())
}

fn too_large(url: &Url, part: &PartialFile) -> DownloadError {
    DownloadError::TooLarge { url: shown(url), limit: part.limit() }
}
