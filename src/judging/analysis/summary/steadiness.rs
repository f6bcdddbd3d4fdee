//! Whether a cell is in its steady state. Types only.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::vocabulary::goal::Measure;

/// That the backlog of a cell grows: requests that are due and not yet over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BacklogGrowth {
    /// So many more of them a minute, on average over the cell's runs.
    pub requests_per_min: f64,
    /// How much more the goals' and the shown measure's metrics take a minute; without those that take no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty", serialize_with = "growths_by_text", deserialize_with = "growths_from_texts")]
    pub measures_per_min: Vec<MeasureGrowth>,
    /// How likely as much growth is, at most, on a server that keeps up.
    pub chance: f64,
    /// Whether that is at most 5 %, and the client was not what fell behind: then the cell misses its goals.
    pub is_certain: bool,
    /// From the start of the longest run until its last request was due.
    pub run_s: f64,
    /// Where it is not certain: how long a run would make it so if it went on like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certain_after_s: Option<f64>,
}

/// By how much a measure grows.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasureGrowth {
    pub measure: Measure,
    /// A minute, in the measure's unit.
    pub per_min: f64,
}

/// Written as a table by the measures' texts.
fn growths_by_text<S: Serializer>(growths: &[MeasureGrowth], serializer: S) -> Result<S::Ok, S::Error> {
    let by_text: BTreeMap<String, f64> = growths.iter().map(|growth| (growth.measure.to_string(), growth.per_min)).collect();
    by_text.serialize(serializer)
}

fn growths_from_texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<MeasureGrowth>, D::Error> {
    let by_text = BTreeMap::<String, f64>::deserialize(deserializer)?;
    let read = |(text, per_min): (String, f64)| Ok(MeasureGrowth { measure: text.parse().map_err(D::Error::custom)?, per_min });
    by_text.into_iter().map(read).collect()
}

/// A transient at the beginning of a cell's runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct InitialTransient {
    /// The longest of its runs, from the first measured request on.
    pub seconds: f64,
    /// The warm-up that would leave it out, in whole seconds.
    pub warmup_s: f64,
    /// Runs that begin with one.
    pub runs: u64,
}
