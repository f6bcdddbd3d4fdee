//! Plan to events: runs the cells in turn, each through the one load loop, and tells everything as [`SweepEvent`](crate::event::SweepEvent)s.
//!
//! A failed request is a record, a failed run is a record, a failed sweep is an exit code. The executor knows nothing of files, terminals
//! or verdicts: who wants to keep or show what happened listens.

mod backpressure;
mod cache_check;
mod cell;
mod client_health;
mod client_words;
mod cold_cache;
mod conversation;
mod drive;
mod early_stop;
mod errors;
mod first_answer_barrier;
mod follow;
mod in_flight_limiter;
mod lane_ties;
mod lateness;
mod load_leader;
mod load_member;
mod load_party;
mod open;
mod prefill;
mod preflight;
mod prepared_load;
mod prepared_queue;
mod row;
mod run_scheduler;
mod run_totals;
mod runtimes;
mod sequential_loop;
mod server_manager;
mod session_loop;
mod stall_detector;
mod stop_token;
#[cfg(test)]
mod stream_cases;
mod sweep;
mod target_monitor;
mod token_counts;
mod transport_totals;
mod unredacted_text;
mod user_pool_loop;
mod user_queue;
mod wake_filter;

pub use follow::follow;
pub use load_leader::LoadLeader;
pub use load_member::{LoadMember, MeetingEnd};
pub use preflight::{PreflightError, PreflightFacts, preflight};
pub use run_scheduler::{PlanScheduler, RunScheduler, StoppingRule};
pub use server_manager::ServerLaunchPaths;
pub use stop_token::StopToken;
pub use sweep::{SweepError, SweepOutcome, SweepStopReason, sweep};
