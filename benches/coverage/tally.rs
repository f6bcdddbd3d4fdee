//! How often what is said of a cell is true: judged cells and the true percentiles in, counts out.

use bench::analysis::{CellSummary, ExtendedReal, GoalVerdict};
use bench::vocabulary::goal::Goal;

pub const PERCENTILES: [f64; 3] = [50.0, 95.0, 99.0];

/// Limits of goals over the true value: below 1 a goal is not fulfilled, above 1 it is.
pub const LIMITS: [f64; 4] = [0.8, 0.95, 1.05, 1.25];

/// The true percentiles of a metric, and how far they may be off: half the width of their intervals at 95 %, over the value.
#[derive(Debug, Clone)]
pub struct TrueValues {
    /// Without brackets: `ttft where turn >= 1`.
    pub metric: &'static str,
    pub seconds: [f64; 3],
    /// Nothing where they are known in closed form.
    pub error: Option<[f64; 3]>,
}

impl TrueValues {
    /// A goal for each percentile and limit.
    pub fn goals(&self) -> Vec<Goal> {
        let of = |(p, value): (f64, f64)| LIMITS.map(|limit| format!("p{p}({}) <= {:.9}s", self.metric, value * limit));
        let texts = PERCENTILES.into_iter().zip(self.seconds).flat_map(of);
        texts.map(|text| text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}"))).collect()
    }
}

/// Counts of one row of the table.
#[derive(Debug, Default)]
pub struct CoverageCounts {
    pub cells: u32,
    /// Cells of which it is said that their backlog grows.
    pub growing: u32,
    pub percentiles: [PercentileCounts; 3],
}

/// Of one percentile.
#[derive(Debug, Default)]
pub struct PercentileCounts {
    /// The interval holds the true value; an end that is missing holds it on its side.
    pub covered: u32,
    /// The true value is beyond the upper end.
    pub too_low: u32,
    pub without_low: u32,
    pub without_high: u32,
    /// Of intervals with both ends: their width over the value.
    pub widths: Vec<f64>,
    /// Of the value over the true one, less 1.
    pub errors: Vec<f64>,
    pub effective_shares: Vec<f64>,
    pub limits: [VerdictCounts; 4],
}

/// Of one goal.
#[derive(Debug, Default, Clone, Copy)]
pub struct VerdictCounts {
    pub met: u32,
    pub missed: u32,
    pub undecided: u32,
}

impl CoverageCounts {
    /// Takes a cell in that was judged by the goals of these values.
    #[expect(clippy::cast_precision_loss, reason = "row counts")]
    pub fn add(&mut self, cell: &CellSummary, truth: &TrueValues) {
        self.cells += 1;
        self.growing += u32::from(cell.backlog_growth.is_some());
        for ((counts, goals), truth) in self.percentiles.iter_mut().zip(cell.goals.chunks(LIMITS.len())).zip(truth.seconds) {
            assert!(goals.iter().all(|goal| goal.void.is_none()), "rows that certify nothing tell nothing of certainty");
            let estimate = &goals[0].estimate;
            let (low, high) = (estimate.low.map(ExtendedReal::get), estimate.high.map(ExtendedReal::get));
            counts.covered += u32::from(low.is_none_or(|low| low <= truth) && high.is_none_or(|high| truth <= high));
            counts.too_low += u32::from(high.is_some_and(|high| high < truth));
            counts.without_low += u32::from(low.is_none());
            counts.without_high += u32::from(high.is_none());
            if let Some(value) = estimate.value.map(ExtendedReal::get) {
                counts.widths.extend(low.zip(high).map(|(low, high)| (high - low) / value));
                counts.errors.push(value / truth - 1.0);
            }
            counts.effective_shares.push(estimate.effective_n as f64 / estimate.n.max(1) as f64);
            for (limit, goal) in counts.limits.iter_mut().zip(goals) {
                match goal.verdict {
                    GoalVerdict::Met => limit.met += 1,
                    GoalVerdict::Missed => limit.missed += 1,
                    GoalVerdict::Undecided => limit.undecided += 1,
                }
            }
        }
    }
}
