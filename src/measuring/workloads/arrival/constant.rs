//! One arrival every `1 / rate` seconds, the first at 0. A rate goes in, seconds come out without end; nothing drifts.

#[derive(Debug, Clone)]
pub struct ConstantArrivals {
    rate_per_s: f64,
    next: u64,
}

impl ConstantArrivals {
    pub fn new(rate_per_s: f64) -> Self {
        Self { rate_per_s, next: 0 }
    }
}

impl Iterator for ConstantArrivals {
    type Item = f64;

    #[expect(clippy::cast_precision_loss, reason = "a run has far fewer than 2^53 requests")]
    fn next(&mut self) -> Option<f64> {
        let at = self.next as f64 / self.rate_per_s;
        self.next += 1;
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::clock::Micros;

    #[test]
    fn times_are_exact_however_many_there_are() {
        let micros = |rate, place| ConstantArrivals::new(rate).nth(place).map(Micros::from_secs_f64);
        assert_eq!([0, 1, 2, 3].map(|place| micros(4.0, place)), [0, 250_000, 500_000, 750_000].map(|at| Some(Micros(at))));
        assert_eq!(micros(3.0, 300_000), Some(Micros(100_000_000_000)));
        assert_eq!(micros(0.5, 7), Some(Micros(14_000_000)));
    }
}
