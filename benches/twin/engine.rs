//! A random engine with a random load, by its number: the times of its steps, what its caches hold, its noise.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// What was drawn, as a user would write it.
#[derive(Debug)]
pub struct RandomEngine {
    /// The `[engine]` section.
    pub section: String,
    pub scenario: String,
}

/// Bytes of a token's keys and values.
const TOKEN_BYTES: f64 = 1000.0;

impl RandomEngine {
    pub fn draw(number: u32, size: u32) -> Self {
        let random = &mut Pcg64::seed_from_u64(u64::from(number));
        let sessions = f64::from(size * size);
        let document = between(random, 500.0, 4000.0);
        let held = between(random, 1.5, 1.2 * sessions);
        let prefill_s = between(random, 2e-6, 40e-6);
        let step_s = between(random, 0.5e-3, 10e-3);
        let attention_s = prefill_s * between(random, 0.02, 1.0) / document;
        let noise = if random.random_bool(0.5) { between(random, 0.02, 0.2) } else { 0.0 };
        let host = random.random_bool(0.4).then(|| (between(random, 1.0, sessions), between(random, 2e8, 2e10)));
        let host = host.map_or(String::new(), |(documents, bandwidth)| {
            let (capacity, bandwidth) = (document * TOKEN_BYTES * documents, bandwidth);
            format!("host_tier = {{ capacity = {capacity:.0}, bandwidth = {bandwidth:.0} }}\n")
        });
        let section = format!(
            "preset = \"tiny\"\nkv_memory = {kv:.0}\nmax_sequences = {sequences:.0}\nstep_tokens = {tokens:.0}\nnoise = {noise:.4}\n{host}\
             costs = {{ request = {request:e}, intake_token = {intake:e}, step = {step_s:e}, prefill_token = {prefill_s:e}, \
             attention_pair = {attention_s:e}, decode_sequence = {sequence:e}, context_token = {context:e} }}\n",
            kv = document * TOKEN_BYTES * held,
            sequences = between(random, 4.0, 64.0),
            tokens = between(random, 256.0, 4096.0),
            request = between(random, 0.2e-3, 5e-3),
            intake = between(random, 1e-8, 1e-6),
            sequence = step_s * between(random, 0.005, 0.2),
            context = step_s * between(random, 0.01, 0.5) / document,
        );
        let scenario = format!(
            "seed = {number}\nrepeats = 2\n[workload]\nkind = \"document_qa\"\ndocuments = {{ synthetic_tokens = {document:.0} }}\n\
             rounds = {rounds}\nanswer_tokens = {answer}\n[target]\nkind = \"sim\"\n[engine]\n{section}\
             [matrix]\nconcurrent = \"1..={size}\"\nsequential = \"1..={size}\"\n[[goals]]\nrequire = \"p95(ttft where turn >= 1) <= {limit:e}s\"\n",
            rounds = random.random_range(4..=8),
            answer = random.random_range(8..=24),
            limit = prefill_s * document * between(random, 0.3, 4.0),
        );
        Self { section, scenario }
    }
}

/// Alike likely on a logarithmic scale.
fn between(random: &mut Pcg64, low: f64, high: f64) -> f64 {
    random.random_range(low.ln()..high.ln()).exp()
}
