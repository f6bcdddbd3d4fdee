//! A range of values and how it is laid out: in equal ratios or in equal differences. The same for a colour bar and for an axis.

/// From values to positions between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlotScale {
    pub low: f64,
    pub high: f64,
    pub mapping: ScaleMapping,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleMapping {
    /// Equal ratios are equally far apart; needs positive values.
    Log,
    Linear,
}

impl PlotScale {
    /// A logarithmic scale whose ends are 1-2-5 steps around all values, or a linear one from 0 where a value is not positive.
    /// What is not finite is passed over. Without any value it goes from 0 to 1.
    pub fn around(values: impl IntoIterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().filter(|value| value.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            return Self { low: 0.0, high: 1.0, mapping: ScaleMapping::Linear };
        }
        if low <= 0.0 {
            return Self::linear_around(low, high);
        }
        let (mut low, mut high) = (step_at_most(low), step_at_least(high));
        if low >= high {
            (low, high) = (step_at_most(low * 0.75), step_at_least(high * 1.25));
        }
        Self { low, high, mapping: ScaleMapping::Log }
    }

    /// A linear scale that holds both values and 0, with round ends.
    pub fn linear_around(low: f64, high: f64) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let step = linear_step(low, high);
        let high = if low >= high { 1.0 } else { (high / step).ceil() * step };
        Self { low: (low / step).floor() * step, high, mapping: ScaleMapping::Linear }
    }

    /// From 0 at the low end to 1 at the high end; values beyond stay at the ends.
    pub fn position(&self, value: f64) -> f64 {
        let share = match self.mapping {
            ScaleMapping::Log => (value / self.low).ln() / (self.high / self.low).ln(),
            ScaleMapping::Linear => (value - self.low) / (self.high - self.low),
        };
        // A value of 0 or below on a log scale gives -inf or NaN; both belong to the low end.
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
    }

    /// Values at 1-2-5 steps from end to end; linear ones are equally far apart.
    pub fn ticks(&self) -> Vec<f64> {
        match self.mapping {
            ScaleMapping::Log => {
                let most = self.high * (1.0 + 1e-9);
                std::iter::successors(Some(step_at_least(self.low)), |tick| Some(step_at_least(tick * 1.5)))
                    .take_while(|tick| *tick <= most)
                    .take(200)
                    .collect()
            }
            ScaleMapping::Linear => {
                let step = linear_step(self.low, self.high);
                let most = self.high + step * 1e-6;
                std::iter::successors(Some(0_u32), |n| Some(n + 1))
                    .map(|n| (self.low / step).ceil() * step + f64::from(n) * step)
                    .take_while(|tick| *tick <= most)
                    .take(200)
                    .collect()
            }
        }
    }
}

/// The largest of ..., 0.1, 0.2, 0.5, 1, 2, 5, 10, ... that is not above a positive value.
fn step_at_most(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    // A shade of room, so that 0.2 computed as 0.19999999999999998 is still taken for the step that it is.
    [10.0, 5.0, 2.0, 1.0].into_iter().map(|step| tidy(step * decade)).find(|step| *step <= value * (1.0 + 1e-9)).unwrap_or(decade)
}

/// The smallest 1-2-5 step that is not below a positive value.
fn step_at_least(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0, 20.0].into_iter().map(|step| tidy(step * decade)).find(|step| *step >= value * (1.0 - 1e-9)).unwrap_or(decade)
}

/// Without the last digits' noise of a computed power: 0.05 instead of 0.05000000000000001.
fn tidy(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// The 1-2-5 step that lays 3 to 8 ticks over a range.
fn linear_step(low: f64, high: f64) -> f64 {
    if high > low { step_at_least((high - low) / 6.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_one_two_five_steps_around_its_values() {
        let scale = PlotScale::around([0.311, 42.5, f64::INFINITY]);
        assert_eq!(scale, PlotScale { low: 0.2, high: 50.0, mapping: ScaleMapping::Log });
        assert_eq!(scale.ticks(), [0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0]);
        assert_eq!(PlotScale::around([0.05, 0.1]), PlotScale { low: 0.05, high: 0.1, mapping: ScaleMapping::Log });
    }

    #[test]
    fn one_value_still_has_a_range_around_it() {
        for value in [1.0, 2.0, 5.0, 0.3, 7e-9, 3e12] {
            let scale = PlotScale::around([value]);
            assert!(scale.low < scale.high && scale.low <= value && value <= scale.high, "{value}: {scale:?}");
            assert!(scale.ticks().len() >= 2, "{value}: {scale:?}");
        }
        assert_eq!(PlotScale::around([f64::NAN]), PlotScale { low: 0.0, high: 1.0, mapping: ScaleMapping::Linear });
    }

    #[test]
    fn a_zero_makes_the_scale_linear_and_in_place() {
        let scale = PlotScale::around([0.0, 0.04]);
        assert_eq!(scale.mapping, ScaleMapping::Linear);
        assert!(scale.low <= 0.0 && scale.high >= 0.04);
        assert_eq!(PlotScale::around([0.0]), PlotScale { low: 0.0, high: 1.0, mapping: ScaleMapping::Linear });
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the ends are exact")]
    fn equal_ratios_are_equally_far_apart_and_ends_hold() {
        let scale = PlotScale { low: 0.1, high: 10.0, mapping: ScaleMapping::Log };
        assert!((scale.position(1.0) - 0.5).abs() < 1e-12);
        assert_eq!(scale.position(0.0), 0.0);
        assert_eq!(scale.position(-1.0), 0.0);
        assert_eq!(scale.position(1e9), 1.0);
        assert_eq!(scale.position(f64::INFINITY), 1.0);
    }
}
