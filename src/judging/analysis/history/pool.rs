//! Several nights as one saved sweep: their runs under the same plan, so that every cell's rows are those of all nights. What a night could
//! not run, or ran from caches that were not empty, is left out.

use crate::records::record::RunOutcome;
use crate::records::store::SavedSweep;

/// The nights' runs together; `None` without a night.
#[must_use]
pub fn pooled(nights: &[&SavedSweep]) -> Option<SavedSweep> {
    let mut pooled = SavedSweep::clone(nights.first()?);
    pooled.dir = "the nights before".into();
    pooled.runs.clear();
    for night in nights {
        for planned in &night.manifest.runs {
            if pooled.manifest.runs.iter().all(|known| known.id != planned.id) {
                pooled.manifest.runs.push(planned.clone());
            }
        }
        for variant in &night.manifest.variants {
            if !pooled.manifest.variants.contains(variant) {
                pooled.manifest.variants.push(variant.clone());
            }
        }
        let good = night.runs.iter().filter(|run| run.record.outcome == RunOutcome::Completed && run.record.invalidity().is_none());
        pooled.runs.extend(good.cloned());
    }
    Some(pooled)
}
