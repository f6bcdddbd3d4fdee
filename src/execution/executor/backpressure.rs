//! Virtual time that does not run away from who listens: requests and runs told in, and now and then a wait until what was told before was heard.
//!
//! A simulated run goes as fast as the processor, and a reporter as fast as the disk. Between them lie at most twice [`STRIDE`] requests and two
//! runs, so that a sweep of any length takes the same memory, and what is asked to stop does so at once. Real time is never held up: there records wait, and are counted.

use std::sync::mpsc::{Receiver, sync_channel};

use tokio::sync::mpsc;

use crate::event::{EventBarrier, SweepEvent};
use crate::foundation::clock::Clock;

/// Requests between two marks: a few megabytes of records.
const STRIDE: u32 = 8192;

/// How far those who listen have come.
#[derive(Debug)]
pub(super) struct Backpressure {
    is_kept: bool,
    since_mark: u32,
    /// Ends when the latest mark has been heard.
    mark: Option<Receiver<()>>,
}

impl Backpressure {
    pub fn of(clock: Clock) -> Self {
        Self { is_kept: clock.is_virtual(), since_mark: 0, mark: None }
    }

    /// A request has been told. In virtual time this may hold the thread, and with it the clock.
    pub fn told(&mut self, events: &mpsc::UnboundedSender<SweepEvent>) {
        self.since_mark += u32::from(self.is_kept);
        if self.since_mark < STRIDE {
            return;
        }
        self.since_mark = 0;
        self.mark(events);
    }

    /// Waits until all that was told before the last mark has been heard, and sets a mark.
    pub fn mark(&mut self, events: &mpsc::UnboundedSender<SweepEvent>) {
        if let Some(mark) = self.mark.take() {
            // Nothing is ever sent: it ends when the mark is dropped, heard or not.
            let _ = mark.recv();
        }
        let (heard, mark) = sync_channel(0);
        let _ = events.send(SweepEvent::Marked(EventBarrier::new(heard)));
        self.mark = Some(mark);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::TryRecvError;

    use super::*;

    impl Backpressure {
        /// Whether the next stride would be held up at its end.
        fn is_behind(&self) -> bool {
            self.mark.as_ref().is_some_and(|mark| mark.try_recv() == Err(TryRecvError::Empty))
        }
    }

    fn tell(pace: &mut Backpressure, events: &mpsc::UnboundedSender<SweepEvent>) {
        for _ in 0..STRIDE {
            let _ = events.send(SweepEvent::SweepFinished { interrupted: false });
            pace.told(events);
        }
    }

    #[test]
    fn a_stride_waits_until_the_one_before_was_heard_to_its_end() {
        let (events, mut heard) = mpsc::unbounded_channel();
        let mut pace = Backpressure::of(Clock::simulated());
        assert!(!pace.is_behind());
        for _ in 0..3 {
            tell(&mut pace, &events);
            for _ in 0..STRIDE {
                assert!(matches!(heard.try_recv(), Ok(SweepEvent::SweepFinished { .. })));
                assert!(pace.is_behind());
            }
            let mark = heard.try_recv();
            assert!(matches!(mark, Ok(SweepEvent::Marked(_))) && pace.is_behind(), "it has come, and is not done with yet");
            drop(mark);
            assert!(!pace.is_behind());
        }
    }

    #[test]
    fn virtual_time_waits_for_who_listens_and_real_time_never_does() {
        let requests = u64::from(STRIDE) * 6;
        let (events, mut heard) = mpsc::unbounded_channel();
        let telling = std::thread::spawn(move || {
            let mut pace = Backpressure::of(Clock::simulated());
            for _ in 0..requests {
                let _ = events.send(SweepEvent::SweepFinished { interrupted: false });
                pace.told(&events);
            }
        });
        // As much as may wait does before anything is heard.
        while heard.len() < 2 * STRIDE as usize && !telling.is_finished() {
            std::thread::yield_now();
        }
        let (mut most, mut told) = (0, 0);
        while let Some(event) = heard.blocking_recv() {
            most = most.max(heard.len());
            told += u64::from(matches!(event, SweepEvent::SweepFinished { .. }));
        }
        telling.join().unwrap();
        assert_eq!(told, requests);
        assert!(most <= 2 * STRIDE as usize + 2, "{most} waited");

        let (events, heard) = mpsc::unbounded_channel();
        let mut pace = Backpressure::of(Clock::real());
        (0..requests).for_each(|_| pace.told(&events));
        assert!(heard.is_empty());
    }

    #[test]
    fn where_nobody_listens_any_more_nothing_is_waited_for() {
        let (events, heard) = mpsc::unbounded_channel();
        drop(heard);
        let mut pace = Backpressure::of(Clock::simulated());
        for _ in 0..5 {
            tell(&mut pace, &events);
            assert!(pace.mark.is_some() && !pace.is_behind());
        }
    }
}
