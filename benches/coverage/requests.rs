//! Runs of single requests in an open loop, as rows: a plain queue and the simulated engine, both with the arrivals that a run has.

use bench::foundation::clock::Micros;
use bench::records::record::RequestRecord;
use bench::simulation::engine::{BlockHashChain, Engine, EngineParameters, EngineRequest};
use bench::vocabulary::session::MessageRole;
use bench::vocabulary::spec::workload::WorkloadSpec;
use bench::workloads::arrival::{RequestSchedule, SendTrigger};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde_json::{Value, json};

/// Lengths of the requests to the engine, in tokens of text.
pub const PROMPT_TOKENS: u32 = 1000;
pub const ANSWER_TOKENS: u32 = 50;

/// One run: the workload that a scenario would name, its seed, and its rows.
pub struct OpenRun {
    pub workload: WorkloadSpec,
    pub seed: u64,
    pub offered_qps: Option<f64>,
    pub rows: Vec<RequestRecord>,
}

impl OpenRun {
    /// Its arrivals, with rows that nobody has answered yet.
    pub fn new(workload: WorkloadSpec, seed: u64) -> Self {
        let schedule = RequestSchedule::new(&workload, seed, None);
        let dues = schedule.arrivals.into_iter().flatten().map(|step| match step.due {
            SendTrigger::At(at) => at,
            SendTrigger::AfterPrevious | SendTrigger::AfterFirstAnswers => unreachable!("an open loop has times"),
        });
        let template = template();
        let row = |(number, at): (u64, Micros)| RequestRecord {
            request: number,
            session: number,
            intended_us: at,
            sent_us: at,
            headers_us: Some(at),
            first_event_us: Some(at),
            ..template.clone()
        };
        Self { rows: (0..).zip(dues).map(row).collect(), workload, seed, offered_qps: schedule.offered_qps }
    }

    /// Has one server answer them in their order, each after an exponential time: with Poisson arrivals the queue M/M/1. Time to first token is
    /// the whole time in the system, and there is no other token.
    #[expect(clippy::cast_possible_truncation, reason = "fewer wait than a run has requests")]
    pub fn queue(mut self, service_per_s: f64) -> Self {
        let random = &mut Pcg64::seed_from_u64(self.seed ^ 0x5e27_1ce5_0000_0001);
        let mut free = Micros::ZERO;
        let mut left = 0;
        for number in 0..self.rows.len() {
            let arrived = self.rows[number].intended_us;
            while left < number && self.rows[left].done_us <= arrived {
                left += 1;
            }
            let service = -(1.0 - random.random::<f64>()).ln() / service_per_s;
            free = free.max(arrived) + Micros::from_secs_f64(service);
            let row = &mut self.rows[number];
            row.in_flight = (number - left + 1) as u32;
            (row.first_token_us, row.last_token_us, row.done_us) = (Some(free), Some(free), free);
            row.output_tokens = Some(1);
        }
        self
    }

    /// Has the engine answer them: its scheduler alone, without texts and tasks around it. The rows are those that the executor makes of the
    /// same run; gaps between tokens are left out.
    pub fn engine(mut self, parameters: &EngineParameters) -> Self {
        let mut engine = Engine::new(parameters, AHEAD);
        let mut open = 0;
        for (number, distinct) in (0..self.rows.len()).zip(0..) {
            let request = EngineRequest { prompt: prompt(distinct, parameters.block_tokens), max_tokens: ANSWER_TOKENS };
            engine.submit(self.rows[number].intended_us, request).expect("the prompt fits");
            open -= self.take(&mut engine);
            open += 1;
            self.rows[number].in_flight = open;
        }
        engine.run_to(Micros(u64::MAX / 2));
        self.take(&mut engine);
        self
    }

    /// Takes in what the engine has put out; how many answers ended.
    fn take(&mut self, engine: &mut Engine) -> u32 {
        let mut ended = 0;
        for emission in engine.take_emissions() {
            let row = &mut self.rows[usize::try_from(emission.id.0).expect("a row's number")];
            row.first_token_us = row.first_token_us.or(emission.stamps.first().copied());
            if emission.last {
                let last = emission.stamps.last().copied();
                (row.last_token_us, row.done_us) = (last, last.unwrap_or_default());
                ended += 1;
            }
        }
        ended
    }
}

/// Half of the idle timeout, as in a run.
const AHEAD: Micros = Micros(30_000_000);

/// A prompt of its own under the chat template.
fn prompt(number: u32, block_tokens: u64) -> BlockHashChain {
    let mut text: Vec<u32> = (100..100 + PROMPT_TOKENS).collect();
    text[0] = 10_000 + number;
    let mut chain = BlockHashChain::new(block_tokens);
    chain.push_message(MessageRole::User, &text);
    chain.push_answer_head();
    chain
}

/// A row with what all have in common. What is not named here is missing, whatever fields records have.
fn template() -> RequestRecord {
    let row = json!({
        "request": 0, "session": 0, "lane": 0, "turn": 0, "phase": "measure", "intended_us": 0, "sent_us": 0, "done_us": 0,
        "first_event_tokens": 1, "prompt_tokens": PROMPT_TOKENS + 7, "cached_tokens": 0, "output_tokens": ANSWER_TOKENS,
        "token_source": "usage", "in_flight": 0, "live_lanes": 1,
    });
    serde_json::from_value(row).expect("a record")
}

/// The workload of such a run, as a scenario says it.
pub fn workload(arrival: &Value, qps: f64, duration_s: f64) -> WorkloadSpec {
    let mut workload =
        json!({"kind": "requests", "qps": qps, "duration": duration_s, "prompt_tokens": PROMPT_TOKENS, "answer_tokens": ANSWER_TOKENS});
    let fields = workload.as_object_mut().expect("a table");
    fields.extend(arrival.as_object().expect("a table").clone());
    serde_json::from_value(workload).expect("a workload")
}
