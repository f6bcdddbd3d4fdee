//! Quantiles of Student's t distribution. Pure numbers.
//!
//! The distribution is a regularized incomplete beta function (M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 1964,
//! 26.7.1), that by its continued fraction (26.5.8) after W. J. Lentz; the quantile by bisection.

/// The value beyond which a share of `tail` lies (0 < `tail` < 0.5), at so many degrees of freedom.
#[must_use]
pub fn upper_quantile(tail: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while upper_tail(high, freedom) > tail && high < 1e12 {
        high *= 2.0;
    }
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if upper_tail(middle, freedom) > tail { low = middle } else { high = middle }
    }
}

/// The value below which a share lies (0 < `share` < 1), at so many degrees of freedom.
#[must_use]
pub fn student_quantile(share: f64, freedom: f64) -> f64 {
    if share > 0.5 { upper_quantile(1.0 - share, freedom) } else { -upper_quantile(share, freedom) }
}

/// P(T > t) for t >= 0.
#[must_use]
pub fn upper_tail(t: f64, freedom: f64) -> f64 {
    0.5 * incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5)
}

fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front = (log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) { front * fraction(x, a, b) / a } else { 1.0 - front * fraction(1.0 - x, b, a) / b }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut above = 1.0;
    let mut below = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut product = below;
    for step in 1..500 {
        let step = f64::from(step);
        let even = step * (b - step) * x / ((a + 2.0 * step - 1.0) * (a + 2.0 * step));
        let odd = -(a + step) * (a + b + step) * x / ((a + 2.0 * step) * (a + 2.0 * step + 1.0));
        let mut last = 1.0;
        for term in [even, odd] {
            below = 1.0 / away(1.0 + term * below);
            above = away(1.0 + term / above);
            last = above * below;
            product *= last;
        }
        if (last - 1.0_f64).abs() < 1e-15 {
            break;
        }
    }
    product
}

/// ln of the gamma function for x > 0: Stirling's series above 12, its recurrence below (Abramowitz and Stegun, 6.1.40 and 6.1.15).
fn log_gamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 12.0 {
        shift += x.ln();
        x += 1.0;
    }
    let square = x * x;
    let series = (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / 1680.0 / square) / square) / square) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_published_table() {
        for (tail, freedom, expected) in [
            (0.025, 1.0, 12.706),
            (0.025, 10.0, 2.228),
            (0.005, 5.0, 4.032),
            (0.0005, 5.0, 6.869),
            (0.05, 30.0, 1.697),
            (0.0005, 120.0, 3.373),
            (0.025, 1e7, 1.960),
        ] {
            let t = upper_quantile(tail, freedom);
            assert!((t - expected).abs() < 6e-4, "{tail} {freedom}: {t}");
            assert!((student_quantile(1.0 - tail, freedom) - t).abs() < 1e-6 && (student_quantile(tail, freedom) + t).abs() < 1e-6);
        }
        assert!(student_quantile(0.5, 3.0).abs() < 1e-9);
    }
}
