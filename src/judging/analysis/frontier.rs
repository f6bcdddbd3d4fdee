//! The Pareto frontier of points of which more is better both ways: those that no other point beats in one without losing in the other.

/// The frontier, x ascending and so y descending. Points that are not finite are passed over, equal ones come once.
#[must_use]
pub fn frontier(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut sorted: Vec<(f64, f64)> = points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
    sorted.sort_by(|left, right| right.0.total_cmp(&left.0).then(right.1.total_cmp(&left.1)));
    let mut highest = f64::NEG_INFINITY;
    sorted.retain(|(_, y)| {
        let better = *y > highest;
        highest = highest.max(*y);
        better
    });
    sorted.reverse();
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_points_that_nothing_beats_both_ways_are_on_it() {
        let points = [(1.0, 9.0), (2.0, 8.0), (2.0, 7.0), (3.0, 8.0), (4.0, 1.0), (3.5, 0.5), (f64::NAN, 20.0)];
        assert_eq!(frontier(&points), [(1.0, 9.0), (3.0, 8.0), (4.0, 1.0)]);
        assert_eq!(frontier(&[(1.0, 1.0), (1.0, 1.0)]), [(1.0, 1.0)]);
        assert!(frontier(&[]).is_empty());
    }
}
