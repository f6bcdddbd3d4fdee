//! A random engine with a random workload and limit, by its number: capacities, tiers, speeds, noise, and now and then faults.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// What was drawn.
#[derive(Debug)]
pub struct RandomEngine {
    pub size: u32,
    /// Relative spread of step times; 0 for none.
    pub noise: f64,
    /// Every so many requests one is refused; makes tables that are not monotone.
    pub refuses_every: Option<u32>,
    seed: u32,
    document_tokens: u32,
    rounds: u32,
    answer_tokens: u32,
    kv_bytes: u64,
    host: Option<(u64, u64)>,
    max_sequences: u32,
    step_tokens: u32,
    limit_s: f64,
}

/// Bytes of a token's keys and values on the small engine.
const TOKEN_BYTES: f64 = 1000.0;

/// Seconds that the small engine takes to compute a token of a prompt.
const TOKEN_S: f64 = 11e-6;

impl RandomEngine {
    /// The same number gives the same engine for every size but for what must grow with it: how many documents the caches hold.
    pub fn draw(number: u32, size: u32) -> Self {
        let random = &mut Pcg64::seed_from_u64(u64::from(number));
        let sessions = f64::from(size * size);
        let document_tokens = between(random, 400.0, 4000.0);
        let document_bytes = document_tokens * TOKEN_BYTES;
        let held = between(random, 1.5, 1.2 * sessions);
        let tiered = random.random_bool(0.4);
        let (host_held, bandwidth) = (between(random, 1.0, sessions), between(random, 2e8, 2e10));
        let noise = if random.random_bool(0.5) { between(random, 0.02, 0.2) } else { 0.0 };
        let refuses_every = random.random_bool(0.1).then(|| whole(between(random, 20.0, 200.0)));
        let max_sequences = whole(between(random, 4.0, 64.0));
        let step_tokens = whole(between(random, 256.0, 4096.0));
        let limit_s = document_tokens * TOKEN_S * between(random, 0.3, 2.0 * f64::from(size));
        Self {
            size,
            noise,
            refuses_every,
            seed: number,
            document_tokens: whole(document_tokens),
            rounds: random.random_range(2..=4),
            answer_tokens: random.random_range(2..=8),
            kv_bytes: u64::from(whole(document_bytes * held / 1e3)) * 1000,
            host: tiered.then(|| (u64::from(whole(document_bytes * host_held / 1e3)) * 1000, u64::from(whole(bandwidth / 1e3)) * 1000)),
            max_sequences,
            step_tokens,
            limit_s,
        }
    }

    /// As a user would write it.
    pub fn scenario(&self) -> String {
        let host = self
            .host
            .map_or(String::new(), |(capacity, bandwidth)| format!("host_tier = {{ capacity = {capacity}, bandwidth = {bandwidth} }}\n"));
        let faults = self
            .refuses_every
            .map_or(String::new(), |every| format!("faults = [{{ kind = \"status\", every = {every}, status = 503 }}]\n"));
        format!(
            "seed = {seed}\n[workload]\nkind = \"document_qa\"\ndocuments = {{ synthetic_tokens = {document_tokens} }}\n\
             rounds = {rounds}\nanswer_tokens = {answer_tokens}\n[target]\nkind = \"sim\"\n[engine]\npreset = \"tiny\"\n\
             kv_memory = {kv_bytes}\nmax_sequences = {max_sequences}\nstep_tokens = {step_tokens}\nnoise = {noise}\n{host}{faults}\
             [matrix]\nconcurrent = \"1..={size}\"\nsequential = \"1..={size}\"\n\
             [[goals]]\nrequire = \"p95(ttft where turn >= 1) <= {limit_s:.6}s\"\n",
            seed = self.seed,
            document_tokens = self.document_tokens,
            rounds = self.rounds,
            answer_tokens = self.answer_tokens,
            kv_bytes = self.kv_bytes,
            max_sequences = self.max_sequences,
            step_tokens = self.step_tokens,
            noise = self.noise,
            size = self.size,
            limit_s = self.limit_s,
        )
    }
}

/// Alike likely on a logarithmic scale.
fn between(random: &mut Pcg64, low: f64, high: f64) -> f64 {
    (random.random_range(low.ln()..high.ln())).exp()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is drawn is in range")]
fn whole(value: f64) -> u32 {
    value.round() as u32
}
