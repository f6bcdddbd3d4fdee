//! What a variant costs, in sentences: a million output tokens at its cheapest, and a session at the capacity that is certified. Summaries in, texts out.

use super::number::significant;
use crate::analysis::{CellSummary, Score, TokenCost, VariantSummary, axis_label, short, show_axes};

/// Nothing where nobody says what the target costs an hour.
#[must_use]
pub fn cost_sentences(variant: &VariantSummary) -> Vec<String> {
    let priced = |cell: &CellSummary| Some((cell.standard.cost?, show_axes(&cell.axes), cell.standard.output_tokens_per_s?.value));
    let all: Vec<(TokenCost, String, f64)> = variant.cells.iter().filter_map(priced).collect();
    let cheapest = all.iter().min_by(|left, right| left.0.per_million_output_tokens.total_cmp(&right.0.per_million_output_tokens));
    let Some((cost, axes, tokens_per_s)) = cheapest else { return Vec::new() };
    let at = if axes.is_empty() { String::new() } else { format!(" at {axes}") };
    let best = if all.len() > 1 { ", at its cheapest" } else { "" };
    let range = cost.low.zip(cost.high).map_or_else(String::new, |(low, high)| format!(" ({} to {})", price(low), price(high)));
    let tokens = format!(
        "cost: {}{range} for a million output tokens{best}{at}: {} an hour{} over {} output tokens/s, n={}",
        price(cost.per_million_output_tokens),
        price(cost.price_per_hour),
        cost.gpus.map_or_else(String::new, |gpus| format!(" for {gpus} GPU{}", if gpus == 1 { "" } else { "s" })),
        significant(*tokens_per_s, 3),
        cost.n
    );
    std::iter::once(tokens).chain(variant.scores.iter().filter_map(|score| of_session(score, cost.price_per_hour))).collect()
}

/// A session's share of an hour's price at the most sessions that are certified.
#[expect(clippy::cast_precision_loss, reason = "session counts are far below 2^53")]
fn of_session(score: &Score, price_per_hour: f64) -> Option<String> {
    let (what, certified, place) = match score {
        Score::Capacity(score) => {
            let met = score.largest_met;
            let place = met.map(|met| format!("{} sessions (C={}, S={})", met.product, met.concurrent, met.sequential));
            ("session", met.map(|met| met.product as f64), place)
        }
        Score::Largest(score) if ["users", "concurrency"].contains(&short(&score.axis)) => {
            ("user", score.met, score.met.map(|met| format!("{}={met}", axis_label(&score.axis))))
        }
        Score::Largest(_) => return None,
    };
    let within = show_axes(score.within());
    let within = if within.is_empty() { String::new() } else { format!(" at {within}") };
    Some(match (certified.filter(|most| *most > 0.0), place) {
        (Some(most), Some(place)) => {
            format!("cost: {} an hour for each {what}{within}, at the certified capacity of {place}", price(price_per_hour / most))
        }
        _ => format!("cost: a {what}{within} has no price, since no capacity is certified"),
    })
}

fn price(amount: f64) -> String {
    if amount >= 100.0 { format!("{amount:.2}") } else { significant(amount, 3) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{answered, cell, sweep, uniform};

    fn said(records: Vec<crate::records::record::RequestRecord>, priced: bool) -> Vec<String> {
        let mut saved = sweep(&["p95(ttft where turn >= 1) <= 2s"], &[cell("vllm", 4, 3, records)]);
        if priced {
            let cell = serde_json::json!({"workload": {"kind": "document_qa"}, "target": {"price_per_hour": 3.0, "gpus": 2}});
            saved.runs[0].record.header.cell = cell.into();
        }
        cost_sentences(&summarize(&saved, &SummaryOptions::default()).unwrap().variants[0])
    }

    #[test]
    fn a_session_has_its_share_of_an_hour_where_the_capacity_is_certified() {
        let many = (0..80).map(|session| answered(session, 1, 0.5)).collect();
        let lines = said(many, true);
        assert!(
            lines[0].starts_with("cost: ") && lines[0].contains("for a million output tokens at C=4, S=3: 3.00 an hour for 2 GPUs over"),
            "{lines:?}"
        );
        assert_eq!(lines[1], "cost: 0.250 an hour for each session, at the certified capacity of 12 sessions (C=4, S=3)");
        let few = said(uniform(4, 3, 0.5), true);
        assert_eq!(few[1], "cost: a session has no price, since no capacity is certified");
        assert_eq!(said(uniform(4, 3, 0.5), false), [""; 0]);
    }
}
