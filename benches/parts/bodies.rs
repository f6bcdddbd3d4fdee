//! A request's body: whole, as a session's first, and extended by one turn, as all the others.

use std::hint::black_box;

use bench::foundation::clock::Clock;
use bench::servers::client::HttpTarget;
use bench::vocabulary::session::{ChatMessage, MessageRole, Prompt};
use criterion::{BenchmarkId, Criterion};
use serde_json::json;

/// A history of half a megabyte, as 128k tokens are, and a short one.
const HISTORIES: [(&str, usize); 2] = [("2 KiB", 2 << 10), ("512 KiB", 512 << 10)];

pub fn build(criterion: &mut Criterion) {
    let spec = serde_json::from_value(json!({ "url": "http://127.0.0.1:1", "model": "m" })).unwrap();
    let target = HttpTarget::new(&spec, Clock::real()).unwrap();
    let mut group = criterion.benchmark_group("bodies");
    for (name, length) in HISTORIES {
        let history =
            vec![ChatMessage::new(MessageRole::User, "novel ".repeat(length / 6)), ChatMessage::new(MessageRole::Assistant, "Read.")];
        let question = ChatMessage::new(MessageRole::User, "Who lives on the island, and since when?");
        let prompt = prompt([history.as_slice(), std::slice::from_ref(&question)].concat());
        group.bench_with_input(BenchmarkId::new("whole", name), &prompt, |bencher, prompt| {
            bencher.iter(|| target.prepare(black_box(prompt.clone())));
        });
        let mut said = target.script();
        said.say_all(&history);
        let asked = said.line(&question);
        group.bench_with_input(BenchmarkId::new("extended", name), &prompt, |bencher, prompt| {
            bencher.iter(|| target.extend(black_box(prompt.clone()), &said, &asked));
        });
    }
    group.finish();
}

fn prompt(messages: Vec<ChatMessage>) -> Prompt {
    Prompt { session: 1, turn: 1, messages, max_tokens: 100, exact_length: true, user_id: Some(1) }
}
