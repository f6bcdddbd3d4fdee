//! A process that does nothing but keep its core busy.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The longest that a core is held.
const LONGEST: Duration = Duration::from_mins(2);

/// Holds the core until stdin is closed.
pub fn hold() {
    let (over, began) = (AtomicBool::new(false), Instant::now());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) && began.elapsed() < LONGEST {
                std::hint::spin_loop();
            }
        });
        // Closed or broken, it is over.
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        over.store(true, Ordering::Relaxed);
    });
}
