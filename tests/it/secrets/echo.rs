//! A server that gives back the key it is sent wherever a server can put words: in answers, errors, headers, versions and metrics.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Where the key comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manners {
    /// Nowhere: each answer is whole.
    Good,
    /// In every answer, in another place each time.
    Echo,
    /// In the list of models, which lacks the one that is asked for, so that no prompt is answered.
    Models,
    /// In every answer, as [`Manners::Echo`], but markup in the place of the key.
    Markup,
}

/// What a page that takes it as it is would run.
pub const MARKUP: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>";

/// A running server. Its thread ends with the tests.
pub struct Echo {
    pub url: String,
    keys: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Echo {
    pub fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (keys, connections, answers) = <(Arc<Mutex<Vec<String>>>, Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let (seen, counted) = (Arc::clone(&keys), Arc::clone(&connections));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                let (seen, answers) = (Arc::clone(&seen), Arc::clone(&answers));
                std::thread::spawn(move || converse(&stream, manners, &seen, &answers));
            }
        });
        Self { url, keys, connections }
    }

    /// The values of `authorization` that came, each once.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = self.keys.lock().unwrap().clone();
        keys.sort();
        keys.dedup();
        keys
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

fn converse(stream: &TcpStream, manners: Manners, seen: &Mutex<Vec<String>>, answers: &AtomicUsize) {
    let mut lines = BufReader::new(stream);
    loop {
        let (mut path, mut key, mut length) = (String::new(), String::new(), 0);
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            match line.split_once(": ") {
                None => line.split(' ').nth(1).unwrap_or_default().clone_into(&mut path),
                Some((name, value)) if name.eq_ignore_ascii_case("authorization") => value.clone_into(&mut key),
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        if lines.read_exact(&mut body).is_err() {
            return;
        }
        seen.lock().unwrap().push(key.clone());
        let key = key.trim_start_matches("Bearer ");
        let answer = answer(&path, key, manners, answers);
        let mut out = stream;
        if out.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn answer(path: &str, key: &str, manners: Manners, answers: &AtomicUsize) -> String {
    let (key, told) = match manners {
        Manners::Good => (key, "nothing"),
        Manners::Echo | Manners::Models => (key, key),
        Manners::Markup => (MARKUP, MARKUP),
    };
    match path {
        "/v1/models" if manners == Manners::Models => json(&format!(r#"{{"data":[{{"id":"{key}"}}]}}"#)),
        "/version" => json(&format!(r#"{{"version":"1 {told}"}}"#)),
        "/metrics" => whole(
            "200 OK",
            "text/plain",
            &format!("# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{{model_name=\"{told}\"}} 1\n"),
        ),
        "/v1/models" if manners == Manners::Markup => json(&format!(r#"{{"data":[{{"id":"{MARKUP}"}}]}}"#)),
        "/v1/models" => json(r#"{"data":[{"id":"small"}]}"#),
        "/v1/chat/completions" if matches!(manners, Manners::Echo | Manners::Markup) => {
            echoing(key, answers.fetch_add(1, Ordering::Relaxed))
        }
        "/v1/chat/completions" if manners == Manners::Models => whole("404 Not Found", "text/plain", key),
        "/v1/chat/completions" => stream(&[&token("a-planted-answer"), STOP]),
        _ => whole("404 Not Found", "text/plain", told),
    }
}

const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":1}}"#;

fn token(text: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}]}}"#)
}

/// The key in the n-th place where it can be put.
fn echoing(key: &str, number: usize) -> String {
    match number % 9 {
        0 => stream(&[&token(&format!("your key is {key}")), STOP]),
        1 => whole("401 Unauthorized", "application/json", &format!(r#"{{"error":{{"message":"bad key {key}"}}}}"#)),
        2 => whole(&format!("403 {key}"), "text/html", &format!("<b>{key}</b>")),
        3 => whole("200 OK", &format!("text/{key}"), ""),
        4 => format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: {key}\r\ncontent-length: 0\r\n\r\n"),
        5 => stream(&[&token("a"), &format!(r#"{{"error":{{"message":"no {key}"}}}}"#)]),
        6 => stream(&[&token("a"), &format!(r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":"{key}"}}]}}"#)]),
        7 => stream(&[key]),
        _ => format!("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/{key}\r\nx-key: {key}\r\ncontent-length: 0\r\n\r\n"),
    }
}

fn stream(events: &[&str]) -> String {
    let body = format!("data: {}\n\ndata: [DONE]\n\n", events.join("\n\ndata: "));
    whole("200 OK", "text/event-stream", &body)
}

fn json(body: &str) -> String {
    whole("200 OK", "application/json", body)
}

fn whole(status: &str, kind: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}
