//! The loop that feeds the reporters, for a thread of its own: events from the channel in, each to every reporter in their order.
//!
//! A reporter that fails hears nothing more; the sweep is asked to stop through the token, and what is still in flight is told to the
//! others, so that a full disk ends in whole files.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::mpsc::error::TryRecvError;
use tokio_util::sync::CancellationToken;

use super::{Reporter, ReporterError};
use crate::event::SweepEvent;
use crate::foundation::clock::CpuTimeSlice;

const TICK: Duration = Duration::from_millis(500);

/// How long the records of a run on a real server are left to gather where the last ones came less than that ago: to be woken for each of many
/// costs the threads that measure, and what comes seldom is saved at once.
const GATHER: Duration = Duration::from_millis(5);

/// Listens until the sweep is finished or the channel is closed. The order of `reporters` matters: the recorder seals a run when it hears
/// of its end, so what writes into the run's folder stands before it, and what tells people that a cell is done stands behind it.
///
/// # Errors
/// The first error of a reporter, after `stop` was cancelled and all other reporters have heard the rest.
pub fn run_reporters(
    mut events: UnboundedReceiver<SweepEvent>,
    reporters: Vec<Box<dyn Reporter>>,
    stop: &CancellationToken,
) -> Result<(), ReporterError> {
    // Wall time on a runtime of this thread alone: the load may be in virtual time.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let mut listeners = ReporterDispatcher { reporters, first_error: None, stop };
    let mut last_tick = Instant::now();
    let mut last_woken = last_tick;
    let mut in_real_time = false;
    let mut stretch = CpuTimeSlice::begin();
    loop {
        let event = match events.try_recv() {
            Ok(event) => Some(event),
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {
                listeners.tell(|reporter| reporter.idle());
                match runtime.block_on(async { tokio::time::timeout(TICK, events.recv()).await }) {
                    Ok(None) => break,
                    Ok(event) => {
                        if in_real_time && matches!(event, Some(SweepEvent::RequestDone(_))) {
                            std::thread::sleep(GATHER.saturating_sub(last_woken.elapsed()));
                        }
                        last_woken = Instant::now();
                        stretch = CpuTimeSlice::begin();
                        event
                    }
                    Err(_elapsed) => None,
                }
            }
        };
        if last_tick.elapsed() >= TICK {
            listeners.tell(|reporter| reporter.tick());
            last_tick = Instant::now();
        }
        let Some(event) = event else { continue };
        if let SweepEvent::RunStarted { run, .. } = &event {
            in_real_time = !run.simulated;
        }
        let waiting = events.len();
        listeners.tell(|reporter| {
            reporter.behind(waiting);
            reporter.on(&event)
        });
        if matches!(event, SweepEvent::SweepFinished { .. }) {
            break;
        }
        if in_real_time {
            stretch.give_way();
        }
    }
    listeners.first_error.map_or(Ok(()), Err)
}

struct ReporterDispatcher<'a> {
    reporters: Vec<Box<dyn Reporter>>,
    first_error: Option<ReporterError>,
    stop: &'a CancellationToken,
}

impl ReporterDispatcher<'_> {
    fn tell(&mut self, mut word: impl FnMut(&mut dyn Reporter) -> Result<(), ReporterError>) {
        let (stop, first_error) = (self.stop, &mut self.first_error);
        self.reporters.retain_mut(|reporter| match word(reporter.as_mut()) {
            Ok(()) => true,
            Err(error) => {
                stop.cancel();
                first_error.get_or_insert(error);
                false
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    type Heard = Arc<Mutex<Vec<&'static str>>>;

    struct Note {
        name: &'static str,
        heard: Heard,
        fails: bool,
    }

    impl Reporter for Note {
        fn on(&mut self, _event: &SweepEvent) -> Result<(), ReporterError> {
            self.heard.lock().unwrap().push(self.name);
            if self.fails { Err(io::Error::other("disk full").into()) } else { Ok(()) }
        }
    }

    fn two(first_fails: bool) -> (Vec<Box<dyn Reporter>>, Heard) {
        let heard = Heard::default();
        let note = |name, fails| Box::new(Note { name, heard: Arc::clone(&heard), fails }) as Box<dyn Reporter>;
        (vec![note("a", first_fails), note("b", false)], heard)
    }

    #[test]
    fn reporters_hear_every_event_in_their_order_until_the_sweep_is_finished() {
        let (reporters, heard) = two(false);
        let (send, receive) = unbounded_channel();
        send.send(SweepEvent::SweepStarted { planned: 1, sealed: 0, about: false }).unwrap();
        send.send(SweepEvent::SweepFinished { interrupted: false }).unwrap();
        send.send(SweepEvent::SweepFinished { interrupted: false }).unwrap();
        let stop = CancellationToken::new();
        run_reporters(receive, reporters, &stop).unwrap();
        assert_eq!(*heard.lock().unwrap(), ["a", "b", "a", "b"]);
        assert!(!stop.is_cancelled());
        drop(send);
    }

    #[test]
    fn a_reporter_that_fails_stops_the_sweep_and_the_others_hear_the_rest() {
        let (reporters, heard) = two(true);
        let (send, receive) = unbounded_channel();
        for _ in 0..3 {
            send.send(SweepEvent::SweepStarted { planned: 1, sealed: 0, about: false }).unwrap();
        }
        drop(send);
        let stop = CancellationToken::new();
        let error = run_reporters(receive, reporters, &stop).unwrap_err();
        assert_eq!(error.to_string(), "disk full");
        assert!(stop.is_cancelled());
        assert_eq!(*heard.lock().unwrap(), ["a", "b", "b", "b"]);
    }
}
