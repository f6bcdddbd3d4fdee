//! Which threads do what: those that send and listen do nothing else. Prompts, metrics, servers and token counts have threads of their own,
//! the background runtime; records go to the thread that runs the sweep, and from there to the reporters'.
//!
//! In virtual time there is one thread for all, and the order of things on it is part of the result.

use std::panic::resume_unwind;
use std::time::Duration;

use futures_util::future::{BoxFuture, LocalBoxFuture};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinSet;
use tokio_util::context::TokioContext;

use crate::foundation::clock::CpuTimeSlice;

/// Threads of the background runtime: one may be busy with a long text while another hears the server's processes.
const BACKGROUND_THREADS: usize = 2;

/// People see no difference.
const PAUSE: Duration = Duration::from_millis(5);

/// The runtimes where real servers are measured.
#[derive(Debug)]
pub(super) struct NetworkRuntimes {
    pub background: Runtime,
    pub threads: RuntimeHandles,
    /// As many threads as the machine has processors.
    _measuring: Runtime,
}

impl NetworkRuntimes {
    pub fn new() -> std::io::Result<Self> {
        let measuring = Builder::new_multi_thread().thread_name("measuring").enable_all().build()?;
        let background = Builder::new_multi_thread().thread_name("background").worker_threads(BACKGROUND_THREADS).enable_all().build()?;
        let threads = RuntimeHandles::Apart { measuring: measuring.handle().clone(), background: background.handle().clone() };
        Ok(Self { background, threads, _measuring: measuring })
    }
}

/// Where things are done. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) enum RuntimeHandles {
    /// All on the current runtime: virtual time.
    One,
    Apart {
        measuring: Handle,
        background: Handle,
    },
}

impl RuntimeHandles {
    /// A future whose tasks and sockets live among the measuring threads, wherever it is itself.
    pub fn measuring<'f, F: Future + 'f>(&self, future: F) -> LocalBoxFuture<'f, F::Output> {
        match self {
            Self::One => Box::pin(future),
            Self::Apart { measuring, .. } => Box::pin(TokioContext::new(future, measuring.clone())),
        }
    }

    /// A future whose tasks and sockets live in the background runtime, wherever it is itself.
    pub fn background<'f, F: Future + 'f>(&self, future: F) -> LocalBoxFuture<'f, F::Output> {
        match self {
            Self::One => Box::pin(future),
            Self::Apart { background, .. } => Box::pin(TokioContext::new(future, background.clone())),
        }
    }

    /// Has something done in the background runtime, and awaits it. Given up, it is ended.
    pub fn have_done<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> BoxFuture<'static, T> {
        let Self::Apart { background, .. } = self else { return Box::pin(work) };
        let mut set = JoinSet::new();
        set.spawn_on(work, background);
        Box::pin(async move {
            match set.join_next().await {
                Some(Ok(done)) => done,
                Some(Err(panic)) if panic.is_panic() => resume_unwind(panic.into_panic()),
                // The background runtime has been closed, and nobody is waiting any more.
                _ => std::future::pending().await,
            }
        })
    }

    /// How long what has come is left to gather before it is taken: whoever waits for each request has to be woken for each, by the threads that
    /// measure. In virtual time nothing is.
    pub fn pause(&self) -> Option<Duration> {
        match self {
            Self::One => None,
            Self::Apart { .. } => Some(PAUSE),
        }
    }

    /// Begins a batch of work that is not to delay what is due; nothing is in virtual time, where there is one thread for all.
    pub fn stretch(&self) -> Option<CpuTimeSlice> {
        matches!(self, Self::Apart { .. }).then(CpuTimeSlice::begin)
    }

    /// A task of the background runtime.
    pub fn spawn_in_office<T: Send + 'static>(&self, tasks: &mut JoinSet<T>, task: impl Future<Output = T> + Send + 'static) {
        match self {
            Self::One => tasks.spawn(task),
            Self::Apart { background, .. } => tasks.spawn_on(task, background),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> Option<String> {
        std::thread::current().name().map(str::to_owned)
    }

    #[test]
    fn what_is_had_done_and_what_is_spawned_are_on_the_threads_they_belong_to() {
        let network = NetworkRuntimes::new().unwrap();
        let threads = network.threads.clone();
        let seen = network.background.block_on(async {
            let measured = threads.measuring(async { tokio::spawn(async { name() }).await.unwrap() }).await;
            let done = threads.measuring(threads.have_done(async { name() })).await;
            let watched = threads.measuring(threads.background(async { tokio::spawn(async { name() }).await.unwrap() })).await;
            [measured, done, watched]
        });
        assert_eq!(seen.map(Option::unwrap), ["measuring", "background", "background"]);
    }

    #[test]
    fn in_virtual_time_all_is_on_one_thread() {
        let here = std::thread::current().id();
        let there = crate::foundation::clock::virtual_runtime()
            .unwrap()
            .block_on(async { RuntimeHandles::One.have_done(async { std::thread::current().id() }).await });
        assert_eq!(here, there);
    }
}
