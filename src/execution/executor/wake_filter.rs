//! A future that hardly ever has anything to say, awaited beside one that is polled all the time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Whether any of the futures that share it has asked to be polled. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct WakeSignal(Arc<AtomicBool>);

/// Polls its future only when one that shares its bell has asked for it: others wake the task for every event of an answer, and to ask each time
/// whether a sweep was stopped would take a lock that all requests share.
#[derive(Debug)]
pub(super) struct WakeFilter<'r, F> {
    future: Pin<Box<F>>,
    rung: &'r WakeSignal,
    /// Whom the future wakes.
    task: Option<Waker>,
}

/// Wakes the task, and tells that it was such a future that did.
#[derive(Debug)]
struct SignalWaker {
    rung: WakeSignal,
    task: Waker,
}

impl<'r, F: Future> WakeFilter<'r, F> {
    pub(super) fn new(future: F, rung: &'r WakeSignal) -> Self {
        Self { future: Box::pin(future), rung, task: None }
    }
}

impl<F: Future> Future for WakeFilter<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // A task that has been handed on is woken by another waker.
        let is_heard = self.task.as_ref().is_some_and(|task| task.will_wake(cx.waker()));
        if is_heard && !self.rung.0.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        let bell = Arc::new(SignalWaker { rung: self.rung.clone(), task: cx.waker().clone() });
        self.task = Some(cx.waker().clone());
        self.future.as_mut().poll(&mut Context::from_waker(&Waker::from(bell)))
    }
}

impl Wake for SignalWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.0.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::pin::pin;

    use super::*;

    #[derive(Default)]
    struct Task(AtomicBool);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn it_is_polled_when_it_asks_and_when_another_task_waits_and_never_else() {
        let (polls, asked, over) = (Cell::new(0), RefCell::new(None::<Waker>), Cell::new(false));
        let (rung, other_run) = (WakeSignal::default(), WakeSignal::default());
        let future = || {
            std::future::poll_fn(|cx| {
                polls.set(polls.get() + 1);
                asked.replace(Some(cx.waker().clone()));
                if over.get() { Poll::Ready(()) } else { Poll::Pending }
            })
        };
        let (mut filter, mut other) = (pin!(WakeFilter::new(future(), &rung)), pin!(WakeFilter::new(future(), &other_run)));
        let task = Arc::new(Task::default());
        let waker = Waker::from(Arc::clone(&task));
        let mut cx = Context::from_waker(&waker);
        assert!(other.as_mut().poll(&mut cx).is_pending());
        for _ in 0..3 {
            assert!(filter.as_mut().poll(&mut cx).is_pending());
        }
        assert_eq!((polls.replace(0), task.0.load(Ordering::Relaxed)), (2, false), "each once");
        assert!(filter.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(filter.as_mut().poll(&mut cx).is_pending());
        assert_eq!(polls.get(), 2, "each of the two tasks was registered anew");
        over.set(true);
        asked.take().unwrap().wake();
        assert!(task.0.load(Ordering::Relaxed), "the task is woken");
        assert!(other.as_mut().poll(&mut cx).is_pending(), "it shares no bell with the one that asked");
        assert!(filter.as_mut().poll(&mut cx).is_ready());
    }
}
