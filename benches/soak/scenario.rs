//! The two loads as scenarios: numbers in, text out.

use bench::execution::selftest::CoreCapacity;

/// Single requests at random times to the simulated engine, with answers of two tokens.
pub fn simulated(duration_s: f64, rate: f64) -> String {
    format!(
        "name = \"soak\"\nseed = 7\n[workload]\nkind = \"requests\"\nqps = {rate:?}\nprompt_tokens = 32\nanswer_tokens = 2\n\
         duration = {duration_s:?}\n[target]\nkind = \"sim\"\n[engine]\npreset = \"qwen2.5-7b-h200\"\n\
         [[goals]]\nrequire = \"p95(ttft_intended) <= 1s\"\n"
    )
}

/// A load on the wire.
pub struct Load {
    pub requests_per_s: f64,
    /// Of an answer.
    pub tokens: u32,
}

/// When the server writes: the first token after 2 ms, the others 20 ms apart.
pub const FIRST_US: u64 = 2_000;
pub const GAP_US: u64 = 20_000;

impl Load {
    /// So much of what the client carries: long answers, so that tokens and not requests are what costs.
    pub fn at(share: f64, ceilings: CoreCapacity) -> Self {
        let tokens = 50;
        // A request beside its tokens costs as much as its share of the other ceiling.
        let cost_s = f64::from(tokens) / ceilings.events_per_s + 1.0 / ceilings.requests_per_s;
        Self { requests_per_s: (share / cost_s).floor(), tokens }
    }

    pub fn tokens_per_s(&self) -> f64 {
        self.requests_per_s * f64::from(self.tokens)
    }
}

/// Streams of a server of our own at that address.
pub fn real(url: &str, duration_s: f64, load: &Load) -> String {
    let Load { requests_per_s, tokens } = load;
    format!(
        "name = \"soak\"\nseed = 7\n[workload]\nkind = \"requests\"\narrival = \"constant\"\nqps = {requests_per_s:?}\nprompt_tokens = 32\n\
         answer_tokens = {tokens}\nduration = {duration_s:?}\nmax_in_flight = 20000\n[target]\nurl = \"{url}\"\nmodel = \"emitter\"\n\
         body = {{ emit = {{ first_us = {FIRST_US}, gap_us = {GAP_US} }} }}\n[[goals]]\nrequire = \"p95(ttft_intended) <= 1s\"\n"
    )
}
