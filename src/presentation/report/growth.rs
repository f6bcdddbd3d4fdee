//! Cells whose backlog grows, in words: behind their values, and which they are. Shared by all formats. Summaries in, plain texts out.

use super::number::{DisplayUnit, ValueFormat, percent, significant};
use crate::analysis::{BacklogGrowth, CellSummary, ExtendedReal, InitialTransient, VariantSummary, show_axes};
use crate::vocabulary::goal::Measure;

/// Cells that are named before the rest is counted only.
const SHOWN: usize = 6;

/// What stands behind a cell's value: `and growing by 3.20 s/min`. Nothing where nothing speaks for it.
#[must_use]
pub fn growth(cell: &CellSummary, measure: &Measure, scale: DisplayUnit) -> Option<String> {
    let growth = cell.backlog_growth.as_ref()?;
    let may = if growth.is_certain { "" } else { "perhaps " };
    let by = growth.per_min(measure).and_then(ExtendedReal::new);
    Some(match by {
        Some(slope) => format!("and {may}growing by {} {}/min", scale.show(slope, None), scale.unit),
        None => format!("and {may}growing by {} requests in flight/min", significant(growth.requests_per_min, 3)),
    })
}

/// The growing cells of a variant, and those that may be growing, a sentence each; none where there are none.
#[must_use]
pub fn growing(variant: &VariantSummary) -> Vec<String> {
    let of = |certain: bool| -> Vec<(&CellSummary, &BacklogGrowth)> {
        let cells = variant.cells.iter().filter_map(|cell| Some((cell, cell.backlog_growth.as_ref()?)));
        cells.filter(|(_, growth)| growth.is_certain == certain).collect()
    };
    let (certain, possible) = (of(true), of(false));
    let certain = (!certain.is_empty()).then(|| {
        format!(
            "growing: more comes due than is answered at {}; such a cell meets no goal, since its values only say how long it was run",
            list(&certain, &|growth| format!("{} requests more in flight a minute", significant(growth.requests_per_min, 3)))
        )
    });
    let possible = (!possible.is_empty()).then(|| {
        let tell = |growth: &BacklogGrowth| {
            let run = growth.certain_after_s.map(|seconds| format!("; runs of {:.0} s would tell", seconds.ceil())).unwrap_or_default();
            let requests = significant(growth.requests_per_min, 3);
            format!("{requests} requests more in flight a minute, by chance at most in {}{run}", percent(Some(growth.chance)))
        };
        format!("perhaps growing, so that no goal is certified: {}", list(&possible, &tell))
    });
    certain.into_iter().chain(possible).collect()
}

/// The cells that begin with a transient, in a sentence with the warm-ups that would leave it out.
#[must_use]
pub fn transients(variant: &VariantSummary) -> Option<String> {
    let cells: Vec<_> = variant.cells.iter().filter_map(|cell| Some((cell, cell.transient?))).collect();
    let named = |(cell, transient): &(&CellSummary, InitialTransient)| {
        let axes = show_axes(&cell.axes);
        let place = if axes.is_empty() { String::new() } else { format!(" at {axes}") };
        format!("the first {} s{place} (a warm-up of {:.0} s)", significant(transient.seconds, 2), transient.warmup_s)
    };
    let mut texts: Vec<String> = cells.iter().take(SHOWN).map(named).collect();
    if cells.len() > SHOWN {
        texts.push(format!("and in {} more cells", cells.len() - SHOWN));
    }
    let list = texts.join(", ");
    (!cells.is_empty())
        .then(|| format!("transient: times to first token differ from the later ones in {list}; the warm-up would leave that out"))
}

/// `qps=8 (...), qps=16 (...), and 3 more`
fn list(cells: &[(&CellSummary, &BacklogGrowth)], tell: &dyn Fn(&BacklogGrowth) -> String) -> String {
    let named = |(cell, growth): &(&CellSummary, &BacklogGrowth)| {
        let axes = show_axes(&cell.axes);
        if axes.is_empty() { format!("the only cell ({})", tell(growth)) } else { format!("{axes} ({})", tell(growth)) }
    };
    let mut texts: Vec<String> = cells.iter().take(SHOWN).map(named).collect();
    if cells.len() > SHOWN {
        texts.push(format!("and {} more", cells.len() - SHOWN));
    }
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, SweepSummary, summarize};
    use crate::fixtures::sweeps::{Cell, answered, cell, sweep};
    use crate::report::{ColourMode, PageParts, csv, html, markdown, terminal};
    use crate::vocabulary::metric::MeasureUnit;

    /// A request a second at two rates; at the second one a wait grows by 6 s a minute.
    fn summary() -> SweepSummary {
        let at = |qps: u64, slope: f64| {
            let rows = (0..200_u32).map(|second| answered(second.into(), 0, 0.5 + f64::from(second) * slope)).collect();
            Cell { axes: vec![("workload.qps".into(), qps.into())], ..cell("vllm", 1, 1, rows) }
        };
        let mut saved = sweep(&["p95(ttft) <= 30s"], &[at(1, 0.0), at(2, 0.1)]);
        for run in &mut saved.runs {
            run.record.offered_qps = Some(1.0);
        }
        summarize(&saved, &SummaryOptions::default()).unwrap()
    }

    #[test]
    fn every_format_says_that_a_value_is_growing_and_by_how_much() {
        let summary = summary();
        let page = html(&summary, &PageParts::default()).unwrap().replace("&#x2f;", "/");
        let text = terminal(&summary, ColourMode::Never).split_whitespace().collect::<Vec<_>>().join(" ");
        for text in [page, markdown(&summary), text] {
            assert!(text.contains("and growing") && text.contains("by 6.00"), "{text}");
            assert!(text.contains("growing: more comes due than is answered at qps=2 (5."), "{text}");
        }
        let table = csv(std::slice::from_ref(&summary)).unwrap();
        let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let heads = lines.next().unwrap();
        let of = |line: &[&str], head: &str| line[heads.iter().position(|known| *known == head).unwrap()].to_owned();
        let lines: Vec<_> = lines.collect();
        assert_eq!((of(&lines[0], "growing"), of(&lines[1], "growing")), (String::new(), "certain".to_owned()));
        assert!((of(&lines[1], "growth_per_min").parse::<f64>().unwrap() - 6.0).abs() < 0.1);
        assert!(lines[0].len() == heads.len() && of(&lines[0], "backlog_growth_per_min").is_empty());
    }

    #[test]
    fn a_transient_is_told_with_the_warm_up_that_would_leave_it_out() {
        let mut summary = summary();
        assert_eq!(transients(&summary.variants[0]), None);
        summary.variants[0].cells[0].transient = Some(InitialTransient { seconds: 11.52, warmup_s: 12.0, runs: 1 });
        let text = transients(&summary.variants[0]).unwrap();
        assert!(text.contains("differ from the later ones in the first 12 s at qps=1 (a warm-up of 12 s);"), "{text}");
    }

    #[test]
    fn growth_that_may_be_chance_says_perhaps_and_how_long_a_run_would_tell() {
        let mut summary = summary();
        let growth = summary.variants[0].cells[1].backlog_growth.as_mut().unwrap();
        (growth.is_certain, growth.chance, growth.certain_after_s) = (false, 0.12, Some(310.2));
        growth.measures_per_min.clear();
        growth.requests_per_min = 5.0;
        let sentences = growing(&summary.variants[0]);
        let expected = "perhaps growing, so that no goal is certified: qps=2 (5.00 requests more in flight a minute, by chance at most in 12.0 %; runs of \
                        311 s would tell)";
        assert_eq!(sentences, [expected]);
        let seconds = MeasureUnit::Seconds.display(Some(30.0), None);
        let text = super::growth(&summary.variants[0].cells[1], &"p95(ttft)".parse().unwrap(), seconds);
        assert_eq!(text.as_deref(), Some("and perhaps growing by 5.00 requests in flight/min"));
        assert_eq!(super::growth(&summary.variants[0].cells[0], &"p95(ttft)".parse().unwrap(), seconds), None);
    }
}
