//! Our connections: read by the least code, and listened to.

use bench::foundation::clock::Clock;
use bench::servers::client::{HttpTarget, PreparedRequest};
use bench::vocabulary::session::{ChatMessage, MessageRole, Prompt};
use bench::vocabulary::spec::target::TargetSpec;
use serde_json::json;

use super::{Counter, ENDING};
use crate::streams::{Answer, Reader};
use crate::task::Load;

/// The least code over our HTTP stack, stamps and sampler among it: it counts events and keeps nothing.
#[derive(Debug, Clone)]
pub struct Unheard {
    target: HttpTarget,
    load: Load,
    counter: Counter,
}

/// Our client, without a run around it.
#[derive(Debug, Clone)]
pub struct Listening {
    target: HttpTarget,
    load: Load,
}

fn target(url: &str, load: &Load) -> HttpTarget {
    let spec = json!({ "url": url, "model": "emitter", "body": { "emit": load.emission() } });
    let spec: TargetSpec = serde_json::from_value(spec).unwrap();
    HttpTarget::new(&spec, Clock::real()).unwrap()
}

/// What a stream asks for first, and then: written ahead, as in a run.
type Asked = [PreparedRequest; 2];

fn asked(target: &HttpTarget, stream: u32, load: &Load) -> Asked {
    [1, load.events].map(|events| {
        let messages = vec![ChatMessage::new(MessageRole::User, "What time is it?")];
        target.prepare(Prompt { session: u64::from(stream), turn: 0, messages, max_tokens: events, exact_length: false, user_id: None })
    })
}

fn of(asked: &Asked, events: u32) -> &PreparedRequest {
    asked.iter().find(|prepared| prepared.prompt().max_tokens == events).unwrap()
}

impl Reader for Unheard {
    type Stream = Asked;

    fn new(url: &str, load: &Load) -> Self {
        Self { target: target(url, load), load: *load, counter: Counter::new() }
    }

    async fn open(&self, number: u32) -> Asked {
        asked(&self.target, number, &self.load)
    }

    async fn answer(&self, stream: &mut Asked, events: u32) -> Answer {
        let mut counted = 0;
        let reads = self.target.read(of(stream, events), |piece| counted += self.counter.count(piece)).await.unwrap();
        Answer { events: counted - ENDING, reads, failed: 0 }
    }
}

impl Reader for Listening {
    type Stream = Asked;

    fn new(url: &str, load: &Load) -> Self {
        Self { target: target(url, load), load: *load }
    }

    async fn open(&self, number: u32) -> Asked {
        asked(&self.target, number, &self.load)
    }

    async fn answer(&self, stream: &mut Asked, asked: u32) -> Answer {
        let exchange = self.target.send(of(stream, asked), None).await;
        let (events, reads) = (exchange.token_events.len() as u64, &exchange.carriage.reads);
        let failed = u64::from(exchange.failure.is_some() || events != u64::from(asked));
        Answer { events, reads: reads.lags_us.len() as u64 + reads.unstamped, failed }
    }
}
