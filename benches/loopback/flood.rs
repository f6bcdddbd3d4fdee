//! A server whose answers are written beforehand, each in one write: it takes next to nothing of the processors, so that what a client can take
//! in is limited by the client alone. What its tokens say is nothing, and when they come is as fast as they are read.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// Answers whoever comes, for ever.
pub fn serve(listener: &TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept()?;
        // A client that goes away in the midst of an answer is nobody's fault.
        std::thread::spawn(move || converse(&stream).unwrap_or_default());
    }
}

fn converse(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut requests, mut answers, mut to) = (BufReader::new(stream), HashMap::new(), stream);
    while let Some(tokens) = asked(&mut requests)? {
        to.write_all(answers.entry(tokens).or_insert_with(|| answer(tokens)))?;
    }
    Ok(())
}

/// How many tokens the next request asks for; `None` where the connection is closed.
fn asked(requests: &mut impl BufRead) -> io::Result<Option<u64>> {
    let (mut line, mut length) = (String::new(), 0);
    while line != "\r\n" {
        line.clear();
        if requests.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        if let Some(told) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = told.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = Vec::new();
    requests.take(length).read_to_end(&mut body)?;
    let body: serde_json::Value = serde_json::from_slice(&body)?;
    Ok(body["max_tokens"].as_u64())
}

fn answer(tokens: u64) -> Vec<u8> {
    let mut answer = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    let event = |delta: &str, finish: &str, rest: &str| {
        let choice = format!(r#"{{"index":0,"delta":{delta},"finish_reason":{finish}}}"#);
        format!("data: {{\"id\":\"flood\",\"object\":\"chat.completion.chunk\",\"model\":\"flood\",\"choices\":[{choice}]{rest}}}\n\n")
    };
    let token = event(r#"{"content":" token"}"#, "null", "");
    let usage = format!(r#","usage":{{"prompt_tokens":9,"completion_tokens":{tokens},"total_tokens":{}}}"#, tokens + 9);
    let end = event("{}", "\"length\"", &usage);
    let events = (0..tokens).map(|_| token.as_str()).chain([end.as_str(), "data: [DONE]\n\n"]);
    for event in events {
        // Writing to memory does not fail.
        let _ = write!(answer, "{:x}\r\n{event}\r\n", event.len());
    }
    answer.push_str("0\r\n\r\n");
    answer.into_bytes()
}
