//! What of a saved sweep can be fitted: its cells with the runs that simulate them, the rows behind them, and what is known of the engine beside its times.

use serde_json::Value;

use super::observation::CellObservation;
use super::residuals::MeasuredCell;
use crate::analysis::{FittedServer, named_cell};
use crate::foundation::units::{Bytes, Tokens};
use crate::planning::plan::{Plan, Run};
use crate::records::record::{RequestRecord, RunOutcome, ServerSample};
use crate::records::store::{SavedRun, SavedSweep, StoreError};
use crate::simulation::engine::{CACHE_CONFIG, EngineParameters, EngineSpecError};
use crate::vocabulary::spec::engine::EngineSpec;

/// The cells of one variant, ready to be fitted.
#[derive(Debug)]
pub struct MeasuredCells {
    pub cells: Vec<MeasuredCell>,
    /// All rows of these cells.
    pub rows: Vec<RequestRecord>,
    pub told: EngineSpec,
    pub server: FittedServer,
    /// What was left out, and what is taken for granted: for people.
    pub notes: Vec<String>,
}

/// Why a sweep cannot be fitted, and what would do.
#[derive(Debug, thiserror::Error)]
pub enum UnfitSweep {
    #[error("it was made from the files of {0}, which do not say what was sent: a twin is fitted to sweeps of this program")]
    Imported(String),
    #[error("its runs do not say how many tokens their prompts had: measure with `usage` in the answers")]
    NoUsage,
    #[error("it has {found} of the cells of `{variant}`, and a fit takes 2 at least: measure a light one and a heavy one")]
    TooFewCells { variant: String, found: usize },
    #[error("its cells have engines of their own (an axis of `[engine]`): fit those of one by `--only`")]
    SeveralEngines,
    #[error("none of its runs is planned by the scenario that is saved with it: were files that it names changed since?")]
    OtherPlan,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Engine(#[from] EngineSpecError),
}

/// Finds what can be fitted. `plan` is that of the saved scenario with the simulated engine as its target; `is_set` tells which fields of the engine
/// somebody has said, which are taken as they are.
///
/// # Errors
/// Where the sweep lacks what a fit needs.
pub fn measured_cells(sweep: &SavedSweep, plan: &Plan, variant: &str, is_set: &dyn Fn(&str) -> bool) -> Result<MeasuredCells, UnfitSweep> {
    if let Some(origin) = &sweep.manifest.imported {
        return Err(UnfitSweep::Imported(origin.program.clone()));
    }
    let mut found: Vec<FoundCell> = Vec::new();
    let (mut notes, mut rows, mut first) = (Vec::new(), Vec::new(), None);
    let is_same = |run: &Run, saved: &SavedRun| {
        let header = &saved.record.header;
        run.variant == header.variant && run.axes == header.axes && run.repeat == header.repeat
    };
    for run in plan.runs.iter().filter(|run| run.variant == variant) {
        let Some(saved) = sweep.runs.iter().find(|saved| is_same(run, saved)) else { continue };
        if saved.record.outcome != RunOutcome::Completed {
            notes.push(format!("`{}` did not run to its end and is left out", saved.record.header.id));
            continue;
        }
        first.get_or_insert(saved);
        let records = saved.requests.records()?;
        rows.extend(records.iter().cloned());
        let known = found.iter().position(|cell| cell.runs[0].axes == run.axes);
        let place = known.unwrap_or(found.len());
        if known.is_none() {
            found.push(FoundCell::default());
        }
        found[place].runs.push(run.clone());
        found[place].rows.push(records);
    }
    let Some(first) = first else {
        return Err(if sweep.runs.is_empty() || !plan.variants.iter().any(|known| known == variant) {
            UnfitSweep::TooFewCells { variant: variant.to_owned(), found: 0 }
        } else {
            UnfitSweep::OtherPlan
        });
    };
    if rows.iter().all(|row| row.prompt_tokens.is_none()) {
        return Err(UnfitSweep::NoUsage);
    }
    if found.len() < 2 {
        return Err(UnfitSweep::TooFewCells { variant: variant.to_owned(), found: found.len() });
    }
    if found.iter().any(|cell| cell.runs[0].cell.engine != found[0].runs[0].cell.engine) {
        return Err(UnfitSweep::SeveralEngines);
    }
    let told = told(&found[0].runs[0].cell.engine, first, is_set, &mut notes)?;
    let observations = CellObservation::of_cells(&found.iter().map(|cell| cell.rows.as_slice()).collect::<Vec<_>>());
    let cells = found.into_iter().zip(observations).map(|(FoundCell { runs, .. }, observed)| MeasuredCell {
        name: named_cell(&runs[0].axes.iter().cloned().collect()),
        runs,
        observed,
    });
    let server = if first.record.header.simulated { FittedServer::Simulated } else { FittedServer::Real };
    Ok(MeasuredCells { cells: cells.collect(), rows, told, server, notes })
}

/// A cell's runs that are saved and planned, with the rows of each.
#[derive(Default)]
struct FoundCell {
    runs: Vec<Run>,
    rows: Vec<Vec<RequestRecord>>,
}

/// What the server told of itself, over what the scenario says of the simulated engine; what somebody has set goes before both.
fn told(scenario: &EngineSpec, first: &SavedRun, is_set: &dyn Fn(&str) -> bool, notes: &mut Vec<String>) -> Result<EngineSpec, UnfitSweep> {
    let mut engine = scenario.clone();
    if first.record.header.simulated {
        return Ok(engine);
    }
    let argument = |name: &str| first.record.header.cell.axis_value(&format!("server.args.{name}")).and_then(Value::as_u64);
    let mut take = |field: &str, value: Option<u64>, set: &mut dyn FnMut(u64)| {
        if is_set(field) {
            return;
        }
        match value {
            Some(value) => set(value),
            None => {
                notes.push(format!("nobody says the engine's `{field}`: that of the scenario's `[engine]` is taken, or its preset's; `--set engine.{field}=...` says another"));
            }
        }
    };
    let block = argument("block-size").or(told_block_size(&first.samples()?));
    take("block_tokens", block, &mut |tokens| engine.block_tokens = Some(Tokens(tokens)));
    take("step_tokens", argument("max-num-batched-tokens"), &mut |tokens| engine.step_tokens = Some(Tokens(tokens)));
    take("max_sequences", argument("max-num-seqs"), &mut |count| engine.max_sequences = u32::try_from(count).ok());
    take("context_limit", argument("max-model-len"), &mut |tokens| engine.context_limit = Some(Tokens(tokens)));
    let token_bytes = EngineParameters::resolve(&engine, 0)?.token_bytes;
    let pool = first.record.server.as_ref().and_then(|server| server.kv_pool_tokens);
    take("kv_memory", pool, &mut |tokens| engine.kv_memory = Some(Bytes(tokens * token_bytes)));
    Ok(engine)
}

/// Tokens in a block of the KV cache, as vLLM tells beside its pool.
fn told_block_size(samples: &[ServerSample]) -> Option<u64> {
    let config = samples.iter().find(|sample| &*sample.name == CACHE_CONFIG)?;
    config.labels.split_once("block_size=\"")?.1.split('"').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::clock::Micros;
    use crate::records::record::SampleKind;

    #[test]
    fn the_size_of_a_block_is_what_vllm_tells_beside_its_pool() {
        let sample = |name: &str, labels: &str| ServerSample {
            at_us: Micros(0),
            source: "s".into(),
            name: name.into(),
            labels: labels.into(),
            kind: SampleKind::Gauge,
            value: 1.0,
        };
        let config = sample(CACHE_CONFIG, "{block_size=\"128\",engine=\"0\",num_gpu_blocks=\"256\"}");
        assert_eq!(told_block_size(&[sample("vllm:num_requests_running", ""), config]), Some(128));
        assert_eq!(told_block_size(&[sample(CACHE_CONFIG, "{block_size=\"None\"}")]), None);
        assert_eq!(told_block_size(&[]), None);
    }
}
