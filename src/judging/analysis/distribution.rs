//! Empirical distribution functions: for every value, the share of requests that took at most so long. A failed request never gets there,
//! so the function of a lower-is-better metric ends at the share that succeeded.
//!
//! In: chosen cells' runs, and which values of which rows. Out: a few hundred steps a cell, and how far the truth may be away.

use super::axes::Axes;
use super::cells::CellRuns;
use super::interval::CONFIDENCE;
use super::origin::SweepOrigin;
use super::summary::CellState;
use super::{AnalysisError, RequestTable};
use crate::records::store::SavedSweep;
use crate::vocabulary::goal::{Goal, MetricPopulation, SavedGoal};
use crate::vocabulary::metric::Metric;

/// Beyond this many values, the ends and evenly spaced ranks stand for all: the share between two of them is then at most about 1/400.
const ALL_STEPS: usize = 500;
const EVEN_STEPS: usize = 400;
const END_STEPS: usize = 50;

/// The distributions of one population in several cells.
#[derive(Debug, Clone, PartialEq)]
pub struct PopulationDistributions {
    pub origin: SweepOrigin,
    pub population: MetricPopulation,
    /// The goals' texts.
    pub goals: Vec<Goal>,
    /// From 0 to 1.
    pub confidence: f64,
    pub cells: Vec<CellDistribution>,
}

/// One cell's; its repeats are pooled.
#[derive(Debug, Clone, PartialEq)]
pub struct CellDistribution {
    pub variant: String,
    pub axes: Axes,
    pub state: CellState,
    /// `None` where the cell has no result, or no request fits.
    pub distribution: Option<EmpiricalDistribution>,
}

/// An empirical distribution function.
#[derive(Debug, Clone, PartialEq)]
pub struct EmpiricalDistribution {
    /// Requests behind it, failed ones included.
    pub n: u64,
    pub failed: u64,
    /// Finite values in the metric's base unit, ascending, each with the share of all values that are at most as large.
    pub steps: Vec<(f64, f64)>,
    /// Half the height of the band that holds the whole true function at the confidence, if requests are independent; `None` for gaps
    /// between tokens, of which a request has many.
    pub margin: Option<f64>,
}

/// The distributions of chosen cells. `goals` replace the sweep's own where there are any.
pub fn distributions(
    sweep: &SavedSweep,
    cells: &[CellRuns<'_>],
    population: &MetricPopulation,
    goals: &[Goal],
) -> Result<PopulationDistributions, AnalysisError> {
    let of_cell = |cell: &CellRuns<'_>| {
        let state = cell.state();
        let distribution =
            if state == CellState::Measured { EmpiricalDistribution::of(&RequestTable::of_runs(&cell.runs)?, population)? } else { None };
        Ok(CellDistribution { variant: cell.variant.to_owned(), axes: cell.axes.clone(), state, distribution })
    };
    Ok(PopulationDistributions {
        origin: SweepOrigin::of(&sweep.manifest),
        population: population.clone(),
        goals: if goals.is_empty() { sweep.manifest.goals.iter().filter_map(SavedGoal::goal).cloned().collect() } else { goals.to_vec() },
        confidence: CONFIDENCE,
        cells: cells.iter().map(of_cell).collect::<Result<_, AnalysisError>>()?,
    })
}

impl EmpiricalDistribution {
    /// Of the rows of a table; `None` where no row has the value.
    pub fn of(table: &RequestTable, population: &MetricPopulation) -> Result<Option<Self>, AnalysisError> {
        let rows = table.filtered(&population.filter)?;
        let values = rows.values(population.metric)?;
        if values.is_empty() {
            return Ok(None);
        }
        let n = rows.requests_with(population.metric)?;
        let failed = rows.failed_rows();
        let margin = (population.metric != Metric::Itl).then(|| massart(n, CONFIDENCE));
        Ok(Some(Self { n, failed, steps: thinned(&steps(&values)), margin }))
    }
}

/// How far an empirical distribution function of n independent values may be from the true one anywhere: the inequality of A. Dvoretzky,
/// J. Kiefer and J. Wolfowitz with the constant of P. Massart, "The Tight Constant in the Dvoretzky-Kiefer-Wolfowitz Inequality", Annals
/// of Probability 18 (1990): sqrt(ln(2 / (1 - confidence)) / 2n).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
pub fn massart(n: u64, confidence: f64) -> f64 {
    if n == 0 {
        return 1.0;
    }
    ((2.0 / (1.0 - confidence)).ln() / (2.0 * n as f64)).sqrt().min(1.0)
}

/// One step a distinct finite value, of ascending values.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn steps(values: &[f64]) -> Vec<(f64, f64)> {
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for (value, rank) in values.iter().zip(1_usize..).filter(|(value, _)| value.is_finite()) {
        let share = rank as f64 / values.len() as f64;
        match steps.last_mut().filter(|(last, _)| last.to_bits() == value.to_bits()) {
            Some((_, last)) => *last = share,
            None => steps.push((*value, share)),
        }
    }
    steps
}

/// At most `ALL_STEPS` of them, both ends in full.
fn thinned(steps: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if steps.len() <= ALL_STEPS {
        return steps.to_vec();
    }
    let last = steps.len() - 1;
    let mut kept: Vec<usize> = (0..EVEN_STEPS).map(|n| n * last / (EVEN_STEPS - 1)).collect();
    kept.extend((0..END_STEPS).chain(steps.len() - END_STEPS..steps.len()));
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|index| steps[index]).collect()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    use super::super::fixture::{answered, table, table_of_ttfts};
    use super::*;

    fn of(ttfts: &[f64], population: &str) -> EmpiricalDistribution {
        EmpiricalDistribution::of(&table_of_ttfts(ttfts.iter().copied()), &population.parse().unwrap()).unwrap().unwrap()
    }

    #[test]
    fn each_step_is_the_share_of_requests_that_took_at_most_so_long_and_failures_never_arrive() {
        let distribution = of(&[3.0, 1.0, f64::INFINITY, 1.0, 2.0], "ttft where turn >= 1");
        assert_eq!(distribution.steps, [(1.0, 0.4), (2.0, 0.6), (3.0, 0.8)]);
        assert_eq!((distribution.n, distribution.failed), (5, 1));
    }

    #[test]
    fn where_more_is_better_failures_are_the_lowest() {
        let distribution = of(&[1.0, f64::INFINITY], "output_tps");
        assert_eq!(distribution.steps[0], (0.0, 0.5));
        assert_eq!(distribution.steps.len(), 2);
    }

    #[test]
    fn the_band_is_as_wide_as_massart_says() {
        // sqrt(ln 40 / 200), and the largest distance that there can be.
        assert!((massart(100, 0.95) - 0.135_81).abs() < 1e-5);
        assert!((massart(1, 0.95) - 1.0).abs() < 1e-12);
        assert!((massart(400, 0.95) * 2.0 - massart(100, 0.95)).abs() < 1e-12);
        let gaps = EmpiricalDistribution::of(&table(&[answered(1, 1, 0.5)]), &"itl".parse().unwrap()).unwrap().unwrap();
        assert_eq!(gaps.margin, None);
    }

    #[test]
    fn the_whole_band_holds_the_truth_in_at_least_95_of_100_samples() {
        let mut rng = Pcg64::seed_from_u64(11);
        let trials = 400;
        let held = (0..trials)
            .filter(|_| {
                let mut values: Vec<f64> = (0..60).map(|_| rng.random::<f64>()).collect();
                values.sort_by(f64::total_cmp);
                let mut before = 0.0;
                let mut worst: f64 = 0.0;
                for (value, share) in steps(&values) {
                    worst = worst.max((share - value).abs()).max((before - value).abs());
                    before = share;
                }
                worst <= massart(60, 0.95)
            })
            .count();
        assert!(held * 100 >= trials * 94, "{held} of {trials}");
    }

    #[test]
    fn many_values_are_thinned_to_a_few_hundred_with_both_ends_whole() {
        let values: Vec<f64> = (1..=20_000).map(f64::from).collect();
        let thin = thinned(&steps(&values));
        assert!(thin.len() <= 500, "{}", thin.len());
        assert_eq!(thin[..3], [(1.0, 0.000_05), (2.0, 0.000_1), (3.0, 0.000_15)]);
        assert_eq!(thin.last(), Some(&(20_000.0, 1.0)));
        assert!(thin.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[1].1 - pair[0].1 <= 1.0 / 390.0));
    }

    #[test]
    fn rows_that_do_not_fit_make_no_distribution() {
        assert_eq!(EmpiricalDistribution::of(&table_of_ttfts([1.0]), &"ttft where turn >= 9".parse().unwrap()).unwrap(), None);
    }
}
