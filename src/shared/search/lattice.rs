//! The cells that could be run: one or two axes of load, each with its values in ascending order. Knows nothing of how they came out.

/// A cell by its place on the first and the second axis; the second is 0 where there is one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellIndex(pub usize, pub usize);

impl CellIndex {
    /// Has no more load than the other along any axis.
    #[must_use]
    pub fn is_no_harder_than(self, other: Self) -> bool {
        self.0 <= other.0 && self.1 <= other.1
    }
}

/// The values of one axis.
#[derive(Debug, Clone, PartialEq)]
pub struct LatticeAxis {
    values: Vec<f64>,
    /// Of an axis without an end: the places at which it is climbed. What lies between is looked at after one of them failed.
    rungs: Option<Vec<usize>>,
}

/// Why values make no axis of load, or axes no lattice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LatticeError {
    #[error("an axis of a frontier has values")]
    NoValue,
    #[error("the values of a frontier's axis are finite numbers above 0 that ascend with the load")]
    NotAscending,
    #[error("the rungs of an axis are places of its values that ascend")]
    NotRungs,
    #[error("a frontier has one axis or two")]
    Axes,
}

impl LatticeAxis {
    /// An axis of which all values are known beforehand.
    ///
    /// # Errors
    /// Where there are none, or they do not ascend.
    pub fn listed(values: Vec<f64>) -> Result<Self, LatticeError> {
        if values.is_empty() {
            return Err(LatticeError::NoValue);
        }
        let ascending = values.windows(2).all(|pair| pair[0] < pair[1]);
        let numbers = values.iter().all(|value| value.is_finite() && *value > 0.0);
        if ascending && numbers { Ok(Self { values, rungs: None }) } else { Err(LatticeError::NotAscending) }
    }

    /// An axis that is climbed rung by rung until one fails, and refined between its rungs after that.
    ///
    /// # Errors
    /// As [`LatticeAxis::listed`], and where the rungs are no places of it.
    pub fn climbed(values: Vec<f64>, rungs: Vec<usize>) -> Result<Self, LatticeError> {
        let axis = Self::listed(values)?;
        let ascending = rungs.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || rungs.last().is_none_or(|last| *last >= axis.values.len()) {
            return Err(LatticeError::NotRungs);
        }
        Ok(Self { rungs: Some(rungs), ..axis })
    }

    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Whether it has no end.
    #[must_use]
    pub fn is_climbed(&self) -> bool {
        self.rungs.is_some()
    }

    /// Where it is climbed; `None` where all of it is open from the start.
    pub(super) fn rungs(&self) -> Option<&[usize]> {
        self.rungs.as_deref()
    }
}

/// One or two axes of load.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadLattice {
    axes: Vec<LatticeAxis>,
}

impl LoadLattice {
    /// # Errors
    /// Where there are no axes, or more than two.
    pub fn new(axes: Vec<LatticeAxis>) -> Result<Self, LatticeError> {
        if matches!(axes.len(), 1 | 2) { Ok(Self { axes }) } else { Err(LatticeError::Axes) }
    }

    #[must_use]
    pub fn axes(&self) -> &[LatticeAxis] {
        &self.axes
    }

    /// How many values the first and the second axis have; 1 where there is no second.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.axes[0].values.len(), self.axes.get(1).map_or(1, |axis| axis.values.len()))
    }

    /// How many cells there are.
    #[must_use]
    pub fn cells(&self) -> usize {
        let (first, second) = self.size();
        first * second
    }

    /// All cells, the second axis changing fastest.
    pub fn places(&self) -> impl Iterator<Item = CellIndex> + '_ {
        let (first, second) = self.size();
        (0..first).flat_map(move |one| (0..second).map(move |other| CellIndex(one, other)))
    }

    /// Whether the cell is one of this lattice.
    #[must_use]
    pub fn holds(&self, place: CellIndex) -> bool {
        let (first, second) = self.size();
        place.0 < first && place.1 < second
    }

    /// What a cell's load is along each axis; 1 along a second axis that is not there.
    ///
    /// # Panics
    /// Where the cell is none of this lattice.
    #[must_use]
    pub fn load(&self, place: CellIndex) -> (f64, f64) {
        (self.axes[0].values[place.0], self.axes.get(1).map_or(1.0, |axis| axis.values[place.1]))
    }

    /// Whether a cell stands where axes without an end are climbed, and not between.
    #[must_use]
    pub fn is_rung(&self, place: CellIndex) -> bool {
        let on = |axis: usize, at: usize| self.axes.get(axis).and_then(LatticeAxis::rungs).is_none_or(|rungs| rungs.contains(&at));
        on(0, place.0) && on(1, place.1)
    }

    /// The cell one step further along an axis.
    pub(super) fn beyond(&self, place: CellIndex, axis: usize) -> Option<CellIndex> {
        let next = if axis == 0 { CellIndex(place.0 + 1, place.1) } else { CellIndex(place.0, place.1 + 1) };
        self.holds(next).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_that_ascend_make_an_axis_of_load() {
        assert_eq!(LatticeAxis::listed(vec![]), Err(LatticeError::NoValue));
        for values in [vec![1.0, 1.0], vec![2.0, 1.0], vec![0.0, 1.0], vec![1.0, f64::INFINITY]] {
            assert_eq!(LatticeAxis::listed(values), Err(LatticeError::NotAscending));
        }
        assert_eq!(LatticeAxis::climbed(vec![1.0, 2.0], vec![0, 2]), Err(LatticeError::NotRungs));
        let axis = LatticeAxis::listed(vec![1.0, 2.0]).unwrap();
        assert_eq!(LoadLattice::new(vec![axis.clone(); 3]), Err(LatticeError::Axes));
        assert_eq!(LoadLattice::new(vec![axis]).unwrap().load(CellIndex(1, 0)), (2.0, 1.0));
    }
}
