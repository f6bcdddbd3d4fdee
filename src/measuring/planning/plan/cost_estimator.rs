//! What a run costs before it is run: requests, tokens, time where that is known, and its longest request.
//!
//! Counts what we author; what a server's chat template adds is known for the simulated engine alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use futures_util::FutureExt;

use super::PlanError;
use super::request_costs::{own_prompts_cost, requests_cost, sessions_cost, trace_cost};
use crate::foundation::named_file::NamedFile;
use crate::foundation::units::grouped;
use crate::planning::scenario::CellSpec;
use crate::simulation::engine::{ANSWER_HEAD_TOKENS, EngineParameters, MESSAGE_TOKENS};
use crate::vocabulary::goal::Goal;
use crate::vocabulary::recording::RecordedInput;
use crate::vocabulary::spec::reset::{CachePolicy, SaltReason};
use crate::vocabulary::spec::target::TargetKind;
use crate::vocabulary::spec::workload::{ChatDataset, ChatSpec, DocumentQaSpec, DocumentsSpec, WorkloadSpec};
use crate::workloads::arrival::{PlannedLoad, goal_rows};
use crate::workloads::tokens::{self, TokenCounter};
use crate::workloads::workload::lengths::{LengthPurpose, LengthSampler};
use crate::workloads::workload::{Corpus, RunSalt, chat, document_qa};

/// What one run costs.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RunCost {
    /// Requests of the warm-up and of the measured phase; those that fill caches before come on top. `None` where that depends on the answers.
    pub requests: Option<u64>,
    /// Requests of the measured phase, or the most of them.
    pub measured: Option<u64>,
    /// Tokens of all prompts, with answers as long as they may be. `None` where the number of requests or the lengths of texts are not known.
    pub prompt_tokens: Option<u64>,
    /// The most tokens that come back. `None` where the number of requests is not known.
    pub answer_tokens: Option<u64>,
    /// How long turns are sent, in seconds; `None` where that depends on the answers.
    pub duration_s: Option<f64>,
    /// Whether the counts hold exactly, or on average or by an estimate of tokens.
    pub exact: bool,
    /// The longest request with its answer; `None` where the lengths of texts are not known.
    pub longest: Option<LongestRequest>,
}

/// The longest request of a session, part by part.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LongestRequest {
    pub turn: u32,
    pub tokens: u64,
    /// The sum in words: `131,072 document + 7 request + ...`.
    pub sum: String,
}

/// The most tokens that a request may have, and which field says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextLimit {
    pub tokens: u64,
    pub field: &'static str,
}

/// The limit of a cell, where it is known.
pub fn limit(cell: &CellSpec) -> Result<Option<ContextLimit>, PlanError> {
    let target = cell.target.context_limit.map(|limit| ContextLimit { tokens: limit.0, field: "target.context_limit" });
    if cell.target.kind != TargetKind::Sim {
        return Ok(target);
    }
    let parameters = EngineParameters::resolve(&cell.engine, 0)?;
    let field = if cell.engine.context_limit.is_some() { "engine.context_limit" } else { "the engine's preset and `kv_memory`" };
    let engine = ContextLimit { tokens: parameters.context_limit, field };
    Ok(Some(target.filter(|limit| limit.tokens < engine.tokens).unwrap_or(engine)))
}

/// Computes costs; texts and files that many cells share are counted once.
#[derive(Debug, Default)]
pub struct CostEstimator {
    corpus: Corpus,
    rules: BTreeMap<(bool, Option<PathBuf>), TokenCountCache>,
}

/// A token rule with what has been counted under it.
#[derive(Debug)]
struct TokenCountCache {
    counter: TokenCounter,
    lines: BTreeMap<String, u64>,
    /// Of each file of questions (or the list that comes with the program) and number of rounds: the tokens of each question.
    questions: BTreeMap<(Option<PathBuf>, u32), Rc<[u64]>>,
    /// Of each folder of documents: the mean and the largest number of tokens.
    folders: BTreeMap<PathBuf, (f64, u64)>,
}

impl CostEstimator {
    pub fn new(corpus: Corpus) -> Self {
        Self { corpus, rules: BTreeMap::new() }
    }

    /// The cost of one run of a cell.
    pub fn cost(&mut self, cell: &CellSpec) -> Result<RunCost, PlanError> {
        let simulated = cell.target.kind == TargetKind::Sim;
        let key = (simulated, cell.target.tokenizer.clone().filter(|_| !simulated));
        let rule = match self.rules.entry(key) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => place.insert(TokenCountCache {
                counter: tokens::offline(&cell.target, simulated)?,
                lines: BTreeMap::new(),
                questions: BTreeMap::new(),
                folders: BTreeMap::new(),
            }),
        };
        let template = if simulated {
            ChatTemplateTokens { message: MESSAGE_TOKENS, head: ANSWER_HEAD_TOKENS }
        } else {
            ChatTemplateTokens { message: 0, head: 0 }
        };
        let input = self.corpus.recorded(&cell.workload)?;
        let load = PlannedLoad::of(&cell.workload, input.as_ref());
        let cost = match (&cell.workload, input) {
            (WorkloadSpec::DocumentQa(spec), _) => document_qa_cost(spec, load, rule, template, &self.corpus),
            (WorkloadSpec::Chat(spec), _) => chat_cost(spec, load, rule, template, &self.corpus),
            (WorkloadSpec::Requests(_), Some(RecordedInput::Trace(trace))) => Ok(trace_cost(load, &trace, template)),
            (WorkloadSpec::Requests(spec), Some(RecordedInput::Prompts(_))) => own_prompts_cost(&spec.answer_tokens, load, &self.corpus),
            (WorkloadSpec::Sessions(spec), Some(RecordedInput::Sessions(recording))) => {
                sessions_cost(spec, load, &recording, template, &self.corpus)
            }
            (WorkloadSpec::Sessions(spec), _) => own_prompts_cost(&spec.answer_tokens, load, &self.corpus),
            (WorkloadSpec::Requests(spec), _) => requests_cost(spec, load, template, &self.corpus),
        }?;
        match cell.server.cache_policy() {
            // A simulated engine knows of no other cell.
            CachePolicy::Salted(SaltReason::Unsaid) if simulated => Ok(cost),
            CachePolicy::Salted(_) => Ok(cost.salted(rule.salt()?)),
            CachePolicy::Emptied(_) | CachePolicy::Restarted | CachePolicy::LeftWarm => Ok(cost),
        }
    }
}

impl RunCost {
    /// The rows that a goal looks at in one run of that workload, whose cost this is: the most there can be; `None` where that depends on the answers.
    #[must_use]
    pub fn goal_rows(&self, workload: &WorkloadSpec, goal: &Goal) -> Option<u64> {
        let rows = |measured| goal_rows(workload, measured, &goal.measure.filter);
        match (self.requests, self.measured) {
            (Some(requests), Some(measured)) => Some(rows(requests - measured..requests)),
            // However many there will be, some goals look at none.
            _ => Some(0).filter(|none| rows(0..u64::MAX) == *none),
        }
    }

    /// The cost where every prompt begins with so many tokens more.
    fn salted(self, salt: u64) -> Self {
        Self {
            prompt_tokens: self
                .prompt_tokens
                .zip(self.requests)
                .map(|(tokens, requests)| tokens.saturating_add(requests.saturating_mul(salt))),
            longest: self.longest.map(|longest| LongestRequest {
                tokens: longest.tokens.saturating_add(salt),
                sum: format!("{} salt + {}", grouped(salt), longest.sum),
                ..longest
            }),
            ..self
        }
    }
}

/// What the chat template adds to each message and in front of the answer.
#[derive(Clone, Copy)]
pub(super) struct ChatTemplateTokens {
    pub message: u64,
    pub head: u64,
}

impl TokenCountCache {
    fn is_exact(&self) -> bool {
        !matches!(self.counter, TokenCounter::Estimate { .. })
    }

    fn line(&mut self, text: &str) -> Result<u64, PlanError> {
        if let Some(known) = self.lines.get(text) {
            return Ok(*known);
        }
        let tokens = count(&self.counter, text)?;
        self.lines.insert(text.to_owned(), tokens);
        Ok(tokens)
    }

    /// Tokens of a salt; all are equally long.
    fn salt(&mut self) -> Result<u64, PlanError> {
        let salt = RunSalt::of("", &self.counter).now_or_never().transpose().map_err(PlanError::Tokens)?;
        Ok(salt.map_or(0, |salt| salt.tokens()))
    }

    fn questions(&mut self, spec: &DocumentQaSpec) -> Result<Rc<[u64]>, PlanError> {
        let key = (spec.questions.clone(), spec.rounds);
        if let Some(known) = self.questions.get(&key) {
            return Ok(Rc::clone(known));
        }
        let tokens: Rc<[u64]> =
            document_qa::questions(spec)?.iter().map(|question| self.line(question)).collect::<Result<Vec<u64>, _>>()?.into();
        self.questions.insert(key, Rc::clone(&tokens));
        Ok(tokens)
    }

    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    fn folder(&mut self, folder: &Path, corpus: &Corpus) -> Result<(f64, u64), PlanError> {
        if let Some(known) = self.folders.get(folder) {
            return Ok(*known);
        }
        let (mut sum, mut largest, mut files) = (0, 0, 0_u64);
        for document in corpus.documents(folder)? {
            let tokens = if self.is_exact() {
                let text = NamedFile::Document.read_text(&folder.join(&document.name)).map_err(std::io::Error::from);
                count(&self.counter, &text.map_err(PlanError::Io)?)?
            } else {
                // Bytes for characters: the same for English, and no need to read gigabytes.
                document.bytes.div_ceil(4)
            };
            (sum, largest, files) = (sum + tokens, largest.max(tokens), files + 1);
        }
        let found = (sum as f64 / files.max(1) as f64, largest);
        self.folders.insert(folder.to_owned(), found);
        Ok(found)
    }
}

/// Rules that need no server never wait.
fn count(counter: &TokenCounter, text: &str) -> Result<u64, PlanError> {
    counter.count(text).now_or_never().unwrap_or(Ok(0)).map_err(PlanError::Tokens)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "means of counts")]
fn document_qa_cost(
    spec: &DocumentQaSpec,
    load: PlannedLoad,
    rule: &mut TokenCountCache,
    template: ChatTemplateTokens,
    corpus: &Corpus,
) -> Result<RunCost, PlanError> {
    let sessions = spec.sessions();
    let rounds = u64::from(spec.rounds);
    let turns = rounds + 1;
    let answers = LengthSampler::new(&spec.answer_tokens, 0, LengthPurpose::Answer, corpus)?;
    let (mean, largest, exact) = match &spec.documents {
        DocumentsSpec::Synthetic(documents) => (documents.synthetic_tokens.0 as f64, documents.synthetic_tokens.0, true),
        DocumentsSpec::Folder(folder) => {
            let (mean, largest) = rule.folder(folder, corpus)?;
            (mean, largest, rule.is_exact())
        }
    };
    let request = rule.line(document_qa::REQUEST)? + rule.line("\n\n")?;
    let questions = rule.questions(spec)?;
    let all_questions: u64 = questions.iter().sum();
    // Of one session: every prompt holds the request and the document; turn t also holds t answers and t questions.
    let repeated: u64 = (1..).zip(questions.iter()).map(|(turn, question)| question.saturating_mul(turns - turn)).sum();
    let messages: u64 = (0..turns).map(|turn| (2 * turn + 1) * template.message + template.head).sum();
    let session = mean * turns as f64 + answers.mean() * (rounds * turns / 2) as f64 + (turns * request + repeated + messages) as f64;
    let frame = (2 * rounds + 1) * template.message + template.head;
    let parts = [(largest, "document"), (request, "request"), (all_questions, "questions"), (frame, "chat template")];
    let longest = longest(spec.rounds, &parts, rounds, answers.longest());
    Ok(RunCost {
        requests: load.requests,
        measured: load.measured,
        prompt_tokens: Some((session * sessions as f64).round() as u64),
        answer_tokens: load.requests.map(|requests| answers.of_all(requests)),
        duration_s: load.duration_s,
        exact: exact && spec.answer_tokens.is_fixed() && rule.is_exact() && matches!(spec.documents, DocumentsSpec::Synthetic(_)),
        longest: exact.then_some(longest),
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "expected counts")]
fn chat_cost(
    spec: &ChatSpec,
    load: PlannedLoad,
    rule: &mut TokenCountCache,
    template: ChatTemplateTokens,
    corpus: &Corpus,
) -> Result<RunCost, PlanError> {
    let rounds = u64::from(spec.rounds);
    let question = spec.question_tokens.0;
    let answers = LengthSampler::new(&spec.answer_tokens, 0, LengthPurpose::Answer, corpus)?;
    let history = spec.history_tokens.0;
    let acknowledgement = if history > 0 { rule.line(chat::ACKNOWLEDGEMENT)? } else { 0 };
    let opening_messages = u64::from(spec.system_prompt_tokens.0 > 0) + 2 * u64::from(history > 0);
    let opening = spec.system_prompt_tokens.0 + history + acknowledgement;
    let synthetic = spec.dataset == ChatDataset::Synthetic;
    // Users are spread evenly over their lives: turn t has (rounds - 1) / 2 earlier ones on average.
    let earlier = (rounds - 1) as f64 / 2.0;
    let messages = |turn: f64| (opening_messages as f64 + 2.0 * turn + 1.0) * template.message as f64 + template.head as f64;
    let prompt = opening as f64 + question as f64 + earlier * (question as f64 + answers.mean()) + messages(earlier);
    let frame = messages((rounds - 1) as f64) as u64;
    let parts = [
        (spec.system_prompt_tokens.0, "system prompt"),
        (history + acknowledgement, "history"),
        (question.saturating_mul(rounds), "questions"),
        (frame, "chat template"),
    ];
    let longest = longest(spec.rounds - 1, &parts, rounds - 1, answers.longest());
    Ok(RunCost {
        requests: load.requests,
        measured: load.measured,
        prompt_tokens: load.requests.filter(|_| synthetic).map(|requests| (prompt * requests as f64).round() as u64),
        answer_tokens: load.requests.map(|requests| answers.of_all(requests)),
        duration_s: load.duration_s,
        exact: false,
        longest: synthetic.then_some(longest),
    })
}

/// The sum of the parts, of `earlier` answers in the history and of the answer to come.
pub(super) fn longest(turn: u32, parts: &[(u64, &str)], earlier: u64, answer: u64) -> LongestRequest {
    let mut sum: Vec<String> = Vec::new();
    let mut tokens = 0_u64;
    for (part, name) in parts.iter().filter(|(part, _)| *part > 0) {
        tokens = tokens.saturating_add(*part);
        sum.push(format!("{} {name}", grouped(*part)));
    }
    if earlier > 0 {
        tokens = tokens.saturating_add(earlier.saturating_mul(answer));
        sum.push(format!("{earlier} × {} earlier answers", grouped(answer)));
    }
    sum.push(format!("{} answer", grouped(answer)));
    LongestRequest { turn, tokens: tokens.saturating_add(answer), sum: sum.join(" + ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning::scenario::{ScenarioOverrides, load_text};
    use crate::simulation::engine::tokenizer;

    fn cost(text: &str) -> RunCost {
        let scenario = load_text(Path::new("test.toml"), text, &ScenarioOverrides::default()).unwrap();
        CostEstimator::default().cost(&scenario.cells[0].cell).unwrap()
    }

    #[test]
    fn a_document_session_costs_what_adding_up_its_prompts_by_hand_gives() {
        let cost = cost(
            "workload = { kind = \"document_qa\", documents = { synthetic_tokens = 1000 }, rounds = 2, answer_tokens = 10, concurrent = 2 }\n\
             target = { kind = \"sim\" }",
        );
        let request = tokenizer::count("Read and summarize this novel.\n\n");
        // `summarize` has nine letters, so it is two tokens.
        assert_eq!(request, 9);
        let (first, second) = (tokenizer::count("Who is the main character?"), tokenizer::count("Where does the story take place?"));
        // Messages of 4 tokens each, and 3 in front of the answer.
        let (turn_0, turn_1) = (1000 + request + 4 + 3, 1000 + request + 10 + first + 12 + 3);
        let turn_2 = 1000 + request + 20 + first + second + 20 + 3;
        assert_eq!((cost.requests, cost.prompt_tokens, cost.answer_tokens), (Some(6), Some(2 * (turn_0 + turn_1 + turn_2)), Some(60)));
        let longest = cost.longest.unwrap();
        assert_eq!((longest.turn, longest.tokens), (2, turn_2 + 10));
        assert!(cost.exact && longest.sum.starts_with("1,000 document + 9 request + "), "{}", longest.sum);
    }

    #[test]
    fn a_salt_is_part_of_every_prompt() {
        let text = "workload = { kind = \"document_qa\", documents = { synthetic_tokens = 1000 }, rounds = 2, answer_tokens = 10 }\n\
             target = { kind = \"sim\" }\n";
        let (plain, salted) = (cost(text), cost(&format!("{text}server = {{ reset = \"salt\" }}")));
        // Eight words and two line ends, in each of three requests.
        assert_eq!(salted.prompt_tokens, plain.prompt_tokens.map(|tokens| tokens + 3 * 10));
        let (plain, salted) = (plain.longest.unwrap(), salted.longest.unwrap());
        assert_eq!((salted.tokens, salted.sum), (plain.tokens + 10, format!("10 salt + {}", plain.sum)));
    }

    #[test]
    fn a_chat_costs_what_its_rate_and_its_mean_turn_give() {
        let cost = cost(
            "workload = { kind = \"chat\", qps = 2, duration = \"100s\", warmup = \"20s\", rounds = 5, system_prompt_tokens = 100, \
             history_tokens = 0, question_tokens = 10, answer_tokens = 20 }",
        );
        // Two earlier turns on average: 100 + 10 + 2 x 30; and a salt of 49 characters, since nothing is said of the server's caches.
        assert_eq!((cost.requests, cost.measured, cost.prompt_tokens), (Some(200), Some(160), Some(200 * 183)));
        assert_eq!((cost.answer_tokens, cost.duration_s), (Some(4000), Some(100.0)));
        assert_eq!(cost.longest.unwrap().tokens, 13 + 100 + 5 * 10 + 4 * 20 + 20);
    }

    #[test]
    fn single_requests_cost_their_rate_times_their_time_or_their_number() {
        let of = |fields: &str| {
            let lengths = "prompt_tokens = 100, shared_prefix_tokens = 50, answer_tokens = 20";
            cost(&format!("workload = {{ kind = \"requests\", {lengths}, {fields} }}\ntarget = {{ kind = \"sim\" }}"))
        };
        let timed = of("qps = 4, duration = \"10s\", warmup = \"2s\"");
        // Two messages of 4 tokens and 3 in front of the answer.
        assert_eq!((timed.requests, timed.measured, timed.prompt_tokens), (Some(40), Some(32), Some(40 * 161)));
        assert_eq!((timed.answer_tokens, timed.duration_s, timed.exact), (Some(800), Some(10.0), false));
        assert_eq!(timed.longest.unwrap().tokens, 181);
        let counted = of("qps = 4, requests = 10");
        assert_eq!((counted.requests, counted.duration_s, counted.exact), (Some(10), Some(2.5), true));
        let even = of("arrival = \"constant\", qps = 0.3, duration = \"10s\", requests = 100");
        assert_eq!((even.requests, even.exact), (Some(3), true), "at 0, 3.33 and 6.67 s");
    }

    #[test]
    fn users_cost_their_number_of_requests_and_an_unknown_sum_where_a_time_ends_them() {
        let of = |fields: &str| {
            let closed = "kind = \"requests\", arrival = \"closed\", concurrency = 8, prompt_tokens = 100, answer_tokens = 20";
            cost(&format!("workload = {{ {closed}, {fields} }}\ntarget = {{ kind = \"sim\" }}"))
        };
        let counted = of("requests = 200, warmup_requests = 20");
        assert_eq!((counted.requests, counted.measured, counted.prompt_tokens), (Some(200), Some(180), Some(200 * 107)));
        assert_eq!((counted.answer_tokens, counted.duration_s, counted.exact), (Some(4000), None, true));
        let timed = of("duration = \"60s\"");
        assert_eq!((timed.requests, timed.measured, timed.prompt_tokens, timed.answer_tokens), (None, None, None, None));
        assert_eq!((timed.duration_s, timed.exact, timed.longest.unwrap().tokens), (Some(60.0), false, 127));
    }

    #[test]
    fn a_trace_costs_what_it_holds() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let line =
            |at: u32, input: u32, output: u32| format!("{{\"timestamp\": {at}, \"input_length\": {input}, \"output_length\": {output}}}\n");
        fs_err::write(file.path(), [line(0, 10, 5), line(4000, 300, 1), line(9000, 20, 30)].concat()).unwrap();
        let name = file.path().display();
        let workload = format!("kind = \"requests\", arrival = \"trace\", trace = \"{name}\", speed_up = 2, warmup = \"1s\"");
        let cost = cost(&format!("workload = {{ {workload} }}\ntarget = {{ kind = \"sim\" }}"));
        assert_eq!((cost.requests, cost.measured, cost.prompt_tokens, cost.answer_tokens), (Some(3), Some(2), Some(330 + 3 * 7), Some(36)));
        assert_eq!((cost.duration_s, cost.longest.unwrap().tokens), (Some(4.5), 308));
    }
}
