//! How long a run would have so many requests, where they are sent at a rate. Summaries in, plain texts out.

use crate::analysis::CellSummary;

/// The seconds in which a cell sends so many requests; `None` where answers decide when it sends.
#[must_use]
pub fn run_length(cell: &CellSummary, requests: u64) -> Option<f64> {
    cell.rates.offered_qps?;
    let rate = cell.rates.sent_qps.filter(|rate| *rate > 0.0)?;
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    let seconds = requests as f64 / rate;
    Some(seconds)
}

/// `, a run of 12 min` or `, runs of 3 to 12 min`; nothing where no length is known.
#[must_use]
pub fn run_lengths(seconds: impl Iterator<Item = f64>) -> String {
    let (least, most) = seconds.fold((f64::INFINITY, 0.0_f64), |(least, most), seconds| (least.min(seconds), most.max(seconds)));
    match (people(least), people(most)) {
        _ if most <= 0.0 => String::new(),
        (least, most) if least == most => format!(", a run of {most}"),
        (least, most) => format!(", runs of {least} to {most}"),
    }
}

/// Rounded up: `45 s`, `12 min`, `3.5 h`.
fn people(seconds: f64) -> String {
    if seconds <= 90.0 {
        format!("{:.0} s", seconds.ceil())
    } else if seconds <= 5400.0 {
        format!("{:.0} min", (seconds / 60.0).ceil())
    } else {
        format!("{:.1} h", (seconds / 360.0).ceil() / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{answered, cell, sweep};
    use crate::report::{ColourMode, terminal};

    #[test]
    fn lengths_read_as_people_write_them() {
        assert_eq!(run_lengths([61.2].into_iter()), ", a run of 62 s");
        assert_eq!(run_lengths([700.0, 100.0].into_iter()), ", runs of 2 min to 12 min");
        assert_eq!(run_lengths([12_500.0].into_iter()), ", a run of 3.5 h");
        assert_eq!(run_lengths(std::iter::empty()), "");
    }

    #[test]
    fn a_run_that_is_too_short_says_how_long_would_do() {
        // 40 good requests, one a second: a p95 takes 59.
        let mut saved = sweep(&["p95(ttft) <= 2s"], &[cell("vllm", 1, 1, (0..40).map(|session| answered(session, 0, 0.5)).collect())]);
        let text = |saved: &crate::records::store::SavedSweep| {
            let text = terminal(&summarize(saved, &SummaryOptions::default()).unwrap(), ColourMode::Never);
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert!(!text(&saved).contains("a run of"), "{}", text(&saved));
        saved.runs[0].record.offered_qps = Some(1.0);
        assert!(text(&saved).contains("59 like these would do, a run of 59 s"), "{}", text(&saved));
        assert!(text(&saved).contains("59 requests like theirs would settle each, a run of 59 s"), "{}", text(&saved));
    }
}
