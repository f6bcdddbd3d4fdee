//! The nightly gate: is it worse than before? k of the last n nights regressed against the nights before them, or a slow drift.
//!
//! In: nights that did the same work, oldest first. Out: a [`GateResult`] with what every night said and why. Rules: `docs/metrics.md`.

use serde::Serialize;

use super::against::{self, NightComparison};
use super::night::NightSweep;
use super::pool::pooled;
use super::series::labels;
use super::trend::{DriftTest, drift};
use crate::analysis::compare::ComparisonVerdict;

/// The chance of a false alarm by drift, over all variants together.
const DOUBT: f64 = 0.05;

/// How nights are judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateOptions {
    /// n: how many of the last nights are asked.
    pub nights: usize,
    /// k: how many of them have to be worse.
    pub regressed: usize,
    /// How many nights before these are what they are compared with, at most; and in how many of the last nights a drift is looked for.
    pub window: usize,
    /// The largest relative change that counts as none: 0.05 for 5 %.
    pub margin: f64,
    /// Differences of the work that are compared all the same, by dotted path.
    pub accept: Vec<String>,
}

impl Default for GateOptions {
    fn default() -> Self {
        Self { nights: 3, regressed: 2, window: 14, margin: 0.05, accept: Vec::new() }
    }
}

impl GateOptions {
    /// So many nights that did the same work it takes to find k that regressed: these, and one before them where no base is named.
    #[must_use]
    pub fn nights_needed(&self, has_base: bool) -> usize {
        self.regressed + usize::from(!has_base)
    }
}

/// What the gate says of a variant's nights or of its drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GateVerdict {
    NotWorse,
    Worse,
    NotEnoughData,
}

/// What the gate found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateResult {
    /// Worse where any variant is, by its nights or by drift; not enough data where the nights of any variant cannot be told.
    pub finding: GateVerdict,
    pub options: GateOptions,
    /// The nights that the last ones are compared with.
    pub reference: Vec<String>,
    pub variants: Vec<VariantGateResult>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariantGateResult {
    pub variant: String,
    /// Of k of n.
    pub finding: GateVerdict,
    /// How many of the last nights regressed.
    pub regressed: usize,
    /// How many of them cannot be told, those that are not there yet included.
    pub open: usize,
    /// The last nights, oldest first.
    pub nights: Vec<NightComparison>,
    pub drift: DriftTest,
}

/// Judges nights that did the same work, oldest first. `base` are the nights to compare with instead of those before the last ones.
#[must_use]
pub fn gate(nights: &[NightSweep], base: Option<&[NightSweep]>, options: &GateOptions) -> GateResult {
    // Without a base, one night at least has to be left to compare with.
    let most = if base.is_some() { nights.len() } else { nights.len().saturating_sub(1) };
    let split = nights.len() - options.nights.min(most);
    let (before, last) = nights.split_at(split);
    let reference = base.unwrap_or(&before[before.len().saturating_sub(options.window)..]);
    let pool = pooled(&reference.iter().map(|night| &night.sweep).collect::<Vec<_>>());
    let names = variants(if last.is_empty() { nights } else { last });
    let threshold = DOUBT / f64::from(u32::try_from(names.len().max(1)).unwrap_or(u32::MAX));
    let labels = labels(nights);
    let judged = |name: &String| {
        let called = last.iter().zip(&labels[split..]);
        let calls: Vec<NightComparison> =
            called.map(|(night, label)| against::call(night, label, name, reference, pool.as_ref(), options)).collect();
        let count = |call: ComparisonVerdict| calls.iter().filter(|night| night.call == call).count();
        let (regressed, open) =
            (count(ComparisonVerdict::Regressed), count(ComparisonVerdict::NotEnoughData) + (options.nights - calls.len()));
        VariantGateResult {
            variant: name.clone(),
            finding: k_of_n(regressed, open, options.regressed),
            regressed,
            open,
            nights: calls,
            drift: drift(&nights[nights.len().saturating_sub(options.window)..], name, threshold, options.margin),
        }
    };
    let variants: Vec<VariantGateResult> = names.iter().map(judged).collect();
    let reference = reference.iter().map(|night| night.folder.display().to_string()).collect();
    GateResult { finding: whole(&variants), options: options.clone(), reference, variants }
}

/// The variants of these nights, in the order of the newest one; then those that only older ones have.
fn variants(nights: &[NightSweep]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for variant in nights.iter().rev().flat_map(|night| &night.summary.variants) {
        if !names.contains(&variant.name) {
            names.push(variant.name.clone());
        }
    }
    names
}

/// Worse where k nights regressed; not worse where, even if all that cannot be told had, they would be fewer.
fn k_of_n(regressed: usize, open: usize, k: usize) -> GateVerdict {
    if regressed >= k {
        GateVerdict::Worse
    } else if regressed + open < k {
        GateVerdict::NotWorse
    } else {
        GateVerdict::NotEnoughData
    }
}

fn whole(variants: &[VariantGateResult]) -> GateVerdict {
    let worse = |variant: &VariantGateResult| variant.finding == GateVerdict::Worse || variant.drift.finding == GateVerdict::Worse;
    if variants.iter().any(worse) {
        GateVerdict::Worse
    } else if variants.is_empty() || variants.iter().any(|variant| variant.finding == GateVerdict::NotEnoughData) {
        GateVerdict::NotEnoughData
    } else {
        GateVerdict::NotWorse
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::nights;
    use super::*;

    fn judged(largest_s: &[f64]) -> VariantGateResult {
        gate(&nights(largest_s), None, &GateOptions::default()).variants.remove(0)
    }

    #[test]
    fn two_slow_nights_of_the_last_three_are_worse_and_one_is_not() {
        let slow = judged(&[0.5, 0.5, 0.5, 0.5, 0.8, 0.8]);
        assert_eq!((slow.regressed, slow.finding), (2, GateVerdict::Worse), "{slow:?}");
        assert_eq!(slow.nights.iter().map(|night| night.label.as_str()).collect::<Vec<_>>(), ["2026-01-04", "2026-01-05", "2026-01-06"]);
        let once = judged(&[0.5, 0.5, 0.5, 0.5, 0.8, 0.5]);
        assert_eq!((once.regressed, once.open, once.finding), (1, 0, GateVerdict::NotWorse), "{once:?}");
    }

    #[test]
    fn too_few_nights_are_never_not_worse_and_a_base_makes_them_enough() {
        for few in [&[][..], &[8.0], &[0.5, 0.5]] {
            let gate = gate(&nights(few), None, &GateOptions::default());
            assert_eq!(gate.finding, GateVerdict::NotEnoughData, "{few:?}");
        }
        assert_eq!(gate(&nights(&[0.5, 0.5, 0.5]), None, &GateOptions::default()).finding, GateVerdict::NotWorse);
        let based = gate(&nights(&[8.0, 8.0]), Some(&nights(&[0.5])), &GateOptions::default());
        assert_eq!((based.finding, based.reference.len()), (GateVerdict::Worse, 1));
        assert_eq!([true, false].map(|based| GateOptions::default().nights_needed(based)), [2, 3]);
    }

    #[test]
    fn k_of_n_is_not_worse_only_where_what_cannot_be_told_could_not_change_it() {
        assert_eq!([k_of_n(2, 0, 2), k_of_n(1, 0, 2), k_of_n(0, 1, 2)], [GateVerdict::Worse, GateVerdict::NotWorse, GateVerdict::NotWorse]);
        assert_eq!([k_of_n(1, 1, 2), k_of_n(0, 2, 2), k_of_n(0, 1, 1)], [GateVerdict::NotEnoughData; 3]);
        assert_eq!(k_of_n(2, 5, 2), GateVerdict::Worse);
    }

    #[test]
    fn only_the_window_is_what_nights_are_compared_with() {
        let gate = gate(&nights(&[0.5; 9]), None, &GateOptions { window: 4, ..GateOptions::default() });
        assert_eq!(gate.reference, ["night-03", "night-04", "night-05", "night-06"]);
        assert_eq!(gate.variants[0].drift.nights, 4);
    }
}
