//! A file from a server that misbehaves: whole in the end, or an error that says why; never a part taken for the whole.

use bench::workloads::prepare::{DownloadError, DownloadPolicy, Downloader, HubTokenizer, PrepareError, PrepareEvent};
use reqwest::Url;

use super::{AT_ONCE, cut_off, pieces, reply};
use crate::faults::socket::{Act, Received, Socket, chunk, end, write};

const BODY: &str = "0123456789abcdefghij";
const TAG: &str = "etag: \"v1\"\r\n";

struct Fetched {
    outcome: Result<Option<String>, DownloadError>,
    requests: Vec<Received>,
    /// Why it was tried again, each time.
    again: Vec<String>,
}

async fn fetch(answers: impl IntoIterator<Item = Vec<Act>>) -> Fetched {
    fetch_with(answers, AT_ONCE, 1000).await
}

async fn fetch_with(answers: impl IntoIterator<Item = Vec<Act>>, pace: DownloadPolicy, max_bytes: u64) -> Fetched {
    let mut socket = Socket::serve(answers).await;
    let mut again = Vec::new();
    let url: Url = format!("{}/a.txt?key=hush", socket.url()).parse().unwrap();
    let outcome = Downloader::new(pace, max_bytes)
        .fetch(&url, None, &mut |news| {
            if let PrepareEvent::Again { why, url, .. } = news {
                assert!(!url.contains("hush"));
                again.push(why.to_owned());
            }
        })
        .await;
    let requests = std::iter::from_fn(|| socket.received()).collect();
    Fetched { outcome: outcome.map(|bytes| bytes.map(|bytes| String::from_utf8(bytes).unwrap())), requests, again }
}

#[tokio::test]
async fn a_server_that_stumbles_is_asked_again() {
    let busy = reply("429 Too Many Requests", "retry-after: 0\r\n", "");
    let fetched = fetch([reply("500 Oops", "", ""), busy, vec![Act::Reset], reply("200 OK", "", BODY)]).await;
    assert_eq!(fetched.outcome, Ok(Some(BODY.into())));
    assert_eq!(fetched.again[..2], ["status 500", "status 429"]);
    assert_eq!(fetched.again.len(), 3);
    let agent = fetched.requests[0].header("user-agent").unwrap();
    assert!(agent.starts_with("bench/"), "{agent}");
}

#[tokio::test]
async fn a_file_that_breaks_off_is_gone_on_with_where_it_broke() {
    let rest = vec![write(format!(
        "HTTP/1.1 206 Partial Content\r\n{TAG}content-range: bytes 8-19/20\r\ncontent-length: 12\r\n\r\n{}",
        &BODY[8..]
    ))];
    let fetched = fetch([cut_off(TAG, 20, &BODY[..8]), rest]).await;
    assert_eq!(fetched.outcome, Ok(Some(BODY.into())));
    assert_eq!(fetched.requests[0].header("range"), None);
    assert_eq!(fetched.requests[1].header("range"), Some("bytes=8-"));
    assert_eq!(fetched.requests[1].header("if-range"), Some("\"v1\""));
}

#[tokio::test]
async fn a_file_that_cannot_be_gone_on_with_is_begun_again() {
    // Of no known version, so another one could be glued to it.
    let fetched = fetch([cut_off("", 20, &BODY[..8]), reply("200 OK", "", BODY)]).await;
    assert_eq!(fetched.outcome, Ok(Some(BODY.into())));
    assert_eq!(fetched.requests[1].header("range"), None);
    // The server has another version meanwhile and sends it whole.
    let other = "another text altogether";
    let fetched = fetch([cut_off(TAG, 20, &BODY[..8]), reply("200 OK", "etag: \"v2\"\r\n", other)]).await;
    assert_eq!(fetched.outcome, Ok(Some(other.into())));
    // The server goes on somewhere else, or not at all.
    let gap = "content-range: bytes 9-19/20\r\n";
    for useless in [reply("206 Partial Content", gap, &BODY[9..]), reply("416 Range Not Satisfiable", "", "")] {
        let fetched = fetch([cut_off(TAG, 20, &BODY[..8]), useless, reply("200 OK", TAG, BODY)]).await;
        assert_eq!(fetched.outcome, Ok(Some(BODY.into())));
        assert_eq!(fetched.requests[2].header("range"), None);
    }
}

#[tokio::test]
async fn a_part_is_never_taken_for_the_whole() {
    let fetched = fetch((0..4).map(|_| cut_off("", 20, &BODY[..8]))).await;
    let Err(DownloadError::GaveUp { attempts: 4, url, .. }) = fetched.outcome else { panic!("{:?}", fetched.outcome) };
    assert!(url.ends_with("/a.txt"), "{url}");
    assert_eq!(fetched.requests.len(), 4);
    // Chunks without their end.
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let unended = || vec![write(head), chunk(BODY), Act::Close];
    assert!(matches!(fetch((0..4).map(|_| unended())).await.outcome, Err(DownloadError::GaveUp { .. })));
    assert_eq!(fetch([vec![write(head), chunk(BODY), end()]]).await.outcome, Ok(Some(BODY.into())));
    // A body that simply ends.
    let unsure = vec![write(format!("HTTP/1.1 200 OK\r\n\r\n{BODY}")), Act::Close];
    assert!(matches!(fetch([unsure]).await.outcome, Err(DownloadError::EndUnknown { .. })));
    let packed = reply("200 OK", "content-encoding: gzip\r\n", BODY);
    assert!(matches!(fetch([packed]).await.outcome, Err(DownloadError::Encoded { .. })));
}

#[tokio::test]
async fn a_server_that_falls_silent_is_not_waited_for_forever() {
    let stalls = vec![write("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n0123"), Act::Hold];
    let pace = DownloadPolicy { idle: std::time::Duration::from_secs(1), ..AT_ONCE };
    let fetched = fetch_with([vec![Act::Hold], stalls, reply("200 OK", "", BODY)], pace, 1000).await;
    assert_eq!(fetched.outcome, Ok(Some(BODY.into())));
    assert_eq!(fetched.again, ["nothing came for 1 s", "nothing came for 1 s"]);
}

#[tokio::test]
async fn a_body_without_end_is_left_at_the_limit() {
    let endless = std::iter::once(write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")).chain((0..200).map(|_| chunk(BODY)));
    let fetched = fetch(vec![endless.chain([Act::Hold]).collect()]).await;
    assert!(matches!(fetched.outcome, Err(DownloadError::TooLarge { limit: 1000, .. })), "{:?}", fetched.outcome);
    // One that says so is not even read.
    let huge = vec![write("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n"), Act::Hold];
    assert!(matches!(fetch([huge]).await.outcome, Err(DownloadError::TooLarge { .. })));
    let just = "x".repeat(1000);
    assert_eq!(fetch([reply("200 OK", "", &just)]).await.outcome, Ok(Some(just)));
}

#[tokio::test]
async fn redirects_are_followed_a_few_times_and_only_over_http() {
    let to = |place: &str| reply("302 Found", &format!("location: {place}\r\n"), "");
    let fetched = fetch([to("/b/c.txt"), to("d.txt"), reply("200 OK", "", BODY)]).await;
    assert_eq!(fetched.outcome, Ok(Some(BODY.into())));
    let asked: Vec<&str> = fetched.requests.iter().map(|request| request.head.split(' ').nth(1).unwrap()).collect();
    assert_eq!(asked, ["/a.txt?key=hush", "/b/c.txt", "/b/d.txt"]);
    let fetched = fetch((0..20).map(|_| to("/a.txt"))).await;
    assert!(matches!(fetched.outcome, Err(DownloadError::Redirects { limit: 5, .. })));
    assert_eq!(fetched.requests.len(), 6);
    for place in ["file:///etc/passwd", "ftp://h/a", "http://"] {
        assert!(matches!(fetch([to(place)]).await.outcome, Err(DownloadError::RedirectTo { .. })), "{place}");
    }
    assert!(matches!(fetch([reply("302 Found", "", "")]).await.outcome, Err(DownloadError::RedirectTo { .. })));
}

#[tokio::test]
async fn what_is_not_there_and_what_is_refused_is_not_asked_for_again() {
    assert_eq!(fetch([reply("404 Not Found", "", "no")]).await.outcome, Ok(None));
    assert_eq!(fetch([reply("410 Gone", "", "")]).await.outcome, Ok(None));
    let refused = fetch([reply("403 Forbidden", "", "<html>robots")]).await;
    assert_eq!(refused.requests.len(), 1);
    let message = refused.outcome.unwrap_err().to_string();
    assert!(message.contains("403: a page in HTML") && !message.contains("hush"), "{message}");
    let later = fetch([reply("503 Busy", "retry-after: 86400\r\n", "")]).await;
    assert_eq!(later.requests.len(), 1);
    assert!(later.outcome.unwrap_err().to_string().contains("left alone for 86400 s"));
}

#[tokio::test]
async fn a_tokenizer_comes_from_the_hub_once_and_the_token_stays_with_the_hub() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(pieces(folder.path(), &super::WORDS)).unwrap();
    let mut store = Socket::serve([reply("200 OK", "", &text)]).await;
    let mut hub = Socket::serve([reply("302 Found", &format!("location: {}/blob\r\n", store.url()), "")]).await;
    let wanted =
        HubTokenizer { base: hub.url(), repo: "tiny/model".into(), revision: "main".into(), token: HubTokenizer::bearer("hf_hush") };
    let mut downloader = Downloader::new(AT_ONCE, 1 << 20);
    let file = wanted.file(&folder.path().join("cache"), &mut downloader, &mut |_| {}).await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let asked = hub.received().unwrap();
    assert!(asked.head.starts_with("GET /tiny/model/resolve/main/tokenizer.json "), "{}", asked.head);
    assert_eq!(asked.header("authorization"), Some("Bearer hf_hush"));
    assert_eq!(store.received().unwrap().header("authorization"), None);
    // Neither server has another answer.
    assert_eq!(wanted.file(&folder.path().join("cache"), &mut downloader, &mut |_| {}).await.unwrap(), file);
}

#[tokio::test]
async fn a_hub_that_wants_a_licence_accepted_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Socket::serve([reply("401 Unauthorized", "", "gated"), reply("404 Not Found", "", "")]).await;
    let wanted = HubTokenizer { base: hub.url(), repo: "a/b".into(), revision: "main".into(), token: None };
    let mut downloader = Downloader::new(AT_ONCE, 1 << 20);
    let error = wanted.file(folder.path(), &mut downloader, &mut |_| {}).await.unwrap_err().to_string();
    assert!(error.contains("401") && error.contains("HF_TOKEN"), "{error}");
    let error = wanted.file(folder.path(), &mut downloader, &mut |_| {}).await.unwrap_err();
    assert!(matches!(error, PrepareError::NoTokenizer { .. }), "{error}");
}
