//! How a cell came out, as far as a search has to know.

/// What a cell's sample shows of its goals: the same three answers as a verdict has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoalEvidence {
    Met,
    Missed,
    /// The sample is too small, or the truth lies at the limit.
    Undecided,
}

/// A cell that was run, its repeats pooled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestedCell {
    /// Whether the plain values fulfil all goals; `None` where the cell could not be run or its caches were not cold.
    pub passes: Option<bool>,
    pub evidence: GoalEvidence,
    /// How many runs are behind it.
    pub runs: u32,
}

impl TestedCell {
    /// A cell without a result.
    #[must_use]
    pub fn nothing(runs: u32) -> Self {
        Self { passes: None, evidence: GoalEvidence::Undecided, runs }
    }

    /// A cell of which one run left no doubt.
    #[must_use]
    pub fn surely(passes: bool) -> Self {
        Self { passes: Some(passes), evidence: if passes { GoalEvidence::Met } else { GoalEvidence::Missed }, runs: 1 }
    }

    /// A cell that came out so, but not for certain.
    #[must_use]
    pub fn perhaps(passes: bool, runs: u32) -> Self {
        Self { passes: Some(passes), evidence: GoalEvidence::Undecided, runs }
    }

    /// The sample shows what the plain values say.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        matches!((self.passes, self.evidence), (Some(true), GoalEvidence::Met) | (Some(false), GoalEvidence::Missed))
    }
}
