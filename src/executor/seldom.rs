//! A future that hardly ever has anything to say, awaited beside one that is polled all the time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Polls its future only when that has asked for it: others wake the task for every event of an answer, and to ask each time whether a sweep
/// was stopped would take a lock that all requests share.
#[derive(Debug)]
pub(super) struct Seldom<F> {
    future: Pin<Box<F>>,
    bell: Option<Arc<Bell>>,
}

/// Wakes the task, and tells that it was this future that did.
#[derive(Debug)]
struct Bell {
    rung: AtomicBool,
    task: Waker,
}

impl<F: Future> Seldom<F> {
    pub(super) fn new(future: F) -> Self {
        Self { future: Box::pin(future), bell: None }
    }
}

impl<F: Future> Future for Seldom<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // A task that has been handed on is woken by another waker; the new bell counts as rung.
        let bell = match self.bell.take().filter(|bell| bell.task.will_wake(cx.waker())) {
            Some(bell) => bell,
            None => Arc::new(Bell { rung: AtomicBool::new(true), task: cx.waker().clone() }),
        };
        let rung = bell.rung.load(Ordering::Acquire);
        if rung {
            bell.rung.store(false, Ordering::Release);
        }
        let bell = self.bell.insert(bell);
        if !rung {
            return Poll::Pending;
        }
        let waker = Waker::from(Arc::clone(bell));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
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
        let mut seldom = pin!(Seldom::new(std::future::poll_fn(|cx| {
            polls.set(polls.get() + 1);
            asked.replace(Some(cx.waker().clone()));
            if over.get() { Poll::Ready(()) } else { Poll::Pending }
        })));
        let task = Arc::new(Task::default());
        let waker = Waker::from(Arc::clone(&task));
        let mut cx = Context::from_waker(&waker);
        for _ in 0..3 {
            assert!(seldom.as_mut().poll(&mut cx).is_pending());
        }
        assert_eq!((polls.get(), task.0.load(Ordering::Relaxed)), (1, false));
        assert!(seldom.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(seldom.as_mut().poll(&mut cx).is_pending());
        assert_eq!(polls.get(), 3, "each of the two was registered anew");
        over.set(true);
        asked.take().unwrap().wake();
        assert!(task.0.load(Ordering::Relaxed), "the task is woken");
        assert!(seldom.as_mut().poll(&mut cx).is_ready());
    }
}
