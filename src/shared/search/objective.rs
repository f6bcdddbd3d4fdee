//! What is looked for, and which cells could still change it.

use super::lattice::{CellIndex, LoadLattice};

/// What the cells are tested for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchObjective {
    /// Two numbers of two axes: the largest product that passes, and the best harmonic mean, as C×S is scored.
    Capacity,
    /// All of the boundary: of one axis the largest value that passes, of two every cell implied one way or the other.
    Boundary,
}

/// A product and a harmonic mean.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct SearchScores {
    pub(super) product: f64,
    pub(super) harmonic_mean: f64,
}

impl SearchScores {
    pub(super) fn of(lattice: &LoadLattice, place: CellIndex) -> Self {
        let (one, other) = lattice.load(place);
        Self { product: one * other, harmonic_mean: 2.0 * one * other / (one + other) }
    }

    /// The better of each.
    pub(super) fn or(self, other: Self) -> Self {
        Self { product: self.product.max(other.product), harmonic_mean: self.harmonic_mean.max(other.harmonic_mean) }
    }

    /// Better than the other in at least one way.
    pub(super) fn raises(self, other: Self) -> bool {
        self.product > other.product || self.harmonic_mean > other.harmonic_mean
    }
}

impl SearchObjective {
    /// Whether a cell of this height could change the answer, if it passed, where `best` is known to pass.
    pub(super) fn is_raised(self, height: SearchScores, best: SearchScores) -> bool {
        match self {
            Self::Capacity => height.raises(best),
            Self::Boundary => true,
        }
    }
}
