//! The one buffer of a thread that none of its connections is using. A connection has one only while it holds bytes that were not taken yet:
//! thousands that wait need no memory for what they do not hold, and what is read lands where the processor has just been.

use std::cell::Cell;

/// How much is read at once: an event takes a few hundred bytes, and what is read together shares a stamp.
pub(super) const READ: usize = 8 * 1024;

thread_local! {
    // The only state of its kind: between threads it would have to be locked for every read.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A buffer of [`READ`] bytes, with whatever is in it.
pub(super) fn take() -> Vec<u8> {
    let spare = SPARE.take();
    if spare.is_empty() { vec![0; READ] } else { spare }
}

/// Gives a buffer back, and leaves an empty one. One that has grown is not kept.
pub(super) fn give_back(buffer: &mut Vec<u8>) {
    let buffer = std::mem::take(buffer);
    if buffer.len() == READ {
        SPARE.set(buffer);
    }
}
