//! The plan: all runs of a scenario, in run order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;

use super::cost_estimator::{CostEstimator, limit};
use super::id::{RunIdentity, plan_hash, short_name, value_text};
use super::order::{blocks, order, run_seed};
use super::run::Run;
use super::search_space::SearchSpace;
use super::setting::server_setting;
use crate::foundation::units::grouped;
use crate::planning::scenario::{MatrixCell, Scenario, SpreadKey};
use crate::records::record::{ClientEnvironment, FormatVersion, Manifest, plain_run_id};
use crate::search::LatticeError;
use crate::simulation::engine::EngineSpecError;
use crate::vocabulary::goal::{Goal, SavedGoal};
use crate::vocabulary::spec::failure_policy::FailurePolicy;
use crate::vocabulary::spec::lengths::LengthDistribution;
use crate::vocabulary::spec::plot::PlotSpec;
use crate::vocabulary::spec::scenario::RunOrder;
use crate::vocabulary::spec::search::SearchSpec;
use crate::vocabulary::spec::target::TargetKind;
use crate::vocabulary::spec::workload::{DocumentsSpec, WorkloadSpec};
use crate::workloads::tokens::TokenCountError;
use crate::workloads::workload::{Corpus, Workload, WorkloadError};

/// Everything that is to be done, decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub name: String,
    pub seed: u64,
    pub repeats: u32,
    pub order: RunOrder,
    /// What tells one block of runs from another.
    pub spread: Vec<SpreadKey>,
    /// The block whose runs these are, where they are not all.
    pub block: Option<String>,
    pub search: SearchSpec,
    /// How failures are taken: no part of what is run.
    pub policy: FailurePolicy,
    /// What is searched; `None` where every cell is run.
    pub frontier: Option<SearchSpace>,
    /// The axis that the score goes by, where the scenario names one.
    pub score: Option<String>,
    /// Some of it is simulated, so all that is made from it says so.
    pub simulated: bool,
    pub variants: Vec<String>,
    /// The matrix axes by dotted path, each with all its values in the scenario's order.
    pub axes: Vec<(String, Vec<Value>)>,
    pub goals: Vec<Goal>,
    pub plots: Vec<PlotSpec>,
    /// In run order.
    pub runs: Vec<Run>,
    /// The file that was read, for messages; it is not saved.
    pub scenario_path: PathBuf,
    /// The file's name in the results folder: `scenario.toml` or `scenario.yaml`.
    pub scenario_file: String,
    /// The scenario's text, verbatim.
    pub scenario_text: String,
    /// Of all run ids: equal where the same work is planned, whatever the goals.
    pub scenario_hash: String,
    /// What was said on the command line to change the scenario.
    pub changes: Vec<String>,
}

/// Why a checked scenario cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// What the workload is made of is not there or not usable.
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    #[error(transparent)]
    Engine(#[from] EngineSpecError),
    #[error(transparent)]
    Tokens(#[from] TokenCountError),
    /// A file of the corpus could not be read; the message holds its path.
    #[error(transparent)]
    Io(std::io::Error),
    /// The frontier's axes make none; a checked scenario's do.
    #[error(transparent)]
    Frontier(#[from] LatticeError),
    /// Requests would be longer than the model takes.
    #[error("{0}")]
    ContextOverflow(String),
    /// One of the others, without the value from the environment that its message holds.
    #[error("{0}")]
    Hidden(String),
}

impl PlanError {
    /// What to change in the scenario.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        matches!(self, Self::ContextOverflow(_))
            .then(|| "make documents, histories or prompts shorter, ask fewer rounds, or lower `answer_tokens`".to_owned())
    }
}

/// Whether the files are there that the workloads need, and whether every request fits into the model.
pub fn check(scenario: &Scenario) -> Result<(), PlanError> {
    check_with(scenario, &Corpus::default())
}

impl Plan {
    /// Plans a scenario: in blocks of a variant and a server setting, in each every cell that needs the block's server, once for each of
    /// its repeats, in the order of that repeat.
    pub fn new(scenario: &Scenario) -> Result<Self, PlanError> {
        let corpus = Corpus::default();
        check_with(scenario, &corpus)?;
        let names: Vec<String> = scenario.axes.iter().map(|axis| axis.path.clone()).collect();
        let cells: Vec<PreparedCell<'_>> =
            scenario.cells.iter().map(|placed| PreparedCell::new(placed, &names, &corpus)).collect::<Result<_, _>>()?;
        let settings: Vec<(usize, Option<String>)> =
            scenario.cells.iter().map(|placed| (placed.variant, server_setting(&placed.cell))).collect();
        let mut runs = Vec::with_capacity(cells.len() * scenario.repeats as usize);
        for block in blocks(scenario.order, scenario.repeats, &settings) {
            let of_variant: Vec<usize> = (0..cells.len()).filter(|cell| settings[*cell].0 == settings[block.like].0).collect();
            let seed = run_seed(scenario.seed, if scenario.compare_answers { 0 } else { block.repeat });
            let in_order = order(scenario.order, scenario.seed, block.repeat, of_variant.len()).into_iter().map(|place| of_variant[place]);
            let in_block = in_order.filter(|cell| settings[*cell] == settings[block.like]);
            runs.extend(in_block.map(|cell| cells[cell].run(&scenario.variants[settings[cell].0], block.repeat, seed)));
        }
        Ok(Self {
            name: scenario.name.clone(),
            seed: scenario.seed,
            repeats: scenario.repeats,
            order: scenario.order,
            spread: scenario.spread.clone(),
            block: None,
            search: scenario.search.clone(),
            policy: scenario.policy,
            frontier: SearchSpace::of(scenario)?,
            score: scenario.score.clone(),
            simulated: runs.iter().any(|run| run.simulated),
            variants: scenario.variants.clone(),
            axes: scenario.axes.iter().map(|axis| (axis.path.clone(), axis.values.clone())).collect(),
            goals: scenario.goals.iter().map(|requirement| requirement.goal.clone()).collect(),
            plots: scenario.plots.clone(),
            scenario_path: scenario.origin.path.clone(),
            scenario_file: saved_name(&scenario.origin.path),
            scenario_text: scenario.origin.text.clone(),
            scenario_hash: plan_hash(runs.iter().map(|run| run.id.as_str())),
            changes: scenario.origin.changes.clone(),
            runs,
        })
    }

    /// The same plan under the ids of a saved sweep of it: those of older folders have no underscores.
    #[must_use]
    pub fn with_ids_of(&self, saved: &Manifest) -> Self {
        let saved: BTreeMap<String, &str> = saved.runs.iter().map(|run| (plain_run_id(&run.id), run.id.as_str())).collect();
        let mut plan = self.clone();
        for run in &mut plan.runs {
            if let Some(id) = saved.get(&plain_run_id(&run.id)) {
                (*id).clone_into(&mut run.id);
            }
        }
        plan
    }

    /// The manifest of the sweep that does this plan.
    #[must_use]
    pub fn manifest(&self, created_at: Timestamp, client: ClientEnvironment) -> Manifest {
        Manifest {
            format: FormatVersion::CURRENT,
            name: self.name.clone(),
            seed: self.seed,
            created_at,
            simulated: self.simulated,
            scenario_hash: self.scenario_hash.clone(),
            scenario_file: self.scenario_file.clone(),
            changes: self.changes.clone(),
            goals: self.goals.iter().cloned().map(SavedGoal::Read).collect(),
            plots: self.plots.iter().filter_map(|plot| serde_json::to_value(plot).ok()).collect(),
            variants: self.variants.clone(),
            axes: self.axes.clone(),
            repeats: self.repeats,
            runs: self.runs.iter().map(Run::planned).collect(),
            client,
            keeps_texts: false,
            imported: None,
            search: self.frontier.as_ref().map(SearchSpace::searched),
            score: self.score.clone(),
            block: self.block.clone(),
            blocks: Vec::new(),
        }
    }
}

/// What all repeats of a cell have in common.
struct PreparedCell<'a> {
    placed: &'a MatrixCell,
    axes: Vec<(String, Value)>,
    resolved: Value,
    corpus: Value,
}

impl<'a> PreparedCell<'a> {
    fn new(placed: &'a MatrixCell, names: &[String], corpus: &Corpus) -> Result<Self, PlanError> {
        let axes = names.iter().cloned().zip(placed.values.iter().cloned()).collect();
        Ok(Self { placed, axes, resolved: placed.cell.resolved(), corpus: Workload::content_hashes(&placed.cell.workload, corpus)? })
    }

    fn run(&self, variant: &str, repeat: u32, seed: u64) -> Run {
        let identity = RunIdentity { variant, cell: &self.resolved, axes: &self.axes, repeat, seed, corpus: &self.corpus };
        Run {
            id: identity.id(),
            variant: variant.to_owned(),
            axes: self.axes.clone(),
            repeat,
            seed,
            simulated: self.placed.cell.target.kind == TargetKind::Sim,
            cell: self.placed.cell.clone(),
        }
    }
}

fn check_with(scenario: &Scenario, corpus: &Corpus) -> Result<(), PlanError> {
    let mut economist = CostEstimator::new(corpus.clone());
    let mut first: Option<String> = None;
    let mut too_long = 0_usize;
    let mut checked = None;
    for placed in &scenario.cells {
        let materials = SyntheticDocumentInputs::of(&placed.cell.workload);
        if materials.is_none() || materials != checked {
            Workload::check(&placed.cell.workload, corpus).map_err(|error| hidden(error.into(), placed))?;
            checked = materials;
        }
        let Some(limit) = limit(&placed.cell)? else { continue };
        let cost = economist.cost(&placed.cell).map_err(|error| hidden(error, placed))?;
        let Some(longest) = cost.longest.filter(|longest| longest.tokens > limit.tokens) else { continue };
        too_long += 1;
        first.get_or_insert_with(|| {
            format!(
                "cell {}: turn {} takes {} = {} tokens, more than {} ({})",
                cell_name(scenario, placed),
                longest.turn,
                longest.sum,
                grouped(longest.tokens),
                grouped(limit.tokens),
                if limit.field.contains(' ') { limit.field.to_owned() } else { format!("`{}`", limit.field) },
            )
        });
    }
    let Some(first) = first else { return Ok(()) };
    let others = match too_long - 1 {
        0 => String::new(),
        1 => "; another cell has too many as well".to_owned(),
        others => format!("; {} other cells have too many as well", grouped(others as u64)),
    };
    Err(PlanError::ContextOverflow(format!("{first}{others}")))
}

/// An error whose message may hold a value from the environment.
fn hidden(error: PlanError, placed: &MatrixCell) -> PlanError {
    let message = error.to_string();
    let shown = placed.cell.mask().hide(message.clone());
    if shown == message { error } else { PlanError::Hidden(shown) }
}

/// What made-up documents need of files; cells that need the same are checked once.
#[derive(PartialEq)]
struct SyntheticDocumentInputs<'a> {
    questions: Option<&'a Path>,
    rounds: u32,
    answer_tokens: &'a LengthDistribution,
}

impl<'a> SyntheticDocumentInputs<'a> {
    fn of(workload: &'a WorkloadSpec) -> Option<Self> {
        match workload {
            WorkloadSpec::DocumentQa(spec) if matches!(spec.documents, DocumentsSpec::Synthetic(_)) => {
                Some(Self { questions: spec.questions.as_deref(), rounds: spec.rounds, answer_tokens: &spec.answer_tokens })
            }
            _ => None,
        }
    }
}

/// `vllm, concurrent 4, sequential 3`.
fn cell_name(scenario: &Scenario, placed: &MatrixCell) -> String {
    let axes = scenario.axes.iter().zip(&placed.values).map(|(axis, value)| format!("{} {}", short_name(&axis.path), value_text(value)));
    std::iter::once(scenario.variants[placed.variant].clone()).chain(axes).collect::<Vec<_>>().join(", ")
}

fn saved_name(path: &Path) -> String {
    let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    if yaml { "scenario.yaml".to_owned() } else { "scenario.toml".to_owned() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::planning::scenario::{ScenarioOverrides, load_text};

    const SCENARIO: &str = r#"
seed = 7
repeats = 2
[workload]
kind = "document_qa"
documents = { synthetic_tokens = 1000 }
[matrix]
concurrent = [1, 2]
sequential = [1, 2, 3]
[variants.a.target]
url = "http://a"
[variants.b.target]
url = "http://b"
"#;

    fn plan(text: &str) -> Plan {
        plan_with(text, &ScenarioOverrides::default()).unwrap()
    }

    fn plan_with(text: &str, options: &ScenarioOverrides) -> Result<Plan, PlanError> {
        Plan::new(&load_text(Path::new("test.toml"), text, options).unwrap_or_else(|faults| panic!("{faults}")))
    }

    fn order_of(plan: &Plan, variant: &str, repeat: u32) -> Vec<Vec<(String, Value)>> {
        plan.runs.iter().filter(|run| run.variant == variant && run.repeat == repeat).map(|run| run.axes.clone()).collect()
    }

    #[test]
    fn variants_come_in_blocks_and_repeats_are_interleaved() {
        let plan = plan(SCENARIO);
        let blocks: Vec<(String, u32)> = plan.runs.iter().map(|run| (run.variant.clone(), run.repeat)).collect();
        let mut in_order = blocks.clone();
        in_order.dedup();
        let expected = [("a", 0), ("a", 1), ("b", 0), ("b", 1)].map(|(variant, repeat)| (variant.to_owned(), repeat));
        assert_eq!((in_order.as_slice(), plan.runs.len()), (expected.as_slice(), 24));
    }

    #[test]
    fn the_shuffle_is_the_same_for_variants_and_another_for_each_repeat_and_seed() {
        let shuffled = plan(SCENARIO);
        assert_eq!(order_of(&shuffled, "a", 0), order_of(&shuffled, "b", 0));
        assert_ne!(order_of(&shuffled, "a", 0), order_of(&shuffled, "a", 1));
        assert_ne!(order_of(&shuffled, "a", 0), order_of(&plan(&SCENARIO.replace("seed = 7", "seed = 8")), "a", 0));
        let listed = plan(&format!("order = \"listed\"{SCENARIO}"));
        assert_eq!(order_of(&listed, "a", 0), order_of(&listed, "a", 1));
        assert_eq!(listed.runs[1].axes[1].1, json!(2));
    }

    #[test]
    fn a_seed_depends_on_the_repeat_alone_and_an_id_on_everything() {
        let plan = plan(SCENARIO);
        let seeds: BTreeSet<(u32, u64)> = plan.runs.iter().map(|run| (run.repeat, run.seed)).collect();
        assert_eq!(seeds.len(), 2);
        let ids: BTreeSet<&str> = plan.runs.iter().map(|run| run.id.as_str()).collect();
        assert_eq!(ids.len(), 24);
        assert!(plan.runs.iter().all(|run| run.id.starts_with(&format!("{}-concurrent", run.variant))));
    }

    #[test]
    fn goals_and_order_leave_the_hash_and_what_is_run_changes_it() {
        let base = plan(SCENARIO);
        let judged = plan(&format!("{SCENARIO}\n[[goals]]\nrequire = \"p95(ttft) <= 2s\"\n"));
        assert_eq!(base.scenario_hash, judged.scenario_hash);
        assert_eq!(base.scenario_hash, plan(&format!("order = \"listed\"{SCENARIO}")).scenario_hash);
        assert_ne!(base.scenario_hash, plan(&SCENARIO.replace("1000", "1001")).scenario_hash);
        let only = ScenarioOverrides { only: vec!["concurrent=1".to_owned()], ..ScenarioOverrides::default() };
        assert_ne!(base.scenario_hash, plan_with(SCENARIO, &only).unwrap().scenario_hash);
    }

    #[test]
    fn another_text_under_the_same_name_is_another_run() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| fs_err::write(folder.path().join("a.txt"), text).unwrap();
        let text = format!("workload = {{ kind = \"document_qa\", documents = \"{}\" }}", folder.path().display());
        write("one");
        let first = plan(&text);
        write("two");
        assert_ne!(first.runs[0].id, plan(&text).runs[0].id);
    }

    #[test]
    fn what_would_be_longer_than_the_model_takes_is_refused_with_the_sum() {
        let text = "workload = { kind = \"document_qa\", documents = { synthetic_tokens = \"128k\" }, rounds = 2, answer_tokens = 10 }\n\
                    target = { context_limit = \"128k\" }\nmatrix = { concurrent = [1, 2] }";
        let refused = plan_with(text, &ScenarioOverrides::default()).unwrap_err().to_string();
        assert!(refused.starts_with("cell default, concurrent 1: turn 2 takes 13 salt + 131,072 document + "), "{refused}");
        assert!(refused.contains("2 × 10 earlier answers + 10 answer = 131,1"), "{refused}");
        assert!(refused.contains("more than 131,072 (`target.context_limit`); another cell has too many as well"), "{refused}");
        assert!(plan_with(&text.replace("128k\" }\n", "256k\" }\n"), &ScenarioOverrides::default()).is_ok());
    }
}
