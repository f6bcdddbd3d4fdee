//! Whole runs by each API against the simulated engine behind a real socket: the same conversation, the same answers and the same counts.

use bench::records::record::RequestRecord;
use bench::records::store::read_sweep;
use bench::vocabulary::spec::target_api::TargetApi;

use super::stage::{Stage, serving, succeeded};

/// Two sessions one after the other, each with a document and two questions.
fn scenario(url: &str, api: &str) -> String {
    format!(
        r#"
name = "apis"
[workload]
kind = "document_qa"
concurrent = 1
sequential = 2
rounds = 2
documents = {{ synthetic_tokens = 300 }}
answer_tokens = 6
[target]
model = "small"
url = "{url}"
api = "{api}"
[server]
reset = ["/reset_prefix_cache"]
[[goals]]
require = "p50(ttft) <= 1m"
"#
    )
}

/// What is true of a row whatever the clock did: session, turn, and the tokens of prompt, cache, output and events.
type RowFacts = (u64, u32, [Option<u64>; 4]);

fn facts(row: &RequestRecord) -> RowFacts {
    (row.session, row.turn, [row.prompt_tokens, row.cached_tokens, row.output_tokens, row.token_events])
}

#[test]
fn a_conversation_is_the_same_by_every_api() {
    let (_runtime, engine) = serving(r#"{"preset": "tiny"}"#);
    let rows_by = |api: TargetApi| {
        let stage = Stage::with("s.toml", &scenario(&engine.url(), api.name()));
        succeeded(&stage.run(&["sweep", "s.toml", "-o", "out"]));
        let sweep = read_sweep(&stage.path("out")).unwrap();
        let rows = sweep.runs[0].requests.records().unwrap();
        assert!(!rows.is_empty() && rows.iter().all(|row| row.failure.is_none()), "{api:?}");
        let mut facts: Vec<RowFacts> = rows.iter().map(facts).collect();
        facts.sort_unstable();
        facts
    };
    let chat = rows_by(TargetApi::Chat);
    assert_eq!(chat.len(), 6);
    assert!(chat.iter().all(|(.., [_, _, output, events])| (*output, *events) == (Some(6), Some(6))), "{chat:?}");
    assert!(
        chat.iter().filter(|(_, turn, _)| *turn > 0).all(|(.., [prompt, cached, ..])| *cached > prompt.map(|prompt| prompt / 2)),
        "{chat:?}"
    );
    for api in [TargetApi::Responses, TargetApi::Messages] {
        assert_eq!(rows_by(api), chat, "{api:?}");
    }
    // One text has no template.
    let completions = rows_by(TargetApi::Completions);
    assert!(
        completions.iter().zip(&chat).all(|(text, messages)| text.2[0] < messages.2[0] && text.2[2] == messages.2[2]),
        "{completions:?}"
    );
}
