//! WHEN it may be sent: closed groups and user-centric rates. Pure, seeded iterators of due times.
