//! How far an effect may be off, by resampling pairs of sessions: the paired bootstrap (B. Efron and R. Tibshirani, "An Introduction to the
//! Bootstrap", 1993, chapter 8: what is drawn is what is independent). The same sessions are drawn on both sides, so that what both have
//! in common cancels out. Samples of two sides in, an effect with its variance out; the seed is fixed.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::compared_measure::{Key, PairedSample, SampleStatistic};
use crate::analysis::percentile::{between, neighbours};

/// Resamples of a cell. The spread of a standard error from 500 of them is 3 %.
const RESAMPLES: usize = 500;
const SEED: u64 = 0x6265_6e63_6800_0002;
/// More values than this a side are thinned evenly before resampling: their spread needs no more.
const MOST_VALUES: usize = 2000;

/// How often each pair of sessions is drawn, by resample.
#[derive(Debug)]
pub(super) struct BootstrapDraws(Vec<Vec<u32>>);

impl BootstrapDraws {
    /// `stream` tells cells apart: their draws are independent.
    pub fn of(pairs: usize, stream: u64) -> Self {
        let mut rng = Pcg64::seed_from_u64(SEED ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut draw = || {
            let mut counts = vec![0; pairs];
            for _ in 0..pairs {
                counts[rng.random_range(0..pairs)] += 1;
            }
            counts
        };
        Self(if pairs == 0 { Vec::new() } else { (0..RESAMPLES).map(|_| draw()).collect() })
    }
}

/// A number with its variance, where the resamples give one, and the degrees of freedom that this rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct VarianceEstimate {
    pub value: f64,
    pub variance: Option<f64>,
    pub freedom: f64,
}

/// One measure of one cell on both sides.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CellEffect {
    pub pairs: usize,
    pub n_base: u64,
    pub n_new: u64,
    /// Requests beyond the statistic on the side that has fewer.
    pub beyond: f64,
    pub base: Option<f64>,
    pub new: Option<f64>,
    /// ln(new / base).
    pub log_ratio: Option<VarianceEstimate>,
    /// new - base.
    pub difference: Option<VarianceEstimate>,
    /// Both sides have the very same values, or none has a single case of what is counted.
    pub identical: bool,
}

impl CellEffect {
    /// Of a cell of which a side was ended early: what came of it are rows chosen by their values, and no sample.
    pub fn not_comparable() -> Self {
        Self { pairs: 0, n_base: 0, n_new: 0, beyond: 0.0, base: None, new: None, log_ratio: None, difference: None, identical: false }
    }
}

/// Measures both sides over the sessions that `keys` pairs; a session that brings nothing on one side brings nothing to it.
#[expect(clippy::cast_precision_loss, reason = "sessions are few")]
pub(super) fn measured(base: &PairedSample, new: &PairedSample, keys: &[Key], draws: &BootstrapDraws) -> CellEffect {
    let (sides, n) = ([BootstrapSide::of(base, keys), BootstrapSide::of(new, keys)], [requests(base, keys), requests(new, keys)]);
    let [base_value, new_value] = [sides[0].whole, sides[1].whole];
    let identical = base_value.is_some() && base.statistic == new.statistic && (base.sessions == new.sessions || nothing_seen(base, new));
    let pairs = keys.iter().filter(|key| base.sessions.contains_key(key) && new.sessions.contains_key(key)).count();
    let mut found = CellEffect {
        pairs,
        n_base: n[0],
        n_new: n[1],
        beyond: base.statistic.map_or(0.0, |statistic| statistic.beyond(n[0].min(n[1]))),
        base: base_value,
        new: new_value,
        log_ratio: None,
        difference: None,
        identical,
    };
    let Some((base_value, new_value)) = base_value.zip(new_value).filter(|(base, new)| base.is_finite() && new.is_finite()) else {
        return found;
    };
    let both: Vec<(f64, f64)> =
        if identical { Vec::new() } else { draws.0.iter().filter_map(|draw| sides[0].drawn(draw).zip(sides[1].drawn(draw))).collect() };
    let repeats = if identical { Vec::new() } else { by_repeat(base, new, keys) };
    let effect = |of: &dyn Fn(f64, f64) -> f64| {
        let value = of(base_value, new_value);
        let freedom = pairs.saturating_sub(1).max(1) as f64;
        if identical {
            return VarianceEstimate { value, variance: Some(0.0), freedom };
        }
        // Of an open loop sessions have one row each, and hide that neighbours are late together.
        let effect_of_time = base.effect_of_time.max(new.effect_of_time).max(1.0);
        let by_sessions = spread(both.iter().map(|(base, new)| of(*base, *new)), keys.len(), draws.0.len());
        let within = by_sessions.map(|variance| variance * effect_of_time);
        let between = between_repeats(&repeats.iter().map(|(base, new)| of(*base, *new)).collect::<Vec<_>>());
        let (variance, freedom) = widened(within, freedom, between, repeats.len());
        VarianceEstimate { value, variance, freedom }
    };
    found.difference = Some(effect(&|base, new| new - base));
    if base_value > 0.0 && new_value > 0.0 {
        found.log_ratio = Some(effect(&|base, new| (new / base).ln()));
    }
    found
}

/// The values of both sides in each repeat by itself; empty where there is one repeat or one of them has no value.
fn by_repeat(base: &PairedSample, new: &PairedSample, keys: &[Key]) -> Vec<(f64, f64)> {
    let mut repeats: Vec<u32> = keys.iter().map(|(repeat, _)| *repeat).collect();
    repeats.sort_unstable();
    repeats.dedup();
    let of = |repeat: u32| {
        let own: Vec<Key> = keys.iter().filter(|key| key.0 == repeat).copied().collect();
        BootstrapSide::of(base, &own).whole.zip(BootstrapSide::of(new, &own).whole)
    };
    if repeats.len() < 2 { Vec::new() } else { repeats.into_iter().map(of).collect::<Option<_>>().unwrap_or_default() }
}

/// The variance of the mean of effects that each repeat has by itself; none of fewer than two, or where one is not finite.
#[expect(clippy::cast_precision_loss, reason = "repeats are few")]
fn between_repeats(effects: &[f64]) -> Option<f64> {
    let n = effects.len() as f64;
    let mean = effects.iter().sum::<f64>() / n;
    let variance = effects.iter().map(|effect| (effect - mean).powi(2)).sum::<f64>() / (n - 1.0) / n;
    (effects.len() > 1 && variance.is_finite()).then_some(variance)
}

/// What sessions tell of the variance, widened to what the repeats tell where that is more: a run may go one way for all of its sessions.
/// The degrees of freedom are those of a sum of both parts (F. E. Satterthwaite, Biometrics Bulletin 2, 1946).
#[expect(clippy::cast_precision_loss, reason = "repeats are few")]
fn widened(within: Option<f64>, freedom: f64, between: Option<f64>, repeats: usize) -> (Option<f64>, f64) {
    let (Some(within), Some(between)) = (within, between) else { return (within, freedom) };
    let excess = between - within;
    if excess <= 0.0 {
        return (Some(within), freedom);
    }
    let shares = within * within / freedom + excess * excess / (repeats - 1) as f64;
    (Some(between), (between * between / shares).max(1.0))
}

/// Neither side has a single case of what is counted: no failure, no cached token.
fn nothing_seen(base: &PairedSample, new: &PairedSample) -> bool {
    let none = |sample: &PairedSample| {
        matches!(sample.statistic, Some(SampleStatistic::Quotient(_))) && sample.sessions.values().all(|sums| sums.first() == Some(&0.0))
    };
    none(base) && none(new)
}

fn requests(sample: &PairedSample, keys: &[Key]) -> u64 {
    keys.iter().filter_map(|key| sample.requests.get(key)).sum()
}

/// The variance of resampled effects, enlarged by m / (m - 1) for the m sessions that they are drawn from; `None` where a resample has
/// none (a failed request took part) or there is but one session.
#[expect(clippy::cast_precision_loss, reason = "sessions and resamples are few")]
fn spread(effects: impl Iterator<Item = f64>, sessions: usize, resamples: usize) -> Option<f64> {
    let effects: Vec<f64> = effects.filter(|effect| effect.is_finite()).collect();
    if sessions < 2 || effects.len() < resamples || effects.len() < 2 {
        return None;
    }
    let n = effects.len() as f64;
    let mean = effects.iter().sum::<f64>() / n;
    let variance = effects.iter().map(|effect| (effect - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Some(variance * sessions as f64 / (sessions - 1) as f64)
}

/// One side, ready to be drawn from.
struct BootstrapSide {
    statistic: Option<SampleStatistic>,
    /// Values with the place of their session, ascending; thinned.
    values: Vec<(f64, usize)>,
    /// How many of the values each session has, by its place.
    held: Vec<u32>,
    /// Sums by place of the session.
    sums: Vec<(f64, f64)>,
    /// The statistic of all there is.
    whole: Option<f64>,
}

impl BootstrapSide {
    fn of(sample: &PairedSample, keys: &[Key]) -> Self {
        let mut side = Self { statistic: sample.statistic, values: Vec::new(), held: vec![0; keys.len()], sums: Vec::new(), whole: None };
        let brought = || keys.iter().map(|key| sample.sessions.get(key).map_or(&[][..], Vec::as_slice));
        match sample.statistic {
            None => {}
            Some(SampleStatistic::Quotient(factor)) => {
                side.sums = brought().map(|sums| if let [above, below] = sums { (*above, *below) } else { (0.0, 0.0) }).collect();
                side.whole = quotient(side.sums.iter().copied(), factor);
            }
            Some(statistic) => {
                let mut all: Vec<f64> = brought().flatten().copied().collect();
                all.sort_by(f64::total_cmp);
                side.whole = statistic.of_values(&all);
                side.values = thinned(brought(), all.len());
                side.values.iter().for_each(|(_, place)| side.held[*place] += 1);
            }
        }
        side
    }

    /// The statistic of the drawn sessions.
    fn drawn(&self, draw: &[u32]) -> Option<f64> {
        let times = |place: usize| draw.get(place).copied().unwrap_or(0);
        match self.statistic? {
            SampleStatistic::Quotient(factor) => {
                let parts = self.sums.iter().enumerate();
                quotient(parts.map(|(place, sums)| (f64::from(times(place)) * sums.0, f64::from(times(place)) * sums.1)), factor)
            }
            SampleStatistic::Percentile(p) => {
                let rows = self.held.iter().zip(draw).map(|(held, times)| u64::from(*held) * u64::from(*times)).sum();
                let (low, high, share) = neighbours(rows, p)?;
                let (low, high) = self.drawn_at(draw, rows, low, high)?;
                Some(between(low, high, share))
            }
            SampleStatistic::Max => self.values.iter().rfind(|(_, place)| times(*place) > 0).map(|(value, _)| *value),
            SampleStatistic::Min => self.values.iter().find(|(_, place)| times(*place) > 0).map(|(value, _)| *value),
        }
    }

    /// The values at two places (from 0, `low` before `high`) of the `rows` that are drawn, ascending: counted from the end that is nearer.
    fn drawn_at(&self, draw: &[u32], rows: u64, low: u64, high: u64) -> Option<(f64, f64)> {
        if low + high < rows {
            return nth_two(self.values.iter(), draw, low, high);
        }
        let (high, low) = nth_two(self.values.iter().rev(), draw, rows - 1 - high, rows - 1 - low)?;
        Some((low, high))
    }
}

/// The `first` and the `second` value (from 0, in that order) where each comes as often as its session is drawn.
fn nth_two<'a>(values: impl Iterator<Item = &'a (f64, usize)>, draw: &[u32], first: u64, second: u64) -> Option<(f64, f64)> {
    let (mut seen, mut found) = (0, None);
    for (value, place) in values {
        seen += u64::from(*draw.get(*place)?);
        if found.is_none() && seen > first {
            found = Some(*value);
        }
        if seen > second {
            return found.zip(Some(*value));
        }
    }
    None
}

fn quotient(parts: impl Iterator<Item = (f64, f64)>, factor: f64) -> Option<f64> {
    let (above, below) = parts.fold((0.0, 0.0), |all, part| (all.0 + part.0, all.1 + part.1));
    (below > 0.0).then(|| factor * above / below).filter(|value| !value.is_nan())
}

/// Every k-th of each session's ascending values, the count going on from session to session, so that each keeps its share.
fn thinned<'a>(sessions: impl Iterator<Item = &'a [f64]>, all: usize) -> Vec<(f64, usize)> {
    let step = all.div_ceil(MOST_VALUES).max(1);
    let mut values = Vec::new();
    let mut count = step / 2;
    for (place, session) in sessions.enumerate() {
        let mut session = session.to_vec();
        session.sort_by(f64::total_cmp);
        for value in session {
            if count.is_multiple_of(step) {
                values.push((value, place));
            }
            count += 1;
        }
    }
    values.sort_by(|left, right| left.0.total_cmp(&right.0));
    values
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_statistic_of_a_draw_is_that_of_the_values_written_out_as_often_as_they_are_drawn(
            sessions in prop::collection::vec((prop::collection::vec(0..40_u32, 0..6), 0..4_u32), 1..12),
            statistic in prop_oneof![(0.0..=100.0).prop_map(SampleStatistic::Percentile), Just(SampleStatistic::Max), Just(SampleStatistic::Min)],
        ) {
            let keys: Vec<Key> = (0..sessions.len() as u64).map(|session| (0, session)).collect();
            let values = |values: &[u32]| values.iter().map(|value| if *value == 39 { f64::INFINITY } else { f64::from(*value) }).collect();
            let held: std::collections::BTreeMap<Key, Vec<f64>> = keys.iter().zip(&sessions).map(|(key, (held, _))| (*key, values(held))).collect();
            let draw: Vec<u32> = sessions.iter().map(|(_, times)| *times).collect();
            let mut written: Vec<f64> = keys.iter().zip(&draw).flat_map(|(key, times)| held[key].repeat(*times as usize)).collect();
            written.sort_by(f64::total_cmp);
            let sample = PairedSample { sessions: held, statistic: Some(statistic), ..PairedSample::default() };
            prop_assert_eq!(BootstrapSide::of(&sample, &keys).drawn(&draw), statistic.of_values(&written));
        }
    }

    #[test]
    fn what_rows_near_in_time_have_in_common_widens_an_effect() {
        let sample = |effect_of_time: f64, shift: f64| PairedSample {
            sessions: (0..40_u32).map(|session| ((0, u64::from(session)), vec![shift + f64::from(session % 7)])).collect(),
            requests: (0..40).map(|session| ((0, session), 1)).collect(),
            statistic: Some(SampleStatistic::Percentile(50.0)),
            effect_of_time,
        };
        let keys: Vec<Key> = (0..40).map(|session| (0, session)).collect();
        let variance = |effect: f64| {
            measured(&sample(effect, 1.0), &sample(1.0, 1.3), &keys, &BootstrapDraws::of(40, 0)).difference.unwrap().variance.unwrap()
        };
        assert!((variance(9.0) / variance(1.0) - 9.0).abs() < 1e-9);
    }

    #[test]
    fn repeats_that_disagree_more_than_their_sessions_widen_the_variance_and_count_as_few() {
        // Effects 0, 1 and 2 have a variance of 1, their mean of 1/3.
        let between = between_repeats(&[0.0, 1.0, 2.0]);
        assert!((between.unwrap() - 1.0 / 3.0).abs() < 1e-12);
        let (variance, freedom) = widened(Some(0.01), 30.0, between, 3);
        assert_eq!(variance, between);
        assert!((2.0..2.2).contains(&freedom), "hardly more than the two of three repeats: {freedom}");
        assert_eq!(widened(Some(0.5), 30.0, between, 3), (Some(0.5), 30.0));
        assert_eq!(widened(Some(0.5), 30.0, None, 1), (Some(0.5), 30.0));
        assert_eq!(between_repeats(&[1.0]), None);
    }
}
