//! The normal distribution: which value has a share of it below, and which share lies below a value. Numbers in, numbers out.

/// The value that this share of a standard normal distribution lies below: M. J. Wichura's AS 241 (Applied Statistics 37, 1988), to seven digits.
pub fn normal_quantile(share: f64) -> f64 {
    let centred = share - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        return centred * (((59.109_374_720 * r + 159.291_132_02) * r + 50.434_271_938) * r + 3.387_132_717_9)
            / (((67.187_563_600 * r + 78.757_757_664) * r + 17.895_169_469) * r + 1.0);
    }
    let r = (-share.min(1.0 - share).max(1e-300).ln()).sqrt();
    let size = if r <= 5.0 {
        let r = r - 1.6;
        (((0.170_238_211_03 * r + 1.306_728_481_6) * r + 2.756_815_390_0) * r + 1.423_437_277_7)
            / ((0.120_211_321_75 * r + 0.737_001_642_50) * r + 1.0)
    } else {
        let r = r - 5.0;
        (((0.017_337_203_997 * r + 0.428_682_943_37) * r + 3.081_226_386_0) * r + 6.657_905_115_0)
            / ((0.012_258_202_635 * r + 0.241_978_942_25) * r + 1.0)
    };
    size.copysign(centred)
}

/// The share of a standard normal distribution below a value: the inverse of [`normal_quantile`], by bisection, so that the two agree.
pub fn normal_share(value: f64) -> f64 {
    if value.is_nan() {
        return value;
    }
    // The smaller of the two tails, in which doubles are dense.
    let (mut low, mut high) = (0.0, 0.5);
    for _ in 0..200 {
        let middle = low + (high - low) / 2.0;
        if normal_quantile(middle) < -value.abs() { low = middle } else { high = middle }
    }
    if value < 0.0 { high } else { 1.0 - high }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
    }

    #[test]
    fn quantiles_and_shares_are_those_of_the_tables() {
        for (value, share) in [(-3.719_016, 0.0001), (-1.0, 0.158_655_254), (0.0, 0.5), (0.5, 0.691_462_461), (1.644_854, 0.95)] {
            near(normal_quantile(share), value);
            near(normal_share(value), share);
        }
    }

    #[test]
    fn shares_stay_within_bounds_for_any_value() {
        assert_eq!((normal_share(f64::INFINITY), normal_share(1e300)), (1.0, 1.0));
        assert!(normal_share(f64::NEG_INFINITY) < 1e-50 && normal_share(f64::NAN).is_nan());
    }
}
