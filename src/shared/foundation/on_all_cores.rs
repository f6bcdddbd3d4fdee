//! Work on a list by as many threads as there are processors, each of which does one piece from its beginning to its end: so no more pieces are in
//! memory, or on a thread's stack, at once than threads. (In a pool of tasks, a thread that waits for a file to be read begins with another piece
//! meanwhile, and within that with a third.) Pieces in, their results in the same order out. Must not know what the pieces are.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{panic, thread};

/// A block that glibc asks the kernel for by itself. Once one is given back, it keeps blocks of up to this size for the next that asks: a quarter of
/// the time of a report went into taking and giving back pages.
const LARGEST_BLOCK_KEPT: usize = 31 << 20;

/// Does `work` on each of the pieces.
///
/// # Panics
/// Where `work` does.
pub fn on_all_cores<P: Sync, R: Send>(pieces: &[P], work: impl Fn(&P) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(pieces.len());
    if threads <= 1 {
        return pieces.iter().map(work).collect();
    }
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGEST_BLOCK_KEPT)));
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(pieces.len()));
    let take_all = || {
        while let Some((number, piece)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|number| Some((number, pieces.get(number)?)))
        {
            let result = work(piece);
            results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((number, result));
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(take_all)).collect();
        for worker in workers {
            if let Err(cause) = worker.join() {
                panic::resume_unwind(cause);
            }
        }
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_unstable_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_their_pieces() {
        let pieces: Vec<u64> = (0..1000).collect();
        assert_eq!(on_all_cores(&pieces, |piece| piece * piece), pieces.iter().map(|piece| piece * piece).collect::<Vec<_>>());
        assert_eq!(on_all_cores(&[] as &[u64], |piece| *piece), [0_u64; 0]);
    }

    #[test]
    fn a_piece_that_waits_for_a_pool_of_tasks_has_no_other_begun_within_it() {
        std::thread_local! { static BEGUN: std::cell::Cell<u32> = const { std::cell::Cell::new(0) }; }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let begun_at_once = |_: &u32| {
            BEGUN.set(BEGUN.get() + 1);
            let begun = BEGUN.get();
            pool.install(std::thread::yield_now);
            BEGUN.set(begun - 1);
            begun
        };
        assert_eq!(on_all_cores(&vec![0; 10_000], begun_at_once), vec![1; 10_000]);
    }

    #[test]
    #[should_panic(expected = "a piece that cannot be done")]
    fn a_panic_of_one_piece_is_told() {
        on_all_cores(&[1, 2, 3], |piece| assert_ne!(*piece, 2, "a piece that cannot be done"));
    }
}
