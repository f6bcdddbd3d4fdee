//! The wait that decides when a request goes: in comes a moment on the run's clock, and the waiter goes on at it, not at the next
//! millisecond of tokio's wheel.
//!
//! On Linux the kernel's own timer wakes the thread that waits for sockets (`timerfd`, absolute, without timer slack): some tens of
//! microseconds late on an idle core, and nothing is spun. Elsewhere, and where no timer is to be had, tokio's timer does it, up to 2 ms late;
//! the client's honesty tells how late it was. In virtual time all is exact.

#[cfg(target_os = "linux")]
use super::kernel::KernelTimer;
use super::{Clock, Micros};

/// Waits for one moment at a time. Needs a runtime with IO; belongs to the one it is made in.
#[derive(Debug)]
pub struct PreciseTimer {
    clock: Clock,
    #[cfg(target_os = "linux")]
    kernel: Option<KernelTimer>,
}

impl PreciseTimer {
    /// A timer of that clock, to be made where it is waited for.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            #[cfg(target_os = "linux")]
            kernel: if clock.is_virtual() { None } else { KernelTimer::new(&clock) },
        }
    }

    /// Waits until the given offset; returns at once where it has passed, and never before it. May be given up and asked again.
    pub async fn sleep_until(&mut self, deadline: Micros) {
        #[cfg(target_os = "linux")]
        if let Some(kernel) = &self.kernel {
            while self.clock.now() < deadline {
                if kernel.fire_at(deadline).await.is_err() {
                    self.kernel = None;
                    return self.clock.sleep_until(deadline).await;
                }
            }
            return;
        }
        self.clock.sleep_until(deadline).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::clock::virtual_runtime;

    fn real_runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn nothing_goes_before_its_moment() {
        real_runtime().block_on(async {
            let clock = Clock::real();
            let mut timer = PreciseTimer::new(clock);
            for step in 1..=20 {
                let due = Micros(step * 137);
                timer.sleep_until(due).await;
                assert!(clock.now() >= due);
            }
            timer.sleep_until(Micros::ZERO).await;
        });
    }

    #[test]
    fn a_wait_that_is_given_up_leaves_nothing_behind() {
        real_runtime().block_on(async {
            let clock = Clock::real();
            let mut timer = PreciseTimer::new(clock);
            let far = clock.now() + Micros(3_600_000_000);
            assert!(futures_util::poll!(std::pin::pin!(timer.sleep_until(far))).is_pending());
            let near = clock.now() + Micros(500);
            assert!(clock.before(far, timer.sleep_until(near)).await.is_some());
            assert!(clock.now() >= near);
        });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_kernel_timer_is_used_where_there_is_one() {
        real_runtime().block_on(async { assert!(PreciseTimer::new(Clock::real()).kernel.is_some()) });
    }

    #[test]
    fn virtual_time_is_exact() {
        virtual_runtime().unwrap().block_on(async {
            let clock = Clock::simulated();
            let mut timer = PreciseTimer::new(clock);
            timer.sleep_until(Micros(1_234)).await;
            assert_eq!(clock.now(), Micros(1_234));
        });
    }
}
