//! One binary of tests over the whole program, a folder or file a subject.

mod layers;
mod faults;
mod live;
