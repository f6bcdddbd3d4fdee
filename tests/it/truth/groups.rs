//! The C×S pattern at its barest, so that the engine is tested without the load loop: C groups, each with S sessions in turn.

use std::sync::Arc;

use bench::foundation::clock::{Clock, Micros, virtual_runtime};
use bench::servers::client::{HttpExchange, SimTarget, Target};
use bench::simulation::engine::{EngineParameters, EngineSnapshot, TokenMemo};
use bench::vocabulary::session::{ChatMessage, MessageRole, Prompt};
use bench::vocabulary::spec::engine::EngineSpec;
use bench::vocabulary::spec::target::TargetSpec;

/// What is asked of the engine in one cell.
pub struct Cell<'a> {
    pub engine: &'a EngineSpec,
    pub concurrent: u64,
    pub sequential: u64,
    pub rounds: u32,
    pub answer_tokens: u32,
    /// A document a session, which cells may share.
    pub documents: &'a [Arc<str>],
    pub memo: &'a TokenMemo,
}

/// The exchanges of the follow-up turns (turn 1 and later), in the order of their sending, and what the engine counted.
pub fn run(cell: &Cell) -> (Vec<HttpExchange>, EngineSnapshot) {
    let parameters = EngineParameters::resolve(cell.engine, 0).unwrap();
    let spec: TargetSpec = toml::from_str("kind = 'sim'").unwrap();
    virtual_runtime().unwrap().block_on(async {
        let sim = SimTarget::start(&spec, &parameters, Clock::simulated(), cell.memo.clone());
        let target = Target::Sim(sim.clone());
        let groups = (0..cell.concurrent).map(|group| run_group(cell, &target, group));
        let mut exchanges: Vec<HttpExchange> = futures_util::future::join_all(groups).await.into_iter().flatten().collect();
        exchanges.sort_by_key(|exchange| exchange.sent);
        (exchanges, sim.observe().await)
    })
}

async fn run_group(cell: &Cell<'_>, target: &Target, group: u64) -> Vec<HttpExchange> {
    let numbers = group * cell.sequential..(group + 1) * cell.sequential;
    let mut sessions: Vec<(u64, Vec<ChatMessage>)> = numbers.map(|number| (number, Vec::new())).collect();
    let mut follow_ups = Vec::new();
    for turn in 0..=cell.rounds {
        for (number, history) in &mut sessions {
            let ask = match turn {
                0 => Arc::clone(&cell.documents[usize::try_from(*number).unwrap()]),
                _ => format!("And what happens in part {turn} of it, in short?").into(),
            };
            history.push(ChatMessage::new(MessageRole::User, ask));
            let (messages, max_tokens) = (history.clone(), cell.answer_tokens);
            let prompt = Prompt { session: *number, turn, messages, max_tokens, exact_length: false, user_id: None };
            let exchange = target.exchange(prompt, None).await;
            assert_eq!(exchange.failure, None);
            history.push(ChatMessage::new(MessageRole::Assistant, exchange.answer.clone()));
            if turn > 0 {
                follow_ups.push(exchange);
            }
        }
    }
    follow_ups
}

/// Documents of exactly `tokens` tokens, which share no prefix.
pub fn documents(number: usize, tokens: usize) -> Vec<Arc<str>> {
    let document = |name: usize| -> Arc<str> {
        let mut text = format!("{name}");
        for word in 1..tokens {
            text.push_str([" river", " stone", " light", " house", " winter"][(word * (name + 3) + word / 7) % 5]);
        }
        text.into()
    };
    (0..number).map(document).collect()
}

/// The p95 of time to first token, by linear interpolation.
pub fn p95_ttft(exchanges: &[HttpExchange]) -> Micros {
    let mut times: Vec<u64> = exchanges.iter().map(|exchange| exchange.token_events[0].since(exchange.sent).0).collect();
    times.sort_unstable();
    let hundredths = 95 * (times.len() - 1);
    let (low, high) = (times[hundredths / 100], times[hundredths.div_ceil(100)]);
    Micros(low + (high - low) * (hundredths % 100) as u64 / 100)
}
