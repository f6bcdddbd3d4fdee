//! The texts of `performance_summary_qps_X.XX.txt` and `final_performance_summary_qps_X.XX.txt`: figures in, text out.
//!
//! Latencies of successful requests are named as that; beside them stand the failures by kind, and the percentiles that count them.

use std::fmt::{self, Write};

use super::figures::{ChatStatistics, LATE, mean, percentile};
use crate::foundation::clock::Micros;
use crate::records::record::{RunHeader, RunOutcome, RunRecord};

/// What stands at the head of every text of a simulated run.
pub(super) const SIMULATED: &str = "SIMULATED: made by the simulated engine in virtual time, not measured on a server\n";

/// The block of one interval, from and to seconds since the run's start.
pub(super) fn block(from: Micros, to: Micros, figures: &ChatStatistics) -> String {
    let seconds = to.since(from).as_secs_f64();
    let mut text = format!("---- {:.1} s to {:.1} s ----\n", from.as_secs_f64(), to.as_secs_f64());
    line(&mut text, "Successful requests", figures.succeeded);
    failures(&mut text, figures);
    line(&mut text, "Completed QPS (successful, this interval)", over(figures.succeeded, seconds));
    line(&mut text, "Input tokens", figures.prompt_tokens);
    line(&mut text, "Generated tokens", figures.output_tokens);
    line(&mut text, "Generated tokens per second", over(figures.output_tokens, seconds));
    line(&mut text, "Late requests", late(figures));
    latencies(&mut text, figures);
    text.push('\n');
    text
}

/// What the final summary says beside the figures.
#[derive(Debug)]
pub(super) struct FinalSummaryFacts<'a> {
    pub(super) header: &'a RunHeader,
    pub(super) record: &'a RunRecord,
    pub(super) target_qps: f64,
    /// Requests that are not in the figures.
    pub(super) prefill: u64,
    pub(super) warmup: u64,
}

pub(super) fn last(ending: &FinalSummaryFacts<'_>, figures: &ChatStatistics) -> String {
    let record = ending.record;
    let mut text = String::new();
    configuration(&mut text, ending);

    let seconds = record.counts.measured_window_us.as_secs_f64();
    let tokens = figures.prompt_tokens + figures.output_tokens;
    text += "\nResults (measured requests only)\n";
    line(&mut text, "Successful requests", figures.succeeded);
    failures(&mut text, figures);
    line(&mut text, "Not counted: pre-fill requests", ending.prefill);
    line(&mut text, "Not counted: warm-up requests", ending.warmup);
    line(&mut text, "Duration (s), first due to last ended", format!("{seconds:.2}"));
    line(&mut text, "Total input tokens", figures.prompt_tokens);
    line(&mut text, "Total generated tokens", figures.output_tokens);
    if figures.uncounted > 0 {
        line(&mut text, "Successful requests without token counts", figures.uncounted);
    }
    line(&mut text, "Request throughput (successful/s)", over(figures.succeeded, seconds));
    line(&mut text, "Output token throughput (tokens/s)", over(figures.output_tokens, seconds));
    line(&mut text, "Total token throughput (tokens/s)", over(tokens, seconds));

    text += "\nRate (requests per second, between the first and the last of its kind)\n";
    line(&mut text, "Target QPS", format!("{:.3}", ending.target_qps));
    line(&mut text, "Offered QPS (due)", number(record.offered_qps.or(figures.intended.per_second()), 3));
    line(&mut text, "Sent QPS", number(figures.sent.per_second(), 3));
    line(&mut text, "Completed QPS (successful)", number(figures.completed.per_second(), 3));
    line(&mut text, "Late requests", late(figures));
    text.push('\n');
    latencies(&mut text, figures);
    remarks(&mut text, record);
    text
}

fn configuration(text: &mut String, ending: &FinalSummaryFacts<'_>) {
    let (header, record) = (ending.header, ending.record);
    *text += "Configuration\n";
    line(text, "run", &header.id);
    line(text, "variant", &header.variant);
    line(text, "repeat", header.repeat + 1);
    line(text, "seed", header.seed);
    if !header.simulated {
        line(text, "started at", record.started_at);
    }
    for (name, value) in header.cell.configuration().filter(|(name, _)| !(header.simulated && *name == "url")) {
        line(text, name, value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned));
    }
}

fn failures(text: &mut String, figures: &ChatStatistics) {
    line(text, "Failed requests", figures.failed());
    for (kind, count) in &figures.failures {
        line(text, &format!("  {kind}"), count);
    }
}

fn late(figures: &ChatStatistics) -> String {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    let share = figures.late as f64 / figures.requests().max(1) as f64 * 100.0;
    format!("{} of {} ({share:.1} %), sent more than {} ms after they were due", figures.late, figures.requests(), LATE.0 / 1000)
}

fn latencies(text: &mut String, figures: &ChatStatistics) {
    let rising = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let (ttft, tpot, all) = (rising(&figures.ttft), rising(&figures.tpot), figures.ttft_with_failures());
    let gaps = &figures.gaps;
    let of = |values: &[f64]| [mean(values), percentile(values, 50.0), percentile(values, 99.0)];
    let _ = writeln!(text, "{:<42} {:>11} {:>11} {:>11}", "Latency in ms", "mean", "median", "P99");
    for (name, values) in [
        ("TTFT, successful requests only", of(&ttft)),
        ("TPOT, successful requests only", of(&tpot)),
        ("ITL, successful requests only", [gaps.mean(), gaps.percentile(50.0), gaps.percentile(99.0)]),
        ("TTFT, failures counted as infinite", of(&all)),
    ] {
        let [mean, median, p99] = values.map(|value| number(value.map(|seconds| seconds * 1e3), 2));
        let _ = writeln!(text, "{name:<42} {mean:>11} {median:>11} {p99:>11}");
    }
}

fn remarks(text: &mut String, record: &RunRecord) {
    match &record.outcome {
        RunOutcome::Completed | RunOutcome::Curtailed(_) => {}
        RunOutcome::Failed(failure) => {
            let _ = writeln!(text, "\nFAILED: {}", failure.with_lines());
        }
        RunOutcome::Interrupted => *text += "\nINTERRUPTED: the run was stopped before its end and is not kept as a result\n",
    }
    for note in &record.notes {
        let _ = writeln!(text, "\nnote: {note}");
    }
}

fn line(text: &mut String, name: &str, value: impl fmt::Display) {
    let _ = writeln!(text, "{name:<42} {value}");
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn over(count: u64, seconds: f64) -> String {
    number((seconds > 0.0).then(|| count as f64 / seconds), 3)
}
