//! One night: a saved sweep, its summary, and the work that it did. Nights are put into series only where the work is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;

use crate::analysis::compare::SettingDifference;
use crate::analysis::{AnalysisError, SummaryOptions, SweepSummary, short, summarize};
use crate::records::store::SavedSweep;

/// A saved sweep of some night.
#[derive(Debug, Clone)]
pub struct NightSweep {
    /// What people call it: its folder below the one that was asked for.
    pub folder: PathBuf,
    pub sweep: SavedSweep,
    pub summary: SweepSummary,
    work: WorkFingerprint,
}

/// What was asked of the server: nights that differ in it are not comparable.
#[derive(Debug, Clone, PartialEq)]
struct WorkFingerprint {
    seed: u64,
    /// `simulated`, `imported` or `measured`.
    origin: &'static str,
    /// Of each variant, by dotted path, the values in its runs, the swept axes left out.
    variants: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl NightSweep {
    pub fn new(folder: PathBuf, sweep: SavedSweep, question: &SummaryOptions) -> Result<Self, AnalysisError> {
        let summary = summarize(&sweep, question)?;
        let work = WorkFingerprint::of(&sweep);
        Ok(Self { folder, sweep, summary, work })
    }

    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.sweep.manifest.created_at
    }

    /// What is not the same work as on another night and not accepted; only what both have is compared, so that a night that was cut short
    /// still fits.
    #[must_use]
    pub fn differs(&self, other: &Self, accept: &[String]) -> Vec<SettingDifference> {
        let (left, right) = (&self.work, &other.work);
        let mut found = Vec::new();
        let mut add = |what: &str, base: String, new: String| {
            let what = what.to_owned();
            if base != new && !found.iter().any(|known: &SettingDifference| known.what == what) {
                found.push(SettingDifference { what, base, new });
            }
        };
        add("seed", left.seed.to_string(), right.seed.to_string());
        add("origin", left.origin.to_owned(), right.origin.to_owned());
        for (variant, fields) in &left.variants {
            let Some(others) = right.variants.get(variant) else { continue };
            for path in fields.keys().chain(others.keys()).collect::<BTreeSet<_>>() {
                add(path, shown(fields.get(path)), shown(others.get(path)));
            }
        }
        found.retain(|difference| !difference.is_accepted(accept));
        found
    }
}

impl WorkFingerprint {
    fn of(sweep: &SavedSweep) -> Self {
        let axes: BTreeSet<&str> = sweep.manifest.axes.iter().map(|(name, _)| name.as_str()).collect();
        let mut variants: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for run in &sweep.runs {
            let header = &run.record.header;
            let fields = variants.entry(header.variant.clone()).or_default();
            for (path, value) in header.cell.work_leaves().into_iter().filter(|(path, _)| !is_axis(&axes, path)) {
                fields.entry(path).or_default().insert(value.to_string());
            }
        }
        let origin = match (&sweep.manifest.imported, sweep.manifest.simulated) {
            (Some(_), _) => "imported",
            (None, true) => "simulated",
            (None, false) => "measured",
        };
        Self { seed: sweep.manifest.seed, origin, variants }
    }
}

/// Whether a field or a table around it is swept.
fn is_axis(axes: &BTreeSet<&str>, path: &str) -> bool {
    axes.iter().any(|axis| path == *axis || path.strip_prefix(axis).is_some_and(|rest| rest.starts_with('.')) || short(axis) == path)
}

fn shown(values: Option<&BTreeSet<String>>) -> String {
    values.map_or_else(|| "not set".to_owned(), |values| values.iter().cloned().collect::<Vec<_>>().join(", "))
}

/// Nights by scenario name and, in each, by work, every series in the order of its dates; the series themselves by name, then by their
/// first night. Beside each series: what its first night did otherwise than the first series of the same name. What is accepted, by dotted
/// path, sets no nights apart.
#[must_use]
pub fn by_work(mut nights: Vec<NightSweep>, accept: &[String]) -> Vec<(Vec<NightSweep>, Vec<SettingDifference>)> {
    nights.sort_by(|left, right| {
        let order = left.summary.name.cmp(&right.summary.name);
        order.then(left.created_at().cmp(&right.created_at())).then_with(|| left.folder.cmp(&right.folder))
    });
    let mut series: Vec<(Vec<NightSweep>, Vec<SettingDifference>)> = Vec::new();
    for night in nights {
        let named = |members: &&mut (Vec<NightSweep>, Vec<SettingDifference>)| {
            members.0.first().is_some_and(|first| first.summary.name == night.summary.name && first.differs(&night, accept).is_empty())
        };
        if let Some((members, _)) = series.iter_mut().find(named) {
            members.push(night);
            continue;
        }
        let first = series.iter().filter_map(|(members, _)| members.first()).find(|first| first.summary.name == night.summary.name);
        let differences = first.map(|first| first.differs(&night, accept)).unwrap_or_default();
        series.push((vec![night], differences));
    }
    series
}

#[cfg(test)]
mod tests {
    use super::super::stage::{night, steady};
    use super::*;

    #[test]
    fn nights_of_another_seed_or_another_workload_are_a_series_of_their_own() {
        let mut other_seed = steady(2, 0.5);
        other_seed.manifest.seed = 8;
        let mut other_rounds = steady(4, 0.5);
        for run in &mut other_rounds.runs {
            run.record.header.cell = serde_json::json!({"workload": {"kind": "document_qa", "rounds": 5}}).into();
        }
        let nights = vec![night(3, steady(3, 0.5)), night(2, other_seed), night(4, other_rounds), night(1, steady(1, 0.5))];
        let series = by_work(nights.clone(), &[]);
        let folders: Vec<Vec<String>> =
            series.iter().map(|(nights, _)| nights.iter().map(|night| night.folder.display().to_string()).collect()).collect();
        assert_eq!(folders, [vec!["night-01", "night-03"], vec!["night-02"], vec!["night-04"]]);
        let told: Vec<(&str, &str, &str)> = series[1].1.iter().map(|d| (d.what.as_str(), d.base.as_str(), d.new.as_str())).collect();
        assert_eq!(told, [("seed", "7", "8")]);
        let told: Vec<(&str, &str, &str)> = series[2].1.iter().map(|d| (d.what.as_str(), d.base.as_str(), d.new.as_str())).collect();
        assert_eq!(told, [("workload.rounds", "not set", "5")]);
        let accepted: Vec<usize> = by_work(nights, &["seed".to_owned()]).iter().map(|(nights, _)| nights.len()).collect();
        assert_eq!(accepted, [3, 1], "other rounds are still apart");
    }

    #[test]
    fn a_night_that_was_cut_short_still_fits() {
        let mut half = steady(2, 0.5);
        half.runs.truncate(1);
        assert_eq!(night(1, steady(1, 0.5)).differs(&night(2, half), &[]), []);
    }
}
