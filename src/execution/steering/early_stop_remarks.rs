//! What there is to say before the start of cells that may end early, and of goals that keep them from it.

use super::cell_rows::countable;
use super::cell_stopper::StoppingCriterion;
use crate::planning::plan::Plan;
use crate::vocabulary::goal::Goal;
use crate::vocabulary::spec::workload::WorkloadSpec;

/// Remarks on a plan; none where every cell is run to its end.
#[must_use]
pub fn remarks(plan: &Plan) -> Vec<String> {
    let by = StoppingCriterion::of(plan.search.stop_rule(), plan.search.risk).filter(|_| !plan.goals.is_empty());
    let workloads: Vec<&WorkloadSpec> = plan.runs.iter().map(|run| &run.cell.workload).collect();
    by.map(|by| of_goals(by, plan.goals.iter(), &workloads)).unwrap_or_default()
}

fn of_goals<'a>(by: StoppingCriterion, goals: impl Iterator<Item = &'a Goal>, workloads: &[&WorkloadSpec]) -> Vec<String> {
    let sure = match by {
        StoppingCriterion::Certain => "certain".to_owned(),
        StoppingCriterion::Sequential(risk) => format!("certain, or sure at a risk of {} %", risk * 100.0),
    };
    let waits = |goal: &Goal| {
        let reason = workloads.iter().find_map(|workload| countable(goal, workload).err())?;
        Some(format!("goal `{goal}` is not settled before all requests have ended: {reason}"))
    };
    let goals: Vec<&Goal> = goals.collect();
    let waiting: Vec<String> = goals.iter().filter_map(|goal| waits(goal)).collect();
    let ends = if waiting.len() == goals.len() {
        "no cell ends early, since every goal waits for the last request".to_owned()
    } else {
        format!("a cell ends as soon as what its goals say of it is {sure}: the counts above are the most there can be")
    };
    std::iter::once(ends).chain(waiting).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(workload: &str, by: StoppingCriterion, goals: &[&str]) -> Vec<String> {
        let goals: Vec<Goal> = goals.iter().map(|goal| goal.parse().unwrap()).collect();
        let workload = serde_json::from_str(&format!("{{{workload}}}")).unwrap();
        of_goals(by, goals.iter(), &[&workload])
    }

    #[test]
    fn goals_that_wait_for_the_last_row_are_named_with_the_reason() {
        let goals =
            ["p95(ttft where turn >= 1) <= 2s", "mean(ttft) <= 1s", "p95(itl) <= 50ms", "error_rate(where prompt_tokens > 100) <= 1%"];
        let closed = said(r#""kind": "document_qa""#, StoppingCriterion::Certain, &goals);
        assert_eq!(closed.len(), 4, "{closed:?}");
        assert!(closed[0].starts_with("a cell ends as soon as what its goals say of it is certain:"));
        assert!(
            closed[1].starts_with("goal `mean(ttft) <= 1s` is not settled before") && closed[1].ends_with("a mean depends on every row")
        );
        assert!(closed[2].ends_with("not every request has one value of `itl`"), "{}", closed[2]);
        assert!(closed[3].contains("`prompt_tokens` is not known before"), "{}", closed[3]);
        let ending = said(r#""kind": "chat", "on_error": "end_session""#, StoppingCriterion::Sequential(0.05), &goals[..1]);
        assert!(ending[0].contains("sure at a risk of 5 %"), "{ending:?}");
        assert_eq!(ending.len(), 1, "a session that ends leaves a row for each of its turns");
        let closed = r#""kind": "requests", "arrival": "closed", "concurrency": 4"#;
        let timed = said(&format!(r#"{closed}, "duration": 60"#), StoppingCriterion::Certain, &["p95(ttft) <= 2s"]);
        assert!(timed.len() == 2 && timed[1].contains("how many requests users send"), "{timed:?}");
        assert!(timed[0].starts_with("no cell ends early"), "what no cell does is not promised: {timed:?}");
        assert_eq!(said(&format!(r#"{closed}, "requests": 60"#), StoppingCriterion::Certain, &["p95(ttft) <= 2s"]).len(), 1);
        assert_eq!(said(r#""kind": "chat""#, StoppingCriterion::Certain, &goals[..1]).len(), 1, "a schedule of users is known in advance");
    }
}
