//! What a plan costs as a whole, and what there is to say about it before it is run.

use serde::Serialize;

use super::caches::cache_sentences;
use super::cost_estimator::{CostEstimator, RunCost, limit};
use super::id::short_name;
use super::needed_rows::needed_rows;
use super::setting::server_starts;
use super::{Plan, PlanError, utilisation};
use crate::foundation::units::{grouped, waiting_time};
use crate::vocabulary::goal::Goal;
use crate::vocabulary::spec::workload::WorkloadSpec;
use crate::workloads::workload::Corpus;

/// A plan's costs: of each run in run order, all together, and against its goals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanSummary {
    pub costs: Vec<RunCost>,
    /// For each run, the rows of its cell (all repeats) that the most demanding goal looks at; `None` where that depends on the answers.
    pub samples: Vec<Option<u64>>,
    /// `None` where that depends on the answers of some run.
    pub requests: Option<u64>,
    pub prompt_tokens: Option<u64>,
    pub answer_tokens: Option<u64>,
    /// Seconds in which turns are sent, where every run knows it.
    pub duration_s: Option<f64>,
    /// The same of a search: of the cells that it is expected to run, and of the most.
    pub searched_s: Option<[f64; 2]>,
    pub needs: Vec<SampleSizeCheck>,
    pub notes: Vec<PlanNote>,
}

/// A goal, and whether the cells have enough rows for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleSizeCheck {
    pub goal: Goal,
    /// The least rows that can certify it; `None` where no number does.
    pub needed: Option<u64>,
    /// Rows of the cell that has the fewest, all repeats, of those where it is known.
    pub fewest: Option<u64>,
    /// Cells that have too few.
    pub short: usize,
    /// Cells of which it is not known before answers come.
    pub unknown: usize,
}

/// Something to know before the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanNote {
    pub warning: bool,
    pub text: String,
}

impl PlanSummary {
    /// Computes the costs of a plan. Reads the files that its workloads name.
    pub fn of(plan: &Plan) -> Result<Self, PlanError> {
        let mut economist = CostEstimator::new(Corpus::default());
        let costs = plan.runs.iter().map(|run| economist.cost(&run.cell)).collect::<Result<Vec<RunCost>, _>>()?;
        let of_repeats = |rows: Option<u64>| rows.map(|rows| rows.saturating_mul(u64::from(plan.repeats)));
        let rows = |goal: &Goal| -> Vec<Option<u64>> {
            let in_run = plan.runs.iter().zip(&costs).map(|(run, cost)| cost.goal_rows(&run.cell.workload, goal));
            in_run.map(of_repeats).collect()
        };
        let by_goal: Vec<Vec<Option<u64>>> = plan.goals.iter().map(rows).collect();
        let needs: Vec<SampleSizeCheck> = plan.goals.iter().zip(&by_goal).map(|(goal, rows)| need(plan, goal, rows)).collect();
        let demanding = needs.iter().enumerate().max_by_key(|(_, need)| (need.needed.unwrap_or(0), std::cmp::Reverse(need.fewest)));
        let samples = match demanding {
            Some((index, _)) => by_goal[index].clone(),
            None => costs.iter().map(|cost| of_repeats(cost.measured)).collect(),
        };
        let sum = |of: fn(&RunCost) -> Option<u64>| costs.iter().map(of).try_fold(0_u64, |sum, one| Some(sum.saturating_add(one?)));
        let mut notes = notes(plan, &costs, &needs)?;
        notes.extend(utilisation::notes(plan, &costs, &needs)?);
        let duration_s = costs.iter().map(|cost| cost.duration_s).try_fold(0.0, |sum, one| Some(sum + one?));
        Ok(Self {
            duration_s,
            searched_s: searched_times(plan, duration_s),
            requests: sum(|cost| cost.requests),
            prompt_tokens: sum(|cost| cost.prompt_tokens),
            answer_tokens: sum(|cost| cost.answer_tokens),
            samples,
            needs,
            notes,
            costs,
        })
    }

    /// The rows that the most demanding goal needs.
    pub fn needed(&self) -> Option<u64> {
        self.needs.iter().filter_map(|need| need.needed).max()
    }
}

fn need(plan: &Plan, goal: &Goal, rows: &[Option<u64>]) -> SampleSizeCheck {
    let needed = needed_rows(goal);
    let cells = || plan.runs.iter().zip(rows).filter(|(run, _)| run.repeat == 0).map(|(_, rows)| *rows);
    let short = cells().filter(|rows| rows.zip(needed).is_some_and(|(rows, needed)| rows < needed)).count();
    let unknown = cells().filter(Option::is_none).count();
    SampleSizeCheck { goal: goal.clone(), needed, fewest: rows.iter().flatten().copied().min(), short, unknown }
}

fn notes(plan: &Plan, costs: &[RunCost], needs: &[SampleSizeCheck]) -> Result<Vec<PlanNote>, PlanError> {
    let mut notes = Vec::new();
    let mut say = |warning: bool, text: String| notes.push(PlanNote { warning, text });
    for need in needs {
        match (need.needed, need.fewest) {
            (Some(needed), Some(fewest)) if need.short > 0 => say(
                true,
                format!(
                    "goal `{}` cannot be certified in {} of the cells: it takes {needed} rows, and the fewest are {fewest}; raise `rounds`, `duration`, `requests` or `repeats`",
                    need.goal, need.short
                ),
            ),
            (Some(needed), Some(fewest)) => say(false, format!("goal `{}` takes {needed} rows a cell; the fewest are {fewest}", need.goal)),
            (Some(needed), None) => say(false, format!("goal `{}` takes {needed} rows a cell", need.goal)),
            (None, Some(fewest)) => say(false, format!("goal `{}` looks at {fewest} rows a cell or more", need.goal)),
            (None, None) => {}
        }
    }
    if let Some(text) = users(plan) {
        say(false, text);
    }
    if let Some(text) = unmeasured(plan) {
        say(false, text);
    }
    if needs.is_empty() {
        say(true, "there is no goal, so there will be no verdict; add one: `[[goals]] require = \"p95(ttft) <= 2s\"`".to_owned());
    }
    if let Some(text) = searched(plan) {
        say(false, text);
    }
    for text in servers(plan).into_iter().chain(cache_sentences(plan.runs.iter().map(|run| (run.variant.as_str(), &run.cell)))) {
        say(false, text);
    }
    say(false, time(plan, costs));
    say(false, context(plan, costs)?);
    if costs.iter().any(|cost| !cost.exact) {
        say(false, "counts with `~` are expected values or estimates; answers are taken to be as long as they may be".to_owned());
    } else {
        say(false, "answers are taken to be as long as they may be".to_owned());
    }
    Ok(notes)
}

/// What of a closed loop is not known beforehand.
fn users(plan: &Plan) -> Option<String> {
    let closed = || plan.runs.iter().filter_map(|run| run.cell.workload.single_requests()).filter(|spec| spec.users().is_some());
    if closed().any(|spec| spec.requests.is_none()) {
        return Some(
            "how many requests users send within a `duration` depends on the server: `requests = 500` would have that known before"
                .to_owned(),
        );
    }
    let cut_off = closed().any(|spec| spec.duration.is_some());
    cut_off.then(|| "users send that many requests at most: a server too slow for them is asked fewer within the `duration`".to_owned())
}

/// What of a load that rises is not measured.
fn unmeasured(plan: &Plan) -> Option<String> {
    let rises = |run: &super::Run| run.cell.workload.single_requests().is_some_and(|spec| spec.ramp_s() > 0.0);
    plan.runs
        .iter()
        .any(rises)
        .then(|| "requests that are due within the `ramp` are warm-up: a load that rises is in no steady state".to_owned())
}

/// How much of the matrix a frontier takes.
fn searched(plan: &Plan) -> Option<String> {
    let frontier = plan.frontier.as_ref()?;
    let names: Vec<&str> = frontier.axes.iter().map(|axis| short_name(axis)).collect();
    let count = frontier.cell_count(plan.search.max_cells);
    let walks = plan.walks().len();
    let each = if walks > 1 { format!(" in each of {walks} walks") } else { String::new() };
    let repeats = match plan.repeats {
        1 => "each once".to_owned(),
        repeats => format!("each once, and up to {repeats} times where the answer hangs on an undecided one"),
    };
    Some(format!(
        "along the frontier of {}: about {} of {} cells{each}, {} at most, {repeats}; the sums are of all cells",
        names.join(" and "),
        count.expected,
        grouped(count.grid as u64),
        grouped(count.most as u64),
    ))
}

/// How often servers are started, and what is not done with those that are not.
fn servers(plan: &Plan) -> Vec<String> {
    let mut texts = Vec::new();
    let starts = server_starts(&plan.runs);
    let all: u64 = starts.iter().map(|(_, count)| count).sum();
    if all > 0 {
        let times = if all == 1 { "once".to_owned() } else { format!("{all} times") };
        let each: Vec<String> = starts.iter().map(|(variant, count)| format!("{variant} {count}")).collect();
        let each = if each.len() > 1 { format!(" ({})", each.join(", ")) } else { String::new() };
        texts.push(format!("servers are started {times}{each}"));
    }
    let mut by_url: Vec<&str> = Vec::new();
    for run in plan.runs.iter().filter(|run| !run.simulated && !run.cell.server.is_started()) {
        if !by_url.contains(&run.variant.as_str()) {
            by_url.push(&run.variant);
        }
    }
    if !by_url.is_empty() {
        let whose = if plan.variants.len() > 1 { format!(" of {}", by_url.join(", ")) } else { String::new() };
        texts.push(format!("the server{whose} is used as it is: bench does not start, restart or stop it, and does not see its log"));
    }
    texts
}

fn time(plan: &Plan, costs: &[RunCost]) -> String {
    if plan.runs.iter().all(|run| run.simulated) {
        return "everything is simulated, in virtual time: a sweep takes seconds".to_owned();
    }
    let known: Option<f64> = costs.iter().map(|cost| cost.duration_s).try_fold(0.0, |sum, one| Some(sum + one?));
    match (known, searched_times(plan, known)) {
        (Some(all), Some([expected, most])) => format!(
            "turns are sent for about {} in the cells that a search is expected to run, {} in the most (all cells together {}), less where a cell ends early; \
             filling caches before and waiting for last answers come on top",
            waiting_time(expected),
            waiting_time(most),
            waiting_time(all)
        ),
        (Some(seconds), None) => {
            format!("turns are sent for {}; filling caches before and waiting for last answers come on top", waiting_time(seconds))
        }
        (None, _) => "the time it takes depends on how fast the server answers".to_owned(),
    }
}

/// Seconds in which the turns of a search are sent: of as many cells as it is expected to run, each once, and of the most, each as often as it may be
/// repeated. `None` of a grid.
#[expect(clippy::cast_precision_loss, reason = "cells of a table")]
fn searched_times(plan: &Plan, all_s: Option<f64>) -> Option<[f64; 2]> {
    let count = plan.frontier.as_ref()?.cell_count(plan.search.max_cells);
    let of_run = all_s? / plan.runs.len() as f64;
    let walks = plan.walks().len() as f64;
    Some([(count.expected, 1), (count.most, plan.repeats)].map(|(cells, times)| cells as f64 * f64::from(times) * walks * of_run))
}

fn context(plan: &Plan, costs: &[RunCost]) -> Result<String, PlanError> {
    let mut longest = None;
    for (run, cost) in plan.runs.iter().zip(costs) {
        let Some(here) = cost.longest.as_ref().map(|longest| longest.tokens) else {
            let reason = match &run.cell.workload {
                WorkloadSpec::Requests(_) | WorkloadSpec::Sessions(_) => "texts of a file are counted when they are sent",
                WorkloadSpec::DocumentQa(_) | WorkloadSpec::Chat(_) => "name the model's `target.tokenizer` to have documents counted",
            };
            return Ok(format!("the longest request is not known: {reason}"));
        };
        let limit = limit(&run.cell)?.map(|limit| limit.tokens);
        if longest.is_none_or(|(most, _)| here > most) {
            longest = Some((here, limit));
        }
    }
    Ok(match longest {
        Some((tokens, Some(limit))) => format!("the longest request has {} tokens of the {} that fit", grouped(tokens), grouped(limit)),
        Some((tokens, None)) => {
            format!("the longest request has {} tokens; `target.context_limit` would have that checked", grouped(tokens))
        }
        None => "nothing is sent".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::planning::scenario::{ScenarioOverrides, load_text};

    #[test]
    fn a_search_takes_at_most_all_of_its_cells_as_often_as_they_may_be_repeated() {
        let times = |repeats: u32| {
            let text = format!(
                "search = \"frontier\"\nrepeats = {repeats}\ntarget.kind = \"sim\"\n[workload]\nkind = \"requests\"\nprompt_tokens = 100\n\
                 answer_tokens = 4\nduration = \"60s\"\n[matrix]\nqps = [1, 2, 4, 8]\n[[goals]]\nrequire = \"p95(ttft) <= 2s\"\n"
            );
            let scenario = load_text(Path::new("test.toml"), &text, &ScenarioOverrides::default()).unwrap();
            PlanSummary::of(&Plan::new(&scenario).unwrap()).unwrap().searched_s.unwrap()
        };
        let ([about, at_most], [about_repeated, at_most_repeated]) = (times(1), times(3));
        // Four cells of a minute each: bisection takes three of them, and its check one.
        assert!((at_most - 240.0).abs() < 15.0 && about < at_most, "{about} and {at_most}");
        assert!((about_repeated / about - 1.0).abs() < 0.01 && (at_most_repeated / at_most - 3.0).abs() < 0.01);
    }
}
