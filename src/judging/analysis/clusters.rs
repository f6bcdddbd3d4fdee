//! How many independent rows the rows of sessions are worth: turns of one session share a document, a length and a place in the caches, and
//! agree more than turns of different sessions do.
//!
//! In: values session by session, and the share below the percentile in question. Out: an effective number of rows, never more than there
//! are, with which exact binomial ranks and shares are then formed (E. L. Korn and B. I. Graubard, "Confidence intervals for proportions
//! with small expected number of positive counts estimated from survey data", Survey Methodology 24, 1998). Must not know limits nor goals.

use std::cell::OnceCell;

use super::percentile;
use super::time_series::LEAST_ROWS_IN_TIME;
use super::value_order::ValueOrder;
use crate::foundation::normal::normal_quantile;

/// Fewer sessions with a failure than this say nothing of how failures gather in sessions.
const LEAST_FAILING_SESSIONS: usize = 5;

/// Values session by session, one session behind the other.
#[derive(Debug, Default)]
pub struct SessionValues {
    values: Vec<f64>,
    /// How many values there are up to the end of each session; empty as long as each brings one.
    ends: Vec<usize>,
    order: OnceCell<ValueOrder>,
    alike: OnceCell<f64>,
}

impl SessionValues {
    /// Room for so many values.
    #[must_use]
    pub fn with_capacity(values: usize) -> Self {
        Self { values: Vec::with_capacity(values), ..Self::default() }
    }

    /// Adds the values that a session brings; one that brings none is left out.
    pub fn add(&mut self, bring: impl FnOnce(&mut Vec<f64>)) {
        let before = self.values.len();
        bring(&mut self.values);
        let brought = self.values.len() - before;
        if brought > 1 && self.ends.is_empty() {
            self.ends.extend(1..=before);
        }
        if brought > 1 || brought == 1 && !self.ends.is_empty() {
            self.ends.push(self.values.len());
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &[f64]> {
        let mut begin = 0;
        (0..self.len()).map(move |session| {
            let end = self.ends.get(session).copied().unwrap_or(session + 1);
            let values = &self.values[begin..end];
            begin = end;
            values
        })
    }

    /// How many sessions.
    #[must_use]
    pub fn len(&self) -> usize {
        if self.ends.is_empty() { self.values.len() } else { self.ends.len() }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The standard error of the mean, with sessions as what is independent: the linearised variance of a ratio.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    pub fn standard_error_of_mean(&self) -> f64 {
        let total = self.values.len() as f64;
        let mean = self.values.iter().sum::<f64>() / total;
        let squares: f64 = self.iter().map(|values| values.iter().map(|value| value - mean).sum::<f64>().powi(2)).sum();
        squares.sqrt() / total
    }

    /// All values, session by session.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// All values, ascending; worked out once.
    pub fn ascending(&self) -> &[f64] {
        &self.order().ascending
    }

    /// Gives back the memory that ranks are looked up in.
    pub(super) fn forget_ranks(&mut self) {
        if let Some(order) = self.order.get_mut() {
            order.forget_ranks();
        }
    }

    fn order(&self) -> &ValueOrder {
        // Ranks are only asked for where sessions bring several values.
        let each_brings_one = self.ends.is_empty();
        self.order.get_or_init(|| if each_brings_one { ValueOrder::of(&self.values) } else { ValueOrder::with_ranks(&self.values) })
    }
}

impl<S: AsRef<[f64]>> FromIterator<S> for SessionValues {
    fn from_iter<I: IntoIterator<Item = S>>(sessions: I) -> Self {
        let mut all = Self::default();
        for session in sessions {
            all.add(|values| values.extend_from_slice(session.as_ref()));
        }
        all
    }
}

/// The number of independent rows that say as much of the p-th percentile (0 to 100) as `rows` requests in these sessions do.
///
/// That is all of them where each session brings one. Where a request brings many values (gaps between tokens), there are more values than
/// rows, and they are taken together with the session.
#[must_use]
pub fn effective_rows(sessions: &SessionValues, rows: u64, p: f64) -> u64 {
    let share = (p / 100.0).clamp(0.0, 1.0);
    if sessions.len() as u64 == rows {
        return rows;
    }
    let clusters = ClusterSizes::of(sessions);
    let mut all = sessions.values.iter();
    let first = all.next();
    if all.all(|value| Some(value) == first) {
        // Nothing differs, so no session is seen to differ from another.
        return rows;
    }
    let Some(seen) = seen_design_effect(sessions, &clusters, share) else { return clusters.rows_at(clusters.worst(), rows) };
    clusters.rows_at(seen.max(expected_design_effect(sessions, &clusters, share)), rows)
}

/// The same for a share of failed requests, 1 for a failed one and 0 for another. Where hardly any session had a failure, nothing tells
/// whether one comes alone: then a session counts as one row.
#[must_use]
pub fn effective_rows_of_share(sessions: &SessionValues, rows: u64) -> u64 {
    if sessions.len() as u64 == rows {
        return rows;
    }
    let clusters = ClusterSizes::of(sessions);
    let with = |hit: bool| sessions.iter().filter(|values| values.iter().any(|value| (*value > 0.5) == hit)).count();
    if with(true).min(with(false)) < LEAST_FAILING_SESSIONS {
        return clusters.rows_at(clusters.worst(), rows);
    }
    let hits: Vec<f64> = sessions.iter().map(|values| values.iter().sum()).collect();
    clusters.rows_at(clusters.design_effect(&hits).unwrap_or(clusters.worst()), rows)
}

/// The least number of independent rows that sessions of these sizes can be worth, whatever their values and their order in time.
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "row counts are far below 2^53")]
pub fn least_effective_rows(sizes: &[u64]) -> u64 {
    let (rows, squares) = sizes.iter().fold((0.0, 0.0), |(rows, squares), size| (rows + *size as f64, squares + (*size as f64).powi(2)));
    // Sessions of the same size are exact up to the last bits, as in `rows_at`.
    let of_sessions = if squares > 0.0 { (rows / (squares / rows) * (1.0 + 1e-12)).floor() as u64 } else { 0 };
    of_sessions.min(LEAST_ROWS_IN_TIME)
}

/// Sizes of sessions.
struct ClusterSizes {
    sizes: Vec<f64>,
    /// How many.
    count: f64,
    total: f64,
    /// The size of the session that the average value is in.
    mean_size: f64,
}

impl ClusterSizes {
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    fn of(sessions: &SessionValues) -> Self {
        let sizes: Vec<f64> = sessions.iter().map(|values| values.len() as f64).collect();
        let total: f64 = sizes.iter().sum();
        let mean_size = if total > 0.0 { sizes.iter().map(|size| size * size).sum::<f64>() / total } else { 1.0 };
        Self { count: sizes.len() as f64, sizes, total, mean_size }
    }

    /// Where the values of a session agree entirely.
    fn worst(&self) -> f64 {
        self.mean_size
    }

    /// The variance of a share over its variance among independent values, from the hits of each session: the linearised variance of a
    /// ratio between sessions (W. G. Cochran, "Sampling Techniques", 3rd ed. 1977, section 9A.7). `None` where all or none hit.
    fn design_effect(&self, hits: &[f64]) -> Option<f64> {
        let share = hits.iter().sum::<f64>() / self.total;
        let count = self.count;
        let simple = share * (1.0 - share) * self.total;
        if count < 2.0 || simple <= 0.0 {
            return None;
        }
        let between: f64 = hits.iter().zip(&self.sizes).map(|(hits, size)| (hits - share * size).powi(2)).sum();
        Some(between * count / (count - 1.0) / simple)
    }

    /// Effective rows, rounded down. A design effect that few sessions gave is itself unsure: the ratio of Student's quantiles allows for
    /// it, as Korn and Graubard do. Sessions as single rows need no such estimate and bound it from below.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "row counts are far below 2^53"
    )]
    fn rows_at(&self, design_effect: f64, rows: u64) -> u64 {
        let least = self.total / self.worst();
        let ratio = student_975(rows as f64 - 1.0) / student_975(self.count - 1.0);
        let estimated = self.total / design_effect.max(1.0) * ratio * ratio;
        // Sums of squares of equal sizes are exact up to the last bits.
        (estimated.max(least).min(rows as f64) * (1.0 + 1e-12)).floor() as u64
    }
}

/// From how the rows beyond the sample's own percentile lie in sessions, or those beyond values further out: rare slow sessions move a
/// percentile as they come and go before they reach it.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn seen_design_effect(sessions: &SessionValues, clusters: &ClusterSizes, share: f64) -> Option<f64> {
    let beyond =
        |at: f64| -> Vec<f64> { sessions.iter().map(|values| values.iter().filter(|value| **value > at).count() as f64).collect() };
    let from = |at: f64| -> Vec<f64> { sessions.iter().map(|values| values.iter().filter(|value| **value >= at).count() as f64).collect() };
    let at = |share: f64| {
        let at = percentile(sessions.ascending(), share * 100.0)?;
        clusters.design_effect(&beyond(at)).or_else(|| clusters.design_effect(&from(at)))
    };
    let further = |part: f64| if share < 0.5 { share * part } else { 1.0 - (1.0 - share) * part };
    [1.0, 0.5, 0.25].into_iter().filter_map(|part| at(further(part))).reduce(f64::max)
}

/// From how alike the values of a session are over all, were they normal after some transformation. So few rows are beyond a p95 that their
/// places alone say little.
fn expected_design_effect(sessions: &SessionValues, clusters: &ClusterSizes, share: f64) -> f64 {
    let alike = *sessions.alike.get_or_init(|| rank_correlation(sessions, clusters));
    1.0 + (clusters.mean_size - 1.0) * tail_correlation(alike, share)
}

/// The correlation of two values of one session in normal scores: the intraclass correlation of their ranks by analysis of variance
/// (G. W. Snedecor and W. G. Cochran, "Statistical Methods", 8th ed. 1989, section 13.5), and from it Pearson's by 2 sin(pi r / 6).
fn rank_correlation(sessions: &SessionValues, clusters: &ClusterSizes) -> f64 {
    let order = sessions.order();
    let (total, count) = (clusters.total, clusters.count);
    let mean = total.midpoint(1.0);
    let (mut between, mut within) = (0.0, 0.0);
    let (mut ranks, mut begin) = (Vec::new(), 0);
    for (values, size) in sessions.iter().zip(&clusters.sizes) {
        ranks.clear();
        ranks.extend((begin..).zip(values).map(|(place, value)| order.rank_of(place, *value)));
        begin += values.len();
        let own = ranks.iter().sum::<f64>() / size;
        between += size * (own - mean).powi(2);
        within += ranks.iter().map(|rank| (rank - own).powi(2)).sum::<f64>();
    }
    if total <= count {
        return 0.0;
    }
    let (between, within) = (between / (count - 1.0), within / (total - count));
    let size = (total - clusters.mean_size) / (count - 1.0);
    let correlation = (between - within) / (between + (size - 1.0) * within);
    if correlation.is_finite() { 2.0 * (correlation.clamp(0.0, 1.0) * std::f64::consts::PI / 6.0).sin() } else { 1.0 }
}

/// The correlation of "is beyond the percentile" of two normal values that are correlated: the integral of the bivariate density over the
/// correlation (R. L. Plackett, "A reduction formula for normal multivariate integrals", Biometrika 41, 1954), by Simpson's rule over its
/// arcsine.
fn tail_correlation(correlation: f64, share: f64) -> f64 {
    const STEPS: u32 = 32;
    let square = normal_quantile(share).powi(2);
    let end = correlation.clamp(0.0, 1.0).asin();
    let density = |angle: f64| (-square / (1.0 + angle.sin())).exp();
    let weight = |step: u32| {
        if step == 0 || step == STEPS {
            1.0
        } else if step % 2 == 1 {
            4.0
        } else {
            2.0
        }
    };
    let sum: f64 = (0..=STEPS).map(|step| weight(step) * density(end * f64::from(step) / f64::from(STEPS))).sum();
    let joint = sum * end / f64::from(STEPS) / 3.0 / std::f64::consts::TAU;
    let variance = share * (1.0 - share);
    if variance > 0.0 { (joint / variance).clamp(0.0, 1.0) } else { 1.0 }
}

/// Student's 97.5 % quantile, expanded about the normal one (M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 1964,
/// 26.7.5): within 1 % from three degrees of freedom on. Infinite of none.
pub(super) fn student_975(degrees: f64) -> f64 {
    if degrees < 1.0 {
        return f64::INFINITY;
    }
    let x = normal_quantile(0.975);
    let first = (x.powi(3) + x) / 4.0;
    let second = (5.0 * x.powi(5) + 16.0 * x.powi(3) + 3.0 * x) / 96.0;
    let third = (3.0 * x.powi(7) + 19.0 * x.powi(5) + 17.0 * x.powi(3) - 15.0 * x) / 384.0;
    x + first / degrees + second / degrees.powi(2) + third / degrees.powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<S: AsRef<[f64]>>(sessions: &[S]) -> SessionValues {
        sessions.iter().collect()
    }

    fn near(left: f64, right: f64, within: f64) {
        assert!((left - right).abs() <= within, "{left} is not {right}");
    }

    #[test]
    fn sessions_of_one_row_are_independent_rows() {
        let sessions: Vec<Vec<f64>> = (0..59).map(|i| vec![f64::from(i % 7)]).collect();
        assert_eq!(effective_rows(&of(&sessions), 59, 95.0), 59);
        assert_eq!(effective_rows_of_share(&of(&sessions), 59), 59);
    }

    #[test]
    fn rows_that_repeat_their_session_add_nothing() {
        let sessions: Vec<Vec<f64>> = (0..40).map(|i| vec![f64::from(i); 10]).collect();
        assert_eq!((effective_rows(&of(&sessions), 400, 50.0), effective_rows(&of(&sessions), 400, 95.0)), (40, 40));
        // Rows that are all the same show no session that differs.
        assert_eq!(effective_rows(&of(&[[1.0; 10]; 40]), 400, 95.0), 400);
        assert_eq!((effective_rows(&of(&[[1.0, 2.0, 3.0]]), 3, 95.0), effective_rows(&SessionValues::default(), 0, 95.0)), (1, 0));
    }

    #[test]
    fn rows_that_differ_within_sessions_as_much_as_between_them_all_count() {
        // Each session has every value once: nothing but the few sessions' own uncertainty is left, (t_399 / t_39)^2 = (1.9659 / 2.0227)^2.
        let sessions: Vec<Vec<f64>> = (0..40).map(|_| (0..10).map(f64::from).collect()).collect();
        assert_eq!(effective_rows(&of(&sessions), 400, 50.0), 377);
    }

    #[test]
    fn failures_count_by_session_until_some_sessions_had_one() {
        let with = |failing: usize| -> Vec<Vec<f64>> {
            (0..60).map(|i| (0..10).map(|turn| f64::from(u8::from(i < failing && turn == 3))).collect()).collect()
        };
        assert_eq!(effective_rows_of_share(&of(&with(0)), 600), 60);
        assert_eq!(effective_rows_of_share(&of(&with(4)), 600), 60);
        // One in each of twenty sessions: more even than chance would have it.
        assert!(effective_rows_of_share(&of(&with(20)), 600) > 560);
        // Failures that take whole sessions are sessions.
        let whole: Vec<Vec<f64>> = (0..60).map(|i| vec![f64::from(u8::from(i < 10)); 10]).collect();
        assert_eq!(effective_rows_of_share(&of(&whole), 600), 60);
    }

    #[test]
    fn the_linearised_variance_is_that_of_the_textbook() {
        // Shares 0, 1/2, 1 of two each: sum of (hits - size / 2)^2 = 2, times 3 / 2, over 6 / 4.
        let clusters = ClusterSizes::of(&of(&[[0.0; 2]; 3]));
        near(clusters.design_effect(&[0.0, 1.0, 2.0]).unwrap(), 2.0, 1e-12);
        assert_eq!(clusters.design_effect(&[0.0; 3]), None);
    }

    #[test]
    fn quantiles_and_correlations_are_those_of_the_tables() {
        // Student's t at 97.5 %: 3.182 with 3, 2.228 with 10, 2.021 with 40 degrees of freedom.
        near(student_975(3.0), 3.182, 0.03);
        near(student_975(10.0), 2.228, 0.001);
        near(student_975(40.0), 2.021, 0.001);
        // At the median the correlation of the signs is (2 / pi) asin(r) (Sheppard 1899).
        near(tail_correlation(0.5, 0.5), 1.0 / 3.0, 1e-9);
        near(tail_correlation(0.0, 0.95), 0.0, 1e-12);
        near(tail_correlation(1.0, 0.95), 1.0, 1e-3);
    }
}
