//! Slow change that no single night shows: is a series rising, how fast, and how likely is that by chance?
//!
//! Slope: the median of the slopes of all pairs (P. K. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", J. American
//! Statistical Association 63, 1968). Test: H. B. Mann, "Nonparametric Tests Against Trend", Econometrica 13 (1945), by the exact
//! distribution over all orders of the nights, also with ties; nothing is assumed but that without a drift every order is equally likely.
//! Numbers in, numbers out; knows no nights.

/// The median of the slopes of all pairs, in units of y per unit of x. Pairs at the same x have none.
#[must_use]
pub fn theil_sen(points: &[(f64, f64)]) -> Option<f64> {
    let mut slopes = Vec::new();
    for (at, (x, y)) in points.iter().enumerate() {
        let later = points.iter().skip(at + 1).filter(|(other, _)| (other - x).abs() > 0.0);
        slopes.extend(later.map(|(other_x, other_y)| (other_y - y) / (other_x - x)));
    }
    slopes.sort_by(f64::total_cmp);
    let middle = slopes.len() / 2;
    let upper = *slopes.get(middle)?;
    Some(if slopes.len() % 2 == 1 { upper } else { f64::midpoint(upper, *slopes.get(middle.checked_sub(1)?)?) })
}

/// Kendall's S: pairs that rise less pairs that fall.
#[must_use]
pub fn kendall_s(values: &[f64]) -> i64 {
    let pairs = values.iter().enumerate().flat_map(|(at, value)| values.iter().skip(at + 1).map(move |later| later.total_cmp(value)));
    pairs.map(|order| order as i64).sum()
}

/// The chance that values in a random order rise at least as much as these do: `P(S >= s)`, exact, ties included. 1 for fewer than two.
#[must_use]
pub fn rising_by_chance(values: &[f64]) -> f64 {
    let groups = ties(values);
    // With ties taken out, S is the number of the other pairs less twice the number of inversions.
    let untied = i64::try_from(pairs(values.len()) - groups.iter().map(|size| pairs(*size)).sum::<usize>()).unwrap_or(i64::MAX);
    let most_inversions = usize::try_from((untied - kendall_s(values)) / 2).unwrap_or(0);
    inversions(&groups).iter().take(most_inversions + 1).sum::<f64>().min(1.0)
}

/// So many values are needed at the least for a chance of `threshold` or below: even a steady rise of n has the chance 1 / n!.
#[must_use]
pub fn values_needed(threshold: f64) -> usize {
    let mut least = 1.0;
    (1_u32..=100)
        .find(|n| {
            least /= f64::from(*n);
            least <= threshold
        })
        .map_or(usize::MAX, |n| n as usize)
}

fn pairs(count: usize) -> usize {
    count * count.saturating_sub(1) / 2
}

/// Sizes of the groups of equal values.
fn ties(values: &[f64]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.chunk_by(|left, right| left.total_cmp(right).is_eq()).map(<[f64]>::len).collect()
}

/// The probability of each number of inversions in a random order of groups of equal things: the product of Gaussian binomials over its sum
/// (P. A. `MacMahon`, "Two Applications of General Theorems in Combinatory Analysis", Proc. London Math. Soc. 15, 1917).
fn inversions(groups: &[usize]) -> Vec<f64> {
    let mut placed = 0;
    let mut distribution = vec![1.0];
    for size in groups {
        let next = gaussian_binomial(placed + size, *size);
        let sum: f64 = next.iter().sum();
        let mut folded = vec![0.0; distribution.len() + next.len() - 1];
        for (at, share) in distribution.iter().enumerate() {
            for (more, ways) in next.iter().enumerate() {
                folded[at + more] += share * ways / sum;
            }
        }
        distribution = folded;
        placed += size;
    }
    distribution
}

/// Coefficients of the Gaussian binomial of n over k, by `[n, k] = [n - 1, k - 1] + q^k [n - 1, k]`: additions only, so that nothing is lost.
fn gaussian_binomial(n: usize, k: usize) -> Vec<f64> {
    // Row by row; `row[j]` is [i, j].
    let mut row: Vec<Vec<f64>> = vec![vec![1.0]];
    for i in 1..=n {
        let of = |j: usize| {
            let mut sum = vec![0.0; j * (i - j) + 1];
            if let Some(before) = j.checked_sub(1).and_then(|before| row.get(before)) {
                before.iter().zip(&mut sum).for_each(|(ways, sum)| *sum += ways);
            }
            if let Some(same) = row.get(j).filter(|_| j < i) {
                same.iter().zip(sum.iter_mut().skip(j)).for_each(|(ways, sum)| *sum += ways);
            }
            sum
        };
        row = (0..=i.min(k)).map(of).collect();
    }
    row.pop().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An order of 1..=n whose S is that: all fall but for as many rises as it takes.
    fn with_s(n: i64, s: i64) -> Vec<f64> {
        let mut falls = (n * (n - 1) / 2 - s) / 2;
        let mut values: Vec<i64> = Vec::new();
        // Placing the value k behind the others, d places before the end, makes d falls.
        for k in 1..=n {
            let back = falls.min(k - 1);
            falls -= back;
            values.insert(values.len() - usize::try_from(back).unwrap(), k);
        }
        #[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
        values.into_iter().map(|value| value as f64).collect()
    }

    #[test]
    fn chances_are_those_of_the_published_table() {
        // R. O. Gilbert, "Statistical Methods for Environmental Pollution Monitoring", 1987, table A18: P(S >= s) for n = 4 to 10.
        let table: [(i64, i64, f64); 24] = [
            (4, 0, 0.625),
            (4, 2, 0.375),
            (4, 4, 0.167),
            (4, 6, 0.042),
            (5, 0, 0.592),
            (5, 6, 0.117),
            (5, 8, 0.042),
            (5, 10, 0.0083),
            (6, 1, 0.500),
            (6, 9, 0.068),
            (6, 11, 0.028),
            (6, 13, 0.0083),
            (7, 11, 0.068),
            (7, 13, 0.035),
            (7, 15, 0.015),
            (7, 17, 0.0054),
            (8, 14, 0.054),
            (8, 16, 0.031),
            (8, 18, 0.016),
            (9, 16, 0.060),
            (9, 18, 0.038),
            (9, 20, 0.022),
            (10, 19, 0.054),
            (10, 21, 0.036),
        ];
        for (n, s, published) in table {
            let values = with_s(n, s);
            assert_eq!(kendall_s(&values), s, "{values:?}");
            let chance = rising_by_chance(&values);
            assert!((chance - published).abs() <= 0.0006, "n {n}, S {s}: {chance} against {published}");
        }
    }

    #[test]
    fn ties_have_the_exact_chance_too() {
        // Of the 6 orders of 1, 1, 2, 2 one rises by 4 (no inversion), one by 2 (one inversion), two by 0.
        assert!((rising_by_chance(&[1.0, 1.0, 2.0, 2.0]) - 1.0 / 6.0).abs() < 1e-12);
        assert!((rising_by_chance(&[1.0, 2.0, 1.0, 2.0]) - 2.0 / 6.0).abs() < 1e-12);
        assert!((rising_by_chance(&[1.0, 2.0, 2.0, 1.0]) - 4.0 / 6.0).abs() < 1e-12);
        assert!((rising_by_chance(&[3.0; 8]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_steady_rise_of_many_nights_has_one_chance_among_all_orders() {
        let values: Vec<f64> = (0..12).map(f64::from).collect();
        assert!((rising_by_chance(&values) - 1.0 / 479_001_600.0).abs() < 1e-18);
        // 1/4! = 0.0417, 1/5! = 0.0083, 1/6! = 0.0014.
        assert_eq!([0.05, 0.0417, 0.04, 0.005, 1.0].map(values_needed), [4, 4, 5, 6, 1]);
        let falling: Vec<f64> = values.into_iter().rev().collect();
        assert!((rising_by_chance(&falling) - 1.0).abs() < 1e-12);
        assert!((rising_by_chance(&[]) - 1.0).abs() < 1e-12 && (rising_by_chance(&[1.0]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_slope_is_the_median_of_all_pairs_and_one_bad_night_does_not_move_it() {
        // By hand: the slopes of (0, 1), (1, 3), (2, 2), (4, 9) are 2, 0.5, 2, -1, 2, 3.5: sorted -1, 0.5, 2, 2, 2, 3.5, their median 2.
        assert_eq!(theil_sen(&[(0.0, 1.0), (1.0, 3.0), (2.0, 2.0), (4.0, 9.0)]), Some(2.0));
        // 2, 11, 4: slopes 9, 1, -7.
        assert_eq!(theil_sen(&[(1.0, 2.0), (2.0, 11.0), (3.0, 4.0)]), Some(1.0));
        assert_eq!(theil_sen(&[(1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(theil_sen(&[]), None);
    }
}
