//! How many independent rows the rows of a cell are worth by their order in time: requests that queue behind one another are late together.
//!
//! In: values row by row in the order of their intended times, run by run. Out: an effective number of rows, by batch means: each run is cut
//! into blocks of rows, and how much the share beyond a value differs between blocks, and between a block and the next, tells how much less
//! the rows say than independent ones would. Must not know sessions, limits nor goals. Formulas and their measured coverage: `docs/metrics.md`.

use super::clusters::student_975;
use super::number_column::{NumberColumn, NumberColumnBuilder};
use super::percentile;

/// Blocks of a cell in all, and the fewest of a run. Few and long: a block that is shorter than the queue's memory tells too little of it.
const BLOCKS: usize = 16;
const LEAST_BLOCKS_OF_A_RUN: usize = 5;

/// Fewer rows than this have no order that could be told from chance.
const LEAST_ROWS: usize = 10;

/// However alike they are, the rows of a cell are taken for at least so many independent ones, so that what can never change is certain before all
/// rows have come. Of four no percentile has an interval, and none is certified; that half of all rows lie beyond a p95 they disprove.
pub const LEAST_ROWS_IN_TIME: u64 = 4;

/// Where blocks say that rows are worth fewer than this, and that the memory is longer than so many rows, the run is too short to tell how few
/// they are worth: the least is taken. A run that began empty and stayed nearly so looks like one of a lighter load; with half of these rows, 5 to
/// 8 of 100 runs of half a minute at 95 % of the load certified a median that was false.
const FEWEST_TOLD: f64 = 40.0;
const LONG_MEMORY: f64 = 20.0;

/// Nor can a run of a few memories tell how rarely a high percentile is exceeded: a lucky one shows no such row. Where its rows are worth fewer than
/// twice what bounds a percentile with none beyond it, and the memory is longer than so many rows, they count for less by this factor. Without it
/// 6 of 100 runs of half a minute at 90 % of what the engine carries certified a p95 that was false; with it 3.
const BOUNDS_TOLD: f64 = 2.0;
const NOTABLE_MEMORY: f64 = 10.0;
const LUCK_FACTOR: f64 = 0.7;

/// Shares below the values at which blocks are compared, beside the percentile itself: a queue's share beyond its p90 differs more between blocks
/// than that beyond its median, and the latter is better known.
const CENTRAL_LEVELS: [f64; 3] = [0.5, 0.75, 0.9];

/// The chance that no row lies beyond a percentile that ends an interval at 95 %.
const NONE_BEYOND: f64 = 0.025;

/// One-sided 97.5 % and 99 % of the normal distribution.
const NORMAL_975: f64 = 1.959_964;
const NORMAL_990: f64 = 2.326_348;

/// Values row by row, in the order of their intended times.
#[derive(Debug, Default)]
pub struct TimeSeries {
    values: Vec<f64>,
    /// How many values there are up to the end of each row: it may bring many (gaps between tokens). Empty where each brings one.
    ends: Vec<usize>,
    /// Rows of the same turn are compared with each other: that later turns take longer is no chance.
    turns: NumberColumn,
    /// How many rows there are up to the end of each run.
    run_ends: Vec<usize>,
}

/// Takes the rows of a series, one after the other.
#[derive(Debug)]
pub struct TimeSeriesBuilder {
    series: TimeSeries,
    turns: NumberColumnBuilder,
    rows: usize,
}

impl TimeSeriesBuilder {
    /// Of about so many rows.
    #[must_use]
    pub fn for_rows(rows: usize) -> Self {
        let series = TimeSeries { values: Vec::with_capacity(rows), ..TimeSeries::default() };
        Self { series, turns: NumberColumnBuilder::for_rows(rows), rows: 0 }
    }

    /// Adds a row of the run that is being added; one that brings no value is left out.
    pub fn add_row(&mut self, turn: u32, bring: impl FnOnce(&mut Vec<f64>)) {
        let (values, ends) = (&mut self.series.values, &mut self.series.ends);
        let before = values.len();
        bring(values);
        if values.len() == before {
            return;
        }
        if values.len() - before > 1 && ends.is_empty() {
            ends.extend(1..=before);
        }
        if values.len() - before > 1 || !ends.is_empty() {
            ends.push(values.len());
        }
        self.turns.push(Some(turn.into()));
        self.rows += 1;
    }

    /// The rows that come belong to the next run.
    pub fn end_run(&mut self) {
        if self.rows > self.series.run_ends.last().copied().unwrap_or(0) {
            self.series.run_ends.push(self.rows);
        }
    }

    #[must_use]
    pub fn finish(self) -> TimeSeries {
        TimeSeries { turns: self.turns.finish(), ..self.series }
    }
}

impl TimeSeries {
    /// How many rows.
    fn len(&self) -> usize {
        self.turns.rows()
    }

    fn values_of(&self, row: usize) -> &[f64] {
        let begin = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.values[begin..self.ends[row]]
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "turns are counted from 0")]
    fn turn_of(&self, row: usize) -> usize {
        self.turns.of(row) as usize
    }

    /// The number of independent rows, at most `rows`, that say as much of the p-th percentile (0 to 100); `ascending` holds the same values.
    /// All of them where no order in time is seen.
    #[must_use]
    pub fn effective_rows(&self, ascending: &[f64], rows: u64, p: f64) -> u64 {
        let share = (p / 100.0).clamp(0.0, 1.0);
        let mirrored = |level: f64| if share < 0.5 { 1.0 - level } else { level };
        let levels = CENTRAL_LEVELS.into_iter().map(mirrored).chain([share]);
        let thresholds = levels.filter_map(|level| percentile(ascending, level * 100.0));
        self.at_largest_effect(thresholds.filter_map(|threshold| self.effect_beyond(threshold)), rows, share.max(1.0 - share))
    }

    /// The same of a share of failed requests, 1 for a failed one and 0 for another.
    #[must_use]
    pub fn effective_rows_of_share(&self, rows: u64) -> u64 {
        self.at_largest_effect(self.effect_beyond(0.5).into_iter(), rows, 0.5)
    }

    /// The standard error of the values' mean, enlarged for the few blocks that tell it. `None` where no order in time is seen, or a value is not
    /// finite.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    pub fn standard_error_of_mean(&self) -> Option<f64> {
        if self.len() < LEAST_ROWS || self.values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let effect = self.effect_on_mean().filter(|effect| effect.is_seen)?;
        let independent = effect.independent_squares.sqrt() / self.values.len() as f64;
        Some(independent * effect.design_effect.max(1.0).sqrt() * student_975(self.blocks() as f64 - 1.0) / NORMAL_975)
    }

    /// `common` is the share of rows that do not lie beyond.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "row counts are far below 2^53"
    )]
    fn at_largest_effect(&self, effects: impl Iterator<Item = TimeEffect>, rows: u64, common: f64) -> u64 {
        if self.len() < LEAST_ROWS {
            return rows;
        }
        let largest = effects.filter(|effect| effect.is_seen).map(|effect| effect.design_effect).fold(1.0, f64::max);
        if largest <= 1.0 {
            return rows;
        }
        let ratio = student_975(rows as f64 - 1.0) / student_975(self.blocks() as f64 - 1.0);
        let estimated = self.values.len() as f64 / largest * ratio * ratio;
        if estimated < FEWEST_TOLD && largest > LONG_MEMORY {
            return LEAST_ROWS_IN_TIME.min(rows);
        }
        let may_be_luck = largest > NOTABLE_MEMORY && estimated < BOUNDS_TOLD * NONE_BEYOND.ln() / common.ln();
        let told = if may_be_luck { LUCK_FACTOR * estimated } else { estimated };
        (told.floor() as u64).max(LEAST_ROWS_IN_TIME).min(rows)
    }

    fn effect_beyond(&self, threshold: f64) -> Option<TimeEffect> {
        self.effect_of_those(|value| value > threshold).or_else(|| self.effect_of_those(|value| value >= threshold))
    }

    /// The effect on the share of the values that are counted. `None` where it is all or none of them, or each row is the only one of its turn.
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    fn effect_of_those(&self, is_counted: impl Fn(f64) -> bool) -> Option<TimeEffect> {
        let counts: Vec<u32> = if self.ends.is_empty() {
            self.values.iter().map(|value| u32::from(is_counted(*value))).collect()
        } else {
            (0..self.len()).map(|row| self.values_of(row).iter().map(|value| u32::from(is_counted(*value))).sum()).collect()
        };
        let (counted, all) = (counts.iter().map(|count| u64::from(*count)).sum::<u64>() as f64, self.values.len() as f64);
        let independent_squares = counted * (all - counted) / all;
        let values_of = |row: usize| if self.ends.is_empty() { 1.0 } else { self.values_of(row).len() as f64 };
        self.effect_of(independent_squares, |row| RowScore { sum: f64::from(counts[row]), count: values_of(row) })
    }

    /// The effect on the mean of the values. `None` where all are the same, or each row is the only one of its turn.
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    fn effect_on_mean(&self) -> Option<TimeEffect> {
        let score_of = |row: usize| {
            let values = if self.ends.is_empty() { std::slice::from_ref(&self.values[row]) } else { self.values_of(row) };
            RowScore { sum: values.iter().sum(), count: values.len() as f64 }
        };
        let mean = (0..self.len()).map(|row| score_of(row).sum).sum::<f64>() / self.values.len() as f64;
        self.effect_of(self.values.iter().map(|value| (value - mean).powi(2)).sum(), score_of)
    }

    /// The effect on the mean of what each value scores; `independent` are the squares of the scores' distances from their mean, added up.
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    fn effect_of(&self, independent: f64, score_of: impl Fn(usize) -> RowScore) -> Option<TimeEffect> {
        if independent <= 0.0 {
            return None;
        }
        let turns = TurnMeans::of((0..self.len()).map(|row| (self.turn_of(row), score_of(row))));
        let residual_of = |row: usize| {
            let score = score_of(row);
            score.sum - score.count * turns.of_turn(self.turn_of(row))
        };
        let residuals = self.residual_sums(residual_of);
        let (rows, turns) = (self.len() as f64, turns.len() as f64);
        if residuals.squares <= 0.0 || rows <= turns {
            return None;
        }
        let blocks_of_all = self.blocks() as f64;
        let blocks_squared = residuals.blocks.iter().flatten().map(|sum| sum * sum).sum::<f64>();
        // What the means of the turns take away of the rows' differences is given back.
        let variance = blocks_squared * blocks_of_all / (blocks_of_all - 1.0) * rows / (rows - turns + 1.0);
        let between_blocks = variance / independent;
        let runs = self.run_ends.len() as f64;
        let between_next = residuals.blocks.iter().flat_map(|run| run.windows(2).map(|pair| pair[0] * pair[1])).sum::<f64>();
        let next_block = between_next / blocks_squared * (blocks_of_all - 1.0) / (blocks_of_all - runs).max(1.0);
        let next_row = residuals.next_row / residuals.squares;
        // Rows of one block have no less in common than those of two: what blocks differ by beyond chance bounds what neighbours share.
        let correlation = unbiased(next_block, blocks_of_all).min(1.0 - 1.0 / between_blocks);
        Some(TimeEffect {
            independent_squares: independent,
            design_effect: between_blocks * first_order_factor(correlation),
            is_seen: next_row > NORMAL_990 / rows.sqrt() || between_blocks > dispersion_990(blocks_of_all - 1.0),
        })
    }

    /// What residuals add up to, taken one after the other.
    fn residual_sums(&self, residual_of: impl Fn(usize) -> f64) -> ResidualSums {
        let mut sums = ResidualSums::default();
        for run in self.runs() {
            let blocks = self.blocks_of(run.len());
            let edge = |block: usize| run.start + block * run.len() / blocks;
            let mut before: Option<f64> = None;
            let of_block = |block: usize| {
                let mut sum = 0.0;
                for row in edge(block)..edge(block + 1) {
                    let residual = residual_of(row);
                    sum += residual;
                    sums.squares += residual * residual;
                    sums.next_row += before.map_or(0.0, |before| before * residual);
                    before = Some(residual);
                }
                sum
            };
            let of_run = (0..blocks).map(of_block).collect();
            sums.blocks.push(of_run);
        }
        sums
    }

    fn runs(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let begins = std::iter::once(0).chain(self.run_ends.iter().copied());
        begins.zip(self.run_ends.iter().copied()).map(|(begin, end)| begin..end)
    }

    /// Blocks of a run.
    fn blocks_of(&self, rows: usize) -> usize {
        blocks_of_a_run(self.run_ends.len()).min(rows)
    }

    fn blocks(&self) -> usize {
        self.runs().map(|run| self.blocks_of(run.len())).sum()
    }
}

/// How many blocks of time each of so many runs is cut into.
pub(super) fn blocks_of_a_run(runs: usize) -> usize {
    LEAST_BLOCKS_OF_A_RUN.max(BLOCKS.div_ceil(runs.max(1)))
}

/// Sums of what rows differ from the mean of their turn by.
#[derive(Debug, Default)]
struct ResidualSums {
    squares: f64,
    /// Products of each with its next of the same run.
    next_row: f64,
    /// Over the blocks of each run.
    blocks: Vec<Vec<f64>>,
}

/// What an order in time does to the variance of a mean.
#[derive(Debug, Clone, Copy, PartialEq)]
struct TimeEffect {
    /// Squares of the scores' distances from their mean, added up.
    independent_squares: f64,
    /// Over the variance of independent values.
    design_effect: f64,
    /// Whether it is more than chance makes of independent rows in a few of a hundred cases.
    is_seen: bool,
}

/// What the values of a row score.
#[derive(Debug, Clone, Copy)]
struct RowScore {
    sum: f64,
    count: f64,
}

/// The mean score of a value of each turn, NaN of a turn without rows.
struct TurnMeans(Vec<f64>);

impl TurnMeans {
    fn of(rows: impl Iterator<Item = (usize, RowScore)>) -> Self {
        let mut sums: Vec<RowScore> = Vec::new();
        for (turn, score) in rows {
            if sums.len() <= turn {
                sums.resize(turn + 1, RowScore { sum: 0.0, count: 0.0 });
            }
            let sum = &mut sums[turn];
            (sum.sum, sum.count) = (sum.sum + score.sum, sum.count + score.count);
        }
        Self(sums.iter().map(|turn| turn.sum / turn.count).collect())
    }

    fn of_turn(&self, turn: usize) -> f64 {
        self.0.get(turn).copied().unwrap_or(0.0)
    }

    /// How many turns have rows.
    fn len(&self) -> usize {
        self.0.iter().filter(|mean| !mean.is_nan()).count()
    }
}

/// The correlation of `count` values with their next, less what taking it from their own mean takes away (M. G. Kendall, "Note on bias in the
/// estimation of autocorrelation", Biometrika 41, 1954).
pub(super) fn unbiased(correlation: f64, count: f64) -> f64 {
    if count > 3.0 { (count * correlation + 1.0) / (count - 3.0) } else { correlation }
}

/// By how much the variance of a mean of blocks is larger where each is correlated with its next, and through it with those after (an
/// autoregression of the first order, as A. Tafazzoli, J. R. Wilson, E. K. Lada and N. M. Steiger adjust batch means, "Performance of Skart",
/// INFORMS Journal on Computing 23, 2011).
pub(super) fn first_order_factor(correlation: f64) -> f64 {
    let correlation = correlation.clamp(0.0, 0.999);
    (1.0 + correlation) / (1.0 - correlation)
}

/// The 99 % quantile of a variance over its expectation, of so many degrees of freedom (E. B. Wilson and M. M. Hilferty, "The distribution of
/// chi-square", PNAS 17, 1931).
fn dispersion_990(degrees: f64) -> f64 {
    if degrees < 1.0 {
        return f64::INFINITY;
    }
    let spread = 2.0 / (9.0 * degrees);
    (1.0 - spread + NORMAL_990 * spread.sqrt()).powi(3)
}

#[cfg(test)]
mod tests;
