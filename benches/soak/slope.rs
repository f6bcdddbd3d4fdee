//! How fast something grows: the median of the slopes between all pairs of points, and the interval that holds the true one at 95 %.
//!
//! H. Theil, "A rank-invariant method of linear and polynomial regression analysis", 1950; the interval by P. K. Sen, "Estimates of the
//! regression coefficient based on Kendall's tau", Journal of the American Statistical Association 63, 1968. Samples that lie close in time
//! depend on each other, which makes the interval too narrow: it is taken of medians of slices.

/// A slope for each step along the points, and the ends of its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    pub low: f64,
    pub middle: f64,
    pub high: f64,
}

impl Slope {
    /// Of values at equal steps; `None` of fewer than three.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.len() < 3 {
            return None;
        }
        let n = values.len() as f64;
        let mut slopes = Vec::new();
        for (from, first) in values.iter().enumerate() {
            slopes.extend(values.iter().enumerate().skip(from + 1).map(|(to, last)| (last - first) / (to - from) as f64));
        }
        slopes.sort_by(f64::total_cmp);
        let pairs = slopes.len() as f64;
        let spread = 1.96 * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
        let at = |place: f64| slopes[(place.max(0.0) as usize).min(slopes.len() - 1)];
        Some(Self { low: at(((pairs - spread) / 2.0).floor()), middle: at(pairs / 2.0), high: at(f64::midpoint(pairs, spread).ceil()) })
    }
}
