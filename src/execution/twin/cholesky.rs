//! The Cholesky decomposition of small symmetric matrices, for a dozen parameters at most.

/// A symmetric positive definite matrix as `L·Lᵀ`; a row each.
#[derive(Debug, Clone)]
pub(super) struct Cholesky {
    lower: Vec<Vec<f64>>,
}

impl Cholesky {
    /// `None` where the matrix is not positive definite.
    pub fn of(matrix: &[Vec<f64>]) -> Option<Self> {
        let size = matrix.len();
        let mut lower = vec![vec![0.0; size]; size];
        for row in 0..size {
            for column in 0..=row {
                let known: f64 = (0..column).map(|at| lower[row][at] * lower[column][at]).sum();
                let rest = matrix[row][column] - known;
                lower[row][column] = if row == column {
                    if rest <= 0.0 || !rest.is_finite() {
                        return None;
                    }
                    rest.sqrt()
                } else {
                    rest / lower[column][column]
                };
            }
        }
        Some(Self { lower })
    }

    /// `x` of `matrix · x = right`.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let size = right.len();
        let mut solved = right.to_vec();
        for row in 0..size {
            let known: f64 = (0..row).map(|at| self.lower[row][at] * solved[at]).sum();
            solved[row] = (solved[row] - known) / self.lower[row][row];
        }
        self.solve_transposed(&solved)
    }

    /// `x` of `Lᵀ · x = right`: of independent normal numbers, ones whose covariance is the matrix's inverse.
    pub fn solve_transposed(&self, right: &[f64]) -> Vec<f64> {
        let size = right.len();
        let mut solved = right.to_vec();
        for row in (0..size).rev() {
            let known: f64 = (row + 1..size).map(|at| self.lower[at][row] * solved[at]).sum();
            solved[row] = (solved[row] - known) / self.lower[row][row];
        }
        solved
    }

    /// The diagonal of the inverse.
    pub fn inverse_diagonal(&self) -> Vec<f64> {
        let size = self.lower.len();
        let unit = |at: usize| (0..size).map(|other| if other == at { 1.0 } else { 0.0 }).collect::<Vec<f64>>();
        (0..size).map(|at| self.solve(&unit(at))[at]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_solved_and_its_inverse_has_the_diagonal_by_hand() {
        // [[4, 2], [2, 3]] has the inverse [[3, -2], [-2, 4]] / 8.
        let cholesky = Cholesky::of(&[vec![4.0, 2.0], vec![2.0, 3.0]]).unwrap();
        let solved = cholesky.solve(&[8.0, 8.0]);
        assert!((solved[0] - 1.0).abs() < 1e-12 && (solved[1] - 2.0).abs() < 1e-12, "{solved:?}");
        let diagonal = cholesky.inverse_diagonal();
        assert!((diagonal[0] - 0.375).abs() < 1e-12 && (diagonal[1] - 0.5).abs() < 1e-12, "{diagonal:?}");
        assert!(Cholesky::of(&[vec![1.0, 2.0], vec![2.0, 1.0]]).is_none());
    }
}
