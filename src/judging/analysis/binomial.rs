//! The binomial distribution: exact probabilities, and the bounds on a share that follow from them. Pure numbers.
//!
//! Single probabilities by C. Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000), the method of R's `dbinom`;
//! bounds by C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
//! Biometrika 26 (1934).

/// P(X = k) for X the number of hits among n at a chance of p each.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
pub fn probability(k: u64, n: u64, p: f64) -> f64 {
    if k > n {
        return 0.0;
    }
    if p <= 0.0 || p >= 1.0 {
        let certain = if p <= 0.0 { 0 } else { n };
        return if k == certain { 1.0 } else { 0.0 };
    }
    let (hits, misses, total) = (k as f64, (n - k) as f64, n as f64);
    if k == 0 {
        return (total * (-p).ln_1p()).exp();
    }
    if k == n {
        return (total * p.ln()).exp();
    }
    let correction = stirling_error(total) - stirling_error(hits) - stirling_error(misses);
    let deviance = deviance(hits, total * p) + deviance(misses, total * (1.0 - p));
    (correction - deviance).exp() * (total / (std::f64::consts::TAU * hits * misses)).sqrt()
}

/// ln(n!) less Stirling's approximation of it.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        let half_log_tau = 0.5 * std::f64::consts::TAU.ln();
        let mut log_factorial = 0.0;
        let mut i = 2.0;
        while i <= n {
            log_factorial += f64::ln(i);
            i += 1.0;
        }
        return log_factorial - (n + 0.5) * n.ln() + n - half_log_tau;
    }
    let square = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square) / square) / square) / n
}

/// x ln(x / m) + m - x, without cancellation where x is near m (Loader's `bd0`).
fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() + m - x;
    }
    let v = (x - m) / (x + m);
    let mut sum = (x - m) * v;
    let mut term = 2.0 * x * v;
    for j in 1..1000 {
        term *= v * v;
        let next = sum + term / f64::from(2 * j + 1);
        if next.to_bits() == sum.to_bits() {
            break;
        }
        sum = next;
    }
    sum
}

/// P(X <= k). Sums the smaller tail away from the middle, so that small results keep their digits.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
pub fn at_most(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    if p <= 0.0 || p >= 1.0 {
        return if p <= 0.0 { 1.0 } else { 0.0 };
    }
    if (k as f64) < n as f64 * p { lower_tail(k, n, p) } else { (1.0 - lower_tail(n - k - 1, n, 1.0 - p)).clamp(0.0, 1.0) }
}

/// P(X >= k).
#[must_use]
pub fn at_least(k: u64, n: u64, p: f64) -> f64 {
    if k == 0 {
        return 1.0;
    }
    if k > n { 0.0 } else { at_most(n - k, n, 1.0 - p) }
}

/// P(X <= k) for k below the mean, where the probabilities fall towards 0: P(X = i - 1) = P(X = i) i (1 - p) / ((n - i + 1) p).
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn lower_tail(k: u64, n: u64, p: f64) -> f64 {
    let odds = (1.0 - p) / p;
    let mut term = probability(k, n, p);
    let mut sum = term;
    for i in (1..=k).rev() {
        term *= i as f64 * odds / (n - i + 1) as f64;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum.min(1.0)
}

/// The Clopper-Pearson interval for a share of which k of n were seen, two-sided: each end is passed with at most half of `1 - confidence`.
#[must_use]
pub fn share_interval(k: u64, n: u64, confidence: f64) -> (f64, f64) {
    let tail = (1.0 - confidence) / 2.0;
    let low = if k == 0 { 0.0 } else { solve(|share| at_least(k, n, share) < tail) };
    let high = if k >= n { 1.0 } else { solve(|share| at_most(k, n, share) >= tail) };
    (low, high)
}

/// The share up to which the condition holds, by bisection down to the last bit.
fn solve(below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..80 {
        let middle = low.midpoint(high);
        if below(middle) { low = middle } else { high = middle }
    }
    low.midpoint(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: f64, right: f64) {
        assert!((left - right).abs() <= 1e-12 * right.abs(), "{left:e} is not {right:e}");
    }

    #[test]
    fn probabilities_are_the_exact_fractions() {
        // C(10, 3) / 2^10; C(5, 2) 0.1^2 0.9^3; 0.95^59.
        near(probability(3, 10, 0.5), 120.0 / 1024.0);
        near(probability(2, 5, 0.1), 0.0729);
        near(probability(0, 59, 0.05), 0.95_f64.powi(59));
        near(at_most(4, 10, 0.5), 386.0 / 1024.0);
        near(at_least(9, 10, 0.5), 11.0 / 1024.0);
        // Far out, where 1 - (1 - x) would be 0: P(X >= 49 of 50 at 0.1) = 50 0.1^49 0.9 + 0.1^50.
        near(at_least(49, 50, 0.1), 45.1 * 0.1_f64.powi(49));
    }

    #[test]
    fn the_sum_over_all_outcomes_is_one() {
        for (n, p) in [(1, 0.3), (17, 0.05), (1000, 0.95), (20_000, 0.01)] {
            let sum: f64 = (0..=n).map(|k| probability(k, n, p)).sum();
            near(sum, 1.0);
            for k in (0..n).step_by(usize::try_from(n / 7 + 1).unwrap()) {
                near(at_most(k, n, p) + at_least(k + 1, n, p), 1.0);
            }
        }
    }

    #[test]
    fn the_clopper_pearson_interval_has_its_closed_forms_at_the_ends() {
        // None of n: high = 1 - (alpha / 2)^(1/n); one of one: low = alpha / 2.
        let (low, high) = share_interval(0, 30, 0.95);
        near(low + 1.0, 1.0);
        near(high, 1.0 - 0.025_f64.powf(1.0 / 30.0));
        let (low, high) = share_interval(1, 1, 0.95);
        near(low, 0.025);
        near(high, 1.0);
        // R: binom.test(5, 100)$conf.int
        let (low, high) = share_interval(5, 100, 0.95);
        assert!((low - 0.016_431_88).abs() < 1e-8 && (high - 0.112_834_91).abs() < 1e-8, "{low} {high}");
    }
}
