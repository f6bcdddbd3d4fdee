//! Which users leave before their answer is over, and after how long: in go the seed and the number of a request, out comes a time or none.

use rand::Rng;

use super::seed::generator;
use crate::foundation::units::Seconds;
use crate::vocabulary::spec::leave::LeaveSpec;

/// How users of a run leave.
#[derive(Debug, Clone, Copy)]
pub struct LeavePolicy {
    seed: u64,
    spec: LeaveSpec,
}

impl LeavePolicy {
    pub fn new(spec: LeaveSpec, seed: u64) -> Self {
        Self { seed, spec }
    }

    /// How long after that turn was sent its user leaves; `None` where it stays.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double")]
    pub fn leaves_after(&self, session: u64, turn: u32) -> Option<Seconds> {
        let draw = generator(self.seed, "users who leave", &[session, turn.into()]).next_u64() >> 11;
        let share = draw as f64 / (1_u64 << 53) as f64;
        (share < self.spec.share).then_some(self.spec.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_that_is_asked_for_leaves_and_always_the_same_ones() {
        let left = |share: f64, seed: u64| {
            let policy = LeavePolicy::new(LeaveSpec { share, after: Seconds(2.0) }, seed);
            (0..10_000).filter(|session| policy.leaves_after(*session, 0) == Some(Seconds(2.0))).collect::<Vec<u64>>()
        };
        // 1,000 of 10,000 with standard deviation 30.
        assert!(left(0.1, 7).len().abs_diff(1000) < 120, "{}", left(0.1, 7).len());
        assert_eq!((left(0.0, 7).len(), left(1.0, 7).len()), (0, 10_000));
        assert!(left(0.1, 7) == left(0.1, 7) && left(0.1, 7) != left(0.1, 8));
        let (few, many) = (left(0.1, 7), left(0.2, 7));
        assert!(few.iter().all(|session| many.contains(session)), "who leaves at a share leaves at every larger one");
    }
}
