//! A rate that rises evenly from nothing to its full value: arrival times at the full rate go in, those under the rising one come out.
//!
//! The time change of a point process (E. Çinlar, "Introduction to Stochastic Processes", 1975, chapter 4.7; P. A. W. Lewis and G. S. Shedler,
//! "Simulation of nonhomogeneous Poisson processes by thinning", Naval Research Logistics Quarterly 26, 1979, name it for the Poisson process): with the
//! rate λ t/R up to t = R and λ from there on, λ u(t) arrivals are expected by the time t, where u = t² / 2R up to R and t - R/2 after it. So what
//! comes at u under the rate λ comes here at t = √(2 R u) where u < R/2, and at u + R/2 from there on. Gaps keep their law, counted in u.

/// When that comes under a rate that rises for `ramp_s` seconds which comes at `full_s` under the full rate.
pub(super) fn ramped(full_s: f64, ramp_s: f64) -> f64 {
    if full_s < ramp_s / 2.0 { (2.0 * ramp_s * full_s).sqrt() } else { full_s + ramp_s / 2.0 }
}

/// How many seconds at the full rate bring as many arrivals as these first seconds.
pub(super) fn at_full_rate(seconds: f64, ramp_s: f64) -> f64 {
    if seconds < ramp_s { seconds * seconds / (2.0 * ramp_s) } else { seconds - ramp_s / 2.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ramp_brings_half_of_what_its_time_would_at_the_full_rate() {
        // A ramp of 10 s: what the full rate brings in 5 s has come when the ramp ends.
        for (full_s, seconds) in [(0.0, 0.0), (1.25, 5.0), (5.0, 10.0), (7.0, 12.0)] {
            assert!((ramped(full_s, 10.0) - seconds).abs() < 1e-12 && (at_full_rate(seconds, 10.0) - full_s).abs() < 1e-12);
        }
        assert_eq!((ramped(0.1, 0.0).to_bits(), at_full_rate(0.1, 0.0).to_bits()), (0.1_f64.to_bits(), 0.1_f64.to_bits()));
    }

    proptest! {
        #[test]
        fn each_is_the_other_s_inverse(seconds in 0.0..1e5_f64, ramp_s in 0.0..1e4_f64) {
            let there_and_back = ramped(at_full_rate(seconds, ramp_s), ramp_s);
            prop_assert!((there_and_back - seconds).abs() <= 1e-9 * (1.0 + seconds), "{seconds} {there_and_back}");
        }
    }
}
