//! As much of an S3 server as the program asks for, on loopback: objects in memory, conditional writes, lists in pages; faults by a seed, and a request
//! that is never answered, at which a program can be killed. It looks at no signature. Whether it does as the real ones is tried by
//! `tests/buckets/s3.sh`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::super::stage::ProgramEvent;

/// Few, so that lists have several pages.
const PAGE: usize = 7;
/// The secret key that every program under test is given.
pub const PLANTED_KEY: &str = "hush-planted-secret-key-0123456789abcdef";

/// The server.
pub struct S3Server {
    pub url: String,
    state: Arc<ServerState>,
    _runtime: tokio::runtime::Runtime,
}

/// What it holds.
#[derive(Default)]
struct ServerState {
    objects: Mutex<BTreeMap<String, StoredObject>>,
    faults: Mutex<Option<Pcg64>>,
    /// Requests that change objects with this in their names are refused.
    refused: Mutex<Option<String>>,
    /// Nobody is let in.
    is_closed: AtomicBool,
    held: Mutex<Option<HeldRequest>>,
    asked: Mutex<Vec<String>>,
}

/// A request that is not answered.
pub struct HeldRequest {
    /// How many are answered before it.
    pub after: usize,
    /// Whether it is done all the same.
    pub is_done: bool,
    /// Told once it has come, and is done where it is to be.
    pub told: Sender<ProgramEvent>,
}

#[derive(Clone)]
struct StoredObject {
    bytes: Bytes,
    tag: String,
}

impl S3Server {
    pub fn start() -> Self {
        let state = Arc::new(ServerState::default());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(Arc::clone(&state));
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { url, state, _runtime: runtime }
    }

    /// From now on one of four requests fails, by this seed.
    pub fn fail_by(&self, seed: u64) {
        *self.state.faults.lock().unwrap() = Some(Pcg64::seed_from_u64(seed));
    }

    pub fn fail_no_more(&self) {
        *self.state.faults.lock().unwrap() = None;
    }

    /// From now on nobody may write what has this in its name.
    pub fn refuse(&self, part: Option<&str>) {
        *self.state.refused.lock().unwrap() = part.map(str::to_owned);
    }

    /// From now on nobody may read either.
    pub fn close(&self) {
        self.state.is_closed.store(true, Ordering::Relaxed);
    }

    /// Leaves one of the next requests without an answer.
    pub fn hold(&self, request: HeldRequest) {
        *self.state.held.lock().unwrap() = Some(request);
    }

    /// Answers all from now on.
    pub fn hold_none(&self) {
        *self.state.held.lock().unwrap() = None;
    }

    /// The method and the object of each request since the last call.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.asked.lock().unwrap())
    }

    pub fn put(&self, name: &str, bytes: impl Into<Bytes>) {
        self.state.put(name, bytes.into());
    }

    pub fn remove(&self, name: &str) {
        self.state.objects.lock().unwrap().remove(name);
    }

    pub fn names(&self) -> Vec<String> {
        self.state.objects.lock().unwrap().keys().cloned().collect()
    }

    /// Writes all objects below a prefix into a folder.
    pub fn save_to(&self, folder: &Path, prefix: &str) {
        for (name, object) in self.state.objects.lock().unwrap().iter() {
            let Some(below) = name.strip_prefix(prefix).and_then(|below| below.strip_prefix('/')) else { continue };
            let path = folder.join(below);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, &object.bytes).unwrap();
        }
    }

    /// The environment of a program that uses it, with a spool and a cache of its own below `home`.
    pub fn environment(&self, home: &Path) -> Vec<(&'static str, String)> {
        let folder = |name: &str| home.join(name).display().to_string();
        vec![
            ("AWS_ENDPOINT_URL", self.url.clone()),
            ("AWS_ACCESS_KEY_ID", "planted-access-key".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", PLANTED_KEY.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("BENCH_SPOOL", folder("spool")),
            ("BENCH_CACHE", folder("cache")),
        ]
    }
}

impl ServerState {
    fn put(&self, name: &str, bytes: Bytes) -> String {
        let tag = format!("\"{}\"", blake3::hash(&bytes).to_hex());
        self.objects.lock().unwrap().insert(name.to_owned(), StoredObject { bytes, tag: tag.clone() });
        tag
    }
}

/// What goes wrong with a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HttpFault {
    None,
    ErrorBefore(StatusCode),
    ErrorAfter,
    Truncated,
    InPieces,
}

async fn answer(State(state): State<Arc<ServerState>>, request: Request) -> Response {
    let held = next_held(&state);
    let fault = next_fault(&state);
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return StatusCode::BAD_REQUEST.into_response() };
    let path = parts.uri.path().trim_start_matches("/bucket").trim_start_matches('/').to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    state.asked.lock().unwrap().push(format!("{} {path}", parts.method));
    if state.is_closed.load(Ordering::Relaxed) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let perform = |body| done(&state, &parts.method, &path, &query, &parts.headers, body);
    if let Some(held) = held {
        if held.is_done {
            perform(body);
        }
        // The test may have ended.
        let _ = held.told.send(ProgramEvent::Waits);
        return std::future::pending().await;
    }
    if let HttpFault::ErrorBefore(status) = fault {
        return status.into_response();
    }
    let done = perform(body);
    match fault {
        HttpFault::ErrorAfter => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        HttpFault::Truncated if parts.method == Method::GET => truncated(done).await,
        HttpFault::InPieces if parts.method == Method::GET => in_pieces(done).await,
        _ => done,
    }
}

/// The request to hold, where this is it.
fn next_held(state: &ServerState) -> Option<HeldRequest> {
    let mut held = state.held.lock().unwrap();
    match held.as_mut() {
        Some(request) if request.after > 0 => {
            request.after -= 1;
            None
        }
        _ => held.take(),
    }
}

fn next_fault(state: &ServerState) -> HttpFault {
    let mut faults = state.faults.lock().unwrap();
    let Some(random) = faults.as_mut() else { return HttpFault::None };
    if random.random_range(0..4) > 0 {
        return HttpFault::None;
    }
    match random.random_range(0..5) {
        0 => HttpFault::ErrorBefore(StatusCode::INTERNAL_SERVER_ERROR),
        1 => HttpFault::ErrorBefore(StatusCode::SERVICE_UNAVAILABLE),
        2 => HttpFault::ErrorAfter,
        3 => HttpFault::Truncated,
        _ => HttpFault::InPieces,
    }
}

fn done(state: &ServerState, method: &Method, path: &str, query: &str, headers: &HeaderMap, body: Bytes) -> Response {
    if path.is_empty() {
        return list(state, query);
    }
    let is_refused = state.refused.lock().unwrap().as_ref().is_some_and(|part| path.contains(part.as_str()));
    let found = state.objects.lock().unwrap().get(path).cloned();
    let condition = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    match (method.as_str(), found) {
        ("GET", Some(object)) => {
            let head = [(header::ETAG, object.tag), (header::LAST_MODIFIED, "Mon, 30 Nov 2026 00:00:00 GMT".to_owned())];
            let from = condition(header::RANGE).and_then(|range| range.strip_prefix("bytes=")?.split('-').next()?.parse::<usize>().ok());
            match from {
                Some(from) => {
                    let last = object.bytes.len() - 1;
                    let range = format!("bytes {from}-{last}/{}", object.bytes.len());
                    (StatusCode::PARTIAL_CONTENT, head, [(header::CONTENT_RANGE, range)], object.bytes.slice(from..)).into_response()
                }
                None => (head, object.bytes).into_response(),
            }
        }
        ("GET", None) => StatusCode::NOT_FOUND.into_response(),
        (_, _) if is_refused => StatusCode::FORBIDDEN.into_response(),
        ("PUT", found) => {
            let is_taken = condition(header::IF_NONE_MATCH).is_some() && found.is_some();
            let has_changed = condition(header::IF_MATCH).is_some_and(|tag| found.is_none_or(|found| found.tag != tag));
            if is_taken || has_changed {
                return StatusCode::PRECONDITION_FAILED.into_response();
            }
            [(header::ETAG, state.put(path, body))].into_response()
        }
        ("DELETE", _) => {
            state.objects.lock().unwrap().remove(path);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

fn list(state: &ServerState, query: &str) -> Response {
    let value = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.replace("%2F", "/")).next().unwrap_or_default()
    };
    let (prefix, after) = (value("prefix"), value("continuation-token"));
    let objects = state.objects.lock().unwrap();
    let found: Vec<_> = objects.iter().filter(|(name, _)| name.starts_with(&prefix) && **name > after).collect();
    let entry = |(name, object): &(&String, &StoredObject)| {
        format!(
            "<Contents><Key>{name}</Key><LastModified>2026-11-30T00:00:00.000Z</LastModified><ETag>{}</ETag><Size>{}</Size></Contents>",
            object.tag.replace('"', "&quot;"),
            object.bytes.len()
        )
    };
    let page: String = found.iter().take(PAGE).map(entry).collect();
    let next = found.get(PAGE - 1).filter(|_| found.len() > PAGE);
    let next = next.map(|(name, _)| format!("<NextContinuationToken>{name}</NextContinuationToken>")).unwrap_or_default();
    let is_truncated = !next.is_empty();
    format!("<ListBucketResult><IsTruncated>{is_truncated}</IsTruncated>{next}{page}</ListBucketResult>").into_response()
}

/// The head of the answer, half of its body, and an end.
async fn truncated(whole: Response) -> Response {
    let (mut parts, body) = whole.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    let half = bytes.slice(..bytes.len() / 2);
    let broken = stream::iter([Ok(half), Err(std::io::Error::other("cut"))]);
    Response::from_parts(parts, Body::from_stream(broken))
}

/// The whole answer, bit by bit.
async fn in_pieces(whole: Response) -> Response {
    const PIECE: usize = 1000;
    let (mut parts, body) = whole.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    let pieces = (0..bytes.len()).step_by(PIECE).map(move |from| bytes.slice(from..bytes.len().min(from + PIECE)));
    let slowly = stream::iter(pieces).then(|piece| async move {
        tokio::task::yield_now().await;
        Ok::<_, std::io::Error>(piece)
    });
    Response::from_parts(parts, Body::from_stream(slowly))
}
