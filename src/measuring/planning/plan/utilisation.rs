//! What share of a simulated engine's time a cell's requests are expected to take, and how many rows certify a goal where requests queue.
//!
//! Only for single requests of fixed lengths on the simulated engine, whose prices are known; of a real server nothing is said. It must not know
//! how the engine schedules, but for the bounds of its steps.

use super::cost_estimator::RunCost;
use super::id::{short_name, value_text};
use super::plan_summary::{PlanNote, SampleSizeCheck};
use super::{Plan, PlanError, Run};
use crate::foundation::units::{grouped, waiting_time};
use crate::planning::scenario::CellSpec;
use crate::simulation::engine::EngineParameters;
use crate::vocabulary::spec::target::TargetKind;
use crate::vocabulary::spec::workload::{AnswerPolicy, ArrivalPattern, RequestsSpec, WorkloadSpec};

/// From this share on a cell is said to be more than the engine carries: the estimate is no better.
const OVERLOAD: f64 = 1.02;
/// Cells that are named before the rest is counted only.
const SHOWN: usize = 4;

/// What a cell's requests are expected to take.
#[derive(Debug, Clone, Copy, PartialEq)]
struct ExpectedLoad {
    /// Of the engine's time.
    utilisation: f64,
    rate_per_s: f64,
    /// Rows that say as much as one independent row.
    rows_a_row: f64,
}

/// What the expected utilisation says of the plan's cells and goals.
pub(super) fn notes(plan: &Plan, costs: &[RunCost], needs: &[SampleSizeCheck]) -> Result<Vec<PlanNote>, PlanError> {
    let mut loads: Vec<(&Run, &RunCost, ExpectedLoad)> = Vec::new();
    for (run, cost) in plan.runs.iter().zip(costs).filter(|(run, _)| run.repeat == 0) {
        loads.extend(expected_load(&run.cell, cost)?.map(|load| (run, cost, load)));
    }
    // Runs come in an order drawn by chance; the lightest load is named first.
    loads.sort_by(|(.., left), (.., right)| left.utilisation.total_cmp(&right.utilisation));
    let over: Vec<String> =
        loads.iter().filter(|(.., load)| load.utilisation > OVERLOAD).map(|(run, _, load)| overload(run, *load)).collect();
    let mut notes = Vec::new();
    if !over.is_empty() {
        let text = format!("the backlog will grow at {}: such a cell meets no goal", listed(&over));
        notes.push(PlanNote { warning: true, text });
    }
    for need in needs {
        let Some(independent) = need.needed else { continue };
        let short = loads.iter().filter(|(.., load)| load.utilisation < 1.0).filter_map(|(run, cost, load)| {
            let rows = rows_needed(independent, *load)?;
            let has = cost.measured?.saturating_mul(u64::from(plan.repeats));
            (rows > has).then(|| {
                let time = waiting_time(rows_f64(rows) / load.rate_per_s);
                format!(
                    "{} about {} rows, {time} (about {:.0} % of what the engine carries)",
                    place(run),
                    grouped(rows),
                    load.utilisation * 100.0
                )
            })
        });
        let short: Vec<String> = short.collect();
        if !short.is_empty() {
            let text = format!(
                "goal `{}` may stay undecided, since requests that queue are late together: it takes {}",
                need.goal,
                listed(&short)
            );
            notes.push(PlanNote { warning: true, text });
        }
    }
    Ok(notes)
}

fn overload(run: &Run, load: ExpectedLoad) -> String {
    format!("{} (the engine carries about {:.0}/s)", place(run), load.rate_per_s / load.utilisation)
}

/// `qps=48`, or `the only cell`.
fn place(run: &Run) -> String {
    let axes: Vec<String> = run.axes.iter().map(|(path, value)| format!("{}={}", short_name(path), value_text(value))).collect();
    if axes.is_empty() { "the only cell".to_owned() } else { axes.join(", ") }
}

fn listed(texts: &[String]) -> String {
    let more = texts.len().saturating_sub(SHOWN);
    let rest = if more == 0 { String::new() } else { format!(", and {more} more") };
    format!("{}{rest}", texts[..texts.len() - more].join("; "))
}

/// `None` where it cannot be worked out beforehand.
fn expected_load(cell: &CellSpec, cost: &RunCost) -> Result<Option<ExpectedLoad>, PlanError> {
    let WorkloadSpec::Requests(spec) = &cell.workload else { return Ok(None) };
    if cell.target.kind != TargetKind::Sim
        || matches!(spec.arrival, ArrivalPattern::Trace | ArrivalPattern::Closed)
        || spec.answers != AnswerPolicy::ForcedLength
    {
        return Ok(None);
    }
    let Some(requests) = cost.requests.filter(|requests| *requests > 0) else { return Ok(None) };
    let parameters = EngineParameters::resolve(&cell.engine, 0)?;
    let Some(prompt) = cost.prompt_tokens.map(|tokens| tokens / requests) else { return Ok(None) };
    let Some(answer) = cost.answer_tokens.map(|tokens| tokens / requests) else { return Ok(None) };
    let utilisation = seconds_a_request(&parameters, prompt, answer, spec) * spec.qps;
    // As of requests of the mean length: what varies is when they come (D. J. Daley, "The serial correlation coefficients of waiting times in a stationary single server
    // queue", 1968; W. Whitt, "Planning queueing simulations", Management Science 35, 1989, for how the variability of arrivals and service enters).
    let variability = match spec.arrival {
        ArrivalPattern::Poisson => 1.0,
        ArrivalPattern::Gamma => 1.0 / spec.burstiness,
        ArrivalPattern::Constant | ArrivalPattern::Trace | ArrivalPattern::Closed => 0.0,
    };
    let rows_a_row = (variability / 2.0 * rows_a_row(utilisation)).max(1.0);
    Ok(Some(ExpectedLoad { utilisation, rate_per_s: spec.qps, rows_a_row }))
}

/// The engine's time for a request when it is as full as it gets: its own work, and its share of the fixed part of the steps that it takes part in.
fn seconds_a_request(parameters: &EngineParameters, prompt: u64, answer: u64, spec: &RequestsSpec) -> f64 {
    let costs = &parameters.costs;
    let answer = rows_f64(answer);
    // Whole blocks of the shared prefix are found in the cache.
    let cached = rows_f64(spec.shared_prefix_tokens.0 / parameters.block_tokens * parameters.block_tokens);
    let new = rows_f64(prompt) - cached;
    let pairs = new * cached + new * (new + 1.0) / 2.0;
    let context = answer * (rows_f64(prompt) + answer / 2.0);
    let work = rows_f64(costs.prefill_token_fs) * new
        + rows_f64(costs.attention_pair_fs) * pairs
        + rows_f64(costs.decode_sequence_fs) * answer
        + rows_f64(costs.context_token_fs) * context;
    let own_blocks = new + answer;
    let together =
        (rows_f64(parameters.kv_tokens()) / own_blocks).min(rows_f64(u64::try_from(parameters.max_sequences).unwrap_or(u64::MAX))).max(1.0);
    let steps = ((new + answer) / rows_f64(parameters.step_tokens)).max(answer / together);
    (work + steps * rows_f64(costs.step_fs)) * parameters.slowdown / 1e15
}

/// How many rows of an M/M/1 queue in its steady state say as much of the mean wait as one independent one: its asymptotic variance over its
/// variance, counted in requests (Daley 1968). 9.7 at 50 %, 363 at 90 %.
fn rows_a_row(utilisation: f64) -> f64 {
    let u = utilisation;
    if u >= 1.0 { f64::INFINITY } else { (2.0 + 5.0 * u - 4.0 * u.powi(2) + u.powi(3)) / ((2.0 - u) * (1.0 - u).powi(2)) }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate, saturating")]
fn rows_needed(independent: u64, load: ExpectedLoad) -> Option<u64> {
    let rows = rows_f64(independent) * load.rows_a_row;
    // Two digits are all that an estimate has.
    let unit = 10_f64.powf((rows.log10().floor() - 1.0).max(0.0));
    (load.rows_a_row > 1.0).then(|| ((rows / unit).ceil() * unit) as u64)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn rows_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::PlanSummary;
    use super::*;
    use crate::planning::scenario::{ScenarioOverrides, load_text};

    fn notes_of(qps: &str, more: &str) -> Vec<String> {
        let text = format!(
            "name = \"x\"\n[workload]\nkind = \"requests\"\nprompt_tokens = 1000\nanswer_tokens = 20\nduration = 60\n{more}\n[target]\nkind = \"sim\"\n\
             [engine]\npreset = \"tiny\"\n[matrix]\nqps = {qps}\n[[goals]]\nrequire = \"p99(ttft) <= 1s\"\n"
        );
        let scenario = load_text(Path::new("x.toml"), &text, &ScenarioOverrides::default()).unwrap();
        let plan = Plan::new(&scenario).unwrap();
        PlanSummary::of(&plan).unwrap().notes.into_iter().map(|note| note.text).filter(|text| text.contains("engine carries")).collect()
    }

    #[test]
    fn rows_that_queue_are_worth_as_little_as_the_closed_form_says() {
        // (2 + 2.5 - 1 + 0.125) / (1.5 * 0.25) and (2 + 4.5 - 3.24 + 0.729) / (1.1 * 0.01).
        assert!((rows_a_row(0.5) - 3.625 / 0.375).abs() < 1e-9 && (rows_a_row(0.9) - 3.989 / 0.011).abs() < 1e-6);
        assert!(rows_a_row(1.0).is_infinite());
    }

    #[test]
    fn a_rate_beyond_the_engine_s_capacity_is_told_before_the_start() {
        // A request takes 10 ms of prefill, 1 ms of attention, 20 tokens of 0.11 ms, and a step of 1 ms: about 14.3 ms.
        let notes = notes_of("[20, 90]", "");
        assert!(notes[0].starts_with("the backlog will grow at qps=90 (the engine carries about 70/s)"), "{notes:?}");
        let notes = notes_of("[300, 90, 100, 80, 110, 200]", "");
        let places: Vec<&str> = notes[0].split(' ').filter(|word| word.starts_with("qps=")).collect();
        assert_eq!(places, ["qps=80", "qps=90", "qps=100", "qps=110"], "the lightest come first");
    }

    #[test]
    fn a_busy_cell_says_how_long_a_run_would_certify_its_goal() {
        // At 60 of about 69 requests a second: 87 %.
        let notes = notes_of("[60]", "");
        assert!(notes.len() == 1 && notes[0].contains("`p99(ttft) <= 1s` may stay undecided"), "{notes:?}");
        assert!(notes[0].contains("it takes qps=60 about ") && notes[0].contains("(about 8"), "{notes:?}");
    }

    #[test]
    fn nothing_is_said_where_nothing_queues() {
        assert!(notes_of("[60]", "arrival = \"constant\"").is_empty());
        assert!(notes_of("[2]", "").iter().all(|text| !text.contains("backlog")));
    }
}
