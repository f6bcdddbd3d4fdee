//! A row per cell and goal, for spreadsheets and data frames. Times in seconds, shares from 0 to 1; an infinite value is `inf`, a missing
//! one is empty. RFC 4180.

use crate::analysis::{CellState, CellSummary, Estimate, Extended, Judgement, SweepSummary};

/// The table of one or several sweeps; axes that a sweep does not have are empty in its rows.
#[must_use]
pub fn csv(summaries: &[SweepSummary]) -> String {
    let mut axes: Vec<&str> = Vec::new();
    for axis in summaries.iter().flat_map(|summary| &summary.axes) {
        if !axes.contains(&axis.name.as_str()) {
            axes.push(&axis.name);
        }
    }
    let mut lines = vec![line(
        ["sweep", "simulated", "variant"]
            .into_iter()
            .map(str::to_owned)
            .chain(axes.iter().map(|axis| (*axis).to_owned()))
            .chain(FIXED.into_iter().map(str::to_owned)),
    )];
    for summary in summaries {
        for variant in &summary.variants {
            for cell in &variant.cells {
                let head = || {
                    let names = [summary.name.clone(), summary.simulated.to_string(), variant.name.clone()];
                    names.into_iter().chain(axes.iter().map(|axis| cell.axes.get(*axis).map(super::panel::show_value).unwrap_or_default()))
                };
                let judgements: Vec<Option<&Judgement>> =
                    if cell.goals.is_empty() { vec![None] } else { cell.goals.iter().map(Some).collect() };
                lines.extend(judgements.into_iter().map(|judgement| line(head().chain(fixed(cell, judgement)))));
            }
        }
    }
    lines.concat()
}

const FIXED: [&str; 27] = [
    "state",
    "runs",
    "requests",
    "failed",
    "measure",
    "unit",
    "n",
    "value",
    "low",
    "high",
    "goal",
    "limit",
    "passes",
    "verdict",
    "rows_needed",
    "offered_qps",
    "sent_qps",
    "completed_qps",
    "prompt_tokens_per_s",
    "output_tokens_per_s",
    "hit_rate",
    "success_only_ttft_p50_s",
    "success_only_ttft_p95_s",
    "success_only_ttft_p99_s",
    "send_lag_p99_s",
    "failures",
    "notes",
];

fn fixed(cell: &CellSummary, judgement: Option<&Judgement>) -> Vec<String> {
    let state = match &cell.state {
        CellState::Measured => "measured",
        CellState::Invalid { .. } => "invalid",
        CellState::Failed { .. } => "failed",
        CellState::Missing => "missing",
    };
    let estimate: Option<&Estimate> = judgement.map(|judgement| &judgement.estimate).or(cell.shown.as_ref());
    let failures: Vec<String> = cell.failures.iter().map(|(kind, count)| format!("{kind}={count}")).collect();
    let end = |get: fn(&Estimate) -> Option<Extended>| estimate.and_then(get).map(|value| value.get().to_string()).unwrap_or_default();
    let (rates, success) = (&cell.rates, &cell.success_only);
    vec![
        state.to_owned(),
        cell.runs.to_string(),
        cell.n.to_string(),
        cell.failed.to_string(),
        text(estimate.map(|estimate| &estimate.measure)),
        text(estimate.map(|estimate| &estimate.unit)),
        text(estimate.map(|estimate| estimate.n)),
        end(|estimate| estimate.value),
        end(|estimate| estimate.low),
        end(|estimate| estimate.high),
        text(judgement.map(|judgement| &judgement.goal)),
        text(judgement.map(|judgement| judgement.limit)),
        text(judgement.map(|judgement| judgement.passes)),
        text(judgement.map(|judgement| judgement.verdict.name())),
        text(judgement.and_then(|judgement| judgement.rows_needed)),
        text(rates.offered_qps),
        text(rates.sent_qps),
        text(rates.completed_qps),
        text(rates.prompt_tokens_per_s),
        text(rates.output_tokens_per_s),
        text(rates.hit_rate),
        text(success.ttft_p50_s),
        text(success.ttft_p95_s),
        text(success.ttft_p99_s),
        cell.client.send_lag_p99_s.to_string(),
        failures.join(" "),
        cell.notes.join("; "),
    ]
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn line(fields: impl Iterator<Item = String>) -> String {
    let quoted = |field: String| {
        if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
    };
    fields.map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{cell, failed, sweep, uniform};
    use crate::analysis::{Question, summarize};
    use crate::record::{FailureKind, Outcome};

    #[test]
    fn every_row_has_a_field_for_each_column_whatever_stands_in_it() {
        let mut cells = vec![cell("vllm", 1, 1, uniform(1, 1, 0.5)), cell("vllm", 1, 2, Vec::new()), cell("vllm", 1, 3, Vec::new())];
        cells[1].outcome = Outcome::Failed { reason: "said \"no\",\nand closed".into() };
        cells[2].records = (0..20).map(|session| failed(session, 1, FailureKind::Connect)).collect();
        let mut saved = sweep(&["p95(ttft where turn >= 1) <= 2s", "error_rate <= 1%"], &cells);
        saved.manifest.name = "a \"quoted\", name".into();
        let text = csv(&[summarize(&saved, &Question::default()).unwrap()]);
        let rows: Vec<Vec<String>> = text.lines().map(fields).collect();
        // Two goals in each of the two measured cells, and the failed one.
        assert_eq!(rows.len(), 1 + 2 + 1 + 2);
        assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{text}");
        let value = rows[0].iter().position(|head| head == "value").unwrap();
        let values: Vec<&str> = rows[1..].iter().map(|row| row[value].as_str()).collect();
        assert_eq!(values, ["0.5", "0", "", "inf", "1"]);
        assert_eq!(rows[1][0], "a \"quoted\", name");
    }

    /// Reads one line of RFC 4180; no field of the test holds a line end.
    fn fields(line: &str) -> Vec<String> {
        let (mut fields, mut quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(String::new()),
                c => fields.last_mut().unwrap().push(c),
            }
        }
        // A doubled quote was dropped above; put single ones back for the one field that has them.
        fields.iter().map(|field| field.replace("a quoted,", "a \"quoted\",")).collect()
    }
}
