//! The kernel's timer of a file descriptor (`timerfd`, absolute, on `CLOCK_MONOTONIC`), watched by the runtime together with its sockets.
//!
//! In comes a moment on the run's clock; the wait ends when the kernel says so. Must not know who waits.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{Clock, Micros};

/// One timer, and with it one open file.
#[derive(Debug)]
pub(super) struct KernelTimer {
    file: AsyncFd<TimerDescriptor>,
    /// The run's offset 0 on `CLOCK_MONOTONIC`.
    origin: Duration,
}

/// The timer as the runtime asks for it.
#[derive(Debug)]
struct TimerDescriptor(TimerFd);

impl AsRawFd for TimerDescriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl KernelTimer {
    /// None where the system gives none: no more files, or a runtime without IO.
    pub(super) fn new(clock: &Clock) -> Option<Self> {
        let elapsed = clock.start.elapsed();
        // Read after it, so that the timer never fires before the clock shows its moment.
        let now = nix::time::ClockId::CLOCK_MONOTONIC.now().ok()?;
        let origin = Duration::from(now).checked_sub(elapsed)?;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC).ok()?;
        Some(Self { file: watched(timer)?, origin })
    }

    /// Waits until the timer fires; what it was set to before is forgotten.
    pub(super) async fn fire_at(&self, deadline: Micros) -> io::Result<()> {
        let at = TimeSpec::from_duration(self.origin + Duration::from_micros(deadline.0));
        self.file.get_ref().0.set(Expiration::OneShot(at), TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
        loop {
            let mut fired = self.file.readable().await?;
            if let Ok(read) = fired.try_io(|file| Ok(file.get_ref().0.wait()?)) {
                return read;
            }
        }
    }
}

#[expect(deprecated, reason = "its heir is `unsafe`, for types whose descriptor may change; a `TimerFd` keeps its own to its end")]
fn watched(timer: TimerFd) -> Option<AsyncFd<TimerDescriptor>> {
    AsyncFd::with_interest(TimerDescriptor(timer), Interest::READABLE).ok()
}
