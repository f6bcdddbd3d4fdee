//! Remarks on a sweep as a whole: what each rests on, and its words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::axes::short;

/// A remark on a sweep as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SweepNote {
    /// What was seen while its saved runs were read.
    SavedRuns { text: String },
    /// How many cells of a variant a search ran and left out.
    Frontier(FrontierCounts),
}

/// What became of the cells of a variant that was searched along a frontier: all of them are one of the four counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontierCounts {
    pub variant: String,
    /// Of the frontier, by their dotted paths.
    pub axes: Vec<String>,
    /// Those that were run.
    pub run: u64,
    /// Those that were not, and are implied to pass or to fail where more load is not easier.
    pub implied_to_pass: u64,
    pub implied_to_fail: u64,
    /// Those of which nothing is known.
    pub untested: u64,
}

impl fmt::Display for SweepNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SavedRuns { text } => f.write_str(text),
            Self::Frontier(cells) => cells.fmt(f),
        }
    }
}

impl fmt::Display for FrontierCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variant, axes, run, implied_to_pass, implied_to_fail, untested } = self;
        let names: Vec<&str> = axes.iter().map(|axis| short(axis)).collect();
        write!(
            f,
            "{variant}: along the frontier of {}, {run} of {} cells were run; assuming that more load is not easier, of the others \
             {implied_to_pass} are implied to pass, {implied_to_fail} to fail, and {untested} are untested",
            names.join(" and "),
            run + implied_to_pass + implied_to_fail + untested
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::analysis::summary::NoteList;

    #[test]
    fn every_note_says_its_figures_and_comes_back_from_json() {
        let cells = FrontierCounts {
            variant: "vllm".into(),
            axes: vec!["workload.concurrent".into(), "workload.sequential".into()],
            run: 3,
            implied_to_pass: 8,
            implied_to_fail: 1,
            untested: 4,
        };
        let notes = NoteList(vec![SweepNote::SavedRuns { text: "run `a` is odd".into() }, SweepNote::Frontier(cells)]);
        let saved = serde_json::to_value(&notes).unwrap();
        let words = "vllm: along the frontier of concurrent and sequential, 3 of 16 cells were run; assuming that more load is not easier, of the \
            others 8 are implied to pass, 1 to fail, and 4 are untested";
        assert_eq!(saved["notes"], json!(["run `a` is odd", words]));
        assert_eq!((&saved["note_figures"][1]["kind"], &saved["note_figures"][1]["run"]), (&json!("frontier"), &json!(3)));
        assert_eq!(serde_json::from_value::<NoteList<SweepNote>>(saved).unwrap(), notes);
    }
}
